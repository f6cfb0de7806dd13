"""Migrations among sniffed packets: a session that reassembles as the core does, and Scapy's own TCPSession."""

from __future__ import annotations

from collections import deque
from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING, Any, ClassVar

from scapy.config import conf
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet, Raw, bind_layers
from scapy.pton_ntop import inet_pton
from scapy.sessions import DefaultSession

from xenmig.core.decode.conversation import ConversationDecoder
from xenmig.core.decode.reading import Stream
from xenmig.core.decode.recognise import LONGEST, STREAMS, recognise
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.definitions import libxc
from xenmig.core.sources.interest import NEED_MORE
from xenmig.core.sources.notice import Notices
from xenmig.core.sources.reassembly import Reassembler
from xenmig.core.sources.segment import Segment
from xenmig.scapy_layers.dispatch import first_class
from xenmig.scapy_layers.from_events import PacketMaker
from xenmig.scapy_layers.packets import MigrationPacket
from xenmig.scapy_layers.regions import GoneRegion, HeldRegion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.supersocket import SuperSocket

    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.interest import NeedMore

_NANOSECONDS = 1_000_000_000
_TCP_HEADER = 20


class Migration(MigrationPacket):
    """The beginning of a migration: called with bytes, it makes a packet of the class for what they begin with.

    XlSave, LibvirtSave, LibxlHeader, LibxcImageHeader or XlMessage; Raw for anything else.
    """

    name = "migration"
    fields_desc: ClassVar[list[Any]] = []

    @classmethod
    def dispatch_hook(cls, _pkt: Any = None, *args: Any, **keywords: Any) -> type[Packet]:
        """The class for what begins with ``_pkt``."""
        return (first_class(bytes(_pkt)) or Raw) if _pkt else cls

    @classmethod
    def tcp_reassemble(cls, data: bytes, metadata: dict[str, Any], session: dict[str, Any]) -> Packet | None:
        """For Scapy's TCPSession: each header, record or message as soon as all of its bytes are there.

        Good for small captures and live traffic. TCPSession itself stops when sequence numbers pass 2**32 and fills
        lost segments with zeros (Scapy 2.8); :class:`MigrationSession` does neither.
        """
        # TCPSession forgets the metadata between two packets that one segment completes, and calls again at once.
        first = "ident" in metadata
        ident = session["xenmig ident"] = metadata.get("ident", session.get("xenmig ident", b""))
        feed = session.setdefault("xenmig", {}).setdefault(ident, _Feed())
        if first:
            feed.begin()
        else:
            feed.correct(metadata)
        return feed.take(data, metadata)  # type: ignore[no-any-return]


class MigrationSession(DefaultSession):
    """``sniff(offline="x.pcap", session=MigrationSession)``: the headers, records and messages of migrations.

    Reassembly is the core's. Other packets are left out, unless ``others`` is true. Guest memory is passed over: where
    it is wanted, use :class:`~xenmig.scapy_layers.reader.MigrationReader` on a capture, which is also 200 times faster.
    """

    def __init__(self, *args: Any, others: bool = False, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.others = others
        self.notices = Notices()
        self._frame = 0
        self._reassembler = Reassembler(self._consumer, 1, self.notices)
        self._makers: dict[int, PacketMaker] = {}
        self._ready: deque[Packet] = deque()

    def recv(self, sock: SuperSocket) -> Iterator[Packet]:
        """The packets that the next frame completes; sniff() calls this for every frame."""
        try:
            frame = sock.recv()
        except EOFError:
            self._reassembler.finish()
            yield from self._completed()
            raise
        if frame is not None:
            yield from self.packets(frame)

    def process(self, pkt: Packet) -> Packet | None:
        """The first packet that this frame completes, or that an earlier one has; None when there is none yet."""
        self._ready.extend(self.packets(pkt))
        return self._ready.popleft() if self._ready else None

    def packets(self, frame: Packet) -> Iterator[Packet]:
        """The packets that a frame completes."""
        self._frame += 1
        segment = self._segment(frame)
        if segment is not None:
            self._reassembler.segment(segment)
        yield from self._completed()
        if self.others and (segment is None or not segment.length):
            yield frame

    def _completed(self) -> Iterator[Packet]:
        output, self._reassembler.output = self._reassembler.output, []
        for direction, events in output:
            maker = self._makers.get(id(direction))
            if maker is None:
                continue
            for event in events:
                packet = maker.packet(event)
                if packet is not None:
                    yield packet

    def _segment(self, frame: Packet) -> Segment | None:
        tcp = frame.getlayer(TCP)
        if tcp is None or tcp.underlayer is None:
            return None
        ip = tcp.underlayer
        source, destination = _address(ip, "src"), _address(ip, "dst")
        if not source:
            return None
        header = bytes(tcp.original or tcp)[:_TCP_HEADER]
        payload = _payload(tcp, ip)
        seconds, _, fraction = f"{frame.time:.9f}".partition(".")
        head = (int(seconds), int(fraction), len(payload), len(payload))
        return Segment(
            source + destination + header[:4],
            int(tcp.seq),
            int(tcp.ack),
            int(tcp.flags),
            payload,
            0,
            len(payload),
            len(payload),
            self._frame,
            head,
        )

    def _consumer(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> Consumer | NeedMore | None:
        kind = recognise(prefix)
        if kind is None:
            return NEED_MORE
        decoder = _decoder(kind)
        if decoder is None:
            return None
        role = "sender" if kind in STREAMS else "receiver"
        stream = Stream(len(self._makers) + 1, kind, role, decoder, connection, direction)
        self._makers[id(direction)] = PacketMaker(stream, lambda at, length: GoneRegion("sniffed packets", at, length))
        return decoder  # type: ignore[no-any-return]


class _Feed:
    """One direction as TCPSession hands it over: each time all that has not been returned yet."""

    def __init__(self) -> None:
        self.maker: PacketMaker | None = None
        self.ready: deque[Packet] = deque()
        self.data = b""
        self.taken = 0
        "How many bytes of the direction have been returned as packets."
        self.fed = 0
        "How many the decoder has had."
        self.began = 0
        "How many had been returned when the segment came."
        self.sequence: int | None = None
        "Where the buffer began then, by TCPSession's count."

    def begin(self) -> None:
        """A segment has come."""
        self.sequence = None
        self.began = self.taken

    def correct(self, metadata: dict[str, Any]) -> None:
        """Put right where TCPSession thinks the buffer begins.

        Of several packets that one segment completes, Scapy 2.8 only subtracts the last (sessions.py,
        TCPSession.process): the next segment would be put behind a hole of zeros as long as the others.
        """
        relative = metadata.get("relative_seq")
        if relative is None:
            return
        if self.sequence is None:
            self.sequence = relative - (self.taken - self.began)
        metadata["relative_seq"] = self.sequence + self.taken - self.began

    def take(self, data: bytes, metadata: dict[str, Any]) -> Packet | None:
        """The first header, record or message in ``data``, with what follows as padding; None when it is incomplete."""
        if self.maker is None:
            kind = recognise(data[:LONGEST])
            if kind is None:
                return None
            decoder = _decoder(kind)
            if decoder is None:
                return Raw(data)
            self.maker = PacketMaker(Stream(1, kind, "sender", decoder), self._region)
        decoder = self.maker.stream.decoder
        self.data = data
        new = data[self.fed - self.taken :]
        decoder.feed(new, 0, len(new))
        self.fed += len(new)
        events, decoder.events = decoder.events, []
        for event in events:
            packet = self.maker.packet(event)
            if packet is not None:
                self.ready.append(packet)
        if not self.ready:
            # What is left to pass over, and not the record: the decoder passes over guest memory only.
            metadata["tcp_min_len"] = len(data) + min(decoder.skip, libxc.REC_LENGTH_MAX)
            return None
        packet = self.ready.popleft()
        where: Any = packet.where
        end = where.offset + where.length - self.taken
        self.taken += end
        rest = data[end:]
        if rest:
            packet.add_payload(conf.padding_layer(rest))
        return packet

    def _region(self, offset: int, length: int) -> HeldRegion:
        at = offset - self.taken
        return HeldRegion(memoryview(self.data)[at : at + length])


def _decoder(kind: str) -> Any:
    """What decodes a direction that begins as ``kind`` says; None for what is no migration."""
    if kind in STREAMS:
        return StreamDecoder(kind)
    return ConversationDecoder() if kind == "xl receiver" else None


def bind(port: int) -> None:
    """Have Scapy take TCP traffic to and from ``port`` for migrations.

    There is no port of xl's own (it goes through ssh, or whatever ``xl migrate -s`` says), so nothing is bound before
    somebody asks for it.
    """
    bind_layers(TCP, Migration, dport=port)
    bind_layers(TCP, Migration, sport=port)


def _address(ip: Any, name: str) -> bytes:
    if isinstance(ip, IP):
        return inet_pton(AF_INET, getattr(ip, name))
    if isinstance(ip, IPv6):
        return inet_pton(AF_INET6, getattr(ip, name))
    return b""


def _payload(tcp: Any, ip: Any) -> bytes:
    """The payload of a segment, without what Ethernet pads short frames with."""
    data = bytes(tcp.original or tcp)
    header = int(tcp.dataofs or 5) * 4
    whole = int(ip.len or 0) - int(ip.ihl or 5) * 4 if isinstance(ip, IP) else int(ip.plen or 0)
    length = whole - header
    return data[header : header + length] if length > 0 else b""
