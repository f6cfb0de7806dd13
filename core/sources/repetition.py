"""Records that repeat in a buffer, found by comparing them in columns.

A column is one byte of each record, at the same place in all of them: a slice with the record size as its step. Whether
thousands of records are alike in a byte is two operations on a slice, which cost less than one look at each.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

MOST = 512
"Numbers that :func:`ascending` and :func:`steady` look at in one go."
_ONES = int.from_bytes(bytes((0, 0, 0, 1)) * MOST, "big")
_COUNTING = int.from_bytes(b"".join(number.to_bytes(4, "big") for number in range(MOST)), "big")
"1, 1, 1 and so on, and 0, 1, 2 and so on, of 32 bits each; the first is the highest."


class Repetition:
    """Groups of records that are alike and follow one another: so many segments of one size, and the acknowledgment
    that ends the group.
    """

    __slots__ = ("at", "each", "segments", "rest", "count", "size")

    at: int
    "Where in the window the first group begins."
    each: int
    "Bytes of a segment's record."
    segments: int
    "Of each group."
    rest: int
    "Bytes of the acknowledgment's record; 0 where groups have none."
    count: int
    "How many groups there are."
    size: int
    "Bytes of a group."

    def __init__(self, at: int, each: int, segments: int, rest: int) -> None:
        self.at = at
        self.each = each
        self.segments = segments
        self.rest = rest
        self.count = 0
        self.size = segments * each + rest

    @property
    def end(self) -> int:
        """Where in the window the last group ends."""
        return self.at + self.count * self.size


def alike(buffer: bytes, at: int, size: int, count: int, columns: Iterable[int]) -> int:
    """How many of ``count`` records of ``size`` bytes, which begin at ``at``, have the bytes of the first in
    ``columns``: its offsets in the record. They are counted up to the first one that differs; 1 is none but the first.
    """
    for column in columns:
        start = at + column
        there = buffer[start : start + (count - 1) * size + 1 : size]
        # One comparison with what it should be; stripping looks at each byte by itself.
        if there != there[:1] * count:
            count -= len(there.lstrip(there[:1]))
    return count


def allowed(buffer: bytes, at: int, size: int, count: int, values: bytes) -> int:
    """How many of ``count`` records of ``size`` bytes have one of ``values`` at their place of ``at`` in the first."""
    there = buffer[at : at + (count - 1) * size + 1 : size]
    if there == there[:1] * count and there[:1] in values:
        return count
    return count - len(there.lstrip(values))


def gathered(buffer: bytes, at: int, size: int, count: int, width: int) -> bytearray:
    """The ``width`` bytes at ``at`` in the first of ``count`` records of ``size`` bytes, and those at their place in
    the others, one behind the other.
    """
    found = bytearray(width * count)
    behind = at + (count - 1) * size + 1
    for place in range(width):
        found[place::width] = buffer[at + place : behind + place : size]
    return found


def ascending(buffer: bytes, at: int, size: int, count: int, first: int, step: int) -> int:
    """How many of ``count`` records of ``size`` bytes hold ``first``, ``first + step`` and so on, up to ``MOST``.

    The numbers are big endian, of 4 bytes, and at ``at`` in the first record; those past 2**32 are not counted.
    """
    count = min(count, MOST, ((1 << 32) - 1 - first) // step + 1)
    if count <= 0:
        return 0
    found = gathered(buffer, at, size, count, 4)
    # All in one number of 32 bits for each of them: nothing is carried from one to the next, since none exceeds 2**32.
    unused = 32 * (MOST - count)
    expected = (first * (_ONES >> unused) + step * (_COUNTING >> unused)).to_bytes(4 * count, "big")
    if found == expected:
        return count
    return next(
        place for place in range(count) if found[4 * place : 4 * place + 4] != expected[4 * place : 4 * place + 4]
    )


def steady(buffer: bytes, at: int, size: int, count: int, order: Literal["little", "big"], most: int) -> int:
    """How many of ``count`` records of ``size`` bytes, up to ``MOST``, hold numbers that grow steadily, each by less
    than ``most`` or not at all; 1 is none but the first.

    The numbers have 4 bytes of this byte order, and are at ``at`` in the first record. ``most`` is at most 2**22.
    """
    count = min(count, MOST)
    if count <= 1:
        return count
    found = gathered(buffer, at, size, count, 4)
    # As in ascending: all differences in one subtraction, and of all of them at once the highest bit, which those have
    # that are negative, and with that much added those that are too large. Those that are negative by almost 2**32 have
    # not, but then the last number is below the first.
    numbers = int.from_bytes(found, order)
    lower = numbers & (1 << 32 * (count - 1)) - 1
    upper = numbers >> 32
    distances = upper - lower if order == "little" else lower - upper
    ones = _ONES >> 32 * (MOST - count + 1)
    high = distances | distances + ((1 << 31) - most) * ones
    grown = int.from_bytes(found[:4], order) <= int.from_bytes(found[-4:], order)
    if grown and distances >= 0 and not high & (ones << 31):
        return count
    values = [int.from_bytes(found[place : place + 4], order) for place in range(0, 4 * count, 4)]
    return next(
        (place for place in range(1, count) if not 0 <= values[place] - values[place - 1] < most),
        count,
    )
