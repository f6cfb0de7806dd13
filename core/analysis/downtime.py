"""How long the guest was paused, between two bounds that the packets' times give."""

from __future__ import annotations

from xenmig.core.definitions.xl import PERMISSION, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.sources.packet import Packet


class Step:
    """One part of the downtime: from the end of the one before to its own."""

    __slots__ = ("name", "kind", "seconds", "bytes", "bound")

    name: str
    kind: str
    """"suspend" (waiting for the guest to suspend, and for its last dirty pages), "memory" (the pass over it),
    "state" (of processors and devices) or "hand-over" (END, and what the two ends tell each other)."""
    seconds: float
    bytes: int
    "Of the stream or of the message; 0 for the suspend."
    bound: str
    '"lower" when both bounds hold it, "upper" when the upper one only.'

    def __init__(self, name: str, kind: str, seconds: float, bytes: int, bound: str) -> None:
        self.name = name
        self.kind = kind
        self.seconds = seconds
        self.bytes = bytes
        self.bound = bound


class Downtime:
    """Both bounds count from the last byte that the sender sent while the guest was running.

    How soon after that the guest stops does not show: it may go on until the suspend has been answered, so both are too
    long by up to :attr:`suspend`. The clock is that of the host where the capture was made.
    """

    __slots__ = ("lower", "upper", "steps", "upper_reason")

    lower: float
    "Seconds until the sender gave its permission (xl), or until the stream's END where there is no conversation."
    upper: float | None
    "Seconds until the receiver's status arrived; None when that is not in the capture."
    steps: list[Step]
    "What the time went into, in order; their sum is ``upper``, or ``lower`` when that is None."
    upper_reason: str
    "Why there is no upper bound; empty when there is one."

    def __init__(self, lower: float, upper: float | None, steps: list[Step], upper_reason: str) -> None:
        self.lower = lower
        self.upper = upper
        self.steps = steps
        self.upper_reason = upper_reason

    @property
    def suspend(self) -> float:
        """Seconds of both bounds in which the guest may still have run: until the first byte of the last pass."""
        return sum(step.seconds for step in self.steps if step.kind == "suspend")

    def of_kind(self, kind: str, bound: str = "upper") -> float:
        """Seconds that steps of a kind take of a bound."""
        return sum(step.seconds for step in self.steps if step.kind == kind and bound in ("upper", step.bound))


def downtime(migration: Migration) -> Downtime | None:
    """The bounds, or None when the stream shows no finished pause: see :func:`why_unknown`."""
    running = last_while_running(migration)
    paused = migration.iterations.last_pass
    end = migration.phases.end
    messages = migration.messages
    permission, ready, status = (messages.get(name) for name in (PERMISSION.name, READY.name, "status"))
    if running is None or end is None or migration.iterations.checkpoints:
        return None
    if not migration.ended and permission is None:
        return None
    if permission is None and ready is not None:
        return None
    resumed = permission.last if permission is not None else end
    if resumed is None:
        return None
    reported = status.last if status is not None else None
    points: list[tuple[str, str, Packet | None, int]] = []
    if paused is not None:
        points.append(("suspending the guest", "suspend", paused.first, 0))
        points.append((f"{paused.kind} pass", "memory", paused.last, paused.bytes))
    phases = migration.phases
    for phase, kind in ((phases.state, "state"), (phases.emulator, "state"), (phases.ending, "hand-over")):
        if phase.bytes:
            points.append((phase.name, kind, phase.last, phase.bytes))
    for message, name in (
        (ready, "receiver gets ready"),
        (permission, "sender's permission"),
        (status, "receiver unpauses and reports"),
    ):
        if message is not None:
            points.append((name, "hand-over", message.last, message.length))
    steps: list[Step] = []
    before = running
    for name, kind, packet, size in points:
        if packet is not None:
            bound = "upper" if packet is reported else "lower"
            steps.append(Step(name, kind, (packet.time - before.time) / 1e9, size, bound))
            before = packet
    lower = (resumed.time - running.time) / 1e9
    if reported is not None:
        return Downtime(lower, (reported.time - running.time) / 1e9, steps, "")
    if permission is None:
        return Downtime(lower, None, steps, "when the receiver starts the guest does not show in this connection")
    return Downtime(lower, None, steps, "the receiver's report is not in the capture")


def why_unknown(migration: Migration) -> str:
    """Why there is no downtime, as a sentence."""
    if not migration.captured:
        return "a stream file has no times; capture the migration to measure it"
    if migration.iterations.checkpoints:
        return "the guest is paused for every checkpoint: see how long each took"
    if last_while_running(migration) is None:
        return "the bytes that would show when the guest was paused are missing from the capture"
    if not migration.iterations.paused:
        return "the stream ends before the guest was paused, as far as it shows"
    if not migration.ended:
        return "the stream is incomplete: the receiver never had the guest"
    return "the sender never gave the guest away"


def last_while_running(migration: Migration) -> Packet | None:
    """The packet with the last byte that was sent while the guest was running; None when that is not known."""
    iterations = migration.iterations
    if iterations.pause_hidden:
        return None
    live = iterations.live
    if live:
        return live[-1].last
    return None if migration.joined else migration.phases.before_memory
