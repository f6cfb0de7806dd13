"""Packets from the core's events: the fields come from what has been decoded, guest memory stays where it is."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet as ScapyPacket
from scapy.packet import Raw
from scapy.utils import EDecimal

from xenmig.core.decode.damage import Trailing, Truncated
from xenmig.core.decode.events import Header, Message
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import xl
from xenmig.core.definitions.structs import Struct
from xenmig.scapy_layers import layers
from xenmig.scapy_layers.libxc import LibxcPageData
from xenmig.scapy_layers.messages import XlMessage
from xenmig.scapy_layers.pages import Pages
from xenmig.scapy_layers.records import HEADER, LibxcRecord, LibxlRecord
from xenmig.scapy_layers.regions import GuestMemoryUnavailable
from xenmig.scapy_layers.where import Where
from xenmig.scapy_layers.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream
    from xenmig.core.sources.packet import Packet as Frame
    from xenmig.scapy_layers.packets import MigrationPacket
    from xenmig.scapy_layers.regions import Region

_NANOSECONDS = Decimal(1_000_000_000)

_HEADERS: dict[type[Struct], type[MigrationPacket]] = {
    found.struct(): found
    for found in (getattr(layers, name) for name in layers.__all__)
    if found.layer and found.definition and not issubclass(found, (LibxlRecord, LibxcRecord))
}
"The packet class of each header and configuration, by its definition."


class PacketMaker:
    """Makes the packets of one stream."""

    __slots__ = ("stream", "region", "_source", "_destination", "_report")

    stream: Stream
    region: Callable[[int, int], Region]
    "Offset in the stream and length -> the bytes there, to be read on demand."

    def __init__(self, stream: Stream, region: Callable[[int, int], Region]) -> None:
        self.stream = stream
        self.region = region
        direction = stream.direction
        self._source = str(direction.source) if direction is not None else ""
        self._destination = str(direction.destination) if direction is not None else ""
        self._report: Message | None = None

    def packet(self, event: Event) -> ScapyPacket | None:
        """The packet for an event; None for those that are about the stream and not part of it."""
        if isinstance(event, PageData):
            return self._addressed(self.page_data(event), event, event.index, self._size(event), event.missing)
        if isinstance(event, Record):
            return self._addressed(self.record(event), event, event.index, self._size(event), event.missing)
        if isinstance(event, Header):
            return self._addressed(self.header(event), event, None, event.length, 0)
        if isinstance(event, Message):
            return self._message(event)
        if isinstance(event, Truncated) and event.partial is not None:
            return self._partial(event.partial, event)
        if isinstance(event, Trailing):
            raw = Raw(event.data)
            raw.time = _time(event.first)
            return raw
        return None

    def header(self, event: Header) -> MigrationPacket:
        """A header or configuration, from its decoded fields."""
        cls = _HEADERS[type(event.value)]
        made = from_struct(cls, event.value, event.byteorder)
        if len(made.self_build()) != event.length:
            # Too short for its own fields: what there is of the field that it ends in was not decoded.
            try:
                data = self.region(event.offset, event.length).read(0, event.length)
            except GuestMemoryUnavailable:
                return made
            made = cls(endian=event.byteorder, _internal=1)
            made.do_dissect(data)
        return made

    def page_data(self, event: PageData, available: int | None = None) -> LibxcPageData:
        """A PAGE_DATA record whose pages are read on demand; ``available`` bytes of its body are there."""
        words = event.pfns.words or b""
        made: LibxcPageData = LibxcPageData.__new__(LibxcPageData)
        give = object.__setattr__
        for name, value in _PAGE_DATA:
            give(made, name, value)
        give(made, "endian", event.byteorder)
        give(made, "overloaded_fields", {})
        give(made, "post_transforms", [])
        numbers = Words.decoded("Q", words, event.byteorder, hexadecimal=True)
        behind = HEADER + len(numbers) * 8
        body = event.length if available is None else available
        region = self.region(event.offset + HEADER + behind, max(0, body - behind))
        # Past Scapy's own ways in, which would look at each value: in a capture, whose frames have pushed everything
        # else out of the processor's caches by the time a record ends, they take 70 us longer.
        give(
            made,
            "fields",
            {
                "type": event.type,
                "length": event.length,
                "count": event.count,
                "reserved1": event.reserved,
                "pfns": numbers,
                "page_data": Pages(region),
                "rest": b"",
                "padding": event.padding,
            },
        )
        return made

    def record(self, event: Record) -> ScapyPacket:
        """Any other record; one whose body was too large to keep is a generic one that refers to it."""
        generic = LibxlRecord if event.layer == "libxl" else LibxcRecord
        endian = "little" if event.byteorder == "<" else "big"
        if event.body is not None:
            head = event.type.to_bytes(4, endian) + event.length.to_bytes(4, endian)  # type: ignore[arg-type]
            return generic(head + event.body + event.padding, endian=event.byteorder, _internal=1)
        made: ScapyPacket = _empty(generic, event.byteorder)
        body = Pages(self.region(event.offset + HEADER, event.length))
        made.fields.update(type=event.type, length=event.length, body=body, padding=event.padding)
        return made

    def _partial(self, record: Record, event: Truncated) -> ScapyPacket:
        there = max(0, event.available - HEADER)
        if isinstance(record, PageData):
            made: Any = self.page_data(record, min(there, record.length))
        else:
            made = _empty(LibxlRecord if record.layer == "libxl" else LibxcRecord, record.byteorder)
            body = Pages(self.region(record.offset + HEADER, min(there, record.length)))
            made.fields.update(type=record.type, length=record.length, body=body, padding=b"")
        self._addressed(made, record, record.index, event.available, record.missing)
        made.where.complete = False
        if event.last is not None:
            made.where.last_frame = event.last.frame
            made.where.last_time = _time(event.last)
        return made  # type: ignore[no-any-return]

    def unfinished(self) -> ScapyPacket | None:
        """The report whose status byte never came, if it is so; for the end of the stream."""
        report, self._report = self._report, None
        return None if report is None else self._text(report)

    def _message(self, event: Message) -> ScapyPacket | None:
        # The status byte is an event of its own, and in a packet it is a field behind the report.
        if event.name == xl.REPORT.name:
            self._report = event
            return None
        report, self._report = self._report, None
        if event.status is None:
            return self._text(event)
        made = XlMessage(text=xl.REPORT.data, status=event.status)
        if report is None:
            return self._addressed(made, event, None, event.length, 0)
        self._addressed(made, report, None, report.length + event.length, 0)
        if event.last is not None:
            made.where.last_frame = event.last.frame
            made.where.last_time = _time(event.last)
        return made

    def _text(self, event: Message) -> ScapyPacket:
        text = next((message.data for message in xl.TEXTS if message.name == event.name), b"")
        status: dict[str, Any] = {"status": None} if text == xl.REPORT.data else {}
        return self._addressed(XlMessage(text=text, **status), event, None, event.length, 0)

    def _size(self, event: Record) -> int:
        return HEADER + event.length + len(event.padding)

    def _addressed(
        self, made: ScapyPacket, event: Header | Record | Message, record: int | None, length: int, missing: int
    ) -> ScapyPacket:
        where = Where(self.stream.number, record, event.offset, length)
        where.missing = missing
        where.source = self._source
        where.destination = self._destination
        first, last = event.first, event.last
        if first is not None:
            where.frame = first.frame
        if last is not None:
            where.last_frame = last.frame
            where.last_time = _time(last)
        object.__setattr__(made, "where", where)
        object.__setattr__(made, "time", _time(first))
        return made


def from_struct(cls: type[MigrationPacket], value: Struct, endian: str) -> MigrationPacket:
    """A packet with the values that the core has decoded."""
    made: MigrationPacket = _empty(cls, endian)
    field: Any
    for declared, field in zip(value.fields, made.fields_desc, strict=True):
        found: Any = value.__dict__.get(declared.name)
        if isinstance(found, list):
            found = [from_struct(_class_of(field), one, endian) if isinstance(one, Struct) else one for one in found]
        elif isinstance(found, Struct):
            found = from_struct(_class_of(field), found, endian)
        elif found is None:
            found = field.absent()
        elif isinstance(found, int):
            # The core's enumerations are numbers; here the names belong to the field.
            found = field.any2i(made, int(found))
        made.fields[field.name] = found
    return made


def _class_of(field: Any) -> type[MigrationPacket]:
    found: type[MigrationPacket] = field.cls
    return found


def _empty(cls: type[MigrationPacket], endian: str) -> Any:
    made = cls(endian=endian, _internal=1)
    made.explicit = 1
    return made


_MADE = _empty(LibxcPageData, "<")
_PAGE_DATA = [
    (slot, getattr(_MADE, slot))
    for slot in sorted(LibxcPageData.__all_slots__)
    if hasattr(_MADE, slot) and slot not in ("fields", "overloaded_fields", "post_transforms", "endian")
]
"What every PAGE_DATA packet has in its slots, from Scapy's own constructor; none of it is changed in a packet."


def _time(frame: Frame | None) -> Any:
    return 0.0 if frame is None else EDecimal(Decimal(frame.time) / _NANOSECONDS)
