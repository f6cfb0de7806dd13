"""A stream whose beginning was missed: the decoder finds a record to begin with, or gives up."""

from __future__ import annotations

from random import Random

import pytest

from tests.decoding import decoded, keys, only, others, wanted
from tests.streams import CHECKPOINT, END, PERMISSION, StreamBuilder, batches, checkpointed, guest
from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated
from xenmig.core.decode.events import Complete
from xenmig.core.decode.record import Record
from xenmig.core.decode.stream import SEARCHED_WHEN_JOINED, StreamDecoder

LIVE = guest("libxl", iterations=(40, 20, 10), per_batch=20, permission=True)


@pytest.mark.parametrize("number", range(len(LIVE.expected)))
def test_joined_just_before_any_record_the_next_page_data_or_anchor_is_found(number: int) -> None:
    piece = LIVE.expected[number]
    events = decoded(LIVE.data[piece.offset :], joined=True)
    found = only(events, Resynchronised)
    anchor = next(one for one in LIVE.expected if one.offset == piece.offset + found.offset)
    assert keys(events) == [
        (what, layer, kind, at - piece.offset) for what, layer, kind, at in wanted(LIVE.expected) if at >= anchor.offset
    ]
    following = [one for one in LIVE.expected[number:] if one.type == 1 and one.layer == "libxc"]
    if following:
        assert anchor.offset <= following[0].offset


@pytest.mark.parametrize("number", range(4))
def test_joined_inside_guest_memory_everything_from_the_next_record_on_is_found(number: int) -> None:
    piece = LIVE.at(1, number=number)
    start = piece.offset + 3000
    events = decoded(LIVE.data[start:], joined=True)
    assert keys(events) == [
        (what, layer, kind, at - start) for what, layer, kind, at in wanted(LIVE.expected) if at > start
    ]
    assert (only(events, Resynchronised).offset, only(events, Resynchronised).skipped) == (piece.end - start,) * 2
    assert type(events[-1]) is not Truncated


def test_records_are_numbered_from_the_first_one_found() -> None:
    records = [event for event in decoded(LIVE.data[5000:], joined=True) if isinstance(event, Record)]
    assert [record.index for record in records] == list(range(len(records)))


@pytest.mark.parametrize("colo", [False, True])
def test_checkpointed_streams_can_be_joined(colo: bool) -> None:
    built = checkpointed(4, colo=colo)
    start = built.at(1).offset + 500
    events = decoded(built.data[start:], joined=True)
    assert keys(events) == [
        (what, layer, kind, at - start) for what, layer, kind, at in wanted(built.expected) if at > start
    ]


def test_a_bare_libxc_stream_can_be_joined_and_ended() -> None:
    built = batches(StreamBuilder().libxc(), 40, 20).record(CHECKPOINT)
    batches(built, 20, 20, 100).hvm_state().record(END)
    start = built.at(1).offset + 100
    events = decoded(built.data[start:], joined=True)
    assert keys(events) == [
        (what, layer, kind, at - start) for what, layer, kind, at in wanted(built.expected) if at > start
    ]
    assert type(events[-1]) is Complete
    trailing = only(decoded(built.data[start:] + b"\x77" * 20, joined=True), Trailing)
    assert (trailing.offset, trailing.length) == (len(built.data) - start, 20)


def test_only_permission_may_be_left_to_find() -> None:
    events = decoded(b"\x11" * 5000 + PERMISSION, joined=True)
    assert keys(events) == [("permission", "xl", -1, 5000)]
    assert [type(event) for event in others(events)] == [Resynchronised]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_random_bytes_zeros_or_text(seed: int) -> None:
    random = Random(seed)
    words = b"".join(random.choice([0, 1, 8, 16, 1024, 4104]).to_bytes(4, "little") for _ in range(50_000))
    for noise in (random.randbytes(300_000), bytes(300_000), b"the quick brown fox " * 10_000, words):
        events = decoded(noise, joined=True)
        assert [type(event) for event in events] == [Truncated]


def search(noise: int) -> list[object]:
    """Join with ``noise`` MiB in front of a stream."""
    decoder = StreamDecoder(joined=True)
    piece = b"\xee" * (1 << 20)
    fed = 0
    for _ in range(noise):
        if not decoder.skip:
            decoder.feed(piece, 0, len(piece))
            fed += 1
        else:
            decoder.passed(len(piece))
    stream = batches(StreamBuilder().libxc(), 20, 20).record(END)
    decoder.feed(stream.data, 40, len(stream.data))
    decoder.end()
    assert fed <= (SEARCHED_WHEN_JOINED >> 20) + 1
    return [type(event) for event in decoder.events]


def test_the_search_is_given_up_after_its_bound_and_not_before() -> None:
    assert Resynchronised in search((SEARCHED_WHEN_JOINED >> 20) - 1)
    assert search((SEARCHED_WHEN_JOINED >> 20) + 1) == []


def test_a_place_lost_in_a_known_stream_is_searched_without_bound() -> None:
    built = batches(StreamBuilder().libxc(), 20, 20)
    decoder = StreamDecoder()
    decoder.feed(built.data, 0, len(built.data))
    decoder.hole(8)
    piece = b"\xee" * (8 << 20)
    for _ in range((SEARCHED_WHEN_JOINED >> 23) + 1):
        decoder.feed(piece, 0, len(piece))
        assert not decoder.skip
    decoder.feed(built.data, built.at(1).offset, len(built.data))
    decoder.end()
    assert [type(event) for event in others(decoder.events)] == [Hole, Resynchronised, Truncated]
    assert isinstance(decoder.events[-2], Record)


def test_a_chain_of_false_anchors_is_left_again_and_again() -> None:
    fake = StreamBuilder().pages([7 | 0xF << 60]).record(0xD).data + b"\xff" * 8
    events = decoded(fake * 3000, joined=True)
    assert sum(type(event) is Resynchronised for event in events) == 3000


def test_a_big_endian_stream_is_left_for_a_little_endian_anchor_and_never_hangs() -> None:
    little = batches(StreamBuilder().libxc(), 20, 20)
    big = StreamBuilder(">").libxc().raw(little.data[little.at(1).offset :] * 50)
    events = decoded(big.data)
    assert sum(isinstance(event, Record) for event in events) >= 49
