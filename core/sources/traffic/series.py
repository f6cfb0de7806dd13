"""Bytes over time, in bins that grow wider as time goes on: constant memory, whatever the length of the capture."""

from __future__ import annotations

from array import array

MOST_BINS = 1024
"When these are not enough, two neighbours become one: from then on at least half of them are in use."
FIRST_WIDTH = 10_000_000
"Nanoseconds that a bin covers in the beginning."


class Series:
    """Columns of byte counts, one row for each stretch of time."""

    __slots__ = ("begin", "width", "columns", "index", "end")

    begin: int
    "When the first bin begins, in nanoseconds since 1970."
    width: int
    "Nanoseconds that each bin covers: ``FIRST_WIDTH`` times a power of two."
    columns: tuple[array[int], ...]
    "All of the same length; the last row is the latest in which anything was counted."
    index: int
    "The row that is counted into; see :meth:`move`."
    end: int
    "When that row's bin ends, in nanoseconds since 1970."

    def __init__(self, begin: int, columns: int) -> None:
        self.begin = begin
        self.width = FIRST_WIDTH
        self.columns = tuple(array("Q", (0,)) for _ in range(columns))
        self.index = 0
        self.end = begin + FIRST_WIDTH

    def move(self, time: int) -> None:
        """Make ``index`` and ``end`` those of the bin that ``time``, never earlier than ``begin``, falls into."""
        index = (time - self.begin) // self.width
        while index >= MOST_BINS:
            self._fold()
            index >>= 1
        for column in self.columns:
            if len(column) <= index:
                column.extend(bytes(index + 1 - len(column)))
        self.index = index
        self.end = self.begin + (index + 1) * self.width

    def _fold(self) -> None:
        self.width *= 2
        self.columns = tuple(
            array("Q", [sum(column[at : at + 2]) for at in range(0, len(column), 2)]) for column in self.columns
        )
