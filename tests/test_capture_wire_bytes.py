"""What a direction costs on the wire: whole frames are counted, each at its own place in the capture."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.captures import RST, BytesInput, Everything, Recorder, Talk, ethernet, lossy, pcap, read, recorder
from tests.corpus import Sample, corpus, requires_corpus
from xenmig.core.sources.capture import Capture
from xenmig.core.sources.open import open_input

if TYPE_CHECKING:
    from pathlib import Path

    from xenmig.core.sources.connection import Connection, Direction


def some_pages(connection: Connection, direction: Direction, prefix: bytes, from_start: bool) -> Recorder:
    """Skips most of the bytes, as the stream decoder does."""
    return Recorder(every=1, over=100_000)


def by_tshark(path: Path) -> Counter[tuple[int, int]]:
    """Bytes of frames by connection, from 0, and source port."""
    fields = ("-T", "fields", "-e", "tcp.stream", "-e", "tcp.srcport", "-e", "frame.len")
    options = ("-o", "tcp.desegment_tcp_streams:FALSE", "--disable-protocol", "thrift")
    done = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y", "tcp", *options, *fields], check=True, capture_output=True, text=True
    )
    found: Counter[tuple[int, int]] = Counter()
    for line in done.stdout.splitlines():
        stream, port, length = map(int, line.split())
        found[stream, port] += length
    return found


@requires_corpus
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("sample", corpus("capture"), ids=str)
def test_the_bytes_on_the_wire_of_each_direction_are_those_that_tshark_counts(sample: Sample) -> None:
    expected = by_tshark(sample.unpacked())
    for plain in (False, True):
        input = open_input(str(sample.unpacked()))
        capture = Capture(input, some_pages, plain=plain)
        assert list(capture) == []
        input.close()
        found = {
            (connection.id - 1, direction.source.port): direction.wire_bytes
            for connection in capture.connections
            for direction in connection.directions
        }
        assert len(found) >= 2
        assert found == {key: expected[key] for key in found}


@pytest.mark.parametrize("skipping", [False, True], ids=["delivered", "skipped"])
@pytest.mark.parametrize("plain", [False, True], ids=["fast loop", "general way"])
def test_every_packet_knows_what_its_direction_had_sent_by_then(plain: bool, skipping: bool) -> None:
    """Segments overtaken, sent twice and asked for again; acknowledgments and keep-alives of both sides in between."""
    talk = Talk().open()
    data = bytes(1000)
    for round in range(40):
        place = talk.client.sequence
        for number in (0, 2, 1, 3, 3, 4, 5, 6, 7) if round % 3 else range(8):
            talk.at(talk.client, place + number * 1000, data)
            if number == 5:
                talk.at(talk.client, place, b"")
        talk.client.sequence = place + 8000
        talk.send(talk.server, b"")
        if round % 4 == 0:
            talk.at(talk.client, talk.client.sequence - 1, b"\0")
            talk.send(talk.server, b"credit")
    talk.close()
    frames = [ethernet(packet) for packet in talk.packets]

    def make() -> Recorder:
        return Recorder(every=1, over=2500 if skipping else 0)

    capture = read(pcap(frames), Everything(make), plain=plain)
    (connection,) = capture.connections
    for direction in connection.directions:
        sent = [0]
        for frame in frames:
            sent.append(sent[-1] + len(frame) * (frame[26:30] == direction.key[:4]))
        assert direction.wire_bytes == sent[-1]
        kept = recorder(direction)
        assert kept.wire_bytes == [sent[frame] for frame in kept.frames]
        ends = [direction.first_payload, direction.last_payload, direction.last, direction.fin]
        packets = [packet for packet in ends if packet is not None]
        assert [packet.wire_bytes for packet in packets] == [sent[packet.frame] for packet in packets]
        assert len(packets) == 4
    assert skipping or recorder(connection.directions[0]).frames != sorted(recorder(connection.directions[0]).frames)
    assert connection.first.wire_bytes == len(frames[0])


def test_a_frame_that_waited_counts_where_it_was_captured() -> None:
    talk, _ = lossy({3}, segments=8, acks=False)
    talk.at(talk.client, 1001 + 300, bytes(100))
    frames = [ethernet(packet) for packet in talk.packets]
    (connection,) = read(pcap(frames)).connections
    kept = recorder(connection.directions[0])
    # The handshake is frames 1 to 3, of which the server's is the second; the lost segment comes last.
    assert kept.frames == [4, 5, 6, 11, 7, 8, 9, 10]
    sizes = [0 if number == 1 else len(frame) for number, frame in enumerate(frames)]
    assert kept.wire_bytes == [sum(sizes[:frame]) for frame in kept.frames]


def test_frames_count_as_they_were_before_the_capture_program_cut_them() -> None:
    talk = Talk().open()
    for _ in range(5):
        talk.send(talk.client, bytes(1400))
    frames = [ethernet(packet) for packet in talk.packets]
    (connection,) = read(pcap(frames, snaplen=96)).connections
    client, server = connection.directions
    assert client.wire_bytes == sum(map(len, frames)) - len(frames[1])
    assert server.wire_bytes == len(frames[1])


@pytest.mark.parametrize("plain", [False, True], ids=["fast loop", "general way"])
def test_padding_that_only_some_frames_of_a_run_have_is_counted(plain: bool) -> None:
    talk = Talk().open()
    for _ in range(20):
        talk.send(talk.client, bytes(500))
    frames = [ethernet(packet) + bytes(number % 3 * 2) for number, packet in enumerate(talk.packets)]
    (connection,) = read(pcap(frames), Everything(lambda: Recorder(every=1, over=9000)), plain=plain).connections
    client, _ = connection.directions
    assert client.wire_bytes == sum(map(len, frames)) - len(frames[1])


def test_a_frame_that_belongs_to_no_direction_has_sent_nothing() -> None:
    stray = Talk(ports=(1, 2))
    stray.at(stray.client, 5, b"", RST)
    capture = Capture(BytesInput(pcap([ethernet(stray.packets[0])])), some_pages)
    assert list(capture) == []
    assert capture.first is not None
    assert capture.first.wire_bytes == 0
    assert capture.connection_count == 0
