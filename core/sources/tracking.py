"""Which connection a segment belongs to, and how many connections are remembered."""

from __future__ import annotations

from xenmig.core.sources.connection import Connection, Direction
from xenmig.core.sources.interest import Undecided
from xenmig.core.sources.segment import ACK, RST, SYN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.interest import ConsumerFactory
    from xenmig.core.sources.notice import Notices
    from xenmig.core.sources.segment import Segment

MOST_TRACKED = 1536
"Connections remembered at a time; beyond it, closed ones and the longest silent are forgotten first."
MOST_LISTED = 1024
"Connections of interest kept for the caller."


class Tracking:
    """The connections of a capture."""

    # fmt: off
    __slots__ = (
        "count", "_directions", "_factory", "_scale", "_notices", "_close", "_kept", "_forgotten", "_sweep_at",
    )
    # fmt: on

    count: int
    "Connections seen so far."

    def __init__(
        self, factory: ConsumerFactory, scale: int, notices: Notices, close: Callable[[Connection], None]
    ) -> None:
        """``close`` ends both directions of a connection that is about to be forgotten."""
        self.count = 0
        self._directions: dict[bytes, Direction] = {}
        self._factory = factory
        self._scale = scale
        self._notices = notices
        self._close = close
        self._kept: list[Connection] = []
        # Those of the present window that are worth measuring, by the keys of their directions.
        self._forgotten: dict[bytes, list[Connection]] = {}
        self._sweep_at = MOST_TRACKED // 8

    def all(self) -> list[Connection]:
        """The connections that are remembered."""
        return [*{direction.connection: None for direction in self._directions.values()}]

    def of_interest(self) -> list[Connection]:
        """The connections of which the factory wanted at least one direction, by their ids."""
        found = [connection for connection in self.all() if connection.of_interest]
        return sorted(self._kept + found, key=_id)

    def find(self, key: bytes, frame: int) -> Connection | None:
        """The connection that a frame of the present window with this key belongs to; None when it is not worth
        measuring any more, or never was a connection.
        """
        direction = self._directions.get(key)
        if direction is not None and direction.connection.first.frame <= frame:
            return direction.connection
        for connection in reversed(self._forgotten.get(key, ())):
            if connection.first.frame <= frame:
                return connection
        return None

    def pass_window(self) -> None:
        """All frames of a window have been looked at by everybody."""
        self._forgotten.clear()

    def direction(self, segment: Segment) -> Direction | None:
        """The direction that the segment belongs to; None for a segment that shows no connection to exist."""
        direction = self._directions.get(segment.key)
        if segment.flags & SYN:
            return self._synchronise(direction, segment)
        if direction is None:
            if segment.flags & RST:
                return None
            direction = self._open(segment)
        elif direction.peer.start < 0 and direction.from_start and segment.flags & ACK and not direction.peer.ended:
            # The other side's SYN was not captured; what is acknowledged first is where it starts.
            self._start(direction.peer, segment.acknowledgment)
        return direction

    def _synchronise(self, direction: Direction | None, segment: Segment) -> Direction:
        start = (segment.sequence + 1) & 0xFFFFFFFF
        segment.sequence = start
        if direction is not None and direction.start != start:
            connection = direction.connection
            answers = segment.flags & ACK and direction.peer.from_start and connection.reset_time is None
            if direction.start >= 0 or not answers:
                # The ports are used again.
                self._forget(connection)
                direction = None
        if direction is None:
            direction = self._open(segment)
            if segment.flags & ACK:
                self._start(direction.peer, segment.acknowledgment)
        if direction.start < 0:
            self._start(direction, start)
        elif isinstance(direction.consumer, Undecided):
            direction.from_start = True
        connection = direction.connection
        if connection.opener is None:
            connection.opener = direction.peer if segment.flags & ACK else direction
        return direction

    @staticmethod
    def _start(direction: Direction, sequence: int) -> None:
        direction.start = direction.next = sequence
        direction.from_start = True

    def _open(self, segment: Segment) -> Direction:
        if len(self._directions) >= 2 * self._sweep_at:
            self._sweep()
        self.count += 1
        connection = Connection(self.count, segment.key, segment.frame, segment.head, self._scale, self._factory)
        for direction in connection.directions:
            self._directions[direction.key] = direction
        return connection.directions[0]

    def _forget(self, connection: Connection) -> None:
        self._close(connection)
        for direction in connection.directions:
            self._directions.pop(direction.key, None)
            if connection.watched:
                self._forgotten.setdefault(direction.key, []).append(connection)
        if connection.of_interest:
            if len(self._kept) < MOST_LISTED:
                self._kept.append(connection)
            else:
                self._notices.add(
                    "connections", f"more than {MOST_LISTED} connections of interest; the others are not listed"
                )

    def _sweep(self) -> None:
        connections = self.all()
        for connection in connections:
            if connection.ended or connection.reset_time is not None:
                self._forget(connection)
        left = len(self._directions) // 2
        if left > MOST_TRACKED // 2:
            quiet = sorted(self.all(), key=_worth)
            for connection in quiet[: left - MOST_TRACKED // 2]:
                self._forget(connection)
            left = MOST_TRACKED // 2
        self._sweep_at = max(MOST_TRACKED // 8, min(MOST_TRACKED, 2 * left))


def _id(connection: Connection) -> int:
    return connection.id


def _worth(connection: Connection) -> tuple[bool, int]:
    return connection.of_interest, connection.last.frame
