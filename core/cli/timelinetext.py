"""How a migration went, as text for a terminal of 120 columns."""

from __future__ import annotations

from xenmig.core.analysis.downtime import downtime, why_unknown
from xenmig.core.analysis.handover import Handover, owner
from xenmig.core.analysis.outcome import outcome
from xenmig.core.analysis.spans import CHECKPOINT, HANDOVER, PREAMBLE, spans
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.info import completeness, layers_text
from xenmig.core.cli.messagetext import message_text
from xenmig.core.cli.table import aligned, named
from xenmig.core.cli.units import count, duration, rate, utc
from xenmig.core.cli.verdict import verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.analysis.downtime import Downtime
    from xenmig.core.analysis.epochs import Epochs
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.spans import Span
    from xenmig.core.sources.connection import Direction

MOST_ROWS = 60
"Phases that are listed; of more (checkpoints), the first and the last."


def lines(
    name: str,
    migration: Migration,
    verdict: str,
    *,
    convergence: bool = False,
    bandwidth: float | None = None,
    width: int = 0,
) -> Iterator[str]:
    """All about one migration of the input ``name``; ``width`` is that of the terminal, or 0 when it is none."""
    if migration.number > 1:
        yield ""
    if migration.captured:
        yield f"{escaped(name)}: migration {migration.number}, {migration.source} -> {migration.destination}"
    else:
        yield escaped(name)
    yield from named([*timeline_rows(migration, verdict)], width)
    table = [*_table(migration)]
    if len(table) > 1:
        yield ""
        yield from table
    paused = downtime(migration)
    if paused is not None and paused.steps:
        yield ""
        yield from _pause(paused)
    if convergence or bandwidth is not None:
        from xenmig.core.cli import convergencetext

        if convergence:
            yield ""
            yield from convergencetext.lines(migration, width)
        if bandwidth is not None:
            yield ""
            yield from convergencetext.prediction(migration, bandwidth)


def verdict_text(counts: dict[str, int], complete: bool) -> str:
    """The verdict on a stream, and where to read more."""
    text = verdict(counts, complete)
    return f"{text}; xenmig verify lists what was found" if any(counts.values()) else text


def timeline_rows(migration: Migration, verdict: str) -> Iterator[tuple[str, str]]:
    """What there is to say in a line each: name and text. What everybody asks first stands first."""
    guest = migration.guest
    yield "guest", guest_text(guest) + (f", from Xen {guest.xen}" if guest.xen else "")
    yield "stream", f"{layers_text(migration)}, {count(migration.bytes, 'byte')}, {completeness(migration)}"
    if migration.first is not None and migration.last is not None:
        seconds = (migration.last.time - migration.first.time) / 1e9
        yield "time", f"{utc(migration.first.time)}, {duration(seconds)}{_speed(migration, seconds)}"
    direction = migration.stream.direction
    yield "verdict", verdict
    yield "outcome", outcome(migration)
    owned = owner(migration)
    yield "owner", f"{owned.name}: {owned.reason}"
    if direction is not None:
        yield "last words", _last_words(Handover(migration))
    yield "downtime", downtime_text(migration)
    rule = migration.iterations.stop_rule
    if rule is not None:
        yield "live loop", f"stopped by {rule.name}: {rule.text}" if rule.name != "unknown" else rule.text
    memory = migration.memory
    if memory.sent:
        yield "memory", _memory(migration)
    if migration.epochs.found:
        yield "checkpoints", _checkpoints(migration.epochs)
    if direction is not None:
        yield from _network(migration, direction)


def _speed(migration: Migration, seconds: float) -> str:
    speed = rate(migration.bytes, seconds)
    return f", {speed} on average" if speed else ""


def _network(migration: Migration, direction: Direction) -> Iterator[tuple[str, str]]:
    from xenmig.core.analysis.network import network
    from xenmig.core.cli.networktext import network_rows

    found = network(migration)
    if found is None:
        yield "tcp", _segments(direction)
    else:
        yield from network_rows(found)


def _segments(direction: Direction) -> str:
    parts = [count(direction.segments, "segment")]
    if direction.retransmitted:
        parts.append(f"{direction.retransmitted:,} captured before ({count(direction.retransmitted_bytes, 'byte')})")
    if direction.out_of_order:
        parts.append(f"{direction.out_of_order:,} late (sent again after a loss, or overtaken)")
    if len(parts) == 1:
        parts.append("none sent again or out of order")
    return ", ".join(parts)


def _last_words(found: Handover) -> str:
    sent, received = found.sent or "nothing", found.received or "nothing"
    if found.closed_first is None:
        closed = "neither has closed the connection"
    else:
        closed = f"the {found.closed_first} closed first, by {found.closed_by}"
    return "; ".join([f"sender: {sent}", f"receiver: {received}", closed, *found.disorder])


def downtime_text(migration: Migration) -> str:
    """The bounds of the downtime, or why there are none."""
    found = downtime(migration)
    if found is None:
        return f"not known: {why_unknown(migration)}"
    if found.upper is None:
        return f"at least {duration(found.lower)}; {found.upper_reason}"
    return f"{duration(found.lower)} to {duration(found.upper)}"


def _memory(migration: Migration) -> str:
    memory = migration.memory
    text = f"{count(memory.sent, 'page')} sent for {memory.distinct:,} of the guest"
    if memory.ratio is not None and memory.again:
        text += f", {memory.ratio:.2f} times each: {memory.repeated:,} came more than once"
    if memory.unknown:
        text += f"; {memory.unknown:,} without their pfns, which were not captured"
    if memory.counts.untracked:
        text += f"; {memory.counts.untracked:,} not followed, with pfns too far apart"
    return text


def _checkpoints(epochs: Epochs) -> str:
    text = f"{'COLO' if epochs.colo else 'Remus'}, {epochs.complete:,} complete"
    intervals = [epoch.interval for epoch in epochs.found if epoch.interval is not None]
    if intervals:
        mean = sum(intervals) / len(intervals)
        text += f", one every {duration(mean)} ({duration(min(intervals))} to {duration(max(intervals))})"
    last = epochs.last_complete
    if last is not None:
        text += f"; the last consistent one is {last.index:,}, up to offset {last.end:,}"
    return text


def _pause(found: Downtime) -> Iterator[str]:
    """What each bound of the downtime is made of."""
    yield "  downtime, from the last byte that was sent while the guest was running"
    rows: list[tuple[str, str]] = []
    told = False
    for step in found.steps:
        if step.bound == "upper" and not told:
            rows.append((duration(found.lower), "= lower bound"))
            told = True
        size = f", {count(step.bytes, 'byte')}" if step.bytes and step.kind in ("memory", "state") else ""
        running = ", which may go on running for a while" if step.kind == "suspend" else ""
        rows.append((duration(step.seconds), f"{step.name}{running}{size}"))
    if not told:
        rows.append((duration(found.lower), "= lower bound"))
    elif found.upper is not None:
        rows.append((duration(found.upper), "= upper bound"))
    yield from aligned(rows, ">", indent=4)


# -- the table ----------------------------------------------------------------------------------------------------


def _table(migration: Migration) -> Iterator[str]:
    """The phases, in order."""
    timed = migration.captured
    found = spans(migration)
    rows = [["start (s)", "time", "", "pfns", "pages", "bytes", "on the wire", "speed", "frames"]]
    if not timed:
        rows = [["", "pfns", "pages", "again", "bytes"]]
    left_out = migration.epochs.omitted + migration.iterations.omitted
    shown: list[Span | None] = [*found]
    if len(found) > MOST_ROWS or left_out:
        half = min(len(found), MOST_ROWS) // 2
        left_out += len(found) - 2 * half
        shown = [*found[:half], None, *found[-half:]]
    for span in shown:
        if span is None:
            rows.append([*([""] * (2 if timed else 0)), f"... {left_out:,} more ..."])
        elif timed:
            rows.append(_timed(span, migration))
        else:
            rows.append(_row(span))
    yield from aligned(rows, ">><>>>>>>" if timed else "<>>>>")


def _timed(span: Span, migration: Migration) -> list[str]:
    began = migration.first
    start = f"{(span.start - began.time) / 1e9:.6f}" if span.start is not None and began is not None else ""
    seconds = span.seconds
    cells = [start, duration(seconds) if seconds is not None else ""]
    if span.kind == HANDOVER and span.message is not None:
        said = f": {message_text(span.message)}" if span.message.status is not None else ""
        return [*cells, span.name + said]
    if span.kind == PREAMBLE and span.message is not None:
        return [*cells, message_text(span.message)]
    if not span.bytes:
        return [*cells, span.name]
    wire = f"{span.wire_bytes:,}" if span.wire_bytes is not None else ""
    speed = rate(span.bytes, seconds) if span.iteration is not None or span.kind == CHECKPOINT else ""
    first, last = span.first, span.last
    frames = ""
    if first is not None and last is not None:
        frames = f"{first.frame}-{last.frame}" if last.frame > first.frame else str(first.frame)
    return [*cells, span.name, *_pages(span), f"{span.bytes:,}", wire, speed, frames]


def _row(span: Span) -> list[str]:
    again = f"{span.iteration.again:,}" if span.iteration is not None else ""
    return [span.name, *_pages(span), again, f"{span.bytes:,}"]


def _pages(span: Span) -> list[str]:
    part = span.iteration or span.epoch
    return [f"{part.pfns:,}", f"{part.pages:,}"] if part is not None else ["", ""]
