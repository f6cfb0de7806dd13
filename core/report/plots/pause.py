"""What the time went into while the guest was paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis.downtime import downtime
from xenmig.core.cli.units import duration
from xenmig.core.report.drawing import NARROW, Plot, figure, only_grid
from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.downtime import Downtime
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Width

ROW = 26
"Pixels from one step to the next."
NARROW_ROW = 36
"The same where the name stands above the bar."
BESIDE = 0.12
"Share of the width that a label beside a bar takes at most."
_ROLES = {"suspending the guest": "suspend", "guest state": "state", "device model state": "state"}


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
    if found.upper is None:
        return f"At least {duration(found.lower)}; {found.upper_reason}."
    lower, upper = duration(found.lower), duration(found.upper)
    return f"At least {lower}, until the sender gave its permission; at most {upper}, until the receiver reported."


def _draw(found: Downtime, width: Width) -> Figure:
    narrow = width is NARROW
    steps = found.steps
    drawn = figure(width, 60 + (NARROW_ROW if narrow else ROW) * len(steps))
    axes = drawn.subplots()
    whole = sum(step.seconds for step in steps)
    scale, unit = (1, "seconds") if whole >= 1 else (1000, "milliseconds")
    began = 0.0
    for row, step in enumerate(steps):
        role = _ROLES.get(step.name, "stop" if step.name.endswith(" pass") else "handover")
        ended = began + step.seconds
        axes.barh(row, step.seconds * scale, left=began * scale, height=0.38 if narrow else 0.62, color=LIGHT[role])
        text = duration(step.seconds)
        if narrow:
            _write(axes, 0, row - 0.2, f"{step.name}: {text}", vertical="bottom", offset=(0, 2))
        elif ended < (1 - BESIDE) * whole:
            _write(axes, ended * scale, row, text, offset=(5, 0))
        elif began > BESIDE * whole:
            _write(axes, began * scale, row, text, side="right", offset=(-5, 0))
        else:
            _write(axes, began * scale, row, text, offset=(5, 0), role="surface")
        began = ended
    axes.set_yticks(range(len(steps)), labels=[""] * len(steps) if narrow else [step.name for step in steps])
    axes.tick_params(axis="y", labelcolor=LIGHT["ink"], labelsize=11)
    axes.set_ylim(len(steps) - 0.5, -0.9 if narrow else -0.5)
    axes.set_xlim(0, whole * scale)
    axes.set_xlabel(f"{unit} since the last byte sent while the guest was running")
    only_grid(axes, "x")
    return drawn


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    side: str = "left",
    vertical: str = "center",
    offset: tuple[int, int] = (0, 0),
    role: str = "ink",
) -> None:
    axes.annotate(text, (x, y), xytext=offset, textcoords="offset points", ha=side, va=vertical, color=LIGHT[role])
