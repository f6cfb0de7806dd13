"""Segments that were not captured: holes of exact length, told when it is clear that they will not come."""

from __future__ import annotations

import pytest

from tests.captures import (
    ACK,
    FIN,
    KEY,
    BytesInput,
    Everything,
    Recorder,
    Talk,
    both_ways,
    ethernet,
    lossy,
    noise,
    pcap,
    recorder,
    streams,
)
from xenmig.core.sources.capture import Capture
from xenmig.core.sources.notice import Notices
from xenmig.core.sources.reassembly import WAITING_BYTES, WAITING_SEGMENTS, Reassembler
from xenmig.core.sources.segment import Segment


def blank(data: bytes, holes: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for place, length in holes:
        out[place : place + length] = bytes(length)
    return bytes(out)


def test_acknowledged_bytes_that_were_not_captured_are_a_hole_of_their_exact_length() -> None:
    talk, data = lossy({10, 11, 30})
    capture = both_ways(talk)
    client = capture.connections[0].directions[0]
    kept = recorder(client)
    assert kept.holes == [(1000, 200), (3000, 100)]
    assert (client.holes, client.missing) == (2, 300)
    assert bytes(kept.data) == blank(data, kept.holes)


def test_a_hole_is_told_while_the_connection_goes_on() -> None:
    talk, _ = lossy({10})
    kept = Recorder()
    capture = Capture(BytesInput(pcap([ethernet(packet) for packet in talk.packets])), Everything(lambda: kept))
    assert capture._reader is not None
    frames = capture._reader.frames()
    assert frames is not None
    capture._scan.take(frames, 0)
    assert kept.holes == [(1000, 100)]
    assert not kept.ended
    assert kept.position == 6000


def test_the_first_bytes_may_be_what_is_missing() -> None:
    talk, data = lossy({0})
    factory = Everything()
    capture = both_ways(talk, factory)
    kept = recorder(capture.connections[0].directions[0])
    assert kept.holes == [(0, 100)]
    assert bytes(kept.data) == blank(data, kept.holes)
    assert [from_start for _, _, from_start in factory.asked] == [False]


def test_an_acknowledgment_captured_shortly_before_its_data_makes_no_hole() -> None:
    talk = Talk().open()
    first = talk.client.sequence
    data = noise(2000)
    talk.at(talk.client, first, data[:100])
    for number in range(2, 14):
        talk.at(talk.client, first + number * 100, data[number * 100 : number * 100 + 100])
        talk.at(talk.server, talk.server.sequence, b"", ack=first + number * 100 + 100)
    talk.at(talk.client, first + 100, data[100:200])
    talk.at(talk.client, first + 1400, data[1400:])
    capture = both_ways(talk)
    assert streams(capture) == [data]
    assert capture.connections[0].directions[0].holes == 0


def test_a_missing_segment_in_a_conversation_that_falls_silent_is_given_up_after_a_while() -> None:
    talk = Talk().open()
    talk.send(talk.client, b"a" * 10)
    talk.send(talk.client, b"lost")
    talk.packets.pop()
    talk.send(talk.client, b"b" * 10)
    talk.send(talk.server, b"")
    talk.send(talk.server, b"still here")
    kept = Recorder()
    input = BytesInput(pcap([ethernet(packet) for packet in talk.packets], step=600_000_000))
    capture = Capture(input, Everything(lambda: kept if kept.position == 0 else Recorder()))
    frames = capture._reader.frames()
    assert frames is not None
    capture._scan.take(frames, 0)
    assert kept.holes == [(10, 4)]
    assert bytes(kept.data) == b"a" * 10 + bytes(4) + b"b" * 10


def test_without_acknowledgments_a_missing_segment_is_waited_for_until_the_end() -> None:
    talk, data = lossy({3}, acks=False)
    capture = both_ways(talk)
    kept = recorder(capture.connections[0].directions[0])
    assert kept.holes == [(300, 100)]
    assert bytes(kept.data) == blank(data, kept.holes)
    assert kept.ended


def test_payload_missing_before_the_fin_is_a_hole() -> None:
    talk = Talk().open()
    talk.send(talk.client, b"words ")
    talk.send(talk.client, b"lost")
    talk.packets.pop()
    talk.send(talk.client, b"", FIN | ACK)
    capture = both_ways(talk)
    kept = recorder(capture.connections[0].directions[0])
    assert kept.holes == [(6, 4)]
    assert bytes(kept.data) == b"words " + bytes(4)


def test_a_fin_with_data_that_comes_early_ends_the_direction_when_the_rest_is_there() -> None:
    talk = Talk().open()
    first = talk.client.sequence
    talk.at(talk.client, first, b"one ")
    talk.at(talk.client, first + 8, b"three", FIN | ACK)
    talk.at(talk.client, first + 4, b"two ")
    talk.at(talk.client, first + 8, b"three", FIN | ACK)
    capture = both_ways(talk)
    assert streams(capture) == [b"one two three"]
    client = capture.connections[0].directions[0]
    assert client.fin is not None
    assert client.fin.frame == 5
    assert client.ended
    assert client.holes == 0


@pytest.mark.parametrize(("size", "count"), [(1000, WAITING_BYTES // 1000 + 50), (1, WAITING_SEGMENTS + 50)])
def test_what_waits_is_bounded(size: int, count: int) -> None:
    kept = Recorder()
    reassembler = Reassembler(lambda *_: kept, 1, Notices())
    most = 0
    data = bytes(size)
    for number in range(count):
        sequence = 0 if number == 0 else (number + 1) * size
        reassembler.segment(Segment(KEY, sequence, 0, ACK, data, 0, size, size, number + 1, (0, 0, 0, 0)))
        most = max(most, reassembler._waiting_bytes)
        assert reassembler._waiting_segments <= WAITING_SEGMENTS
    assert size * 1000 < most <= WAITING_BYTES
    assert kept.holes == [(size, size)]
    assert reassembler._waiting_bytes == 0
    assert kept.position == (count + 1) * size


def test_retransmissions_of_what_waits_are_not_kept_twice() -> None:
    reassembler = Reassembler(lambda *_: Recorder(), 1, Notices())
    for number, sequence in enumerate([0, 200, 200, 200, 250]):
        reassembler.segment(Segment(KEY, sequence, 0, ACK, bytes(100), 0, 50, 50, number + 1, (0, 0, 0, 0)))
    assert reassembler._waiting_bytes == 100
