"""MigrationReader: packets of files, captures and pipes, one by one and by index."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from scapy.packet import Raw

from tests.corpus import Sample, pcaps
from xenmig.core.definitions.xl import REPORT
from xenmig.core.sources.errors import UnreadableInput
from xenmig.scapy_layers.capture import START, CaptureRecipe, write_capture
from xenmig.scapy_layers.layers import (
    LibxcEnd,
    LibxcPageData,
    LibxcRecord,
    LibxcX86TscInfo,
    LibxlEnd,
    LibxlRecord,
    XlMessage,
    XlSave,
)
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe, page_pattern
from xenmig.scapy_layers.stream import MigrationStream

RECIPE = Recipe("HVM", pages=100, iterations=3, batch=32)


@pytest.fixture
def save(tmp_path: Path) -> str:
    """A save file."""
    path = str(tmp_path / "guest.xlsave")
    RECIPE.write(path)
    return path


@pytest.fixture
def capture(tmp_path: Path) -> str:
    """A capture of the same stream."""
    path = str(tmp_path / "guest.pcap")
    write_capture(path, RECIPE)
    return path


def test_the_packets_of_a_file_are_those_of_the_stream(save: str) -> None:
    expected = RECIPE.stream()
    found = list(MigrationReader(save))
    assert [type(packet) for packet in found] == [type(packet) for packet in expected]
    assert b"".join(bytes(packet) for packet in found) == bytes(expected)
    assert all(packet.time == 0 for packet in found)


def test_offsets_in_a_file_are_those_of_the_bytes(save: str) -> None:
    data = Path(save).read_bytes()
    for packet in MigrationReader(save):
        where: Any = packet.where
        assert data[where.offset : where.offset + where.length] == bytes(packet)
        assert where.frame is None
        assert where.complete


def test_a_packet_of_a_capture_has_its_frames_times_and_addresses(capture: str) -> None:
    for packet in MigrationReader(capture):
        where: Any = packet.where
        assert where.frame <= where.last_frame
        assert START / 1e9 <= packet.time <= where.last_time < START / 1e9 + 1
        ends = ["192.0.2.1:49152", "192.0.2.2:8002"]
        forth = not isinstance(packet, XlMessage) or packet.message == "permission"
        assert [where.source, where.destination] == (ends if forth else ends[::-1])
    last = [packet.where.last_frame for packet in MigrationReader(capture)]
    assert last == sorted(last)


def test_both_sides_of_a_conversation_come_in_order(capture: str) -> None:
    messages = [packet.message for packet in MigrationReader(capture).find(XlMessage)]
    assert messages == ["banner", "ready", "permission", "report"]
    assert MigrationReader(capture)[-1].status == 0


def test_a_report_without_its_status_is_there_without_it(tmp_path: Path) -> None:
    path = str(tmp_path / "cut.pcap")
    whole = io.BytesIO()
    frames = CaptureRecipe().write(whole, RECIPE)
    with open(path, "wb") as file:
        assert CaptureRecipe(lost={_payloads() - 1}, handshake=False).write(file, RECIPE) < frames
    last: Any = MigrationReader(path)[-1]
    assert last.message == "report"
    assert bytes(last) == REPORT.data
    assert last.status is None
    assert json.loads(last.json())["status"] is None


def _payloads() -> int:
    return sum(1 for segment in CaptureRecipe().segments(RECIPE) if segment.payload)


def test_a_body_too_large_to_keep_is_read_on_demand(tmp_path: Path) -> None:
    path = str(tmp_path / "large")
    state = bytes(range(256)) * (5 << 12)
    RECIPE.stream().changed("EMULATOR_CONTEXT", emulator_ctx=b"QEVM" + state).write(path)
    record: Any = MigrationReader(path).first("EMULATOR_CONTEXT")
    assert type(record) is LibxlRecord
    assert record.length == len(record.body) == 12 + len(state)
    assert bytes(record.body)[8:12] == b"QEVM"
    assert len(str(record.show(dump=True))) < 1000
    assert bytes(record).endswith(state + bytes(4))
    assert json.loads(record.json())["body"]["length"] == record.length


def test_packets_are_found_by_index_and_slice(save: str) -> None:
    reader = MigrationReader(save)
    packets = list(reader)
    assert len(reader) == len(packets)
    assert reader[0] == packets[0]
    assert reader[-1] == packets[-1]
    assert reader[3:6] == packets[3:6]
    assert reader[-3:] == packets[-3:]
    assert reader[::-4] == packets[::-4]
    for index in (len(packets), -len(packets) - 1):
        with pytest.raises(IndexError):
            reader[index]


def test_packets_are_found_by_class_name_and_values(save: str) -> None:
    reader = MigrationReader(save)
    assert len(list(reader.find(LibxcPageData))) == len(list(reader.find("PAGE_DATA"))) == 6
    assert len(list(reader.find("LibxcPageData", count=32))) == 3
    assert reader.first(LibxcX86TscInfo, incarnation=1).khz == 2_000_000
    assert [type(packet) for packet in reader.filter(lambda packet: "END" in str(packet.name))][-2:] == [
        LibxcEnd,
        LibxlEnd,
    ]
    assert len(list(reader.find(LibxcRecord))) > 6
    with pytest.raises(LookupError, match="X86_PV_INFO"):
        reader.first("X86_PV_INFO")


def test_it_reads_as_scapys_own_readers_do(save: str) -> None:
    with MigrationReader(save) as reader:
        assert isinstance(reader.read_packet(), XlSave)
        rest = 0
        while True:
            try:
                reader.read_packet()
            except EOFError:
                break
            rest += 1
    assert rest == len(reader) - 1
    assert isinstance(MigrationReader(save).read_all(4), MigrationStream)
    assert len(MigrationReader(save).read_all(4)) == 4


def test_a_stream_that_is_cut_off_ends_in_an_incomplete_record(tmp_path: Path, save: str) -> None:
    data = Path(save).read_bytes()
    whole = list(MigrationReader(save))
    cut: Any = [packet.where for packet in whole if isinstance(packet, LibxcPageData)][1]
    path = tmp_path / "cut"
    path.write_bytes(data[: cut.offset + 8 + 8 + 32 * 8 + 5000])
    reader = MigrationReader(str(path))
    last: Any = reader[-1]
    assert isinstance(last, LibxcPageData)
    assert not last.where.complete
    assert last.page(0x20) == page_pattern(0x20, 0)
    assert list(reader.notices) == [
        f"stream 1, offset {cut.offset}: ends inside libxc PAGE_DATA, {cut.length - 272 - 5000} bytes are missing"
    ]
    assert bytes(last) == data[cut.offset : cut.offset + 8 + 8 + 32 * 8 + 5000]


def test_bytes_after_the_end_come_as_raw(tmp_path: Path, save: str) -> None:
    path = tmp_path / "trailing"
    path.write_bytes(Path(save).read_bytes() + b"what is this?")
    last = MigrationReader(str(path))[-1]
    assert isinstance(last, Raw)
    assert last.load == b"what is this?"


def test_what_is_no_stream_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("nothing of the kind, but long enough to be looked at")
    with pytest.raises(UnreadableInput):
        MigrationReader(str(path))
    with pytest.raises(UnreadableInput, match="no such file"):
        MigrationReader(str(tmp_path / "missing"))


@pytest.mark.parametrize("sample", pcaps(), ids=repr)
def test_a_real_file_is_read_in_constant_memory(sample: Sample) -> None:
    path = str(sample.unpacked())
    # What is imported and cached by the first pass is not the pass's own.
    count = len(MigrationReader(path))
    tracemalloc.start()
    again = sum(1 for _ in MigrationReader(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert again == count > 50
    assert peak < 8 << 20
