"""The plots, one a module. Each makes a Plot from a migration, or None where there is nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.report.plots import amounts, checkpoints, density, iterations, limits, pause, timeline

if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.drawing import Plot

_MODULES = (timeline, amounts, pause, iterations, checkpoints, density, limits)


def plots_of(migration: Migration) -> list[Plot]:
    """The plots that the migration gives, in the order of the page."""
    return [plot for module in _MODULES if (plot := module.plot(migration)) is not None]
