"""Batches whose pfns follow one another: what most of the first pass over memory consists of.

Like core/decode/pages.py, this looks at columns of the array instead of at its entries.
"""

from __future__ import annotations

from xenmig.core.definitions.libxc import MAX_BATCH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.pages import PfnArray


LOWEST = bytes(range(256)) * (MAX_BATCH_SIZE // 256)
"The lowest bytes of a full batch in a row that begins with a multiple of 256."
ABOVE = b"".join(bytes((byte,)) * 256 for byte in range(256))
"The next bytes of 64 Ki pfns in a row."
NEXT = tuple(bytearray(ABOVE[start : start + MAX_BATCH_SIZE]) for start in range(0, len(ABOVE), MAX_BATCH_SIZE))
"Those of each full batch in them. Assigned to a column, bytes would first be made a bytearray."


def in_a_row(pfns: PfnArray) -> bool:
    """Whether the pfns of a batch follow one another without a gap."""
    words, count, first = pfns.words, pfns.count, pfns.first
    if words is None or pfns.last - first != count - 1:
        return False
    if count == 1:
        return True
    above = first >> 8 & 0xFF
    if count != MAX_BATCH_SIZE or first & 0xFF or above > 0xFC or pfns.byteorder != "<":
        return pfns.pfns() == list(range(first, first + count))
    return (
        words[0::8] == LOWEST
        and words[1::8] == ABOVE[256 * above : 256 * above + MAX_BATCH_SIZE]
        and words[2::8] == bytes((first >> 16 & 0xFF,)) * MAX_BATCH_SIZE
        and words[3::8] == bytes((first >> 24 & 0xFF,)) * MAX_BATCH_SIZE
        and words[4::8] == bytes((first >> 32 & 0xFF,)) * MAX_BATCH_SIZE
        and words[5::8] == bytes((first >> 40 & 0xFF,)) * MAX_BATCH_SIZE
        and words[6::8] == bytes((first >> 48 & 0x0F,)) * MAX_BATCH_SIZE
    )


class RowAhead:
    """The array of a full batch in a row as it would stand in a little-endian stream, to be compared with what does.

    Each is like the one before but for a column or two, as in core/decode/pages.py.
    """

    __slots__ = ("words", "_start", "_second", "_above")

    words: bytearray
    "What stands in front of the array, then the array. All types are 0, unless that column is set."

    def __init__(self, pfn: int = 0, head: bytes = b"") -> None:
        """``pfn``, a multiple of ``MAX_BATCH_SIZE``, is the first; ``head`` is what stands in front of the array."""
        start = self._start = len(head)
        self.words = bytearray(head) + bytes(8 * MAX_BATCH_SIZE)
        self.words[start::8] = LOWEST
        self._second = slice(start + 1, None, 8)
        # What stands in the bytes above the lowest two.
        self._above = 0
        self.move(pfn)

    def move(self, pfn: int) -> None:
        """Make it the array that begins with ``pfn``, a multiple of ``MAX_BATCH_SIZE``."""
        self.words[self._second] = NEXT[pfn // MAX_BATCH_SIZE % len(NEXT)]
        if pfn >> 16 != self._above:
            self._above = pfn >> 16
            for column in range(2, 7):
                self.words[self._start + column :: 8] = bytes((pfn >> 8 * column & 0xFF,)) * MAX_BATCH_SIZE
