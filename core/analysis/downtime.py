"""How long the guest was paused, between two bounds that the packets' times give."""

from __future__ import annotations

from xenmig.core.definitions.xl import PERMISSION, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.sources.packet import Packet


class Step:
    """One part of the downtime."""

    __slots__ = ("name", "seconds")

    name: str
    seconds: float

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds


class Downtime:
    """Both bounds count from the last byte that the sender sent while the guest was running."""

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
    points: list[tuple[str, Packet | None]] = []
    if paused is not None:
        points += [("suspending the guest", paused.first), (f"{paused.kind} pass", paused.last)]
    phases = migration.phases
    points += [(phase.name, phase.last) for phase in (phases.state, phases.emulator, phases.ending) if phase.bytes]
    points += [
        ("receiver gets ready", ready.last if ready is not None else None),
        ("sender's permission", permission.last if permission is not None else None),
        ("receiver unpauses and reports", reported),
    ]
    steps: list[Step] = []
    before = running
    for name, packet in points:
        if packet is not None:
            steps.append(Step(name, (packet.time - before.time) / 1e9))
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
        return "the guest is paused for every checkpoint; see the iterations"
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
    return None if migration.joined else migration.phases.headers.last
