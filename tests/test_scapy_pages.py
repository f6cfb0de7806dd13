"""Guest memory stays where it is until somebody asks for a page."""

from __future__ import annotations

import gzip
import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import Sample, pcaps
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData
from xenmig.core.definitions.libxc import PageType
from xenmig.scapy_layers import passes
from xenmig.scapy_layers.capture import write_capture
from xenmig.scapy_layers.from_events import PacketMaker
from xenmig.scapy_layers.layers import LibxcPageData, LibxcRecord
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe, page_pattern
from xenmig.scapy_layers.regions import FileRegion, GuestMemoryUnavailable
from xenmig.scapy_layers.stream import MigrationStream

XTAB = 0xF << 60
PAGE = 4096


@pytest.fixture(params=["file", "compressed", "capture", "bytes"])
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The same stream, from each kind of source."""
    recipe = Recipe("PV", pages=40, iterations=3, batch=16)
    path = str(tmp_path / "stream")
    if request.param == "capture":
        write_capture(path, recipe, late={7}, swapped={20}, twice={30})
    elif request.param == "compressed":
        with gzip.open(path, "wb") as file:
            recipe.stream().write(file)
    else:
        recipe.write(path)
    if request.param == "bytes":
        return MigrationStream.dissect(Path(path).read_bytes())
    return MigrationReader(path)


def test_a_page_is_read_by_its_pfn(stream: Any) -> None:
    first, second, *_ = stream.find(LibxcPageData)
    assert first.page(3) == page_pattern(3, 0)
    assert second.page(16) == page_pattern(16, 0)
    assert second.page(31) == page_pattern(31, 0)


def test_the_pages_of_a_record_are_all_there_in_order(stream: Any) -> None:
    record = stream.first(LibxcPageData)
    assert [*record.page_data] == [page_pattern(pfn, 0) for pfn in range(16)]
    assert record.page_data[-1] == page_pattern(15, 0)
    assert record.page_data[PAGE - 8 : PAGE + 8] == page_pattern(0, 0)[-8:] + page_pattern(1, 0)[:8]
    assert len(record.page_data) == 16 * PAGE
    with pytest.raises(IndexError):
        record.page_data[16]


def test_a_record_with_its_pages_builds_to_its_own_bytes(stream: Any) -> None:
    record = stream.first(LibxcPageData)
    expected = bytes(Recipe("PV", pages=40, batch=16).stream().first(LibxcPageData))
    assert bytes(record) == expected
    assert bytes(pickle.loads(pickle.dumps(record))) == expected
    assert pickle.loads(pickle.dumps(record)) == record
    assert record.copy() == record


def test_a_pfn_that_the_record_does_not_hold_is_a_mistake(stream: Any) -> None:
    with pytest.raises(KeyError, match="0x3e8"):
        stream.first(LibxcPageData).page(1000)


def test_a_reader_gives_the_page_that_the_receiver_ends_up_with(tmp_path: Path) -> None:
    path = str(tmp_path / "stream")
    recipe = Recipe("HVM", pages=32, iterations=4, dirty=8)
    recipe.write(path)
    reader = MigrationReader(path)
    sent = [word for record in reader.find(LibxcPageData) for word in record.pfns]
    twice = next(pfn for pfn in sent if sent.count(pfn) > 1)
    assert reader.page(twice) != page_pattern(twice, 0)
    once = next(pfn for pfn in sent if sent.count(pfn) == 1)
    assert reader.page(once) == page_pattern(once, 0)
    with pytest.raises(KeyError, match="no record"):
        reader.page(99)


def test_a_pfn_without_data_has_no_page() -> None:
    record = LibxcPageData(pfns=[1, XTAB | 2, 3], page_data=b"a" * PAGE + b"b" * PAGE)
    assert record.page(1) == b"a" * PAGE
    assert record.page(2) is None
    assert record.page(3) == b"b" * PAGE
    again = LibxcRecord(bytes(record))
    assert again.page(3) == b"b" * PAGE
    assert again.pfn_list() == [1, 2, 3]
    assert again.page_types() == {0: 2, 15: 1}


@pytest.mark.parametrize("number", sorted(PageType.known))
def test_a_page_is_there_for_the_types_that_carry_data(number: int) -> None:
    record = LibxcRecord(bytes(LibxcPageData(pfns=[number << 60 | 7])))
    assert len(record.page_data) == (PAGE if PageType.known[number].facts["data"] else 0)


def test_a_missing_page_says_where_it_would_have_been(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    Recipe(pages=8).write(str(path))
    record = MigrationReader(str(path)).first(LibxcPageData)
    os.truncate(path, record.where.offset + 100)
    with pytest.raises(GuestMemoryUnavailable, match="shorter"):
        record.page(0)


def test_a_page_in_a_hole_of_a_capture_is_missing_and_its_neighbours_are_not(tmp_path: Path) -> None:
    path = str(tmp_path / "lost.pcap")
    write_capture(path, Recipe(pages=16), segment=PAGE, lost={9})
    record = MigrationReader(path).first(LibxcPageData)
    assert record.where.missing == PAGE
    found = []
    for pfn in range(16):
        try:
            found.append(record.page(pfn) == page_pattern(pfn, 0))
        except GuestMemoryUnavailable:
            found.append(None)
    assert found.count(True) == 14
    assert found.count(None) == 2


def test_memory_that_has_passed_in_a_pipe_is_gone(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    if not os.fork():
        Recipe(pages=16).write(path)
        os._exit(0)
    reader = MigrationReader(path)
    packets = list(reader)
    os.wait()
    record: Any = next(packet for packet in packets if isinstance(packet, LibxcPageData))
    assert len(record.page_data) == 16 * PAGE
    assert record.show(dump=True)
    with pytest.raises(GuestMemoryUnavailable, match="write the stream to a file first"):
        record.page(0)
    with pytest.raises(TypeError, match="once"):
        list(reader)


def test_a_record_of_four_mebibytes_shows_on_a_screen() -> None:
    record = LibxcPageData(pfns=range(1024))
    for packet in (record, LibxcRecord(bytes(record))):
        shown = str(packet.show(dump=True))
        assert len(shown) < 1000
        assert "1024 in all" in shown
        assert len(packet.summary()) < 100
        assert len(repr(packet)) < 1000
        assert len(packet.json()) < 10_000


@pytest.mark.parametrize("sample", pcaps(), ids=repr)
def test_records_of_a_real_file_are_held_without_their_pages(sample: Sample) -> None:
    path = str(sample.unpacked())
    # What the first pass imports and caches is not part of a record.
    pages = sum(len(record.page_data) for record in MigrationReader(path).find(LibxcPageData))
    tracemalloc.start()
    records = list(MigrationReader(path).find(LibxcPageData))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(records) > 30
    assert pages > 8_000_000
    assert held / len(records) < 20_000


def test_dissecting_a_full_record_from_a_file_takes_little_memory(tmp_path: Path) -> None:
    path = str(tmp_path / "stream")
    Recipe("PV", pages=4096, outer="libxc").write(path)
    iterator = iter(MigrationReader(path).find(LibxcPageData))
    next(iterator)
    tracemalloc.start()
    record = next(iterator)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert record.count == 1024
    assert held <= peak < 100_000


@pytest.mark.parametrize("kind", ["file", "capture"])
def test_making_a_packet_of_four_mebibytes_takes_little_memory(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "stream")
    recipe = Recipe("PV", pages=2048, outer="libxc")
    if kind == "capture":
        write_capture(path, recipe)
    else:
        recipe.write(path)
    reading = Reading(path)
    peaks = []
    tracemalloc.start()
    for stream, events in reading:
        maker = PacketMaker(stream, lambda offset, length: FileRegion(path, offset, length))
        for event in events:
            if isinstance(event, PageData):
                tracemalloc.reset_peak()
                before, _ = tracemalloc.get_traced_memory()
                packet: Any = maker.packet(event)
                peaks.append(tracemalloc.get_traced_memory()[1] - before)
                assert len(packet.page_data) == 1024 * PAGE
    tracemalloc.stop()
    reading.close()
    assert len(peaks) == 2
    assert max(peaks) < 100_000


def test_records_of_a_stream_do_not_share_what_is_changed_in_one(stream: Any) -> None:
    first, second, *_ = list(stream.find(LibxcPageData))
    expected = bytes(second)
    assert first.endian == second.endian == "<"
    first.pfns.append(7)
    first.count = 99
    first.padding = b"changed!"
    first.time = 5
    first.add_payload(b"more")
    first.post_transforms.append(lambda data: b"")
    first.overloaded_fields["type"] = 3
    first.recompute()
    assert bytes(second) == expected
    assert second.time != 5
    assert bytes(LibxcPageData()) == bytes(LibxcPageData(type=1, pfns=[]))


def test_a_stream_is_written_again_from_a_reader_without_holding_it(tmp_path: Path) -> None:
    source, copied = tmp_path / "source", tmp_path / "copied"
    Recipe("HVM", pages=5000).write(str(source))
    stream = MigrationReader(str(source)).read_all()
    tracemalloc.start()
    stream.write(str(copied))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert copied.read_bytes() == source.read_bytes()
    assert peak < 16 << 20, "one record of 4 MiB at a time, in up to three pieces"


@pytest.mark.parametrize("kind", ["compressed", "capture"])
def test_pages_in_stream_order_take_one_pass_and_those_behind_another(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "stream")
    recipe = Recipe("PV", pages=2000, batch=100)
    if kind == "capture":
        write_capture(path, recipe, late=0.01)
        begun = passes.CapturePass
    else:
        with gzip.open(path, "wb") as file:
            recipe.stream().write(file)
        begun = passes.CompressedPass  # type: ignore[assignment]
    count = 0

    def begin(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        return begun(*arguments)

    monkeypatch.setattr(passes, begun.__name__, begin)
    records: list[Any] = list(MigrationReader(path).find(LibxcPageData))
    assert len(records) == 20
    for record in records:
        first = record.pfn_list()[0]
        assert record.page(first + 99) == page_pattern(first + 99, 0)
        assert bytes(record.page_data)[-PAGE:] == page_pattern(first + 99, 0)
    assert count == 1 + len(records), "one page is in front of the one just read, then, in each record"
    count = 0
    assert [record.page(record.pfn_list()[0]) for record in records] == [
        page_pattern(record.pfn_list()[0], 0) for record in records
    ]
    assert count == 1


def test_a_file_that_has_been_written_to_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    for pages in (32, 48):
        with gzip.open(path, "wb") as file:
            Recipe(pages=pages, batch=16).stream().write(file)
        records: list[Any] = list(MigrationReader(str(path)).find(LibxcPageData))
        assert records[-1].page(pages - 1) == page_pattern(pages - 1, 0)
