"""``xenmig timeline --follow``: reads an input that is still being written and shows what comes."""

from __future__ import annotations

import time as clock

from xenmig.core.analysis.live import Live, is_over
from xenmig.core.analysis.timeline import Timeline
from xenmig.core.check.checker import Checker
from xenmig.core.cli.happenings import PASSING, Happening, Happenings
from xenmig.core.cli.timeline import findings
from xenmig.core.cli.units import duration
from xenmig.core.cli.verdict import verdict
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.recognise import DESCRIPTIONS
from xenmig.core.sources.live import GrowingFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.moment import Moment
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream

    class View(Protocol):
        """Shows a migration while it runs."""

        def begin(self, name: str) -> None:
            """The input of that name is waited for."""

        def happened(self, number: int | None, happening: Happening) -> None:
            """Something happened in migration ``number``, or in none."""

        def tick(self, number: int, moment: Moment) -> None:
            """A second has passed, in migration ``number``."""

        def look(self, idle: float) -> bool:
            """More is waited for, for ``idle`` seconds by now. True asks for ``show``."""

        def show(self, overview: Overview) -> None:
            """How it stands."""

        def end(self) -> None:
            """No more will be shown."""


SECOND = 1_000_000_000
REST = 2.0
"Seconds for which a file whose migrations are all over must not grow."
MOST_TOLD = 200
"Iterations and checkpoints of a migration that are told in a second, begun and ended."
QUIET = 5 * SECOND
"Nanoseconds after which it is said that a migration stands still."


class Followed:
    """One migration that is followed."""

    __slots__ = ("live", "happenings", "bytes", "moved", "quiet", "told", "left_out")

    def __init__(self, migration: Migration, time: int) -> None:
        self.live = Live(migration, time)
        self.happenings = Happenings(self.live)
        self.bytes = -1
        "Bytes of the stream when they were last looked at."
        self.moved = self.live.began
        "When more of them had come."
        self.quiet = False
        "Whether it was said that none come."
        self.told = 0
        "Iterations and checkpoints told since the last second."
        self.left_out = 0
        "Those beyond ``MOST_TOLD``."

    @property
    def number(self) -> int:
        """The migration's number."""
        return self.live.migration.number


class Shown:
    """One migration as it stands."""

    __slots__ = ("migration", "moment", "verdict")

    migration: Migration
    moment: Moment
    verdict: str
    "What is wrong so far; empty as long as nothing is and it is not over."

    def __init__(self, migration: Migration, moment: Moment, verdict: str) -> None:
        self.migration = migration
        self.moment = moment
        self.verdict = verdict


class Overview:
    """How it stands with all that is followed."""

    __slots__ = ("reading", "now", "idle", "migrations")

    reading: Reading | None
    "None before it is known what the input is."
    now: int
    "Nanoseconds since 1970."
    idle: float
    "Seconds for which nothing has come."
    migrations: list[Shown]

    def __init__(self, reading: Reading | None, now: int, idle: float, migrations: list[Shown]) -> None:
        self.reading = reading
        self.now = now
        self.idle = idle
        self.migrations = migrations


class Follower:
    """Brings an input's events to a timeline as the timeline command does, and tells a view on the way.

    It is the :class:`~xenmig.core.sources.watcher.Watcher` of its input. Seconds are those of the capture's packets, so
    a capture that is replayed says what it would have said live; a stream file has no times, and those of the clock on
    the wall are taken.
    """

    def __init__(self, view: View) -> None:
        self.due = 0
        self.view = view
        self.reading: Reading | None = None
        self.timeline = Timeline()
        self.checkers: dict[Stream, Checker] = {}
        self.followed: list[Followed] = []
        self.named = 0
        "Connections of which it was said what they are."
        self.stopped = 0
        "The signal that ended it, or 0."
        self.ended_by = "the input ended"

    def read(self, path: str) -> Reading:
        """Read all of the input. Raises UnreadableInput as :class:`~xenmig.core.decode.reading.Reading` does."""
        self.view.begin("standard input" if path == "-" else path)
        reading = self.reading = Reading(path, watcher=self, metered=True)
        try:
            for stream, events in reading:
                self.timeline.take(stream, events)
                checker = self.checkers.get(stream)
                if checker is None:
                    checker = self.checkers[stream] = Checker(stream.kind)
                checker.take(events)
                self._took(stream, events)
        finally:
            reading.close()
        self.timeline.finish()
        for one in self.followed:
            self._told(one, self.now())
            self._damage(one, self.now())
            self._over(one, self.now())
        return reading

    # -- the watcher ----------------------------------------------------------------------------------------------

    def look(self, idle: float) -> bool:
        """See :class:`~xenmig.core.sources.watcher.Watcher`."""
        reading = self.reading
        if reading is not None and reading.capture is None:
            now = clock.time_ns()
            if now >= self.due:
                self.reached(now)
        elif idle:
            self._name_opaque()
            # Whoever waits for the end of a migration is told of it at once.
            for one in self.followed:
                self._over(one, self.now())
            if idle * SECOND >= QUIET:
                self._quiet(self.now(idle))
        last = reading.capture.last if reading is not None and reading.capture is not None else None
        if last is not None and last.time < self.due - 2 * SECOND:
            # The clock was set back, or one packet had a time far from those of the others.
            self.due = (last.time // SECOND + 1) * SECOND
        if self.view.look(idle):
            # While nothing comes the time goes on in whole seconds, or all numbers would change again and again.
            now = self.now(idle) - int(idle % 1 * SECOND)
            self.view.show(Overview(reading, now, idle, [self._shown(one, now) for one in self.followed]))
        if self.stopped:
            return False
        if idle >= REST and reading is not None and isinstance(reading.input, GrowingFile) and self._is_over():
            self.ended_by = f"the migration is over, and the file has not grown for {duration(REST)}"
            return False
        return True

    def reached(self, time: int) -> None:
        """See :class:`~xenmig.core.sources.watcher.Watcher`."""
        self._name_opaque()
        if self.due:
            for one in self.followed:
                self._tick(one, self.due)
                self._told(one, self.due)
                self._damage(one, self.due)
                self._over(one, self.due)
        self._quiet(time)
        self.due = (time // SECOND + 1) * SECOND

    # -- asking the objects ---------------------------------------------------------------------------------------

    def now(self, idle: float = 0.0) -> int:
        """The time, in nanoseconds since 1970: of the last packet and of the ``idle`` seconds since, or the clock's."""
        capture = self.reading.capture if self.reading is not None else None
        if capture is None:
            return clock.time_ns()
        return (capture.last.time if capture.last is not None else 0) + int(idle * SECOND)

    def position(self, migration: Migration) -> int:
        """How many bytes of a migration's stream have come."""
        if migration.captured or self.reading is None:
            return migration.bytes
        # In the middle of a jump over guest memory the decoder has not been told yet.
        return max(migration.bytes, self.reading.input.offset)

    def _name_opaque(self) -> None:
        """Say once what each connection is that cannot be decoded: a migration through SSH is waited for in vain."""
        opaque = self.reading.opaque if self.reading is not None else []
        for connection, kind in opaque[self.named :]:
            one, other = connection.directions
            text = f"{one.source} and {other.source}: {DESCRIPTIONS[kind]}"
            happening = Happening("opaque", connection.first.time, text, connection=connection.id, kind=kind)
            self.view.happened(None, happening)
        self.named = len(opaque)

    def _is_over(self) -> bool:
        """Whether there were migrations and nothing more is expected of them."""
        return bool(self.followed) and all(is_over(one.live.migration) for one in self.followed)

    def _moment(self, one: Followed, time: int) -> Moment:
        return one.live.at(time, self.position(one.live.migration))

    def _shown(self, one: Followed, time: int) -> Shown:
        migration = one.live.migration
        counts = findings(migration, self.checkers)
        wanted = is_over(migration) or any(counts.values())
        complete = self.checkers[migration.stream].complete
        return Shown(migration, self._moment(one, time), verdict(counts, complete) if wanted else "")

    def _took(self, stream: Stream, events: Sequence[Event]) -> None:
        time = self._time_of(events)
        migrations = self.timeline.migrations
        for migration in migrations[len(self.followed) :]:
            self.followed.append(Followed(migration, time))
        for one in self.followed:
            if stream is one.live.migration.stream or stream is one.live.migration.receiver:
                self._tell(one, time)

    def _tell(self, one: Followed, time: int) -> None:
        """Tell what is new."""
        migration = one.live.migration
        if migration.iterations.paused:
            migration.settle()
        one.live.note(time)
        for happening in one.happenings.new(time):
            if happening.name in PASSING:
                one.told += 1
                if one.told > MOST_TOLD:
                    one.left_out += 1
                    continue
            self.view.happened(one.number, happening)

    def _told(self, one: Followed, time: int) -> None:
        """Begin the next second, or end: say how much was left out."""
        if one.left_out:
            text = f"and {one.left_out:,} more of iterations and checkpoints since the last second"
            self.view.happened(one.number, Happening("left-out", time, text, number=one.left_out))
        one.told = one.left_out = 0

    def _over(self, one: Followed, time: int) -> None:
        for happening in one.happenings.over(time):
            self.view.happened(one.number, happening)

    def _damage(self, one: Followed, time: int) -> None:
        """Tell what is missing or wrong."""
        migration = one.live.migration
        sides = (migration.stream, migration.receiver)
        checkers = [self.checkers[side] for side in sides if side in self.checkers]
        for happening in one.happenings.damage(time, checkers):
            self.view.happened(one.number, happening)

    def _time_of(self, events: Sequence[Event]) -> int:
        for event in reversed(events):
            packet = getattr(event, "last", None) or getattr(event, "first", None)
            if packet is not None:
                time: int = packet.time
                return time
        return self.now()

    def _tick(self, one: Followed, time: int) -> None:
        bytes = self.position(one.live.migration)
        if bytes == one.bytes or is_over(one.live.migration):
            return
        one.bytes, one.moved, one.quiet = bytes, time, False
        # The first record of a pass may take a while to pass by.
        self._tell(one, time)
        self.view.tick(one.number, self._moment(one, time))

    def _quiet(self, time: int) -> None:
        """Say which migrations have stood still for too long when it is ``time``."""
        for one in self.followed:
            if time < one.moved + QUIET or one.quiet or is_over(one.live.migration):
                continue
            self._tick(one, self.due)
            if time >= one.moved + QUIET:
                one.quiet = True
                text = f"nothing more has come for {QUIET // SECOND} s"
                self.view.happened(one.number, Happening("quiet", one.moved + QUIET, text, seconds=QUIET / SECOND))
