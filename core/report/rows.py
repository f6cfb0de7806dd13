"""Bars that lie under each other, each row with its name: beside it where there is room, else above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.report.drawing import NARROW, figure, only_grid
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.report.drawing import Width

PITCH, HEIGHT = 26, 0.62
"Pixels from one row to the next, and the part of them that a bar takes."
NARROW_PITCH, NARROW_HEIGHT = 36, 0.38
AXIS = 60
"Pixels that the axis below takes."


def bar_height(width: Width) -> float:
    """The height of a bar, in rows."""
    return NARROW_HEIGHT if width is NARROW else HEIGHT


def pitch(width: Width) -> int:
    """Pixels from one row to the next."""
    return NARROW_PITCH if width is NARROW else PITCH


def rows(width: Width, names: Sequence[str], values: Sequence[str] = ()) -> tuple[Figure, Axes]:
    """A figure whose y axis counts rows from the top. Where the name is above its bar, so is the row's value."""
    drawn = figure(width, AXIS + pitch(width) * len(names))
    axes = drawn.subplots()
    name_rows(axes, width, names, values)
    only_grid(axes, "x")
    return drawn, axes


def name_rows(axes: Axes, width: Width, names: Sequence[str], values: Sequence[str] = ()) -> None:
    """Give the rows of some axes their names."""
    axes.set_yticks(range(len(names)), labels=[""] * len(names) if width is NARROW else names)
    axes.tick_params(axis="y", labelcolor=LIGHT["ink"], labelsize=11)
    axes.set_ylim(len(names) - 0.5, -0.9 if width is NARROW else -0.5)
    if width is NARROW:
        for row, name in enumerate(names):
            text = f"{name}: {values[row]}" if values else name
            axes.annotate(
                text, (0, row - NARROW_HEIGHT / 2), (0, 2), ("axes fraction", "data"), "offset points", va="bottom"
            )
