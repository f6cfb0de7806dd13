"""A file is read at an offset: peeking moves nothing, skipping is bounded by what is there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from xenmig.core.sources import file
from xenmig.core.sources.file import FileInput

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    result = tmp_path / "content"
    result.write_bytes(CONTENT)
    return result


def opened(path: Path, start: int = 0) -> FileInput:
    return FileInput(os.open(path, os.O_RDONLY), "content", start, path.stat().st_size - start)


def test_peeking_consumes_nothing(path: Path) -> None:
    source = opened(path)
    assert source.peek(5) == source.peek(5) == CONTENT[:5]
    assert source.offset == 0
    assert source.read(7) == CONTENT[:7]
    assert source.peek(3) == CONTENT[7:10]
    assert source.offset == 7


def test_peeking_and_reading_stop_at_the_end(path: Path) -> None:
    source = opened(path)
    assert source.skip(1020) == 1020
    assert source.peek(100) == CONTENT[1020:]
    assert source.read(100) == CONTENT[1020:]
    assert source.read(100) == source.peek(100) == b""
    assert source.notice is None


def test_skipping_returns_how_much_there_was(path: Path) -> None:
    source = opened(path)
    assert source.skip(1000) == 1000
    assert source.skip(1000) == 24
    assert source.skip(1000) == 0
    assert source.offset == 1024
    assert source.read(1) == b""


def test_a_start_other_than_the_beginning_counts_from_there(path: Path) -> None:
    source = opened(path, 100)
    assert (source.offset, source.size) == (0, 924)
    assert source.read(4) == CONTENT[100:104]
    assert source.skip(5000) == 920


def test_a_file_that_grows_while_it_is_read_is_read_further(path: Path) -> None:
    source = opened(path)
    with path.open("ab") as more:
        more.write(b"m" * 500)
    assert source.skip(1400) == 1400
    assert source.size == 1524
    assert source.read(1000) == b"m" * 124
    assert source.notice is None


def test_a_file_that_shrinks_while_it_is_read_ends_and_says_so(path: Path) -> None:
    source = opened(path)
    os.truncate(path, 300)
    assert source.read(1000) == CONTENT[:300]
    assert source.read(1000) == b""
    assert source.notice is not None
    assert "ends at byte 300" in source.notice
    assert "1024 bytes" in source.notice


def test_a_read_error_ends_the_file_and_says_where(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened(path)
    source.skip(10)

    def broken(fd: int, count: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(file, "_pread", broken)
    assert source.read(1) == source.peek(1) == b""
    assert source.notice == "reading failed at byte 10: Input/output error"


def test_systems_without_pread_seek_instead(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_pread", file._seek_and_read)
    source = opened(path)
    source.skip(200)
    assert source.peek(9) == source.read(9) == CONTENT[200:209]


def test_closing_gives_back_the_descriptor_once(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    source = FileInput(fd, "content", 0, 1024)
    source.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    source.close()


def test_a_descriptor_of_somebody_else_stays_open(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    FileInput(fd, "content", 0, 1024, owned=False).close()
    os.close(fd)
