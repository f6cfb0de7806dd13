"""Bulk data and acknowledgments in a rhythm: many groups are passed over at a time, as if each had been looked at."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.captures import (
    ACK,
    FIN,
    PSH,
    RST,
    START,
    SYN,
    Everything,
    Recorder,
    Talk,
    cooked,
    cooked2,
    enhanced,
    ethernet,
    interface,
    noise,
    pcap,
    read,
    section,
    summary,
)
from xenmig.core.sources import scan
from xenmig.core.sources.repetition import MOST, alike, allowed, ascending, steady

SEGMENT = 20
GROUPS = 60


def rhythm(
    groups: int = GROUPS,
    *,
    segments: int = 2,
    acks: int = 1,
    addresses: tuple[str, str] = ("10.0.0.1", "10.0.0.2"),
    start: int = 1000,
) -> Talk:
    """So many segments of the same length, then acknowledgments, again and again."""
    talk = Talk(*addresses, start=(start, 9000)).open()
    for number in range(groups):
        for _ in range(segments):
            talk.send(talk.client, bytes([number % 251]) * SEGMENT)
        for _ in range(acks):
            talk.send(talk.server, b"")
    return talk


def skipping(over: int = 1_000_000) -> Everything:
    return Everything(lambda: Recorder(every=1, over=over))


def agree(data: bytes, over: int = 1_000_000, piece: int = 1 << 30) -> list[object]:
    """Read a capture in both ways; what both find."""
    found = summary(read(data, skipping(over), piece=piece))
    assert found == summary(read(data, skipping(over), plain=True))
    return found


@pytest.fixture
def repeated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames were passed over as groups, each time that groups were looked for."""
    counts: list[int] = []
    original = scan._groups

    def counting(shape, window, limit, like, *others) -> int:  # type: ignore[no-untyped-def]
        groups = original(shape, window, limit, like, *others)
        counts.append(groups * (like.segments + (like.rest > 0)))
        return groups

    monkeypatch.setattr(scan, "_groups", counting)
    return counts


@pytest.mark.parametrize("segments", [1, 2, 3, 7])
@pytest.mark.parametrize("addresses", [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("kind", ["pcap", "big-endian pcap", "pcapng", "VLAN", "cooked", "cooked 2", "raw"])
def test_most_frames_of_a_rhythm_are_passed_over_as_groups(
    segments: int, addresses: tuple[str, str], kind: str, repeated: list[int]
) -> None:
    packets = rhythm(segments=segments, addresses=addresses).packets
    sent = [ethernet(packet) for packet in packets]
    if kind == "pcapng":
        blocks = [enhanced(frame, START // 1000 + number) for number, frame in enumerate(sent)]
        data = section() + interface() + b"".join(blocks)
    elif kind == "VLAN":
        data = pcap([ethernet(packet, 0x88A8, 0x8100) for packet in packets])
    elif kind.startswith("cooked"):
        make, link_type = (cooked, 113) if kind == "cooked" else (cooked2, 276)
        data = pcap([make(packet) for packet in packets], link_type=link_type)
    elif kind == "raw":
        data = pcap(packets, link_type=101)
    else:
        data = pcap(sent, order=">" if kind.startswith("big") else "<")
    agree(data)
    assert sum(repeated) > 0.7 * len(packets)


def test_segments_that_nobody_acknowledges_are_passed_over_as_well(repeated: list[int]) -> None:
    agree(pcap([ethernet(packet) for packet in rhythm(300, segments=1, acks=0).packets]))
    assert sum(repeated) > 200


def test_push_flags_come_and_go_without_an_end_to_it(repeated: list[int]) -> None:
    talk = Talk().open()
    for number in range(3 * GROUPS):
        talk.send(talk.client, bytes(SEGMENT), ACK | (PSH if number % 7 == 0 else 0))
        if number % 2:
            talk.send(talk.server, b"")
    agree(pcap([ethernet(packet) for packet in talk.packets]))
    assert sum(repeated) > GROUPS


def test_a_rhythm_goes_on_where_sequence_numbers_pass_two_to_the_32(repeated: list[int]) -> None:
    for before in range(0, 4 * SEGMENT, 7):
        talk = rhythm(start=(1 << 32) - 30 * 2 * SEGMENT - before)
        agree(pcap([ethernet(packet) for packet in talk.packets]))
        assert sum(repeated) > GROUPS
        repeated.clear()


@pytest.mark.parametrize("over", range(1000, 1000 + 4 * SEGMENT, 3))
def test_what_the_consumer_wants_is_delivered_however_it_lies_in_the_segments(over: int) -> None:
    agree(pcap([ethernet(packet) for packet in rhythm().packets]), over)


def test_a_window_may_end_at_any_byte_of_a_group() -> None:
    sent = [ethernet(packet) for packet in rhythm(40).packets]
    for data in (pcap(sent), section() + interface() + b"".join(enhanced(frame, 1) for frame in sent)):
        whole = agree(data)
        for piece in range(4000, 4000 + 3 * 120):
            assert summary(read(data, skipping(), piece=piece)) == whole


def test_a_frame_that_differs_ends_the_groups_before_it(repeated: list[int]) -> None:
    """Each byte of one segment's headers and of one acknowledgment's is changed, in the middle of a rhythm."""
    sent = [ethernet(packet, pad=False) for packet in rhythm(40).packets]
    for number in (63, 65):
        for place in range(54):
            for change in (0x01, 0x80):
                frame = bytearray(sent[number])
                frame[place] ^= change
                agree(pcap([*sent[:number], bytes(frame), *sent[number + 1 :]]))
    assert sum(repeated) > 0


def test_a_length_in_the_file_that_differs_ends_them_too() -> None:
    sent = [ethernet(packet, pad=False) for packet in rhythm(40).packets]
    data = pcap(sent)
    start = data.index(struct.pack("<II", len(sent[3]), len(sent[3])), data.index(sent[60]))
    for place in range(start, start + 8):
        for change in (1, 0x80):
            damaged = bytearray(data)
            damaged[place] ^= change
            agree(bytes(damaged))


DAMAGE = st.sampled_from(
    ["lose", "repeat", "swap", "cut", "tag", "push", "reset", "finish", "open", "longer", "shorter", "answer", "other"]
)


@pytest.mark.fuzz
@given(
    st.lists(st.tuples(DAMAGE, st.integers(0, 400)), max_size=5),
    st.integers(1, 4),
    st.sampled_from([0, 500, 1500, 1_000_000]),
    st.sampled_from([1 << 30, 3000, 7777]),
    st.booleans(),
)
def test_a_rhythm_that_is_damaged_is_the_same_both_ways(
    damage: list[tuple[str, int]], segments: int, over: int, piece: int, ng: bool
) -> None:
    talk = rhythm(segments=segments)
    stranger = rhythm(3, addresses=("192.0.2.1", "192.0.2.2"), segments=1)
    client, server = talk.client, talk.server
    packets: list[bytes] = list(talk.packets)
    cut: dict[bytes, int] = {}
    tagged: set[int] = set()
    for kind, place in damage:
        number = place % len(packets)
        packet = packets[number]
        sequence = int.from_bytes(packet[24:28], "big")
        if kind == "lose":
            del packets[number]
        elif kind == "repeat":
            packets.insert(min(len(packets), number + place % 5), packet)
        elif kind == "swap":
            other = (number + 1 + place % 7) % len(packets)
            packets[number], packets[other] = packets[other], packet
        elif kind == "cut":
            cut[packet] = 40 + place % 40
        elif kind == "tag":
            tagged.add(number)
        elif kind == "other":
            packets[number:number] = stranger.packets
        elif kind == "answer":
            packets.insert(number, talk.at(server, server.sequence, b"ready"))
            server.sequence += 5
        else:
            sender = client if packet[12:16] == client.address.packed else server
            length = {"longer": SEGMENT + 4, "shorter": SEGMENT - 4}.get(kind, len(packet) - 40)
            flags = {"push": ACK | PSH, "reset": RST, "finish": FIN | ACK, "open": SYN}.get(kind, ACK)
            packets[number] = talk.at(sender, sequence, bytes(length), flags)
    frames = [
        ethernet(packet, *((0x8100,) if any(number >= tag for tag in tagged) else ()))
        for number, packet in enumerate(packets)
    ]
    kept = [frame[: cut.get(packet, len(frame))] for frame, packet in zip(frames, packets, strict=True)]
    if ng:
        blocks = [
            enhanced(part, number, wire=len(frame))
            for number, (part, frame) in enumerate(zip(kept, frames, strict=True))
        ]
        data = section() + interface() + b"".join(blocks)
    else:
        records = [
            struct.pack("<IIII", 1, number, len(part), len(frame)) + part
            for number, (part, frame) in enumerate(zip(kept, frames, strict=True))
        ]
        data = pcap([]) + b"".join(records)
    agree(data, over, piece)


@given(st.data())
def test_columns_are_compared_like_the_records_themselves(data: st.DataObject) -> None:
    size = data.draw(st.integers(5, 40))
    count = data.draw(st.integers(1, 30))
    at = data.draw(st.integers(0, 9))
    buffer = bytearray(at) + noise(size) * count
    for place in data.draw(st.lists(st.integers(at, len(buffer) - 1), max_size=2)):
        buffer[place] ^= 1
    columns = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True))
    records = [buffer[at + number * size :][:size] for number in range(count)]
    same = [all(one[column] == records[0][column] for column in columns) for one in records]
    assert alike(bytes(buffer), at, size, count, columns) == (same.index(False) if False in same else count)
    column = columns[0]
    values = bytes(data.draw(st.sets(st.sampled_from([one[column] for one in records]))))
    good = [one[column] in values for one in records]
    assert allowed(bytes(buffer), at + column, size, count, values) == (good.index(False) if False in good else count)


@given(
    st.integers(0, (1 << 32) - 1),
    st.integers(1, 70_000),
    st.integers(1, MOST + 10),
    st.integers(0, MOST),
    st.booleans(),
)
def test_numbers_that_count_on_are_counted(first: int, step: int, count: int, bad: int, wrong: bool) -> None:
    numbers = [first + place * step for place in range(count)]
    expected = min(MOST, sum(number < 1 << 32 for number in numbers))
    buffer = bytearray().join(b"\xff" * 3 + (number & 0xFFFFFFFF).to_bytes(4, "big") for number in numbers)
    if wrong and bad < expected:
        buffer[7 * bad + 3 + bad % 4] ^= 0x10
        expected = bad
    assert ascending(bytes(buffer), 3, 7, count, first, step) == expected


@given(
    st.integers(0, (1 << 32) - 1),
    st.lists(st.sampled_from([0, 1, 99_999, 100_000, -1, -100_000, 1 << 31, (1 << 32) - 1]), max_size=30),
    st.integers(1, MOST + 10),
    st.sampled_from(["little", "big"]),
)
def test_numbers_that_grow_steadily_are_counted(first: int, steps: list[int], more: int, order: str) -> None:
    numbers = [first]
    for step in [*[1] * more, *steps]:
        numbers.append((numbers[-1] + step) & 0xFFFFFFFF)
    expected = 1
    for before, number in zip(numbers, numbers[1:MOST], strict=False):
        if not 0 <= number - before < 100_000:
            break
        expected += 1
    buffer = b"".join(b"\xff" * 3 + number.to_bytes(4, order) for number in numbers)  # type: ignore[arg-type]
    assert steady(buffer, 3, 7, len(numbers), order, 100_000) == expected  # type: ignore[arg-type]
