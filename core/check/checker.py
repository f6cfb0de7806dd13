"""Checking one stream: events in, findings out."""

from __future__ import annotations

from xenmig.core.check.bodies import RECORD_HEADER, ZERO_CONTENT, Bodies
from xenmig.core.check.framing import Framing
from xenmig.core.check.libxc_order import LibxcOrder
from xenmig.core.decode.damage import Hole, Truncated
from xenmig.core.decode.events import Page
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.decode.record import BatchRun, PageData, Record, RecordRun
from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from xenmig.core.check.finding import Finding
    from xenmig.core.check.guest_state import GuestState
    from xenmig.core.decode.events import Event

    class Report(Protocol):
        """Takes what a rule found."""

        def __call__(
            self, rule: str, event: Event, expected: Any = None, actual: Any = None, at: int | None = None, **words: Any
        ) -> None:
            """Report that ``rule`` is broken at ``event``, or at position ``at`` in it; ``words`` fill its message."""


KEPT_FINDINGS = 100
"Findings that are kept of one rule; the others are counted."

_PFNS = libxc.PageData.field("pfns")
PAGE_DATA_HEADER = _PFNS.offset or 0
PFN_WORD = libxc.PFN_WORD.size


class Checker:
    """Applies all rules to the events of one stream. Memory use does not depend on the stream.

    The verdict has two halves: ``sound`` says that nothing wrong was found in what was there, ``complete`` that all of
    the stream was. A capture with holes may be sound and not complete; so may a checkpointed stream, which has no end.
    """

    __slots__ = ("findings", "kind", "_found", "_libxc", "_bodies", "_framing", "_inside")

    findings: list[Finding]
    "At most ``KEPT_FINDINGS`` of each rule; by offset once the stream is finished."
    kind: str

    def __init__(self, kind: str = "", *, inside: bool = True, deep: bool = False) -> None:
        """``kind`` is the Stream's: "xl receiver" for the back channel, "joined" when the beginning was missed.

        ``inside`` looks into processors, devices, parameters and policies too, and at which pages come; that takes a
        byte of memory for each pfn. ``deep`` says that this is a stream whose decoder reports a PV guest's page tables:
        ``Reading(path, deep=True)``. It takes ``inside``.
        """
        self.findings = []
        self.kind = kind
        self._found: dict[str, int] = {}
        self._libxc = LibxcOrder(self.report)
        forward = kind != "xl receiver"
        self._bodies = Bodies(self.report, self._libxc, forward=forward, inside=inside and forward)
        self._framing = Framing(self.report, self._libxc, self._bodies, kind)
        self._inside: GuestState | None = None
        if inside and forward:
            from xenmig.core.check.guest_state import GuestState

            self._inside = GuestState(self.report, deep=deep)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are by severity, those that were not kept included."""
        counts = {"error": 0, "warning": 0, "note": 0}
        if self._found:
            from xenmig.core.check.rules import RULES

            for rule, number in self._found.items():
                counts[RULES[rule].severity] += number
        return counts

    @property
    def suppressed(self) -> dict[str, int]:
        """How many findings of a rule were not kept, for the rules that had more."""
        return {rule: number - KEPT_FINDINGS for rule, number in self._found.items() if number > KEPT_FINDINGS}

    @property
    def sound(self) -> bool:
        """Whether there is no error in what was there."""
        return not self.counts["error"]

    @property
    def complete(self) -> bool:
        """Whether the whole stream was there, from its first byte to its END."""
        return self._framing.complete

    def take(self, events: list[Event]) -> None:
        """Look at the next events of the stream."""
        order, inside = self._libxc, self._inside
        header, word, page = PAGE_DATA_HEADER, PFN_WORD, GUEST_PAGE_SIZE
        usual, layer, least = order.usual, libxc.LAYER, len(ZERO_CONTENT)
        record = self._framing.record
        for event in events:
            if type(event) is PageData:
                if inside is not None:
                    inside.page_data(event)
                pfns = event.pfns
                count = event.count
                if (
                    order.memory_open
                    and event.length == header + count * word + pfns.with_data * page
                    and count == pfns.count
                    and count
                    and not pfns.bad_count
                    and not event.reserved
                ):
                    continue
                self._page_data(event)
            elif type(event) is Record:
                if inside is not None:
                    inside.record(event)
                conforms = usual.get(event.type)
                if conforms is not None and event.layer == layer and not event.padding:
                    body = event.body
                    if body is not None and len(body) > least and conforms(body, event.byteorder):
                        continue
                record(event)
            elif type(event) is RecordRun:
                self._run(event)
            elif type(event) is BatchRun:
                # Each is right in itself: what is left is whether memory may come here, and which.
                if not order.memory_open or not (inside is None or inside.batch_run(event)):
                    for one in event.records():
                        self.take([one])
            else:
                if type(event) is Truncated:
                    self._unfinished(event.partial)
                if inside is not None:
                    inside.other(event)
                if type(event) is not Page:
                    self._framing.other(event)

    def finish(self) -> None:
        """The stream has no more events: bring the findings into stream order."""
        self.findings.sort(key=_by_offset)

    def report(
        self, rule: str, event: Event, expected: Any = None, actual: Any = None, at: int | None = None, **words: Any
    ) -> None:
        """See :class:`Report`."""
        found = self._found
        number = found[rule] = found.get(rule, 0) + 1
        if number > KEPT_FINDINGS:
            return
        from xenmig.core.check.finding import Finding
        from xenmig.core.check.records import record_name
        from xenmig.core.check.rules import RULES

        severity = RULES[rule].severity
        if isinstance(event, Record):
            words.setdefault("what", record_name(event.layer, event.type))
        message = RULES[rule].told({"expected": expected, "actual": actual, **words})
        first = getattr(event, "first", None)
        self.findings.append(
            Finding(
                rule,
                severity,
                message,
                event.offset if at is None else at,
                _record_number(event),
                first.frame if first is not None else None,
                getattr(event, "layer", ""),
                expected,
                actual,
            )
        )

    def _run(self, run: RecordRun) -> None:
        """Many records of one kind whose bodies are right: once three in a row came to the same, so do all others."""
        found, inside = self._found, self._inside
        right = self._bodies.run_is_right(run)
        if run.pfns is not None and right and self._libxc.memory_open:
            # Nothing but the pages themselves is left to look at.
            if inside is not None:
                inside.pages_run(run)
            return
        if inside is not None:
            if run.pfns is not None:
                # The pages of a guest are no more alike than the guest itself; they are taken at once.
                inside.pages_run(run)
                inside = None
            else:
                right = right and inside.settled(run)
        settled: dict[str, int] = {}
        alike = 0
        for place in range(run.count):
            before = dict(found)
            record = run.record(place)
            if inside is not None:
                inside.record(record)
            self._one(record)
            if not right:
                continue
            added = {rule: number - before.get(rule, 0) for rule, number in found.items() if number != before.get(rule)}
            # Findings that are still kept need the record that they are about.
            kept = any(found[rule] < KEPT_FINDINGS for rule in added)
            alike = alike + 1 if added == settled and not kept else 0
            settled = added
            if alike == 2:
                for rule, number in added.items():
                    found[rule] += number * (run.count - place - 1)
                return

    def _unfinished(self, record: Record | None) -> None:
        """Hold a record that the end of input cuts off to the rules, where all is there that would be looked at."""
        if record is None:
            return
        inside = self._inside
        if type(record) is PageData:
            listed = min(record.count, (record.length - PAGE_DATA_HEADER) // PFN_WORD)
            if record.pfns.count == listed or record.missing:
                if inside is not None:
                    inside.page_data(record)
                self._page_data(record)
        elif record.length > KEPT_BODY or record.missing:
            if inside is not None:
                inside.record(record)
            self._framing.record(record)

    def _one(self, record: Record) -> None:
        """Hold one record of a run to the rules about what holds a stream together."""
        if type(record) is PageData:
            self._page_data(record)
        else:
            self._framing.record(record)

    def _page_data(self, event: PageData) -> None:
        """A PAGE_DATA that is not all right, or the first one at a place where memory may begin."""
        if not self._libxc.memory_open:
            self._libxc.page_data(event)
        body = event.offset + RECORD_HEADER
        pfns = event.pfns
        if event.reserved:
            field = libxc.PageData.field("reserved1")
            problem = f"{field.name} is 0x{event.reserved:x}, must be 0x0"
            at = body + (field.offset or 0)
            self.report("reserved-not-zero", event, field.must, event.reserved, at, problem=problem)
        if not event.count:
            self.report("page-data-empty", event, None, 0, body)
        elif not (event.missing and pfns.count < event.count):
            expected = PAGE_DATA_HEADER + event.count * PFN_WORD + pfns.with_data * GUEST_PAGE_SIZE
            if expected != event.length:
                words = {"count": event.count, "pages": pfns.with_data}
                self.report("page-data-length", event, expected, event.length, event.offset, **words)
        told = set()
        for bad in pfns.bad:
            rule = "page-data-pfn-reserved" if bad.reserved else "page-data-type"
            if rule not in told:
                told.add(rule)
                at = body + PAGE_DATA_HEADER + bad.index * PFN_WORD
                words = {"index": bad.index, "bad": pfns.bad_count, "count": pfns.count}
                self.report(rule, event, None, bad.word, at, type=bad.type, **words)
        self._framing.padding(event)


def _record_number(event: Event) -> int | None:
    if isinstance(event, Record):
        return event.index
    if isinstance(event, Truncated):
        return event.partial.index if event.partial is not None else None
    return event.record if isinstance(event, (Hole, Page)) else None


def _by_offset(finding: Finding) -> int:
    return finding.offset
