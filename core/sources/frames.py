"""Frames of a capture, a window of them at a time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar, Protocol, TypeAlias

    from xenmig.core.sources.input import Input
    from xenmig.core.sources.repetition import Repetition

    Head: TypeAlias = tuple[int, int, int, int]
    """Seconds, fraction of a second in units of the reader's ``scale``, captured bytes, bytes on the wire."""
    Record: TypeAlias = tuple[Head, int, int]
    """A frame's head, where in the window the frame starts, and where the next frame's record starts."""

    class FrameReader(Protocol):
        """Reads one capture file format."""

        lead: Lead
        "What is in front of usual frames."
        scale: int
        "Nanoseconds in one unit of a head's fraction."

        def frames(self) -> Frames | None:
            """The next frames, as many as have come and never waiting for more than one; None at the end."""


WINDOW = 1 << 20
"How much is read at once: several of the largest segments, and little enough to stay in a cache."
_SHORT = 1 << 14
"A block in two windows is read again if it has fewer bytes, where the input allows that."
LARGEST_FRAME = 1 << 20
"A frame said to be larger is damage: BIG TCP makes 512 KiB, capture programs stop at 256 KiB."


class Lead:
    """What a capture file format puts in front of a frame: bytes that are alike in frames of one length, then its time
    of 8 bytes, then its lengths, which are alike again.
    """

    __slots__ = ("before", "after", "size")

    before: int
    "Bytes in front of the time."
    after: int
    "Bytes behind the time."
    size: int

    def __init__(self, before: int, after: int) -> None:
        self.before = before
        self.after = after
        self.size = before + 8 + after


class Frames:
    """Consecutive frames that lie completely in one window and share a link type.

    How many there are shows only when somebody walks over them, which takes longer than anything else that happens to
    most frames. The lists are made when they are asked for; who walks without them says with :meth:`walked` what they
    would have said.
    """

    __slots__ = (
        "window",
        "link_type",
        "position",
        "limit",
        "repetitions",
        "_starts",
        "_heads",
        "_count",
        "_last",
        "_end",
    )

    lead: ClassVar[Lead | None] = None
    "What is in front of each frame; None for frames that are not to be walked over, but are given as lists."

    window: bytes
    link_type: int
    "The LINKTYPE or DLT value; -1 where the capture does not say."
    position: int
    "Where in ``window`` the record of the first frame starts: what is in front of the frame, and the frame."
    limit: int
    "Where in ``window`` no more bytes of these frames can be."
    repetitions: list[Repetition]
    "What whoever has walked over the frames found to repeat, in order, each with an acknowledgment."

    def __init__(self, window: bytes, link_type: int, position: int, limit: int) -> None:
        self.window = window
        self.link_type = link_type
        self.position = position
        self.limit = limit
        self.repetitions: list[Repetition] = []
        self._starts: list[int] = []
        self._heads: list[Head] = []
        self._count = -1
        self._last: Head = (0, 0, 0, 0)
        self._end = position

    def record(self, position: int) -> Record | None:
        """The frame whose record starts at ``position``; None when it is not one of these."""
        raise NotImplementedError

    def steady(self, position: int, size: int, count: int, second: int, pause: int) -> int:
        """How many of up to ``count`` frames, whose records are there and ``size`` bytes apart, the first at
        ``position``, came steadily: in this second, none before the one in front of it, and none ``pause`` or more
        behind that, which is a fraction of the second as in heads.
        """
        raise NotImplementedError

    def part(self, first: int, behind: int) -> Frames:
        """Some of the frames, counted from 0: from ``first`` to before ``behind``."""
        raise NotImplementedError

    def _walk(self, starts: list[int], heads: list[Head]) -> int:
        """Fill the lists; returns where the last record ends."""
        raise NotImplementedError

    def walked(self, count: int, last: Head, end: int) -> None:
        """Note that there are ``count`` frames, the head of the last one, and where its record ends."""
        self._count, self._last, self._end = count, last, end

    @property
    def starts(self) -> list[int]:
        """Where in ``window`` each frame starts."""
        if not self._starts:
            end = self._walk(self._starts, self._heads)
            self.walked(len(self._starts), self._heads[-1], end)
        return self._starts

    @property
    def heads(self) -> list[Head]:
        """Time and lengths of each frame."""
        return self._heads if self.starts else []

    @property
    def first(self) -> Head:
        """The head of the first frame."""
        record = self.record(self.position)
        return record[0] if record is not None else self.heads[0]

    @property
    def count(self) -> int:
        """How many frames there are."""
        return self._count if self._count >= 0 else len(self.starts)

    @property
    def last(self) -> Head:
        """The head of the last frame."""
        return self._last if self.count else self.first

    @property
    def end(self) -> int:
        """Where in ``window`` the record of the last frame ends."""
        return self._end if self.count else self.position


class Listed(Frames):
    """Frames that are given, because what is around them is unusual."""

    __slots__ = ()

    def __init__(self, window: bytes, link_type: int, starts: list[int], heads: list[Head], end: int) -> None:
        super().__init__(window, link_type, end, end)
        self._starts, self._heads = starts, heads
        self.walked(len(starts), heads[-1] if heads else (0, 0, 0, 0), end)

    def record(self, position: int) -> Record | None:  # noqa: ARG002 - there are no records of a usual kind
        return None

    def steady(self, position: int, size: int, count: int, second: int, pause: int) -> int:  # noqa: ARG002 - the same
        return 0

    def part(self, first: int, behind: int) -> Frames:
        return Listed(self.window, self.link_type, self._starts[first:behind], self._heads[first:behind], self._end)


class Window:
    """The part of an input that is in memory."""

    __slots__ = ("data", "position", "_input", "_base", "_back")

    data: bytes
    position: int
    "Where in ``data`` the first byte lies that has not been used."

    def __init__(self, input: Input) -> None:
        self.data = b""
        self.position = 0
        self._input = input
        self._base = input.offset
        # Files alone have it.
        self._back: Callable[[int], None] | None = getattr(input, "back", None)

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

        ``count`` (at least 1) says how many bytes the block at ``position`` lacks. A file goes back to where a small
        block begins. Otherwise only what is lacking is joined to the bytes in memory, so that the next full window
        begins with a block. Nothing is ever copied twice.
        """
        rest = self.data[self.position :]
        self._base += self.position
        self.position = 0
        # If nobody else holds the old window, the new one takes its place, in memory and in the processor's cache.
        self.data = b""
        if rest and self._back is not None and len(rest) + count < _SHORT:
            # Otherwise every other window would hold one block, and looking at it costs as much as at a hundred more.
            self._back(len(rest))
            fresh = self._input.read(WINDOW)
            if len(fresh) > len(rest):
                self.data = fresh
                return True
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
