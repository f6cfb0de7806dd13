"""What a report is about: everything that one pass over an input tells, by migration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis.timeline import Timeline
from xenmig.core.check.checker import Checker
from xenmig.core.check.rules import RULES
from xenmig.core.report.records import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.check.finding import Finding
    from xenmig.core.check.rule import Rule
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Reading, Stream

MOST_PLACES = 20
"Places that are listed of each rule."


class Broken:
    """A rule, and where it does not hold."""

    __slots__ = ("rule", "found", "count")

    rule: Rule
    found: list[tuple[Finding, bool]]
    "At most ``MOST_PLACES`` findings, and for each whether it is about what the receiver said."
    count: int
    "How many findings there are."

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.found = []
        self.count = 0


class Subject:
    """One migration with what was checked of both of its directions."""

    __slots__ = ("migration", "checkers", "rows")

    migration: Migration
    checkers: list[Checker]
    "The guest's stream first; then what the receiver said, if that was captured."
    rows: Rows

    def __init__(self, migration: Migration, checkers: list[Checker], rows: Rows) -> None:
        self.migration = migration
        self.checkers = checkers
        self.rows = rows

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are by severity."""
        counts = dict(self.checkers[0].counts)
        for checker in self.checkers[1:]:
            for severity, number in checker.counts.items():
                counts[severity] += number
        return counts

    @property
    def complete(self) -> bool:
        """Whether the guest's stream was there from its first byte to its END."""
        return self.checkers[0].complete

    @property
    def broken(self) -> list[Broken]:
        """The rules that do not hold, errors first, in the order in which they are first broken."""
        by_rule: dict[str, Broken] = {}
        for place, checker in enumerate(self.checkers):
            for finding in checker.findings:
                one = by_rule.setdefault(finding.rule, Broken(RULES[finding.rule]))
                one.count += 1
                if len(one.found) < MOST_PLACES:
                    one.found.append((finding, place > 0))
            for rule, number in checker.suppressed.items():
                by_rule[rule].count += number
        order = ("error", "warning", "note")
        return sorted(by_rule.values(), key=lambda one: order.index(one.rule.severity))


class Subjects:
    """Takes the events of a reading, and has a :class:`Subject` for each migration afterwards."""

    __slots__ = ("reading", "timeline", "_checkers", "_rows")

    reading: Reading
    timeline: Timeline

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.timeline = Timeline()
        self._checkers: dict[Stream, Checker] = {}
        # By connection: both of its directions go into one table.
        self._rows: dict[int, Rows] = {}

    def take(self, stream: Stream, events: list[Event]) -> None:
        """Take the next events of one stream."""
        self.timeline.take(stream, events)
        checker = self._checkers.get(stream)
        if checker is None:
            checker = self._checkers[stream] = Checker(stream.kind)
        checker.take(events)
        self._rows_of(stream).take(stream, events)

    def finish(self) -> list[Subject]:
        """The input has been read: the migrations in the order of their appearance."""
        self.timeline.finish()
        return [self._subject(migration) for migration in self.timeline.migrations]

    def _subject(self, migration: Migration) -> Subject:
        streams: Sequence[Stream | None] = (migration.stream, migration.receiver)
        checkers = [self._checkers[stream] for stream in streams if stream in self._checkers]
        for checker in checkers:
            checker.finish()
        rows = self._rows_of(migration.stream)
        rows.finish()
        return Subject(migration, checkers, rows)

    def _rows_of(self, stream: Stream) -> Rows:
        key = id(stream.connection) if stream.connection is not None else -stream.number
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = Rows()
        return rows
