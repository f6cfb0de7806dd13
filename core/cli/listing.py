"""A line for each header, record and message of a stream, as the events come."""

from __future__ import annotations

from xenmig.core.analysis.batches import Batches
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.units import count
from xenmig.core.cli.values import summary
from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Complete, Header, Message, Page
from xenmig.core.decode.record import BatchRun, PageData, Record, RecordRun
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.structs import Struct
from xenmig.core.quantity import be

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.cli.verify import Write
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream
    from xenmig.core.sources.packet import Packet

RECORD_TYPES = {"libxl": libxl.RecordType.known, "libxc": libxc.RecordType.known}


def type_name(record: Record) -> str | None:
    """The name of a record's type; None when nobody named it."""
    known = RECORD_TYPES[record.layer].get(record.type)
    return known.name if known is not None else None


def type_text(record: Record) -> str:
    """A record's type, number first: ``0x00000008 (X86_TSC_INFO)``."""
    name = type_name(record)
    if name is None:
        return f"0x{record.type:08x} (unknown, {'optional' if record.type & libxc.OPTIONAL else 'mandatory'})"
    return f"0x{record.type:08x} ({name})"


class Run:
    """Neighbouring PAGE_DATA records of one pass over memory."""

    __slots__ = ("first", "last", "records", "length", "pfns", "pages", "lowest", "highest")

    def __init__(self, record: PageData) -> None:
        self.first = self.last = record
        self.records = 0
        self.length = 0
        self.pfns = 0
        self.pages = 0
        self.lowest = record.pfns.first
        self.highest = record.pfns.last
        self.add(record)

    def add(self, record: PageData) -> None:
        """Count one more record."""
        self.last = record
        self.records += 1
        self.length += record.length
        self.pfns += record.pfns.count
        self.pages += record.pfns.with_data
        if record.pfns.count:
            self.highest = record.pfns.last


class Listing:
    """Writes the lines. Memory use does not depend on the stream.

    Override ``head`` and ``line`` to do something else with them.
    """

    def __init__(
        self,
        write: Write,
        *,
        streams: bool = False,
        pages: bool = False,
        pfns: bool = False,
        only: int | None = None,
        raw: bool = True,
    ) -> None:
        """``streams`` for a capture: lines begin with the stream's number and tell frame and time. ``pages`` gives each
        PAGE_DATA a line of its own, ``pfns`` its pfns as well. ``only`` is the number of the one stream that is wanted.
        ``raw`` shows the first bytes of what is not understood, which may be guest memory.
        """
        self._write = write
        self._streams = streams
        self._pages = pages or pfns
        self._pfns = pfns
        self._only = only
        self._raw = raw
        self._runs: dict[Stream, Run] = {}
        self._batches: dict[Stream, Batches] = {}
        self._known: set[int] = set()
        self._began: int | None = None
        self._headed = False

    def take(self, stream: Stream, events: Sequence[Event]) -> None:
        """Write what the next events of a stream say."""
        if self._only is not None and stream.number != self._only:
            return
        if stream.number not in self._known:
            self._known.add(stream.number)
            self.head(stream)
        for event in events:
            if isinstance(event, PageData) and not self._pages:
                self._fold(stream, event)
                continue
            run = self._runs.pop(stream, None)
            if run is not None:
                self._run(stream, run)
            self._event(stream, event)

    def finish(self) -> None:
        """All streams have ended."""
        for stream, run in self._runs.items():
            self._run(stream, run)
        self._runs.clear()

    def head(self, stream: Stream) -> None:
        """Write what comes before the first line of a stream."""
        direction = stream.direction
        if direction is not None:
            what = "the guest's stream" if stream.role == "sender" else "what the receiver says"
            number = direction.connection.id
            self._write(
                f"stream {stream.number}: {what}, {direction.source} -> {direction.destination} (connection {number})"
            )
        if not self._headed:
            self._headed = True
            places = f"{'stream':>6} {'frame':>7} {'time':>10}  " if self._streams else ""
            self._write(f"{places}{'record':>11}  {'offset':>12}  {'layer':7}  {'type':35} {'length':>11}  contents")

    def _fold(self, stream: Stream, record: PageData) -> None:
        run = self._runs.get(stream)
        batches = self._batches.get(stream)
        if batches is None:
            batches = self._batches[stream] = Batches()
        if batches.begins(record):
            if run is not None:
                self._run(stream, run)
            self._runs[stream] = Run(record)
        elif run is None:
            self._runs[stream] = Run(record)
        else:
            run.add(record)

    def _run(self, stream: Stream, run: Run) -> None:
        first, last = run.first, run.last
        number = f"{first.index}" if run.records == 1 else f"{first.index}-{last.index}"
        times = f" x{run.records:,}" if run.records > 1 else ""
        self.line(stream, first.first, number, first.offset, "libxc", type_text(first) + times, run.length, _pages(run))

    def _event(self, stream: Stream, event: Event) -> None:
        if isinstance(event, PageData):
            self.line(
                stream, event.first, str(event.index), event.offset, "libxc", type_text(event), event.length,
                _pages(Run(event)) + _missing(event),
            )  # fmt: skip
            if self._pfns:
                self._print_pfns(event)
        elif isinstance(event, Record):
            self._batches.pop(stream, None)
            self.line(
                stream, event.first, str(event.index), event.offset, event.layer, type_text(event), event.length,
                _contents(event, self._raw) + _missing(event),
            )  # fmt: skip
        elif isinstance(event, RecordRun):
            for place in range(event.count):
                self._event(stream, event.record(place))
        elif isinstance(event, BatchRun):
            for batch in event.records():
                self._event(stream, batch)
        elif isinstance(event, Header):
            name = event.value.name.replace("_", " ").lower()
            text = _guest(event) or summary(event.value)
            self.line(stream, event.first, "", event.offset, event.layer, name, event.length, text)
        elif isinstance(event, Message):
            text = "" if event.status is None else _status(event.status)
            self.line(stream, event.first, "", event.offset, "xl", f"message: {event.name}", event.length, text)
        elif isinstance(event, Truncated) and event.partial is not None:
            record = event.partial
            missing = "" if event.missing is None else f" and {event.missing:,} missing"
            text = f"truncated: {count(event.available, 'byte')} {be(event.available)} there{missing}"
            kind = type_text(record)
            self.line(stream, event.first, str(record.index), record.offset, record.layer, kind, record.length, text)
        elif not isinstance(event, (Complete, Page)):
            offset, length, what, text = _mishap(event, self._raw)
            self.line(stream, event.first, "", offset, "", what, length, text)

    def line(
        self,
        stream: Stream,
        packet: Packet | None,
        number: str,
        offset: int,
        layer: str,
        kind: str,
        length: int | None,
        text: str,
    ) -> None:
        """Write one line. ``packet`` is where its first byte came from; texts are safe to print."""
        places = ""
        if self._streams:
            frame, time = "", ""
            if packet is not None:
                if self._began is None:
                    self._began = packet.time
                frame, time = str(packet.frame), f"{(packet.time - self._began) / 1e9:.6f}"
            places = f"{stream.number:>6} {frame:>7} {time:>10}  "
        size = "" if length is None else f"{length:,}"
        where = f"0x{offset:x}"
        self._write(f"{places}{number:>11}  {where:>12}  {layer:7}  {kind:35} {size:>11}  {text}".rstrip())

    def _print_pfns(self, record: PageData) -> None:
        numbers = record.pfns.numbers()
        if record.pfns.words is None:
            self._write(f"{'':14}{count(record.pfns.count, 'pfn')}: too many to list")
        for at in range(0, len(numbers), 8):
            shown = " ".join(_pfn(word) for word in numbers[at : at + 8])
            self._write(f"{'':14}{shown}")


def _pfn(word: int) -> str:
    name = libxc.PageType(word >> 60).name or f"0x{word >> 60:x}"
    number = word & (1 << 60) - 1
    return f"{number:x}" if name == "NOTAB" else f"{number:x}:{name}"


def _guest(header: Header) -> str:
    """What a configuration says of the guest; empty for other headers."""
    if header.value.name not in ("optional_data", "domain_xml"):
        return ""
    from xenmig.core.analysis.guest import Guest
    from xenmig.core.cli.guesttext import guest_text

    guest = Guest()
    guest.take(header)
    return guest_text(guest)


def _pages(run: Run) -> str:
    if not run.pfns:
        return "no pfns"
    span = f"0x{run.lowest:x}" if run.lowest == run.highest else f"0x{run.lowest:x}-0x{run.highest:x}"
    return f"{run.pfns:,} pfn{'s' if run.pfns > 1 else ''} {span}, {run.pages:,} page{'' if run.pages == 1 else 's'}"


def _contents(record: Record, raw: bool) -> str:
    if record.body is None:
        return "" if record.missing else "not kept: larger than 4 MiB"
    definition = Struct.records[record.layer].get(record.type)
    if definition is None:
        if not raw:
            return ""
        shown = record.body[:16].hex(" ")
        return shown + (" ..." if record.length > 16 else "")
    value = definition.decode(record.body, record.byteorder)
    text = summary(value)
    if value.problems:
        text += f" [{escaped(value.problems[0].message)}]"
    return text


def _missing(record: Record) -> str:
    return f" [{count(record.missing, 'byte')} {be(record.missing)} not in the capture]" if record.missing else ""


def _status(status: int) -> str:
    from xenmig.core.definitions.xl import MigrationError

    error = MigrationError(status)
    return f"{error}: {error.doc}" if error.doc else str(error)


def _mishap(
    event: Unrecognised | Hole | Resynchronised | Trailing | Truncated, raw: bool
) -> tuple[int, int | None, str, str]:
    """Offset, length, what it is and more about it, for what is neither header nor record nor message."""
    if isinstance(event, Truncated):
        if not event.available:
            return event.offset, None, "(the stream ends here)", f"a {event.layer} {event.what} should follow"
        there = f"{count(event.available, 'byte')} {be(event.available)} there"
        missing = "" if event.missing is None else f": {there}, {event.missing:,} missing"
        return event.offset, event.available, "(truncated)", f"{event.layer} {event.what}{missing}"
    if isinstance(event, Unrecognised):
        return event.offset, None, f"(unrecognised: {event.kind})", f"{event.layer} {_octets(event, raw)}".strip()
    if isinstance(event, Hole):
        inside = "" if event.record is None else f"inside record {event.record}"
        return event.offset, event.length, "(hole: not in the capture)", inside
    if isinstance(event, Resynchronised):
        return event.offset, None, "(found again)", f"{count(event.skipped, 'byte')} skipped; {event.evidence}"
    return event.offset, event.length, "(bytes after the end)", _octets(event, raw)


def _octets(event: Unrecognised | Trailing, raw: bool) -> str:
    return event.data[:16].hex(" ") if raw else ""
