"""Where in guest memory the pages of each iteration lie: a map of bounded size that gets coarser as it grows."""

from __future__ import annotations

from array import array

from xenmig.core.analysis.pfn_counts import BLOCK_BITS

MOST_COLUMNS = 1024
"Ranges of pfns in which pages came that are told apart."
MOST_ROWS = 128
"Iterations, or groups of them, that are told apart."


class Density:
    """Pages by iteration and by range of pfns. Ranges in which no page ever came take no place.

    When there are too many ranges or iterations, two neighbours become one. A cell takes 4 bytes.
    """

    __slots__ = ("bits", "iterations_per_row", "_columns", "_rows")

    bits: int
    "A range holds ``1 << bits`` pfns."
    iterations_per_row: int
    "How many iterations a row stands for."

    def __init__(self) -> None:
        self.bits = BLOCK_BITS
        self.iterations_per_row = 1
        # The number of a range (its pfns shifted by ``bits``) -> its place in every row; rows may be shorter.
        self._columns: dict[int, int] = {}
        self._rows: list[array[int]] = []

    @property
    def pfns(self) -> list[int]:
        """The first pfn of each range, ascending."""
        return [number << self.bits for number in sorted(self._columns)]

    @property
    def rows(self) -> list[list[int]]:
        """For each row the pages in each of the ranges. Row n begins with iteration ``n * iterations_per_row``."""
        places = [self._columns[number] for number in sorted(self._columns)]
        return [[row[place] if place < len(row) else 0 for place in places] for row in self._rows]

    def add(self, iteration: int, block: int, pages: int) -> None:
        """Count pages of an iteration (from 0) that lie in a block of ``1 << BLOCK_BITS`` pfns."""
        row = iteration // self.iterations_per_row
        while row >= MOST_ROWS:
            self._join_rows()
            row = iteration // self.iterations_per_row
        while row >= len(self._rows):
            self._rows.append(array("I"))
        number = block >> self.bits - BLOCK_BITS
        place = self._columns.get(number)
        if place is None:
            place = self._columns[number] = len(self._columns)
            if place >= MOST_COLUMNS:
                self._join_columns()
                place = self._columns[block >> self.bits - BLOCK_BITS]
        cells = self._rows[row]
        if place >= len(cells):
            cells.frombytes(bytes(4 * (place + 1 - len(cells))))
        cells[place] = min(cells[place] + pages, 0xFFFFFFFF)

    def _join_rows(self) -> None:
        self.iterations_per_row *= 2
        self._rows = [_sum(self._rows[at : at + 2]) for at in range(0, len(self._rows), 2)]

    def _join_columns(self) -> None:
        before = self._columns
        shift = 0
        while len({number >> shift for number in before}) > MOST_COLUMNS // 2:
            shift += 1
        self.bits += shift
        self._columns = {}
        for number in before:
            self._columns.setdefault(number >> shift, len(self._columns))
        moved = [self._columns[number >> shift] for number in before]
        rows = []
        for row in self._rows:
            cells = array("I", bytes(4 * len(self._columns)))
            for place, pages in enumerate(row):
                cells[moved[place]] = min(cells[moved[place]] + pages, 0xFFFFFFFF)
            rows.append(cells)
        self._rows = rows


def _sum(rows: list[array[int]]) -> array[int]:
    total = array("I", bytes(4 * max(map(len, rows))))
    for row in rows:
        for place, pages in enumerate(row):
            total[place] = min(total[place] + pages, 0xFFFFFFFF)
    return total
