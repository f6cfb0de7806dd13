"""Matplotlib, set up the way the report draws: sizes, type, and axes that carry units."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xenmig.core.report.palette import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

PIXELS_PER_INCH = 72
"What matplotlib's SVG takes for an inch: a point is a pixel of the page."


class Width(NamedTuple):
    """A width to draw for."""

    name: str
    pixels: int


WIDE = Width("wide", 1040)
"For screens and paper."
NARROW = Width("narrow", 390)
"For telephones and narrow windows."


class Plot(NamedTuple):
    """One picture, not drawn yet."""

    name: str
    "For the file: lower case with hyphens."
    title: str
    description: str
    "What the picture shows, in words, for those who do not see it."
    caption: str
    "What to see in it; may be empty."
    draw: Callable[[Width], Figure]


@contextmanager
def style() -> Iterator[None]:
    """What holds while figures are made and saved: matplotlib's own defaults, whatever the user has configured."""
    with rc_context():
        rcdefaults()
        rcParams.update(
            {
                "axes.axisbelow": True,
                "axes.edgecolor": LIGHT["rule"],
                "axes.facecolor": "none",
                "axes.formatter.limits": (-6, 9),
                "axes.formatter.useoffset": False,
                "axes.grid": True,
                "axes.labelcolor": LIGHT["muted"],
                "axes.labelsize": 11,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "figure.constrained_layout.h_pad": 0.06,
                "figure.constrained_layout.use": True,
                "figure.constrained_layout.w_pad": 0.06,
                "figure.dpi": PIXELS_PER_INCH,
                "figure.facecolor": LIGHT["surface"],
                "font.size": 11,
                "grid.color": LIGHT["rule"],
                "grid.linewidth": 0.7,
                "legend.edgecolor": "none",
                "legend.facecolor": "none",
                "legend.fontsize": 11,
                "legend.frameon": False,
                "legend.labelcolor": LIGHT["ink"],
                # Text stays text: it can be read out, searched and copied.
                "svg.fonttype": "none",
                # The same input makes the same page.
                "svg.hashsalt": "xenmig",
                "text.color": LIGHT["ink"],
                "xtick.color": LIGHT["rule"],
                "xtick.labelcolor": LIGHT["muted"],
                "xtick.labelsize": 10.5,
                "ytick.color": LIGHT["rule"],
                "ytick.labelcolor": LIGHT["muted"],
                "ytick.labelsize": 10.5,
            }
        )
        yield


def figure(width: Width, height: int) -> Figure:
    """An empty figure of that many pixels."""
    made = Figure(figsize=(width.pixels / PIXELS_PER_INCH, height / PIXELS_PER_INCH))
    # Measures text while the figure is laid out.
    FigureCanvasAgg(made)
    return made


def only_grid(axes: Axes, axis: str) -> None:
    """Keep the grid lines of one axis, "x" or "y", and the line that the values stand on."""
    axes.grid(visible=False, axis="y" if axis == "x" else "x")
    axes.tick_params(length=0)
    axes.spines["left"].set_visible(False)


TIP = "tip "
"How the ids of elements begin that are to have the rest of their id as a title, which browsers show on hovering."


def tip(artist: Artist, text: str) -> None:
    """Say something about one element of a plot."""
    artist.set_gid(TIP + text)


_DECIMAL = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(number: float) -> str:
    """A number in at most three digits and a prefix: 63.3 M."""
    for size, prefix in _DECIMAL:
        if abs(number) >= size:
            return f"{number / size:.3g} {prefix}"
    return f"{number:.3g} "
