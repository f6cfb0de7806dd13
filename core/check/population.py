"""Which pages of the guest a receiver has once it has taken a stream's memory, and of what types."""

from __future__ import annotations

from xenmig.core.definitions.libxc import PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.pages import PfnArray

POPULATED = 1
"The page came with data at some time, or a receiver makes an empty one: xg_sr_restore.c, populate_pfns."
LEVEL = 7
"Of a page type: the level of page table, without whether it is pinned; 0 of an ordinary page."
PINNED = 8

_UNPOPULATED = (PageType.BROKEN, PageType.XTAB)
KEPT = bytes(byte & 0xF0 | (POPULATED if byte >> 4 not in _UNPOPULATED else 0) for byte in range(256))
"The byte of an entry of the array that holds the type -> what is kept of the page."


class Population:
    """A byte for each pfn that has come. Of a page that comes again the last type counts.

    It grows with the first pass only, which brings every pfn from 0 on: whatever a pfn in a file is, no memory is taken
    for pfns that did not come.
    """

    __slots__ = ("pages", "whole")

    pages: bytearray
    "By pfn: the page type in bits 4 to 7, and ``POPULATED``."
    whole: bool
    "Whether nothing was missed, so that what is not here did not come."

    def __init__(self, *, whole: bool) -> None:
        self.pages = bytearray()
        self.whole = whole

    def lose(self) -> None:
        """Something was missed: nothing can be said any more."""
        self.whole = False
        self.pages = bytearray()

    def take(self, pfns: PfnArray, *, row: bool) -> None:
        """Take a batch; ``row`` says that its pfns follow one another."""
        if not self.whole:
            return
        pages = self.pages
        kept = pfns.column.translate(KEPT)
        if row and pfns.first == len(pages):
            pages += kept
            return
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
        return pfn < len(self.pages) and bool(self.pages[pfn] & POPULATED)

    def ordinary(self, pfns: Sequence[int]) -> bool:
        """Whether a receiver has all of these pages, and they are ordinary ones."""
        pages = self.pages
        return max(pfns, default=0) < len(pages) and all(pages[pfn] == POPULATED for pfn in pfns)

    def type(self, pfn: int) -> PageType:
        """The page's last type; that of an ordinary page where it never came, as in a receiver."""
        return PageType(self.pages[pfn] >> 4 if pfn < len(self.pages) else 0)
