"""How large the checkpoints of a Remus or COLO stream are, and how far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from xenmig.core.cli.units import count, duration
from xenmig.core.report.drawing import Plot, figure, only_grid, short, tip
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.epochs import Epoch, Epochs
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

MOST_COLUMNS = 150
"Columns that are drawn; of more checkpoints each column stands for several."
PANEL = 130
"Pixels."


def plot(migration: Migration) -> Plot | None:
    """Pages and intervals by checkpoint; None when there are none behind the first."""
    epochs = migration.epochs
    # The first holds the live phase, which the iterations show.
    found = epochs.found[1:]
    if not found:
        return None
    return Plot(
        "checkpoints",
        "Checkpoints",
        "; ".join(_says(epoch) for epoch in found[:20]) + ".",
        _caption(epochs),
        lambda width: _draw(found, width),
    )


def _caption(epochs: Epochs) -> str:
    last = epochs.last_complete
    text = count(epochs.complete, "complete checkpoint")
    if last is not None:
        frame = f", frame {last.last.frame:,}" if last.last is not None else ""
        text += f"; a receiver goes on from checkpoint {last.index}, which ends at offset {last.end:,}{frame}"
    return f"{text}."


def _says(epoch: Epoch) -> str:
    text = f"checkpoint {epoch.index}: {count(epoch.pages, 'page')}, {count(epoch.bytes, 'byte')}"
    if epoch.interval is not None:
        text += f", {duration(epoch.interval)} after the one before"
    return text if epoch.complete else f"{text}, incomplete"


def _draw(found: list[Epoch], width: Width) -> Figure:
    each = -(-len(found) // MOST_COLUMNS)
    columns = [found[at : at + each] for at in range(0, len(found), each)]
    timed = any(epoch.interval is not None for epoch in found)
    drawn = figure(width, 60 + PANEL * (2 if timed else 1))
    panels = drawn.subplots(2 if timed else 1, sharex=True, squeeze=False)[:, 0]
    _bars(panels[0], columns, _pages, "pages of 4 KiB", lambda value: short(value).strip())
    if timed:
        _bars(panels[1], columns, _interval, "interval", _about)
    text = "checkpoint" if each == 1 else f"checkpoint (each column is the largest of {each})"
    panels[-1].set_xlabel(text)
    panels[-1].xaxis.set_major_locator(MaxNLocator(8, integer=True))
    handles = [Patch(color=LIGHT["stop"], label="complete")]
    if not all(epoch.complete for epoch in found):
        handles.append(Patch(color=LIGHT["suspend"], label="incomplete: a receiver drops it"))
    drawn.legend(handles=handles, loc="outside upper right", ncols=2)
    return drawn


def _bars(
    axes: Axes,
    columns: Sequence[Sequence[Epoch]],
    value: Callable[[Epoch], float],
    label: str,
    shown: Callable[[float], str],
) -> None:
    largest = [max(together, key=value) for together in columns]
    colours = [LIGHT["stop" if epoch.complete else "suspend"] for epoch in largest]
    bars = axes.bar(
        [together[0].index for together in columns],
        list(map(value, largest)),
        width=0.72 * len(columns[0]),
        color=colours,
    )
    for bar, epoch in zip(bars, largest, strict=True):
        tip(bar, _says(epoch))
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: shown(number) if number else "0"))
    axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=1))
    only_grid(axes, "y")


def _about(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 0.1 else f"{seconds * 1000:g} ms"


def _pages(epoch: Epoch) -> int:
    return epoch.pages


def _interval(epoch: Epoch) -> float:
    return epoch.interval or 0.0
