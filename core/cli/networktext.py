"""What a connection's traffic says about a transfer, in rows for people."""

from __future__ import annotations

from xenmig.core.analysis.network import (
    BETWEEN,
    CHECKPOINTS,
    NEAR_RECEIVER,
    NEAR_SENDER,
    NETWORK,
    NOTHING,
    ONE_HOST,
    RECEIVER,
    SENDER,
    UNKNOWN,
    bulk,
    sender,
)
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import amount, count, duration
from xenmig.core.decode.recognise import DESCRIPTIONS
from xenmig.core.sources.traffic.flow import ANSWER, IDLE, IN_FLIGHT, RECOVERY, SENDING, WINDOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.analysis.network import Limits, Network
    from xenmig.core.decode.reading import Reading
    from xenmig.core.sources.traffic.flow import Flow

KINDS = {
    SENDING: "sending", IDLE: "sender idle", WINDOW: "window full", ANSWER: "waiting for answers",
    RECOVERY: "recovering from loss", IN_FLIGHT: "waiting for acknowledgments",
}  # fmt: skip
"What the time of a transfer goes into."
_PLACES = {
    ONE_HOST: "on the host that both ends are on, so there is no network between them",
    NEAR_SENDER: "at the sender's end, by the times of the handshake",
    NEAR_RECEIVER: "at the receiver's end, by the times of the handshake: there a slow path looks like an idle sender",
    BETWEEN: "between the two ends, by the times of the handshake",
}


def network_rows(found: Network) -> Iterator[tuple[str, str]]:
    """Rows of a table, name and text, of about 100 characters: a file has nobody who wraps longer ones."""
    forward = found.forward
    yield "held up", _bottleneck(found)
    if found.place in _PLACES:
        yield "captured", _PLACES[found.place]
    yield "tcp", _segments(forward)
    if forward.out_of_order:
        yield "late", _late(forward)
    for lost in _losses(forward):
        yield "lost", lost
    if not forward.acknowledged:
        yield "receiver", "its segments were not captured"
        return
    yield "receiver", _receiver(forward)
    yield "window", _window(forward)
    if forward.round_trips:
        yield "round trip", _round_trip(forward)
    limits = found.limits
    if limits.total:
        left = f", without suspend and hand-over ({duration(found.excluded / 1e9)})" if found.excluded else ""
        yield "transfer", f"{duration(limits.total / 1e9)}{left}"
        yield "spent on", _times(limits)


def bottleneck(found: Network) -> str:
    """A sentence on what held the transfer up, with its numbers."""
    place = _PLACES.get(found.place, "")
    text = _bottleneck(found) + _in_flight(found)
    return f"{text}; captured {place}" if place else text


def opaque_lines(reading: Reading) -> Iterator[str]:
    """What can be said of connections that cannot be decoded but look like the transfer of something large."""
    for connection, kind in reading.opaque:
        found = bulk(connection)
        if found is None:
            continue
        direction = sender(connection, found)
        forward = found.forward
        seconds = (forward.last_payload - forward.first_payload) / 1e9
        yield (
            f"connection {connection.id}, {direction.source} -> {direction.destination}: {DESCRIPTIONS[kind]};"
            f" {amount(forward.payload_bytes)} in {duration(seconds)} look like a bulk transfer, which is a guess"
        )
        yield from aligned([*network_rows(found)])


def _segments(flow: Flow) -> str:
    parts = [count(flow.segments, "segment")]
    if flow.retransmitted:
        needless = f", {flow.spurious:,} of them had been acknowledged" if flow.spurious else ""
        parts.append(f"{flow.retransmitted:,} captured before ({count(flow.retransmitted_bytes, 'byte')}{needless})")
    elif not flow.out_of_order:
        parts.append("none sent again or out of order")
    return ", ".join(parts)


def _late(flow: Flow) -> str:
    overtaken = flow.out_of_order - flow.resent_unseen
    ways = [f"{flow.resent_unseen:,} sent again after a loss"] if flow.resent_unseen else []
    ways += [f"{overtaken:,} overtaken"] if overtaken else []
    return f"{count(flow.out_of_order, 'segment')}: {', '.join(ways)}, by their times"


def _losses(flow: Flow) -> Iterator[str]:
    unseen = flow.unseen
    if unseen.acknowledged:
        yield f"{count(unseen.acknowledged, 'byte')} by the capture, not by the network: the receiver acknowledged them"
    if unseen.unanswered:
        yield f"{count(unseen.unanswered, 'byte')} that were not acknowledged before the capture ends"


def _receiver(flow: Flow) -> str:
    text = count(flow.acknowledgments, "acknowledgment")
    return f"{text}, {count(flow.duplicate_acks, 'duplicate')}" if flow.duplicate_acks else text


def _window(flow: Flow) -> str:
    if flow.shift < 0:
        text = "scale not known: both SYNs would have to be in the capture and agree with the rest"
    else:
        text = f"up to {count(flow.largest_window, 'byte')}, of which up to {flow.peak:,} in flight"
    return f"{text}; {_zero(flow)}" if flow.zero_windows else text


def _zero(flow: Flow) -> str:
    return f"zero {count(flow.zero_windows, 'time')}, for {duration(flow.zero_window_time / 1e9)}"


def _round_trip(flow: Flow) -> str:
    least, most = duration(flow.round_trip_least / 1e9), duration(flow.round_trip_most / 1e9)
    return f"{duration(flow.round_trip / 1e9)} ({least} to {most})"


def _times(limits: Limits) -> str:
    """What took more than a hundredth of the time, the longest first."""
    ranked = sorted(limits.times, key=lambda kind: limits.times[kind], reverse=True)
    seen = [kind for kind in ranked if 100 * limits.times[kind] >= limits.total]
    return ", ".join(f"{KINDS[kind]} {_part(limits.times[kind], limits)}" for kind in seen)


def _part(time: int, limits: Limits) -> str:
    share = 100 * time / limits.total
    return f"{share:.0f} %" if share >= 1 else "under 1 %"


def _bottleneck(found: Network) -> str:
    flow, limits = found.forward, found.limits
    if found.verdict == UNKNOWN:
        return "not known: acknowledgments were not captured" if not flow.acknowledged else "not known"
    if found.verdict == CHECKPOINTS:
        return "not judged: a checkpointed stream waits between checkpoints on purpose"
    time = duration(limits.by(found.verdict) / 1e9)
    part = f"{time} ({_part(limits.by(found.verdict), limits)})"
    if found.verdict == SENDER:
        return f"the sender: for {part} all it had sent was acknowledged, and the window had room for more"
    if found.verdict == RECEIVER:
        zero = f" ({_zero(flow)})" if flow.zero_windows else ""
        if limits.times[WINDOW] >= limits.times[ANSWER]:
            return f"the receiver: for {part} its window had no room for a full segment{zero}"
        return f"the receiver: for {part} the sender waited for what it had to say"
    if found.verdict == NETWORK:
        who = "the host that both ends are on" if found.place == ONE_HOST else "the network"
        if limits.times[RECOVERY] >= limits.times[IN_FLIGHT]:
            return f"{who}: for {part} the sender made up for lost segments or waited for acknowledgments"
        return f"{who}: for {part} the sender waited for acknowledgments"
    assert found.verdict == NOTHING
    return f"nothing stands out: for {part} one segment followed the other"


def _in_flight(found: Network) -> str:
    """What a network that held the transfer up had to carry at once."""
    flow, times = found.forward, found.limits.times
    if found.verdict != NETWORK or times[RECOVERY] >= times[IN_FLIGHT]:
        return ""
    room = f" of a window of {flow.largest_window:,}" if flow.shift >= 0 else ""
    return f", with at most {count(flow.peak, 'byte')} in flight{room}"
