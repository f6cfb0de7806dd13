"""The inputs that benchmarks measure with are sound streams of the sizes they claim, the same each time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import peer
from tests.benchmarks import capture, streams
from xenmig.core.check.checker import Checker
from xenmig.core.decode.events import Message
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import libxc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.benchmarks.streams import Chunk
    from xenmig.core.decode.events import Event

MAKERS: dict[str, Callable[[], Iterator[Chunk]]] = {
    "hvm": lambda: streams.hvm(3000),
    "pv": lambda: streams.pv(3000),
    "one page": lambda: streams.one_page(50),
    "tiny": lambda: streams.tiny(2000),
    "sparse": lambda: streams.hvm(3000, sparse=True),
}


def made(chunks: Iterator[Chunk]) -> bytes:
    """A stream in memory."""
    return b"".join(bytes(chunk) if isinstance(chunk, int) else chunk for chunk in chunks)


def events_of(path: Path) -> list[Event]:
    """All events of a sound and complete file, streams in order."""
    reading = Reading(str(path))
    checkers: dict[int, Checker] = {}
    events: list[Event] = []
    for stream, found in reading:
        checkers.setdefault(stream.number, Checker(stream.kind)).take(found)
        events += found
    reading.close()
    assert checkers
    for stream in reading.streams:
        checker = checkers[stream.number]
        checker.finish()
        assert checker.counts["error"] == 0, checker.findings
        assert checker.complete or stream.role == "receiver"
    return events


@pytest.mark.parametrize("name", MAKERS)
def test_every_stream_is_sound_and_complete(name: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    streams.write(path, MAKERS[name]())
    records = [event for event in events_of(path) if isinstance(event, Record)]
    assert records[-1].type == libxc.End.record


@peer.requires_peer
@pytest.mark.parametrize("name", MAKERS)
def test_the_peer_accepts_every_stream(name: str) -> None:
    verdict = peer.judge(made(MAKERS[name]()), "libxc")
    assert verdict.accepted, verdict.message


@pytest.mark.parametrize("name", MAKERS)
def test_a_stream_is_made_the_same_way_each_time(name: str) -> None:
    assert made(MAKERS[name]()) == made(MAKERS[name]())


def test_an_hvm_stream_holds_each_page_once_in_full_batches(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    streams.write(path, streams.hvm(3000))
    batches = [event for event in events_of(path) if isinstance(event, PageData)]
    assert [batch.count for batch in batches] == [1024, 1024, 952]
    assert [pfn for batch in batches for pfn in batch.pfns.pfns()] == list(range(3000))


def test_a_pv_stream_mixes_all_page_types(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    streams.write(path, streams.pv(3000))
    types: dict[int, int] = {}
    for event in events_of(path):
        if isinstance(event, PageData):
            for kind, count in event.pfns.types().items():
                types[kind] = types.get(kind, 0) + count
    assert set(types) == set(libxc.PageType.known) - {libxc.PageType.XALLOC}
    assert 0.9 < types[0] / 3000 < 0.99


def test_small_records_are_as_many_as_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    streams.write(path, streams.tiny(2000))
    sizes = [
        event.length for event in events_of(path) if isinstance(event, Record) and event.type == libxc.HvmParams.record
    ]
    assert sizes.count(24) == 2000
    streams.write(path, streams.one_page(50))
    assert [event.count for event in events_of(path) if isinstance(event, PageData)] == [1] * 50


def test_a_sparse_stream_has_the_size_of_the_full_one_and_takes_no_room(tmp_path: Path) -> None:
    full, sparse = tmp_path / "full", tmp_path / "sparse"
    streams.write(full, streams.hvm(3000))
    streams.write(sparse, streams.hvm(3000, sparse=True))
    assert sparse.stat().st_size == full.stat().st_size
    if not hasattr(os, "SEEK_HOLE") or sparse.stat().st_blocks * 512 >= sparse.stat().st_size:
        pytest.skip("this file system does not keep holes")
    assert sparse.stat().st_blocks * 512 < full.stat().st_size // 10


def test_a_capture_holds_the_stream_and_the_answers_of_the_receiver(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    capture.write(path, streams.live(5000))
    events = events_of(path)
    pfns = sum(event.count for event in events if isinstance(event, PageData))
    assert pfns == sum(len(range(0, 5000, part)) for part in (1, 20, 400, 3000))
    said = [event.name for event in events if isinstance(event, Message)]
    assert sorted(said) == ["banner", "permission", "ready", "report", "status"]


def test_a_captured_stream_is_the_one_that_was_sent_in_full_segments() -> None:
    whole = made(streams.live(2000))
    cut = list(capture.segments(streams.live(2000)))
    assert b"".join(cut) == whole
    assert {len(segment) for segment in cut[:-1]} == {capture.SEGMENT}


def test_the_capture_is_acknowledged_every_two_segments(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    capture.write(path, streams.live(2000))
    reading = Reading(str(path))
    for _ in reading:
        pass
    reading.close()
    assert reading.capture is not None
    (connection,) = reading.capture.connections
    sent = sum(direction.segments for direction in connection.directions)
    assert all(not direction.holes and not direction.retransmitted for direction in connection.directions)
    assert 0.4 < (reading.capture.frames - sent) / sent < 0.6


def test_writing_a_hole_gives_the_zeros_that_reading_it_gives(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    streams.write(path, (b"ab", 3, b"c", 2))
    assert path.read_bytes() == b"ab\0\0\0c\0\0"
