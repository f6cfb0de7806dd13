"""Facts about a migration as JSON. Times are seconds: absolute ones since 1970-01-01 00:00 UTC."""

from __future__ import annotations

from xenmig.core.analysis.downtime import downtime, why_unknown
from xenmig.core.analysis.handover import Handover, owner
from xenmig.core.analysis.hot_pages import hot_ranges, hottest
from xenmig.core.analysis.outcome import outcome
from xenmig.core.analysis.spans import spans
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxl import CheckpointStateId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.analysis.epochs import Epoch
    from xenmig.core.analysis.guest import Guest
    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.memory import Memory
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.spans import Span
    from xenmig.core.sources.packet import Packet


def guest_facts(guest: Guest) -> dict[str, Any]:
    """What is known of the guest; null where it is not."""
    return {
        "guest": guest.kind,
        "guest_type": guest.configuration.type or None,
        "name": guest.configuration.name or None,
        "uuid": guest.configuration.uuid or None,
        "vcpus": guest.configuration.max_vcpus,
        "memory_kib": guest.configuration.memory,
        "maximum_memory_kib": guest.configuration.max_memory,
        "xen": guest.xen or None,
    }


def stream_facts(migration: Migration) -> dict[str, Any]:
    """What is known of the stream as such."""
    connection = migration.stream.connection
    truncated = migration.truncated
    return {
        "stream": migration.stream.number,
        "connection": connection.id if connection is not None else None,
        "source": migration.source,
        "destination": migration.destination,
        "layers": migration.layers,
        "versions": migration.versions,
        "byteorders": migration.byteorders,
        "bytes": migration.bytes,
        "records": migration.records,
        "complete": migration.complete,
        "truncated": None
        if truncated is None
        else {
            "layer": truncated.layer,
            "what": truncated.what,
            "offset": truncated.offset,
            "record": truncated.partial.index if truncated.partial is not None else None,
            "available": truncated.available,
            "missing": truncated.missing,
        },
        "holes": migration.holes,
        "missing": migration.missing,
        "outcome": outcome(migration),
    }


MOST_HOT = 20
"Pages and ranges that are listed."


def migration_facts(migration: Migration, bandwidth: float | None = None) -> dict[str, Any]:
    """All that a timeline says, and at ``bandwidth`` bytes per second what the last pass would have been."""
    iterations = migration.iterations
    paused = downtime(migration)
    owned = owner(migration)
    handover = Handover(migration)
    last = migration.epochs.last_complete
    rule = iterations.stop_rule
    began = migration.first
    direction = migration.stream.direction
    return {
        **guest_facts(migration.guest),
        **stream_facts(migration),
        "began": _absolute(began),
        "ended": _absolute(migration.last),
        "duration": _relative(migration.last, began),
        "iterations": [_iteration(iteration, began) for iteration in iterations.found],
        "iterations_omitted": iterations.omitted,
        "checkpoints": iterations.checkpoints,
        "stop_rule": None if rule is None else {"name": rule.name, "text": rule.text},
        "spans": [_span(span, began) for span in spans(migration)],
        "messages": [
            {
                "name": message.name,
                "status": message.status,
                "frame": message.first.frame if message.first is not None else None,
                "time": _absolute(message.last),
                "at": _relative(message.last, began),
            }
            for message in migration.messages.values()
        ],
        "downtime": None if paused is None else {"lower": paused.lower, "upper": paused.upper},
        "downtime_steps": []
        if paused is None
        else [
            {"name": one.name, "kind": one.kind, "seconds": one.seconds, "bytes": one.bytes, "bound": one.bound}
            for one in paused.steps
        ],
        "downtime_suspend": None if paused is None else paused.suspend,
        "downtime_reason": why_unknown(migration) if paused is None else paused.upper_reason or None,
        "owner": owned.name,
        "owner_reason": owned.reason,
        "handover": {
            "state": handover.state,
            "sent": handover.sent,
            "received": handover.received,
            "closed_first": handover.closed_first,
            "closed_by": handover.closed_by,
            "disorder": handover.disorder,
        },
        "memory": _memory(migration.memory),
        "epochs": [_epoch(epoch, began) for epoch in migration.epochs.found],
        "epochs_omitted": migration.epochs.omitted,
        "last_checkpoint": None
        if last is None
        else {"index": last.index, "offset": last.end, "at": _absolute(last.last)},
        "prediction": None if bandwidth is None else _prediction(migration, bandwidth),
        "wire_bytes": None
        if direction is None
        else {"sender": direction.wire_bytes, "receiver": direction.peer.wire_bytes},
        "tcp": None
        if direction is None
        else {
            "segments": direction.segments,
            "retransmitted": direction.retransmitted,
            "retransmitted_bytes": direction.retransmitted_bytes,
            "out_of_order": direction.out_of_order,
        },
    }


def _iteration(iteration: Iteration, began: Packet | None) -> dict[str, Any]:
    return {
        "index": iteration.index,
        "kind": iteration.kind,
        "pfns": iteration.pfns,
        "pages": iteration.pages,
        "missing": iteration.missing,
        "offset": iteration.offset,
        "first_sent": iteration.first_sent,
        "sent_again": iteration.again,
        "dirtied_in": iteration.dirtying,
        "dirty_rate": iteration.dirty_rate,
        "sending_rate": iteration.sending_rate,
        **_extent(iteration, began),
    }


def _span(span: Span, began: Packet | None) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": span.kind,
        "wire_bytes": span.wire_bytes,
        "iteration": span.iteration.index if span.iteration is not None else None,
        "epoch": span.epoch.index if span.epoch is not None else None,
        "throughput": span.throughput,
        **_extent(span, began),
    }


def _memory(memory: Memory) -> dict[str, Any]:
    """Rates and shares are of pages that came with their pfns; addresses are guest-physical."""
    return {
        "announced": memory.announced,
        "sent": memory.sent,
        "distinct": memory.distinct,
        "repeated": memory.repeated,
        "sent_again": memory.again,
        "ratio": memory.ratio,
        "page_types": memory.page_types,
        "pfns_missing": memory.unknown,
        "untracked": memory.counts.untracked,
        "hot_pages": [
            {"pfn": page.pfn, "address": page.pfn * GUEST_PAGE_SIZE, "times": page.times}
            for page in hottest(memory.counts, MOST_HOT)
        ],
        "hot_ranges": [
            {
                "first_pfn": one.first,
                "last_pfn": one.last,
                "address": one.first * GUEST_PAGE_SIZE,
                "pages": one.pages,
                "sent_again": one.again,
            }
            for one in hot_ranges(memory.counts, MOST_HOT)
        ],
    }


def _epoch(epoch: Epoch, began: Packet | None) -> dict[str, Any]:
    return {
        "index": epoch.index,
        "complete": epoch.complete,
        "pfns": epoch.pfns,
        "pages": epoch.pages,
        "memory_bytes": epoch.memory_bytes,
        "offset": epoch.offset,
        "end_offset": epoch.end,
        "interval": epoch.interval,
        "states": {CheckpointStateId(state).name: _absolute(packet) for state, packet in epoch.states.items()},
        "dirty_pfns": epoch.dirty_pfns,
        "dirty_list_long_header": epoch.long_header if epoch.dirty_pfns is not None else None,
        **_extent(epoch, began),
    }


def _prediction(migration: Migration, bandwidth: float) -> dict[str, Any]:
    from xenmig.core.analysis.prediction import ASSUMPTION, Model

    try:
        model = Model(migration)
    except ValueError as error:
        return {"bandwidth": bandwidth, "reason": str(error)}
    found = model.at(bandwidth)
    return {
        "bandwidth": bandwidth,
        "live_pages": found.passes,
        "live_duration": found.live_seconds,
        "stop_rule": found.rule,
        "pages": found.pages,
        "bytes": found.bytes,
        "duration": found.seconds,
        "measured_bandwidth": model.bandwidth,
        "assumption": ASSUMPTION,
    }


def _extent(part: Iteration | Span | Epoch, began: Packet | None) -> dict[str, Any]:
    """How large a part is, how long it took, and the times and frames of its first and last byte.

    ``start`` and ``end`` count from the migration's first byte.
    """
    first, last = part.first, part.last
    return {
        "bytes": part.bytes,
        "records": part.records,
        "duration": part.seconds,
        "first": _absolute(first),
        "last": _absolute(last),
        "start": _relative(first, began),
        "end": _relative(last, began),
        "first_frame": first.frame if first is not None else None,
        "last_frame": last.frame if last is not None else None,
    }


def _absolute(packet: Packet | None) -> float | None:
    return packet.time / 1e9 if packet is not None else None


def _relative(packet: Packet | None, began: Packet | None) -> float | None:
    return (packet.time - began.time) / 1e9 if packet is not None and began is not None else None
