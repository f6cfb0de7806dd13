"""The array of pfns and page types at the head of a PAGE_DATA record.

A record of a live migration holds 1024 of them, so looking at each in Python would take longer than everything else
together. Instead the array is cut into *columns*: ``words[7::8]`` are the bytes with the types (and four reserved
bits), ``words[6::8]`` those with the other four. Two ``translate`` calls then check the whole array.
"""

from __future__ import annotations

from struct import Struct as Layout

from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

PFN_MASK = (1 << 52) - 1
"libxc-migration-stream, PAGE_DATA: bits 0 to 51 are the pfn."
TYPE_SHIFT = 60

# Bits 56 to 63 of a word: the type and half of the reserved bits, which must be zero.
VALID_TYPE_BYTES = bytes(number << 4 for number in PageType.known)
TYPE_BYTES_WITHOUT_DATA = bytes(number << 4 for number, known in PageType.known.items() if not known.facts["data"])
TYPE_BYTES_WITH_DATA = VALID_TYPE_BYTES.translate(None, TYPE_BYTES_WITHOUT_DATA)
# Bits 48 to 55: the other half of the reserved bits in the upper nibble, pfn bits in the lower.
VALID_RESERVED_BYTES = bytes(range(16))

ZEROS = bytes(MAX_BATCH_SIZE)
"A column of a full batch in which nothing is set: comparing with it is ten times as fast as counting zeros."
WORD = {order: Layout(order + "Q").unpack_from for order in ("<", ">")}

KEPT_BAD_WORDS = 16
"How many wrong words are kept with their index; all are counted."


class BadWord:
    """A word of the array that the document forbids."""

    __slots__ = ("index", "word")

    index: int
    "Its place in the array."
    word: int

    def __init__(self, index: int, word: int) -> None:
        self.index = index
        self.word = word

    @property
    def reserved(self) -> int:
        """Bits 52 to 59, in place: they must be zero."""
        return self.word & (0xFF << 52)

    @property
    def type(self) -> int:
        """The page type: 0 to 15."""
        return self.word >> TYPE_SHIFT


class PfnArray:
    """What a PAGE_DATA record announces, without the pages.

    An array of more than 64 Ki entries is looked at in pieces and not kept: ``words`` is then None.
    """

    __slots__ = ("count", "with_data", "words", "column", "typed", "byteorder", "bad", "bad_count", "_ends", "_types")

    count: int
    "How many entries have been looked at."
    with_data: int
    "How many of them have a page behind the array."
    words: bytes | None
    "The entries as they stand in the stream, 8 bytes each."
    column: bytes
    "Of each entry the byte with the type, in its upper half; empty where ``words`` is None."
    typed: bytes
    "Those of them that are not 0, which is an ordinary page."
    byteorder: str
    bad: tuple[BadWord, ...]
    "The first entries with an invalid type or reserved bits set."
    bad_count: int

    def __init__(self, words: bytes, byteorder: str) -> None:
        count = len(words) >> 3
        self.byteorder = byteorder
        self.words = words
        self.count = count
        self._types: dict[int, int] | None = None
        self._ends: tuple[int, int] | None = None
        self.bad_count = 0
        self.bad = ()
        if byteorder == "<":
            types = words[7::8]
            reserved = words[6::8]
        else:
            types = words[0::8]
            reserved = words[1::8]
        self.column = types
        zeros = ZEROS if count == MAX_BATCH_SIZE else bytes(count)
        if types == zeros:
            self.with_data = count
            self.typed = b""
        else:
            # Few pages are anything but ordinary, even of a PV guest: one pass over the column leaves those.
            typed = self.typed = types.translate(None, b"\0")
            self.with_data = count - len(typed) + len(typed.translate(None, TYPE_BYTES_WITHOUT_DATA))
            if typed.translate(None, VALID_TYPE_BYTES):
                self._find_bad()
                return
        if reserved != zeros and reserved.translate(None, VALID_RESERVED_BYTES):
            self._find_bad()

    @property
    def first(self) -> int:
        """The first pfn; -1 when there is none."""
        return self._first_and_last()[0]

    @property
    def last(self) -> int:
        """The last pfn; -1 when there is none."""
        return self._first_and_last()[1]

    def _first_and_last(self) -> tuple[int, int]:
        ends = self._ends
        if ends is None:
            words = self.words
            if not words:
                ends = (-1, -1)
            else:
                unpack = WORD[self.byteorder]
                ends = (unpack(words)[0] & PFN_MASK, unpack(words, len(words) - 8)[0] & PFN_MASK)
            self._ends = ends
        return ends

    def part(self, start: int, end: int) -> PfnArray:
        """The entries from ``start`` to before ``end``, as an array of their own."""
        return PfnArray((self.words or b"")[8 * start : 8 * end], self.byteorder)

    def append(self, words: bytes) -> None:
        """Look at the next piece of an array that comes in pieces."""
        piece = PfnArray(words, self.byteorder)
        if piece.count:
            self._ends = (self.first if self.count else piece.first, piece.last)
        moved = tuple(BadWord(self.count + bad.index, bad.word) for bad in piece.bad)
        self.bad = (self.bad + moved)[:KEPT_BAD_WORDS]
        self.bad_count += piece.bad_count
        merged = self.types()
        for kind, number in piece.types().items():
            merged[kind] = merged.get(kind, 0) + number
        self._types = merged
        self.count += piece.count
        self.with_data += piece.with_data
        self.words = None
        self.column = self.typed = b""

    def types(self) -> dict[int, int]:
        """How many entries there are of each page type that occurs: type (0 to 15) -> entries."""
        if self._types is None:
            column = self.column
            if column and column == column[:1] * len(column):
                # One type: what a pass over holes, or over an HVM guest's memory, consists of.
                self._types = {column[0] >> 4: len(column)}
                return self._types
            self._types = {}
            for byte in set(column):
                self._types[byte >> 4] = self._types.get(byte >> 4, 0) + column.count(byte)
        return self._types

    def numbers(self) -> array[int]:
        """The entries as numbers, types included; empty when the array was not kept."""
        import sys
        from array import array

        numbers = array("Q", self.words or b"")
        if (sys.byteorder == "little") != (self.byteorder == "<"):
            numbers.byteswap()
        return numbers

    def pfns(self) -> list[int]:
        """The pfns alone, in the order of the array; empty when the array was not kept."""
        return [word & PFN_MASK for word in self.numbers()]

    def _find_bad(self) -> None:
        # PAGE_DATA: bits 52 to 59 must be zero and types 5 to 8 are invalid. The columns above take a byte with
        # reserved bits for one with data, so the pages are counted anew, by type alone as Xen's receiver does.
        self.with_data = 0
        found: list[BadWord] = []
        for index, word in enumerate(self.numbers()):
            known = PageType.known.get(word >> TYPE_SHIFT)
            if known is not None and known.facts["data"]:
                self.with_data += 1
            if word & (0xFF << 52) or word >> TYPE_SHIFT not in PageType.known:
                self.bad_count += 1
                if len(found) < KEPT_BAD_WORDS:
                    found.append(BadWord(index, word))
        self.bad = tuple(found)
