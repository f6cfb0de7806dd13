"""Lists the records: number, offset, layer, type, length and what they say.

PAGE_DATA records of one pass over memory are folded into one line; guest memory is never shown. With --json every
record is an object on a line of its own.
"""

from __future__ import annotations

import sys

from xenmig.core.cli.absence import legacy_stream, nothing_found
from xenmig.core.cli.bodies import Bodies
from xenmig.core.cli.listing import Listing, type_name
from xenmig.core.cli.notices import code_of, print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.values import fields, names, problem_text
from xenmig.core.decode.damage import Truncated, Unrecognised
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions.libxc import PageType
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="save file or capture; - is the standard input")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each record, one on a line")
    parser.add_argument("--stream", type=int, metavar="N", help="only this stream of a capture")
    parser.add_argument("--pages", action="store_true", help="give every PAGE_DATA record a line of its own")
    parser.add_argument("--pfns", action="store_true", help="list the pfns of PAGE_DATA records as well")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    reading = Reading(options.path)
    listing = Listing(
        _write, streams=reading.kind == "capture", pages=options.pages, pfns=options.pfns, only=options.stream
    )
    bodies: dict[Stream, Bodies] = {}
    seen = False
    legacy = ""
    try:
        with Progress(reading.input, streaming=True):
            for stream, events in reading:
                if options.stream is not None and stream.number != options.stream:
                    continue
                seen = True
                for event in events:
                    if isinstance(event, Unrecognised) and event.kind == "legacy":
                        legacy = event.layer
                if options.json:
                    known = bodies.setdefault(stream, Bodies())
                    _print_json(stream, events, known, options.pfns, numbered=reading.kind == "capture")
                else:
                    listing.take(stream, events)
    finally:
        reading.close()
    listing.finish()
    print_notices(reading)
    if not seen:
        raise UnreadableInput(reading.name, _nothing(reading, options.stream))
    if legacy and len(reading.streams) == 1:
        raise UnreadableInput(reading.name, legacy_stream(legacy))
    return code_of(reading)


def _nothing(reading: Reading, wanted: int | None) -> str:
    if reading.streams and wanted is not None:
        return f"there is no stream {wanted}; there are {len(reading.streams)}"
    return nothing_found(reading)


def _write(line: str, severity: str = "") -> None:  # noqa: ARG001 - all lines go the same way
    sys.stdout.write(line + "\n")


def _print_json(stream: Stream, events: Sequence[Event], bodies: Bodies, pfns: bool, *, numbered: bool) -> None:
    import json

    for event in events:
        bodies.take(event)
        record = event.partial if isinstance(event, Truncated) else event
        if isinstance(record, Record):
            one = record_as_json(record, bodies, pfns=pfns)
            if isinstance(event, Truncated):
                one["truncated"] = {"available": event.available, "missing": event.missing}
            if numbered:
                one = {"stream": stream.number, **one}
            sys.stdout.write(json.dumps(one) + "\n")


def record_as_json(record: Record, bodies: Bodies, *, pfns: bool = False, whole: bool = False) -> dict[str, Any]:
    """A record as a JSON object; ``bodies`` has seen what came before it, ``whole`` is for opaque bytes in full."""
    packet = record.first
    one: dict[str, Any] = {
        "record": record.index,
        "layer": record.layer,
        "type": record.type,
        "name": type_name(record),
        "offset": record.offset,
        "length": record.length,
        "frame": packet.frame if packet is not None else None,
        "time": packet.time / 1e9 if packet is not None else None,
        "fields": {},
    }
    if record.missing:
        one["missing"] = record.missing
    if isinstance(record, PageData):
        one["fields"] = _page_data(record, pfns)
        return one
    value = bodies.decode(record)
    if value is not None:
        from xenmig.core.cli.meaningjson import meaning

        one["fields"] = fields(value, whole=whole)
        one["names"] = names(value)
        more = meaning(value, guest=bodies.guest, byteorder=bodies.order(record))
        if more is not None:
            one["meaning"] = more
        if value.problems:
            one["problems"] = [problem_text(problem) for problem in value.problems]
    elif record.body is not None:
        one["fields"] = {"body": {"length": record.length, "hex": (record.body if whole else record.body[:64]).hex()}}
    return one


def _page_data(record: PageData, pfns: bool) -> dict[str, Any]:
    array = record.pfns
    found: dict[str, Any] = {
        "count": record.count,
        "reserved1": record.reserved,
        "pages": array.with_data,
        "first": array.first,
        "last": array.last,
        "types": {PageType(kind).name or f"0x{kind:x}": number for kind, number in sorted(array.types().items())},
    }
    if pfns:
        found["pfns"] = None if array.words is None else array.pfns()
        found["page_types"] = None if array.words is None else [word >> 60 for word in array.numbers()]
    return found
