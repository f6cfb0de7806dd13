"""TCP reassembly: segments in, contiguous bytes of every direction out (RFC 9293).

What has been delivered is never taken back: of bytes that come twice with different content the first count, as they
did for the receiver. A missing segment is waited for until it is clear that it will not come: the other side has
acknowledged it (and a while has passed, since captures of several processors mix up the order), too much is waiting,
or the connection is over. Then the consumer is told of a hole.
"""

from __future__ import annotations

from bisect import bisect_right

from xenmig.core.sources.connection import Waiting
from xenmig.core.sources.interest import Uninterested
from xenmig.core.sources.segment import ACK, FIN, RST
from xenmig.core.sources.tracking import Tracking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.interest import ConsumerFactory
    from xenmig.core.sources.notice import Notices
    from xenmig.core.sources.packet import Packet
    from xenmig.core.sources.segment import Segment

WAITING_BYTES = 12 << 20
"Most bytes waiting for a missing segment, over all connections."
WAITING_SEGMENTS = 4096
"Most segments waiting, over all connections."
PATIENCE_SEGMENTS = 16
"After an acknowledgment of bytes that have not been captured, this many more segments may come before them."
PATIENCE_TIME = 500_000_000
"The same in nanoseconds, for connections that fall silent."
LINGER = 2_000_000_000
"Nanoseconds after a RST during which payload is still accepted: it may have been captured in the wrong order."

_HALF = 1 << 31
RST_WINDOW = 1 << 26
"A RST whose sequence number is further from what was sent is of another connection."


def sequence_distance(sequence: int, reference: int) -> int:
    """How far ``sequence`` lies behind (negative) or ahead of ``reference``, modulo 2**32."""
    return ((sequence - reference + _HALF) & 0xFFFFFFFF) - _HALF


class Reassembler:
    """Puts the segments of all connections in order and drives their consumers."""

    __slots__ = (
        "steady",
        "output",
        "tracking",
        "_scale",
        "_waiting",
        "_waiting_bytes",
        "_waiting_segments",
        "_lingering",
    )

    steady: dict[bytes, Direction]
    """Directions of connections in which nothing is waiting: of these, a segment without SYN, FIN and RST needs no
    more than a look at its sequence number if it has payload, and none if it has not."""
    output: list[tuple[Direction, list[Any]]]
    "Events that have not been taken yet, in the order of the capture."
    tracking: Tracking

    def __init__(self, factory: ConsumerFactory, scale: int, notices: Notices) -> None:
        """``scale`` is the number of nanoseconds in one unit of the fraction in the heads of frames."""
        self.steady = {}
        self.output = []
        self.tracking = Tracking(factory, scale, notices, self._close)
        self._scale = scale
        self._waiting: dict[Direction, None] = {}
        self._waiting_bytes = 0
        self._waiting_segments = 0
        self._lingering: list[Connection] = []

    def segment(self, segment: Segment) -> None:
        """Take any segment, the usual and the unusual."""
        direction = self.tracking.direction(segment)
        if direction is None:
            return
        connection = direction.connection
        direction.last_frame = segment.frame
        direction.last_head = segment.head
        direction.wire_bytes = segment.wire_bytes = direction.wire_bytes + segment.head[3]
        flags = segment.flags
        peer = direction.peer
        if flags & RST:
            self._reset(direction, segment)
        elif connection.reset_time is not None and self._time(segment) > connection.reset_time + LINGER:
            self._close(connection)
        if flags & ACK and peer.waiting:
            self._acknowledge(peer, segment)
        if segment.length:
            self._payload(direction, segment)
        if flags & FIN and not direction.ended:
            self._fin(direction, segment)
        if direction.waiting:
            self._judge(direction, segment)
        if peer.waiting:
            self._judge(peer, segment)
        if direction.waiting or peer.waiting or connection.reset_time is not None or connection.half_known:
            self.steady.pop(direction.key, None)
            self.steady.pop(peer.key, None)
        else:
            self.steady[direction.key] = direction
            self.steady[peer.key] = peer

    def deliver(self, direction: Direction, data: bytes, start: int, end: int, packet: Packet) -> None:
        """Hand ``data[start:end]``, the next bytes of the direction, to its consumer."""
        consumer = direction.consumer
        consumer.packet = packet
        skip = consumer.skip
        if skip:
            if skip > end - start:
                skip = end - start
            consumer.passed(skip)
            start += skip
        if start < end:
            consumer.feed(data, start, end)
        self._take(direction)

    def tick(self, time: int) -> None:
        """A window is over: close what was reset longer ago than late segments need. ``time`` is that of the newest
        frame.
        """
        self.tracking.pass_window()
        if self._lingering:
            for connection in self._lingering:
                if connection.reset_time is not None and time > connection.reset_time + LINGER:
                    self._close(connection)
            self._lingering = [connection for connection in self._lingering if not connection.ended]

    def finish(self) -> None:
        """End all directions: the capture is over."""
        for connection in self.tracking.all():
            self._close(connection)

    def _time(self, segment: Segment) -> int:
        return segment.head[0] * 1_000_000_000 + segment.head[1] * self._scale

    def _payload(self, direction: Direction, segment: Segment) -> None:
        if direction.start < 0:
            direction.start = direction.next = segment.sequence
        length = segment.length
        packet = direction.connection.packet(segment.frame, segment.head, segment.wire_bytes)
        if direction.first_payload is None:
            direction.first_payload = packet
        direction.payload_frame = segment.frame
        direction.payload_head = segment.head
        direction.payload_wire_bytes = segment.wire_bytes
        direction.segments += 1
        if direction.ended:
            direction.retransmitted += 1
            direction.retransmitted_bytes += length
            return
        distance = sequence_distance(segment.sequence, direction.next)
        consumer = direction.consumer
        if distance > 0:
            if isinstance(consumer, Uninterested):
                # Not worth waiting for.
                consumer.hole(distance)
                direction.next = segment.sequence
            else:
                self._wait(direction, consumer.position + distance, segment, packet)
                return
        elif distance < 0:
            if length == 1 and distance == -1:
                direction.keep_alives += 1
            else:
                direction.retransmitted += 1
                direction.retransmitted_bytes += min(length, -distance)
            if length <= -distance:
                return
        if direction.waiting:
            direction.out_of_order += 1
        self._advance(direction, segment.data, segment.start, segment.end, length, max(0, -distance), packet)
        if direction.waiting:
            self._drain(direction)

    def _advance(
        self, direction: Direction, data: bytes, start: int, end: int, length: int, old: int, packet: Packet
    ) -> None:
        """Deliver a segment of ``length`` bytes: ``data[start:end]`` was captured, the first ``old`` are not new."""
        direction.next = (direction.next + length - old) & 0xFFFFFFFF
        present = end - start
        if old < present:
            self.deliver(direction, data, start + old, end, packet)
            old = present
        if old < length:
            self._hole(direction, length - old, packet)

    def _hole(self, direction: Direction, count: int, packet: Packet) -> None:
        direction.holes += 1
        direction.missing += count
        direction.consumer.packet = packet
        direction.consumer.hole(count)
        self._take(direction)

    def _take(self, direction: Direction) -> None:
        consumer = direction.consumer
        events = consumer.events
        if events:
            consumer.events = []
            output = self.output
            if output and output[-1][0] is direction:
                output[-1][1].extend(events)
            else:
                output.append((direction, events))

    def _wait(self, direction: Direction, place: int, segment: Segment, packet: Packet) -> None:
        waiting = direction.waiting
        index = bisect_right(waiting, place, key=_place) if waiting else 0
        before = waiting[index - 1] if index else None
        if before is not None and segment.length and place + segment.length <= before.place + len(before.data):
            direction.retransmitted += 1
            direction.retransmitted_bytes += segment.length
            return
        if index < len(waiting) and segment.length:
            direction.out_of_order += 1
        data = segment.data[segment.start : segment.end]
        waiting.insert(index, Waiting(place, segment.length, data, packet))
        if len(waiting) == 1:
            self._waiting[direction] = None
            direction.acknowledged = -1
        direction.patience += 1
        self._waiting_segments += 1
        self._waiting_bytes += len(data)
        while self._waiting_bytes > WAITING_BYTES or self._waiting_segments > WAITING_SEGMENTS:
            # The oldest gap is the least likely to be filled.
            self._give_up(next(iter(self._waiting)))

    def _give_up(self, direction: Direction, limit: int | None = None) -> None:
        """Call the bytes before the first segment that waits a hole, but no more of them than up to ``limit``."""
        first = direction.waiting[0]
        place = first.place if limit is None else min(first.place, limit)
        gap = place - direction.consumer.position
        direction.next = (direction.next + gap) & 0xFFFFFFFF
        self._hole(direction, gap, first.packet)
        self._drain(direction)

    def _drain(self, direction: Direction) -> None:
        """Deliver what was waiting and is next."""
        waiting = direction.waiting
        used = 0
        for segment in waiting:
            old = direction.consumer.position - segment.place
            if old < 0:
                break
            used += 1
            self._waiting_bytes -= len(segment.data)
            if old and segment.length:
                direction.retransmitted += 1
                direction.retransmitted_bytes += min(old, segment.length)
            if old < segment.length:
                self._advance(direction, segment.data, 0, len(segment.data), segment.length, old, segment.packet)
        del waiting[:used]
        self._waiting_segments -= used
        if not waiting:
            direction.patience = 0
            self._waiting.pop(direction, None)
        if direction.fin_place >= 0 and direction.consumer.position >= direction.fin_place:
            self._end(direction)

    def _acknowledge(self, direction: Direction, segment: Segment) -> None:
        """Note how far ``direction`` has been received, by an acknowledgment that its peer sent."""
        position = direction.consumer.position
        place = position + sequence_distance(segment.acknowledgment, direction.next)
        if place > position and place > direction.acknowledged:
            if direction.acknowledged <= position:
                direction.patience = 0
                direction.acknowledged_time = self._time(segment)
            direction.acknowledged = place

    def _judge(self, direction: Direction, segment: Segment) -> None:
        """Give up on bytes that the peer has but the capture has not."""
        if direction.acknowledged > direction.consumer.position and (
            direction.patience >= PATIENCE_SEGMENTS
            or self._time(segment) >= direction.acknowledged_time + PATIENCE_TIME
        ):
            while direction.waiting and direction.acknowledged > direction.consumer.position:
                self._give_up(direction, direction.acknowledged)

    def _fin(self, direction: Direction, segment: Segment) -> None:
        connection = direction.connection
        if direction.start < 0:
            direction.start = direction.next = segment.sequence
        packet = connection.packet(segment.frame, segment.head, segment.wire_bytes)
        if direction.fin is None:
            direction.fin = packet
        if connection.closed_first is None:
            connection.closed_first = direction
        end = segment.sequence + segment.length
        position = direction.consumer.position
        distance = sequence_distance(end, direction.next)
        if distance < 0 and direction.segments:
            # A FIN before bytes that were sent is a retransmission of the impossible.
            return
        if distance <= 0 or isinstance(direction.consumer, Uninterested):
            direction.fin_place = position + distance
            self._end(direction)
        elif direction.fin_place < 0:
            direction.fin_place = position + distance
            # The FIN waits for the payload before it like any segment would.
            segment.length = 0
            segment.start = segment.end
            self._wait(direction, direction.fin_place, segment, packet)

    def _reset(self, direction: Direction, segment: Segment) -> None:
        connection = direction.connection
        if direction.next >= 0 and abs(sequence_distance(segment.sequence, direction.next)) > RST_WINDOW:
            return
        if direction.rst is None:
            direction.rst = connection.packet(segment.frame, segment.head, segment.wire_bytes)
        if connection.closed_first is None:
            connection.closed_first = direction
        if connection.reset_time is None:
            connection.reset_time = self._time(segment)
            if connection.of_interest:
                self._lingering.append(connection)

    def _end(self, direction: Direction) -> None:
        """No more bytes will come in this direction."""
        if direction.ended:
            return
        direction.ended = True
        direction.next = -1
        for segment in direction.waiting:
            self._waiting_bytes -= len(segment.data)
        self._waiting_segments -= len(direction.waiting)
        self._waiting.pop(direction, None)
        direction.waiting.clear()
        # Of bytes that were passed over, the consumer was not told the packets.
        direction.consumer.packet = direction.fin or direction.last_payload or direction.consumer.packet
        direction.consumer.end()
        self._take(direction)

    def _close(self, connection: Connection) -> None:
        """End both directions, with holes where bytes are missing."""
        for direction in connection.directions:
            while direction.waiting and not direction.ended:
                self._give_up(direction)
            self._end(direction)
            self.steady.pop(direction.key, None)


def _place(waiting: Waiting) -> int:
    return waiting.place
