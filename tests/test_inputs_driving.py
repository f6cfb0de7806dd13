"""Every kind of input gives a consumer the same bytes, and reads no more of them than it must."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.blocks import BlockConsumer, block, described, expected, mixed_stream
from tests.zstd import compress as zstd_compress
from xenmig.core.sources.file import FileInput
from xenmig.core.sources.open import open_input
from xenmig.core.sources.pipe import PipeInput
from xenmig.core.sources.stream import drive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.input import Input

STREAM = mixed_stream()
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd_compress,
}


def events_of(source: Input, consumer: BlockConsumer | None = None) -> list[Event]:
    lists = list(drive(source, consumer or BlockConsumer()))
    assert all(lists), "no list of events is empty"
    return [event for events in lists for event in events]


class Fed:
    """A pipe that another thread writes ``data`` into."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self.fd, self._writing = os.pipe()
        self._data = data
        self._piece = piece
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        with os.fdopen(self._writing, "wb", buffering=0) as pipe:
            for start in range(0, len(self._data), self._piece):
                pipe.write(self._data[start : start + self._piece])

    def join(self) -> None:
        self._thread.join()


class Watched:
    """An Input that notes which ranges of another one were read."""

    def __init__(self, inner: FileInput) -> None:
        self.inner = inner
        self.name = inner.name
        self.offset = 0
        self.size = inner.size
        self.notice: str | None = None
        self.reads: list[tuple[int, int]] = []

    def peek(self, count: int) -> bytes:
        return self.inner.peek(count)

    def read(self, count: int) -> bytes:
        start = self.inner.offset
        data = self.inner.read(count)
        self.reads.append((start, len(data)))
        return data

    def skip(self, count: int) -> int:
        return self.inner.skip(count)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Callable[[bytes], FileInput]]:
    opened: list[FileInput] = []

    def save(data: bytes) -> FileInput:
        path = tmp_path / "stream"
        path.write_bytes(data)
        opened.append(FileInput(os.open(path, os.O_RDONLY), "stream", 0, len(data)))
        return opened[-1]

    yield save
    for source in opened:
        source.close()


@pytest.fixture
def fed() -> Iterator[Callable[[bytes, int], PipeInput]]:
    pipes: list[tuple[Fed, PipeInput]] = []

    def feed(data: bytes, piece: int) -> PipeInput:
        writer = Fed(data, piece)
        pipes.append((writer, PipeInput(writer.fd, "pipe")))
        return pipes[-1][1]

    yield feed
    for writer, pipe in pipes:
        pipe.close()
        writer.join()


def test_the_toy_stream_has_what_decides_how_an_input_is_read() -> None:
    assert len(expected(STREAM)) == 3050
    assert all(found[0] == "block" for found in expected(STREAM))


def test_a_file_gives_every_block_at_its_offset(saved: Callable[[bytes], FileInput]) -> None:
    assert described(events_of(saved(STREAM))) == expected(STREAM)


@pytest.mark.parametrize("piece", [1, 7, 4096, 65536])
def test_a_pipe_gives_the_same_blocks_however_it_is_written(fed: Callable[[bytes, int], PipeInput], piece: int) -> None:
    stream = STREAM if piece > 7 else STREAM[-40_000:]
    start = stream.index(block(b"x" * 20_000, 5)) if piece <= 7 else 0
    assert described(events_of(fed(stream[start:], piece))) == expected(stream[start:])


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_compressed_file_gives_the_same_blocks(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "no-suffix-tells"
    path.write_bytes(COMPRESSIONS[kind](STREAM))
    source = open_input(str(path))
    assert described(events_of(source)) == expected(STREAM)
    assert source.notice is None
    assert source.offset == len(STREAM)


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_compressed_pipe_gives_the_same_blocks(kind: str) -> None:
    code = (
        "import sys\n"
        "from tests.blocks import BlockConsumer, described\n"
        "from xenmig.core.sources.open import open_input\n"
        "from xenmig.core.sources.stream import drive\n"
        "for events in drive(open_input('-'), BlockConsumer()):\n"
        "    for event in described(events): print(event)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], input=COMPRESSIONS[kind](STREAM), stdout=subprocess.PIPE, check=True
    )
    assert run.stdout.decode().splitlines() == [str(event) for event in expected(STREAM)]


def test_a_file_cut_at_any_byte_is_truncated_there(tmp_path: Path) -> None:
    stream = block(b"first", 30) + block(b"", 9) + block(b"third", 0) + block(b"", 0)
    path = tmp_path / "stream"
    for length in range(1, len(stream) + 1):
        path.write_bytes(stream[:length])
        source = open_input(str(path))
        assert described(events_of(source)) == expected(stream[:length])
        assert source.offset == length
        source.close()


def test_a_pipe_cut_at_any_byte_is_truncated_there(fed: Callable[[bytes, int], PipeInput]) -> None:
    stream = block(b"first", 30) + block(b"", 9) + block(b"third", 0) + block(b"", 0)
    for length in range(1, len(stream) + 1):
        source = fed(stream[:length], 64)
        assert described(events_of(source)) == expected(stream[:length])
        assert source.offset == length


@pytest.mark.parametrize("piece", [4096, 65536])
def test_a_jump_beyond_the_end_counts_only_what_was_there(
    saved: Callable[[bytes], FileInput], fed: Callable[[bytes, int], PipeInput], piece: int
) -> None:
    stream = block(b"kept", 3_000_000)[:2_000_000]
    for source in saved(stream), fed(stream, piece):
        consumer = BlockConsumer()
        assert described(events_of(source, consumer)) == expected(stream)
        assert source.offset == consumer.position == len(stream)


def test_no_byte_of_a_file_is_read_twice_and_jumps_are_not_read(saved: Callable[[bytes], FileInput]) -> None:
    source = Watched(saved(block(b"j" * 8192, 4 << 20) * 8 + block(b"end", 0)))
    consumer = BlockConsumer()
    assert len(events_of(source, consumer)) == 9
    end = 0
    for start, length in source.reads:
        assert start >= end
        end = start + length
    assert sum(length for _, length in source.reads) == consumer.delivered <= 9 * 8208


def test_pieces_grow_while_nothing_is_skipped_and_shrink_after_a_jump(saved: Callable[[bytes], FileInput]) -> None:
    source = Watched(saved(block(b"s" * 24, 0) * 60_000 + block(b"", 1 << 20) + block(b"s" * 24, 0) * 2000))
    events_of(source)
    lengths = [length >> 10 for _, length in source.reads]
    assert lengths[:6] == [8, 16, 32, 64, 128, 256]
    after = next(index for index, (start, _) in enumerate(source.reads) if start > 60_000 * 32)
    assert lengths[after] == 8
    assert lengths[after + 1] == 16


def test_a_large_need_is_read_at_once_but_never_more_than_a_bounded_piece(
    saved: Callable[[bytes], FileInput],
) -> None:
    source = Watched(saved(block(b"n" * 100_000, 0) + block(b"m" * 5_000_000, 1)))
    consumer = BlockConsumer()
    assert len(events_of(source, consumer)) == 2
    assert source.reads[1][1] >= 100_000 - (12 << 10)
    assert max(length for _, length in source.reads) == 1 << 18


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    header = block(b"j" * 8208, 4 << 20)[: 8 + 8208]
    with path.open("wb") as sparse:
        for _ in range(1023):
            sparse.write(header)
            sparse.seek(4 << 20, os.SEEK_CUR)
        sparse.truncate()
    code = (
        "import re, sys\n"
        "from tests.blocks import BlockConsumer\n"
        "from xenmig.core.sources.open import open_input\n"
        "from xenmig.core.sources.stream import drive\n"
        "count = sum(len(events) for events in drive(open_input(sys.argv[1]), BlockConsumer()))\n"
        # getrusage() would tell the largest of this process and of the one that started it.
        "print(count, re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, check=True)
    count, kibibytes = map(int, run.stdout.split())
    assert path.stat().st_size > 4_290_000_000
    assert count == 1023
    assert kibibytes <= 32 << 10
