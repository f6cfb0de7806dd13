"""Where in guest memory the pages of each iteration lie: a map of pfn against iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import PathPatch
from matplotlib.path import Path

from xenmig.core.analysis.hot_pages import hot_ranges
from xenmig.core.cli.units import count
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.report.drawing import NARROW, Plot, figure
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.density import Density
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

MOST_COLUMNS = {"wide": 160, "narrow": 72}
"Ranges of memory that are told apart; of more, neighbours are drawn as one."
MOST_ROWS = 64
LEVELS = 5
"Shades, from a few pages of a range to all of them."
LARGEST_ROW, LEAST_ROW = 24, 6
"Pixels."
TALLEST = 360
PIXELS_PER_TICK = 74
PIXELS_PER_ROW_LABEL = 14
MOST_NAMED = 3
"Ranges that the caption names."


def plot(migration: Migration) -> Plot | None:
    """The map; None when no page came."""
    density = migration.memory.density
    if not any(map(any, density.rows)):
        return None
    ranges = hot_ranges(migration.memory.counts, MOST_NAMED)
    caption = "; ".join(
        f"0x{one.first:x} to 0x{one.last:x} (from {_address(one.first)} on): {count(one.again, 'page')}"
        for one in ranges
    )
    return Plot(
        "map",
        "Where in guest memory the pages are",
        f"{count(len(density.rows), 'row')} of iterations by {count(len(density.pfns), 'range')} of guest memory.",
        f"Most pages that were sent in vain, because a later copy followed, by pfn: {caption}." if caption else "",
        lambda width: _draw(density, width),
    )


def _address(pfn: int) -> str:
    """A guest-physical address in binary units, as memory sizes are given."""
    if not pfn:
        return "0"
    value = pfn * GUEST_PAGE_SIZE / 1024
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{value:.3f}".rstrip("0").rstrip(".") + f" {unit}"
        value /= 1024
    raise AssertionError("the last unit takes every number")


class _Map:
    """The cells to draw: shares of pages between 0 and 1, folded to a size that fits."""

    def __init__(self, density: Density, most_columns: int) -> None:
        pfns, rows = density.pfns, density.rows
        self.columns = -(-len(pfns) // most_columns)
        "Ranges in each column."
        together = -(-len(rows) // MOST_ROWS)
        self.iterations = together * density.iterations_per_row
        "Iterations in each row."
        full = (1 << density.bits) * self.iterations
        self.firsts = pfns[:: self.columns]
        "The first pfn of each column."
        # Memory has holes; where the next column does not go on where the one before ends, there is a gap.
        size = 1 << density.bits
        self.gaps = [
            place // self.columns
            for place in range(self.columns, len(pfns), self.columns)
            if pfns[place] != pfns[place - 1] + size
        ]
        self.rows = [
            [
                sum(sum(row[at : at + self.columns]) for row in rows[top : top + together])
                / (full * min(self.columns, len(pfns) - at))
                for at in range(0, len(pfns), self.columns)
            ]
            for top in range(0, len(rows), together)
        ]


def _draw(density: Density, width: Width) -> Figure:
    cells = _Map(density, MOST_COLUMNS[width.name])
    height = max(LEAST_ROW, min(LARGEST_ROW, TALLEST // len(cells.rows)))
    drawn = figure(width, 96 + height * len(cells.rows))
    axes = drawn.subplots()
    for level in range(1, LEVELS + 1):
        _shade(axes, cells, level)
    for gap in cells.gaps:
        axes.axvline(gap, color=LIGHT["muted"], linewidth=0.8)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.set_xlim(0, len(cells.firsts))
    axes.set_ylim(len(cells.rows) - 0.5, -0.5)
    axes.set_ylabel("iteration")
    axes.set_xlabel("guest-physical address (lines: holes in memory)" if cells.gaps else "guest-physical address")
    # Columns at which a label has room, the beginnings of contiguous memory first.
    ticks: list[int] = []
    least = PIXELS_PER_TICK * len(cells.firsts) / width.pixels
    for place in [0, *cells.gaps, *range(len(cells.firsts))]:
        if all(abs(place - tick) >= least for tick in ticks) and place + least / 2 <= len(cells.firsts):
            ticks.append(place)
    axes.set_xticks(ticks, labels=[_address(cells.firsts[tick]) for tick in ticks], ha="left")
    step = -(-PIXELS_PER_ROW_LABEL // height)
    axes.set_yticks(
        range(0, len(cells.rows), step),
        labels=[f"{row * cells.iterations:,}" for row in range(0, len(cells.rows), step)],
    )
    drawn.legend(
        loc="outside upper right",
        ncols=3 if width is NARROW else LEVELS,
        title="share of each range's pages that was sent",
        alignment="left",
    )
    return drawn


def _shade(axes: Axes, cells: _Map, level: int) -> None:
    """All cells of one shade, as one element."""
    corners: list[tuple[float, float]] = []
    for row, shares in enumerate(cells.rows):
        for left, right in _runs(shares, level):
            top, bottom = row - 0.46, row + 0.46
            corners += [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    label = f"{(level - 1) * 100 // LEVELS} to {level * 100 // LEVELS} %"
    colour = LIGHT[f"density-{level}"]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * (len(corners) // 5)
    axes.add_patch(
        PathPatch(Path(corners, codes) if corners else Path([(0, 0)]), color=colour, linewidth=0, label=label)
    )


def _runs(shares: Sequence[float], level: int) -> Iterator[tuple[int, int]]:
    """The neighbouring columns that have this shade."""
    start = None
    for place, share in enumerate([*shares, 0.0]):
        if share and min(LEVELS, 1 + int(share * LEVELS)) == level:
            start = place if start is None else start
        elif start is not None:
            yield start, place
            start = None
