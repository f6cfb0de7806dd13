"""Records of real streams as bytes, for the tests of the Scapy layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.corpus import samples
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData, Record
from xenmig.scapy_layers.records import LibxcRecord, LibxlRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

    from tests.corpus import Sample

SAMPLES = {sample.name: sample for sample in samples()}
"Every real file there is."


def record_bytes(event: Record) -> bytes:
    """A record whose body is there, as it stands in the stream."""
    assert event.body is not None
    endian: Any = "little" if event.byteorder == "<" else "big"
    return event.type.to_bytes(4, endian) + event.length.to_bytes(4, endian) + event.body + event.padding


def records(sample: Sample) -> Iterator[Record]:
    """The records of a file, without PAGE_DATA."""
    for _, events in Reading(str(sample.unpacked())):
        for event in events:
            if isinstance(event, Record) and not isinstance(event, PageData):
                yield event


def dissected(event: Record, **options: Any) -> Packet:
    """The packet of a record."""
    generic = LibxlRecord if event.layer == "libxl" else LibxcRecord
    return generic(record_bytes(event), endian=event.byteorder, **options)


def rebuilt(packet: Packet) -> bytes:
    """The bytes that the packet's fields build, with nothing remembered from dissecting."""
    copy: Any = packet.copy()
    copy.clear_cache()
    return bytes(copy)
