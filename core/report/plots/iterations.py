"""How many pages each pass over memory sent, and how many of them not for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from xenmig.core.analysis.spans import CHECKPOINT, PRECOPY
from xenmig.core.cli.units import count, duration, rate
from xenmig.core.report.drawing import Plot, figure, only_grid, short, tip
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

MOST_COLUMNS = 120
"Columns that are drawn; of more passes each column stands for several."
PIXELS_PER_LABEL = 56
PIXELS_PER_TICK = 44
_GROUND = {"facecolor": LIGHT["surface"], "edgecolor": "none", "pad": 1}
"What labels stand on, so that grid lines do not cross them."


def plot(migration: Migration) -> Plot | None:
    """Pages by iteration, without checkpoints; None when there are no pages."""
    found = [iteration for iteration in migration.iterations.found if iteration.kind != CHECKPOINT]
    if not any(iteration.pages for iteration in found):
        return None
    listed = ", ".join(f"{iteration.pages:,}" for iteration in found[:10])
    more = f" and {len(found) - 10:,} more" if len(found) > 10 else ""
    return Plot(
        "iterations",
        "Pages sent in each iteration",
        f"Pages sent in iterations {found[0].index} to {found[-1].index}: {listed}{more}.",
        _caption(migration),
        lambda width: _draw(found, width),
    )


def _caption(migration: Migration) -> str:
    rule = migration.iterations.stop_rule
    if rule is None:
        return ""
    return f"The live loop stopped: {rule.text}." + (f" ({rule.name})" if rule.name != "unknown" else "")


def _draw(found: list[Iteration], width: Width) -> Figure:
    drawn = figure(width, 250)
    axes = drawn.subplots()
    each = -(-len(found) // MOST_COLUMNS)
    columns = [max(found[at : at + each], key=_pages) for at in range(0, len(found), each)]
    spaced = width.pixels / len(columns)
    thick = min(0.72, 96 / spaced)
    places = range(len(columns))
    first = [one.first_sent for one in columns]
    parts = [axes.bar(places, first, width=thick, color=LIGHT["live"], label="for the first time")]
    if any(one.again for one in columns):
        again = [one.again for one in columns]
        parts.append(axes.bar(places, again, bottom=first, width=thick, color=LIGHT["again"], label="again"))
    for bars in parts:
        for bar, one in zip(bars, columns, strict=True):
            tip(bar, _says(one))
    if spaced >= PIXELS_PER_LABEL:
        axes.bar_label(
            parts[-1], labels=[f"{one.pages:,}" for one in columns], padding=3, color=LIGHT["ink"], bbox=_GROUND
        )
    named: list[Artist | BarContainer] = [*parts]
    paused = [place for place, one in enumerate(columns) if one.kind != PRECOPY]
    if paused:
        named.append(
            axes.axvspan(paused[0] - 0.5, paused[-1] + 0.5, color=LIGHT["stop"], alpha=0.14, linewidth=0, zorder=0)
        )
        named[-1].set_label("guest paused")
    only_grid(axes, "y")
    axes.set_ylabel("pages of 4 KiB")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value).strip() if value else "0"))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.margins(y=0.14)
    axes.set_xlabel("iteration" if each == 1 else f"iteration (each column is the largest of {each})")
    margin = max(0.6, 3 - len(columns) / 2)
    axes.set_xlim(-margin, len(columns) - 1 + margin)
    step = max(1, -(-len(columns) * PIXELS_PER_TICK // width.pixels))
    ticks = range(0, len(columns), step)
    axes.set_xticks(ticks, labels=[f"{found[at * each].index:,}" for at in ticks])
    drawn.legend(handles=named, loc="outside upper right", ncols=3)
    return drawn


def _says(one: Iteration) -> str:
    text = f"iteration {one.index}: {count(one.pages, 'page')} of {count(one.pfns, 'pfn')}, {one.again:,} sent before"
    return text if one.seconds is None else f"{text}; {duration(one.seconds)}, {rate(one.bytes, one.seconds)}"


def _pages(iteration: Iteration) -> int:
    return iteration.pages
