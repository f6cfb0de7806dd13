"""Says what is wrong with streams, where, and whether it matters.

Exit code: 0 when every input is sound, 1 when one has an error, 2 when one cannot be read as a stream or capture. The
options -i, -f, -v, -q and --syslog are those of Xen's verify-stream-v2. `xenmig rules` lists what is checked.
"""

from __future__ import annotations

import sys

from xenmig.core.check.checker import Checker
from xenmig.core.cli.progress import Progress
from xenmig.core.decode.damage import Unrecognised
from xenmig.core.decode.events import Header
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import libxc
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from xenmig.core.cli.listing import Listing
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream

    class Write(Protocol):
        """Puts out one line."""

        def __call__(self, line: str, severity: str = "") -> None:
            """``severity`` is that of the finding that the line is about, or empty."""


SOUND = 0
ERRORS = 1
UNREADABLE = 2

_LAYERS = ("xl", "libvirt", "libxl", "libxc")


class Checked:
    """One stream with what its check came to."""

    __slots__ = ("stream", "checker", "layers", "domain", "legacy")

    stream: Stream
    checker: Checker
    layers: list[str]
    "From the outside to the inside."
    domain: Any
    "The libxc domain header, or None."
    legacy: str
    "The layer whose header a legacy stream follows, else empty."

    def __init__(self, stream: Stream, *, inside: bool = True, deep: bool = False) -> None:
        """``inside`` checks what is in the bodies, too; ``deep`` what is in guest memory."""
        self.stream = stream
        self.checker = Checker(stream.kind, inside=inside, deep=deep)
        self.layers = []
        self.domain: Any = None
        self.legacy = ""

    def take(self, events: list[Event]) -> None:
        """Check the next events."""
        self.checker.take(events)
        for event in events:
            if type(event) is PageData:
                continue
            if isinstance(event, (Header, Record)) and event.layer not in self.layers:
                self.layers.append(event.layer)
            if isinstance(event, Header):
                if event.layer == "libxc":
                    self.domain = event.value
            elif isinstance(event, Unrecognised) and event.kind == "legacy":
                self.legacy = event.layer
        if not self.layers and self.records:
            # Joined between two PAGE_DATA, and nothing else has come yet.
            self.layers.append(libxc.LAYER)

    @property
    def records(self) -> int:
        """How many records there are, of all layers."""
        return self.stream.decoder.index

    @property
    def description(self) -> str:
        """What the stream is, as a phrase."""
        stream = self.stream
        if stream.role == "receiver":
            return f"what the receiver said, {_many(stream.decoder.position, 'byte')}"
        parts = [" > ".join(sorted(self.layers, key=_LAYERS.index)) or _kind(stream)]
        domain = self.domain
        if domain is not None and getattr(domain, "type", None) is not None:
            kind = str(domain.type.name or domain.type)
            xen = f" from Xen {domain.xen_major}.{domain.xen_minor}" if getattr(domain, "xen_major", None) else ""
            parts.append(f"{kind} guest{xen}")
        parts += [_many(self.records, "record"), _many(stream.decoder.position, "byte")]
        return ", ".join(parts)


def _many(number: int, noun: str) -> str:
    # Importing units.count takes longer than all that is printed of a sound stream.
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _kind(stream: Stream) -> str:
    return "a stream that is joined at its end" if stream.kind == "joined" else stream.kind


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", nargs="*", help="save file or capture; - or none is the standard input")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each input, on one line")
    parser.add_argument(
        "-i", "--in", dest="input", metavar="FD-OR-FILE", help="the same as PATH; a number is a descriptor"
    )
    parser.add_argument(
        "-f", "--format", choices=("libxc", "libxl", "xl"), help="what the input begins with (default: see its bytes)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="list the records as well, and explain the rules")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--framing",
        action="store_true",
        help="check only what verify-stream-v2 looks at: headers, records and their order, nothing inside HVM_CONTEXT,"
        " vcpu records, policies and parameters",
    )
    extent.add_argument(
        "--deep",
        action="store_true",
        help="look into guest memory as well, where Xen's receiver does: page tables and start_info of PV guests",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing; the exit code says it")
    parser.add_argument("--syslog", action="store_true", help="write to syslog instead of the standard output")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    paths: list[str] = options.path
    if options.input is not None:
        paths = [_descriptor(options.input), *paths]
    write, complain = _print, _complain
    if options.syslog:
        from xenmig.core.cli import syslog

        write, complain = syslog.write, syslog.complain
    return verify(
        paths or ["-"],
        format=options.format or "",
        json=options.json,
        verbose=options.verbose and not options.quiet,
        quiet=options.quiet,
        inside=not options.framing,
        deep=options.deep,
        write=write,
        complain=complain,
    )


def _print(line: str, severity: str = "") -> None:  # noqa: ARG001 - all lines go the same way
    sys.stdout.write(line + "\n")


def _complain(text: str) -> None:
    sys.stdout.flush()
    if sys.stderr is not None:
        sys.stderr.write(f"xenmig: {text}\n")


def verify(
    paths: Sequence[str],
    *,
    format: str = "",
    json: bool = False,
    verbose: bool = False,
    quiet: bool = False,
    inside: bool = True,
    deep: bool = False,
    write: Write = _print,
    complain: Callable[[str], None] = _complain,
) -> int:
    """Check all ``paths``; returns the worst exit code."""
    worst = SOUND
    for path in paths:
        try:
            reading, found = _check(path, format, write if verbose and not json else None, inside=inside, deep=deep)
        except UnreadableInput as error:
            worst = UNREADABLE
            if json:
                from xenmig.core.cli.verdictjson import unreadable

                write(unreadable(path, error), "error")
            elif not quiet:
                complain(_shown(str(error)))
            continue
        sound = all(one.checker.sound for one in found)
        if not sound:
            worst = max(worst, ERRORS)
        if reading.unread:
            # What was there has its verdict, but it is not all; tshark ends with 2 as well.
            worst = UNREADABLE
        if json:
            from xenmig.core.cli.verdictjson import as_json

            write(as_json(reading, found), "" if sound else "error")
        elif quiet:
            continue
        elif len(found) == 1 and found[0].checker.complete and not found[0].checker.findings and not reading.notices:
            write(f"{_shown(reading.name)}: sound: {found[0].description}")
        else:
            from xenmig.core.cli.verdict import print_text

            print_text(reading, found, write, verbose)
        if reading.unread and not quiet:
            for notice in reading.notices:
                complain(f"{_shown(reading.name)}: {_shown(notice)}")
    return worst


def _check(
    path: str, format: str, write: Write | None, *, inside: bool = True, deep: bool = False
) -> tuple[Reading, list[Checked]]:
    # The listing shows each record.
    reading = Reading(path, format, runs=write is None, deep=deep)
    listing: Listing | None = None
    if write is not None:
        from xenmig.core.cli.listing import Listing

        listing = Listing(write, streams=reading.kind == "capture")
    checked: dict[Stream, Checked] = {}
    try:
        with Progress(reading.input, streaming=listing is not None):
            for stream, events in reading:
                one = checked.get(stream)
                if one is None:
                    one = checked[stream] = Checked(stream, inside=inside, deep=deep)
                one.take(events)
                if listing is not None:
                    listing.take(stream, events)
    finally:
        reading.close()
    if listing is not None:
        listing.finish()
    if not checked:
        from xenmig.core.cli.absence import nothing_found

        raise UnreadableInput(reading.name, nothing_found(reading))
    for one in checked.values():
        one.checker.finish()
        if one.legacy and len(checked) == 1:
            from xenmig.core.cli.absence import legacy_stream

            raise UnreadableInput(reading.name, legacy_stream(one.legacy))
    if all(one.stream.role == "receiver" and one.checker.sound for one in checked.values()):
        from xenmig.core.cli.absence import ONLY_RECEIVER

        raise UnreadableInput(reading.name, ONLY_RECEIVER)
    return reading, sorted(checked.values(), key=_order)


def _order(one: Checked) -> tuple[int, bool, int]:
    """By connection, the guest's stream before what its receiver says."""
    stream = one.stream
    return stream.connection.id if stream.connection is not None else 0, stream.role != "sender", stream.number


def _shown(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    from xenmig.core.cli.escape import escaped

    return escaped(text)


def _descriptor(text: str) -> str:
    """The path for an argument of -i, where a number is a file descriptor as it is for verify-stream-v2."""
    if not text.isdigit():
        return text
    if text != "0":
        import os

        # Opening /dev/fd/N would begin at the start of a file that has been read from.
        try:
            os.dup2(int(text), 0)
        except (OSError, OverflowError):
            raise UnreadableInput(f"descriptor {text}", "is not open") from None
    return "-"
