"""Cases that are measured side by side: one run of each after the other, again and again."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks import launcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Command = tuple[str, ...]
"A program and its arguments."


class MeasurementFailed(Exception):
    """A command did not end as it must: whatever it took means nothing."""


class Sample(NamedTuple):
    """One run."""

    wall: float
    "Seconds."
    cpu: float
    "Seconds, user and system."
    peak: int
    "KiB of memory at most, of the largest process."


class Case(NamedTuple):
    """Something to measure."""

    label: str
    steps: tuple[tuple[Command, ...], ...]
    "Steps one after the other, each one command or two with a pipe between them."
    library: Path | None = None
    "Folder with Python packages that the commands import."
    scratch: Path | None = None
    "Folder that is empty before each run and is removed after it."

    def run(self) -> Sample:
        """Raises MeasurementFailed when a command fails."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch.mkdir()
        words: list[str] = []
        for step in self.steps:
            words += [launcher.THEN] if words else []
            for number, command in enumerate(step):
                words += [launcher.INTO] if number else []
                words += command
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        if self.library is not None:
            environment["PYTHONPATH"] = str(self.library)
        done = subprocess.run(
            [sys.executable, "-I", "-S", launcher.__file__, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if self.scratch is not None:
            shutil.rmtree(self.scratch)
        if done.returncode:
            raise MeasurementFailed(f"{self.label}: {last_line(done.stderr)}")
        wall, cpu, peak, status = done.stdout.split()
        if status != "0":
            raise MeasurementFailed(f"{self.label}: exit status {status}: {last_line(done.stderr)}")
        return Sample(float(wall), float(cpu), int(peak))


class Series:
    """The runs of one case."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.samples: list[Sample] = []

    @property
    def wall(self) -> float:
        """Median, in seconds."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def least(self) -> float:
        """The shortest wall time, in seconds."""
        return min(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Median, in seconds."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def peak(self) -> int:
        """The highest of all runs, in KiB; 0 when it was not measured."""
        return max(sample.peak for sample in self.samples)


def interleaved(cases: Sequence[Case], repeats: int) -> list[Series]:
    """Run every case ``repeats`` times in turn, after once that fills the caches and does not count."""
    found = [Series(case.label) for case in cases]
    for case in cases:
        case.run()
    for _ in range(repeats):
        for case, series in zip(cases, found, strict=True):
            series.samples.append(case.run())
    return found


def last_line(text: str) -> str:
    """The last line that is not empty: where a program says why it stopped."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it says nothing")


def by_label(found: Iterable[Series]) -> dict[str, Series]:
    """The same, to look up."""
    return {series.label: series for series in found}
