"""Shows one record in full: every field with its name, value and meaning.

RECORD is the number that `xenmig records` gives, or "header" for the headers and the guest's configuration. Guest
memory is never shown.
"""

from __future__ import annotations

import sys

from xenmig.core.cli.bodies import Bodies
from xenmig.core.cli.detail import header_lines, record_lines
from xenmig.core.cli.notices import code_of, print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.decode.damage import Truncated
from xenmig.core.decode.events import Header
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import Record
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="save file or capture; - is the standard input")
    parser.add_argument("record", metavar="RECORD", type=_record, help='number of the record, or "header"')
    parser.add_argument("--json", action="store_true", help="print it as a JSON object")
    parser.add_argument(
        "--stream", type=int, metavar="N", help="in this stream of a capture (default: the first sender's)"
    )
    parser.add_argument("--raw", action="store_true", help="show the bytes beside the fields, and opaque bytes in full")
    parser.add_argument("--pfns", action="store_true", help="list the pfns of a PAGE_DATA record")
    parser.add_argument("--secrets", action="store_true", help="show the passwords in the guest's configuration")


def _record(text: str) -> int | None:
    """The argument RECORD: a number, or None for the headers."""
    if text in ("header", "headers"):
        return None
    return int(text, 0)


_record.__name__ = "record"


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    reading = Reading(options.path)
    found: list[tuple[Stream, Header | Record]] = []
    bodies = Bodies()
    records = 0
    wanted: int | None = options.stream
    try:
        with Progress(reading.input):
            for stream, events in reading:
                if wanted is None and stream.role == "sender":
                    wanted = stream.number
                if stream.number != wanted:
                    continue
                records, done = _look(stream, events, options.record, records, found, bodies)
                if done:
                    break
    finally:
        reading.close()
    if not found:
        print_notices(reading)
        raise UnreadableInput(reading.name, _missing(reading, wanted, options.record, records))
    if options.json:
        _print_json(found, options, bodies)
    else:
        many = len(reading.streams) > 1
        for stream, one in found:
            if many:
                sys.stdout.write(f"stream {stream.number}\n")
            if isinstance(one, Header):
                lines = header_lines(one, raw=options.raw, secrets=options.secrets)
            else:
                lines = record_lines(one, bodies, raw=options.raw, pfns=options.pfns)
            for line in lines:
                sys.stdout.write(line + "\n")
    print_notices(reading)
    return code_of(reading)


def _look(
    stream: Stream,
    events: list[Event],
    wanted: int | None,
    records: int,
    found: list[tuple[Stream, Header | Record]],
    bodies: Bodies,
) -> tuple[int, bool]:
    """Look for the record among ``events``; returns the number of records so far and whether the search is over."""
    for event in events:
        bodies.take(event)
        if wanted is None and isinstance(event, Header):
            found.append((stream, event))
            # The headers are over when libxc's domain header has come.
            if event.layer == "libxc" and event.value.name == "DOMAIN_HEADER":
                return records, True
        record = event.partial if isinstance(event, Truncated) else event
        if isinstance(record, Record):
            records = max(records, record.index + 1)
            if record.index == wanted:
                found.append((stream, record))
                return records, True
    return records, False


def _missing(reading: Reading, stream: int | None, record: int | None, records: int) -> str:
    if not reading.streams:
        from xenmig.core.cli.absence import nothing_found

        return nothing_found(reading)
    if stream is None or all(one.number != stream for one in reading.streams):
        return f"there is no stream {stream}; there are {len(reading.streams)}"
    if record is None:
        return "the stream has no header"
    if not records:
        return "there are no records in the stream"
    return f"there is no record {record}: they are numbered from 0 to {records - 1}"


def _print_json(found: list[tuple[Stream, Header | Record]], options: Namespace, bodies: Bodies) -> None:
    import json

    from xenmig.core.cli.configurationtext import without_passwords
    from xenmig.core.cli.meaningjson import meaning
    from xenmig.core.cli.records import record_as_json
    from xenmig.core.cli.values import fields, names

    for stream, one in found:
        if isinstance(one, Record):
            described: dict[str, Any] = record_as_json(one, bodies, pfns=options.pfns, whole=options.raw)
        else:
            shown = fields(one.value, whole=options.raw)
            described = {
                "record": None,
                "layer": one.layer,
                "name": one.value.name,
                "offset": one.offset,
                "length": one.length,
                "frame": one.first.frame if one.first is not None else None,
                "time": one.first.time / 1e9 if one.first is not None else None,
                "fields": shown if options.secrets else without_passwords(shown),
                "names": names(one.value),
            }
            more = meaning(one.value, secrets=options.secrets)
            if more is not None:
                described["meaning"] = more
        sys.stdout.write(json.dumps({"stream": stream.number, **described}) + "\n")
