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
    ONE_HOST: "both ends are on one host, so there is no network between them",
    NEAR_SENDER: "captured at the sender's end, by the times of the handshake",
    NEAR_RECEIVER: "captured at the receiver's end, by the times of the handshake: there a slow path looks like an idle"
    " sender",
    BETWEEN: "captured between the two ends, by the times of the handshake",
}


def network_rows(found: Network) -> Iterator[tuple[str, str]]:
    """Rows of a table: name and text."""
    forward = found.forward
    yield "held up", bottleneck(found)
    yield "tcp", _segments(forward)
    if lost := _losses(forward):
        yield "lost", lost
    yield "receiver", _receiver(forward)
    if forward.acknowledged and found.limits.total:
        yield "transfer", _times(found)


def bottleneck(found: Network) -> str:
    """A sentence on what held the transfer up, with its numbers."""
    place = _PLACES.get(found.place, "")
    text = _bottleneck(found)
    return f"{text}; {place}" if place else text


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
        parts.append(f"{flow.retransmitted:,} captured before ({flow.retransmitted_bytes:,} bytes{needless})")
    if flow.out_of_order:
        overtaken = flow.out_of_order - flow.resent_unseen
        ways = [f"{flow.resent_unseen:,} sent again after a loss"] if flow.resent_unseen else []
        ways += [f"{overtaken:,} overtaken"] if overtaken else []
        parts.append(f"{flow.out_of_order:,} late ({', '.join(ways)}, by their times)")
    if len(parts) == 1:
        parts.append("none sent again or out of order")
    return ", ".join(parts)


def _losses(flow: Flow) -> str:
    unseen = flow.unseen
    parts = []
    if unseen.acknowledged:
        parts.append(
            f"{unseen.acknowledged:,} bytes that the receiver acknowledged are not in the capture: the capture lost"
            " them, not the network"
        )
    if unseen.unanswered:
        parts.append(f"{unseen.unanswered:,} bytes are missing and were not acknowledged before the capture ends")
    return "; ".join(parts)


def _receiver(flow: Flow) -> str:
    if not flow.acknowledged:
        return "its segments were not captured"
    parts = [count(flow.acknowledgments, "acknowledgment")]
    if flow.duplicate_acks:
        parts.append(f"{flow.duplicate_acks:,} duplicates")
    if flow.zero_windows:
        parts.append(f"window zero {flow.zero_windows:,} times, for {duration(flow.zero_window_time / 1e9)}")
    if flow.shift < 0:
        parts.append("window scale not known: both SYNs would have to be in the capture and agree with the rest")
    else:
        parts.append(f"window up to {flow.largest_window:,} bytes, of which up to {flow.peak:,} in flight")
    if flow.round_trips:
        parts.append(
            f"round trip {duration(flow.round_trip / 1e9)} ({duration(flow.round_trip_least / 1e9)} to"
            f" {duration(flow.round_trip_most / 1e9)})"
        )
    return ", ".join(parts)


def _times(found: Network) -> str:
    limits = found.limits
    ranked = sorted(limits.times, key=lambda kind: limits.times[kind], reverse=True)
    parts = [f"{KINDS[kind]} {_part(limits.times[kind], limits)}" for kind in ranked if limits.times[kind]]
    left = f" (without suspend and hand-over, {duration(found.excluded / 1e9)})" if found.excluded else ""
    return f"{duration(limits.total / 1e9)}{left}: {', '.join(parts)}"


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
        zero = (
            f" (zero {flow.zero_windows:,} times, for {duration(flow.zero_window_time / 1e9)})"
            if flow.zero_windows
            else ""
        )
        if limits.times[WINDOW] >= limits.times[ANSWER]:
            return f"the receiver: for {part} its window had no room for a full segment{zero}"
        return f"the receiver: for {part} the sender waited for what it had to say"
    if found.verdict == NETWORK:
        who = "the host that both ends are on" if found.place == ONE_HOST else "the network"
        if limits.times[RECOVERY] >= limits.times[IN_FLIGHT]:
            return f"{who}: for {part} the sender made up for lost segments or waited for acknowledgments"
        room = f" of a window of {flow.largest_window:,}" if flow.shift >= 0 else ""
        return (
            f"{who}: for {part} the sender waited for acknowledgments, with at most {flow.peak:,} bytes in flight{room}"
        )
    assert found.verdict == NOTHING
    return f"nothing stands out: for {part} one segment followed the other"
