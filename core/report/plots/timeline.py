"""When what was sent: a lane for each kind of part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.cli.units import duration
from xenmig.core.report.drawing import Plot
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
        spans = [_span(part, began) for part in found if part.role == role]
        _lane(axes, row, _joined(spans), whole, role, bar_height(width))
    axes.set_xlim(0, whole)
    axes.set_xlabel("seconds since the first byte")
    return drawn


def _lane(axes: Axes, row: int, spans: list[tuple[float, float]], whole: float, role: str, height: float) -> None:
    least = whole * THINNEST
    bars = [(start, max(end - start, least)) for start, end in spans]
    # Iterations that follow each other at once are told apart by their edges.
    axes.broken_barh(
        bars, (row - height / 2, height), facecolors=LIGHT[role], edgecolors=LIGHT["surface"], linewidth=0.6
    )


def _span(part: Part, began: int) -> tuple[float, float]:
    assert part.first is not None
    assert part.last is not None
    return (part.first.time - began) / 1e9, (part.last.time - began) / 1e9


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    each = -(-len(spans) // MOST_BARS)
    return [(spans[at][0], max(end for _, end in spans[at : at + each])) for at in range(0, len(spans), max(1, each))]
