"""Copies a capture or save file with zeros in place of the guest's memory, fit to be attached to a bug report.

Every packet, header, pfn and record stays, so the copy has the same records, timeline and verdict. What is not
understood becomes zeros, too: other connections, protocols that are not TCP, fragments, what lies behind a place where
the stream is broken. Look at what is left before you give it away: addresses of hosts, and, unless --configuration
hides them, the guest's name and the passwords of its displays.
"""

from __future__ import annotations

import os
import sys

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.progress import Progress
from xenmig.core.cli.units import count
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any, BinaryIO

    from xenmig.core.scrub.scrubbing import Summary

_PIECE = 1 << 18


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("input", metavar="IN", help="save file, stream, pcap or pcapng; - is the standard input")
    parser.add_argument(
        "output", metavar="OUT", help="compressed if its name ends in .xz, .gz or .bz2; - is the standard output"
    )
    parser.add_argument(
        "--configuration",
        action="store_true",
        help="also hide passwords, names, paths, MAC addresses and UUIDs in the configuration and in xenstore's data",
    )
    parser.add_argument(
        "--state", action="store_true", help="also remove the state of devices and the registers of vcpus"
    )
    parser.add_argument("--everything", action="store_true", help="both")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.add_argument("--json", action="store_true", help="print the summary as a JSON object")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    from xenmig.core.scrub.keeping import Choice
    from xenmig.core.scrub.scrubbing import scrub
    from xenmig.core.scrub.target import Target

    choice = Choice(
        configuration=options.configuration or options.everything, state=options.state or options.everything
    )
    spool: BinaryIO | None = None
    path = options.input
    try:
        target = Target(options.output, path, force=options.force)
        with target:
            if path == "-":
                spool = _spool()
                path = f"/dev/fd/{spool.fileno()}"
            summary = scrub(path, target, choice, Progress)
            if summary.kind == "capture" and not summary.streams:
                raise UnreadableInput(options.input, "no migration in this capture: nothing of it would be left")
    finally:
        if spool is not None:
            spool.close()
    name = "standard input" if options.input == "-" else options.input
    # The copy may be on the standard output.
    out = sys.stderr if options.output == "-" else sys.stdout
    out.write(_json(name, options.output, summary) if options.json else _text(options.output, summary))
    sys.stdout.flush()
    for notice in summary.notices:
        sys.stderr.write(f"xenmig: {escaped(name)}: {escaped(notice)}\n")
    return 2 if summary.unread else 0


def _spool() -> BinaryIO:
    """The standard input in a file without a name, to be read twice; nothing of it is left when the program ends."""
    import tempfile

    spool: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    while data := os.read(0, _PIECE):
        spool.write(data)
    spool.flush()
    return spool


def _text(output: str, summary: Summary) -> str:
    lines = []
    what = [count(summary.records, "record")]
    if summary.frames is not None:
        what.insert(0, count(summary.frames, "frame"))
    removed = f"{summary.removed:,} of {count(summary.size, 'byte')} removed"
    lines.append(f"{escaped(output)}: {', '.join(what)} kept; {removed}")
    if summary.other_connections:
        lines.append(
            f"  {count(summary.other_connections, 'other connection')}: no migration in them, so their payload is gone"
        )
    if summary.incomplete:
        lines.append(f"  {count(summary.incomplete, 'stream')} not complete: what could not be read as records is gone")
    return "".join(line + "\n" for line in lines)


def _json(name: str, output: str, summary: Summary) -> str:
    import json

    described: dict[str, Any] = {
        "input": name,
        "output": output,
        "kind": summary.kind,
        "streams": summary.streams,
        "records": summary.records,
        "memory": summary.memory,
        "bytes": summary.size,
        "removed": summary.removed,
        "frames": summary.frames,
        "connections": summary.connections,
        "other_connections": summary.other_connections,
        "incomplete": summary.incomplete,
        "notices": summary.notices,
    }
    return json.dumps(described) + "\n"
