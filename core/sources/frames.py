"""Frames of a capture, a window of them at a time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, TypeAlias

    from xenmig.core.sources.input import Input

    Head: TypeAlias = tuple[int, int, int, int]
    """Seconds, fraction of a second in units of the reader's ``scale``, captured bytes, bytes on the wire."""

    class FrameReader(Protocol):
        """Reads one capture file format."""

        scale: int
        "Nanoseconds in one unit of a head's fraction."

        def frames(self) -> Frames | None:
            """The next frames, as many as have come and never waiting for more than one; None at the end."""


WINDOW = 1 << 19
"How much is read at once: several of the largest segments, and little enough to stay in a cache."
LARGEST_FRAME = 1 << 20
"A frame said to be larger is damage: BIG TCP makes 512 KiB, capture programs stop at 256 KiB."


class Frames:
    """Consecutive frames that lie completely in one window and share a link type."""

    __slots__ = ("window", "link_type", "starts", "heads")

    window: bytes
    link_type: int
    "The LINKTYPE or DLT value; -1 where the capture does not say."
    starts: list[int]
    "Where in ``window`` each frame starts."
    heads: list[Head]
    "Time and lengths of each frame."

    def __init__(self, window: bytes, link_type: int, starts: list[int], heads: list[Head]) -> None:
        self.window = window
        self.link_type = link_type
        self.starts = starts
        self.heads = heads


class Window:
    """The part of an input that is in memory."""

    __slots__ = ("data", "position", "_input", "_base")

    data: bytes
    position: int
    "Where in ``data`` the first byte lies that has not been used."

    def __init__(self, input: Input) -> None:
        self.data = b""
        self.position = 0
        self._input = input
        self._base = input.offset

    @property
    def offset(self) -> int:
        """Where in the input the first byte lies that has not been used."""
        return self._base + self.position

    @property
    def available(self) -> int:
        """How many unused bytes are in memory."""
        return len(self.data) - self.position

    def more(self, count: int) -> bool:
        """Bring at least one more byte into memory; False at the end of input.

        ``count`` (at least 1) says how many bytes the block at ``position`` lacks. Only these are joined to the bytes
        in memory, so that the next full window begins with a block and nothing is ever copied twice.
        """
        data = self.data
        rest = data[self.position :]
        self._base += self.position
        self.position = 0
        fresh = self._input.read(count if rest else WINDOW)
        self.data = rest + fresh if rest else fresh
        return bool(fresh)

    def ensure(self, count: int) -> bool:
        """Bring ``count`` unused bytes into memory; False when the input ends before."""
        while self.available < count:
            if not self.more(count - self.available):
                return False
        return True

    def pass_over(self, count: int) -> int:
        """Leave ``count`` bytes unused, in memory or not; returns how many there were."""
        here = self.available
        if count <= here:
            self.position += count
            return count
        passed = self._input.skip(count - here)
        self._base += len(self.data) + passed
        self.data = b""
        self.position = 0
        return here + passed
