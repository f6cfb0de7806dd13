"""What the time went into while the guest was paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis.downtime import downtime
from xenmig.core.cli.units import duration
from xenmig.core.report.drawing import NARROW, Plot, tip
from xenmig.core.report.palette import LIGHT
from xenmig.core.report.rows import bar_height, rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.downtime import Downtime
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

BESIDE = 0.12
"Share of the width that a label beside a bar takes at most."
_ROLES = {"suspend": "suspend", "memory": "stop", "state": "state", "hand-over": "handover"}
"Roles of colours by the kind of a step."


def plot(migration: Migration) -> Plot | None:
    """The steps of the downtime, each where the one before ends; None when there is no downtime to show."""
    found = downtime(migration)
    # Frames may carry any times.
    if found is None or sum(step.seconds for step in found.steps) <= 0:
        return None
    listed = ", ".join(f"{step.name} {duration(step.seconds)}" for step in found.steps)
    return Plot(
        "pause",
        "What the guest waited for while it was paused",
        f"In order: {listed}.",
        _caption(found),
        lambda width: _draw(found, width),
    )


def _caption(found: Downtime) -> str:
    text = f"At least {duration(found.lower)}; {found.upper_reason}."
    if found.upper is not None:
        lower, upper = duration(found.lower), duration(found.upper)
        text = f"At least {lower}, until the sender gave its permission; at most {upper}, until the receiver reported."
    if found.suspend > 0:
        text += f" In the first {duration(found.suspend)} of it the guest may still have run."
    return text


def _draw(found: Downtime, width: Width) -> Figure:
    steps = found.steps
    values = [duration(step.seconds) for step in steps]
    drawn, axes = rows(width, [step.name for step in steps], values)
    whole = sum(step.seconds for step in steps)
    scale, unit = (1, "seconds") if whole >= 1 else (1000, "milliseconds")
    began = 0.0
    for row, step in enumerate(steps):
        (bar,) = axes.barh(
            row, step.seconds * scale, left=began * scale, height=bar_height(width), color=LIGHT[_ROLES[step.kind]]
        )
        tip(bar, f"{step.name}: {values[row]}")
        ended = began + step.seconds
        if width is not NARROW:
            _write(axes, row, values[row], (began * scale, ended * scale), whole * scale)
        began = ended
    axes.set_xlim(0, whole * scale)
    axes.set_xlabel(f"{unit} since the last byte sent while the guest was running")
    return drawn


def _write(axes: Axes, row: int, text: str, bar: tuple[float, float], whole: float) -> None:
    """Write beside a bar: behind it, in front of it, or on it, where there is room."""
    began, ended = bar
    if ended < (1 - BESIDE) * whole:
        place, shift, side, role = ended, 5, "left", "ink"
    elif began > BESIDE * whole:
        place, shift, side, role = began, -5, "right", "ink"
    else:
        place, shift, side, role = began, 5, "left", "surface"
    axes.annotate(
        text, (place, row), xytext=(shift, 0), textcoords="offset points", ha=side, va="center", color=LIGHT[role]
    )
