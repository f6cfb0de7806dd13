"""When what was sent: a lane for each kind of part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.cli.units import count, duration
from xenmig.core.report.drawing import Plot, tip
from xenmig.core.report.palette import LIGHT
from xenmig.core.report.parts import ROLES, parts
from xenmig.core.report.rows import bar_height, rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width
    from xenmig.core.report.parts import Part

MOST_BARS = 400
"Bars in a lane; of more parts neighbours are drawn as one."
THINNEST = 0.0015
"Share of the width that a bar has at least, so that it is seen."


def plot(migration: Migration) -> Plot | None:
    """Lanes over time; None for a stream file, and where nothing takes time."""
    began, ended = migration.first, migration.last
    found = [part for part in parts(migration) if part.role and part.first is not None and part.last is not None]
    if began is None or ended is None or ended.time <= began.time or not found:
        return None
    return Plot(
        "timeline",
        "What was sent when",
        "; ".join(f"{part.name}: {duration(part.seconds or 0)}" for part in found[:40]) + ".",
        "",
        lambda width: _draw(migration, found, width),
    )


def _draw(migration: Migration, found: list[Part], width: Width) -> Figure:
    assert migration.first is not None
    assert migration.last is not None
    began, whole = migration.first.time, (migration.last.time - migration.first.time) / 1e9
    lanes = [role for role in ROLES if any(part.role == role for part in found)]
    drawn, axes = rows(width, [ROLES[role] for role in lanes])
    for row, role in enumerate(lanes):
        lane = [part for part in found if part.role == role]
        each = -(-len(lane) // MOST_BARS)
        for at in range(0, len(lane), each):
            _bar(axes, row, lane[at : at + each], began, whole, bar_height(width))
    axes.set_xlim(0, whole)
    axes.set_xlabel("seconds since the first byte")
    return drawn


def _bar(axes: Axes, row: int, together: list[Part], began: int, whole: float, height: float) -> None:
    """One part, or several that follow each other."""
    first, last = together[0], together[-1]
    start, end = _span(first, began)[0], max(_span(part, began)[1] for part in together)
    # Iterations that follow each other at once are told apart by their edges.
    (bar,) = axes.barh(
        row,
        max(end - start, whole * THINNEST),
        left=start,
        height=height,
        color=LIGHT[first.role],
        edgecolor=LIGHT["surface"],
        linewidth=0.6,
    )
    name = first.name if first is last else f"{first.name} to {last.name}"
    tip(bar, f"{name}: {start:.3f} s to {end:.3f} s, {count(sum(part.bytes or 0 for part in together), 'byte')}")


def _span(part: Part, began: int) -> tuple[float, float]:
    assert part.first is not None
    assert part.last is not None
    return (part.first.time - began) / 1e9, (part.last.time - began) / 1e9
