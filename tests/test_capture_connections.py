"""Connections: told apart, opened, closed, asked about, and forgotten."""

from __future__ import annotations

import random

import pytest

from tests.captures import (
    ACK,
    KEY,
    RST,
    SYN,
    BytesInput,
    Everything,
    Recorder,
    Talk,
    both_ways,
    ethernet,
    lossy,
    nothing,
    pcap,
    read,
    recorder,
    streams,
)
from xenmig.core.sources.capture import Capture
from xenmig.core.sources.notice import Notices
from xenmig.core.sources.reassembly import Reassembler
from xenmig.core.sources.segment import Segment
from xenmig.core.sources.tracking import MOST_TRACKED

MINE = bytes([192, 0, 2, 1]) + KEY[4:]


def test_connections_are_told_apart() -> None:
    talks = [Talk(ports=(40000 + number, 8002)).open() for number in range(5)]
    talks.append(Talk(client="10.0.0.2", server="10.0.0.1", ports=(8002, 40007)).open())
    chance = random.Random(5)
    sent = [b""] * len(talks)
    for _ in range(500):
        number = chance.randrange(len(talks))
        data = chance.randbytes(chance.randint(1, 300))
        talks[number].send(talks[number].client, data)
        sent[number] += data
    packets: list[bytes] = []
    queues = [[*talk.packets] for talk in talks]
    while any(queues):
        queue = chance.choice([queue for queue in queues if queue])
        packets.append(queue.pop(0))
    mixed = Talk()
    mixed.packets = packets
    capture = both_ways(mixed)
    assert capture.connection_count == len(talks)
    found = {
        connection.directions[0].source.port: stream
        for connection, stream in zip(capture.connections, streams(capture), strict=True)
    }
    assert found == {talk.client.port: data for talk, data in zip(talks, sent, strict=True)}


def test_both_directions_have_their_bytes_and_the_opener_is_known() -> None:
    talk = Talk().open()
    talk.send(talk.server, b"banner")
    talk.send(talk.client, b"stream")
    talk.send(talk.server, b"ready")
    capture = both_ways(talk.close())
    (connection,) = capture.connections
    assert streams(capture) == [b"stream", b"bannerready"]
    assert connection.opener is connection.directions[0]
    assert connection.closed_first is connection.directions[0]
    assert connection.first.frame == 1
    assert connection.last.frame == 9
    client, server = connection.directions
    assert client.fin is not None
    assert server.fin is not None
    assert (client.fin.frame, server.fin.frame) == (7, 8)
    assert client.ended
    assert server.ended
    assert recorder(client).ended
    assert (client.segments, server.segments) == (1, 2)
    assert server.last_payload is not None
    assert server.last_payload.frame == 6


def test_a_capture_that_begins_in_the_middle_begins_at_its_first_payload() -> None:
    talk = Talk()
    talk.send(talk.server, b"")
    talk.send(talk.client, b"in the ")
    talk.send(talk.server, b"hm")
    talk.send(talk.client, b"middle")
    factory = Everything()
    capture = both_ways(talk, factory)
    assert set(streams(capture)) == {b"in the middle", b"hm"}
    assert [from_start for _, _, from_start in factory.asked] == [False, False]
    assert capture.connections[0].opener is None


@pytest.mark.parametrize("lost", ["SYN", "SYN and ACK"])
def test_one_half_of_the_handshake_is_enough_to_know_where_both_directions_start(lost: str) -> None:
    talk = Talk().open()
    del talk.packets[0 if lost == "SYN" else 1]
    talk.send(talk.server, b"banner")
    talk.send(talk.client, b"stream")
    factory = Everything()
    capture = both_ways(talk, factory)
    assert set(streams(capture)) == {b"stream", b"banner"}
    assert [from_start for _, _, from_start in factory.asked] == [True, True]
    opener = capture.connections[0].opener
    assert opener is not None
    assert opener.source.port == 40000


def test_a_syn_may_bring_data_and_may_come_twice() -> None:
    talk = Talk()
    talk.at(talk.client, talk.client.sequence, b"early ", SYN)
    talk.open(data=b"early ")
    talk.send(talk.client, b"late")
    capture = both_ways(talk)
    assert streams(capture) == [b"early late"]
    assert capture.connection_count == 1


def test_a_new_syn_on_the_same_ports_is_a_new_connection() -> None:
    talk = Talk().open()
    talk.send(talk.client, b"first")
    again = Talk(start=(500_000, 700_000)).open()
    again.send(again.client, b"second")
    talk.packets += again.packets
    capture = both_ways(talk)
    assert streams(capture) == [b"first", b"second"]
    assert [connection.id for connection in capture.connections] == [1, 2]
    assert [recorder(connection.directions[0]).ended for connection in capture.connections] == [True, True]


def test_a_refused_connection_may_be_tried_again() -> None:
    talk = Talk()
    talk.send(talk.client, b"", SYN)
    talk.at(talk.server, 0, b"", RST | ACK)
    again = Talk(start=(500_000, 700_000)).open()
    again.send(again.client, b"heard")
    talk.packets += again.packets
    capture = both_ways(talk)
    assert streams(capture) == [b"heard"]
    assert capture.connection_count == 2


def test_keep_alives_are_no_retransmissions() -> None:
    talk = Talk().open()
    talk.send(talk.client, b"data")
    for _ in range(3):
        talk.at(talk.client, talk.client.sequence - 1, b"\0")
        talk.at(talk.client, talk.client.sequence - 1, b"")
    talk.send(talk.client, b"more")
    capture = both_ways(talk)
    assert streams(capture) == [b"datamore"]
    client = capture.connections[0].directions[0]
    assert (client.keep_alives, client.retransmitted) == (3, 0)


def test_a_reset_ends_both_directions_but_late_segments_still_count() -> None:
    talk = Talk().open()
    first = talk.client.sequence
    talk.at(talk.client, first, b"one ")
    talk.at(talk.server, talk.server.sequence, b"", RST)
    talk.at(talk.client, first + 4, b"two")
    capture = both_ways(talk)
    (connection,) = capture.connections
    assert streams(capture) == [b"one two"]
    assert connection.ended
    assert connection.closed_first is connection.directions[1]
    late = both_ways(talk, step=2_000_000_001)
    assert streams(late) == [b"one "]


def test_a_reset_far_outside_the_sequence_numbers_is_ignored() -> None:
    talk = Talk().open()
    talk.send(talk.client, b"one ")
    talk.at(talk.client, talk.client.sequence + (1 << 29), b"", RST)
    talk.send(talk.client, b"two")
    capture = both_ways(talk, step=3_000_000_000)
    assert streams(capture) == [b"one two"]
    assert capture.connections[0].closed_first is None


def test_the_factory_is_asked_again_until_it_knows() -> None:
    talk = Talk().open()
    for letter in b"abcdefgh":
        talk.send(talk.client, bytes([letter]))
    talk.send(talk.client, b"ijklmnop" * 100)
    factory = Everything(wanted=5)
    capture = read(pcap([ethernet(packet) for packet in talk.packets]), factory)
    assert [prefix for _, prefix, _ in factory.asked] == [b"a", b"ab", b"abc", b"abcd", b"abcde"]
    assert streams(capture) == [b"abcdefgh" + b"ijklmnop" * 100]
    assert recorder(capture.connections[0].directions[0]).frames == list(range(4, 13))


def test_a_factory_that_never_knows_is_shown_64_bytes_and_not_asked_again() -> None:
    talk = Talk().open()
    for _ in range(50):
        talk.send(talk.client, b"0123456789")
    factory = Everything(wanted=1000)
    capture = read(pcap([ethernet(packet) for packet in talk.packets]), factory)
    assert len(factory.asked) == 7
    assert factory.asked[-1][1] == (b"0123456789" * 7)[:64]
    assert capture.connections == []


def test_connections_of_no_interest_are_only_counted() -> None:
    talk, data = lossy({10})
    capture = Capture(BytesInput(pcap([ethernet(packet) for packet in talk.packets])), nothing)
    assert list(capture) == []
    assert capture.connections == []
    assert capture.connection_count == 1
    direction = capture._reassembler.tracking.all()[0].directions[0]
    assert direction.length == len(data)
    assert direction.waiting == []
    assert direction.segments == 59


def test_a_flood_of_connections_is_forgotten_again() -> None:
    reassembler = Reassembler(nothing, 1, Notices())
    most = 0
    for number in range(30_000):
        key = number.to_bytes(4, "big") + KEY[4:]
        reassembler.segment(Segment(key, 1, 0, SYN, b"", 0, 0, 0, number + 1, (0, 0, 0, 0)))
        most = max(most, len(reassembler.tracking._directions))
    assert reassembler.tracking.count == 30_000
    assert most <= 2 * MOST_TRACKED
    assert len(reassembler.steady) <= most


def test_a_long_capture_keeps_connections_of_interest_while_others_come_and_go() -> None:
    kept = Recorder()

    def wants(connection: object, direction: object, prefix: bytes, from_start: bool) -> Recorder | None:
        return kept if prefix == b"mine" else None

    reassembler = Reassembler(wants, 1, Notices())
    reassembler.segment(Segment(MINE, 5, 0, ACK, b"mine", 0, 4, 4, 1, (0, 0, 0, 0)))
    for number in range(20_000):
        key = number.to_bytes(4, "big") + KEY[4:]
        reassembler.segment(Segment(key, 1, 0, SYN, b"", 0, 0, 0, number + 2, (0, 0, 0, 0)))
    reassembler.segment(Segment(MINE, 9, 0, ACK, b" still", 0, 6, 6, 20_002, (0, 0, 0, 0)))
    assert bytes(kept.data) == b"mine still"
    (connection,) = reassembler.tracking.of_interest()
    assert connection.id == 1


def test_late_segments_and_those_captured_before_are_counted_apart() -> None:
    """Their sum is what Wireshark calls retransmission or out of order, as it is for the captures in the corpus."""
    talk = Talk().open()
    first = talk.client.sequence
    for position in (0, 200, 300, 100, 100, 400):
        talk.at(talk.client, first + position, bytes(100))
    direction = read(pcap([ethernet(packet) for packet in talk.packets])).connections[0].directions[0]
    assert (direction.segments, direction.out_of_order) == (6, 1)
    assert (direction.retransmitted, direction.retransmitted_bytes) == (1, 100)
    assert (direction.length, direction.holes) == (500, 0)
