"""When what was sent, and how fast: a lane for each group of spans, and the throughput below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from xenmig.core.analysis.spans import spans
from xenmig.core.cli.units import count, duration
from xenmig.core.report.drawing import NARROW, Plot, figure, only_grid, short, tip
from xenmig.core.report.palette import LIGHT
from xenmig.core.report.parts import ROLES, role
from xenmig.core.report.rows import AXIS, bar_height, name_rows, pitch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.spans import Span
    from xenmig.core.report.drawing import Width
    from xenmig.core.sources.traffic.series import Series

MOST_BARS = 150
"Bars in a lane; of more spans neighbours are drawn as one."
THINNEST = 0.0015
"Share of the width that a bar has at least, so that it is seen."
MOST_STEPS = 320
"Stretches of time whose throughput is told apart."
THROUGHPUT = 150
"Pixels."


def plot(migration: Migration) -> Plot | None:
    """Lanes over time; None for a stream file, and where nothing takes time."""
    found = [span for span in spans(migration) if span.start is not None and span.end is not None]
    drawing = _Drawing(migration, found)
    if drawing.whole <= 0:
        return None
    return Plot(
        "timeline",
        "What was sent when",
        "; ".join(f"{span.name}: {duration(span.seconds or 0)}" for span in found[:40]) + ".",
        "",
        drawing.draw,
    )


class _Drawing:
    def __init__(self, migration: Migration, found: list[Span]) -> None:
        self.found = found
        self.lanes = [one for one in ROLES if any(role(span) == one for span in found)]
        self.zero = migration.first.time if migration.first is not None else 0
        self.first = min((self._seconds(span.start) for span in found), default=0.0)
        self.last = max((self._seconds(span.end) for span in found), default=0.0)
        self.whole = self.last - self.first
        connection, direction = migration.stream.connection, migration.stream.direction
        traffic = connection.traffic if connection is not None else None
        self.series = traffic.series if traffic is not None else None
        self.side = 0 if traffic is None or direction is None or traffic.key == direction.key else 1

    def _seconds(self, time: int | None) -> float:
        return 0.0 if time is None else (time - self.zero) / 1e9

    def draw(self, width: Width) -> Figure:
        height = pitch(width) * len(self.lanes)
        drawn = figure(width, AXIS + height + (THROUGHPUT if self.series is not None else 0))
        if self.series is None:
            lanes = below = drawn.subplots()
        else:
            lanes, below = drawn.subplots(2, sharex=True, height_ratios=(height, THROUGHPUT))
            self._throughput(below, self.series)
        for row, lane in enumerate(self.lanes):
            self._lane(lanes, row, [span for span in self.found if role(span) == lane], bar_height(width))
        name_rows(lanes, width, [ROLES[lane] for lane in self.lanes])
        only_grid(lanes, "x")
        lanes.set_xlim(self.first, self.last)
        scale, unit = (1, "seconds") if self.whole >= 1 else (1000, "milliseconds")
        below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * scale:g}"))
        below.set_xlabel(f"{unit} since the first byte")
        if width is NARROW:
            below.xaxis.set_major_locator(MaxNLocator(6))
        return drawn

    def _lane(self, axes: Axes, row: int, lane: list[Span], height: float) -> None:
        each = -(-len(lane) // MOST_BARS)
        for at in range(0, len(lane), each):
            together = lane[at : at + each]
            first, last = together[0], together[-1]
            start, end = self._seconds(first.start), max(self._seconds(span.end) for span in together)
            # Iterations that follow each other at once are told apart by their edges.
            (bar,) = axes.barh(
                row,
                max(end - start, self.whole * THINNEST),
                left=start,
                height=height,
                color=LIGHT[role(first)],
                edgecolor=LIGHT["surface"],
                linewidth=0.6,
            )
            name = first.name if first is last else f"{first.name} to {last.name}"
            size = count(sum(span.bytes for span in together), "byte")
            tip(bar, f"{name}: {start:.3f} s to {end:.3f} s, {size}")

    def _throughput(self, axes: Axes, series: Series) -> None:
        for lane in self.lanes:
            # What stands in the lanes lies faintly behind the curve, where it is long enough to be seen.
            for span in self.found:
                start, end = self._seconds(span.start), self._seconds(span.end)
                if role(span) == lane and end - start > 4 * self.whole * THINNEST:
                    axes.axvspan(start, end, color=LIGHT[lane], alpha=0.16, linewidth=0)
        payload, wire = series.columns[2 * self.side : 2 * self.side + 2]
        each = max(1, -(-len(payload) // MOST_STEPS))
        step = each * series.width / 1e9
        begin = self._seconds(series.begin)
        edges = [begin + place * step for place in range(-(-len(payload) // each) + 1)]
        axes.stairs(_rates(wire, each, step), edges, fill=True, color=LIGHT["again"], label="with headers and repeats")
        axes.stairs(_rates(payload, each, step), edges, fill=True, color=LIGHT["throughput"], label="new bytes")
        axes.set_ylabel("bytes per second")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{short(value)}B/s" if value else "0"))
        axes.yaxis.set_major_locator(MaxNLocator(4, min_n_ticks=1))
        # The legend has room above the curve.
        axes.set_ylim(0, 1.35 * max(_rates(wire, each, step)) or 1)
        axes.legend(loc="upper right", ncols=2)
        only_grid(axes, "y")


def _rates(column: Sequence[int], each: int, step: float) -> list[float]:
    return [sum(column[at : at + each]) / step for at in range(0, len(column), each)]
