"""What the sender's time went into: whether the network, the sender or the receiver held the transfer up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis.network import network
from xenmig.core.cli.networktext import KINDS, bottleneck
from xenmig.core.cli.units import duration
from xenmig.core.report.drawing import NARROW, Plot, tip
from xenmig.core.report.palette import LIGHT
from xenmig.core.report.rows import bar_height, rows
from xenmig.core.sources.traffic.flow import ANSWER, IDLE, IN_FLIGHT, RECOVERY, SENDING, WINDOW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.network import Limits
    from xenmig.core.report.drawing import Width

BESIDE = 0.24
"Share of the width that a label beside a bar takes at most."
_ROLES = {SENDING: "live", IDLE: "suspend", WINDOW: "state", ANSWER: "state", RECOVERY: "stop", IN_FLIGHT: "stop"}
"Roles of colours by kind of time: nothing, the sender, the receiver, the network."


def plot(migration: Migration) -> Plot | None:
    """Seconds by kind; None in a file, and where it is not known."""
    found = network(migration)
    if found is None or not found.forward.acknowledged or found.limits.total <= 0:
        return None
    limits = found.limits
    caption = bottleneck(found)
    return Plot(
        "limits",
        "What held the transfer up",
        "; ".join(f"{KINDS[kind]}: {duration(time / 1e9)}" for kind, time in limits.times.items()) + ".",
        f"{caption[0].upper()}{caption[1:]}.",
        lambda width: _draw(limits, width),
    )


def _draw(limits: Limits, width: Width) -> Figure:
    kinds = sorted(limits.times, key=lambda kind: -limits.times[kind])
    seconds = [limits.times[kind] / 1e9 for kind in kinds]
    values = [f"{duration(time)}, {100 * time / sum(seconds):.0f} %" for time in seconds]
    drawn, axes = rows(width, [KINDS[kind] for kind in kinds], values)
    for row, (kind, time) in enumerate(zip(kinds, seconds, strict=True)):
        (bar,) = axes.barh(row, time, height=bar_height(width), color=LIGHT[_ROLES[kind]])
        tip(bar, f"{KINDS[kind]}: {values[row]}")
        if width is not NARROW:
            axes.annotate(values[row], (time, row), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, seconds[0] * (1 if width is NARROW else 1 + BESIDE))
    axes.set_xlabel("seconds of the transfer, without suspend and hand-over")
    return drawn
