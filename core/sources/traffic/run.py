"""A run: segments of one direction that differ in nothing but their place, and acknowledgments that just go on."""

from __future__ import annotations

from struct import Struct, unpack

from xenmig.core.sources.connection import reverse_key
from xenmig.core.sources.repetition import ascending, gathered
from xenmig.core.sources.traffic.answers import Answers
from xenmig.core.sources.traffic.flow import PAUSE
from xenmig.core.sources.traffic.traffic import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from xenmig.core.sources.frames import Frames, Lead
    from xenmig.core.sources.repetition import Repetition
    from xenmig.core.sources.shape import Shape
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

    Comparison: TypeAlias = Callable[[bytes, int], tuple[bytes, bytes, int, int]]

PSH = 0x08 << 16
"As the last number that is compared holds it."
_CLOSING = 0x07 << 16
_NEVER = 1 << 62
_UNKNOWN_SHIFT = 48
_SECOND = 1_000_000_000


def comparison(shape: Shape, lead: Lead) -> Comparison:
    """What reads, from a window and the start of a record of this shape, that which segments of one run share, and how
    they go on: the beginning of the IP header up to its length; addresses and ports; sequence number; and in one number
    of 64 bits acknowledgment number, data offset, flags and window.
    """
    version, offset, _ = shape.identity
    layout = "4s8x12sIQ" if version == 4 else "6s2x36sIQ"
    return Struct(f">{lead.size + offset}x{layout}").unpack_from


Looks: TypeAlias = "tuple[bytes, bytes, int, int, bytes, bytes, int, int, int, int]"
"""Of segments: the first two things that :func:`comparison` reads and the last one with PSH, and how many bytes
of payload they have. Of acknowledgments: the first two, the sequence number, and data offset with flags. And of
the receiver: the shift of its windows and its maximum segment size."""
NO_LOOKS: Looks = (b"", b"", 0, 0, b"", b"", 0, 0, 0, 0)

State: TypeAlias = "tuple[int, int, int, int, int, int, int, int, int]"
"""Sequence numbers: the next one; the last one acknowledged; the one up to which segments leave room in the window for
another; the one whose acknowledgment ends the timing of a round trip; the one from which on the next is timed. And
times: second and fraction of the last frame, and the fractions at which a distance to it becomes a wait, and the bin
ends."""
NO_STATE: State = (-1, 0, 0, 0, 0, -1, 0, 0, 0)
"No frame continues this."


class Run:
    """What the frames of a run have in common. Wherever it counts, :meth:`Traffic.segment` would count the same."""

    __slots__ = ("traffic", "flow", "_looks", "_base", "_wire", "_ack_wire", "second", "_begin", "_scale", "_pause")

    traffic: Traffic
    flow: Flow
    "The direction of the segments."
    second: int
    "As the head of the last frame has it; formats that count in other units have 0 there."

    def __init__(
        self, traffic: Traffic, flow: Flow, front: bytes, key: bytes, tail: int, length: int, wire: int, second: int
    ) -> None:
        """A run that begins with the segment of ``length`` payload bytes with these bytes: see :func:`comparison`."""
        self.traffic = traffic
        self.flow = flow
        self.second = second
        self._looks = (front, key, tail | PSH, length, b"", reverse_key(key), -1, 0)
        self._wire = wire
        self._ack_wire = 0
        self._base = 0
        self._begin = self._scale = self._pause = 0

    @property
    def looks(self) -> Looks:
        """What the next frames have to look like."""
        flow = self.flow
        # On an unknown scale, every window but zero has room.
        return *self._looks, flow.shift if flow.shift >= 0 else _UNKNOWN_SHIFT, flow.mss

    def continued(self, front: bytes, tail: int, length: int, wire: int) -> None:
        """Another segment of the direction came: those that follow may look like this one, if it has payload."""
        if not length:
            # What it says of the other direction is to be said again before the run goes on.
            if tail | PSH != self._looks[2]:
                self._looks = (*self._looks[:2], _CLOSING, *self._looks[3:])
            return
        self._looks = (front, self._looks[1], tail | PSH, length, *self._looks[4:])
        self._wire = wire

    def acknowledged(self, front: bytes, sequence: int, tail: int, wire: int) -> None:
        """A segment without payload came the other way: it shows what acknowledgments look like."""
        plain = not tail & _CLOSING
        self._looks = (*self._looks[:4], front, self._looks[5], sequence if plain else -1, tail >> 16 & 0xFFFF)
        self._ack_wire = wire

    @property
    def goes_on(self) -> bool:
        """Whether the next segments may be counted at once: nothing is unusual in either direction."""
        flow = self.flow
        peer = flow.peer
        return (
            flow.steady
            and not self._looks[2] & _CLOSING
            # Segments that acknowledge less than others before them are counted as such.
            and self._looks[2] >> 32 == peer.received & 0xFFFFFFFF
            and (
                peer.first_payload < 0
                or (
                    peer.next == peer.received
                    and peer.recover < 0
                    and not peer.doubt
                    and (peer.edge < 0 or peer.edge - peer.next >= peer.full)
                )
            )
        )

    def state(self, scale: int) -> State:
        """What the next frames are compared with: see State. ``scale`` is that of the fractions in heads of frames."""
        if not self.goes_on:
            return NO_STATE
        flow = self.flow
        next = flow.next & 0xFFFFFFFF
        # Places less this are sequence numbers until these wrap; the frames then are no longer those of the run.
        self._base = base = flow.next - next
        timed, timing = flow.timed_end - base, _NEVER
        if flow.timed_end < 0:
            timed, timing = _NEVER, flow.timed_next - base
        self._scale = scale
        self._pause = PAUSE // scale
        self._begin = begin = self.second * _SECOND
        stop = (self.traffic.series.end - begin) // scale
        until = min((flow.since + PAUSE - begin) // scale, stop)
        limit = flow.edge - flow.mss - base if flow.edge >= 0 else _NEVER
        places = (next, flow.received - base, limit, timed, timing)
        return *places, self.second, (self.traffic.time - begin) // scale, until, stop

    def sent(self, segments: int, fraction: int, next: int) -> None:
        """Count segments that continued the run, up to the sequence number ``next``; ``fraction``, of the second that
        :meth:`state` gave, is when the last of them came.
        """
        self._sent(segments, self._begin + fraction * self._scale, next + self._base)
        self._bin(segments, 0)

    def answered(self, answers: Answers) -> None:
        """Count acknowledgments that continued the run."""
        base = self._base
        self._answered(answers, self._begin + answers.time * self._scale, answers.received + base)
        if answers.farthest + base > self.flow.farthest and self.flow.shift >= 0:
            self.flow.farthest = answers.farthest + base
        self._bin(0, answers.count)

    def _sent(self, segments: int, time: int, next: int) -> None:
        flow = self.flow
        flow.frames += segments
        flow.wire_bytes += segments * self._wire
        flow.segments += segments
        flow.payload_bytes += segments * self._looks[3]
        flow.last_payload = time
        flow.next = next
        peer = flow.peer
        if peer.first_payload >= 0 and time > peer.since and not 0 <= peer.fin <= peer.received:
            peer.answered = time
        self._pass(time)

    def _answered(self, answers: Answers, time: int, received: int) -> None:
        flow = self.flow
        peer = flow.peer
        peer.frames += answers.count
        peer.wire_bytes += answers.count * self._ack_wire
        flow.acknowledgments += answers.count
        flow.duplicates = 0
        flow.acknowledged_time = time
        flow.received = received
        if answers.peak > flow.peak:
            flow.peak = answers.peak
        flow.widen(answers.widest << max(flow.shift, 0))
        flow.open_window(answers.window, max(flow.shift, 0))
        self._pass(time)

    def _pass(self, time: int) -> None:
        """Nothing up to ``time`` was a wait."""
        flow = self.flow
        if time > flow.since:
            flow.sending += time - flow.since
            flow.since = self.traffic.time = time

    def _bin(self, segments: int, acks: int) -> None:
        """Count the bytes of so many frames into the present bin."""
        series, side = self.traffic.series, self.flow.side
        index = series.index
        if segments:
            series.columns[side * len(COLUMNS)][index] += segments * self._looks[3]
            series.columns[side * len(COLUMNS) + 1][index] += segments * self._wire
        if acks:
            series.columns[(1 - side) * len(COLUMNS) + 1][index] += acks * self._ack_wire

    def groups(self, frames: Frames, shape: Shape, compare: Comparison, repetition: Repetition, at: int) -> int:
        """Count groups that are known to repeat, from the one at ``at`` on, as far as they continue the run.

        Returns how many groups have been counted: up to a wait, another second, an acknowledgment of more or less, or a
        window without room. Of the times, those are looked at at which groups begin, and the end of the last one: when
        these are close, nothing in between waits.
        """
        window, flow = frames.window, self.flow
        size, segments = repetition.size, repetition.segments
        step = segments * self._looks[3]
        count = (repetition.end - at) // size
        acknowledgment = at + segments * repetition.each
        if not self._continues(compare(window, at), compare(window, acknowledgment)):
            return 0
        count = self._steady(frames, at, acknowledgment, size, count)
        received = (flow.received + step) & 0xFFFFFFFF
        count = ascending(window, acknowledgment + shape.sequence + 4, size, count, received, step)
        answers = self._roomy(window, acknowledgment + shape.flags + 1, size, count, step)
        count = answers.count
        if not count:
            return 0
        # What segments acknowledge, their window, and where acknowledgments are do not change back and forth.
        far = (count - 1) * size
        for place, width in (
            (at + shape.sequence + 4, 4),
            (at + shape.flags + 1, 2),
            (acknowledgment + shape.sequence, 4),
        ):
            if window[place : place + width] != window[place + far : place + far + width]:
                return 0
        counted = _Counted(frames, repetition.each, size, segments, at, count)
        self._time_round_trips(counted)
        latest = self._time(counted, count - 1, segments)
        self._fill_bins(counted, latest)
        answers.peak = flow.next - flow.received + step
        self._sent(count * segments, self._time(counted, count - 1, segments - 1), flow.next + count * step)
        self._answered(answers, latest, flow.received + count * step)
        if flow.shift >= 0 and answers.farthest > flow.farthest:
            flow.farthest = answers.farthest
        return count

    def _steady(self, frames: Frames, at: int, acknowledgment: int, size: int, count: int) -> int:
        """How many groups of ``size`` bytes, the first at ``at`` and its acknowledgment there, wait for nothing."""
        before = (self.flow.since - self._begin) // self._scale
        if not 0 <= self._fraction(frames, at) - before < self._pause:
            return 0
        count = frames.steady(at, size, count, self.second, self._pause)
        far = (count - 1) * size
        # Of the last group, only its own end shows that nothing in it waited.
        if (
            count
            and not 0 <= self._fraction(frames, acknowledgment + far) - self._fraction(frames, at + far) < self._pause
        ):
            count -= 1
        return count

    def _time_round_trips(self, counted: _Counted) -> None:
        """Time those segments of groups whose turn it is: see :meth:`Flow.carry`."""
        flow = self.flow
        length = self._looks[3]
        step = counted.segments * length
        # Of all segments counted, the first one that may be timed.
        least = 0
        while True:
            if flow.timed_end < 0:
                number = max(least, -((flow.next - flow.timed_next) // length))
                if number >= counted.count * counted.segments:
                    return
                time = self._time(counted, *divmod(number, counted.segments))
                flow.time_segment(flow.next + number * length, length, time)
            group = -((flow.received - flow.timed_end) // step) - 1
            if group >= counted.count:
                return
            flow.timed(self._time(counted, group, counted.segments))
            least = (group + 1) * counted.segments

    def _fill_bins(self, counted: _Counted, latest: int) -> None:
        """Count the bytes of groups into the bins that their times fall into; ``latest`` is that of the last one."""
        count, segments, series = counted.count, counted.segments, self.traffic.series
        group = frame = 0
        while latest >= series.end:
            behind = left = self._before(counted, (series.end - self._begin) // self._scale, group)
            before, time = 0, latest
            if behind > group:
                # The group in the course of which the bin ends, perhaps: the first of its frames comes before that.
                left, before = behind - 1, 1
                while before <= segments and (time := self._time(counted, left, before)) < series.end:
                    before += 1
                if before > segments:
                    left, before = behind, 0
                self._bin((left - group) * segments + before - frame, left - group)
                group, frame = left, before
            if group == count:
                return
            series.move(time if frame else self._time(counted, group, 0))
        self._bin((count - group) * segments - frame, count - group)

    def _continues(self, segment: tuple[bytes, bytes, int, int], answer: tuple[bytes, bytes, int, int]) -> bool:
        """Whether two frames, as compared, are the next segment and an acknowledgment."""
        front, key, tail, _, ack_front, ack_key, ack_sequence, ack_flags = self._looks
        return (
            segment[:3] == (front, key, self.flow.next & 0xFFFFFFFF)
            and segment[3] | PSH == tail
            and answer[:3] == (ack_front, ack_key, ack_sequence)
            and answer[3] >> 16 & 0xFFFF == ack_flags
        )

    def _before(self, counted: _Counted, stop: int, group: int) -> int:
        """The first group from ``group`` on that begins at ``stop``, a fraction of the second, or later."""
        low, high = group, counted.count
        first, last = (self._fraction(counted.frames, counted.place(one, 0)) for one in (low, high - 1))
        # Where it is if the pace is even, and its neighbours; then by halves.
        even = low + (stop - first) * (high - 1 - low) // max(1, last - first)
        guesses = [even - 1, even + 1, even]
        while low < high:
            middle = guesses.pop() if guesses else (low + high) // 2
            if not low <= middle < high:
                continue
            if self._fraction(counted.frames, counted.place(middle, 0)) < stop:
                low = middle + 1
            else:
                high = middle
        return low

    def _roomy(self, window: bytes, at: int, size: int, count: int, step: int) -> Answers:
        """The acknowledgments up to the first, of so many, that leaves no room for a group and one segment.

        Their windows are there, ``size`` bytes apart, the first at ``at``.
        """
        flow = self.flow
        answers = Answers()
        if count <= 0 or 0 <= flow.edge < flow.next + step + flow.mss:
            return answers
        least = 1
        shift = max(flow.shift, 0)
        if flow.shift >= 0:
            least = (flow.next - flow.received + step + flow.mss + (1 << shift) - 1) >> shift
        found = gathered(window, at, size, count, 2)
        if found == found[:2] * count:
            # Receivers that keep up say the same again and again.
            answers.widest = answers.window = found[0] << 8 | found[1]
            answers.count = count if answers.window >= least else 0
            answers.farthest = flow.received + answers.count * step + (answers.window << shift)
            return answers
        windows = unpack(f">{count}H", found)
        if min(windows) < least:
            windows = windows[: next(place for place, one in enumerate(windows) if one < least)]
        if windows:
            answers.count = len(windows)
            answers.widest, answers.window = max(windows), windows[-1]
            answers.farthest = max(
                flow.received + number * step + (one << shift) for number, one in enumerate(windows, 1)
            )
        return answers

    def _time(self, counted: _Counted, group: int, number: int) -> int:
        """When a frame of a group came, in nanoseconds: see :meth:`_Counted.place`."""
        fraction = begun = self._fraction(counted.frames, counted.place(group, 0))
        if number:
            # Clocks that jump back and forth within a group are not believed.
            fraction = self._fraction(counted.frames, counted.place(group, number))
            fraction = min(max(fraction, begun), begun + self._pause)
        return self._begin + fraction * self._scale

    def _fraction(self, frames: Frames, at: int) -> int:
        """When in the second the frame came whose record begins at ``at``; what is in another second came never."""
        record = frames.record(at)
        assert record is not None
        head = record[0]
        return head[1] if head[0] == self.second else _NEVER


class _Counted:
    """Groups of frames that are counted at once."""

    __slots__ = ("frames", "each", "size", "segments", "at", "count")

    def __init__(self, frames: Frames, each: int, size: int, segments: int, at: int, count: int) -> None:
        """``count`` groups of ``size`` bytes from ``at`` on, each of ``segments`` segments of ``each`` bytes."""
        self.frames = frames
        self.each = each
        self.size = size
        self.segments = segments
        self.at = at
        self.count = count

    def place(self, group: int, number: int) -> int:
        """Where the record of a frame begins: one of the segments of a group, or behind them its acknowledgment."""
        return self.at + group * self.size + number * self.each
