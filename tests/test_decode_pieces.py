"""However the bytes of a stream arrive, the events are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding import PACKET, decoded, described, listened
from tests.streams import (
    BANNER,
    CONFIG,
    HVM_CONTEXT,
    PERMISSION,
    READY,
    REPORT,
    VARIETIES,
    StreamBuilder,
    answers,
    back_channel,
    guest,
)
from xenmig.core.decode.events import Header, Message
from xenmig.core.decode.record import PageData, Record
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from random import Random

SMALL = guest("xl", "HVM", version=2, iterations=(2,), permission=True).data

BACK_CHANNEL = back_channel(2).data[len(BANNER) :]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 8, 9, 1448])
@pytest.mark.parametrize("name", VARIETIES)
def test_pieces_of_any_size_give_the_same_events(name: str, step: int) -> None:
    stream = VARIETIES[name].data
    assert described(decoded(stream, step=step)) == described(decoded(stream))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A stream with a few places overwritten, cut out, put in or repeated; sometimes no stream at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=3000))
    built = VARIETIES[draw(st.sampled_from(sorted(VARIETIES)))]
    stream = bytearray(built.data)
    for _ in range(draw(st.integers(0, 4))):
        piece = draw(st.sampled_from(built.expected))
        at = min(piece.offset + draw(st.integers(0, 24)), len(stream))
        size = draw(st.sampled_from([1, 4, 8, 24, 4096]))
        match draw(st.integers(0, 3)):
            case 0:
                stream[at : at + 1] = draw(st.sampled_from([b"\0", b"\1", b"\xff", b"\x7f"]))
            case 1:
                del stream[at : at + size]
            case 2:
                stream[at:at] = draw(st.binary(min_size=1, max_size=64))
            case _:
                source = draw(st.sampled_from(built.expected)).offset
                stream[at:at] = stream[source : source + size]
    return bytes(stream)


@st.composite
def ranges(draw: st.DrawFn, size: int) -> list[tuple[int, int]]:
    """Some ranges of a stream, in order and apart."""
    found: list[tuple[int, int]] = []
    at = 0
    for _ in range(draw(st.integers(0, 3))):
        at += draw(st.integers(0, 6000))
        end = at + draw(st.sampled_from([1, 4, 8, 16, 100, 1448, 4096, 9000]))
        if end > size:
            break
        found.append((at, end))
        at = end + 1
    return found


@pytest.mark.fuzz
@given(st.data(), damaged(), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_damaged_streams_with_holes_give_the_same_events_in_any_pieces(
    data: st.DataObject, stream: bytes, joined: bool, packets: bool, random: Random
) -> None:
    if joined:
        stream = stream[data.draw(st.integers(0, len(stream))) :]
    holes = data.draw(ranges(len(stream)))
    whole = described(decoded(stream, joined=joined, holes=holes, packets=packets))
    for _ in range(2):
        assert described(decoded(stream, joined=joined, holes=holes, packets=packets, random=random)) == whole


@pytest.mark.fuzz
@given(
    st.data(),
    st.lists(st.sampled_from([BANNER, READY, REPORT, b"\0", b"\3", PERMISSION, b"hi", BACK_CHANNEL, b"\5\0\0\0"])),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_a_receiver_says_gives_the_same_events_in_any_pieces(
    data: st.DataObject, said: list[bytes], joined: bool, random: Random
) -> None:
    stream = b"".join(said)
    holes = data.draw(ranges(len(stream)))
    whole = described(listened(stream, joined=joined, holes=holes))
    assert described(listened(stream, joined=joined, holes=holes, step=1)) == whole
    assert described(listened(stream, joined=joined, holes=holes, random=random)) == whole


def test_a_source_that_reads_what_is_needed_always_gets_on() -> None:
    built = StreamBuilder().xl(CONFIG * 900).libxl().record(1).libxc().pages(range(1024)).hvm_state().record(0)
    stream = built.back_to_libxl().emulator(100_000).record(0).data
    decoder = StreamDecoder()
    at = 0
    while at < len(stream):
        before = decoder.position - len(decoder._held)
        count = min(max(decoder.need, 12 << 10), len(stream) - at)
        decoder.feed(stream, at, at + count)
        at += count
        assert decoder.position - len(decoder._held) > before
        if decoder.skip:
            count = min(decoder.skip, len(stream) - at)
            decoder.passed(count)
            at += count
    decoder.end()
    assert described(decoder.events) == described(decoded(stream))


@pytest.mark.parametrize("name", ["xl HVM live", "libvirt HVM", "libxc PV", "COLO"])
def test_events_know_the_packets_of_their_first_and_last_bytes(name: str) -> None:
    stream = VARIETIES[name].data
    checked = set()
    for event in decoded(stream, packets=True):
        if isinstance(event, Record):
            end = event.offset + 8 + (event.length + 7 & ~7)
        elif isinstance(event, (Header, Message)):
            end = event.offset + event.length
        else:
            continue
        assert event.first is not None
        assert event.last is not None
        assert event.first.frame == event.offset // PACKET + 1, event
        if type(event) is not PageData:
            assert event.last.frame == (end - 1) // PACKET + 1, event
        checked.add(type(event))
    assert checked >= {Header, Record, PageData}


def test_messages_know_the_packets_of_their_first_and_last_bytes() -> None:
    for event in listened(answers(3).data, packets=True):
        assert isinstance(event, Message)
        assert event.first is not None
        assert event.last is not None
        assert event.first.frame == event.offset // PACKET + 1
        assert event.last.frame == (event.offset + event.length - 1) // PACKET + 1


LARGEST = max(len(piece.data) for piece in VARIETIES["xl HVM"].records if piece.type == HVM_CONTEXT)
"Bytes of the largest record that is kept whole."


def test_little_is_kept_of_what_is_incomplete() -> None:
    decoder = StreamDecoder()
    for at in range(len(SMALL)):
        decoder.feed(SMALL, at, at + 1)
        assert len(decoder._held) <= LARGEST
