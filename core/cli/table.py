"""Aligned columns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], right: str = "", indent: int = 2, gap: int = 2) -> Iterator[str]:
    """The rows as lines.

    ``right`` has one character for each column: ``>`` for those whose text ends at the right. The last cell of a row
    that is shorter than others may reach over their columns.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [0] * columns
    for row in rows:
        for at, cell in enumerate(row if len(row) == columns else row[:-1]):
            widths[at] = max(widths[at], len(cell))
    for row in rows:
        cells = [
            cell.rjust(widths[at]) if right[at : at + 1] == ">" else cell.ljust(widths[at])
            for at, cell in enumerate(row)
        ]
        yield (" " * indent + (" " * gap).join(cells)).rstrip()
