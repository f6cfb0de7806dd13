"""Where the copy goes: a file that appears under its name when it is complete, or the standard output."""

from __future__ import annotations

import os
import signal
import stat
import sys

from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Protocol

    class Compressor(Protocol):
        """What the compressors of the standard library have in common."""

        def compress(self, data: bytes, /) -> bytes:
            """Take more bytes; returns what has become of them and of earlier ones."""

        def flush(self) -> bytes:
            """The end of the compressed data."""


COMPRESSED = (".xz", ".gz", ".bz2")
"Endings of names for which the copy is compressed."
NOT_WRITTEN = (".zst", ".zstd", ".lz4", ".zip", ".7z")
"Endings of names that would promise what the copy is not."

_GATHERED = 1 << 18
_HOLE_FROM = 1 << 16
"Zeros from here on become a hole in a file, which takes no room on the disk."
_ZEROS = bytes(1 << 20)
_SIGNALS = ("SIGTERM", "SIGHUP")


class Target:
    """Takes the bytes of the copy, while a ``with`` block lasts; removes them when the block is left by an exception.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` for a place that nothing may be written to, and OSError.
    """

    __slots__ = ("path", "_input", "_fd", "_temporary", "_gathered", "_compressor", "_holes", "_handlers")

    path: str

    def __init__(self, path: str, input: str, *, force: bool = False) -> None:
        """``path`` may be "-"; ``input`` is the path that is read; ``force`` says that a file may be replaced."""
        self.path = path
        self._input = input
        self._fd = -1
        self._temporary = ""
        self._gathered = bytearray()
        self._compressor: Compressor | None = None
        self._holes = False
        self._handlers: dict[int, object] = {}
        if path == "-":
            if os.isatty(1):
                raise UnreadableInput("standard output", "is a terminal; give a file, or redirect it")
            return
        ending = os.path.splitext(path)[1].lower()
        if ending in NOT_WRITTEN:
            known = ", ".join(COMPRESSED)
            raise UnreadableInput(path, f"{ending} is not written; name the copy without it, or {known}")
        if os.path.lexists(path):
            self._check(force)

    def _check(self, force: bool) -> None:
        """Whether what is there may be replaced."""
        path = self.path
        if not os.path.exists(path):
            raise UnreadableInput(path, "is a symbolic link to nothing")
        if self._input != "-" and os.path.samefile(path, self._input):
            raise UnreadableInput(path, "is the input itself; the copy needs a name of its own")
        if self._input == "-" and os.path.samestat(os.stat(path), os.fstat(0)):
            raise UnreadableInput(path, "is the input itself; the copy needs a name of its own")
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableInput(path, "is a directory; give the name of a file")
        if stat.S_ISREG(mode) and not force:
            raise UnreadableInput(path, "exists already; --force writes over it")

    def __enter__(self) -> None:
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                try:
                    self._handlers[number] = signal.signal(number, _stop)
                except ValueError:
                    # Not the main thread: whoever runs it there takes care of signals.
                    pass
        try:
            self._open()
        except BaseException:
            self._restore()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._fd > 2:
                os.close(self._fd)
            self._fd = -1
            if self._temporary:
                os.unlink(self._temporary)
                self._temporary = ""
            self._restore()

    def write(self, data: bytes) -> None:
        """Append ``data``."""
        self._gathered += data
        if len(self._gathered) >= _GATHERED:
            self._flush()

    def zeros(self, count: int) -> None:
        """Append zeros."""
        if self._holes and count >= _HOLE_FROM:
            self._flush()
            os.lseek(self._fd, count, os.SEEK_CUR)
            return
        while count > 0:
            self.write(_ZEROS[:count])
            count -= len(_ZEROS)

    # -- opening and closing --------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._compressor = _compressor(os.path.splitext(self.path)[1].lower())
        if self.path == "-":
            sys.stdout.flush()
            self._fd = 1
        elif os.path.exists(self.path) and not os.path.isfile(self.path):
            # A device or a named pipe: there is nothing to replace.
            self._fd = os.open(self.path, os.O_WRONLY)
        else:
            import tempfile

            # Of a symbolic link, what it leads to is replaced.
            folder = os.path.dirname(os.path.realpath(self.path))
            self._fd, self._temporary = tempfile.mkstemp(prefix=".xenmig-", suffix=".part", dir=folder)
            self._holes = self._compressor is None

    def _finish(self) -> None:
        self._flush()
        if self._compressor is not None:
            self._write(self._compressor.flush())
        if self._temporary:
            # What ends in a hole is not that long yet.
            os.ftruncate(self._fd, os.lseek(self._fd, 0, os.SEEK_CUR))
            os.fsync(self._fd)
            os.replace(self._temporary, os.path.realpath(self.path))
            self._temporary = ""

    def _flush(self) -> None:
        data = bytes(self._gathered)
        self._gathered.clear()
        self._write(self._compressor.compress(data) if self._compressor is not None else data)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers.clear()


def _stop(number: int, _frame: FrameType | None) -> None:
    """Leave the way that an exception leaves, with what shells report for the signal."""
    raise SystemExit(128 + number)


def _compressor(ending: str) -> Compressor | None:
    if ending == ".xz":
        import lzma

        return lzma.LZMACompressor()
    if ending == ".gz":
        import zlib

        # RFC 1952: 16 more than the window asks for gzip's header and trailer.
        return zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    if ending == ".bz2":
        import bz2

        return bz2.BZ2Compressor()
    return None
