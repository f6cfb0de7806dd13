"""Pages that were sent again and again, one by one and by the ranges that they lie in."""

from __future__ import annotations

import re
from heapq import nsmallest
from itertools import islice

from xenmig.core.analysis.pfn_counts import COUNTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.analysis.pfn_counts import PfnCounts

# Pages that came twice or more, with gaps of up to seven others between them: the pages of one buffer or heap.
_HOT = re.compile(rb"[\x02-\xff]+(?:[\x00\x01]{1,7}[\x02-\xff]+)*")


class HotPage:
    """A page that was sent more than once."""

    __slots__ = ("pfn", "times")

    pfn: int
    times: int
    "How often it was sent."

    def __init__(self, pfn: int, times: int) -> None:
        self.pfn = pfn
        self.times = times


class HotRange:
    """Neighbouring pages of which most were sent more than once."""

    __slots__ = ("first", "last", "pages", "again")

    first: int
    "pfn."
    last: int
    "pfn."
    pages: int
    "How many pages of the range were sent more than once."
    again: int
    "How many pages were sent in vain: all but the last copy of each."

    def __init__(self, first: int, last: int, pages: int, again: int) -> None:
        self.first = first
        self.last = last
        self.pages = pages
        self.again = again


def hottest(counts: PfnCounts, most: int = 10) -> list[HotPage]:
    """The pages that were sent most often, at least twice; of equals those with the lowest pfns."""
    # What is needed is found from the top of the counts: a chunk is searched for one value at a time.
    chunks: dict[int, list[tuple[int, bytearray]]] = {}
    for first, chunk in counts.chunks():
        for value in set(chunk.translate(None, b"\0\1")):
            chunks.setdefault(value, []).append((first, chunk))
    found: list[HotPage] = []
    for value in sorted(chunks, reverse=True):
        places = (pfn for first, chunk in chunks[value] for pfn in _find(first, chunk, value))
        pages = (HotPage(pfn, counts[pfn]) for pfn in places)
        if value == COUNTED:
            found = nsmallest(most, pages, key=lambda page: (-page.times, page.pfn))
        else:
            found += islice(pages, most - len(found))
        if len(found) == most:
            break
    return found


def hot_ranges(counts: PfnCounts, most: int = 10) -> list[HotRange]:
    """The ranges in which most pages were sent in vain, the worst first."""
    return nsmallest(most, _hot_ranges(counts), key=lambda one: (-one.again, one.first))


def _hot_ranges(counts: PfnCounts) -> Iterator[HotRange]:
    before: HotRange | None = None
    for base, chunk in counts.chunks():
        for match in _HOT.finditer(chunk):
            first, last = base + match.start(), base + match.end() - 1
            came, repeated = (len(match[0].translate(None, less)) for less in (b"\0", b"\0\1"))
            found = HotRange(first, last, repeated, counts.sent(first, last) - came)
            if before is not None and before.last == first - 1:
                # It reaches over the end of a chunk.
                found = HotRange(before.first, last, before.pages + found.pages, before.again + found.again)
            elif before is not None:
                yield before
            before = found
    if before is not None:
        yield before


def _find(first: int, chunk: bytearray, value: int) -> Iterator[int]:
    """The pfns of a chunk with that count; ``first`` is that of the chunk."""
    at = chunk.find(value)
    while at >= 0:
        yield first + at
        at = chunk.find(value, at + 1)
