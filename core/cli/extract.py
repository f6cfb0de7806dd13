"""Writes the migration streams of a capture into files, byte for byte, both directions.

Bytes that the capture lacks become zeros and are reported. A file appears under its name when it is complete.
"""

from __future__ import annotations

import os
import sys

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.extracting import Extraction
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.open import open_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from xenmig.core.cli.extracting import Written
    from xenmig.core.sources.capture import Capture


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="CAPTURE", help="pcap or pcapng; - is the standard input")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where to write; made if it is not there")
    parser.add_argument("--all", action="store_true", help="every TCP connection, not only migrations")
    parser.add_argument("--force", action="store_true", help="write over files that exist")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each file, one on a line")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    from xenmig.core.sources.capture import Capture, is_capture

    input = open_input(options.path)
    try:
        if not is_capture(input.peek(4)):
            raise UnreadableInput(input.name, _no_capture(input.peek(64)))
        os.makedirs(options.output, exist_ok=True)
        extraction = Extraction(options.output, everything=options.all, force=options.force)
        try:
            capture = Capture(input, extraction.consumer)
            with Progress(input):
                for _ in capture:
                    pass
            written = extraction.finish()
        finally:
            extraction.discard()
    finally:
        input.close()
    if options.json:
        for one in written:
            _print_json(one)
    else:
        _print(written)
    sys.stdout.flush()
    notices = [str(notice) for notice in capture.notices] + ([input.notice] if input.notice else [])
    for notice in notices:
        sys.stderr.write(f"xenmig: {escaped(input.name)}: {escaped(notice)}\n")
    if not written:
        raise UnreadableInput(input.name, _nothing(capture))
    return 2 if capture.unread else 0


def _no_capture(first: bytes) -> str:
    from xenmig.core.decode.recognise import DESCRIPTIONS, recognise_file

    kind = recognise_file(first)
    return f"is no capture but {DESCRIPTIONS[kind]}" if kind else "is no capture"


def _nothing(capture: Capture) -> str:
    return (
        f"no migration in this capture ({count(capture.connection_count, 'TCP connection')}); `xenmig info` tells what"
        " was there, and --all extracts everything"
    )


def _print(written: list[Written]) -> None:
    rows = []
    for one in written:
        holes = f"{count(one.missing, 'byte')} in {count(one.holes, 'hole')} written as zeros" if one.holes else ""
        joined = "" if one.from_start else "its beginning was not captured"
        rows.append([escaped(one.path), count(one.position, "byte"), "; ".join(filter(None, (holes, joined)))])
    for line in aligned(rows, "<><", indent=0):
        sys.stdout.write(line + "\n")


def _print_json(one: Written) -> None:
    import json

    described: dict[str, Any] = {
        "file": one.path,
        "bytes": one.position,
        "connection": one.direction.connection.id,
        "role": one.role,
        "source": str(one.direction.source),
        "destination": str(one.direction.destination),
        "from_start": one.from_start,
        "holes": one.holes,
        "missing": one.missing,
    }
    sys.stdout.write(json.dumps(described) + "\n")
