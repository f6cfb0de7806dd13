"""Facts about a migration as JSON. Times are seconds: absolute ones since 1970-01-01 00:00 UTC."""

from __future__ import annotations

from xenmig.core.analysis.downtime import downtime, why_unknown
from xenmig.core.analysis.handover import owner
from xenmig.core.analysis.outcome import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.analysis.guest import Guest
    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.phases import Phase
    from xenmig.core.sources.packet import Packet


def guest_facts(guest: Guest) -> dict[str, Any]:
    """What is known of the guest; null where it is not."""
    return {
        "guest": guest.kind,
        "guest_type": guest.type or None,
        "name": guest.name or None,
        "uuid": guest.uuid or None,
        "vcpus": guest.vcpus,
        "memory_kib": guest.memory,
        "maximum_memory_kib": guest.maximum,
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


def migration_facts(migration: Migration) -> dict[str, Any]:
    """All that a timeline says."""
    iterations = migration.iterations
    paused = downtime(migration)
    owned = owner(migration)
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
        "phases": [_phase(phase, began) for phase in migration.phases.found],
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
        else [{"name": one.name, "seconds": one.seconds} for one in paused.steps],
        "downtime_reason": why_unknown(migration) if paused is None else paused.upper_reason or None,
        "owner": owned.name,
        "owner_reason": owned.reason,
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
        "bytes": iteration.bytes,
        "records": iteration.records,
        "missing": iteration.missing,
        "offset": iteration.offset,
        **_span(iteration, began),
    }


def _phase(phase: Phase, began: Packet | None) -> dict[str, Any]:
    return {"name": phase.name, "bytes": phase.bytes, "records": phase.records, **_span(phase, began)}


def _span(part: Iteration | Phase, began: Packet | None) -> dict[str, Any]:
    """Times and frames of the first and the last byte; ``start`` and ``end`` count from the migration's first byte."""
    first, last = part.first, part.last
    return {
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
