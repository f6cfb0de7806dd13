"""Which pages came, how often and where they lie: a byte a pfn against a plain Counter of Python's."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.command import xenmig
from tests.corpus import CORPUS, Sample, corpus, requires_corpus
from tests.plain_walk import walk
from tests.streams import StreamBuilder, guest
from xenmig.core.analysis.density import MOST_COLUMNS, MOST_ROWS, Density
from xenmig.core.analysis.hot_pages import hot_ranges, hottest
from xenmig.core.analysis.iterations import Iterations
from xenmig.core.analysis.memory import Memory
from xenmig.core.analysis.pfn_counts import BLOCK_BITS, BYTES_PER_PAGE, CHUNK, PfnCounts, Room
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.record import PageData
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.plain_walk import Counted

TYPES = (0, 1, 4, 9, 0xC, 0xD, 0xE, 0xF)
DATA = {kind for kind in TYPES if kind < 0xD}


def array(words: Sequence[int], order: str = "<") -> PfnArray:
    return PfnArray(struct.pack(f"{order}{len(words)}Q", *words), order)


def carried(words: Sequence[int]) -> list[int]:
    """The pfns of those entries that have a page."""
    return [word & (1 << 52) - 1 for word in words if word >> 60 in DATA]


@st.composite
def batches(draw: st.DrawFn) -> list[int]:
    """A batch as senders make them, and some as nobody does: rows, scattered pfns, over the ends of chunks."""
    near = st.sampled_from((0, 255, 1000, CHUNK - 600, CHUNK - 1, 3 * CHUNK - 512, (1 << 52) - 1024))
    first = draw(near) + draw(st.integers(0, 3))
    count = draw(st.sampled_from((1, 2, 7, 1023, 1024)))
    if draw(st.booleans()):
        pfns = list(range(first, first + count))
    else:
        gaps = draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))
        pfns = [first]
        for number in range(count - 1):
            pfns.append(pfns[-1] + gaps[number % len(gaps)])
    if draw(st.integers(0, 4)) == 0:
        pfns.reverse()
    kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=5))
    if draw(st.booleans()):
        kinds = [0]
    return [pfn % (1 << 52) | kinds[place % len(kinds)] << 60 for place, pfn in enumerate(pfns)]


@given(st.lists(batches(), max_size=6), st.sampled_from("<>"))
def test_counts_and_blocks_are_those_of_a_plain_counter(found: list[list[int]], order: str) -> None:
    blocks: Counter[int] = Counter()
    counts = PfnCounts(Room(), lambda block, pages: blocks.update({block: pages}))
    expected: Counter[int] = Counter()
    for words in found:
        new = counts.add(array(words, order))
        before = len(expected)
        expected.update(carried(words))
        assert new == len(expected) - before
    assert counts.distinct == len(expected)
    assert counts.untracked == 0
    assert {pfn: counts[pfn] for pfn in expected} == expected
    assert sum(one - chunk.count(0) for _, chunk in counts.chunks() for one in (len(chunk),)) == len(expected)
    assert blocks == sum((Counter({pfn >> BLOCK_BITS: times}) for pfn, times in expected.items()), Counter())


@pytest.mark.parametrize("words", [range(1024), range(0, 2048, 2), [7], [7, 9, 1 << 40]], ids=str)
def test_a_page_may_come_any_number_of_times(words: Sequence[int]) -> None:
    counts = PfnCounts(Room())
    batch = array(list(words))
    for _ in range(700):
        counts.add(batch)
    assert not counts.saturated
    assert {counts[pfn] for pfn in words} == {700}
    assert counts.sent(words[0], words[0]) == 700
    assert counts.distinct == len(words)
    for _, chunk in counts.chunks():
        assert set(chunk) <= {0, 255}


def test_a_count_without_room_for_more_stops_at_255_and_says_so() -> None:
    counts = PfnCounts(Room(CHUNK))
    for _ in range(300):
        counts.add(array([5]))
    assert (counts[5], counts.saturated) == (255, True)


def test_pages_all_over_the_place_take_no_more_than_what_was_given() -> None:
    room = Room(20 * CHUNK)
    counts = PfnCounts(room)
    for start in range(0, 1 << 51, 1 << 44):
        counts.add(array([start + number * (1 << 30) for number in range(1024)]))
    assert counts.size <= 20 * CHUNK + BYTES_PER_PAGE * counts.distinct
    assert counts.untracked + counts.distinct == 1024 * 128
    assert room.left < CHUNK
    # The guest that shares the room still gets what its own pages pay for.
    other = PfnCounts(room)
    other.add(array(list(range(CHUNK // BYTES_PER_PAGE))))
    assert other.untracked == CHUNK // BYTES_PER_PAGE


def test_a_guest_costs_a_byte_for_each_pfn_that_it_has() -> None:
    tracemalloc.start()
    try:
        memory = Memory()
        (record,) = [
            one for one in events(StreamBuilder().libxc().pages(range(1024)).data) if isinstance(one, PageData)
        ]
        before = tracemalloc.get_traced_memory()[0]
        for first in range(0, 1 << 20, 1024):
            record.pfns = array(range(first, first + 1024))
            memory.take(record, 1024, 0)
            memory.take(record, 1024, 1 + first % 7)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert (memory.distinct, memory.sent, memory.ratio) == (1 << 20, 1 << 21, 2)
    assert memory.counts.size == 1 << 20
    assert used < 2 << 20


def events(data: bytes) -> list[object]:
    decoder = StreamDecoder()
    decoder.feed(data, 0, len(data))
    decoder.end()
    return [*decoder.events]


# -- pages and ranges that come again and again -----------------------------------------------------------------------


def memory_of(*passes: Sequence[int]) -> Memory:
    """What came in passes of these pfns, a batch each."""
    built = StreamBuilder().libxc().static_data(3)
    for pfns in passes:
        for at in range(0, len(pfns), 1024):
            built.pages(pfns[at : at + 1024])
    decoder = StreamDecoder()
    decoder.feed(built.data, 0, len(built.data))
    memory = Memory()
    Iterations(memory).take(decoder.events)
    return memory


def test_the_hottest_pages_come_first() -> None:
    memory = memory_of(range(100), [3, 70], [3, 70, 90], [70])
    assert [(page.pfn, page.times) for page in hottest(memory.counts, 9)] == [(70, 4), (3, 3), (90, 2)]
    assert [(page.pfn, page.times) for page in hottest(memory.counts, 2)] == [(70, 4), (3, 3)]
    assert (memory.distinct, memory.repeated, memory.again, memory.ratio) == (100, 3, 6, 1.06)


def test_of_pages_sent_more_than_255_times_the_hottest_still_come_first() -> None:
    memory = Memory()
    for times, pfn in ((300, 9), (600, 2), (255, 4), (256, 7)):
        for _ in range(times):
            memory.counts.add(array([pfn]))
    assert [(page.pfn, page.times) for page in hottest(memory.counts, 3)] == [(2, 600), (9, 300), (7, 256)]
    (only,) = hot_ranges(memory.counts)
    assert (only.first, only.last, only.pages, only.again) == (2, 9, 4, 300 + 600 + 255 + 256 - 4)


def test_hot_ranges_join_what_lies_close_and_cross_the_ends_of_chunks() -> None:
    edge = range(CHUNK - 2, CHUNK + 2)
    memory = memory_of(range(64), [10, 11, 18, 40], [10], edge, edge)
    found = [(one.first, one.last, one.pages, one.again) for one in hot_ranges(memory.counts)]
    assert found == [(10, 18, 3, 4), (CHUNK - 2, CHUNK + 1, 4, 4), (40, 40, 1, 1)]


def test_the_second_copy_that_verify_sends_is_no_waste() -> None:
    built = guest(iterations=(9, 4), per_batch=1024, verify=True)
    decoder = StreamDecoder()
    decoder.feed(built.data, 0, len(built.data))
    memory = Memory()
    found = Iterations(memory)
    found.take(decoder.events)
    found.settle(live=True)
    assert (memory.sent, memory.distinct, memory.again) == (13, 9, 4)
    assert [(one.first_sent, one.again) for one in found.found] == [(9, 0), (0, 4), (0, 9)]


def test_of_a_record_that_is_cut_off_the_pages_that_came_count() -> None:
    built = StreamBuilder().libxc().static_data(3).pages([0xF << 60, 1, 0xF << 60 | 2, 3, 4])
    at = built.records[-1].offset
    decoder = StreamDecoder()
    cut = built.data[: at + 16 + 5 * 8 + 2 * 4096 + 100]
    decoder.feed(cut, 0, len(cut))
    decoder.end()
    memory = Memory()
    Iterations(memory).take(decoder.events)
    assert (memory.sent, memory.distinct) == (2, 2)
    assert [memory.counts[pfn] for pfn in range(5)] == [0, 1, 0, 1, 0]


# -- the map ----------------------------------------------------------------------------------------------------------


def test_a_map_has_a_row_for_each_iteration_and_a_column_where_pages_came() -> None:
    density = memory_of(range(600), [5, 300, 301], range(100_000, 100_010)).density
    assert density.pfns == [0, 256, 512, 100_000 & ~255]
    assert density.rows == [[256, 256, 88, 0], [1, 2, 0, 0], [0, 0, 0, 10]]


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1 << 44), st.integers(1, 300)), max_size=40))
def test_a_map_loses_no_page_however_coarse_it_gets(cells: list[tuple[int, int, int]]) -> None:
    density = Density()
    for iteration, block, pages in cells:
        density.add(iteration, block, pages)
    assert sum(map(sum, density.rows)) == sum(pages for _, _, pages in cells)
    expected = Counter[tuple[int, int]]()
    for iteration, block, pages in cells:
        place = block << BLOCK_BITS >> density.bits << density.bits
        expected[iteration // density.iterations_per_row, place] += pages
    starts = density.pfns
    found = {
        (row, starts[at]): pages for row, line in enumerate(density.rows) for at, pages in enumerate(line) if pages
    }
    assert found == expected


def test_a_map_is_of_bounded_size() -> None:
    density = Density()
    for number in range(50_000):
        density.add(number, number * 7919 << 20, 1)
    assert len(density.rows) <= MOST_ROWS
    assert len(density.pfns) <= MOST_COLUMNS
    assert sum(map(sum, density.rows)) == 50_000


# -- real streams -----------------------------------------------------------------------------------------------------


@requires_corpus
@pytest.mark.parametrize("sample", corpus("save"), ids=repr)
def test_pages_of_a_real_file_are_those_that_a_plain_walk_counts(sample: Sample) -> None:
    compare(sample, walk(sample.unpacked()))


@requires_corpus
@pytest.mark.skipif(shutil.which("tcpflow") is None, reason="tcpflow is not installed")
@pytest.mark.parametrize("sample", corpus("capture"), ids=repr)
def test_pages_of_a_real_capture_are_those_of_a_plain_walk_over_what_tcpflow_takes_out(
    sample: Sample, tmp_path: Path
) -> None:
    path = sample.unpacked()
    subprocess.run(["tcpflow", "-q", "-X", "/dev/null", "-r", path, "-o", tmp_path], check=True, capture_output=True)
    largest = max(tmp_path.iterdir(), key=lambda flow: flow.stat().st_size)
    compare(sample, walk(largest))


def compare(sample: Sample, expected: Counted) -> None:
    (found,) = xenmig("timeline", "--json", sample.unpacked()).json["migrations"]
    memory = found["memory"]
    assert found["records"] == expected.records
    cut = found["truncated"] is not None and found["truncated"]["what"] == "PAGE_DATA"
    assert sum(one["records"] for one in found["iterations"]) == expected.batches + cut
    assert sum(one["pfns"] for one in found["iterations"]) == expected.announced
    assert memory["sent"] == expected.pages.total()
    assert memory["distinct"] == len(expected.pages)
    assert memory["repeated"] == sum(times > 1 for times in expected.pages.values())
    assert memory["sent_again"] == expected.pages.total() - len(expected.pages)
    hottest = sorted(((-times, pfn) for pfn, times in expected.pages.items() if times > 1))[:20]
    assert [(-one["times"], one["pfn"]) for one in memory["hot_pages"]] == hottest
    assert sum(one["complete"] for one in found["epochs"]) == expected.checkpoints
    for one in memory["hot_ranges"]:
        times = [expected.pages[pfn] for pfn in range(one["first_pfn"], one["last_pfn"] + 1)]
        assert one["sent_again"] == sum(times) - sum(map(bool, times))


@requires_corpus
@pytest.mark.parametrize("sample", corpus("save") + corpus("capture"), ids=repr)
def test_batches_of_memory_are_as_many_as_verify_stream_v2_counted(sample: Sample) -> None:
    said = (CORPUS / "logs" / f"{sample.name}.verify.txt").read_text(errors="replace")
    squashed = re.findall(r"Squashed (\d+) Page Data records", said)
    (found,) = xenmig("timeline", "--json", sample.unpacked()).json["migrations"]
    # It gives up at the first checkpoint.
    before = [one["records"] for one in found["iterations"] if one["kind"] != "checkpoint"]
    assert sum(before) == sum(map(int, squashed)) or (not squashed and not found["complete"])
