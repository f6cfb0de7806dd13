"""Bytes that a capture does not hold: the decoder goes on where the place is known, and finds it again elsewhere."""

from __future__ import annotations

from random import Random

import pytest

from tests.decoding import decoded, keys, only, others, wanted
from tests.streams import (
    EMULATOR_CONTEXT,
    END,
    HVM_CONTEXT,
    HVM_PARAMS,
    PAGE_DATA,
    PERMISSION,
    TSC_INFO,
    XTAB,
    Piece,
    StreamBuilder,
    batches,
    checkpointed,
    guest,
)
from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated
from xenmig.core.decode.events import Complete, Header
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.decode.record import PageData, Record
from xenmig.core.decode.records import PFN_PIECE

BUILT = guest(iterations=(30, 12), per_batch=6, permission=True)
MIDDLE = BUILT.at(1, number=2)


def record_at(stream: StreamBuilder, piece: Piece, holes: list[tuple[int, int]]) -> Record:
    return next(e for e in decoded(stream.data, holes=holes) if isinstance(e, Record) and e.offset == piece.offset)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(8, 9), (8, 16), (12, 40), (16, 24), (20, 64), (40, 4000), (64, 64 + 4096), (5000, 5001)],
)
def test_a_hole_inside_a_record_whose_header_is_there_costs_nothing_else(begin: int, end: int) -> None:
    hole = (MIDDLE.offset + begin, MIDDLE.offset + end)
    events = decoded(BUILT.data, holes=[hole])
    assert keys(events) == wanted(BUILT.expected)
    record = next(event for event in events if isinstance(event, Record) and event.offset == MIDDLE.offset)
    assert record.missing == end - begin
    found = only(events, Hole)
    assert (found.offset, found.length, found.record) == (hole[0], end - begin, record.index)
    assert [type(event) for event in others(events)] == [Hole, Complete]


def test_a_hole_up_to_the_very_end_of_a_record_costs_nothing_else() -> None:
    for piece in BUILT.records:
        if len(piece.data) > 8 and piece is not BUILT.records[-1]:
            events = decoded(BUILT.data, holes=[(piece.offset + 8, piece.end)])
            assert keys(events) == wanted(BUILT.expected), piece
            record = next(event for event in events if isinstance(event, Record) and event.offset == piece.offset)
            assert (record.missing, record.body) == (len(piece.data) - 8, None)


@pytest.mark.parametrize("there", range(8))
def test_a_hole_in_a_record_header_loses_that_record_only(there: int) -> None:
    events = decoded(BUILT.data, holes=[(MIDDLE.offset + there, MIDDLE.offset + 8)])
    assert keys(events) == wanted(piece for piece in BUILT.expected if piece is not MIDDLE)
    found = only(events, Resynchronised)
    following = BUILT.at(1, number=3)
    assert (found.offset, found.skipped) == (following.offset, following.offset - MIDDLE.offset)
    assert only(events, Hole).record is None


def test_a_hole_over_exactly_one_record_loses_that_record_only() -> None:
    events = decoded(BUILT.data, holes=[(MIDDLE.offset, MIDDLE.end)])
    assert keys(events) == wanted(piece for piece in BUILT.expected if piece is not MIDDLE)
    assert only(events, Resynchronised).offset == MIDDLE.end


def test_a_hole_that_reaches_into_the_next_record_says_how_much_of_the_first_is_missing() -> None:
    events = decoded(BUILT.data, holes=[(MIDDLE.offset + 1000, MIDDLE.end + 4)])
    record = next(event for event in events if isinstance(event, Record) and event.offset == MIDDLE.offset)
    assert record.missing == len(MIDDLE.data) - 1000
    assert only(events, Resynchronised).offset == BUILT.at(1, number=4).offset
    assert only(events, Resynchronised).skipped == BUILT.at(1, number=4).offset - MIDDLE.end


def test_a_record_that_ends_in_a_hole_comes_before_what_the_hole_loses() -> None:
    hole = (MIDDLE.offset + 1000, MIDDLE.end + 4)
    events = decoded(BUILT.data, holes=[hole])
    place = next(number for number, event in enumerate(events) if event.offset == MIDDLE.offset)
    record, lost = events[place : place + 2]
    assert isinstance(record, PageData)
    assert isinstance(lost, Hole)
    assert (lost.offset, lost.length, lost.record) == (hole[0], hole[1] - hole[0], None)


def test_an_end_that_ends_in_a_hole_does_not_complete_the_stream_before_that() -> None:
    built = StreamBuilder().libxc().pages([1]).hvm_state().record(END, bytes(64))
    at = built.at(END).offset + 20
    events = decoded(built.data + bytes(100), holes=[(at, at + 80)])
    assert [type(event) for event in events[-4:]] == [Record, Hole, Complete, Trailing]


@pytest.mark.parametrize("count", [1, 2, 15])
def test_the_next_small_page_data_is_found_too(count: int) -> None:
    built = batches(StreamBuilder().libxc(), 6 * count, count).hvm_state().record(END)
    lost = built.at(1, number=1)
    events = decoded(built.data, holes=[(lost.offset + 4, lost.offset + 8)])
    assert keys(events) == wanted(piece for piece in built.expected if piece is not lost)


def test_the_last_page_data_before_the_end_is_found_when_small() -> None:
    built = StreamBuilder().libxc().pages([1]).pages([2, 3]).record(END)
    lost = built.at(1)
    events = decoded(built.data, holes=[(lost.offset, lost.offset + 8)])
    assert keys(events) == wanted(piece for piece in built.expected if piece is not lost)


@pytest.mark.parametrize(("lost", "found"), [(1, TSC_INFO), (TSC_INFO, HVM_CONTEXT)])
def test_records_other_than_page_data_are_places_to_go_on_from(lost: int, found: int) -> None:
    built = StreamBuilder().libxc().pages([1]).hvm_state().record(END)
    at = built.at(lost).offset
    events = decoded(built.data, holes=[(at, at + 8)])
    assert keys(events) == wanted(piece for piece in built.expected if piece is not built.at(lost))
    assert only(events, Resynchronised).offset == built.at(found).offset


def test_the_emulator_record_leads_back_to_libxl() -> None:
    built = guest("libxl")
    lost = built.at(HVM_PARAMS)
    emulator = built.at(EMULATOR_CONTEXT, layer="libxl")
    events = decoded(built.data, holes=[(lost.offset, lost.offset + 4)])
    assert keys(events) == wanted(
        piece for piece in built.expected if piece.offset < lost.offset or piece.offset >= emulator.offset
    )
    assert type(events[-1]) is Complete


def test_permission_is_found_when_the_end_of_the_stream_is_missing() -> None:
    end = BUILT.at(0, layer="libxl")
    events = decoded(BUILT.data, holes=[(end.offset, end.end)])
    assert keys(events)[-1] == ("permission", "xl", -1, len(BUILT.data) - len(PERMISSION))
    assert type(others(events)[-1]) is Resynchronised


@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, 29), (10, 34), (0, 34)])
def test_a_hole_in_the_configuration_costs_only_the_configuration(first: int, last: int) -> None:
    optional = BUILT.expected[1]
    assert len(optional.data) == 34
    events = decoded(BUILT.data, holes=[(optional.offset + first, optional.offset + last)])
    assert keys(events) == wanted(piece for piece in BUILT.expected if piece is not optional)


def test_a_hole_in_a_configuration_too_large_to_keep_costs_nothing_else() -> None:
    built = StreamBuilder().libvirt(b"x" * (KEPT_BODY + 1000)).libxl().emulator().record(0)
    for begin, end in ((KEPT_BODY, KEPT_BODY + 500), (KEPT_BODY + 900, KEPT_BODY + 1000)):
        events = decoded(built.data, holes=[(64 + begin, 64 + end)])
        assert keys(events) == wanted(built.expected)


@pytest.mark.parametrize("number", [2, 4, 5])
def test_a_hole_in_a_header_of_known_size_costs_only_that_header(number: int) -> None:
    built = guest()
    header = [piece for piece in built.expected if piece.what == "header"][min(number, 5) - (number > 2)]
    assert len(header.data) in (16, 24)
    for begin, end in ((0, 1), (3, 9), (8, len(header.data)), (0, len(header.data))):
        events = decoded(built.data, holes=[(header.offset + begin, header.offset + end)])
        assert keys(events) == wanted(piece for piece in built.expected if piece is not header)


def test_a_hole_over_the_save_header_loses_the_place_until_the_first_anchor() -> None:
    events = decoded(BUILT.data, "xl", holes=[(10, 48)])
    assert keys(events) == wanted(BUILT.expected[2:])


def test_a_hole_in_a_large_body_its_padding_or_an_array_in_pieces_keeps_the_place() -> None:
    entries = PFN_PIECE // 8 * 2 + 5
    built = StreamBuilder().libxc().record(HVM_CONTEXT, bytes(KEPT_BODY + 3))
    built.pages([number | XTAB for number in range(entries - 1)] + [1 << 40]).record(END)
    body, pages = built.at(HVM_CONTEXT), built.at(1)
    for begin, end in (
        (body.offset + 100, body.offset + 200),
        (body.end - 6, body.end),
        (body.end - 5, body.end),
        (body.end - 3, body.end - 1),
        (pages.offset + 16 + PFN_PIECE + 3, pages.offset + 16 + PFN_PIECE + 100),
        (pages.offset + 100, pages.end),
    ):
        events = decoded(built.data, holes=[(begin, end)])
        assert keys(events) == wanted(built.expected)
        assert sum(event.missing for event in events if isinstance(event, Record)) == end - begin


def test_a_hole_after_the_end_is_counted_with_what_trails() -> None:
    stream = guest().data
    trailing = only(decoded(stream + bytes(100), holes=[(len(stream) + 10, len(stream) + 50)]), Trailing)
    assert (trailing.offset, trailing.length, trailing.data) == (len(stream), 100, bytes(60))


def test_the_end_of_input_right_after_a_hole_is_a_truncation_of_the_same_record() -> None:
    hole = (MIDDLE.offset + 100, MIDDLE.offset + 200)
    events = decoded(BUILT.data[: hole[1]], holes=[hole])
    cut = only(events, Truncated)
    assert (cut.offset, cut.available, cut.missing) == (MIDDLE.offset, 200, len(MIDDLE.data) - 200)
    assert cut.partial is not None
    assert cut.partial.missing == 100


def test_headers_in_guest_memory_are_not_taken_for_the_streams_own() -> None:
    inner = guest("libxl", "PVH", iterations=()).data[:64]
    built = StreamBuilder().libxl().record(1).libxc().static_data(3).pages([1, 2], inner).pages(range(5, 25))
    lost = built.at(1)
    events = decoded(built.data, holes=[(lost.offset, lost.offset + 8)])
    assert only(events, Resynchronised).offset == built.at(1, number=1).offset
    assert sum(type(event) is Header for event in events) == 3


@pytest.mark.parametrize("seed", range(12))
def test_what_can_be_found_is_found_with_every_third_header_missing(seed: int) -> None:
    random = Random(seed)
    built = guest(iterations=(160, 60, 30), per_batch=random.choice([1, 3, 8, 16]), permission=True)
    holes = []
    at = 0
    for piece in built.records:
        if piece.layer == "libxc" and piece.offset >= at and random.random() < 0.3:
            begin = max(at, piece.offset - random.randrange(100))
            at = min(piece.offset + random.randrange(1, 1448), len(built.data))
            holes.append((begin, at))
            at += 1
    events = decoded(built.data, holes=holes, random=Random(seed))
    found = {event.offset for event in events if isinstance(event, Record)}
    assert found <= {piece.offset for piece in built.records}
    previous_known = False
    checked = 0
    for piece in built.records:
        pfns = 8 * int.from_bytes(piece.data[8:12], "little") if piece.type == 1 and piece.layer == "libxc" else 0
        needed = (piece.offset, piece.offset + (16 + pfns if pfns else 8))
        there = all(end <= needed[0] or begin >= needed[1] for begin, end in holes)
        if there and (pfns or previous_known):
            assert piece.offset in found, piece
            checked += 1
        previous_known = piece.offset in found
    assert checked >= 8


@pytest.mark.parametrize("seed", range(6))
def test_with_only_pages_missing_every_record_is_found(seed: int) -> None:
    random = Random(seed)
    holes = []
    for piece in BUILT.records:
        if piece.type == 1 and piece.layer == "libxc" and random.random() < 0.5:
            begin = piece.offset + 100 + random.randrange(2000)
            holes.append((begin, begin + 1448))
    events = decoded(BUILT.data, holes=holes, random=random)
    assert keys(events) == wanted(BUILT.expected)
    assert sum(event.missing for event in events if isinstance(event, Record)) == 1448 * len(holes) > 0


def test_a_hole_in_a_checkpoint_is_survived_in_both_layers() -> None:
    built = checkpointed(3, colo=True)
    lost = built.at(1, number=2)
    events = decoded(built.data, holes=[(lost.offset, lost.offset + 8)])
    assert keys(events) == wanted(piece for piece in built.expected if piece is not lost)


def test_every_single_hole_of_some_bytes_leaves_true_records_only() -> None:
    built = guest("libxl", "HVM", version=2, iterations=(17, 3), per_batch=17)
    true = set(wanted(built.expected))
    for begin in range(0, len(built.data) - 40, 97):
        for size in (1, 8, 40):
            events = decoded(built.data, holes=[(begin, begin + size)])
            assert set(keys(events)) <= true, begin
            page_data = [event for event in events if isinstance(event, PageData)]
            assert page_data or begin < 100


def test_a_page_data_cut_by_a_second_hole_is_found_while_the_place_is_lost() -> None:
    """The header of the second is there and a part of its array; the header of the first and of the third are not."""
    built = guest("libxl", iterations=(192,), per_batch=64)
    first, second, third = (built.at(PAGE_DATA, number=number) for number in range(3))
    holes = [(first.offset, first.offset + 16), (second.offset + 16 + 8 * 20, second.offset + 16 + 8 * 40)]
    holes.append((third.offset, third.offset + 16))
    events = decoded(built.data, holes=holes)
    assert second.key in keys(events)
    assert third.key not in keys(events)
    assert next(event.offset for event in others(events) if isinstance(event, Resynchronised)) == second.offset
