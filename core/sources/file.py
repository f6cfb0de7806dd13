"""Files and block devices: reading at an offset, so that skipping is an addition."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.input import Input


def _seek_and_read(fd: int, count: int, offset: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, count)


# Windows has no pread.
_pread = getattr(os, "pread", _seek_and_read)


def _read_and_copy(fd: int, buffers: tuple[bytearray], offset: int) -> int:
    data: bytes = _pread(fd, len(buffers[0]), offset)
    buffers[0][: len(data)] = data
    return len(data)


# Nor has every Unix preadv.
_preadv: Callable[[int, tuple[bytearray], int], int] = getattr(os, "preadv", _read_and_copy)


class FileInput:
    """An :class:`~xenmig.core.sources.input.Input` over a descriptor that can seek.

    Memory use does not depend on the file's size: nothing is mapped and nothing is kept, so a file that becomes
    shorter while it is read ends early instead of killing the process with SIGBUS.
    """

    __slots__ = ("name", "offset", "size", "notice", "_fd", "_start", "_owned")

    name: str
    offset: int
    size: int
    "Size in bytes, counted from where reading started. A file that is still being written may have grown since."
    notice: str | None

    def __init__(self, fd: int, name: str, start: int, size: int, owned: bool = True) -> None:
        """``start`` is the position of the first byte to read; ``owned`` says whether close() closes ``fd``."""
        self.name = name
        self.offset = 0
        self.size = size
        self.notice = None
        self._fd = fd
        self._start = start
        self._owned = owned
        if hasattr(os, "posix_fadvise"):
            try:
                # Readahead would fetch the guest memory that is about to be skipped.
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
            except OSError:
                pass

    def peek(self, count: int) -> bytes:
        try:
            data: bytes = _pread(self._fd, count, self._start + self.offset)
        except OSError as error:
            self._fail(error)
            return b""
        return data

    def read(self, count: int) -> bytes:
        try:
            data: bytes = _pread(self._fd, count, self._start + self.offset)
        except OSError as error:
            self._fail(error)
            return b""
        self.offset += len(data)
        if not data and self.offset < self.size:
            from xenmig.core.quantity import quantity

            self.notice = (
                f"the file ends at byte {self.offset} though it had {quantity(self.size, 'byte')} when it was opened: "
                "it was made shorter while it was being read"
            )
        return data

    def read_into(self, buffer: bytearray, offset: int) -> int:
        """Fill ``buffer`` with the bytes from ``offset`` on; returns how many there were, 0 where reading fails."""
        try:
            return _preadv(self._fd, (buffer,), self._start + offset)
        except OSError:
            return 0

    def skip(self, count: int) -> int:
        offset = self.offset + count
        if offset <= self.size:
            self.offset = offset
            return count
        # The file may still be growing: ask once more before calling this the end.
        size = os.fstat(self._fd).st_size - self._start
        self.size = max(self.size, size)
        there = max(0, min(count, self.size - self.offset))
        self.offset += there
        return there

    def back(self, count: int) -> None:
        """Read the last ``count`` bytes again, which were read last."""
        self.offset -= count

    def close(self) -> None:
        if self._owned and self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _fail(self, error: OSError) -> None:
        self.notice = f"reading failed at byte {self.offset}: {error.strerror}"


if TYPE_CHECKING:
    _: type[Input] = FileInput
