"""Inputs that are still being written: what has come is given at once, and somebody may look on while nothing comes."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.captures import START, BytesInput, Talk, ethernet, pcap, pcapng
from xenmig.core.sources.capture import Capture
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.live import GrowingFile, LivePipe
from xenmig.core.sources.open import open_input

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 20.0
"Seconds after which a test gives up."


class Patient:
    """A watcher that ends the input only when something hangs, and counts the looks."""

    def __init__(self, *, enough: Callable[[float], bool] = lambda idle: idle > PATIENCE) -> None:
        self.due = 0
        self.looks = 0
        self.idle = 0.0
        self.times: list[int] = []
        self.enough = enough

    def look(self, idle: float) -> bool:
        self.looks += 1
        self.idle = max(idle, self.idle)
        return not self.enough(idle)

    def reached(self, time: int) -> None:
        self.times.append(time)
        self.due = time + 1_000_000_000


def later(work: Callable[[], object], seconds: float = 0.05) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer


def test_a_pipe_gives_what_has_come_and_is_looked_at_while_it_is_empty() -> None:
    reading, writing = os.pipe()
    watcher = Patient()
    source = LivePipe(reading, "pipe", watcher)
    os.write(writing, b"abc")
    assert source.read(1 << 20) == b"abc"
    assert watcher.idle == 0
    timer = later(lambda: os.write(writing, b"def"), 0.3)
    assert source.read(1 << 20) == b"def"
    assert watcher.idle > 0.05
    timer.join()
    later(lambda: os.close(writing)).join()
    assert source.read(1) == b""
    assert source.notice is None
    source.close()


def test_a_long_skip_in_a_pipe_tells_how_far_it_is() -> None:
    reading, writing = os.pipe()
    seen: list[int] = []
    source: LivePipe

    def enough(idle: float) -> bool:
        seen.append(source.offset)
        return idle > PATIENCE

    source = LivePipe(reading, "pipe", Patient(enough=enough))

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as end:
            for _ in range(4):
                end.write(b"s" * 100_000)
                time.sleep(0.05)
            end.write(b"tail")

    thread = threading.Thread(target=write)
    thread.start()
    assert source.skip(400_000) == 400_000
    assert source.read(10) == b"tail"
    assert source.skip(10) == 0
    thread.join()
    source.close()
    assert {100_000, 200_000, 300_000} <= set(seen)


def test_a_watcher_ends_a_pipe_that_somebody_holds_open() -> None:
    reading, writing = os.pipe()
    source = LivePipe(reading, "pipe", Patient(enough=lambda idle: idle > 0))
    os.write(writing, b"abc")
    assert source.peek(10) == b"abc"
    os.write(writing, b"more")
    assert source.read(10) == b"abc"
    assert source.read(10) == b""
    assert source.skip(10) == 0
    os.close(writing)
    source.close()


def test_a_file_that_grows_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"")

    def grow() -> None:
        for piece in b"head", b"s" * 100_000, b"tail":
            time.sleep(0.05)
            with path.open("ab") as file:
                file.write(piece)

    thread = threading.Thread(target=grow)
    thread.start()
    source = open_input(str(path), Patient())
    assert isinstance(source, GrowingFile)
    assert source.peek(6) == b"headss"
    assert source.read(4) == b"head"
    assert source.skip(100_000) == 100_000
    assert source.read(4) == b"tail"
    thread.join()
    source.close()


def test_a_file_ends_where_the_watcher_says_so(tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"0123456789")
    watcher = Patient(enough=lambda idle: idle > 0.2)
    source = open_input(str(path), watcher)
    assert source.read(100) == b"0123456789"
    assert source.skip(5) == 0
    assert source.read(1) == b""
    assert source.notice is None
    source.close()


def test_a_file_that_gets_shorter_ends_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "shrinking"
    path.write_bytes(b"0123456789")
    source = open_input(str(path), Patient())
    assert source.read(8) == b"01234567"
    os.truncate(path, 3)
    assert source.read(1) == b""
    assert source.notice == "the file was made shorter than the 8 bytes that had been read of it"
    source.close()


def test_an_input_that_is_ended_before_its_first_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(UnreadableInput, match="is empty"):
        open_input(str(path), Patient(enough=lambda idle: idle > 0))


@pytest.mark.parametrize("step", [1_000, 300_000_000, 3_000_000_000])
def test_a_watcher_sees_all_frames_before_a_point_in_packet_time_and_none_after_it(step: int) -> None:
    packets = conversation(40, 100)
    times = [START + step * number for number in range(len(packets))]
    assert seen(pcap(packets, step=step)) == expected(times)


@pytest.mark.parametrize("size", [1448, 9000, 60_000])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_so_it_does_in_windows_that_are_not_walked_over(size: int, order: str, nanoseconds: bool) -> None:
    step = 7_000_000_000 // (3_000_000 // size)
    packets = conversation(3_000_000 // size, size)
    times = [START + step * number for number in range(len(packets))]
    rounded = [moment if nanoseconds else moment // 1000 * 1000 for moment in times]
    assert seen(pcap(packets, order=order, nanoseconds=nanoseconds, step=step)) == expected(rounded)


def test_so_it_does_in_pcapng() -> None:
    packets = conversation(5000, 1448)
    times = [START + 1_000_000 * number for number in range(len(packets))]
    assert seen(pcapng(packets)) == expected(times)


def conversation(count: int, size: int) -> list[bytes]:
    """The frames of a connection with that many segments of one size, and acknowledgments between them."""
    talk = Talk().open()
    for number in range(count):
        talk.send(talk.client, bytes([number & 0xFF]) * size)
        if number % 2:
            talk.send(talk.server, b"")
    return [ethernet(packet) for packet in talk.packets]


def seen(data: bytes) -> list[int]:
    """How many frames had been taken whenever a point in time a second later than the last had been reached."""
    found: list[int] = []

    class Watcher(Patient):
        def reached(self, time: int) -> None:
            super().reached(time)
            found.append(capture.frames)

    capture = Capture(BytesInput(data), lambda *_: None, watcher=Watcher())
    assert list(capture) == []
    return found


def expected(times: list[int]) -> list[int]:
    """The same, from the times of the frames."""
    found = []
    due = 0
    for number, moment in enumerate(times):
        if moment >= due:
            found.append(number)
            due = moment + 1_000_000_000
    return found
