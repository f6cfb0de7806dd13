"""Nothing that stands in a stream or capture makes Scapy fail, and no byte of it is lost."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.packet import Raw

from xenmig.core.sources.errors import UnreadableInput
from xenmig.scapy_layers.capture import CaptureRecipe
from xenmig.scapy_layers.layers import LibxcPageData
from xenmig.scapy_layers.packets import MigrationPacket
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe
from xenmig.scapy_layers.stream import MigrationStream

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.fuzz

RECIPES = [
    Recipe("HVM", pages=6, iterations=2, batch=2, xenstore=True),
    Recipe("PV", pages=6, iterations=2, batch=2, vcpus=2),
    Recipe("PV", pages=6, endian=">", outer="libvirt"),
    Recipe("HVM", pages=6, checkpoints=2, outer="libxl"),
    Recipe("PVH", pages=6, outer="libxc", xen="4.9"),
]
STREAMS = [bytes(recipe) for recipe in RECIPES]
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF]


class Mutated(bytes):
    """A stream that says how it was made, and not its 100 000 bytes."""

    made: str

    def __repr__(self) -> str:
        return self.made


@st.composite
def mutated(draw: st.DrawFn) -> Mutated:
    """A stream with some bytes changed, taken out or put in, mostly where they mean something; perhaps cut off."""
    number = draw(st.integers(0, len(STREAMS) - 1))
    data = bytearray(STREAMS[number])
    made = [f"STREAMS[{number}]"]
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, min(len(data) - 1, draw(st.sampled_from([60, 400, 4000, len(data)])))))
        what = draw(st.sampled_from(["change", "change", "change", "insert", "delete"]))
        value = draw(st.sampled_from(INTERESTING) | st.integers(0, 255))
        count = 1 if what == "change" else draw(st.integers(1, 20))
        made.append(f"{what} {count} at {at}: {value}")
        if what == "change":
            data[at] = value
        elif what == "insert":
            data[at:at] = bytes([value]) * count
        elif len(data) > 40:
            del data[at : at + count]
    if draw(st.booleans()):
        del data[draw(st.integers(1, len(data))) :]
        made.append(f"{len(data)} bytes")
    result = Mutated(data)
    result.made = ", ".join(made)
    return result


def look_at(packets: Iterable[Any]) -> None:
    """Do with every packet what people do."""
    for packet in packets:
        assert packet.show(dump=True)
        assert packet.summary()
        assert repr(packet)
        assert packet.copy() == packet
        if isinstance(packet, MigrationPacket) and not isinstance(packet, LibxcPageData):
            json.loads(packet.json())
            if packet.definition:
                packet.problems()
            again = packet.copy()
            again.clear_cache()
            assert again.self_build() == packet.self_build()
            if hasattr(packet, "detail"):
                detail = packet.detail()
                assert detail is None or bytes(detail) == packet.body_bytes()


@given(mutated())
def test_a_mutated_stream_dissects_and_builds_to_its_own_bytes(data: bytes) -> None:
    stream = MigrationStream.dissect(data)
    assert bytes(stream) == data
    look_at(stream)
    assert stream.lines()


@given(mutated())
def test_a_mutated_file_is_read_to_its_end(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x")
        Path(path).write_bytes(data)
        try:
            reader = MigrationReader(path)
        except UnreadableInput:
            return
        packets = list(reader)
        look_at(packets)
        for packet in packets:
            where: Any = getattr(packet, "where", None)
            if where is not None and not isinstance(packet, Raw):
                assert data[where.offset : where.offset + where.length] == bytes(packet)


@given(st.data(), mutated(), st.sets(st.integers(0, 30), max_size=3))
def test_a_mutated_stream_in_a_lossy_capture_is_read_to_its_end(
    draw: st.DataObject, data: bytes, lost: set[int]
) -> None:
    file = io.BytesIO()
    CaptureRecipe(segment=draw.draw(st.sampled_from([500, 1448, 9000])), lost=lost, late={4}).write(file, data)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x")
        Path(path).write_bytes(file.getvalue())
        reader = MigrationReader(path)
        for packet in reader:
            assert packet.show(dump=True)
            if (
                isinstance(packet, MigrationPacket)
                and not isinstance(packet, LibxcPageData)
                and not packet.where.missing
            ):
                json.loads(packet.json())
