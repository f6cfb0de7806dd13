"""Which bytes of a stream stay: ranges of positions, and bytes to be put in place of others."""

from __future__ import annotations

from array import array
from bisect import bisect_right


class Kept:
    """What stays of one stream. Everything that nobody asked to keep becomes zero.

    A range takes 16 bytes, and there is about one for each record.
    """

    __slots__ = ("_starts", "_ends", "_new_starts", "_new_ends", "_new")

    def __init__(self) -> None:
        self._starts = array("q")
        self._ends = array("q")
        self._new_starts = array("q")
        self._new_ends = array("q")
        self._new: list[bytes] = []

    def keep(self, start: int, end: int) -> None:
        """Keep the bytes from ``start`` to before ``end``; ranges come in ascending order."""
        if start >= end:
            return
        if self._ends and start <= self._ends[-1]:
            self._ends[-1] = max(end, self._ends[-1])
        else:
            self._starts.append(start)
            self._ends.append(end)

    def put(self, start: int, data: bytes) -> None:
        """Put ``data`` in place of what stands at ``start``; in ascending order, too."""
        self._new_starts.append(start)
        self._new_ends.append(start + len(data))
        self._new.append(data)

    def part(self, data: bytes, start: int, end: int, position: int) -> bytes:
        """What becomes of ``data[start:end]``, whose first byte has that position in the stream."""
        starts, ends = self._starts, self._ends
        stop = position + end - start
        at = bisect_right(ends, position)
        new = bisect_right(self._new_ends, position) if self._new else 0
        if new == len(self._new) or self._new_starts[new] >= stop:
            if at == len(starts) or starts[at] >= stop:
                return bytes(end - start)
            if starts[at] <= position and stop <= ends[at]:
                return data[start:end]
        result = bytearray(end - start)
        while at < len(starts) and starts[at] < stop:
            first, last = max(starts[at], position), min(ends[at], stop)
            result[first - position : last - position] = data[first - position + start : last - position + start]
            at += 1
        while new < len(self._new) and self._new_starts[new] < stop:
            there = self._new_starts[new]
            first, last = max(there, position), min(self._new_ends[new], stop)
            result[first - position : last - position] = self._new[new][first - there : last - there]
            new += 1
        return bytes(result)
