"""TCP connections and their two directions, with what can be counted about each."""

from __future__ import annotations

from xenmig.core.sources.interest import Undecided
from xenmig.core.sources.packet import Packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.frames import Head
    from xenmig.core.sources.interest import ConsumerFactory
    from xenmig.core.sources.traffic.traffic import Traffic

_SECOND = 1_000_000_000
_LONG = 1 << 20
"Bytes of a direction after which what the other one may still say does not matter."


def reverse_key(key: bytes) -> bytes:
    """The key of the other direction."""
    size = len(key) // 2 - 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


class Endpoint:
    """An address and a port."""

    __slots__ = ("address", "port")

    address: str
    "In the usual text form, without brackets."
    port: int

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __repr__(self) -> str:
        return f"Endpoint({str(self)!r})"


def _text(address: bytes) -> str:
    if len(address) == 4:
        return ".".join(map(str, address))
    # The module takes longer to load than all else that shows a timeline: only where an address is of IPv6.
    from socket import AF_INET6, inet_ntop

    return inet_ntop(AF_INET6, address)


class Waiting:
    """A segment that came before the bytes in front of it."""

    __slots__ = ("place", "length", "data", "packet")

    def __init__(self, place: int, length: int, data: bytes, packet: Packet) -> None:
        self.place = place
        self.length = length
        self.data = data
        self.packet = packet


class Direction:
    """One direction of a connection. Positions count from 0 at the first byte known of it."""

    # fmt: off
    __slots__ = (
        "connection", "peer", "key", "consumer", "of_interest", "from_start", "segments", "retransmitted",
        "retransmitted_bytes", "out_of_order", "keep_alives", "holes", "missing", "fin", "rst", "first_payload",
        "ended", "start", "next", "last_frame", "last_head", "payload_frame", "payload_head", "waiting",
        "acknowledged", "acknowledged_time", "patience", "fin_place", "wire_bytes", "payload_wire_bytes",
    )
    # fmt: on

    connection: Connection
    peer: Direction
    "The other direction of the same connection."
    key: bytes
    "Source address, destination address, source port, destination port, as in the packets."
    consumer: Consumer
    "Where the bytes go. Its ``position`` is how far the direction has come."
    of_interest: bool
    "Whether the factory gave the consumer."
    from_start: bool
    "Whether position 0 is the first byte that the sender sent."
    wire_bytes: int
    """Bytes that this direction has put on the wire so far: whole frames as long as they were before capturing, with
    all headers, and every frame: SYN, acknowledgments without payload, retransmissions and keep-alives included."""
    segments: int
    "Segments with payload."
    retransmitted: int
    "Segments with payload of which at least one byte had been captured before, without keep-alives."
    retransmitted_bytes: int
    "Bytes that had been captured before."
    out_of_order: int
    """Segments with new payload that were captured after later payload: overtaken on the way, or sent again because the
    first one was lost before the place of capture. The bytes do not tell which. Together with ``retransmitted`` these
    are the segments that Wireshark, by their times, marks as retransmission or as out of order."""
    keep_alives: int
    "Segments that hold one byte, and that one had been there before."
    holes: int
    missing: int
    "Bytes in the holes."
    fin: Packet | None
    rst: Packet | None
    first_payload: Packet | None
    ended: bool
    "Whether no more payload is expected."

    start: int
    "Sequence number of position 0; -1 while it is not known."
    next: int
    "Sequence number of the next byte expected; -1 before it is known, and after the end."
    last_frame: int
    "Last frame, not counting those of payload that came in order."
    last_head: Head
    payload_frame: int
    "Last frame with payload; 0 if there was none."
    payload_head: Head
    payload_wire_bytes: int
    "What ``wire_bytes`` was with that frame."
    waiting: list[Waiting]
    "Ordered by place; empty unless a segment is missing."
    acknowledged: int
    "How far the peer is known to have received the bytes; looked at only while segments are waiting."
    acknowledged_time: int
    patience: int
    "Segments that came since the peer acknowledged bytes that have not been captured."
    fin_place: int
    "Position of the FIN; -1 if none was seen."

    def __init__(self, connection: Connection, key: bytes) -> None:
        self.connection = connection
        self.key = key
        self.of_interest = False
        self.from_start = False
        self.wire_bytes = 0
        self.segments = 0
        self.retransmitted = 0
        self.retransmitted_bytes = 0
        self.out_of_order = 0
        self.keep_alives = 0
        self.holes = 0
        self.missing = 0
        self.fin = None
        self.rst = None
        self.first_payload = None
        self.ended = False
        self.start = -1
        self.next = -1
        self.last_frame = 0
        self.last_head = (0, 0, 0, 0)
        self.payload_frame = 0
        self.payload_head = (0, 0, 0, 0)
        self.payload_wire_bytes = 0
        self.waiting = []
        self.acknowledged = -1
        self.acknowledged_time = 0
        self.patience = 0
        self.fin_place = -1

    def __repr__(self) -> str:
        return f"Direction({self.source} to {self.destination}, {self.length} bytes)"

    def decided(self, consumer: Consumer) -> None:
        """Put ``consumer`` in the place of the one that waited for the first bytes."""
        self.consumer = consumer
        self.of_interest = True
        self.connection.of_interest = True
        self.connection.watched = True

    @property
    def source(self) -> Endpoint:
        """Who sends."""
        return self._endpoint(0)

    @property
    def destination(self) -> Endpoint:
        """Who receives."""
        return self._endpoint(1)

    def _endpoint(self, side: int) -> Endpoint:
        key = self.key
        size = len(key) // 2 - 2
        port = key[2 * size + 2 * side : 2 * size + 2 * side + 2]
        return Endpoint(_text(key[side * size : (side + 1) * size]), int.from_bytes(port, "big"))

    @property
    def length(self) -> int:
        """How many bytes of the stream have come to pass, holes included."""
        return self.consumer.position

    @property
    def last_payload(self) -> Packet | None:
        """The last packet with payload."""
        if not self.payload_frame:
            return None
        return self.connection.packet(self.payload_frame, self.payload_head, self.payload_wire_bytes)

    @property
    def last(self) -> Packet | None:
        """The last packet, with payload or without."""
        if self.payload_frame > self.last_frame:
            return self.last_payload
        return self.connection.packet(self.last_frame, self.last_head, self.wire_bytes) if self.last_frame else None


class Connection:
    """A TCP connection, from its first captured packet to its last."""

    # fmt: off
    __slots__ = (
        "id", "first", "directions", "opener", "closed_first", "of_interest", "watched", "traffic", "reset_time",
        "_scale",
    )
    # fmt: on

    id: int
    "From 1, in the order of first packets, over all connections of the capture."
    first: Packet
    directions: tuple[Direction, Direction]
    "The first is the one whose packet was captured first."
    opener: Direction | None
    "The direction of the side that opened the connection; None when that was not captured."
    closed_first: Direction | None
    "The direction of the side that sent the first FIN or RST."
    of_interest: bool
    "Whether at least one direction is of interest."
    watched: bool
    "Whether its traffic is worth measuring: it is of interest, or known by name."
    traffic: Traffic | None
    "What was measured, if the capture was asked to and it was worth it."
    reset_time: int | None
    "When a RST was seen, in nanoseconds since 1970."

    def __init__(self, id: int, key: bytes, frame: int, head: Head, scale: int, factory: ConsumerFactory) -> None:
        """``key`` and ``frame`` are those of the first packet; ``scale`` is the reader's."""
        self._scale = scale
        self.id = id
        self.first = self.packet(frame, head, head[3])
        self.opener = None
        self.closed_first = None
        self.of_interest = False
        self.watched = False
        self.traffic = None
        self.reset_time = None
        forth = Direction(self, key)
        back = Direction(self, reverse_key(key))
        forth.peer = back
        back.peer = forth
        for direction in (forth, back):
            direction.consumer = Undecided(factory, direction)
        self.directions = (forth, back)

    def __repr__(self) -> str:
        forth = self.directions[0]
        return f"Connection({self.id}, {forth.source} and {forth.destination})"

    @property
    def last(self) -> Packet:
        """The last packet in either direction."""
        last = self.first
        for direction in self.directions:
            packet = direction.last
            if packet is not None and packet.frame > last.frame:
                last = packet
        return last

    @property
    def ended(self) -> bool:
        """Whether no more payload is expected in either direction."""
        return self.directions[0].ended and self.directions[1].ended

    @property
    def may_be_watched(self) -> bool:
        """Whether it is watched, or its first bytes have not told yet; not once one direction has gone on for long."""
        if self.watched:
            return True
        consumers = [direction.consumer for direction in self.directions]
        return any(isinstance(one, Undecided) for one in consumers) and all(one.position < _LONG for one in consumers)

    @property
    def half_known(self) -> bool:
        """Whether the beginning of one direction was captured and that of the other is still to be learned."""
        forth, back = self.directions
        return (forth.from_start and back.start < 0) or (back.from_start and forth.start < 0)

    def packet(self, frame: int, head: Head, wire_bytes: int) -> Packet:
        """The address of a frame of this connection, with what its direction had sent by then."""
        return Packet(frame, head[0] * _SECOND + head[1] * self._scale, wire_bytes)
