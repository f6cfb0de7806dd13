"""Bytes that were looked at before they are read, for inputs that cannot go back."""

from __future__ import annotations


class LookingAhead:
    """The part of an :class:`~xenmig.core.sources.input.Input` that keeps what was peeked at until it is read."""

    __slots__ = ("name", "offset", "size", "notice", "_ahead")

    name: str
    offset: int
    "How many bytes have been read or skipped so far."
    size: None
    notice: str | None

    def __init__(self, name: str) -> None:
        self.name = name
        self.offset = 0
        self.size = None
        self.notice = None
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        while len(self._ahead) < count:
            data = self._more(count - len(self._ahead))
            if not data:
                break
            self._ahead += data
        return self._ahead[:count]

    def read(self, count: int) -> bytes:
        if self._ahead:
            data = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            data = self._more(count)
        self.offset += len(data)
        return data

    def _more(self, count: int) -> bytes:
        """At least one and at most ``count`` bytes that nobody has seen yet; empty at the end of input."""
        raise NotImplementedError
