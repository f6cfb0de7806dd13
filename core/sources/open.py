"""Opening a path as the right kind of input."""

from __future__ import annotations

import os
import stat

from xenmig.core.sources.file import FileInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.watcher import Watcher

_GZIP = b"\x1f\x8b"
"RFC 1952, section 2.3.1."
_XZ = b"\xfd7zXZ\x00"
"The .xz File Format, section 2.1.1.1."
_BZIP2 = b"BZh"
_ZSTD = b"\x28\xb5\x2f\xfd"
"RFC 8878, section 3.1.1."
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"
"RFC 8878, section 3.1.2: bytes 1 to 3 of a skippable frame; byte 0 is 0x50 to 0x5f."


def open_input(path: str, watcher: Watcher | None = None) -> Input:
    """The bytes at ``path``, decompressed where its first bytes say that they are compressed.

    ``-`` is the standard input. With a ``watcher`` the input is taken for one that is still written: what has come is
    given at once, and the end of a file is waited at. Raises
    :class:`~xenmig.core.sources.errors.UnreadableInput` when there is nothing to read: no such file, no permission, a
    directory, an empty file, or a compression that this Python cannot undo.
    """
    name = "standard input" if path == "-" else path
    fd = 0
    try:
        if path != "-":
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
            if watcher is not None:
                # A FIFO is waited at where somebody looks on, not until somebody opens it for writing.
                flags |= os.O_NONBLOCK
            fd = os.open(path, flags)
        return _decompressed(_from_descriptor(fd, name, watcher))
    except BaseException as error:
        if fd:
            os.close(fd)
        if isinstance(error, OSError):
            raise _unreadable(name, error) from None
        raise


def compression(first: bytes) -> str | None:
    """What data beginning with ``first`` (6 bytes, fewer if there are no more) is compressed with.

    "gzip", "xz", "bzip2", "zstd", or None for data that is not compressed.
    """
    if first.startswith(_GZIP):
        return "gzip"
    if first.startswith(_XZ):
        return "xz"
    if first.startswith(_BZIP2):
        return "bzip2"
    if first.startswith(_ZSTD) or (first[1:4] == _ZSTD_SKIPPABLE and first[0] & 0xF0 == 0x50):
        return "zstd"
    return None


def _from_descriptor(fd: int, name: str, watcher: Watcher | None) -> Input:
    status = os.fstat(fd)
    mode = status.st_mode
    owned = fd != 0
    if stat.S_ISDIR(mode):
        raise _refusal(name, "is a directory; give the save file or capture in it")
    if watcher is not None and stat.S_ISREG(mode):
        from xenmig.core.sources.live import GrowingFile

        return GrowingFile(fd, name, 0 if owned else os.lseek(fd, 0, os.SEEK_CUR), watcher, owned)
    # Files that say they are empty are read as pipes are: those in /proc say so and are not.
    if stat.S_ISBLK(mode) or (stat.S_ISREG(mode) and status.st_size):
        # The standard input may be a file that an earlier command has read the beginning of.
        start = 0 if owned else os.lseek(fd, 0, os.SEEK_CUR)
        end = status.st_size
        if stat.S_ISBLK(mode):
            end = os.lseek(fd, 0, os.SEEK_END)
            os.lseek(fd, start, os.SEEK_SET)
        return FileInput(fd, name, start, max(0, end - start), owned)
    if os.isatty(fd):
        raise _refusal(name, "is a terminal; give a file, or pipe a stream in")
    if watcher is not None and not stat.S_ISBLK(mode):
        from xenmig.core.sources.live import LivePipe

        return LivePipe(fd, name, watcher, owned)
    from xenmig.core.sources.pipe import PipeInput

    return PipeInput(fd, name, owned)


def _decompressed(raw: Input) -> Input:
    first = raw.peek(6)
    if not first:
        raise _refusal(raw.name, raw.notice or "is empty: there is nothing to read")
    kind = compression(first)
    if kind is None:
        return raw
    if hasattr(raw, "whole"):
        # A compressed file says itself where it ends.
        raw.whole = True
    from xenmig.core.sources.compressed import CompressedInput, decompressor

    data = CompressedInput(raw, kind, decompressor(kind, raw.name))
    if not data.peek(1):
        raise _refusal(raw.name, data.notice or f"is empty: the {kind} data in it holds nothing")
    return data


def _unreadable(name: str, error: OSError) -> Exception:
    if isinstance(error, FileNotFoundError):
        return _refusal(name, "there is no such file")
    if isinstance(error, PermissionError):
        return _refusal(name, "permission to read it is denied (save files and captures often belong to root)")
    return _refusal(name, f"cannot be opened: {error.strerror}")


def _refusal(name: str, reason: str) -> Exception:
    # Imported here because most inputs can be read.
    from xenmig.core.sources.errors import UnreadableInput

    return UnreadableInput(name, reason)
