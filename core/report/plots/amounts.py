"""How many bytes each span of a stream has: what a file shows, which has no times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from xenmig.core.analysis.spans import spans
from xenmig.core.cli.units import amount, count
from xenmig.core.report.drawing import NARROW, Plot, short
from xenmig.core.report.palette import LIGHT
from xenmig.core.report.parts import role
from xenmig.core.report.rows import bar_height, rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.spans import Span
    from xenmig.core.report.drawing import Width

BESIDE = 0.12
"Share of the width that a label beside a bar takes at most."
MOST_ROWS = 24
"Parts that are drawn; of more (checkpoints), the largest."


def plot(migration: Migration) -> Plot | None:
    """Bytes by span; None for a capture, whose timeline shows more."""
    found = [span for span in spans(migration) if span.bytes]
    if migration.captured or not found:
        return None
    caption = "A stream file holds bytes and no times."
    if len(found) > MOST_ROWS:
        caption += f" The largest {MOST_ROWS} of {len(found):,} parts are shown."
        largest = sorted(found, key=_size, reverse=True)[:MOST_ROWS]
        found = [span for span in found if span in largest]
    return Plot(
        "bytes",
        "What the bytes of the stream are",
        "; ".join(f"{span.name}: {count(span.bytes, 'byte')}" for span in found) + ".",
        caption,
        lambda width: _draw(found, width),
    )


def _size(span: Span) -> int:
    return span.bytes


def _draw(found: list[Span], width: Width) -> Figure:
    values = [amount(_size(span)) for span in found]
    drawn, axes = rows(width, [span.name for span in found], values)
    for row, span in enumerate(found):
        size = _size(span)
        axes.barh(row, size, height=bar_height(width), color=LIGHT[role(span)])
        if width is not NARROW:
            axes.annotate(values[row], (size, row), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, max(map(_size, found)) * (1 if width is NARROW else 1 + BESIDE))
    axes.xaxis.set_major_locator(MaxNLocator(5 if width is NARROW else 9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{short(value)}B" if value else "0"))
    axes.set_xlabel("bytes of the stream")
    return drawn
