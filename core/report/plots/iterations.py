"""How many pages each pass over memory sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from xenmig.core.cli.units import count, duration, rate
from xenmig.core.report.drawing import Plot, figure, only_grid, short, tip
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

MOST_COLUMNS = 120
"Columns that are drawn; of more passes each column stands for several."
PIXELS_PER_LABEL = 56
_GROUND = {"facecolor": LIGHT["surface"], "edgecolor": "none", "pad": 1}
"What labels stand on, so that grid lines do not cross them."
_KINDS = {
    "precopy": ("live", "while the guest was running"),
    "stop-and-copy": ("stop", "while it was paused"),
    "non-live": ("stop", "while it was paused"),
    "verify": ("setup", "sent again to be compared"),
}


def plot(migration: Migration) -> Plot | None:
    """Pages by iteration, without checkpoints; None when there are no pages."""
    found = [iteration for iteration in migration.iterations.found if iteration.kind != "checkpoint"]
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
    for role, meaning in dict.fromkeys(_KINDS.values()):
        shown = [(place, one) for place, one in enumerate(columns) if _KINDS[one.kind] == (role, meaning)]
        if not shown:
            continue
        places, heights = [place for place, _ in shown], [one.pages for _, one in shown]
        bars = axes.bar(places, heights, width=min(0.72, 96 / spaced), color=LIGHT[role], label=meaning)
        for bar, (_, one) in zip(bars, shown, strict=True):
            tip(bar, _says(one))
        if spaced >= PIXELS_PER_LABEL:
            axes.bar_label(
                bars, labels=[f"{height:,}" for height in heights], padding=3, color=LIGHT["ink"], bbox=_GROUND
            )
    only_grid(axes, "y")
    axes.set_ylabel("pages of 4 KiB")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value).strip() if value else "0"))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.margins(y=0.14)
    axes.set_xlabel("iteration" if each == 1 else f"iteration (each column is the largest of {each})")
    axes.set_xlim(-max(0.6, 3 - len(columns) / 2), len(columns) - 1 + max(0.6, 3 - len(columns) / 2))
    step = max(1, -(-len(columns) * 40 // width.pixels))
    axes.set_xticks(
        range(0, len(columns), step), labels=[f"{columns[at].index:,}" for at in range(0, len(columns), step)]
    )
    drawn.legend(loc="outside upper left", ncols=1 if width.name == "narrow" else 3)
    return drawn


def _says(one: Iteration) -> str:
    text = f"iteration {one.index}: {count(one.pages, 'page')} of {count(one.pfns, 'pfn')}"
    return text if one.seconds is None else f"{text}, {duration(one.seconds)}, {rate(one.bytes, one.seconds)}"


def _pages(iteration: Iteration) -> int:
    return iteration.pages
