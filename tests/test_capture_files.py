"""pcap and pcapng files: every variant gives the same frames, and damage stops the pass with a notice."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.captures import (
    START,
    BytesInput,
    Everything,
    Recorder,
    Talk,
    block,
    enhanced,
    ethernet,
    interface,
    noise,
    obsolete,
    pcap,
    pcapng,
    read,
    section,
    simple,
    streams,
    summary,
)
from xenmig.core.sources.capture import Capture, is_capture
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.file import FileInput
from xenmig.core.sources.frames import WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = [b"first words", b"and more of them", b"the last"]


def frames() -> list[bytes]:
    talk = Talk().open()
    for words in WORDS:
        talk.send(talk.client, words)
    return [ethernet(packet) for packet in talk.close().packets]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_both_byte_orders_and_resolutions(order: str, nanoseconds: bool) -> None:
    capture = read(pcap(frames(), order=order, nanoseconds=nanoseconds))
    assert streams(capture) == [b"".join(WORDS)]
    assert not capture.notices
    assert capture.first is not None
    assert capture.last is not None
    assert (capture.first.frame, capture.first.time) == (1, START)
    assert (capture.last.frame, capture.last.time) == (9, START + 8_000_000)
    (connection,) = capture.connections
    assert connection.directions[0].first_payload is not None
    assert connection.directions[0].first_payload.time == START + 3_000_000


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_of_both_byte_orders(order: str) -> None:
    capture = read(pcapng(frames(), order=order))
    assert streams(capture) == [b"".join(WORDS)]
    assert capture.last is not None
    assert (capture.last.frame, capture.last.time) == (9, START + 8_000_000)
    assert not capture.notices


def test_a_pcapng_may_have_several_sections_interfaces_and_kinds_of_packet_block() -> None:
    sent = frames()
    raw = [frame[14:] for frame in sent]
    seconds = START // 1_000_000_000
    data = b"".join(
        [
            section(">"),
            block(5, bytes(12), ">"),
            interface(1, ">"),
            interface(101, ">", tsresol=9),
            enhanced(sent[0], START // 1000, 0, ">"),
            enhanced(raw[1], START + 1_000_000, 1, ">"),
            obsolete(sent[2], (START + 2_000_000) // 1000, 0, ">"),
            block(0x0000ABCD, b"what is this", ">"),
            section("<"),
            interface(101, "<", tsresol=0x80 | 10, tsoffset=seconds),
            interface(1, "<", tsresol=3),
            enhanced(raw[3], 512, 0),
            block(0xBAD, bytes(70000)),
            enhanced(sent[4], START // 1_000_000 + 600, 1),
            section("<"),
            interface(1),
            simple(sent[5]),
            *[enhanced(frame, (START + 700_000_000) // 1000) for frame in sent[6:]],
        ]
    )
    for piece in (1 << 30, 61):
        factory = Everything()
        capture = Capture(BytesInput(data, piece), factory)
        assert not list(capture)
        assert streams(capture) == [b"".join(WORDS)]
        (connection,) = capture.connections
        client = connection.directions[0]
        assert client.first_payload is not None
        assert client.first_payload.time == START + 500_000_000
        assert client.last_payload is not None
        assert client.last_payload.time == START + 600_000_000, "a Simple Packet Block gets the time before it"
        assert capture.last is not None
        assert capture.last.time == START + 700_000_000
        assert [notice.kind for notice in capture.notices] == ["unknown block", "no time stamp"]


def test_a_packet_of_an_interface_that_nobody_described_is_left_out_and_counted_as_a_frame() -> None:
    sent = frames()
    data = section() + interface() + enhanced(sent[0], 1) + enhanced(sent[1], 2, 7) + enhanced(sent[2], 3)
    capture = read(data)
    assert capture.frames == 3
    assert {"unknown interface", "link type"} == {notice.kind for notice in capture.notices}


def test_an_unknown_link_type_is_named_and_its_frames_are_counted() -> None:
    capture = read(pcap(frames(), link_type=147))
    assert capture.frames == 9
    (notice,) = capture.notices
    assert (notice.kind, notice.count, notice.frame) == ("link type", 9, 1)
    assert "147" in str(notice)


def test_the_frame_check_sequence_length_beside_the_link_type_is_ignored() -> None:
    capture = read(pcap(frames(), link_type=0x54000001))
    assert streams(capture) == [b"".join(WORDS)]


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_a_file_cut_anywhere_in_its_last_packet_gives_all_before_it_and_says_so(
    write: object,
) -> None:
    make = pcap if write is pcap else pcapng
    sent = frames()
    before = make(sent[:-1])
    whole = make(sent)
    expected = summary(read(before))
    for size in range(len(before) + 1, len(whole)):
        capture = read(whole[:size])
        (notice,) = capture.notices
        assert (notice.kind, notice.frame, notice.offset) == ("cut", len(sent), len(before)), size
        found = summary(capture)
        found[2] = []
        assert found == expected, size
    assert read(whole).notices == []


@pytest.mark.parametrize("piece", [1, 7, 100, 4096])
def test_however_the_input_is_cut_into_reads_the_result_is_the_same(piece: int) -> None:
    for data in (pcap(frames()), pcapng(frames())):
        assert summary(read(data, piece=piece)) == summary(read(data))


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_a_file_is_read_by_full_windows_and_gives_what_other_inputs_give(
    make: Callable[[list[bytes]], bytes], tmp_path: Path
) -> None:
    """Where a frame lies in two windows, a file goes back to its beginning instead of reading the rest by itself."""
    talk = Talk().open()
    for number in range(1200):
        talk.send(talk.client, noise(1400, number))
    whole = make([ethernet(packet) for packet in talk.close().packets])
    for name, data in (("whole", whole), ("cut", whole[:-7]), ("short", whole[: 2 * WINDOW + 99])):
        path = tmp_path / name
        path.write_bytes(data)
        with path.open("rb") as file:
            reads: list[int] = []

            class Counted(FileInput):
                __slots__ = ()

                def read(self, count: int) -> bytes:
                    reads.append(count)  # noqa: B023 - called within this turn of the loop
                    return super().read(count)

            capture = Capture(Counted(file.fileno(), "capture under test", 0, len(data), owned=False), Everything())
            assert not list(capture)
        other = read(data)
        assert summary(capture) == summary(other)
        assert [str(notice) for notice in capture.notices] == [str(notice) for notice in other.notices]
        assert len(reads) <= len(data) // WINDOW + 3, reads


def test_frames_that_have_come_are_dealt_with_before_more_is_read() -> None:
    """A live pipe gives what there is: its reader must not wait for a full window."""

    class Live(BytesInput):
        def read(self, count: int) -> bytes:
            position = self.offset
            assert position == 0 or position in bounds or count <= 16 + 60
            if position in bounds:
                seen.append(len(factory.asked))
                count = min(count, min(bound for bound in bounds if bound > position) - position)
            return super().read(count) if position else super().read(24)

    sent = frames()
    data = pcap(sent)
    bounds = [24]
    for frame in sent:
        bounds.append(bounds[-1] + 16 + len(frame))
    bounds.append(1 << 30)
    seen: list[int] = []
    factory = Everything()
    assert not list(Capture(Live(data), factory))
    # The handshake, three payloads, the goodbye, and the end of input; asked once, by the first payload.
    assert seen == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_a_length_field_that_lies_stops_the_pass_and_allocates_nothing() -> None:
    good = pcap(frames())
    for lie in (0x00200000, 0x7FFFFFFF, 0xFFFFFFFF):
        input = BytesInput(good + struct.pack("<IIII", 0, 0, lie, lie) + bytes(1000))
        capture = Capture(input, Everything())
        assert not list(capture)
        (notice,) = capture.notices
        assert (notice.kind, notice.frame, notice.offset) == ("damaged", 10, len(good))
        assert input.largest_read <= 1 << 20
        assert streams(capture) == [b"".join(WORDS)]


@pytest.mark.parametrize(
    "bad",
    [
        struct.pack("<III", 6, 0, 0),
        struct.pack("<III", 6, 33, 0) + bytes(60),
        struct.pack("<II5I", 6, 64, 0, 0, 0, 40, 40) + bytes(36),
        struct.pack("<III", 6, 0x7FFFFFFC, 0) + bytes(60),
        struct.pack("<III", 2, 16, 0) + bytes(4),
        struct.pack("<III", 1, 16, 0) + bytes(4),
        struct.pack("<III", 0x0A0D0D0A, 28, 0x12345678) + bytes(16),
    ],
)
def test_a_damaged_pcapng_block_stops_the_pass_with_a_notice(bad: bytes) -> None:
    good = pcapng(frames())
    capture = read(good + bad)
    (notice,) = capture.notices
    assert (notice.kind, notice.frame, notice.offset) == ("damaged", 10, len(good))
    assert streams(capture) == [b"".join(WORDS)]


def test_a_huge_unknown_block_is_skipped_and_not_read() -> None:
    class Skipping(BytesInput):
        def skip(self, count: int) -> int:
            skipped.append(count)
            return count

    skipped: list[int] = []
    data = section() + interface() + struct.pack("<II", 0x4242, 0x7FFFFFF0) + bytes(100)
    capture = Capture(Skipping(data), Everything())
    assert not list(capture)
    assert skipped == [0x7FFFFFF0 - 108]


@pytest.mark.parametrize(
    "data", [b"", b"\xd4", b"LibxlFmt\0\0\0\2", pcap([])[:23], section()[:11], section()[:8] + bytes(20)]
)
def test_what_does_not_begin_as_a_capture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableInput, match="capture under test"):
        Capture(BytesInput(data), Everything())


def test_captures_are_recognised_by_their_first_bytes() -> None:
    assert is_capture(pcap([]))
    assert is_capture(pcap([], order=">", nanoseconds=True)[:4])
    assert is_capture(section(">"))
    assert not is_capture(b"LibxlFmt")
    assert not is_capture(b"")


def test_an_empty_capture_has_nothing_in_it() -> None:
    for data in (pcap([]), section(), section() + interface()):
        capture = read(data)
        assert (capture.frames, capture.first, capture.connections, capture.notices) == (0, None, [], [])


@pytest.mark.fuzz
@given(st.binary(max_size=400), st.integers(0, 3), st.integers(1, 500))
def test_garbage_behind_a_file_header_never_raises(garbage: bytes, kind: int, piece: int) -> None:
    start = [pcap([]), pcap([], order=">"), section(), section(">") + interface(1, ">")][kind]
    read(start + garbage, piece=piece)


@pytest.mark.fuzz
@given(st.lists(st.binary(max_size=120), max_size=8), st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276]))
def test_garbage_in_frames_never_raises(garbage: list[bytes], link_type: int) -> None:
    for data in (pcap(garbage, link_type=link_type), pcapng(garbage, link_type)):
        assert summary(read(data)) == summary(read(data, plain=True))


@pytest.mark.fuzz
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=20), st.booleans())
def test_a_capture_with_damaged_bytes_never_raises_and_both_ways_of_reading_agree(
    damage: list[tuple[int, int]], ng: bool
) -> None:
    data = bytearray(pcapng(frames()) if ng else pcap(frames()))
    for place, value in damage:
        data[48 + place % (len(data) - 48) if ng else 24 + place % (len(data) - 24)] = value
    assert summary(read(bytes(data))) == summary(read(bytes(data), plain=True))


@pytest.mark.fuzz
@given(
    st.lists(st.tuples(st.integers(0, 1 << 16), st.sampled_from([0, 1, 255, 0x80, 20])), max_size=6),
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=6),
    st.sampled_from([100, 250, 1000, 100_000]),
    st.sampled_from([("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")]),
)
def test_bulk_data_that_is_damaged_and_out_of_order_is_the_same_both_ways(
    damage: list[tuple[int, int]], swaps: list[tuple[int, int]], skip: int, addresses: tuple[str, str]
) -> None:
    talk = Talk(*addresses).open()
    for number in range(60):
        talk.send(talk.client, bytes([number]) * 100)
        if number % 3 == 0:
            talk.send(talk.server, b"")
        if number % 20 == 7:
            talk.send(talk.server, b"ready")
    sent = [ethernet(packet) for packet in talk.close().packets]
    for one, other in swaps:
        first, second = one % len(sent), other % len(sent)
        sent[first], sent[second] = sent[second], sent[first]
    data = bytearray(pcap(sent))
    for place, value in damage:
        data[24 + place % (len(data) - 24)] = value
    found = [
        summary(read(bytes(data), Everything(lambda: Recorder(every=1, over=skip)), plain=plain))
        for plain in (False, True)
    ]
    assert found[0] == found[1]
