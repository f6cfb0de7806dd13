"""Shows how a migration went: phases, iterations over memory, downtime, outcome, and who owns the guest.

Times come from a capture; a stream file has bytes only.
"""

from __future__ import annotations

import sys

from xenmig.core.analysis.downtime import downtime, why_unknown
from xenmig.core.analysis.handover import owner
from xenmig.core.analysis.outcome import outcome
from xenmig.core.analysis.timeline import Timeline
from xenmig.core.check.checker import Checker
from xenmig.core.cli.absence import ONLY_RECEIVER, legacy_stream, nothing_found
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.info import completeness, layers_text
from xenmig.core.cli.messagetext import message_text
from xenmig.core.cli.notices import code_of, print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count, duration, rate, utc
from xenmig.core.cli.verdict import verdict
from xenmig.core.decode.reading import Reading
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.phases import Phase
    from xenmig.core.decode.events import Message
    from xenmig.core.decode.reading import Stream
    from xenmig.core.sources.connection import Direction
    from xenmig.core.sources.packet import Packet

MOST_ROWS = 60
"Iterations that are listed; of more (checkpoints), the first and the last."


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="save file or capture; - is the standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="show the migration while PATH is still written: drawn again and again on a terminal, else a line for each"
        " second and event (with --json an object), and in the end the timeline",
    )


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    if options.follow:
        from xenmig.core.cli.follow import follow

        return follow(options.path, json=options.json)
    reading = Reading(options.path, metered=True)
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
    if options.json:
        import json

        sys.stdout.write(json.dumps(facts(reading, timeline, checkers)) + "\n")
        return code(reading, timeline)
    return print_timeline(reading, timeline, checkers)


def print_timeline(reading: Reading, timeline: Timeline, checkers: dict[Stream, Checker]) -> int:
    """Print a timeline that is finished; returns the exit code.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when there is no migration in it.
    """
    for migration in timeline.migrations:
        for line in _lines(reading, migration, _findings(migration, checkers), checkers[migration.stream].complete):
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


def _findings(migration: Migration, checkers: dict[Stream, Checker]) -> dict[str, int]:
    """How many findings there are in both directions of a migration, by severity."""
    counts = dict(checkers[migration.stream].counts)
    if migration.receiver is not None and migration.receiver in checkers:
        for severity, number in checkers[migration.receiver].counts.items():
            counts[severity] += number
    return counts


def _verdict(counts: dict[str, int], complete: bool) -> str:
    text = verdict(counts, complete)
    return f"{text}; xenmig verify lists what was found" if any(counts.values()) else text


def facts(reading: Reading, timeline: Timeline, checkers: dict[Stream, Checker]) -> dict[str, Any]:
    """All that a finished timeline says, as JSON."""
    from xenmig.core.analysis.network import network
    from xenmig.core.cli.migrationjson import migration_facts
    from xenmig.core.cli.networkjson import network_facts

    return {
        "input": reading.name,
        "kind": reading.kind,
        "migrations": [
            migration_facts(migration)
            | {"network": network_facts(network(migration)), "findings": _findings(migration, checkers)}
            for migration in timeline.migrations
        ],
        "notices": reading.notices,
    }


def _lines(reading: Reading, migration: Migration, findings: dict[str, int], complete: bool) -> Iterator[str]:
    if migration.number > 1:
        yield ""
    if migration.captured:
        yield f"{escaped(reading.name)}: migration {migration.number}, {migration.source} -> {migration.destination}"
    else:
        yield escaped(reading.name)
    guest = migration.guest
    paused = downtime(migration)
    owned = owner(migration)
    rule = migration.iterations.stop_rule
    rows = [("guest", guest_text(guest) + (f", from Xen {guest.xen}" if guest.xen else ""))]
    rows.append(("stream", f"{layers_text(migration)}, {migration.bytes:,} bytes, {completeness(migration)}"))
    if migration.first is not None and migration.last is not None:
        seconds = (migration.last.time - migration.first.time) / 1e9
        rows.append(("time", f"{utc(migration.first.time)}, {duration(seconds)}{_speed(migration, seconds)}"))
    rows += _network(migration)
    rows.append(("verdict", _verdict(findings, complete)))
    rows.append(("outcome", outcome(migration)))
    rows.append(("owner", f"{owned.name}: {owned.reason}"))
    rows.append(("downtime", _downtime(migration)))
    if rule is not None:
        rows.append(("live loop", f"stopped by {rule.name}: {rule.text}" if rule.name != "unknown" else rule.text))
    yield from aligned(rows)
    table = [*_table(migration)]
    if len(table) > 1:
        yield ""
        yield from table
    if paused is not None and paused.steps:
        yield ""
        yield "  since the last byte sent while the guest was running"
        yield from aligned([(duration(step.seconds), step.name) for step in paused.steps], ">", indent=4)


def _speed(migration: Migration, seconds: float) -> str:
    speed = rate(migration.bytes, seconds)
    return f", {speed} on average" if speed else ""


def _network(migration: Migration) -> list[tuple[str, str]]:
    direction = migration.stream.direction
    if direction is None:
        return []
    from xenmig.core.analysis.network import network
    from xenmig.core.cli.networktext import network_rows

    found = network(migration)
    return [("tcp", _segments(direction))] if found is None else [*network_rows(found)]


def _segments(direction: Direction) -> str:
    parts = [count(direction.segments, "segment")]
    if direction.retransmitted:
        parts.append(f"{direction.retransmitted:,} captured before ({direction.retransmitted_bytes:,} bytes)")
    if direction.out_of_order:
        parts.append(f"{direction.out_of_order:,} late (sent again after a loss, or overtaken)")
    if len(parts) == 1:
        parts.append("none sent again or out of order")
    return ", ".join(parts)


def _downtime(migration: Migration) -> str:
    found = downtime(migration)
    if found is None:
        return f"not known: {why_unknown(migration)}"
    if found.upper is None:
        return f"at least {duration(found.lower)}; {found.upper_reason}"
    return f"{duration(found.lower)} to {duration(found.upper)}"


def _table(migration: Migration) -> Iterator[str]:
    """Phases, iterations and messages in the order of the stream."""
    timed = migration.captured
    head = ["", "pfns", "pages", "bytes"]
    if timed:
        head = ["start (s)", "end (s)", *head, "speed", "frames"]
    rows = [head]
    began = migration.first
    phases = migration.phases
    iterations = migration.iterations.found
    shown = iterations
    if len(iterations) > MOST_ROWS:
        shown = iterations[: MOST_ROWS // 2] + iterations[-MOST_ROWS // 2 :]
    said = _messages(migration)
    early = [
        message
        for message in said
        if began is not None and message.last is not None and message.last.frame < began.frame
    ]
    parts: list[list[str]] = [_said(message, began) for message in early]
    if phases.headers.bytes:
        parts.append(_row(phases.headers.name, phases.headers, began, timed=timed))
    left_out = len(iterations) + migration.iterations.omitted - len(shown)
    for place, iteration in enumerate(shown):
        if left_out and place == MOST_ROWS // 2:
            parts.append([*([""] * (2 if timed else 0)), f"... {left_out:,} more ..."])
        name = f"iteration {iteration.index}: {iteration.kind}"
        parts.append(_row(name, iteration, began, timed=timed, pfns=iteration.pfns, pages=iteration.pages))
        if not migration.iterations.checkpoints:
            continue
        if iteration is migration.iterations.last_pass:
            # The state of later checkpoints is not told apart.
            parts += [_row(phase.name, phase, began, timed=timed) for phase in phases.found[1:]]
    if not migration.iterations.checkpoints:
        parts += [_row(phase.name, phase, began, timed=timed) for phase in phases.found if phase is not phases.headers]
    parts += [_said(message, began) for message in said if message not in early]
    yield from aligned(rows + parts, ">><>>>>>" if timed else "<>>>")


def _messages(migration: Migration) -> list[Message]:
    """What the two ends said, in order."""
    return sorted((message for message in migration.messages.values() if message.last is not None), key=_frame)


def _said(message: Message, began: Packet | None) -> list[str]:
    return [*_span(None, message.last, began), message_text(message)]


def _frame(message: Message) -> int:
    return message.last.frame if message.last is not None else 0


def _row(
    name: str,
    part: Phase | Iteration,
    began: Packet | None,
    *,
    timed: bool,
    pfns: int | None = None,
    pages: int | None = None,
) -> list[str]:
    cells = [name, *("" if number is None else f"{number:,}" for number in (pfns, pages)), f"{part.bytes:,}"]
    if not timed:
        return cells
    first, last = part.first, part.last
    speed, frames = "", ""
    if first is not None and last is not None:
        if pfns is not None and last.frame > first.frame:
            speed = rate(part.bytes, (last.time - first.time) / 1e9)
        frames = f"{first.frame}-{last.frame}" if last.frame > first.frame else str(first.frame)
    return [*_span(first, last, began), *cells, speed, frames]


def _span(first: Packet | None, last: Packet | None, began: Packet | None) -> list[str]:
    return [f"{(packet.time - began.time) / 1e9:.6f}" if packet and began else "" for packet in (first, last)]
