"""Which pages of the guest a receiver has once it has taken a stream's memory, and of what types."""

from __future__ import annotations

from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xenmig.core.decode.pages import PfnArray

POPULATED = 1
"The page came with data at some time, or a receiver makes an empty one: xg_sr_restore.c, populate_pfns."
LEVEL = 7
"Of a page type: the level of page table, without whether it is pinned; 0 of an ordinary page."
PINNED = 8

UNPOPULATED = (PageType.BROKEN, PageType.XTAB)
"Types of pages that come without data, and of which a receiver makes none."
KEPT = bytes(byte & 0xF0 | (POPULATED if byte >> 4 not in UNPOPULATED else 0) for byte in range(256))
"The byte of an entry of the array that holds the type -> what is kept of the page."


class Population:
    """A byte for each pfn that has come. Of a page that comes again the last type counts.

    It grows with the first pass only, which brings every pfn from 0 on: whatever a pfn in a file is, no memory is taken
    for pfns that did not come.
    """

    __slots__ = ("whole", "_pages", "_columns")

    whole: bool
    "Whether nothing was missed, so that what is not here did not come."

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self._pages = bytearray()
        # What came behind those pages: full batches as they are in the stream, for no more is asked of most of them.
        self._columns: list[bytes | bytearray] = []

    @property
    def pages(self) -> bytearray:
        """By pfn: the page type in bits 4 to 7, and ``POPULATED``."""
        if self._columns:
            self._pages += b"".join(self._columns).translate(KEPT)
            self._columns.clear()
        return self._pages

    @property
    def count(self) -> int:
        """How many pfns have come: all before this one have."""
        return len(self._pages) + MAX_BATCH_SIZE * len(self._columns)

    def lose(self) -> None:
        """Something was missed: nothing can be said any more."""
        self.whole = False
        self._pages = bytearray()
        self._columns.clear()

    def follow(self, columns: Iterable[bytes | bytearray]) -> None:
        """Take full batches that follow all pfns that have come: of each the bytes with the types."""
        self._columns.extend(columns)

    def take(self, pfns: PfnArray, *, row: bool) -> None:
        """Take a batch; ``row`` says that its pfns follow one another."""
        if not self.whole:
            return
        if row and pfns.first == self.count:
            if pfns.count == MAX_BATCH_SIZE:
                self._columns.append(pfns.column)
            else:
                self.pages.extend(pfns.column.translate(KEPT))
            return
        pages = self.pages
        kept = pfns.column.translate(KEPT)
        first = kept[0]
        if first & POPULATED and kept.count(first) == len(kept):
            # All become the same, whatever they were. What of them lies behind the end is seen below.
            try:
                for pfn in pfns.pfns():
                    pages[pfn] = first
            except IndexError:
                pass
            else:
                return
        for pfn, one in zip(pfns.pfns(), kept, strict=True):
            if pfn < len(pages):
                pages[pfn] = one | pages[pfn] & POPULATED
            elif pfn == len(pages):
                pages.append(one)
            else:
                self.lose()
                return

    def populated(self, pfn: int) -> bool:
        """Whether a receiver has the page."""
        return bool(self._kept(pfn) & POPULATED)

    def ordinary(self, pfns: Sequence[int]) -> bool:
        """Whether a receiver has all of these pages, and they are ordinary ones."""
        if not pfns:
            return True
        lowest, highest = min(pfns), max(pfns)
        if highest >= self.count:
            return False
        kept = self._between(lowest, highest + 1)
        if kept == bytes((POPULATED,)) * len(kept):
            return True
        return {kept[pfn - lowest] for pfn in pfns} == {POPULATED}

    def type(self, pfn: int) -> PageType:
        """The page's last type; that of an ordinary page where it never came, as in a receiver."""
        return PageType(self._kept(pfn) >> 4)

    def has(self, kind: int) -> bool:
        """Whether a page has come whose last type is this one, with data."""
        byte = kind << 4
        return byte | POPULATED in self._pages or any(byte in column for column in self._columns)

    def _kept(self, pfn: int) -> int:
        """What is kept of a page; 0 where it never came."""
        place = pfn - len(self._pages)
        if place < 0:
            return self._pages[pfn]
        column, at = divmod(place, MAX_BATCH_SIZE)
        return KEPT[self._columns[column][at]] if column < len(self._columns) else 0

    def _between(self, start: int, end: int) -> bytes:
        """What is kept of the pages from ``start`` to before ``end``, which have come."""
        before = len(self._pages)
        if start < before:
            return bytes(self.pages[start:end])
        first = (start - before) // MAX_BATCH_SIZE
        columns = self._columns[first : (end - 1 - before) // MAX_BATCH_SIZE + 1]
        start -= before + first * MAX_BATCH_SIZE
        end -= before + first * MAX_BATCH_SIZE
        return b"".join(columns)[start:end].translate(KEPT)
