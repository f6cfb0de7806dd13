"""Guest memory as a stream brings it: which pages came, how often, of what types, and where in memory they lie."""

from __future__ import annotations

from xenmig.core.analysis.density import Density
from xenmig.core.analysis.pfn_counts import PfnCounts, Room
from xenmig.core.decode.pages import PFN_MASK, TYPE_SHIFT
from xenmig.core.definitions.libxc import PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.pages import PfnArray
    from xenmig.core.decode.record import PageData


class Memory:
    """What came of guest memory in one stream, VERIFY's second copy left aside.

    Besides the counts (a byte a pfn, see :class:`PfnCounts`) and a map of at most half a megabyte, nothing is kept.
    """

    __slots__ = ("announced", "sent", "types", "unknown", "counts", "density", "room", "_iteration")

    announced: int
    "Entries of pfn arrays, with a page or without."
    sent: int
    "Pages that came."
    types: dict[int, int]
    "Entries by page type (0 to 15)."
    unknown: int
    "Pages that came whose pfns were not captured."
    counts: PfnCounts
    "How often each pfn came with a page."
    density: Density
    "Pages by iteration and range of pfns."
    room: Room
    "What all streams of an input share."

    def __init__(self, room: Room | None = None) -> None:
        """``room`` is what hostile streams share."""
        self.announced = 0
        self.sent = 0
        self.types = {}
        self.unknown = 0
        self.density = Density()
        self._iteration = 0
        self.room = room or Room()
        self.counts = PfnCounts(self.room, self._placed)

    def take(self, event: PageData, pages: int, iteration: int) -> int:
        """Count the first ``pages`` pages of a record; returns how many of them came for the first time."""
        pfns = event.pfns
        self.announced += event.listed
        self.sent += pages
        if pages < pfns.with_data:
            pfns = _beginning(pfns, pages)
        types = self.types
        for kind, number in pfns.types().items():
            types[kind] = types.get(kind, 0) + number
        if not pages:
            return 0
        self._iteration = iteration
        if pages > pfns.with_data:
            self.unknown += pages - pfns.with_data
        return self.counts.add(pfns)

    def came(self, pfns: PfnArray) -> list[bool]:
        """For each page of a batch that has not been counted yet whether it came before."""
        shift, counts = TYPE_SHIFT, self.counts
        without = [number for number, known in PageType.known.items() if not known.facts["data"]]
        return [counts[word & PFN_MASK] > 0 for word in pfns.numbers() if word >> shift not in without]

    @property
    def distinct(self) -> int:
        """Those pfns that came with a page at least once."""
        return self.counts.distinct

    @property
    def again(self) -> int:
        """Pages that came for a pfn that had come before."""
        return max(0, self.sent - self.distinct - self.counts.untracked - self.unknown)

    @property
    def ratio(self) -> float | None:
        """Pages sent for each page of the guest: 1.0 when none came twice; None when no page came."""
        known = self.distinct + self.again
        return known / self.distinct if self.distinct else None

    @property
    def repeated(self) -> int:
        """Those pfns that came with a page more than once."""
        return sum(len(chunk.translate(None, b"\0\1")) for _, chunk in self.counts.chunks())

    @property
    def page_types(self) -> dict[str, int]:
        """Entries by the name of their page type, the most frequent first."""
        by_number = sorted(self.types.items(), key=lambda item: -item[1])
        return {str(PageType(kind)): number for kind, number in by_number}

    def _placed(self, block: int, pages: int) -> None:
        self.density.add(self._iteration, block, pages)


def _beginning(pfns: PfnArray, pages: int) -> PfnArray:
    """The part of an array that has the first ``pages`` pages."""
    start, end = 0, pfns.count
    while start < end:
        middle = (start + end) // 2
        if pfns.part(0, middle).with_data < pages:
            start = middle + 1
        else:
            end = middle
    return pfns.part(0, start)
