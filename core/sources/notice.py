"""Things about a capture that its reader should know, each said once and counted."""

from __future__ import annotations

_MOST = 64


class Notice:
    """One thing worth telling, and how often it was met."""

    __slots__ = ("kind", "text", "count", "frame", "offset")

    kind: str
    """"cut", "damaged", "fragments", "snaplen", "link type", "not IP", "not TCP", "malformed IP", "malformed TCP",
    "unknown block", "unknown interface", "no time stamp", "interfaces" or "connections"."""
    text: str
    "A sentence for people, without the count."
    count: int
    "How many frames or blocks it is true of."
    frame: int | None
    "The first frame it is true of."
    offset: int | None
    "Where in the capture file, for what concerns the file and not a frame."

    def __init__(self, kind: str, text: str, frame: int | None, offset: int | None) -> None:
        self.kind = kind
        self.text = text
        self.count = 0
        self.frame = frame
        self.offset = offset

    def __str__(self) -> str:
        where = [f"{self.count} times"] if self.count > 1 else []
        if self.frame is not None:
            where.append(f"first in frame {self.frame}" if self.count > 1 else f"frame {self.frame}")
        if self.offset is not None:
            where.append(f"at byte {self.offset} of the file")
        return f"{self.text} ({', '.join(where)})" if where else self.text

    def __repr__(self) -> str:
        return f"Notice({self.kind!r}, {str(self)!r})"


class Notices:
    """The notices of one capture, in the order in which they were first met; never more than 64 different ones."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Notice] = {}

    def add(self, kind: str, text: str, *, frame: int | None = None, offset: int | None = None, count: int = 1) -> None:
        """Count one more occurrence of ``text``."""
        found = self._found.get((kind, text))
        if found is None:
            if len(self._found) >= _MOST:
                return
            found = self._found[kind, text] = Notice(kind, text, frame, offset)
        found.count += count

    def list(self) -> list[Notice]:
        """All of them."""
        return [*self._found.values()]
