"""Compressed files and pipes: gzip, xz, bzip2 and zstd, decompressed a piece at a time."""

from __future__ import annotations

from xenmig.core.quantity import quantity
from xenmig.core.sources.ahead import LookingAhead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeAlias

    from xenmig.core.sources.input import Input

    class Decompressor(Protocol):
        """What the standard library's decompressors have in common; one object decompresses one member or frame."""

        @property
        def eof(self) -> bool:
            """Whether the end of the member has been reached."""

        @property
        def needs_input(self) -> bool:
            """Whether more compressed bytes are needed before there is more to give."""

        @property
        def unused_data(self) -> bytes:
            """What was given beyond the end of the member."""

        def decompress(self, data: bytes, max_length: int) -> bytes:
            """Take ``data`` and give at most ``max_length`` bytes; the rest is kept for the next call."""

    Method: TypeAlias = tuple[Callable[[], Decompressor], tuple[type[Exception], ...]]
    "How to make a decompressor, and what it raises when the data is damaged."

_PIECE = 1 << 16
"How many compressed bytes are read at a time."
_DROP = 1 << 18
"How much is decompressed at a time in order to be dropped."
_XZ_MEMORY = 1 << 28
"An xz dictionary may be 4 GiB if its header says so; `xz -9` needs 65 MiB to decompress."
_ZSTD_PIECE = 256
"A block of zstd data is 4 bytes at least and gives 128 KiB at most: 256 bytes give 8 MiB at most."


class CompressedInput(LookingAhead):
    """An :class:`~xenmig.core.sources.input.Input` over compressed bytes of another one.

    Members that follow one another count as one run of bytes, as with gzip, xz and zstd themselves. Memory use does
    not depend on how much the data grows. Data that is cut or damaged ends the input with a ``notice``.
    """

    __slots__ = ("_raw", "_kind", "_new", "_failures", "_member", "_given", "_made")

    def __init__(self, raw: Input, kind: str, method: Method) -> None:
        """``raw`` stands at the first compressed byte and is closed by close(); ``method``: see decompressor()."""
        super().__init__(raw.name)
        self._raw = raw
        self._kind = kind
        self._new, self._failures = method
        self._member: Decompressor | None = self._new()
        self._given = b""
        self._made = 0

    def skip(self, count: int) -> int:
        passed = 0
        while passed < count:
            data = self.read(min(count - passed, _DROP))
            if not data:
                break
            passed += len(data)
        return passed

    def close(self) -> None:
        self._member = None
        self._raw.close()

    def _more(self, count: int) -> bytes:
        """At least one and at most ``count`` decompressed bytes; empty at the end."""
        while self._member is not None:
            if self._member.needs_input and not self._given:
                self._given = self._raw.read(_PIECE)
                if not self._given:
                    self._stop(
                        f"the {self._kind} data ends before its end: the file was cut short, or is still written"
                    )
                    break
            given, self._given = self._given, b""
            try:
                data = self._member.decompress(given, count)
            except self._failures as error:
                self._stop(f"the {self._kind} data is damaged: {error}")
                break
            self._made += len(data)
            if self._member.eof:
                self._next_member()
            if data:
                return data
        return b""

    def _next_member(self) -> None:
        """Begin the member that follows, if one does."""
        from xenmig.core.sources.open import compression

        assert self._member is not None
        rest = self._member.unused_data
        self._member = None
        while True:
            # Members may be padded with zeros: to the block of a tape (gzip) or to four bytes (xz).
            rest = rest.lstrip(b"\0")
            if len(rest) >= 6:
                break
            more = self._raw.read(_PIECE)
            if not more:
                break
            rest += more
        if compression(rest[:6]) == self._kind:
            self._member = self._new()
            self._given = rest
        elif rest:
            self._stop(f"what follows the {self._kind} data is not {self._kind} data and was left out")
        elif self._raw.notice:
            self._stop(f"the {self._kind} data may go on")

    def _stop(self, what: str) -> None:
        self._member = None
        place = f"after {quantity(self._made, 'decompressed byte')}, "
        self.notice = place + (f"{self._raw.notice}; {what}" if self._raw.notice else what)


class _Gzip:
    """A gzip member behind the interface of the other decompressors."""

    def __init__(self) -> None:
        import zlib

        # 16 asks for a gzip header and checksum, 15 is the largest window.
        self._stream = zlib.decompressobj(16 + 15)
        self._starved = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return self._starved

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        kept = self._stream.unconsumed_tail
        result = self._stream.decompress(kept + data if data else kept, max_length)
        # A full buffer may mean that zlib holds more back, even when it has taken all that it was given.
        self._starved = not self._stream.unconsumed_tail and len(result) < max_length
        return result


class _Zstandard:
    """A frame for the ``zstandard`` package, whose decompressor knows no ``max_length``."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._given = b""
        self._taken = 0
        self._made = b""
        self._passed_on = 0

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof) and self._passed_on == len(self._made)

    @property
    def needs_input(self) -> bool:
        return self._taken >= len(self._given) and self._passed_on == len(self._made)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._stream.unused_data) + self._given[self._taken :]

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._given = data
            self._taken = 0
        while self._passed_on == len(self._made) and self._taken < len(self._given) and not self._stream.eof:
            self._made = self._stream.decompress(self._given[self._taken : self._taken + _ZSTD_PIECE])
            self._passed_on = 0
            self._taken += _ZSTD_PIECE
        result = self._made[self._passed_on : self._passed_on + max_length]
        self._passed_on += len(result)
        return result


def decompressor(kind: str, name: str) -> Method:
    """How to make a decompressor for ``kind`` ("gzip", "xz", "bzip2" or "zstd"), and what it raises on damaged data.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` with ``name`` where this Python lacks the module.
    """
    from xenmig.core.sources.errors import UnreadableInput

    try:
        if kind == "gzip":
            from zlib import error

            return _Gzip, (error,)
        if kind == "xz":
            from lzma import FORMAT_XZ, LZMADecompressor, LZMAError

            return lambda: LZMADecompressor(FORMAT_XZ, _XZ_MEMORY), (LZMAError, EOFError)
        if kind == "bzip2":
            from bz2 import BZ2Decompressor

            return BZ2Decompressor, (OSError, EOFError)
    except ImportError:
        raise UnreadableInput(name, f"is compressed with {kind}, which this Python was built without") from None
    found = _zstd()
    if found is None:
        raise UnreadableInput(
            name, "is compressed with zstd: `pip install xenmig[zstd]` to read it, or decompress it with `zstd -d`"
        )
    return found


def _zstd() -> Method | None:
    for module in "compression.zstd", "backports.zstd":
        try:
            zstd: Any = __import__(module, fromlist=["ZstdDecompressor"])
        except ImportError:
            continue
        return zstd.ZstdDecompressor, (zstd.ZstdError, EOFError)
    try:
        zstandard: Any = __import__("zstandard")
    except ImportError:
        return None
    return lambda: _Zstandard(zstandard.ZstdDecompressor().decompressobj()), (zstandard.ZstdError,)


if TYPE_CHECKING:
    _: type[Input] = CompressedInput
