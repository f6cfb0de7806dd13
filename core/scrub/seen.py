"""Telling bytes that are sent again from other bytes at the same place of a connection."""

from __future__ import annotations

from bisect import bisect_left, insort

REMEMBERED = 16 << 20
"Bytes that are remembered over all directions of a capture."


class Seen:
    """What the copy holds of one direction, as far back as a retransmission may go.

    The decoder has seen one copy of each byte, and its judgment is about that one. Where a segment has other bytes at
    the same place, be it by damage or because the ports were used again, nothing is known of them.
    """

    __slots__ = ("_pieces", "_size", "_limit", "_forgotten")

    def __init__(self, limit: int = REMEMBERED) -> None:
        """Remember about ``limit`` bytes."""
        # Start and bytes of pieces that are not all zeros, in order and apart from each other.
        self._pieces: list[tuple[int, bytes]] = []
        self._size = 0
        self._limit = limit
        self._forgotten = 0

    def agreed(self, position: int, data: bytes) -> bytes:
        """``data``, which is to become the copy of a segment at ``position``, with zeros where it contradicts what was
        copied before, or where that is forgotten.
        """
        if data.count(0) == len(data):
            return data
        stop = position + len(data)
        pieces = self._pieces
        result = bytearray(data)
        if position < self._forgotten:
            result[: self._forgotten - position] = bytes(min(len(data), self._forgotten - position))
        fresh = max(position, self._forgotten)
        new: list[tuple[int, bytes]] = []
        at = max(0, bisect_left(pieces, (position, b"")) - 1)
        while at < len(pieces) and pieces[at][0] < stop:
            start, known = pieces[at]
            end = start + len(known)
            if end > position:
                first, last = max(start, position), min(end, stop)
                if known[first - start : last - start] != result[first - position : last - position]:
                    result[first - position : last - position] = bytes(last - first)
                if fresh < first:
                    new.append((fresh, bytes(result[fresh - position : first - position])))
                fresh = max(fresh, last)
            at += 1
        if fresh < stop:
            new.append((fresh, bytes(result[fresh - position :])))
        for piece in new:
            insort(pieces, piece)
            self._size += len(piece[1])
        self._forget()
        return bytes(result)

    def _forget(self) -> None:
        if self._size <= self._limit:
            return
        # A good part at once, since the rest of the list moves.
        gone = 0
        while self._size > self._limit * 3 // 4 and gone < len(self._pieces) - 1:
            self._size -= len(self._pieces[gone][1])
            gone += 1
        if gone:
            start, data = self._pieces[gone - 1]
            self._forgotten = max(self._forgotten, start + len(data))
            del self._pieces[:gone]
