"""Whether the network, the sender or the receiver held a migration up: what its segments and their times say."""

from __future__ import annotations

from xenmig.core.analysis.spans import CLOSE, CONNECTION, HANDOVER, SUSPEND, spans
from xenmig.core.sources.traffic.flow import ANSWER, IDLE, IN_FLIGHT, RECOVERY, SENDING, WINDOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.spans import Span
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

SENDER, RECEIVER, NETWORK, NOTHING, UNKNOWN, CHECKPOINTS = (
    "sender", "receiver", "network", "nothing", "unknown", "checkpoints",
)  # fmt: skip
"Names of verdicts; the first three are those of the shares as well."
ONE_HOST, NEAR_SENDER, NEAR_RECEIVER, BETWEEN = "one host", "sender", "receiver", "between"

BULK = 1 << 20
"Bytes of payload that make a connection, whatever it carries, look like the transfer of something large."
QUICK = 100_000
"Nanoseconds. When the whole first round trip takes less, its parts do not tell where the capture was made."
NEAR = 4
"By how much the way to one end must be shorter than to the other for the capture to count as made there."
_BY = {SENDER: (IDLE,), RECEIVER: (WINDOW, ANSWER), NETWORK: (RECOVERY, IN_FLIGHT), NOTHING: (SENDING,)}
_ELSEWHERE = frozenset((CONNECTION, SUSPEND, HANDOVER, CLOSE))


class Wait:
    """One of the longest times in which the sender sent nothing."""

    __slots__ = ("start", "end", "kind", "span")

    start: int
    "Nanoseconds since 1970."
    end: int
    kind: str
    "What the time counts as: see Flow."
    span: Span | None
    "The phase of the migration that it ended in."

    def __init__(self, start: int, end: int, kind: str, span: Span | None) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.span = span

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end - self.start) / 1e9


class Limits:
    """Where the time of a transfer went, in nanoseconds by kind: see Flow."""

    __slots__ = ("times",)

    times: dict[str, int]

    def __init__(self, times: dict[str, int]) -> None:
        self.times = times

    @property
    def total(self) -> int:
        """Nanoseconds altogether."""
        return sum(self.times.values())

    def by(self, name: str) -> int:
        """Nanoseconds for which the sender, the receiver, the network or nothing held the transfer up."""
        return sum(self.times[kind] for kind in _BY[name])

    def share(self, name: str) -> float:
        """The same as a part of the whole, from 0 to 1; 0 of nothing."""
        total = self.total
        return self.by(name) / total if total else 0.0

    @property
    def largest(self) -> str:
        """Who held it up the longest."""
        return max(_BY, key=self.by) if self.total else UNKNOWN


class Network:
    """What the traffic of one connection says about a transfer in one of its directions."""

    __slots__ = ("traffic", "forward", "backward", "place", "limits", "whole", "waits", "excluded", "verdict")

    traffic: Traffic
    forward: Flow
    "The direction of the transfer."
    backward: Flow
    place: str
    """Where the capture was made: "one host" (both ends are there), "sender", "receiver" or "between" by how the first
    round trip divides, or "unknown"."""
    limits: Limits
    """Where the time went without the waits that are no transfer: suspending the guest, and the conversation behind the
    stream. These are found among the longest waits, which are kept one by one."""
    whole: Limits
    "Where all of the time went."
    waits: list[Wait]
    "The longest waits, the longest first."
    excluded: int
    "Nanoseconds that ``limits`` leaves out."
    verdict: str
    """"sender", "receiver", "network" or "nothing" that stands out; "checkpoints" when the sender waits on purpose, and
    "unknown" when acknowledgments were not captured."""

    def __init__(
        self, traffic: Traffic, forward: Flow, found: Sequence[Span] = (), *, checkpoints: bool = False
    ) -> None:
        self.traffic = traffic
        self.forward = forward
        self.backward = forward.peer
        self.place = _place(traffic, forward)
        self.waits = [
            Wait(end - duration, end, kind, _span(found, end))
            for duration, end, _, kind in sorted(forward.waits, reverse=True)
        ]
        times = times_of(forward)
        self.whole = Limits(times)
        rest = dict(times)
        for wait in self.waits:
            if wait.span is not None and wait.span.kind in _ELSEWHERE:
                rest[wait.kind] -= wait.end - wait.start
        self.limits = Limits(rest)
        self.excluded = self.whole.total - self.limits.total
        if not forward.acknowledged:
            self.verdict = UNKNOWN
        else:
            self.verdict = CHECKPOINTS if checkpoints else self.limits.largest


def network(migration: Migration) -> Network | None:
    """What is known about a migration's connection; None in a file, and when it was not measured."""
    connection, direction = migration.stream.connection, migration.stream.direction
    if connection is None or direction is None or connection.traffic is None:
        return None
    forward = flow_of(connection, direction)
    return Network(connection.traffic, forward, spans(migration), checkpoints=migration.iterations.checkpoints > 0)


def bulk(connection: Connection) -> Network | None:
    """The same of a connection that cannot be decoded, in the direction with more payload; None unless it looks like
    the transfer of something large.
    """
    traffic = connection.traffic
    if traffic is None:
        return None
    forward = max(traffic.flows, key=lambda flow: flow.payload_bytes)
    return Network(traffic, forward) if forward.payload_bytes >= BULK else None


def sender(connection: Connection, found: Network) -> Direction:
    """The direction of a connection that ``found`` is about."""
    return connection.directions[found.forward.side]


def flow_of(connection: Connection, direction: Direction) -> Flow:
    """What was measured of one direction of a connection whose traffic is."""
    assert connection.traffic is not None
    return connection.traffic.flows[connection.directions.index(direction)]


def times_of(flow: Flow) -> dict[str, int]:
    """Where the time of a direction has gone so far, in nanoseconds by kind: see Flow."""
    return {
        SENDING: flow.sending,
        IN_FLIGHT: flow.in_flight,
        RECOVERY: flow.recovery,
        WINDOW: flow.window,
        ANSWER: flow.answer,
        IDLE: flow.idle,
    }


def _place(traffic: Traffic, forward: Flow) -> str:
    size = len(traffic.key) // 2 - 2
    source, destination = traffic.key[:size], traffic.key[size : 2 * size]
    if source == destination or (size == 4 and source[0] == destination[0] == 127):
        return ONE_HOST
    if traffic.split is None or sum(traffic.split) < QUICK:
        return UNKNOWN
    to_sender, to_receiver = forward.near, forward.peer.near
    if to_receiver >= NEAR * to_sender:
        return NEAR_SENDER
    return NEAR_RECEIVER if to_sender >= NEAR * to_receiver else BETWEEN


def _span(found: Sequence[Span], time: int) -> Span | None:
    for span in found:
        if span.start is not None and span.end is not None and span.start < time <= span.end:
            return span
    return None
