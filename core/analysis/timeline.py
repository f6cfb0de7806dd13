"""Timelines: the migrations in a reading, each with what was said in both directions."""

from __future__ import annotations

from xenmig.core.analysis.migration import Migration
from xenmig.core.analysis.pfn_counts import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream

MOST_EARLY = 16
"Events that are kept of a receiver that speaks before its sender does: xl's says one thing."


class Timeline:
    """Sorts the events of all streams by migration: the guest's stream and the answers on the same connection."""

    __slots__ = ("migrations", "unanswered", "_senders", "_waiting", "_room")

    migrations: list[Migration]
    "In the order of appearance."
    unanswered: list[Stream]
    "Receivers' streams whose senders' direction holds no migration; complete after :meth:`finish`."

    def __init__(self) -> None:
        self.migrations = []
        self.unanswered = []
        self._room = Room()
        self._senders: dict[int, Migration] = {}
        # What receivers said before their senders' first byte.
        self._waiting: dict[int, tuple[Stream, list[Event]]] = {}

    def take(self, stream: Stream, events: Sequence[Event]) -> None:
        """Take the next events of one stream."""
        connection = id(stream.connection) if stream.connection is not None else -stream.number
        migration = self._senders.get(connection)
        if stream.role == "sender":
            if migration is None:
                migration = Migration(len(self.migrations) + 1, stream, self._room)
                self._senders[connection] = migration
                self.migrations.append(migration)
                early = self._waiting.pop(connection, None)
                if early is not None:
                    migration.receiver = early[0]
                    migration.answered(early[1])
            migration.take(events)
        elif migration is not None:
            migration.receiver = stream
            migration.answered(events)
        else:
            early_events = self._waiting.setdefault(connection, (stream, []))[1]
            early_events.extend(events[: MOST_EARLY - len(early_events)])

    def finish(self) -> None:
        """All streams have ended."""
        for migration in self.migrations:
            migration.finish()
        self.unanswered = [stream for stream, _ in self._waiting.values()]
