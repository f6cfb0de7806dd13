"""Rules over the pages that a guest is started with, and over what is in its page tables."""

from __future__ import annotations

from random import Random
from struct import pack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import every_sample
from tests.corpus import Sample, requires_corpus
from tests.decoding import deliver
from tests.guests import Guest, put, start_info, table
from tests.streams import P2M_FRAMES, PAGE_DATA, PV_INFO, StreamBuilder
from xenmig.core.check import page_tables
from xenmig.core.check.checker import Checker
from xenmig.core.check.control_registers import CR4_FEATURES, not_allowed_in_cr4
from xenmig.core.check.rules import RULES
from xenmig.core.decode.events import Page
from xenmig.core.decode.page_contents import PageContentsDecoder
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.definitions.cpu_policy import CpuPolicy
from xenmig.core.definitions.libxc import CpuidLeaf, PageType
from xenmig.core.definitions.vcpu import X86PvVcpuBasic64

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Guest], object]


def types(**changed: int) -> Change:
    """Give pages other types: ``p7=0xC``."""
    return lambda guest: guest.types.update({int(pfn[1:]): kind for pfn, kind in changed.items()})


def basic(**values: int | bytes) -> Change:
    return lambda guest: setattr(guest, "basic", put(X86PvVcpuBasic64, guest.basic, **values))


def page(pfn: int, data: bytes) -> Change:
    """Put something else into a page."""
    return lambda guest: guest.pages.update({pfn: data})


def without_pinned_root(guest: Guest) -> None:
    guest.types.update({7: 4, 8: 4})


STARTED: list[tuple[str, Change]] = [
    ("pv-page-missing", types(p8=0xF)),
    ("pv-page-missing", types(p9=0xF)),
    ("pv-page-missing", types(p5=0xF)),
    ("pv-page-missing", types(p0=0xD)),
    ("pv-page-type", types(p7=3, p20=0xC)),
    ("pv-page-type", types(p8=1)),
    ("pv-page-type", types(p9=1)),
    ("pv-page-type", types(p6=9)),
    ("pv-page-type", types(p0=2)),
    ("pv-page-type", basic(cr3=20 << 12)),
    ("pv-page-type", basic(cr1=20 << 12 | 1)),
    ("pv-page-type", lambda guest: guest.__dict__.update(p2m=(0, 1023, [5, 7]))),
    ("pv-pinned-root", without_pinned_root),
]
DEEP: list[tuple[str, Change]] = [
    ("pv-start-info", page(9, start_info(10, 11, b"yen-3.0"))),
    ("pv-start-info", basic(user_regs__rdx=10)),
    ("pv-start-info-pfn", page(9, start_info(1024, 11))),
    ("pv-start-info-pfn", page(9, start_info(10, 1 << 40))),
    ("pv-start-info-pfn", types(p10=0xF)),
    ("page-table-range", page(14, table({3: 1024}))),
    ("page-table-range", page(14, table({3: 1 << 39, 4: 1 << 39}))),
    ("page-table-large", page(12, table({1: 13}, 0xE7))),
    ("page-table-xen", page(7, table({0: 12, 256: 12}))),
    ("page-table-xen", page(7, table({271: 12}))),
    ("page-table-level", page(7, table({0: 13}))),
    ("page-table-level", page(12, table({0: 20}))),
    ("page-table-level", types(p14=0)),
    ("page-table-missing", types(p14=0xF)),
]


@pytest.mark.parametrize(("rule", "change"), STARTED, ids=[f"{n}-{one[0]}" for n, one in enumerate(STARTED)])
def test_one_wrong_page_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    assert set(guest.found()) == {rule}


@pytest.mark.parametrize(("rule", "change"), DEEP, ids=[f"{n}-{one[0]}" for n, one in enumerate(DEEP)])
def test_one_wrong_word_in_a_page_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    assert guest.found() == {}
    guest.deep = True
    found = guest.found()
    assert set(found) == {rule}, found


def test_nothing_is_found_in_the_pages_of_a_sound_guest() -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    assert guest.found() == {}


@pytest.mark.parametrize(
    "change",
    [
        page(14, table({3: 1024}, 0x66)),
        page(14, table({3: 1}, 0xE7)),
        page(7, table({0: 12, 300: 7})),
        page(7, table({255: 12, 272: 12})),
        # A table that nothing pinned leads to may be stale.
        lambda guest: (types(p20=3)(guest), page(20, table({0: 30}))(guest)),
    ],
)
def test_what_real_guests_have_in_their_tables_is_let_pass(change: Change) -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    change(guest)
    assert guest.found() == {}


def test_the_last_content_of_a_page_counts() -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    first = pack("<1024Q", *(pfn | {12: 0xF, 13: 0}.get(pfn, guest.types.get(pfn, 0)) << 60 for pfn in range(1024)))
    last = pack("<3Q", 12 | 3 << 60, 13 | 2 << 60, 14)
    guest.batches = [first, last]
    assert set(guest.found()) == {"page-table-level"}
    guest.batches.append(pack("<Q", 14 | 1 << 60))
    assert guest.found() == {}


def test_an_older_start_info_page_does_not_count() -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    events = guest.events()
    where = next(index for index, event in enumerate(events) if type(event) is PageData)
    batch = events[where]
    assert isinstance(batch, PageData)
    again = PageData(99, batch.offset, batch.length, b"", "<", 1024, 0, batch.pfns)
    tables = [event for event in events if isinstance(event, Page) and event.type]
    guest.events = lambda: [*events[: where + 1], *tables, again, *events[where + 1 :]]  # type: ignore[method-assign]
    assert set(guest.found()) == {"pv-start-info"}


def test_memory_of_nothing_but_zeros_has_no_start_info_to_look_for() -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    events = guest.events()
    for event in events:
        if isinstance(event, Page):
            event.data = bytes(4096)
    guest.events = lambda: [one for one in events if not isinstance(one, Page) or one.type]  # type: ignore[method-assign]
    assert guest.found() == {}


def test_nothing_is_said_of_pages_when_part_of_memory_was_missed() -> None:
    for deep in (False, True):
        guest = Guest(hvm=False)
        guest.deep = deep
        guest.types = {}
        missed = guest.events()
        for event in missed:
            if isinstance(event, PageData):
                # The capture lacks the end of the array, and with it all pages: which pages came is not known.
                event.pfns = event.pfns.part(0, event.pfns.count - 1)
                event.missing = event.length
        guest.events = lambda missed=missed: missed  # type: ignore[method-assign,misc]
        assert guest.found() == {}


def test_a_page_of_which_bytes_are_missing_may_have_been_start_info() -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    events = [event for event in guest.events() if not (isinstance(event, Page) and event.pfn == 9)]
    guest.events = lambda: events  # type: ignore[method-assign]
    assert set(guest.found()) == {"pv-start-info"}
    for event in events:
        if isinstance(event, PageData):
            event.missing = 100
    assert guest.found() == {}


@pytest.mark.parametrize("missing", [0, 100])
def test_a_table_that_came_again_with_bytes_missing_is_not_followed(missing: int) -> None:
    guest = Guest(hvm=False)
    guest.deep = True
    guest.pages[7] = table({0: 13})
    assert set(guest.found()) == {"page-table-level"}
    events = guest.events()
    where = next(index for index, event in enumerate(events) if type(event) is PageData)
    first = events[where]
    assert isinstance(first, PageData)
    words = PfnArray(pack("<Q", 7 | 0xC << 60), "<")
    again = PageData(99, first.offset + 8, 8 + 8 + 4096, b"", "<", 1, 0, words, missing)
    content = [] if missing else [Page(first.offset + 32, 99, 7, PageType(0xC), table({0: 12}))]
    guest.events = lambda: [*events[: where + 1], *content, again, *events[where + 1 :]]  # type: ignore[method-assign]
    assert guest.found() == {}


def test_links_beyond_the_limit_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_tables, "LINKS_MAX", 2 * page_tables.TABLE_COST + 2)
    guest = Guest(hvm=False)
    guest.deep = True
    assert set(guest.found()) == {"page-table-many"}


def test_a_32_bit_guest_has_its_own_slots_for_xen() -> None:
    guest = Guest(hvm=False)
    guest.deep, guest.width = True, 4
    guest.types = {7: 0xB}
    guest.pages = {7: table({3: 12})}
    assert "page-table-xen" not in guest.found()
    guest.pages = {7: table({4: 12})}
    assert "page-table-xen" in guest.found()


@given(
    st.dictionaries(
        st.sampled_from([7, 8, 9, 12, 13, 14, 20]), st.sampled_from([0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 15])
    ),
    st.dictionaries(st.sampled_from([7, 9, 12, 13, 14, 20]), st.binary(max_size=64)),
    st.sampled_from([4, 8]),
)
def test_rules_never_raise_whatever_is_in_the_pages(
    kinds: dict[int, int], starts: dict[int, bytes], width: int
) -> None:
    guest = Guest(hvm=False)
    guest.deep, guest.width = True, width
    guest.types.update(kinds)
    for pfn, start in starts.items():
        guest.pages[pfn] = (start * 256)[:4096].ljust(4096, b"\0")
    assert isinstance(guest.found(), dict)


def test_a_finding_in_a_page_says_where_it_is() -> None:
    builder = StreamBuilder().libxc(type=1).record(PV_INFO, bytes([8, 4, 0, 0, 0, 0, 0, 0]))
    builder.record(P2M_FRAMES, pack("<IIQ", 0, 3, 1))
    at = len(builder.data)
    pages = bytes(4096) + table({6: 77})
    builder.record(PAGE_DATA, pack("<IIQQ", 2, 0, 0, 1 | 1 << 60) + pages).record(0)
    checker = Checker("libxc", inside=True, deep=True)
    checker.take([*deliver(PageContentsDecoder("libxc"), builder.data)])
    (finding,) = [one for one in checker.findings if one.rule == "page-table-range"]
    assert finding.record == 2
    assert finding.offset == at + 8 + 8 + 16 + 4096 + 6 * 8
    assert finding.message == (
        "a page: pfn 0x1, of type 0x1 (L1TAB): entry 6 leads to pfn 0x4d: the last pfn of the guest is 0x3"
    )


# -- HVM guests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [1, 17])
def test_rings_of_an_hvm_guest_lie_in_its_memory(index: int) -> None:
    guest = Guest(hvm=True)
    guest.params = [(index, 1023)]
    assert guest.found() == {}
    guest.params = [(index, 1024)]
    assert set(guest.found()) == {"hvm-param-page"}
    guest.params = [(5, 1024)]
    assert guest.found() == {}


@pytest.mark.parametrize("bit", CR4_FEATURES)
def test_a_bit_of_cr4_needs_its_feature(bit: int) -> None:
    leaves = {1: [0, 0, 0, 0], 7: [0, 0, 0, 0]}
    for (leaf, register), feature in CR4_FEATURES[bit]:
        policy = CpuPolicy(map(_leaf, leaves.items()))
        assert not_allowed_in_cr4(1 << bit, policy) == 1 << bit
        leaves[leaf]["abcd".index(register)] |= 1 << feature
        assert not_allowed_in_cr4(1 << bit, CpuPolicy(map(_leaf, leaves.items()))) == 0
        leaves[leaf]["abcd".index(register)] = 0
    assert not_allowed_in_cr4(1 << bit, CpuPolicy([])) == 0


def _leaf(one: tuple[int, list[int]]) -> CpuidLeaf:
    number, registers = one
    leaf: CpuidLeaf = CpuidLeaf.decode(pack("<6I", number, 0 if number == 7 else 0xFFFFFFFF, *registers))
    return leaf


# -- decoding -----------------------------------------------------------------------------------------------------


def pv_stream(*words: int, type: int = 1, more: bytes = b"", libxl: bool = False) -> StreamBuilder:
    """A PV stream with one PAGE_DATA, whose pages begin with their place in it."""
    builder = StreamBuilder()
    builder.libxc(type=type).record(PV_INFO, bytes([8, 4, 0, 0, 0, 0, 0, 0]))
    data = [b"xen-" + bytes(4092) if word >> 60 == 0 else pack("<Q", word & 0xFF) * 512 for word in words]
    pages = b"".join(one for one, word in zip(data, words, strict=True) if word >> 60 < 0xD)
    body = pack(f"<II{len(words)}Q", len(words), 0, *words) + pages + more
    return builder.record(PAGE_DATA, body).record(0)


WORDS = (1, 2 | 1 << 60, 3 | 0xF << 60, 4 | 0xC << 60, 5 | 0xD << 60, 6 | 2 << 60)


def shown(events: list[object]) -> list[tuple[int, int, int, bytes]]:
    return [(one.offset, one.pfn, int(one.type), one.data[:8]) for one in events if isinstance(one, Page)]


def decoded(stream: bytes, **how: object) -> list[object]:
    return [*deliver(PageContentsDecoder("libxc"), stream, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize("more", [b"", b"abc", bytes(4096)])
@pytest.mark.parametrize("step", [0, 1, 7, 1000, 4096, 5000])
def test_pages_worth_a_look_come_before_their_record(step: int, more: bytes) -> None:
    stream = pv_stream(*WORDS, more=more).data
    events = decoded(stream, step=step)
    found = shown(events)
    assert [one[1:3] for one in found] == [(1, 0), (2, 1), (4, 12), (6, 2)]
    assert [one[3] for one in found] == [b"xen-" + bytes(4), *(pack("<Q", pfn) for pfn in (2, 4, 6))]
    assert all(stream[offset : offset + 8] == start for offset, _, _, start in found)
    others = [type(one).__name__ for one in events if not isinstance(one, Page)]
    assert others == [type(one).__name__ for one in deliver(StreamDecoder("libxc"), stream)]
    last = max(index for index, one in enumerate(events) if isinstance(one, Page))
    (record,) = [index for index, one in enumerate(events) if isinstance(one, PageData)]
    assert record == last + 1


@pytest.mark.parametrize("seed", range(20))
def test_however_the_bytes_come_the_pages_are_the_same(seed: int) -> None:
    stream = pv_stream(*WORDS).data
    assert shown(decoded(stream, random=Random(seed))) == shown(decoded(stream))


def test_memory_of_an_hvm_guest_is_passed_over() -> None:
    decoder = PageContentsDecoder("libxc")
    assert shown([*deliver(decoder, pv_stream(*WORDS, type=2).data)]) == []


@pytest.mark.parametrize("cut", range(0, 4 * 4096 + 100, 333))
def test_a_stream_that_is_cut_off_shows_the_pages_before(cut: int) -> None:
    stream = pv_stream(*WORDS).data
    whole = shown(decoded(stream))
    events = decoded(stream[: len(stream) - cut])
    assert shown(events) == [one for one in whole if one[0] + 4096 <= len(stream) - cut]
    plain = deliver(StreamDecoder("libxc"), stream[: len(stream) - cut])
    others = [(type(one).__name__, one.offset) for one in events if not isinstance(one, Page)]  # type: ignore[attr-defined]
    assert others == [(type(one).__name__, one.offset) for one in plain]


@pytest.mark.parametrize("start", range(100, 4 * 4096, 777))
@pytest.mark.parametrize("size", [1, 5000])
def test_pages_behind_a_hole_in_their_record_are_passed_over(start: int, size: int) -> None:
    stream = pv_stream(*WORDS).data
    holes = [(start, min(start + size, len(stream) - 8))]
    whole = shown(decoded(stream))
    events = decoded(stream, holes=holes)
    assert shown(events) == [one for one in whole if one[0] + 4096 <= start]
    plain = deliver(StreamDecoder("libxc"), stream, holes=holes)
    others = [(type(one).__name__, one.offset) for one in events if not isinstance(one, Page)]  # type: ignore[attr-defined]
    assert others == [(type(one).__name__, one.offset) for one in plain]


def test_an_array_that_is_wrong_is_not_gone_through() -> None:
    assert shown(decoded(pv_stream(1, 2 | 5 << 60, 3 | 1 << 60).data)) == []
    short = bytearray(pv_stream(1 | 1 << 60, 2 | 1 << 60).data)
    at = 24 + 16 + 16 + 8
    short[at : at + 4] = pack("<I", 3)
    assert shown(decoded(bytes(short))) == []


# -- real streams -------------------------------------------------------------------------------------------------


@requires_corpus
@pytest.mark.parametrize("one", every_sample(), ids=str)
def test_nothing_is_found_in_the_pages_of_real_guests(one: Sample) -> None:
    ours = {rule for rule in RULES if rule.startswith(("page-table-", "pv-", "hvm-"))}
    checkers: dict[object, Checker] = {}
    pages = 0
    for stream, events in Reading(str(one.unpacked()), deep=True):
        checker = checkers.setdefault(stream, Checker(stream.kind, inside=True, deep=True))
        checker.take(events)
        pages += sum(isinstance(event, Page) for event in events)
    found = [finding for checker in checkers.values() for finding in checker.findings]
    assert [finding for finding in found if finding.rule in ours or finding.severity == "warning"] == []
    assert (pages > 0) == one.name.startswith("pv-")
