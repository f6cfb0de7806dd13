"""Shows how a migration went: phases, iterations over memory, downtime, outcome, and who owns the guest.

Times come from a capture; a stream file has bytes only.
"""

from __future__ import annotations

import sys

from xenmig.core.analysis.timeline import Timeline
from xenmig.core.check.checker import Checker
from xenmig.core.cli.absence import ONLY_RECEIVER, legacy_stream, nothing_found
from xenmig.core.cli.notices import code_of, print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.timelinetext import lines, verdict_text
from xenmig.core.cli.units import bandwidth
from xenmig.core.decode.reading import Reading
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.decode.reading import Stream


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="save file or capture; - is the standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--convergence",
        action="store_true",
        help="show how fast the guest dirtied its memory, and which pages were sent again and again",
    )
    parser.add_argument(
        "--bandwidth",
        type=_bandwidth,
        metavar="RATE",
        help="say what the last pass over memory would have been at another bandwidth, for example 1Gbit or 110MB/s",
    )
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="show the migration while PATH is still written: drawn again and again on a terminal, else a line for each"
        " second and event (with --json an object), and in the end the timeline",
    )


def _bandwidth(text: str) -> float:
    """The value of --bandwidth, with the reason when it is none."""
    from argparse import ArgumentTypeError

    try:
        return bandwidth(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    if options.follow:
        from xenmig.core.cli.follow import follow

        return follow(options)
    reading, timeline, checkers = _read(options.path)
    if options.json:
        import json

        sys.stdout.write(json.dumps(facts(reading, timeline, checkers, options.bandwidth)) + "\n")
        return code(reading, timeline)
    return print_timeline(reading, timeline, checkers, convergence=options.convergence, bandwidth=options.bandwidth)


def plain(path: str) -> int:
    """Run the command without options."""
    return print_timeline(*_read(path))


def _read(path: str) -> tuple[Reading, Timeline, dict[Stream, Checker]]:
    reading = Reading(path, metered=True)
    timeline = Timeline()
    checkers: dict[Stream, Checker] = {}
    try:
        with Progress(reading.input):
            for stream, events in reading:
                timeline.take(stream, events)
                checker = checkers.get(stream)
                if checker is None:
                    checker = checkers[stream] = Checker(stream.kind)
                checker.take(events)
    finally:
        reading.close()
    timeline.finish()
    return reading, timeline, checkers


def print_timeline(
    reading: Reading,
    timeline: Timeline,
    checkers: dict[Stream, Checker],
    *,
    convergence: bool = False,
    bandwidth: float | None = None,
) -> int:
    """Print a timeline that is finished; returns the exit code.

    ``convergence`` adds which pages were sent again; ``bandwidth``, in bytes per second, what the last pass over memory
    would have been with it.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when there is no migration in it.
    """
    width = 0
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        width = get_terminal_size().columns
    for migration in timeline.migrations:
        verdict = verdict_text(findings(migration, checkers), checkers[migration.stream].complete)
        for line in lines(reading.name, migration, verdict, convergence=convergence, bandwidth=bandwidth, width=width):
            sys.stdout.write(line + "\n")
    if reading.opaque:
        from xenmig.core.cli.networktext import opaque_lines

        for line in opaque_lines(reading):
            sys.stdout.write(line + "\n")
    print_notices(reading)
    return code(reading, timeline)


def code(reading: Reading, timeline: Timeline) -> int:
    """The exit code when all has been printed.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when there is no migration.
    """
    if not timeline.migrations:
        raise UnreadableInput(reading.name, _nothing(reading))
    if timeline.migrations[0].legacy and len(timeline.migrations) == 1:
        raise UnreadableInput(reading.name, legacy_stream(timeline.migrations[0].legacy))
    return code_of(reading)


def _nothing(reading: Reading) -> str:
    if reading.streams:
        return ONLY_RECEIVER
    return nothing_found(reading)


def findings(migration: Migration, checkers: dict[Stream, Checker]) -> dict[str, int]:
    """How many findings there are in both directions of a migration, by severity."""
    counts = dict(checkers[migration.stream].counts)
    if migration.receiver is not None and migration.receiver in checkers:
        for severity, number in checkers[migration.receiver].counts.items():
            counts[severity] += number
    return counts


def facts(
    reading: Reading, timeline: Timeline, checkers: dict[Stream, Checker], bandwidth: float | None = None
) -> dict[str, Any]:
    """All that a finished timeline says, as JSON."""
    from xenmig.core.analysis.network import network
    from xenmig.core.cli.migrationjson import migration_facts
    from xenmig.core.cli.networkjson import network_facts

    return {
        "input": reading.name,
        "kind": reading.kind,
        "migrations": [
            migration_facts(migration, bandwidth)
            | {"network": network_facts(network(migration)), "findings": findings(migration, checkers)}
            for migration in timeline.migrations
        ],
        "notices": reading.notices,
    }
