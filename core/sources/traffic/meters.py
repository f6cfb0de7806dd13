"""Measures the connections of a capture that are worth it, frame by frame."""

from __future__ import annotations

from struct import Struct

from xenmig.core.sources.ip import TCP, datagram
from xenmig.core.sources.link import NAMES, network
from xenmig.core.sources.segment import SYN, segment
from xenmig.core.sources.traffic.answers import Answers
from xenmig.core.sources.traffic.flow import PAUSE
from xenmig.core.sources.traffic.run import NO_LOOKS, NO_STATE, PSH, Run, comparison
from xenmig.core.sources.traffic.traffic import Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.connection import Connection
    from xenmig.core.sources.frames import Frames, Head, Lead
    from xenmig.core.sources.repetition import Repetition
    from xenmig.core.sources.shape import Habit, Shape
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.run import Comparison

MOST_METERED = 128
"Connections that are measured at a time; of more, half are given up: those with the least payload, migrations last."
MOST_KNOWN = 2048
"Directions of which it is remembered that they are not worth measuring."

FEW = 8
SETBACK = 32
"Groups to wait, when so few could be counted at once, before it is tried again."

_TCP_HEADER = 20
_REST = Struct(">I2xH").unpack_from
"Acknowledgment number and window."
_SECOND = 1_000_000_000
_NEVER = 1 << 62


class Meters:
    """Walks the windows of a capture behind the reassembly, which says what the connections are.

    What is found is left with the connections, as their ``traffic``.
    """

    # fmt: off
    __slots__ = (
        "_scale", "_habit", "_find", "_plain", "_flows", "_connections", "_shape", "_compare", "_run", "_candidate",
        "_time",
    )
    # fmt: on

    def __init__(
        self, scale: int, habit: Habit, find: Callable[[bytes, int], Connection | None], *, plain: bool = False
    ) -> None:
        """``scale`` is the reader's; ``habit`` knows the shape of most frames, and ``find`` the connection that
        a frame belongs to, by its addresses and ports and its number.

        ``plain`` has every segment counted by itself, which is slower.
        """
        self._scale = scale
        self._habit = habit
        self._find = find
        self._plain = plain
        # By addresses and ports; None for what is not worth measuring.
        self._flows: dict[bytes, tuple[Traffic, Flow] | None] = {}
        self._connections: dict[Traffic, Connection] = {}
        self._shape: Shape | None = None
        self._compare: Comparison | None = None
        self._run: Run | None = None
        # The direction, not that of the run, that had the last segment with payload.
        self._candidate: Flow | None = None
        self._time = 0

    def take(self, frames: Frames, before: int) -> None:
        """Walk a window; ``before`` frames came before it, and the reassembly has had them all."""
        if frames.link_type not in NAMES:
            return
        if self._plain or frames.lead is None:
            for number, (start, head) in enumerate(zip(frames.starts, frames.heads, strict=True), before + 1):
                self._frame(frames, start, head, number)
            # What was compared may not go on any more.
            self._run = None
        else:
            self._scan(frames, before, frames.lead)
        self._time = max(self._time, self._nanoseconds(frames.last))
        self._review()

    def finish(self) -> None:
        """The capture is over."""
        for traffic in self._connections:
            traffic.finish(self._time)

    def _nanoseconds(self, head: Head) -> int:
        return head[0] * _SECOND + head[1] * self._scale

    def _scan(self, frames: Frames, number: int, lead: Lead) -> None:
        """Take frames, the last one before which was ``number``.

        Bulk data costs no more than the comparisons of this loop: a segment that continues the run is counted, and so
        is an acknowledgment of more of it, and what whoever walked before has found to repeat is counted by columns
        (see repetition.py). Everything that could be worth a remark is left to _frame: waits, windows that are getting
        full and, outside of what repeats, the end of a bin and a segment whose round trip is to be timed. A frame that
        has the bytes compared here in these places is one of the run, unless it was made up to look like one; it would
        spoil no numbers but its own connection's.
        """
        window, record, limit, position = frames.window, frames.record, frames.limit, frames.position
        shape = self._habit.shape
        if self._compare is None or shape is not self._shape:
            self._shape, self._run = shape, None
            self._compare = comparison(shape, lead)
        compare, size = self._compare, shape.size
        scale = self._scale
        pause = PAUSE // scale
        flows = self._flows

        # What the run's frames share, and how far it has come: see Looks and State.
        run = self._run
        looks, state = (run.looks, run.state(scale)) if run is not None else (NO_LOOKS, NO_STATE)
        run_front, run_key, run_tail, run_length, ack_front, ack_key, ack_sequence, ack_flags, shift, mss = looks
        run_next, received, room, timed, timing, second, last, until, stop = state
        # What has been taken and not been counted yet: acknowledgments, and segments, of which the last came in that
        # fraction of the second.
        answers = Answers()
        segments = sent = 0
        # The next groups that repeat, and where the first of them begins that is still to come.
        repetition, repeated = _repeated(frames, position)

        while True:
            if position == repeated and repetition is not None:
                if run is not None and run_next >= 0:
                    if segments or answers.count:
                        self._count(run, segments, sent, run_next, answers)
                        answers, segments = Answers(), 0
                    self._candidate = None
                    more = run.groups(frames, shape, compare, repetition, position)
                    number += more * (repetition.segments + 1)
                    position += more * repetition.size
                    run_next, received, room, timed, timing, second, last, until, stop = run.state(scale)
                    # Where little is gained, the rest of them is taken one by one for a while.
                    setback = 0 if more >= FEW else SETBACK * repetition.size
                else:
                    setback = repetition.size
                repetition, repeated = _repeated(frames, position + setback)
                continue
            found = record(position)
            if found is None:
                break
            head, start, after = found
            number += 1
            at, position = position, after
            if at + size <= limit:
                front, key, sequence, tail = compare(window, at)
                if (
                    sequence == run_next
                    and key == run_key
                    and front == run_front
                    and tail | PSH == run_tail
                    and head[0] == second
                    and last <= head[1] < until
                ):
                    reached = sequence + run_length
                    if reached <= room and reached <= timing:
                        run_next = reached
                        segments += 1
                        sent = last = head[1]
                        until = last + pause
                        if until > stop:
                            until = stop
                        continue
                elif (
                    key == ack_key
                    and sequence == ack_sequence
                    and received < (acknowledgment := tail >> 32) <= run_next
                    and front == ack_front
                    and tail >> 16 & 0xFFFF == ack_flags
                    and acknowledgment < timed
                    and head[0] == second
                    and last <= head[1] < until
                ):
                    advertised = tail & 0xFFFF
                    least = acknowledgment + (advertised << shift) - mss
                    if least >= run_next:
                        if run_next - received > answers.peak:
                            answers.peak = run_next - received
                        answers.received = received = acknowledgment
                        room = least
                        answers.window = advertised
                        if advertised > answers.widest:
                            answers.widest = advertised
                        if least + mss > answers.farthest:
                            answers.farthest = least + mss
                        answers.count += 1
                        answers.time = last = head[1]
                        until = last + pause
                        if until > stop:
                            until = stop
                        continue
                if flows.get(key, flows) is None:
                    # Not worth measuring.
                    continue

            if run is not None and (segments or answers.count):
                self._count(run, segments, sent, run_next, answers)
                answers, segments = Answers(), 0
            taken = self._frame(frames, start, head, number)
            if taken is None:
                continue
            if at + size <= limit and flows.get(key) == taken[:2]:
                # Otherwise the frame has another layout: what was compared is something else.
                self._choose(taken, front, key, sequence, tail, head)
            if self._run is not run or (run is not None and taken[0] is run.traffic):
                run = self._run
                looks, state = (run.looks, run.state(scale)) if run is not None else (NO_LOOKS, NO_STATE)
                run_front, run_key, run_tail, run_length, ack_front, ack_key, ack_sequence, ack_flags, shift, mss = (
                    looks
                )
                run_next, received, room, timed, timing, second, last, until, stop = state

        if run is not None and (segments or answers.count):
            self._count(run, segments, sent, run_next, answers)

    def _count(self, run: Run, segments: int, sent: int, next: int, answers: Answers) -> None:
        """Count what continued the run; see :meth:`Run.sent`."""
        if segments:
            run.sent(segments, sent, next)
        if answers.count:
            run.answered(answers)
        self._candidate = None

    def _choose(
        self, taken: tuple[Traffic, Flow, int], front: bytes, key: bytes, sequence: int, tail: int, head: Head
    ) -> None:
        """Let the frame just taken begin the run or change what it looks like."""
        traffic, flow, length = taken
        run = self._run
        if run is None or (length and flow is not run.flow and flow is self._candidate):
            if length:
                self._run = Run(traffic, flow, front, key, tail, length, head[3], head[0])
                self._candidate = None
            return
        if flow is not run.flow and length:
            # Twice in a row, with nothing of the run between, and the run is its.
            self._candidate = flow
        if traffic is run.traffic:
            run.second = head[0]
            if flow is run.flow:
                run.continued(front, tail, length, head[3])
            elif not length:
                run.acknowledged(front, sequence, tail, head[3])

    def _frame(self, frames: Frames, start: int, head: Head, number: int) -> tuple[Traffic, Flow, int] | None:
        """Take any frame; returns whose it is and how much payload it has, and None if it is not to be measured."""
        window = frames.window
        captured = head[2]
        time = self._nanoseconds(head)
        wire = max(captured, head[3])
        shape = self._habit.shape
        lead = frames.lead
        if lead is not None and captured + lead.size >= shape.size:
            at = start - lead.size
            link, version, total, fragment, protocol, key, sequence, offset, flags = shape.read(window, at)
            usual_link, usual_version, overhead, reach, _ = shape.usual
            length = total - overhead - (offset >> 2 & 60)
            if (
                protocol == TCP
                and version == usual_version
                and link == usual_link
                # Not a fragment; may or may not be fragmented on its way. IPv6 has b"" here.
                and (fragment == 0x4000 or not fragment)
                and not flags & SYN
                and offset >= 0x50
                and length >= 0
                and total + reach <= wire
            ):
                found = self._flows.get(key) or self._open(key, flags, number, time)
                if found is None:
                    return None
                traffic, flow = found
                acknowledgment, size = _REST(window, at + shape.sequence + 4)
                traffic.segment(flow, sequence, acknowledgment, flags, size, length, time, wire)
                return traffic, flow, length
        end = start + captured
        version, position, _, _ = network(frames.link_type, window, start, end)
        if not version:
            return None
        ip = datagram(version, window, position, end, start + wire)
        if ip.protocol != TCP:
            return None
        taken = segment(window, ip, end, number, head)
        if taken is None or ip.start + _TCP_HEADER > end:
            return None
        found = self._flows.get(taken.key)
        flags = taken.flags
        if flags & SYN and found is not None and found[0].opens_again(found[1], taken.sequence):
            self._forget(found[0])
            found = None
        found = found or self._open(taken.key, flags, number, time)
        if found is None:
            return None
        traffic, flow = found
        size = window[ip.start + 14] << 8 | window[ip.start + 15]
        options = window[ip.start + _TCP_HEADER : taken.start] if flags & SYN else b""
        traffic.segment(flow, taken.sequence, taken.acknowledgment, flags, size, taken.length, time, wire, options)
        return traffic, flow, taken.length

    def _open(self, key: bytes, flags: int, number: int, time: int) -> tuple[Traffic, Flow] | None:
        """The first frame of a connection, or one of those that are not measured."""
        if key in self._flows and not flags & SYN:
            return None
        connection = self._find(key, number)
        if connection is None:
            return None
        if connection.traffic is not None or not connection.may_be_watched:
            self._flows[key] = None
            return None
        if len(self._connections) >= MOST_METERED:
            self._give_up()
        forth, back = connection.directions
        traffic = Traffic(forth.key, time)
        connection.traffic = traffic
        self._connections[traffic] = connection
        self._flows[forth.key] = (traffic, traffic.flows[0])
        self._flows[back.key] = (traffic, traffic.flows[1])
        return self._flows[key]

    def _forget(self, traffic: Traffic) -> None:
        """Measure no more of it; what is known is left with its connection if that is worth it."""
        connection = self._connections.pop(traffic)
        traffic.finish(traffic.time)
        if not connection.watched:
            connection.traffic = None
        for direction in connection.directions:
            found = self._flows.get(direction.key)
            if found is not None and found[0] is traffic:
                self._flows[direction.key] = None
        if self._run is not None and self._run.traffic is traffic:
            self._run = None
        self._candidate = None

    def _review(self) -> None:
        """Give up the connections that turned out to be of no interest."""
        connections = self._connections
        for traffic in [one for one, connection in connections.items() if not connection.may_be_watched]:
            self._forget(traffic)
        if len(self._flows) > MOST_KNOWN:
            for key in [key for key, found in self._flows.items() if found is None]:
                del self._flows[key]

    def _give_up(self) -> None:
        """Make room for other connections."""
        for traffic in sorted(self._connections, key=self._worth)[: MOST_METERED // 2]:
            self._forget(traffic)

    def _worth(self, traffic: Traffic) -> tuple[bool, bool, int]:
        connection = self._connections[traffic]
        return connection.of_interest, connection.watched, traffic.payload_bytes


def _repeated(frames: Frames, position: int) -> tuple[Repetition | None, int]:
    """The next groups that repeat, from ``position`` on, and where the first of them begins there."""
    for repetition in frames.repetitions:
        at = max(repetition.at, position)
        at += (repetition.at - at) % repetition.size
        if at < repetition.end:
            return repetition, at
    return None, _NEVER
