"""Whether a mark is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.items import PEAK
from tests.benchmarks.measuring import by_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.benchmarks.items import Item


class Verdict:
    """What became of one mark."""

    __slots__ = ("cpu", "item", "mark", "measured", "reached", "wanted")

    def __init__(
        self, item: str, mark: str, wanted: float, measured: float, reached: bool, cpu: float | None = None
    ) -> None:
        self.item = item
        self.mark = mark
        "As a sentence."
        self.wanted = wanted
        self.measured = measured
        self.reached = reached
        self.cpu = cpu
        "The same ratio in CPU time, which other work on the machine disturbs less; it decides nothing."

    def __str__(self) -> str:
        cpu = "" if self.cpu is None else f" (CPU time: {self.cpu:.2f})"
        return f"{'reached' if self.reached else 'MISSED '}  {self.measured:7.2f}  {self.item}: {self.mark}{cpu}"


def ratios(item: Item) -> list[Verdict]:
    """The marks of one item; medians are compared."""
    found = by_label(item.series)
    verdicts = []
    for mark in item.marks:
        other, ours = found[mark.other], found[mark.ours]
        measured, cpu = other.wall / ours.wall, other.cpu / ours.cpu
        text = f"{mark.other} takes at least {mark.ratio:g} times as long as {mark.ours}"
        verdicts.append(Verdict(item.work, text, mark.ratio, measured, measured >= mark.ratio, cpu))
    return verdicts


def memory(items: Iterable[Item]) -> Verdict | None:
    """The mark of peak memory, over everything that was measured; None when nothing was."""
    peaks = [
        (series.peak, f"{item.work}, {series.label}")
        for item in items
        for series in item.series
        if series.label.startswith("xenmig") and series.peak
    ]
    if not peaks:
        return None
    peak, where = max(peaks)
    text = f"xenmig takes at most {PEAK >> 10} MiB (most: {where})"
    return Verdict("peak memory", text, PEAK / 1024, peak / 1024, peak <= PEAK)
