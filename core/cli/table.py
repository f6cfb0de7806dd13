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


def named(rows: Sequence[tuple[str, str]], width: int = 0, indent: int = 2, gap: int = 2) -> Iterator[str]:
    """Rows of a name and a text, which goes on below itself where a line of ``width`` characters has no room for it.

    With a width of 0 every row is one line, as programs that search it want it.
    """
    column = indent + max((len(name) for name, _ in rows), default=0) + gap
    for name, text in rows:
        parts = [text]
        if width > column + 20:
            import textwrap

            parts = textwrap.wrap(text, width - column, break_long_words=False, break_on_hyphens=False) or [""]
        yield ((" " * indent + name).ljust(column) + parts[0]).rstrip()
        for part in parts[1:]:
            yield " " * column + part
