"""A run: segments of one direction that differ in nothing but their place, and acknowledgments that just go on."""

from __future__ import annotations

from bisect import bisect_left
from operator import sub
from struct import Struct, unpack

from xenmig.core.sources.connection import reverse_key
from xenmig.core.sources.repetition import ascending, gathered
from xenmig.core.sources.traffic.flow import PAUSE
from xenmig.core.sources.traffic.traffic import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from xenmig.core.sources.frames import Frames, Lead
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
        """Another segment of the direction came: those that follow may look like this one."""
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

    def count(
        self,
        segments: int,
        sent: int,
        acks: int,
        acknowledged: int,
        next: int,
        received: int,
        peak: int,
        widest: int,
        window: int,
    ) -> None:
        """Count segments up to ``next`` and acknowledgments up to ``received`` that continued the run.

        ``sent`` and ``acknowledged`` say when the last of each came: fractions of the second that :meth:`state` gave.
        ``peak`` is the most bytes in flight when an acknowledgment came; ``widest`` and ``window`` are the widest and
        the last window.
        """
        begin, scale = self._begin, self._scale
        times = begin + sent * scale, begin + acknowledged * scale
        self._add(segments, times[0], acks, times[1], next + self._base, received + self._base, peak, widest, window)

    def _add(
        self,
        segments: int,
        sent: int,
        acks: int,
        acknowledged: int,
        next: int,
        received: int,
        peak: int,
        widest: int,
        window: int,
    ) -> None:
        traffic = self.traffic
        flow = self.flow
        peer = flow.peer
        series = traffic.series
        time = flow.since
        if segments:
            size, wire = segments * self._looks[3], segments * self._wire
            flow.frames += segments
            flow.wire_bytes += wire
            flow.segments += segments
            flow.payload_bytes += size
            flow.last_payload = time = sent
            flow.next = next
            if peer.first_payload >= 0:
                peer.answered = sent
            column = flow.side * len(COLUMNS)
            series.columns[column][series.index] += size
            series.columns[column + 1][series.index] += wire
        if acks:
            wire = acks * self._ack_wire
            peer.frames += acks
            peer.wire_bytes += wire
            flow.acknowledgments += acks
            flow.duplicates = 0
            flow.acknowledged_time = acknowledged
            time = max(time, acknowledged)
            flow.received = received
            flow.peak = max(flow.peak, peak)
            flow.open_window(widest, max(flow.shift, 0))
            flow.open_window(window, max(flow.shift, 0))
            series.columns[peer.side * len(COLUMNS) + 1][series.index] += wire
        # Nothing of this was a wait.
        flow.sending += time - flow.since
        flow.since = traffic.time = time

    def groups_left(self, segments: int) -> int:
        """How many groups of so many segments come before the next one to be timed, or before that is acknowledged."""
        flow = self.flow
        step = segments * self._looks[3]
        if flow.timed_end < 0:
            return max(0, (flow.timed_next - flow.next) // step)
        return max(0, (flow.timed_end - 1 - flow.received) // step)

    def groups(
        self, frames: Frames, shape: Shape, compare: Comparison, at: int, size: int, segments: int, count: int
    ) -> int:
        """Count groups that are known to repeat from ``at`` on, as far as they continue the run.

        A group has ``size`` bytes of records: ``segments`` segments in order and an acknowledgment, each of them as
        long as in the other groups and of the same direction. Returns how many groups have been counted: up to a wait,
        an acknowledgment of more or less, or a window without room. Of the times, those are looked at at which groups
        begin: when these are close, nothing in between waits.
        """
        window = frames.window
        flow = self.flow
        length = self._looks[3]
        step = segments * length
        sequence, flags = shape.sequence, shape.flags
        if count <= 0:
            return 0
        each = _behind(frames, at) - at
        acknowledgment = at + segments * each
        if not self._continues(compare(window, at), compare(window, acknowledgment)):
            return 0
        begins = self._begins(frames, at, size, count)
        received = (flow.received + step) & 0xFFFFFFFF
        count = ascending(window, acknowledgment + sequence + 4, size, len(begins), received, step)
        windows = self._roomy(window, acknowledgment + flags + 1, size, count, step)
        count = len(windows)
        if not count:
            return 0
        # Of the last group, only its own end shows that nothing in it waited.
        count -= not 0 <= self._fraction(frames, acknowledgment + (count - 1) * size) - begins[count - 1] < self._pause
        # What segments acknowledge, their window, and where acknowledgments are do not change back and forth.
        far = max(0, count - 1) * size
        for place, width in ((at + sequence + 4, 4), (at + flags + 1, 2), (acknowledgment + sequence, 4)):
            if window[place : place + width] != window[place + far : place + far + width]:
                return 0
        done = 0
        while done < count:
            # Groups that begin in this bin; of the last one, the end may be in the next.
            stop = (self.traffic.series.end - self._begin) // self._scale
            behind = bisect_left(begins, stop, done, count)
            last = acknowledgment + (behind - 1) * size
            if behind > done and self._fraction(frames, last) >= stop:
                behind -= 1
                last -= size
            if behind == done:
                self._one_by_one(frames, at + done * size, segments, each, windows[done])
                done += 1
                continue
            number = behind - done
            self._add(
                number * segments,
                self._begin + self._fraction(frames, last - each) * self._scale,
                number,
                self._begin + self._fraction(frames, last) * self._scale,
                flow.next + number * step,
                flow.received + number * step,
                flow.next - flow.received + step,
                max(windows[done:behind]),
                windows[behind - 1],
            )
            done = behind
        return count

    def _begins(self, frames: Frames, at: int, size: int, count: int) -> Sequence[int]:
        """When up to ``count`` groups of ``size`` bytes begin, the first at ``at``, as long as none of them waits:
        fractions of the second that the last frame before had.
        """
        fractions = frames.times(at, size, count, self.second)
        pause = self._pause
        before = (self.flow.since - self._begin) // self._scale
        if not fractions or not 0 <= fractions[0] - before < pause:
            return ()
        distances = [*map(sub, fractions[1:], fractions)]
        if distances and (min(distances) < 0 or max(distances) >= pause):
            return fractions[: next(place for place, one in enumerate(distances, 1) if not 0 <= one < pause)]
        return fractions

    def _continues(self, segment: tuple[bytes, bytes, int, int], answer: tuple[bytes, bytes, int, int]) -> bool:
        """Whether two frames, as compared, are the next segment and an acknowledgment."""
        front, key, tail, _, ack_front, ack_key, ack_sequence, ack_flags = self._looks
        return (
            segment[:3] == (front, key, self.flow.next & 0xFFFFFFFF)
            and segment[3] | PSH == tail
            and answer[:3] == (ack_front, ack_key, ack_sequence)
            and answer[3] >> 16 & 0xFFFF == ack_flags
        )

    def _one_by_one(self, frames: Frames, at: int, segments: int, each: int, window: int) -> None:
        """Count the frames of one group, in the course of which a bin ends."""
        flow = self.flow
        series = self.traffic.series
        for place in range(at, at + segments * each + 1, each):
            time = self._begin + self._fraction(frames, place) * self._scale
            if time >= series.end:
                series.move(time)
            if place < at + segments * each:
                self._add(1, time, 0, 0, flow.next + self._looks[3], flow.received, 0, 0, 0)
            else:
                received = flow.received + segments * self._looks[3]
                self._add(0, 0, 1, time, flow.next, received, flow.next - flow.received, window, window)

    def _roomy(self, window: bytes, at: int, size: int, count: int, step: int) -> tuple[int, ...]:
        """The windows of so many acknowledgments, up to the first that leaves no room for a group and one segment."""
        flow = self.flow
        if count <= 0 or 0 <= flow.edge < flow.next + step + flow.mss:
            return ()
        windows = unpack(f">{count}H", gathered(window, at, size, count, 2))
        least = 1
        if flow.shift >= 0:
            least = (flow.next - flow.received + step + flow.mss + (1 << flow.shift) - 1) >> flow.shift
        if min(windows) >= least:
            return windows
        return windows[: next(place for place, one in enumerate(windows) if one < least)]

    def _fraction(self, frames: Frames, at: int) -> int:
        """When in the second the frame came whose record begins at ``at``; what is in another second came never."""
        record = frames.record(at)
        assert record is not None
        head = record[0]
        return head[1] if head[0] == self.second else _NEVER


def _behind(frames: Frames, at: int) -> int:
    """Where the record ends that begins at ``at``."""
    record = frames.record(at)
    assert record is not None
    return record[2]
