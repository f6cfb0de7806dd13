"""A whole migration stream as a list of packets: composed, read, changed and written."""

from __future__ import annotations

from os.path import exists, samefile
from typing import TYPE_CHECKING, Any, Protocol

from scapy.packet import NoPayload, Packet, Raw

from xenmig.scapy_layers.headers import WrappedPacket, WrapperPacket
from xenmig.scapy_layers.messages import XlMessage
from xenmig.scapy_layers.packets import HeaderPacket, MigrationPacket
from xenmig.scapy_layers.pages import Pages
from xenmig.scapy_layers.records import PageRecord
from xenmig.scapy_layers.selection import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Writable(Protocol):
    """What a stream can be written to: a file, a pipe, a compressor."""

    def write(self, data: bytes, /) -> Any:
        """Take all of ``data``."""


class MigrationStream(list[Packet]):
    """Headers and records in the order of the stream.

    Made from packets, from stacks of packets (``XlSave() / LibxlHeader() / ...``), from other streams, or from bytes
    with :meth:`dissect`. It is a list: take, put in, leave out and change what you like, then :meth:`write` it.
    """

    def __init__(self, packets: Iterable[Any] = (), *, name: str = "") -> None:
        """Packets and stacks are taken as they are, not copied: changing them changes the stream."""
        super().__init__()
        self.name = name
        for packet in packets:
            self.add(packet)

    def add(self, packet: Any) -> MigrationStream:
        """Put a packet, stack, stream or bytes at the end. Returns the stream."""
        if isinstance(packet, (bytes, bytearray)):
            self.append(Raw(bytes(packet)))
        elif isinstance(packet, Packet):
            self.extend(layers_of(packet))
        else:
            for one in packet:
                self.add(one)
        return self

    def __truediv__(self, other: Any) -> MigrationStream:
        return MigrationStream([*self], name=self.name).add(other)

    @classmethod
    def dissect(cls, data: bytes, *, start: str = "", name: str = "") -> MigrationStream:
        """A stream from its bytes, to any number of records; what is not understood comes as Raw packets.

        ``start`` names the outermost layer where it is not to be guessed. Guest memory is not copied.
        """
        from xenmig.core.decode.reading import Stream as Source
        from xenmig.core.decode.stream import StreamDecoder
        from xenmig.scapy_layers.from_events import PacketMaker
        from xenmig.scapy_layers.regions import HeldRegion

        decoder = StreamDecoder(start)
        view = memoryview(data)
        maker = PacketMaker(
            Source(1, start, "sender", decoder), lambda offset, length: HeldRegion(view[offset : offset + length])
        )
        decoder.feed(data, 0, len(data))
        decoder.end()
        stream = cls(name=name)
        at = 0
        for event in decoder.events:
            packet: Any = maker.packet(event)
            where = getattr(packet, "where", None)
            if where is None or where.offset < at:
                continue
            if where.offset > at:
                stream.append(Raw(data[at : where.offset]))
            stream.append(packet)
            at = where.offset + where.length
        if at < len(data):
            stream.append(Raw(data[at:]))
        return stream

    # -- bytes ----------------------------------------------------------------------------------------------------

    def pieces(self) -> Iterator[bytes]:
        """The bytes, packet by packet: what :meth:`write` writes, in memory of one record at a time.

        A packet without a byte order of its own has that which the header of its layer announces.
        """
        orders: dict[str, str] = {}
        for index, packet in enumerate(self):
            if not isinstance(packet, MigrationPacket):
                yield bytes(packet)
                continue
            endian, payload = packet.endian, packet.payload
            packet.endian = endian or orders.get(packet.layer)
            # In a list there are no layers; of what is behind it, a header only needs the size.
            if isinstance(packet, WrapperPacket) and index + 1 < len(self):
                object.__setattr__(packet, "payload", self[index + 1])
            try:
                built = packet.self_build()
                announced = packet.announced_order()
            finally:
                packet.endian = endian
                object.__setattr__(packet, "payload", payload)
            if announced:
                orders.setdefault(packet.layer, announced)
                if isinstance(packet, (HeaderPacket, WrapperPacket)):
                    orders[packet.layer] = announced
            yield built

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def write(self, target: str | Writable) -> int:
        """Write a stream file; returns its size in bytes.

        Raises ValueError for the file from which the stream's guest memory is still to be read.
        """
        if isinstance(target, str):
            self.check_target(target)
            with open(target, "wb") as file:
                return self.write(file)
        size = 0
        for piece in self.pieces():
            target.write(piece)
            size += len(piece)
        return size

    def check_target(self, path: str) -> None:
        """Raise ValueError when guest memory of this stream lies in ``path``, which writing would destroy unread."""
        checked = set()
        for packet in self:
            for value in packet.fields.values():
                source = value.region.path if isinstance(value, Pages) else ""
                if source and source not in checked:
                    checked.add(source)
                    if exists(path) and exists(source) and samefile(path, source):
                        raise ValueError(
                            f"{path}: guest memory of this stream is read from there; write to another file"
                        )

    # -- finding and changing -------------------------------------------------------------------------------------

    def find(self, layer: type[Packet] | str | None = None, **fields: Any) -> list[Packet]:
        """The packets of a class, of its name or of a record's name, with these field values."""
        return [packet for packet in self if matches(packet, layer, fields)]

    def first(self, layer: type[Packet] | str | None = None, **fields: Any) -> Packet:
        """The first that :meth:`find` finds. Raises LookupError when there is none."""
        found = self.find(layer, **fields)
        if not found:
            called = layer if isinstance(layer, str) else getattr(layer, "__name__", "packet")
            raise LookupError(f"the stream holds no {called} with these values")
        return found[0]

    def changed(self, layer: type[Packet] | str, **fields: Any) -> MigrationStream:
        """A copy in which the first packet of that class has these field values; all others are shared.

        Lengths, counts and padding of that packet are computed anew, except those that are given; and so is the length
        of a configuration in the header before it.
        """
        old = self.first(layer)
        at = next(index for index, packet in enumerate(self) if packet is old)
        changed = MigrationStream(self, name=self.name)
        new: Any = old.copy()
        if isinstance(new, MigrationPacket):
            new.recompute()
        for name, value in fields.items():
            if name not in new.fieldtype:
                raise AttributeError(f"{type(new).__name__} has no field {name}, only {', '.join(new.fieldtype)}")
            new.setfieldval(name, value)
        changed[at] = new
        before = self[at - 1] if at else None
        if isinstance(new, WrappedPacket) and isinstance(before, WrapperPacket):
            changed[at - 1] = before.copy().recompute()
        return changed

    def without(self, condition: Callable[[Packet], Any]) -> MigrationStream:
        """A stream that leaves out the packets of which ``condition`` is true; the others are shared."""
        return MigrationStream([packet for packet in self if not condition(packet)], name=self.name)

    def sent(self, number: int | None = None) -> MigrationStream:
        """The packets of one sender's stream, without the texts of ``xl migrate``: what a save file holds.

        ``number`` is the stream's (``packet.where.stream``); the first one that is no conversation, if not given.
        """
        own = [packet for packet in self if getattr(packet, "where", None) and not isinstance(packet, XlMessage)]
        if number is None and own:
            number = own[0].where.stream
        return MigrationStream([packet for packet in own if packet.where.stream == number], name=self.name)

    def stack(self) -> Packet:
        """The packets as one, each the payload of the one before it.

        Raises ValueError for more than 64: Scapy recurses from layer to layer.
        """
        from xenmig.scapy_layers.dispatch import MOST_LAYERS

        if not 0 < len(self) <= MOST_LAYERS:
            raise ValueError(f"a stack has 1 to {MOST_LAYERS} packets, the stream has {len(self)}")
        stacked = self[0]
        for packet in self[1:]:
            stacked = stacked / packet
        return stacked

    # -- showing --------------------------------------------------------------------------------------------------

    def summary(self, count: int = 40) -> None:
        """Print a line for each of the first ``count`` packets; PAGE_DATA records in a row share one."""
        for line in self.lines(count):
            print(line)  # noqa: T201  # what summary() is for

    def lines(self, count: int = 40) -> list[str]:
        """The lines of :meth:`summary`."""
        lines: list[str] = []
        index = 0
        while index < len(self) and len(lines) < count:
            packet = self[index]
            run = index
            while run < len(self) and isinstance(self[run], PageRecord):
                run += 1
            if run > index + 1:
                pfns = sum(len(one.getfieldval("pfns")) for one in self[index:run])
                lines.append(f"{index:5}-{run - 1}  {run - index} libxc PAGE_DATA, {pfns} pfns")
                index = run
                continue
            shown = packet.summary() if isinstance(packet, MigrationPacket) else repr(packet)[:100]
            lines.append(f"{index:5}  {shown}")
            index += 1
        if index < len(self):
            lines.append(f"       ... {len(self) - index} more")
        return lines

    def __repr__(self) -> str:
        pages = sum(isinstance(packet, PageRecord) for packet in self)
        called = f" {self.name}" if self.name else ""
        return f"<MigrationStream{called}: {len(self)} packets, {pages} of them PAGE_DATA>"


def layers_of(packet: Packet) -> Iterator[Packet]:
    """The packets of a stack, each by itself."""
    while not isinstance(packet, NoPayload):
        alone = packet
        if packet.payload:
            alone = packet.copy()
            alone.remove_payload()
        alone.underlayer = None
        yield alone
        packet = packet.payload
