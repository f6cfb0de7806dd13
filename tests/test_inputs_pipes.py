"""Pipes and sockets give what they have, and long skips never pass through this process."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from xenmig.core.sources.pipe import PipeInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def piped() -> Iterator[Callable[[bytes], PipeInput]]:
    """Makes a PipeInput whose other end a thread writes the data into and then closes."""
    made: list[tuple[threading.Thread, PipeInput]] = []

    def pipe(data: bytes) -> PipeInput:
        reading, writing = os.pipe()

        def write() -> None:
            with os.fdopen(writing, "wb", buffering=0) as end:
                end.write(data)

        thread = threading.Thread(target=write)
        thread.start()
        made.append((thread, PipeInput(reading, "pipe")))
        return made[-1][1]

    yield pipe
    for thread, source in made:
        while source.read(1 << 20):
            pass
        thread.join()
        source.close()


def everything(source: PipeInput) -> bytes:
    result = b""
    while data := source.read(1 << 16):
        result += data
    return result


def test_peeking_waits_for_all_that_was_asked_for_and_consumes_nothing(piped: Callable[[bytes], PipeInput]) -> None:
    source = piped(b"0123456789")
    assert source.peek(4) == b"0123"
    assert source.peek(6) == b"012345"
    assert source.offset == 0
    assert source.read(3) == b"012"
    assert source.peek(100) == b"3456789"
    assert everything(source) == b"3456789"
    assert source.offset == 10


def test_reading_never_waits_for_more_than_there_is() -> None:
    reading, writing = os.pipe()
    source = PipeInput(reading, "pipe")
    os.write(writing, b"abc")
    assert source.read(1 << 20) == b"abc"
    os.close(writing)
    assert source.read(1) == b""
    assert source.notice is None
    source.close()


def test_a_skip_takes_what_was_peeked_first(piped: Callable[[bytes], PipeInput]) -> None:
    source = piped(b"0123456789")
    source.peek(5)
    assert source.skip(3) == 3
    assert source.skip(4) == 4
    assert everything(source) == b"789"


@pytest.mark.parametrize("count", [1, 65_535, 65_536, 3_000_000])
def test_a_skip_of_any_length_lands_on_the_next_byte(piped: Callable[[bytes], PipeInput], count: int) -> None:
    source = piped(b"head" + b"s" * count + b"tail")
    assert source.peek(4) == b"head"
    assert source.skip(4 + count) == 4 + count
    assert source.offset == 4 + count
    assert everything(source) == b"tail"


@pytest.mark.parametrize("there", [0, 10, 100_000, 2_000_000])
def test_a_skip_beyond_the_end_returns_how_much_there_was(piped: Callable[[bytes], PipeInput], there: int) -> None:
    source = piped(b"s" * there)
    assert source.skip(4_000_000) == there
    assert source.offset == there
    assert source.read(1) == b""


@pytest.mark.skipif(not hasattr(os, "splice"), reason="only Linux splices, from Python 3.10 on")
def test_a_long_skip_is_spliced_and_not_read(
    piped: Callable[[bytes], PipeInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = piped(b"s" * 2_000_000 + b"tail")
    with monkeypatch.context() as patch:
        patch.setattr(os, "read", lambda fd, count: pytest.fail("read where it could splice"))
        assert source.skip(2_000_000) == 2_000_000
    assert everything(source) == b"tail"


def test_systems_without_splice_read_and_drop(
    piped: Callable[[bytes], PipeInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "splice", raising=False)
    source = piped(b"s" * 2_000_000 + b"tail")
    assert source.skip(2_000_000) == 2_000_000
    assert everything(source) == b"tail"


def test_a_socket_is_skipped_too() -> None:
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            theirs.sendall(b"s" * 1_000_000 + b"tail")

    thread = threading.Thread(target=send)
    thread.start()
    with ours:
        source = PipeInput(ours.fileno(), "socket", owned=False)
        assert source.skip(1_000_000) == 1_000_000
        assert everything(source) == b"tail"
        source.close()
        thread.join()


def test_a_pipe_that_somebody_made_non_blocking_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    source = PipeInput(reading, "pipe")

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as end:
            for piece in b"head", b"s" * 200_000, b"tail":
                time.sleep(0.02)
                end.write(piece)

    thread = threading.Thread(target=write)
    thread.start()
    assert source.read(4) == b"head"
    assert source.skip(200_000) == 200_000
    assert everything(source) == b"tail"
    thread.join()
    source.close()


def test_a_read_error_ends_the_pipe_and_says_where() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    source = PipeInput(reading, "pipe", owned=False)
    os.close(reading)
    assert source.read(1) == b""
    assert source.notice == "reading failed at byte 0: Bad file descriptor"
