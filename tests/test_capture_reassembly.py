"""TCP reassembly: whatever happens to the segments, the bytes come out in order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.captures import (
    ACK,
    KEY,
    Everything,
    Recorder,
    Talk,
    both_ways,
    noise,
    recorder,
    streams,
)
from xenmig.core.sources.notice import Notices
from xenmig.core.sources.reassembly import Reassembler
from xenmig.core.sources.segment import Segment


def pieces(data: bytes, seed: int = 2) -> list[tuple[int, bytes]]:
    """``data`` in segments of different sizes, with the position of each."""
    chance = random.Random(seed)
    found = []
    position = 0
    while position < len(data):
        size = chance.choice([1, 100, 536, 1000, 1448, 1448, 1448])
        found.append((position, data[position : position + size]))
        position += size
    return found


@pytest.mark.parametrize("start", [1000, 0xFFFFFFFF, 0xFFFFFFF0, 0x7FFFFF00])
def test_reordered_retransmitted_and_overlapping_segments(start: int) -> None:
    data = noise(1_000_000)
    chance = random.Random(3)
    talk = Talk(start=(start, 77)).open()
    first = talk.client.sequence
    order = pieces(data)
    held: list[tuple[int, tuple[int, bytes]]] = []
    disturbed = 0
    for number, (position, piece) in enumerate(order):
        for item in [item for item in held if item[0] <= number]:
            held.remove(item)
            talk.at(talk.client, first + item[1][0], item[1][1])
        throw = chance.random()
        if throw < 0.02:
            held.append((number + chance.randint(1, 9), (position, piece)))
            disturbed += 1
            continue
        talk.at(talk.client, first + position, piece)
        if throw < 0.03:
            talk.at(talk.client, first + position, piece)
        elif throw < 0.04:
            back = min(position, chance.randint(1, 3000))
            stop = position + len(piece) + chance.randint(0, 500)
            talk.at(talk.client, first + position - back, data[position - back : stop])
    for _, (position, piece) in held:
        talk.at(talk.client, first + position, piece)
    capture = both_ways(talk)
    assert streams(capture) == [data]
    client = capture.connections[0].directions[0]
    assert (client.holes, client.missing, client.length) == (0, 0, len(data))
    assert client.out_of_order >= disturbed - 2 > 5
    assert client.retransmitted > 5
    assert client.from_start


def test_of_bytes_that_come_twice_the_first_count() -> None:
    talk = Talk().open()
    first = talk.client.sequence
    talk.at(talk.client, first, b"aaaa")
    talk.at(talk.client, first + 2, b"bbbb")
    talk.at(talk.client, first + 8, b"dddd")
    talk.at(talk.client, first + 4, b"cccccc")
    capture = both_ways(talk)
    assert streams(capture) == [b"aaaabbccccdd"]
    client = capture.connections[0].directions[0]
    assert (client.retransmitted, client.retransmitted_bytes) == (3, 2 + 2 + 2)
    assert client.out_of_order == 1


@given(
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=40),
    st.integers(1, 50),
)
def test_any_order_of_any_pieces_gives_the_bytes_once_all_are_there(
    start: int, extra: list[tuple[int, int]], size: int
) -> None:
    data = noise(400)
    talk = Talk(start=(start, start)).open()
    first = talk.client.sequence
    whole = [(place, size) for place in range(0, len(data), size)]
    for place, length in random.Random(size).sample(whole + extra, len(whole + extra)):
        if data[place : place + length]:
            talk.at(talk.client, first + place, data[place : place + length])
    capture = both_ways(talk)
    assert streams(capture) == [data]
    assert capture.connections[0].directions[0].missing == 0


def test_sequence_numbers_wrap_around_as_often_as_the_stream_is_long() -> None:
    class Positions(Recorder):
        def hole(self, count: int) -> None:
            self.position += count

    kept = Positions(every=1, over=1 << 40)
    reassembler = Reassembler(lambda *_: kept, 1, Notices())
    size = 1 << 29
    total = 0
    sequence = 0xF0000000
    for number in range(40):
        # A segment of half a GiB does not exist; that it is not there either costs nothing.
        reassembler.segment(Segment(KEY, sequence, 0, ACK, b"x", 0, 1, size, number + 1, (0, 0, 0, 0)))
        sequence = (sequence + size) & 0xFFFFFFFF
        total += size
    assert kept.position == total == 20 << 30
    direction = reassembler.tracking.all()[0].directions[0]
    assert direction.length == total
    assert direction.next == sequence
    assert (direction.retransmitted, direction.out_of_order) == (0, 0)


@pytest.mark.parametrize("skip", [1, 99, 100, 101, 250, 5000])
def test_bytes_that_the_consumer_would_skip_are_not_delivered(skip: int) -> None:
    data = noise(20_000)
    talk = Talk().open()
    for place in range(0, len(data), 100):
        talk.send(talk.client, data[place : place + 100])
    capture = both_ways(talk, Everything(lambda: Recorder(every=1, over=skip)))
    kept = recorder(capture.connections[0].directions[0])
    assert kept.position == len(data)
    assert kept.skipped + len(kept.data) == len(data)
    assert kept.skipped >= min(skip, 100) * 40


def test_the_packets_of_delivered_bytes_are_right() -> None:
    talk = Talk().open()
    for number in range(10):
        talk.send(talk.client, bytes([number]) * 10)
    capture = both_ways(talk)
    assert recorder(capture.connections[0].directions[0]).frames == list(range(4, 14))
