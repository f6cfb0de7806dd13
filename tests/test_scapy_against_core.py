"""Scapy and the core see the same records with the same values in every real file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scapy.fields import RawVal
from scapy.packet import NoPayload, Packet, Raw

from tests.scapy_records import SAMPLES, dissected, records
from xenmig.core.decode.events import Header
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions.bodies import decode
from xenmig.core.definitions.guest import Guest
from xenmig.core.definitions.structs import Entry, Struct
from xenmig.scapy_layers.generate import field_name
from xenmig.scapy_layers.layers import LibxcPageData, XlMessage
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.records import Record as RecordPacket

if TYPE_CHECKING:
    from collections.abc import Iterator


def differences(packet: Packet, value: Struct, path: str = "") -> Iterator[str]:
    """Where a packet does not say what the core does; a line for each field."""
    for field in value.fields:
        name = field_name(field.name)
        if field.kind == "pages":
            continue
        ours: Any = packet.fields.get(name)
        theirs = value.__dict__.get(field.name)
        where = f"{path}{field.name}"
        if theirs is None:
            if ours not in (None, b"", []) and not isinstance(ours, RawVal):
                yield f"{where}: {ours!r} where the core has nothing"
        elif field.kind == "struct":
            yield from differences(ours, theirs, where + ".")
        elif field.kind == "chain":
            yield from chain_differences(ours, theirs, where)
        elif isinstance(theirs, list) and theirs and isinstance(theirs[0], Struct):
            if len(ours) != len(theirs):
                yield f"{where}: {len(ours)} items, {len(theirs)} in the core"
            for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
                yield from differences(one, other, f"{where}[{index}].")
        elif ours != theirs:
            yield f"{where}: {ours!r}, {theirs!r} in the core"


def chain_differences(ours: list[Packet], theirs: list[Entry], where: str) -> Iterator[str]:
    """The same for a chain of entries."""
    if len(ours) != len(theirs):
        yield f"{where}: {len(ours)} entries, {len(theirs)} in the core"
    for index, (packet, entry) in enumerate(zip(ours, theirs, strict=False)):
        yield from differences(packet, entry.descriptor, f"{where}[{index}].")
        if entry.value is not None and not isinstance(packet.payload, NoPayload):
            yield from differences(packet.payload, entry.value, f"{where}[{index}].data.")
        elif entry.data:
            assert isinstance(packet.payload, Raw)
            if packet.payload.load != entry.data:
                yield f"{where}[{index}]: other data"


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_record_has_the_fields_and_values_that_the_core_decodes(name: str) -> None:
    compared = 0
    for event in records(SAMPLES[name]):
        packet = dissected(event)
        assert isinstance(packet, RecordPacket)
        assert (packet.layer, packet.type, packet.length) == (event.layer, event.type, event.length)
        assert event.body is not None
        value = Struct.records[event.layer][event.type].decode(event.body, event.byteorder)
        assert [*differences(packet, value)] == []
        assert [str(one) for one in packet.problems()] == [str(one) for one in value.problems]
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_detail_of_a_record_is_what_the_core_makes_of_its_body(name: str) -> None:
    guest = Guest()
    compared = 0
    for event in records(SAMPLES[name]):
        assert event.body is not None
        value = decode(event.layer, event.type, event.body, guest, event.byteorder)
        packet = dissected(event)
        assert isinstance(packet, RecordPacket)
        detail = packet.detail(guest.guest_width)
        if detail is None:
            continue
        assert value is not None
        assert detail.struct() is type(value)
        assert [*differences(detail, value)] == []
        assert bytes(detail) == event.body
        compared += 1
    assert compared


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_reader_gives_a_packet_for_every_header_and_record_of_the_core(name: str) -> None:
    path = str(SAMPLES[name].unpacked())
    packets = iter(MigrationReader(path))
    seen = 0
    for stream, events in Reading(path):
        for event in events:
            if not isinstance(event, (Header, Record)):
                continue
            packet = next(one for one in packets if not isinstance(one, (XlMessage, Raw)))
            assert packet.where.stream == stream.number
            assert packet.where.offset == event.offset
            if event.first is not None and event.last is not None:
                assert (packet.where.frame, packet.where.last_frame) == (event.first.frame, event.last.frame)
                assert int(packet.time * 1_000_000_000) == event.first.time
            if isinstance(event, PageData):
                assert isinstance(packet, LibxcPageData)
                assert (packet.count, packet.length) == (event.count, event.length)
                assert packet.pfns == event.pfns.numbers().tolist()
                assert packet.page_types() == event.pfns.types()
            elif isinstance(event, Header):
                assert [*differences(packet, event.value)] == []
            seen += 1
    assert seen > 40
    assert all(isinstance(left, (XlMessage, Raw)) or not left.where.complete for left in packets)
