"""Headers, the frame of records, and how a stream begins and ends."""

from __future__ import annotations

from xenmig.core.check.libxc_order import BODIES as LIBXC_BODIES
from xenmig.core.check.libxc_order import VERSIONS
from xenmig.core.check.libxl_order import LibxlOrder
from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Complete, Header, Message
from xenmig.core.decode.record import DirtyPfnList
from xenmig.core.definitions import libxc, libxl, xl
from xenmig.core.definitions.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.back_channel import BackChannel
    from xenmig.core.check.bodies import Bodies
    from xenmig.core.check.checker import Report
    from xenmig.core.check.libxc_order import LibxcOrder
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.record import Record

LIBXL_BODIES = Struct.records[libxl.LAYER]
RULE_OF_UNRECOGNISED = {
    "start": "start-unrecognised",
    "header": "header-unrecognised",
    "legacy": "legacy-stream",
    "length": "record-length-limit",
    "type": "record-type-unknown",
    "message": "message-unrecognised",
}
"Why the decoder does not know what stands there -> rule."
DATA_SHOWN = 16
"Bytes of what is not understood that a message shows."
MESSAGE_SHOWN = 40
"Characters of what a receiver says instead."
MAGIC = ("magic", "ident", "marker", "id")
"Fields whose wrong value means that there is no such header at all, which the decoder says itself."


class Framing:
    """Follows what holds the records of one stream together."""

    # fmt: off
    __slots__ = (
        "complete", "_report", "_libxc", "_libxl", "_bodies", "_receiver", "_back_channel", "_gaps", "_lost",
        "_announced",
    )
    # fmt: on

    complete: bool
    "Whether the whole stream was there."

    def __init__(self, report: Report, order: LibxcOrder, bodies: Bodies, kind: str) -> None:
        self.complete = False
        self._report = report
        self._libxc = order
        self._libxl = LibxlOrder(report, order)
        self._bodies = bodies
        self._receiver = kind == "xl receiver"
        self._back_channel: BackChannel | None = None
        if self._receiver:
            from xenmig.core.check.back_channel import BackChannel

            self._back_channel = BackChannel(report)
        self._gaps = kind == "joined"
        self._lost = False
        # Size of the configuration, by the header of the wrapper.
        self._announced = 0

    def record(self, event: Record) -> None:
        """Take any record but a usual PAGE_DATA."""
        inner = event.layer == libxc.LAYER
        known = event.type in (LIBXC_BODIES if inner else LIBXL_BODIES)
        if not known:
            self._unknown(event)
        elif self._back_channel is not None:
            self._back_channel.record(event)
        elif inner:
            self._libxc.record(event)
        else:
            self._libxl.record(event)
        if not event.missing:
            if known:
                self._bodies.record(event)
            if event.padding:
                self.padding(event)

    def padding(self, event: Record) -> None:
        """Check the padding of any record."""
        padding = event.padding
        if padding and not event.missing and padding.count(0) != len(padding):
            at = event.offset + 8 + event.length
            self._report("padding-not-zero", event, None, None, at, padding=padding.hex(" "))

    def other(self, event: Event) -> None:
        """Take what is no usual record."""
        lost, self._lost = self._lost, False
        if isinstance(event, Header):
            self._header(event)
        elif isinstance(event, DirtyPfnList):
            self.record(event)
        elif isinstance(event, Complete):
            self.complete = not self._gaps
        elif isinstance(event, Message):
            if self._back_channel is not None and event.name == xl.BANNER.name:
                self._back_channel.begin()
            if event.status:
                self._report("receiver-failed", event, 0, event.status, status=str(xl.MigrationError(event.status)))
        elif isinstance(event, Truncated):
            self._truncated(event, lost)
        elif isinstance(event, Trailing):
            self._report("trailing-data", event, None, event.length, data=event.data[:DATA_SHOWN].hex(" "))
        elif isinstance(event, Hole):
            self._gaps = True
            self._lost = event.record is None
            if self._back_channel is not None:
                self._back_channel.gap()
            self._report("capture-hole", event, None, event.length)
        elif isinstance(event, Resynchronised):
            self._gap()
            self._report("resynchronised", event, None, event.skipped, evidence=event.evidence)
        elif isinstance(event, Unrecognised):
            self._unrecognised(event)

    # -- records --------------------------------------------------------------------------------------------------

    def _unknown(self, event: Record) -> None:
        rule = f"{event.layer}-record-optional" if event.type & libxc.OPTIONAL else "record-type-unknown"
        self._report(rule, event, None, event.length)

    # -- headers --------------------------------------------------------------------------------------------------

    def _header(self, event: Header) -> None:
        value = event.value
        what = f"{event.layer} {value.name}" if event.layer in (xl.LAYER, "libvirt") else f"{event.layer} header"
        if isinstance(value, libxc.ImageHeader):
            what = "libxc image header"
            self._libxc.start(value.version)
            if value.version not in VERSIONS:
                known = " and ".join(str(version) for version in VERSIONS)
                at = event.offset + (libxc.ImageHeader.field("version").offset or 0)
                self._report("version-unknown", event, VERSIONS, value.version, at, what=what, known=known)
            if value.options & libxc.ImageOptions.BIG_ENDIAN:
                self._big_endian(event, what)
        elif isinstance(value, libxc.DomainHeader):
            what = "libxc domain header"
            self._libxc.domain(event, value)
        elif isinstance(value, libxl.Header):
            self._libxl.start()
            self._bodies.legacy = bool(value.options & libxl.Options.LEGACY)
            if value.options & libxl.Options.BIG_ENDIAN:
                self._big_endian(event, what)
        elif isinstance(value, xl.OptionalData):
            self._configuration(event, value)
        elif isinstance(value, xl.Header):
            self._announced = value.optional_data_len
        elif event.layer == "libvirt":
            self._announced = getattr(value, "xmlLen", 0)
        for problem in value.problems:
            if problem.kind == "value" and problem.field in MAGIC:
                continue
            at = event.offset + problem.offset
            if problem.field == "version":
                expected = problem.expected
                known = ", ".join(map(str, expected)) if isinstance(expected, tuple) else str(expected)
                self._report("version-unknown", event, problem.expected, problem.actual, at, what=what, known=known)
                continue
            rule = ""
            if problem.field == "mandatory_flags":
                rule = "xl-mandatory-flags"
            elif isinstance(value, xl.OptionalData):
                rule = "xl-config-length"
            self._bodies.problem(problem, event, what, at, rule)

    def _big_endian(self, event: Header, what: str) -> None:
        at = event.offset + (type(event.value).field("options").offset or 0)
        self._report("big-endian", event, None, None, at, what=what)

    def _configuration(self, event: Header, data: xl.OptionalData) -> None:
        values = data.__dict__
        rest, config = values.get("rest"), values.get("config")
        if rest:
            at = event.offset + event.length - len(rest)
            self._report("xl-config-rest", event, 0, len(rest), at)
        if config and len(config) == data.config_len and config[-1]:
            self._report("xl-config-unterminated", event, None, len(config))

    # -- ends and gaps --------------------------------------------------------------------------------------------

    def _gap(self) -> None:
        self._gaps = True
        self._libxc.gap()
        self._libxl.gap()

    def _unrecognised(self, event: Unrecognised) -> None:
        self._gap()
        if self._back_channel is not None:
            self._back_channel.gap()
        if event.kind == "version":
            # The header has been found wrong, and this is what is behind it.
            return
        rule = RULE_OF_UNRECOGNISED[event.kind]
        data = event.data[:DATA_SHOWN].hex(" ") or "nothing"
        expected = actual = None
        if event.kind == "length":
            expected = libxc.REC_LENGTH_MAX
            actual = self._announced
            if event.layer in (libxl.LAYER, libxc.LAYER):
                actual = libxc.RecordHeader.layout(event.byteorder).unpack_from(event.data)[1]
        elif event.kind == "message":
            data = ascii(event.data[:MESSAGE_SHOWN].decode("latin-1"))
        what = data
        if event.kind == "type":
            from xenmig.core.check.records import record_name

            kind, actual = libxc.RecordHeader.layout(event.byteorder).unpack_from(event.data)
            what = record_name(event.layer, kind)
        layer = event.layer
        if event.kind == "length" and layer not in (libxl.LAYER, libxc.LAYER):
            # What is too long is the configuration, as the header in front of it announces it.
            layer = f"{layer} configuration"
        self._report(rule, event, expected, actual, what=what, data=data, layer=layer)

    def _truncated(self, event: Truncated, lost: bool) -> None:
        if lost:
            self._report("capture-ended", event)
            return
        problem = _cut(event)
        if self._receiver:
            self._report("conversation-ended", event, problem=problem)
            return
        around = self._libxl
        done, last = self._libxc.checkpoints, self._libxc.last_checkpoint
        if around.seen:
            done, last = around.checkpoints, around.last_checkpoint
        if done:
            self._report("checkpointed-stream-ended", event, None, None, count=done, last=last)
        else:
            self._report("stream-truncated", event, event.missing, event.available, problem=problem)


def _cut(event: Truncated) -> str:
    """What the end of input cut off, as a sentence."""
    if event.missing is None:
        what = event.what if event.what.startswith("a ") else f"a {event.what}"
        return f"the {event.layer} stream ends at offset {event.offset} without an END: {what} should follow"
    from xenmig.core.quantity import be, quantity

    what = f"{event.layer} {event.what}"
    if event.partial is not None:
        from xenmig.core.check.records import record_name

        partial = event.partial
        what = f"{record_name(partial.layer, partial.type)} (record {partial.index})"
    there = f"{quantity(event.available, 'byte')} of it {be(event.available)} there"
    missing = f"{event.missing} {be(event.missing)} missing"
    return f"the stream ends inside {what} that begins at offset {event.offset}: {there}, {missing}"
