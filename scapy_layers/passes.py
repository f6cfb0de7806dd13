"""Reading runs of bytes out of what can only be read from front to back: compressed files, and captures.

Going back to a place means beginning anew, which for a capture of 300 MB takes a quarter of a second. So the pass that
was used last is kept open, and goes on from where it is when the next run lies behind it: writing a stream out of a
capture is one pass and not one for each record.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.packet import Packet

_PIECE = 1 << 20


class Pass(Protocol):
    """A pass over an input from front to back."""

    def reaches(self, offset: int) -> bool:
        """Whether the byte at ``offset`` has not been passed yet."""

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset`` on; fewer when they are not to be had."""

    def close(self) -> None:
        """Give back the descriptor."""


_kept: dict[tuple[object, ...], Pass] = {}
"The pass that was used last, by what it reads."


def read(key: tuple[object, ...], path: str, begin: Callable[[], Pass], offset: int, count: int) -> bytes:
    """``count`` bytes of ``path`` from ``offset`` on, by the pass that is kept or by a new one.

    ``key`` tells what the pass reads; ``begin`` begins one. Fewer bytes when they are not to be had. Raises what
    opening the path raises.
    """
    status = os.stat(path)
    # A file that has been written to since is another file.
    key = (*key, path, status.st_size, status.st_mtime_ns)
    found = _kept.pop(key, None)
    for other in _kept.values():
        other.close()
    _kept.clear()
    if found is not None and not found.reaches(offset):
        found.close()
        found = None
    if found is None:
        found = begin()
    data = found.read(offset, count)
    _kept[key] = found
    return data


class CompressedPass:
    """A pass over the decompressed bytes of a file."""

    def __init__(self, path: str) -> None:
        """Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when there is nothing to read."""
        from xenmig.core.sources.open import open_input

        self._input = open_input(path)

    def reaches(self, offset: int) -> bool:
        return offset >= self._input.offset

    def read(self, offset: int, count: int) -> bytes:
        self._input.skip(offset - self._input.offset)
        pieces = []
        while count and (piece := self._input.read(min(count, _PIECE))):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._input.close()


class CapturePass:
    """A pass over one direction of a connection of a capture."""

    def __init__(self, path: str, connection: int, forth: bool) -> None:
        """``connection`` is the connection's number; ``forth`` says whether it is the direction captured first.

        Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when the path is no capture any more.
        """
        from xenmig.core.sources.capture import Capture
        from xenmig.core.sources.open import open_input

        self._connection = connection
        self._forth = forth
        self._collector = _Collector()
        self._input = open_input(path)
        self._events: Iterator[object] = iter(Capture(self._input, self._consumer))

    def _consumer(
        self,
        connection: Connection,
        direction: Direction,
        prefix: bytes,  # a factory of consumers is told more than this one needs
        from_start: bool,
    ) -> Consumer | None:
        wanted = connection.id == self._connection and (direction is connection.directions[0]) == self._forth
        return self._collector if wanted else None

    def reaches(self, offset: int) -> bool:
        return self._collector.reaches(offset)

    def read(self, offset: int, count: int) -> bytes:
        collector = self._collector
        collector.want(offset, count)
        while not collector.satisfied:
            try:
                next(self._events)
            except StopIteration:
                break
        return collector.taken(count)

    def close(self) -> None:
        self._input.close()


class _Collector:
    """A consumer that keeps what comes from a place on, and passes over what is in front of it.

    A capture is read in windows of a mebibyte, so what comes behind the wanted bytes in the same window is kept, too.
    """

    __slots__ = ("skip", "need", "position", "packet", "events", "_begin", "_held", "_wanted", "_gap", "_ended")

    def __init__(self) -> None:
        self.skip = 0
        self.need = 1
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Event] = []
        # What is held are the bytes from _begin on; behind them is the position, or a gap up to it.
        self._begin = 0
        self._held = bytearray()
        self._wanted = 0
        self._gap = False
        self._ended = False

    @property
    def satisfied(self) -> bool:
        """Whether what is wanted is there, or will never be."""
        return self._gap or self._ended or self._begin + len(self._held) >= self._wanted

    def reaches(self, offset: int) -> bool:
        """Whether the byte at ``offset`` is held, or is still to come."""
        return self._begin <= offset <= self._begin + len(self._held) or offset >= self.position

    def want(self, offset: int, count: int) -> None:
        """Ask for bytes that are held or are still to come."""
        if self._begin <= offset <= self._begin + len(self._held):
            del self._held[: offset - self._begin]
        else:
            self._held.clear()
            self._gap = False
            self.skip = max(0, offset - self.position)
        self._begin = offset
        self._wanted = offset + count
        self.events.clear()

    def taken(self, count: int) -> bytes:
        """What is held of the bytes asked for."""
        return bytes(self._held[:count])

    def feed(self, data: bytes, start: int, end: int) -> None:
        if self.skip:
            passed = min(self.skip, end - start)
            self.passed(passed)
            start += passed
        if start < end:
            self.position += end - start
            if not self._gap:
                self._held += data[start:end]
        self._hand_back()

    def passed(self, count: int) -> None:
        self.skip -= count
        self.position += count

    def hole(self, count: int) -> None:
        self.position += count
        if count <= self.skip:
            self.skip -= count
            return
        self.skip = 0
        self._gap = True
        self._hand_back()

    def end(self) -> None:
        self._ended = True
        self._hand_back()

    def _hand_back(self) -> None:
        from xenmig.core.decode.events import Complete

        # An event has the capture hand back control at the end of its window.
        if self.satisfied and not self.events:
            self.events.append(Complete(self.position))


if TYPE_CHECKING:
    _: type[Consumer] = _Collector
