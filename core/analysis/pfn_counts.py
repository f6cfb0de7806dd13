"""How often each page of a guest was sent: one byte a pfn, in chunks that exist only where pages came.

A batch of a first pass is a row of pfns, whose bytes are added up at once, as one long number; in later passes the
pages that were dirty are scattered, and each costs one step of a loop.
"""

from __future__ import annotations

import sys
from array import array
from itertools import compress

from xenmig.core.decode.pages import PFN_MASK, TYPE_BYTES_WITHOUT_DATA, TYPE_SHIFT, VALID_TYPE_BYTES
from xenmig.core.decode.pfn_rows import in_a_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from xenmig.core.decode.pages import PfnArray

CHUNK_BITS = 16
CHUNK = 1 << CHUNK_BITS
"pfns that share a chunk: 256 MiB of guest memory."
BLOCK_BITS = 8
"pfns that are told to :class:`PfnCounts`' ``placed`` together: 1 MiB of guest memory."
BYTES_PER_PAGE = 8
"Most bytes that are taken for each page that came, besides what the room gives."
FREE_BYTES = 8 << 20
"Bytes that the migrations of one timeline may take in whatever proportion to the pages that came."
COUNTED = 255
"The largest count that takes one byte."

_SCATTERED = sys.byteorder == "little"
# The byte of an entry that holds its type -> 1 when a page follows.
_WITH_DATA = bytes(
    byte & 0xF0 in VALID_TYPE_BYTES and byte & 0xF0 not in TYPE_BYTES_WITHOUT_DATA for byte in range(256)
)


class Room:
    """What may be taken of memory by all who share it."""

    __slots__ = ("left",)

    left: int
    "Bytes."

    def __init__(self, left: int = FREE_BYTES) -> None:
        self.left = left

    def take(self, size: int) -> bool:
        """Whether there are ``size`` bytes; they are gone then."""
        if size > self.left:
            return False
        self.left -= size
        return True


class PfnCounts:
    """Counts how often each pfn came with a page.

    A count takes one byte, and four more in a chunk of which one page came 256 times or more: 5 bytes a pfn at most.
    A stream that names pfns all over the place gets no more than ``BYTES_PER_PAGE`` for each page it brings, and what
    the room gives; pages beyond that are ``untracked``.
    """

    __slots__ = ("distinct", "untracked", "saturated", "_chunks", "_rounds", "_room", "_used", "_placed")

    distinct: int
    "pfns that came at least once."
    untracked: int
    "Pages that came and are not counted, since there is no room for their pfns."
    saturated: bool
    "Whether some counts stopped at 255."

    def __init__(self, room: Room, placed: Callable[[int, int], None] | None = None) -> None:
        """``placed`` is told of pages as they come: which block of ``1 << BLOCK_BITS`` pfns, and how many pages."""
        self.distinct = 0
        self.untracked = 0
        self.saturated = False
        # 0 says that the pfn never came; a count beyond 255 goes on from 1, with one more of the rounds.
        self._chunks: dict[int, bytearray] = {}
        self._rounds: dict[int, array[int]] = {}
        self._room = room
        self._used = 0
        self._placed = placed or _nowhere

    def __len__(self) -> int:
        return self.distinct

    def __getitem__(self, pfn: int) -> int:
        """How often the page came; 0 when it did not, or is not tracked."""
        key, place = pfn >> CHUNK_BITS, pfn & CHUNK - 1
        chunk = self._chunks.get(key)
        if chunk is None:
            return 0
        rounds = self._rounds.get(key)
        return chunk[place] + (COUNTED * rounds[place] if rounds is not None else 0)

    def sent(self, first: int, last: int) -> int:
        """Pages that came for the pfns from ``first`` to ``last``, which share a chunk."""
        key, start, end = first >> CHUNK_BITS, first & CHUNK - 1, (last & CHUNK - 1) + 1
        rounds = self._rounds.get(key)
        return sum(self._chunks[key][start:end]) + (COUNTED * sum(rounds[start:end]) if rounds is not None else 0)

    @property
    def size(self) -> int:
        """Bytes that the counts take."""
        return self._used

    def chunks(self) -> Iterator[tuple[int, bytearray]]:
        """First pfn and counts of each chunk, by pfn. Counts of 255 and more say 255."""
        for key in sorted(self._chunks):
            chunk = self._chunks[key]
            rounds = self._rounds.get(key)
            if rounds is not None:
                chunk = bytearray(COUNTED if more else one for one, more in zip(chunk, rounds, strict=True))
            yield key << CHUNK_BITS, chunk

    def add(self, pfns: PfnArray) -> int:
        """Count the pages of a batch; returns how many of them came for the first time."""
        words = pfns.words
        if words is None:
            self.untracked += pfns.with_data
            return 0
        if not pfns.with_data:
            return 0
        before = self.distinct
        if pfns.bad_count or not (_SCATTERED and pfns.byteorder == "<"):
            self._each(_pages(pfns))
        else:
            types = words[7::8]
            flags = b"" if pfns.with_data == pfns.count else types.translate(_WITH_DATA)
            if pfns.first >> CHUNK_BITS == pfns.last >> CHUNK_BITS and in_a_row(pfns):
                self._row(pfns.first, pfns.count, flags or types.translate(_WITH_DATA))
            else:
                self._pieces(pfns, words, flags)
        return self.distinct - before

    def _row(self, first: int, count: int, flags: bytes) -> None:
        """Take pfns that follow one another, of one chunk; ``flags`` are 1 for those with a page."""
        chunk = self._chunk(first >> CHUNK_BITS)
        if chunk is None:
            self.untracked += flags.count(1)
            return
        start = first & CHUNK - 1
        end = start + count
        before = chunk[start:end]
        if COUNTED in before:
            self._each([first + at for at in range(count) if flags[at]])
            return
        # No byte runs over into the next one.
        both = int.from_bytes(before, "little") + int.from_bytes(flags, "little")
        after = both.to_bytes(count, "little")
        chunk[start:end] = after
        self.distinct += _nonzero(after) - _nonzero(before)
        step = 1 << BLOCK_BITS
        for at in range(first >> BLOCK_BITS, (first + count - 1 >> BLOCK_BITS) + 1):
            came = _nonzero(flags[max(0, at * step - first) : (at + 1) * step - first])
            if came:
                self._placed(at, came)

    def _pieces(self, pfns: PfnArray, words: bytes, flags: bytes) -> None:
        """Take pfns in any order: neighbours in the batch that share a chunk are counted together."""
        columns = [words[at::8] for at in range(2, 7)]
        lowest, above = array("H", words)[::4], words[1::8]
        start, count = 0, pfns.count
        while start < count:
            uppers = [column[start] for column in columns]
            end = columns[0].rfind(uppers[0], start) + 1
            if any(column[start:end] != column[start : start + 1] * (end - start) for column in columns):
                self._each(_pages(pfns.part(start, count)))
                return
            key = int.from_bytes(bytes(uppers), "little") & PFN_MASK >> CHUNK_BITS
            places: Sequence[int] = lowest[start:end]
            blocks = above[start:end]
            if flags:
                places = list(compress(places, flags[start:end]))
                blocks = bytes(compress(blocks, flags[start:end]))
            if places:
                self._scattered(key, places, blocks)
            start = end

    def _scattered(self, key: int, places: Sequence[int], blocks: bytes) -> None:
        """Take pages of one chunk, anywhere in it."""
        chunk = self._chunk(key)
        if chunk is None:
            self.untracked += len(places)
            return
        new = 0
        left = iter(places)
        while True:
            try:
                for place in left:
                    count = chunk[place]
                    if count:
                        chunk[place] = count + 1
                    else:
                        chunk[place] = 1
                        new += 1
                break
            except ValueError:
                # No byte holds 256; the loop goes on behind it.
                self._next_round(key, place)
        self.distinct += new
        base = key << CHUNK_BITS - BLOCK_BITS
        for block in set(blocks):
            self._placed(base + block, blocks.count(block))

    def _each(self, pfns: Iterable[int]) -> None:
        """Take pages anywhere, one at a time."""
        for pfn in pfns:
            key, place = pfn >> CHUNK_BITS, pfn & CHUNK - 1
            chunk = self._chunk(key)
            if chunk is None:
                self.untracked += 1
                continue
            count = chunk[place]
            if count == COUNTED:
                self._next_round(key, place)
            else:
                chunk[place] = count + 1
                self.distinct += not count
            self._placed(pfn >> BLOCK_BITS, 1)

    def _next_round(self, key: int, place: int) -> None:
        rounds = self._rounds.get(key)
        if rounds is None:
            if not self._may_take(4 * CHUNK):
                self.saturated = True
                return
            rounds = self._rounds[key] = array("I", bytes(4 * CHUNK))
        self._chunks[key][place] = 1
        rounds[place] += 1

    def _chunk(self, key: int) -> bytearray | None:
        chunk = self._chunks.get(key)
        if chunk is None and self._may_take(CHUNK):
            chunk = self._chunks[key] = bytearray(CHUNK)
        return chunk

    def _may_take(self, size: int) -> bool:
        if self._used + size > BYTES_PER_PAGE * self.distinct and not self._room.take(size):
            return False
        self._used += size
        return True


def _pages(pfns: PfnArray) -> Iterable[int]:
    """The pfns of a batch that have a page."""
    for word in pfns.numbers():
        if _WITH_DATA[word >> TYPE_SHIFT << 4]:
            yield word & PFN_MASK


def _nonzero(data: bytes | bytearray) -> int:
    return len(data.translate(None, b"\0"))


def _nowhere(block: int, pages: int) -> None:
    pass
