"""Runs of bytes in files, captures and compressed inputs, read when somebody asks for them."""

from __future__ import annotations

from xenmig.scapy_layers import passes


class GuestMemoryUnavailable(OSError):
    """Guest memory was asked for that was passed over and cannot be read again."""


class Region:
    """``length`` bytes of a stream, from ``offset`` of it."""

    __slots__ = ("path", "offset", "length")

    path: str
    offset: int
    "Position of the first byte in the stream: in the decompressed file, or in the TCP direction."
    length: int

    def __init__(self, path: str, offset: int, length: int) -> None:
        self.path = path
        self.offset = offset
        self.length = length

    def read(self, start: int, count: int) -> bytes:
        """``count`` bytes from ``start`` of the region. Raises GuestMemoryUnavailable when they are not to be had."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.key() == other.key()

    def key(self) -> tuple[object, ...]:
        """What tells this region from others of its kind."""
        return (self.path, self.offset, self.length)

    __hash__ = None  # type: ignore[assignment]

    def _short(self, start: int, count: int, there: int) -> GuestMemoryUnavailable:
        return GuestMemoryUnavailable(
            f"{self.path}: only {there} of {count} bytes at offset {self.offset + start} are there: the file has become"
            " shorter since it was opened, or ends inside the record"
        )


class FileRegion(Region):
    """Bytes of a file. It is opened for every read, so that a kept record keeps no descriptor."""

    __slots__ = ()

    def read(self, start: int, count: int) -> bytes:
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset + start)
            pieces = []
            left = count
            while left and (piece := file.read(left)):
                pieces.append(piece)
                left -= len(piece)
        if left:
            raise self._short(start, count, count - left)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class CompressedRegion(Region):
    """Bytes of a compressed file, which is decompressed up to there: see :mod:`~xenmig.scapy_layers.passes`."""

    __slots__ = ()

    def read(self, start: int, count: int) -> bytes:
        offset = self.offset + start
        data = passes.read(("compressed",), self.path, lambda: passes.CompressedPass(self.path), offset, count)
        if len(data) < count:
            raise self._short(start, count, len(data))
        return data


class CaptureRegion(Region):
    """Bytes of one direction of a TCP connection, which is reassembled up to there: see ``passes``."""

    __slots__ = ("connection", "forth")

    connection: int
    "The connection's number in the capture, from 1."
    forth: bool
    "Whether it is the direction whose packet was captured first."

    def __init__(self, path: str, offset: int, length: int, connection: int, forth: bool) -> None:
        super().__init__(path, offset, length)
        self.connection = connection
        self.forth = forth

    def key(self) -> tuple[object, ...]:
        return (*super().key(), self.connection, self.forth)

    def read(self, start: int, count: int) -> bytes:
        offset = self.offset + start
        data = passes.read(
            ("capture", self.connection, self.forth),
            self.path,
            lambda: passes.CapturePass(self.path, self.connection, self.forth),
            offset,
            count,
        )
        if len(data) < count:
            raise GuestMemoryUnavailable(
                f"{self.path}: bytes {offset} to {offset + count} of the connection are not all in the capture: a"
                " segment was not captured, or the capture ends before them"
            )
        return data


class GoneRegion(Region):
    """Bytes of a pipe, which are gone when they have passed."""

    __slots__ = ()

    def read(self, start: int, count: int) -> bytes:
        raise GuestMemoryUnavailable(
            f"guest memory of {self.path} was passed over and cannot be read again: write the stream to a file first"
        )


class HeldRegion(Region):
    """Bytes that are in memory already."""

    __slots__ = ("data",)

    data: bytes | memoryview

    def __init__(self, data: bytes | memoryview) -> None:
        super().__init__("", 0, len(data))
        self.data = data

    def key(self) -> tuple[object, ...]:
        return (bytes(self.data),)

    def read(self, start: int, count: int) -> bytes:
        return bytes(self.data[start : start + count])
