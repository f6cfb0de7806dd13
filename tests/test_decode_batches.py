"""Runs of full batches say the same as the batches one by one, and only what they say together."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams import END, P2M_FRAMES, PAGE, PAGE_DATA, PV_INFO, STATIC_DATA_END, StreamBuilder
from xenmig.core.check.checker import Checker
from xenmig.core.check.population import Population
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.pfn_rows import RowAhead
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import BatchRun, PageData, Record
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, PageType
from xenmig.core.sources import file

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

XTAB = 0xF
WITHOUT_DATA = [number for number, kind in PageType.known.items() if not kind.facts["data"]]
FULL = 8 + MAX_BATCH_SIZE * (8 + PAGE)
TYPES = {
    "ordinary": (0,),
    "holes": (XTAB,),
    # Mostly without data, so that files stay small.
    "mixed": (*[XTAB] * 20, *PageType.known),
    "of an HVM guest": (*[XTAB] * 20, 0, 0xD),
    "wrong": (*[XTAB] * 1000, 5),
}
WRONGS = {
    "record": (0, "<I", 0x77),
    "length": (4, "<I", FULL + 8),
    "count": (8, "<I", MAX_BATCH_SIZE - 1),
    "reserved word": (12, "<I", 1),
    "pfn": (16 + 8 * 500, "<H", 0xFFFF),
    "first pfn": (16, "<Q", 0x123400),
    "upper pfn": (16 + 8 * 7 + 5, "<B", 1),
    "reserved bits": (16 + 8 * 9 + 6, "<B", 0x10),
    "more reserved bits": (16 + 8 * 1023 + 7, "<B", 0xF1),
}
"What may be wrong with a batch: where, and what stands there then."


def write(path: Path, batches: list[tuple[str, str]], *, first: int = 0, guest: str = "HVM", cut: int = 0) -> None:
    """A libxc stream of batches of such types that go wrong in such a way; pages are a hole in the file."""
    built = StreamBuilder().libxc(type=2 if guest == "HVM" else 1).record(STATIC_DATA_END)
    if guest != "HVM":
        # The last of them lie behind the end of a 32-bit one.
        last = first + len(batches) * MAX_BATCH_SIZE - (1 if guest == "PV" else 1500)
        built.record(PV_INFO, struct.pack("<BBHI", 8 if guest == "PV" else 4, 4 if guest == "PV" else 3, 0, 0))
        built.record(P2M_FRAMES, struct.pack("<IIQ", 0, min(max(last, 0), 0xFFFFFFFF), 1))
    random = Random(repr(batches))
    with path.open("wb") as out:
        out.write(built.data)
        pfn = first
        for kinds, wrong in batches:
            types = random.choices(TYPES[kinds], k=MAX_BATCH_SIZE)
            pages = sum(kind not in WITHOUT_DATA and kind in PageType.known for kind in types)
            words = [number | kind << 60 for number, kind in enumerate(types, pfn)]
            head = bytearray(struct.pack("<IIII", PAGE_DATA, 8 + 8 * len(words) + pages * PAGE, len(words), 0))
            head += struct.pack(f"<{len(words)}Q", *words)
            if wrong:
                at, letter, number = WRONGS[wrong]
                struct.pack_into(letter, head, at, number)
            out.write(head)
            out.seek(pages * PAGE, 1)
            pfn += MAX_BATCH_SIZE
        out.write(struct.pack("<II", END, 0))
        out.truncate(max(0, out.tell() - cut))


def events_of(path: Path, *, runs: bool) -> list[Any]:
    reading = Reading(str(path), runs=runs)
    found: list[Any] = [event for _, events in reading for event in events]
    found.append((reading.input.offset, reading.notices, reading.streams[0].decoder.index))
    reading.close()
    return found


def one_by_one(events: list[Any]) -> list[Any]:
    return [one for event in events for one in (event.records() if isinstance(event, BatchRun) else [event])]


def facts(events: list[Any]) -> list[object]:
    found: list[object] = []
    for event in events:
        if isinstance(event, PageData):
            pfns = (event.pfns.words, event.pfns.with_data, event.pfns.bad_count)
            found.append((event.index, event.offset, event.length, event.count, event.reserved, event.padding, *pfns))
        elif isinstance(event, Record):
            found.append((event.index, event.layer, event.type, event.offset, event.length, event.body, event.padding))
        else:
            found.append((type(event).__name__, getattr(event, "offset", event)))
    return found


def verdict(events: list[Any], *, inside: bool = True) -> tuple[object, ...]:
    checker = Checker("libxc", inside=inside)
    for event in events[:-1]:
        checker.take([event])
    checker.finish()
    kept = [(one.rule, one.offset, one.record, one.message) for one in checker.findings]
    return checker.counts, checker.suppressed, checker.complete, sorted(kept, key=repr)


def runs_in(events: list[Any]) -> list[BatchRun]:
    return [event for event in events if isinstance(event, BatchRun)]


right = st.tuples(st.sampled_from(list(TYPES)), st.just(""))
any_batch = st.one_of(right, right, right, st.tuples(st.sampled_from(list(TYPES)), st.sampled_from(list(WRONGS))))
firsts = st.sampled_from([0, 0, 0, MAX_BATCH_SIZE, 0xFC00, 0xFFFC00, 7, (1 << 52) - 2 * MAX_BATCH_SIZE])


@given(st.lists(any_batch, max_size=6), firsts, st.sampled_from(["HVM", "PV", "PV of 32 bits"]), st.integers(0, 9000))
def test_a_run_of_batches_stands_for_the_same_records_and_findings(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[str, str]], first: int, guest: str, cut: int
) -> None:
    path = tmp_path_factory.mktemp("batches") / "stream"
    write(path, [("ordinary", ""), *batches], first=first, guest=guest, cut=cut if cut > 100 else 0)
    plain, runs = events_of(path, runs=False), events_of(path, runs=True)
    path.unlink()
    assert facts(one_by_one(runs)) == facts(plain)
    assert verdict(runs) == verdict(plain)
    assert verdict(runs, inside=False) == verdict(plain, inside=False)


@pytest.mark.parametrize("guest", ["HVM", "PV"])
@pytest.mark.parametrize("kinds", ["ordinary", "holes", "mixed"])
def test_nearly_all_full_batches_of_a_first_pass_come_as_runs(tmp_path: Path, kinds: str, guest: str) -> None:
    path = tmp_path / "stream"
    # Behind a batch without pages nothing is passed over, and nothing of it is left to the file.
    write(path, [("ordinary", ""), *[(kinds, "")] * 299], guest=guest)
    events = events_of(path, runs=True)
    runs = runs_in(events)
    assert sum(run.count for run in runs) == 299
    assert [run.first for run in runs] == [1024, 129 * 1024, 257 * 1024]
    assert max(run.count for run in runs) == 128
    assert len({id(column) for run in runs for column in run.columns}) == (299 if kinds == "mixed" else len(runs))


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_batch_is_in_no_run(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "stream"
    write(path, [("ordinary", ""), ("holes", ""), ("mixed", ""), ("holes", wrong), ("holes", "")])
    assert [run.count for run in runs_in(events_of(path, runs=True))][:1] == [2]


def test_a_batch_that_is_cut_off_is_in_no_run(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    write(path, [("ordinary", "")] * 4, cut=9)
    assert [run.count for run in runs_in(events_of(path, runs=True))] == [2]


def test_nobody_gets_runs_of_batches_who_did_not_ask(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    write(path, [("ordinary", "")] * 4)
    assert not runs_in(events_of(path, runs=False))


def test_a_system_without_preadv_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stream"
    write(path, [("ordinary", ""), ("mixed", ""), ("holes", ""), ("mixed", "pfn")])
    there = events_of(path, runs=True)
    monkeypatch.setattr(file, "_preadv", file._read_and_copy)
    assert facts(events_of(path, runs=True)) == facts(there)


def test_a_file_that_cannot_be_read_any_more_ends_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stream"
    write(path, [("ordinary", "")] * 8)

    def failing(fd: int, buffers: tuple[bytearray], offset: int) -> int:
        if offset > 4 * FULL:
            raise OSError(5, "Input/output error")
        return preadv(fd, buffers, offset)

    preadv = file._preadv
    monkeypatch.setattr(file, "_preadv", failing)
    events = events_of(path, runs=True)
    assert [run.count for run in runs_in(events)] == [3]
    assert facts(one_by_one(events)) == facts(events_of(path, runs=False))


@given(st.lists(st.integers(0, (1 << 42) - 1), min_size=1, max_size=5), st.sampled_from([b"", bytes(16), b"before  "]))
def test_the_array_made_ready_is_the_one_that_a_sender_would_write(places: list[int], head: bytes) -> None:
    row = RowAhead(places[0] * MAX_BATCH_SIZE, head)
    for place in (*places, places[0] + 1, 0x3F, 0x40, 0x3FFF, 0x4000):
        pfn = place * MAX_BATCH_SIZE
        row.move(pfn)
        assert row.words == head + struct.pack(f"<{MAX_BATCH_SIZE}Q", *range(pfn, pfn + MAX_BATCH_SIZE))


def plain_pages(batches: list[tuple[int, int, int]]) -> list[int]:
    """What :class:`Population` keeps of batches (first pfn, pfns, type), one pfn after the other."""
    pages: list[int] = []
    for first, count, kind in batches:
        for pfn in range(first, first + count):
            kept = kind << 4 | (kind not in (XTAB, 0xD))
            if pfn == len(pages):
                pages.append(kept)
            else:
                pages[pfn] = kept | pages[pfn] & 1
    return pages


later = st.tuples(
    st.integers(0, 4000), st.sampled_from([1, 5, 300, MAX_BATCH_SIZE]), st.sampled_from([0, 4, 0xC, 0xD, XTAB])
)
before = st.lists(
    st.tuples(st.sampled_from([1, 300, MAX_BATCH_SIZE, MAX_BATCH_SIZE]), st.sampled_from([0, 4, 0xC, 0xD, XTAB]))
)


@given(before, st.lists(later, max_size=3), st.booleans())
def test_pages_are_known_however_their_batches_were_taken(
    sizes: list[tuple[int, int]], again: list[tuple[int, int, int]], together: bool
) -> None:
    batches, end = [], 0
    for count, kind in sizes:
        batches.append((end, count, kind))
        end += count
    batches += [one for one in again if one[0] + one[1] <= end]
    population = Population(whole=True)
    for first, count, kind in batches:
        words = struct.pack(f"<{count}Q", *[pfn | kind << 60 for pfn in range(first, first + count)])
        pfns = PfnArray(words, "<")
        if together and first == population.count and count == MAX_BATCH_SIZE:
            population.follow([bytearray(pfns.column)])
        else:
            population.take(pfns, row=True)
    pages = plain_pages(batches)
    assert population.whole
    assert population.count == len(pages)
    for pfn in {0, 1, 299, 300, 1023, 1024, 1500, 2048, len(pages) - 1, len(pages)} - {-1}:
        kept = pages[pfn] if pfn < len(pages) else 0
        assert population.populated(pfn) == bool(kept & 1)
        assert population.type(pfn) == kept >> 4
    for chosen in ([], [0], [5, 1], [1020, 1030], [2000, 1, 1500], [len(pages)], list(range(len(pages)))):
        wanted = all(pfn < len(pages) and pages[pfn] == 1 for pfn in chosen)
        assert population.ordinary(chosen) == wanted
    for kind in (0, 4, 0xC):
        assert population.has(kind) == ((kind << 4 | 1) in pages)
    assert list(population.pages) == pages
