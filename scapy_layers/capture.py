"""Writing a migration as a packet capture, with TCP segmentation of choice and what networks do to segments."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton
from struct import Struct
from typing import TYPE_CHECKING, Any

from scapy.utils import checksum

from xenmig.core.definitions import xl
from xenmig.scapy_layers.segments import Conversation, Network, cut
from xenmig.scapy_layers.stream import MigrationStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xenmig.scapy_layers.segments import Segment
    from xenmig.scapy_layers.stream import Writable

_PCAP = Struct("<IHHiIII")
_FRAME = Struct("<IIII")
_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_TCP = Struct(">HHIIBBHHH")
_MAGIC_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
_LARGEST_IP = 65535
START = 1_700_000_000_000_000_000
"When a capture begins unless it is said: nanoseconds since 1970."
RATE = 125_000_000
"Bytes a second unless it is said: a gigabit."


class CaptureRecipe:
    """How a stream is sent, and what the capture shows of it.

    ``CaptureRecipe(segment=1448, late=0.01, twice=0.01).write(path, stream)`` writes a pcap file with nanosecond time
    stamps, Ethernet frames, and checksums of IP. The same recipe writes the same bytes every time.
    """

    def __init__(
        self,
        *,
        segment: int | Iterable[int] = 1448,
        lost: float | Iterable[int] = 0,
        late: float | Iterable[int] = 0,
        swapped: float | Iterable[int] = 0,
        twice: float | Iterable[int] = 0,
        seed: int = 1,
        conversation: bool | None = None,
        source: tuple[str, int] = ("192.0.2.1", 49152),
        destination: tuple[str, int] = ("192.0.2.2", 8002),
        sequence: int = 1000,
        peer_sequence: int = 5000,
        handshake: bool = True,
        acknowledge_every: int = 8,
        start: int = START,
        rate: int = RATE,
        checksums: bool = False,
    ) -> None:
        """``segment`` is the payload of a segment in bytes, or sizes that are used in turn.

        ``lost``, ``late``, ``swapped``, ``twice`` and ``seed``: see :class:`~xenmig.scapy_layers.segments.Network`.
        ``conversation`` adds what the receiver of ``xl migrate`` says, and the sender's permission: by default, for
        streams that begin with xl's header. Addresses are IPv4 or IPv6; ``sequence`` is the first sequence number of
        the sender, for streams that wrap past 2**32. ``handshake`` leaves out SYN and FIN when it is False.
        ``checksums`` computes those of TCP, which takes as long as everything else together. Raises ValueError for
        segments that IP cannot carry and for addresses of different kinds.
        """
        self.sizes = (segment,) if isinstance(segment, int) else tuple(segment)
        self.version = 6 if ":" in source[0] else 4
        room = _LARGEST_IP - _TCP.size - (0 if self.version == 6 else _IPV4.size)
        if not self.sizes or min(self.sizes) < 1 or max(self.sizes) > room:
            raise ValueError(f"segments hold 1 to {room} bytes")
        if (":" in destination[0]) != (self.version == 6):
            raise ValueError("source and destination are both IPv4 or both IPv6")
        self.network: dict[str, Any] = {"lost": lost, "late": late, "swapped": swapped, "twice": twice, "seed": seed}
        self.conversation = conversation
        self.source = source
        self.destination = destination
        self.sequence = sequence
        self.peer_sequence = peer_sequence
        self.handshake = handshake
        self.acknowledge_every = acknowledge_every
        self.start = start
        self.rate = rate
        self.checksums = checksums

    def write(self, path: str | Writable, stream: Any) -> int:
        """Write ``stream`` (a MigrationStream, packets, a recipe, or bytes) as a capture; returns how many frames.

        Raises ValueError for the file from which the stream's guest memory is still to be read.
        """
        if isinstance(path, str):
            if isinstance(stream, MigrationStream):
                stream.check_target(path)
            with open(path, "wb") as file:
                return self.write(file, stream)
        path.write(_PCAP.pack(_MAGIC_NANOSECONDS, 2, 4, 0, 0, 262144, _ETHERNET))
        frames = 0
        for time, frame in self.frames(stream):
            seconds, fraction = divmod(time, 1_000_000_000)
            path.write(_FRAME.pack(seconds, fraction, len(frame), len(frame)))
            path.write(frame)
            frames += 1
        return frames

    def frames(self, stream: Any) -> Iterator[tuple[int, bytes]]:
        """The frames with their times, in nanoseconds since 1970; in constant memory."""
        envelope = _Envelope(self)
        time = self.start
        for segment in self.segments(stream):
            yield time, envelope.frame(segment)
            time += 1000 + len(segment.payload) * 1_000_000_000 // self.rate

    def packets(self, stream: Any) -> Iterator[Any]:
        """The frames as Scapy packets (``Ether / IP / TCP``), for small streams."""
        from scapy.layers.l2 import Ether
        from scapy.utils import EDecimal

        for time, frame in self.frames(stream):
            packet = Ether(frame)
            packet.time = EDecimal(time) / 1_000_000_000
            yield packet

    def segments(self, stream: Any) -> Iterator[Segment]:
        """The segments of both directions as the capture has them."""
        return Network(**self.network)(self._sent(stream))

    def _sent(self, stream: Any) -> Iterator[Segment]:
        pieces = iter(_pieces(stream))
        first = next(pieces, b"")
        talk = Conversation(self.sequence, self.peer_sequence, self.acknowledge_every)
        with_xl = first.startswith(xl.MAGIC) if self.conversation is None else self.conversation
        if self.handshake:
            yield from talk.open()
        if with_xl:
            yield from talk.say(False, [xl.BANNER.data])
        yield from talk.say(True, cut(_chained(first, pieces), self.sizes))
        if with_xl:
            yield from talk.say(False, [xl.READY.data])
            yield from talk.say(True, [xl.PERMISSION.data])
            yield from talk.say(False, [xl.REPORT.data, b"\0"])
        if self.handshake:
            yield from talk.close()


class _Envelope:
    """Puts segments into frames."""

    def __init__(self, recipe: CaptureRecipe) -> None:
        self.checksums = recipe.checksums
        self.version = recipe.version
        family = AF_INET if recipe.version == 4 else AF_INET6
        addresses = inet_pton(family, recipe.source[0]), inet_pton(family, recipe.destination[0])
        self.addresses = {True: addresses, False: addresses[::-1]}
        ports = recipe.source[1], recipe.destination[1]
        self.ports = {True: ports, False: ports[::-1]}
        ethertype = b"\x08\x00" if recipe.version == 4 else b"\x86\xdd"
        hosts = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"
        self.links = {True: hosts[1] + hosts[0] + ethertype, False: hosts[0] + hosts[1] + ethertype}
        self.identification = 0

    def frame(self, segment: Segment) -> bytes:
        """The Ethernet frame that carries a segment."""
        forth = segment.forth
        source, destination = self.addresses[forth]
        payload = segment.payload
        length = _TCP.size + len(payload)
        fields = (*self.ports[forth], segment.sequence, segment.acknowledgment, 5 << 4, segment.flags, 65535)
        tcp = _TCP.pack(*fields, 0, 0)
        if self.checksums:
            pseudo = source + destination + b"\0\0\0\6" + length.to_bytes(4, "big")
            tcp = _TCP.pack(*fields, checksum(pseudo + tcp + payload), 0)
        if self.version == 6:
            ip = _IPV6.pack(6 << 28, length, 6, 64, source, destination)
        else:
            self.identification = self.identification + 1 & 0xFFFF
            parts = (0x45, 0, _IPV4.size + length, self.identification, 0x4000, 64, 6)
            ip = _IPV4.pack(*parts, checksum(_IPV4.pack(*parts, 0, source, destination)), source, destination)
        return b"".join((self.links[forth], ip, tcp, payload))


def write_capture(path: str | Writable, stream: Any, **options: Any) -> int:
    """Write a stream as a capture; the options are those of :class:`CaptureRecipe`. Returns how many frames."""
    return CaptureRecipe(**options).write(path, stream)


def _pieces(stream: Any) -> Iterator[bytes]:
    if isinstance(stream, (bytes, bytearray)):
        yield bytes(stream)
    elif hasattr(stream, "pieces"):
        yield from stream.pieces()
    elif hasattr(stream, "stream"):
        yield from stream.stream().pieces()
    else:
        yield from MigrationStream([stream] if hasattr(stream, "fields_desc") else stream).pieces()


def _chained(first: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces
