"""What the receiver of ``xl migrate`` says: texts, a status byte, and with COLO the records of the back channel."""

from __future__ import annotations

import pytest

from tests.decoding import keys, listened, only, others, wanted
from tests.streams import BANNER, CHECKPOINT_STATE, PERMISSION, READY, REPORT, StreamBuilder, answers, back_channel
from xenmig.core.decode.conversation import KEPT_LIST
from xenmig.core.decode.damage import Hole, Truncated, Unrecognised
from xenmig.core.decode.events import Message
from xenmig.core.decode.recognise import recognise
from xenmig.core.decode.record import DirtyPfnList, Record
from xenmig.core.definitions import xl


@pytest.mark.parametrize("status", [0, 3, 6, 0x21, 0xFF])
def test_the_whole_conversation_is_understood(status: int) -> None:
    built = answers(status)
    events = listened(built.data)
    assert keys(events) == wanted(built.expected)
    assert others(events) == []
    assert [event.status for event in events if isinstance(event, Message)].count(status) == 1
    lengths = [event.length for event in events if isinstance(event, Message)]
    assert lengths == ([54, 34, 39, 1, 44] if status else [54, 34, 39, 1])


def test_the_status_byte_is_a_negated_libxl_error() -> None:
    assert str(xl.MigrationError(6)) == "6 (INVAL)"
    assert xl.MigrationError(0xFF).name == "NO_PERMISSION"
    assert xl.MigrationError(200).name is None


def test_every_prefix_says_what_is_cut_and_between_messages_nothing_is() -> None:
    built = answers(3)
    for length in range(len(built.data) + 1):
        events = listened(built.data[:length])
        whole = [piece for piece in built.expected if piece.end <= length]
        assert keys(events) == wanted(whole)
        begin = whole[-1].end if whole else 0
        if length == begin and (not whole or whole[-1].what != "report"):
            assert others(events) == []
            continue
        cut = only(events, Truncated)
        piece = built.expected[len(whole)]
        assert (cut.what, cut.offset) == (piece.what, begin)
        assert (cut.available, cut.missing) == (length - begin, piece.end - length)


@pytest.mark.parametrize("greeting", [b"W", b"Welcome to this host\n", b"motd\n" * 800, b"xl migration of what?\n"])
def test_a_greeting_in_front_of_the_banner_is_reported_and_the_conversation_goes_on(greeting: bytes) -> None:
    for step in (0, 1, 37):
        events = listened(greeting + answers().data, step=step)
        found = only(events, Unrecognised)
        assert (found.kind, found.layer, found.offset, found.data) == ("message", "xl", 0, greeting[:64])
        assert [event.name for event in events if isinstance(event, Message)] == ["banner", "ready", "report", "status"]


def test_what_never_becomes_a_conversation_is_reported_once() -> None:
    for noise in (b"bash: xl: command not found\n", b"\xff" * 100_000, b"z" * 4200 + BANNER):
        events = listened(noise)
        assert len(events) == 1
        assert only(events, Unrecognised).data == noise[:64]


def test_noise_between_texts_is_reported_and_passed() -> None:
    events = listened(BANNER + b"libxl: error\n" + READY + REPORT + b"\0")
    assert only(events, Unrecognised).offset == 54
    assert [event.name for event in events if isinstance(event, Message)] == ["banner", "ready", "report", "status"]


def test_bytes_after_the_conversation_are_reported() -> None:
    events = listened(answers().data + b"more")
    assert only(events, Unrecognised).data == b"more"


@pytest.mark.parametrize("long_header", [False, True])
@pytest.mark.parametrize("dirty", [0, 1, 4, 2000])
@pytest.mark.parametrize("step", [0, 1, 13])
def test_the_back_channel_is_read_with_either_header(long_header: bool, dirty: int, step: int) -> None:
    built = back_channel(3, dirty=dirty, long_header=long_header)
    events = listened(built.data, step=step)
    assert keys(events) == wanted(built.expected)
    assert others(events) == []
    lists = [event for event in events if isinstance(event, DirtyPfnList)]
    assert [event.header_end for event in lists] == [bytes(8) if long_header else b""] * 2
    for number, event in enumerate(lists):
        assert event.body == b"".join(pfn.to_bytes(8, "little") for pfn in range(number, number + dirty))
    assert [event.index for event in events if isinstance(event, Record)] == list(range(len(built.records)))


@pytest.mark.parametrize("long_header", [False, True])
def test_a_list_too_large_to_keep_is_passed_over(long_header: bool) -> None:
    built = back_channel(2, dirty=KEPT_LIST // 8 + 10, long_header=long_header)
    for step in (0, 99_991):
        events = listened(built.data, step=step)
        assert keys(events) == wanted(built.expected)
        found = only(events, DirtyPfnList)
        assert (found.body, len(found.header_end)) == (None, 8 * long_header)


@pytest.mark.parametrize("long_header", [False, True])
def test_a_list_at_the_end_of_input_is_read_with_either_header(long_header: bool) -> None:
    built = back_channel(2, dirty=4, long_header=long_header)
    piece = built.at(0xF)
    events = listened(built.data[: piece.end])
    assert keys(events)[-1] == piece.key
    assert others(events) == []


def test_checkpoint_states_carry_their_layer_and_body() -> None:
    states = [event for event in listened(back_channel(1).data) if isinstance(event, Record)]
    assert [(state.layer, state.type, state.body, state.padding) for state in states] == [
        ("libxl", CHECKPOINT_STATE, b"\2\0\0\0", bytes(4)),
        ("libxl", CHECKPOINT_STATE, b"\3\0\0\0", bytes(4)),
    ]


def test_records_without_a_banner_are_believed_only_when_the_beginning_was_missed() -> None:
    records = back_channel(2).data[54:]
    assert len(keys(listened(records, joined=True))) == 6
    assert keys(listened(records)) == []
    assert only(listened(records), Unrecognised).offset == 0


@pytest.mark.parametrize("text", [READY, REPORT])
def test_a_conversation_joined_in_the_middle_goes_on_from_any_text(text: bytes) -> None:
    said = answers().data
    events = listened(said[said.index(text) :], joined=True)
    assert others(events) == []
    assert recognise(text) == "xl receiver"
    assert recognise(text[:20]) is None


def test_permission_is_not_taken_for_a_receivers_text() -> None:
    assert recognise(PERMISSION[:20]) == ""


@pytest.mark.parametrize("length", [5, 0x08000008, 0xFFFFFFF8])
def test_a_list_of_an_impossible_length_is_reported(length: int) -> None:
    built = StreamBuilder().text("banner", BANNER).raw(b"\x0f\0\0\0" + length.to_bytes(4, "little") + bytes(100))
    assert only(listened(built.data), Unrecognised).offset == 54


def test_a_hole_in_the_conversation_is_reported_and_the_next_text_understood() -> None:
    events = listened(answers().data, holes=[(60, 88)])
    assert (only(events, Hole).offset, only(events, Hole).length) == (60, 28)
    assert [event.name for event in events if isinstance(event, Message)] == ["banner", "report", "status"]
    assert keys(listened(answers().data, holes=[(0, 54)])) == wanted(answers().expected[1:])


def test_a_hole_in_a_list_too_large_to_keep_costs_nothing_else() -> None:
    built = back_channel(2, dirty=KEPT_LIST // 8 + 10)
    piece = built.at(0xF)
    events = listened(built.data, holes=[(piece.offset + 1000, piece.offset + 3000)])
    assert keys(events) == wanted(built.expected)
    assert only(events, DirtyPfnList).missing == 2000
