"""Measures the connections of a capture that are worth it, frame by frame."""

from __future__ import annotations

from itertools import repeat

from xenmig.core.sources.ip import TCP, datagram
from xenmig.core.sources.link import NAMES, network
from xenmig.core.sources.segment import SYN, segment
from xenmig.core.sources.traffic.flow import PAUSE
from xenmig.core.sources.traffic.layout import Layouts
from xenmig.core.sources.traffic.run import NO_LOOKS, NO_STATE, PSH, Run
from xenmig.core.sources.traffic.traffic import Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.connection import Connection
    from xenmig.core.sources.frames import Frames, Head
    from xenmig.core.sources.traffic.flow import Flow

MOST_METERED = 256
"Connections that are measured at a time; of more, those with the least payload are given up, migrations last."
MOST_KNOWN = 4096
"Directions of which it is remembered that they are not worth measuring."

_TCP_HEADER = 20
_SECOND = 1_000_000_000


class Meters:
    """Walks the windows of a capture behind the reassembly, which says what the connections are.

    What is found is left with the connections, as their ``traffic``.
    """

    __slots__ = ("_scale", "_find", "_plain", "_flows", "_connections", "_layouts", "_run", "_candidate", "_time")

    def __init__(self, scale: int, find: Callable[[bytes], Connection | None], *, plain: bool = False) -> None:
        """``scale`` is the reader's; ``find`` knows the connection that addresses and ports belong to at present.

        ``plain`` has every segment counted by itself, which is slower.
        """
        self._scale = scale
        self._find = find
        self._plain = plain
        # By addresses and ports; None for what is not worth measuring.
        self._flows: dict[bytes, tuple[Traffic, Flow] | None] = {}
        self._connections: dict[Traffic, Connection] = {}
        self._layouts = Layouts()
        self._run: Run | None = None
        # The direction, not that of the run, that had the last segment with payload.
        self._candidate: Flow | None = None
        self._time = 0

    def take(self, frames: Frames, before: int) -> None:
        """Walk a window; ``before`` frames came before it, and the reassembly has had them all."""
        if frames.link_type not in NAMES:
            return
        at = 0
        while at < len(frames.heads):
            at = self._scan(frames, at, before)
        self._time = max(self._time, self._nanoseconds(frames.heads[-1]))
        self._review()

    def finish(self) -> None:
        """The capture is over."""
        for traffic in self._connections:
            traffic.finish(self._time)

    def _nanoseconds(self, head: Head) -> int:
        return head[0] * _SECOND + head[1] * self._scale

    def _scan(self, frames: Frames, at: int, before: int) -> int:
        """Take frames from index ``at`` on, as long as they have one layout; returns the index of the next one.

        Bulk data costs no more than the comparisons of this loop: a segment that continues the run is counted, and so
        is an acknowledgment of more of it. Everything that could be worth a remark is left to _frame: waits, windows
        that are getting full, the end of a bin, a segment whose round trip is to be timed. A frame that has the bytes
        compared here in these places is one of the run, unless it was made up to look like one; it would spoil no
        numbers but its own connection's.
        """
        window, starts, heads = frames.window, frames.starts, frames.heads
        layout = self._layouts.layout
        # Short frames at the end of the window have no room for a whole header.
        safe = len(starts)
        while safe > at and starts[safe - 1] + layout.size > len(window):
            safe -= 1
        scale = self._scale
        pause = PAUSE // scale
        flows = self._flows

        # What the run's frames share, and how far it has come: see Looks and State.
        run = self._run
        looks, state = (run.looks, run.state(scale)) if run is not None else (NO_LOOKS, NO_STATE)
        run_front, run_key, run_tail, run_length, ack_front, ack_key, ack_sequence, ack_flags, shift, mss = looks
        run_next, received, limit, timed, timing, second, last, until, stop = state
        # What has been taken and not been counted yet: segments and acknowledgments, the fractions of the second in
        # which the last of each came, the last and the widest window, and the most bytes in flight.
        segments = acks = sent = acked = advertised = widest = peak = 0

        rows = map(layout.compare, repeat(window), starts[at:safe])
        for index, (front, key, sequence, tail), head in zip(range(at, safe), rows, heads[at:safe], strict=True):
            if (
                sequence == run_next
                and key == run_key
                and front == run_front
                and tail | PSH == run_tail
                and head[0] == second
                and last <= head[1] < until
            ):
                reached = sequence + run_length
                if reached <= limit and reached <= timing:
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
                room = acknowledgment + ((tail & 0xFFFF) << shift) - mss
                if room >= run_next:
                    if run_next - received > peak:
                        peak = run_next - received
                    received = acknowledgment
                    limit = room
                    advertised = tail & 0xFFFF
                    if advertised > widest:
                        widest = advertised
                    acks += 1
                    acked = last = head[1]
                    until = last + pause
                    if until > stop:
                        until = stop
                    continue

            if flows.get(key, flows) is None:
                # Not worth measuring.
                continue
            if run is not None and (segments or acks):
                run.count(segments, sent, acks, acked, run_next, received, peak, widest, advertised)
                self._candidate = None
                segments = acks = widest = peak = 0
            found = self._frame(frames, index, before + index + 1)
            if self._layouts.layout is not layout:
                self._run = None
                return index + 1
            if found is None:
                continue
            # Otherwise the frame has another layout: what was compared is something else.
            fits = flows.get(key) == found[:2]
            if (fits and self._choose(found, front, key, sequence, tail, head)) or (run and found[0] is run.traffic):
                run = self._run
                looks, state = (run.looks, run.state(scale)) if run is not None else (NO_LOOKS, NO_STATE)
                run_front, run_key, run_tail, run_length, ack_front, ack_key, ack_sequence, ack_flags, shift, mss = (
                    looks
                )
                run_next, received, limit, timed, timing, second, last, until, stop = state

        if run is not None and (segments or acks):
            run.count(segments, sent, acks, acked, run_next, received, peak, widest, advertised)
            self._candidate = None
        for index in range(safe, len(starts)):
            self._frame(frames, index, before + index + 1)
        return len(starts)

    def _choose(
        self, found: tuple[Traffic, Flow, int], front: bytes, key: bytes, sequence: int, tail: int, head: Head
    ) -> bool:
        """Let the frame just taken begin the run or change it; returns whether there is anything new about the run."""
        traffic, flow, length = found
        run = self._run
        if self._plain:
            return False
        if run is None or (length and flow is not run.flow and flow is self._candidate):
            if length:
                self._run = Run(traffic, flow, front, key, tail, length, head[3])
                self._candidate = None
            return length > 0
        if traffic is not run.traffic:
            if length:
                self._candidate = flow
            return False
        if flow is run.flow:
            if length:
                run.continued(front, tail, length, head[3])
        elif length:
            self._candidate = flow
        else:
            run.acknowledged(front, sequence, tail, head[3])
        return True

    def _frame(self, frames: Frames, index: int, number: int) -> tuple[Traffic, Flow, int] | None:
        """Take any frame; returns whose it is and how much payload it has, and None if it is not to be measured."""
        window, start, head = frames.window, frames.starts[index], frames.heads[index]
        layout = self._layouts.layout
        captured = head[2]
        time = self._nanoseconds(head)
        wire = max(captured, head[3])
        if captured >= layout.size:
            link, version, total, fragment, protocol, key, sequence, acknowledgment, offset, flags, size = layout.read(
                window, start
            )
            usual_link, usual_version, overhead, reach = layout.usual
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
                traffic.segment(flow, sequence, acknowledgment, flags, size, length, time, wire)
                return traffic, flow, length
        end = start + captured
        version, position, link_start, link_end = network(frames.link_type, window, start, end)
        if not version:
            return None
        ip = datagram(version, window, position, end, start + wire)
        if ip.protocol != TCP:
            return None
        if ip.plain:
            self._layouts.met(version, position - start, link_start - start, window[link_start:link_end])
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
        connection = self._find(key)
        # What the reassembly does not know any more has been forgotten within this window, or never was a connection.
        if connection is None or connection.first.frame > number:
            return None
        if connection.traffic is not None or not connection.may_be_watched:
            self._flows[key] = None
            return None
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
        """Give up the connections that turned out to be of no interest, and some of those that are too many."""
        connections = self._connections
        for traffic in [one for one, connection in connections.items() if not connection.may_be_watched]:
            self._forget(traffic)
        if len(connections) > MOST_METERED:
            ranked = sorted(connections, key=self._worth)
            for traffic in ranked[: len(ranked) - MOST_METERED // 2]:
                self._forget(traffic)
        if len(self._flows) > MOST_KNOWN:
            self._flows = {key: found for key, found in self._flows.items() if found is not None}

    def _worth(self, traffic: Traffic) -> tuple[bool, bool, int]:
        connection = self._connections[traffic]
        return connection.of_interest, connection.watched, traffic.payload_bytes
