"""What has happened in a migration since it was last looked at, in the order of the stream."""

from __future__ import annotations

from xenmig.core.analysis.downtime import downtime
from xenmig.core.analysis.handover import owner
from xenmig.core.analysis.live import is_over, waits_for
from xenmig.core.analysis.outcome import outcome
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.messagetext import message_text
from xenmig.core.cli.units import amount, count, duration, rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.live import Live
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.check.checker import Checker
    from xenmig.core.sources.packet import Packet

PASSING = ("iteration-begun", "iteration-ended", "checkpoint")
"Happenings of which a hostile stream brings as many as it likes."
MOST_FINDINGS = 20
"Errors of one rule that are told one by one, as verify prints them without -v."


class Happening:
    """One thing that happened."""

    __slots__ = ("name", "time", "text", "facts")

    name: str
    """"migration", "guest", "iteration-begun", "iteration-ended", "suspended", "checkpoint", "complete", "message",
    "hole", "position-found", "finding", "quiet", "left-out", "over" or "opaque"."""
    time: int
    "Nanoseconds since 1970."
    text: str
    "One line, safe to print."
    facts: dict[str, Any]
    "The same for programs."

    def __init__(self, name: str, time: int, text: str, **facts: Any) -> None:
        self.name = name
        self.time = time
        self.text = text
        self.facts = facts


class Happenings:
    """Compares a migration with what has been told of it."""

    # fmt: off
    __slots__ = (
        "live", "_told", "_iteration", "_current", "_ended", "_paused", "_checkpoints", "_holes", "_missing",
        "_resynchronised", "_messages", "_findings", "_by_rule", "_guest", "_complete", "_over",
    )
    # fmt: on

    def __init__(self, live: Live) -> None:
        self.live = live
        self._told = False
        # The last iteration that was told to have begun, as soon as it is there, and to have ended.
        self._iteration = -1
        self._current: Iteration | None = None
        self._ended = -1
        self._paused = False
        self._checkpoints = 0
        self._holes = 0
        self._missing = 0
        self._resynchronised = 0
        self._messages = 0
        self._findings: dict[int, int] = {}
        self._by_rule: dict[str, int] = {}
        self._guest = False
        self._complete = False
        self._over = False

    def new(self, time: int) -> list[Happening]:
        """What has not been told yet, by time; ``time`` is that of things without a packet of their own."""
        return sorted(self._new(time), key=_when)

    def _new(self, time: int) -> Iterator[Happening]:
        migration = self.live.migration
        if not self._told:
            self._told = True
            captured = migration.captured
            what = f"{migration.source} -> {migration.destination}" if captured else "times are those of arrival here"
            kind = "joined in the middle" if migration.joined else migration.stream.kind
            yield Happening(
                "migration",
                self.live.began,
                f"begins: {kind}, {what}",
                kind=kind,
                source=migration.source,
                destination=migration.destination,
                times="capture" if captured else "arrival",
            )
        if not self._guest and (migration.guest.kind != "unknown" or migration.iterations.found):
            self._guest = True
            xen = f", from Xen {migration.guest.xen}" if migration.guest.xen else ""
            yield Happening(
                "guest",
                _time(migration.phases.before_memory, time),
                guest_text(migration.guest) + xen,
                guest=migration.guest.kind,
                guest_name=migration.guest.configuration.name or None,
                xen=migration.guest.xen or None,
            )
        yield from self._passes(time)
        yield from self._conversation(time)

    def _passes(self, time: int) -> Iterator[Happening]:
        iterations = self.live.migration.iterations
        # Of many there are few new ones, and these are the last.
        fresh = []
        for iteration in reversed(iterations.found):
            if iteration.index < self._iteration:
                break
            fresh.append(iteration)
        for iteration in reversed(fresh):
            if iteration.index > self._iteration:
                yield from self._pass_ended(time)
                yield self._begins(iteration.index, iteration.first, time)
            self._current = iteration
        opening = self.live.opening
        if opening is not None and self.live.opened > self._iteration:
            yield from self._pass_ended(time)
            yield self._begins(self.live.opened, opening.first, time)
        if opening is None and (iterations.between or iterations.paused):
            yield from self._pass_ended(time)
        if iterations.paused and not self._paused:
            self._paused = True
            rule = iterations.stop_rule
            why = f"; live loop stopped by {rule.name}: {rule.text}" if rule is not None else ""
            last = iterations.last_pass
            what = f", iteration {last.index} was {last.kind}" if last is not None and last.kind != "non-live" else ""
            yield Happening(
                "suspended",
                _time(self.live.migration.phases.state.first, time),
                f"the guest is paused{what}{why}",
                stop_rule=rule.name if rule is not None else None,
            )
        yield from self._epochs(time)

    def _epochs(self, time: int) -> Iterator[Happening]:
        epochs = self.live.migration.epochs
        new = epochs.complete - self._checkpoints
        if not new:
            return
        self._checkpoints = epochs.complete
        for epoch in [one for one in epochs.found if one.complete][-new:]:
            after = f", {duration(epoch.interval)} after the one before" if epoch.interval is not None else ""
            yield Happening(
                "checkpoint",
                _time(epoch.last, time),
                f"checkpoint {epoch.index + 1} is complete: {count(epoch.pages, 'page')}, {amount(epoch.bytes)}{after}",
                checkpoint=epoch.index + 1,
                pages=epoch.pages,
                bytes=epoch.bytes,
                interval=epoch.interval,
            )

    def _begins(self, index: int, packet: Packet | None, time: int) -> Happening:
        self._iteration = index
        return Happening("iteration-begun", _time(packet, time), f"iteration {index} begins", iteration=index)

    def _pass_ended(self, time: int) -> Iterator[Happening]:
        """The pass that was told last has ended, if that has not been told yet."""
        iteration = self._current
        if iteration is None or iteration.index <= self._ended:
            return
        index = self._ended = iteration.index
        seconds = self.live.seconds(iteration, time)
        took = f" in {duration(seconds)}" if seconds is not None else ""
        speed = rate(iteration.bytes, seconds)
        again = f" ({iteration.again:,} again)" if index else ""
        yield Happening(
            "iteration-ended",
            _time(iteration.last, time),
            f"iteration {index} ended: {count(iteration.pfns, 'pfn')}, {count(iteration.pages, 'page')}{again},"
            f" {amount(iteration.bytes)}{took}{', ' + speed if speed else ''}",
            iteration=index,
            pfns=iteration.pfns,
            pages=iteration.pages,
            first_sent=iteration.first_sent,
            again=iteration.again,
            dirty_rate=iteration.dirty_rate,
            bytes=iteration.bytes,
            seconds=seconds,
        )

    def over(self, time: int) -> Iterator[Happening]:
        """That nothing more is expected, once; ask for it when the events of both directions have been taken."""
        if self._told and not self._over and is_over(self.live.migration):
            self._over = True
            yield self._end(time)

    def damage(self, time: int, checkers: list[Checker]) -> Iterator[Happening]:
        """What is missing or wrong and has not been told yet.

        Ask for it at points in time that do not depend on how the input came, since it is summed up.
        """
        migration = self.live.migration
        if migration.holes > self._holes:
            number, missing = migration.holes - self._holes, migration.missing - self._missing
            self._holes, self._missing = migration.holes, migration.missing
            text = f"{count(missing, 'byte')} missing from the capture, in {count(number, 'run')}"
            yield Happening("hole", time, text, holes=number, missing=missing)
        if migration.resynchronised > self._resynchronised:
            self._resynchronised = migration.resynchronised
            yield Happening("position-found", time, "the position in the stream was lost and found again")
        for number, checker in enumerate(checkers):
            told = self._findings.get(number, 0)
            findings = checker.findings
            if len(findings) == told:
                continue
            self._findings[number] = len(findings)
            for finding in findings[told:]:
                seen = self._by_rule[finding.rule] = self._by_rule.get(finding.rule, 0) + 1
                if finding.severity == "error" and seen <= MOST_FINDINGS:
                    yield Happening(
                        "finding",
                        time,
                        f"error at offset 0x{finding.offset:x}: {finding.rule}: {escaped(finding.message)}",
                        rule=finding.rule,
                        offset=finding.offset,
                        record=finding.record,
                        message=finding.message,
                    )

    def _conversation(self, time: int) -> Iterator[Happening]:
        migration = self.live.migration
        if migration.ended and not self._complete:
            self._complete = True
            text = f"the stream is complete, {amount(migration.bytes)}; to come: {waits_for(migration)}"
            yield Happening("complete", _time(migration.phases.end, time), text, bytes=migration.bytes)
        if len(migration.messages) > self._messages:
            for message in list(migration.messages.values())[self._messages :]:
                yield Happening(
                    "message",
                    _time(message.last, time),
                    message_text(message),
                    message=message.name,
                    status=message.status,
                )
            self._messages = len(migration.messages)

    def _end(self, time: int) -> Happening:
        migration = self.live.migration
        found, owned = outcome(migration), owner(migration)
        paused = downtime(migration)
        text = f"over: {found}; owner: {owned.name}"
        facts: dict[str, Any] = {"outcome": found, "owner": owned.name, "downtime": None}
        if paused is not None:
            upper = f" to {duration(paused.upper)}" if paused.upper is not None else " at least"
            text += f"; downtime {duration(paused.lower)}{upper}"
            facts["downtime"] = {"lower": paused.lower, "upper": paused.upper}
        return Happening("over", _time(_last_of(migration), time), text, **facts)


def _last_of(migration: Migration) -> Packet | None:
    """The last packet of the migration, those that close the connection included."""
    direction = migration.stream.direction
    packets = [migration.last]
    for side in (direction, direction.peer) if direction is not None else ():
        packets += [side.fin, side.rst]
    return max((packet for packet in packets if packet is not None), key=_frame, default=None)


def _frame(packet: Packet) -> int:
    return packet.frame


def _when(happening: Happening) -> int:
    return happening.time


def _time(packet: Packet | None, otherwise: int) -> int:
    return packet.time if packet is not None else otherwise
