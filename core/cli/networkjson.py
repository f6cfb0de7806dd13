"""Facts about a connection's traffic as JSON. Times are seconds: absolute ones since 1970-01-01 00:00 UTC."""

from __future__ import annotations

from xenmig.core.analysis.network import NETWORK, NOTHING, RECEIVER, SENDER
from xenmig.core.sources.traffic.traffic import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.analysis.network import Limits, Network
    from xenmig.core.sources.traffic.flow import Flow

# Of a flow, what is shown as it is: counts and bytes.
_NUMBERS = (
    "frames", "wire_bytes", "segments", "payload_bytes", "retransmitted", "retransmitted_bytes", "spurious",
    "spurious_bytes", "fast", "timeouts", "out_of_order", "late_bytes", "resent_unseen", "resent_unseen_bytes",
    "jumps", "keep_alives", "window_probes", "duplicate_acks", "window_updates", "acknowledgments", "overtaken_acks",
    "zero_windows", "window_full", "unseen_acks", "round_trips",
)  # fmt: skip


def network_facts(found: Network | None) -> dict[str, Any] | None:
    """All that was measured; null for a file."""
    if found is None:
        return None
    split = found.traffic.split
    return {
        "verdict": found.verdict,
        "place": found.place,
        "handshake": None
        if split is None
        else {"to_sender": found.forward.near / 1e9, "to_receiver": found.backward.near / 1e9},
        "limits": _limits(found.limits),
        "whole": _limits(found.whole),
        "waits": [
            {
                "start": wait.start / 1e9,
                "duration": wait.seconds,
                "kind": wait.kind,
                "phase": wait.span.name if wait.span is not None else None,
            }
            for wait in found.waits
        ],
        "forward": flow_facts(found.forward),
        "backward": flow_facts(found.backward),
        "throughput": _throughput(found),
    }


def flow_facts(flow: Flow) -> dict[str, Any]:
    """What happened in one direction; null where it cannot be known."""
    timed = flow.round_trips > 0
    return {name: getattr(flow, name) for name in _NUMBERS} | {
        "lost_by_capture": flow.unseen.acknowledged,
        "never_acknowledged": flow.unseen.unanswered,
        "in_flight_most": flow.peak if flow.acknowledged else None,
        "window_scale": flow.shift if flow.shift >= 0 else None,
        "window_most": flow.largest_window if flow.shift >= 0 else None,
        "zero_window_time": flow.zero_window_time / 1e9,
        "silence": flow.silence / 1e9,
        "round_trip": flow.round_trip / 1e9 if timed else None,
        "round_trip_least": flow.round_trip_least / 1e9 if timed else None,
        "round_trip_most": flow.round_trip_most / 1e9 if timed else None,
    }


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "seconds": limits.total / 1e9,
        "sender": limits.share(SENDER),
        "receiver": limits.share(RECEIVER),
        "network": limits.share(NETWORK),
        "none": limits.share(NOTHING),
        "times": {kind.replace(" ", "_"): time / 1e9 for kind, time in limits.times.items()},
    }


def _throughput(found: Network) -> dict[str, Any]:
    """Bytes in each bin, the first of which begins at ``begin``."""
    series = found.traffic.series
    columns = {
        way: {
            column: series.columns[flow.side * len(COLUMNS) + number].tolist() for number, column in enumerate(COLUMNS)
        }
        for way, flow in (("forward", found.forward), ("backward", found.backward))
    }
    return {"begin": series.begin / 1e9, "width": series.width / 1e9, **columns}
