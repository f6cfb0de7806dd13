"""Says what an input is: its layers, the guest, the Xen that wrote it, its size, and the migrations in a capture."""

from __future__ import annotations

import sys

from xenmig.core.analysis.outcome import outcome
from xenmig.core.analysis.timeline import Timeline
from xenmig.core.cli.absence import legacy_stream, nothing_found
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.notices import print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count, duration, utc
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.recognise import DESCRIPTIONS
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.analysis.migration import Migration

MOST_OPAQUE = 20
"Connections that are named though they are not decoded."


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", nargs="+", help="save file or capture; - is the standard input")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each input, on one line")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    worst = 0
    for path in options.path:
        try:
            reading = Reading(path)
            timeline = Timeline()
            try:
                with Progress(reading.input):
                    for stream, events in reading:
                        timeline.take(stream, events)
            finally:
                reading.close()
            timeline.finish()
        except UnreadableInput as error:
            worst = 2
            _complain(str(error))
            if options.json:
                _print({"input": path, "kind": None, "reason": error.reason})
            continue
        if not reading.streams or reading.unread or any(one.legacy for one in timeline.migrations):
            worst = 2
        if options.json:
            _print(_as_json(reading, timeline))
        else:
            for line in _lines(reading, timeline):
                sys.stdout.write(line + "\n")
        if reading.unread:
            print_notices(reading)
        for one in timeline.migrations:
            if one.legacy:
                _complain(f"{reading.name}: {legacy_stream(one.legacy)}")
    return worst


def layers_text(migration: Migration) -> str:
    """The nesting with the version and byte order of each layer."""
    parts = []
    for layer in migration.layers:
        facts = []
        if layer in migration.versions:
            facts.append(f"version {migration.versions[layer]}")
        if migration.byteorders.get(layer) == "big":
            facts.append("big endian")
        parts.append(f"{layer} ({', '.join(facts)})" if facts else layer)
    return " > ".join(parts) or "nothing recognised"


def completeness(migration: Migration) -> str:
    """Whether the stream is complete, and what of it is missing."""
    text = "complete" if migration.complete else "incomplete"
    if migration.joined:
        text += "; its beginning was not captured"
    if migration.holes:
        text += f"; {count(migration.missing, 'byte')} missing from the capture in {count(migration.holes, 'hole')}"
    if migration.trailing is not None:
        text += f"; {count(migration.trailing.length, 'byte')} after its end"
    return text


def _complain(text: str) -> None:
    sys.stdout.flush()
    if sys.stderr is not None:
        sys.stderr.write(f"xenmig: {escaped(text)}\n")


def _print(value: dict[str, Any]) -> None:
    import json

    sys.stdout.write(json.dumps(value) + "\n")


def _lines(reading: Reading, timeline: Timeline) -> Iterator[str]:
    capture = reading.capture
    size = f", {count(reading.size, 'byte')}" if reading.size is not None else ""
    if capture is None:
        kind = DESCRIPTIONS.get(reading.streams[0].kind, "stream") if reading.streams else "stream"
        yield f"{escaped(reading.name)}: {kind}{size}"
    else:
        yield f"{escaped(reading.name)}: capture{size}"
        rows = [("frames", f"{capture.frames:,}")]
        if capture.first is not None and capture.last is not None:
            lasted = duration((capture.last.time - capture.first.time) / 1e9)
            rows.append(("time", f"{utc(capture.first.time)}, {lasted}"))
        rows.append(("connections", f"{capture.connection_count:,}"))
        yield from aligned(rows)
    for migration in timeline.migrations:
        yield from _migration(migration)
    for stream in timeline.unanswered:
        where = f" on connection {stream.connection.id}" if stream.connection is not None else ""
        yield f"  only what the receiver says{where}: the guest's own stream is not there"
    for connection, kind in reading.opaque[:MOST_OPAQUE]:
        ends = f"{connection.directions[0].source} and {connection.directions[0].destination}"
        yield f"  connection {connection.id}, {ends}: {DESCRIPTIONS[kind]}"
    more = sum(reading.opaque_counts.values()) - MOST_OPAQUE
    if more > 0:
        yield f"  and {count(more, 'more connection')} not decoded"
    if not reading.streams:
        yield f"  {nothing_found(reading)}"
    for notice in [] if reading.unread else reading.notices:
        yield f"  note: {escaped(notice)}"


def _migration(migration: Migration) -> Iterator[str]:
    rows = []
    if migration.captured:
        yield f"  migration {migration.number}: {migration.source} -> {migration.destination}"
        if migration.first is not None and migration.last is not None:
            frames = f"frames {migration.first.frame:,} to {migration.last.frame:,}"
            connection = migration.stream.connection
            number = connection.id if connection is not None else 0
            rows.append(("seen", f"{frames} of connection {number}, from {utc(migration.first.time)}"))
    rows.append(("layers", layers_text(migration)))
    rows.append(("guest", guest_text(migration.guest)))
    guest = migration.guest
    written = f"Xen {guest.xen}" if guest.xen else "not known"
    if guest.converted:
        written = "a converter of legacy streams"
    rows.append(("written by", written))
    rows.append(
        ("stream", f"{count(migration.bytes, 'byte')}, {count(migration.records, 'record')}, {completeness(migration)}")
    )
    if migration.captured or not migration.ended:
        rows.append(("outcome", outcome(migration)))
    yield from aligned(rows, indent=4 if migration.captured else 2)


def _as_json(reading: Reading, timeline: Timeline) -> dict[str, Any]:
    from xenmig.core.cli.migrationjson import guest_facts, stream_facts

    capture = reading.capture
    return {
        "input": reading.name,
        "kind": reading.kind,
        "size": reading.size,
        "frames": capture.frames if capture is not None else None,
        "connections": capture.connection_count if capture is not None else None,
        "first": capture.first.time / 1e9 if capture is not None and capture.first is not None else None,
        "last": capture.last.time / 1e9 if capture is not None and capture.last is not None else None,
        "migrations": [{**stream_facts(one), **guest_facts(one.guest)} for one in timeline.migrations],
        "not_decoded": [
            {
                "connection": connection.id,
                "kind": kind,
                "description": DESCRIPTIONS[kind],
                "source": str(connection.directions[0].source),
                "destination": str(connection.directions[0].destination),
            }
            for connection, kind in reading.opaque
        ],
        "notices": reading.notices,
    }
