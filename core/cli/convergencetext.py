"""Why a migration converged or did not, as text: dirty rates, pages that came again and again, another bandwidth."""

from __future__ import annotations

import textwrap

from xenmig.core.analysis.hot_pages import hot_ranges, hottest
from xenmig.core.analysis.prediction import ASSUMPTION, Model
from xenmig.core.cli.table import aligned, named
from xenmig.core.cli.units import count, duration, rate
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.memory import Memory
    from xenmig.core.analysis.migration import Migration

MOST_ROWS = 40
"Iterations that are listed; of more, the first and the last."
MOST_HOT = 5
"Pages and ranges that are listed."


def lines(migration: Migration, width: int = 0) -> Iterator[str]:
    """The pages of each iteration, and which of them were sent in vain; ``width`` as for the timeline."""
    found = migration.iterations.found
    if found:
        yield "  convergence: pages by iteration"
        yield from aligned([*_table(found, timed=migration.captured)], "<>>>>>>", indent=4)
    memory = migration.memory
    if memory.distinct:
        yield ""
        yield from named([*memory_rows(memory)], width)


def prediction(migration: Migration, bandwidth: float) -> Iterator[str]:
    """What the last pass would have been at another bandwidth, in bytes per second."""
    speed = rate(round(bandwidth), 1)
    try:
        model = Model(migration)
    except ValueError as error:
        yield f"  at {speed}: not known: {error}"
        return
    found = model.at(bandwidth)
    yield f"  at {speed} on the wire, headers included"
    passes = ", ".join(f"{pages:,}" for pages in found.passes)
    rows = [
        ("live passes", f"pages {passes}; {duration(found.live_seconds)}; stopped by {found.rule}"),
        ("stop-and-copy", f"{count(found.pages, 'page')}, {count(found.bytes, 'byte')}, {duration(found.seconds)}"),
    ]
    paused = migration.iterations.last_pass
    if paused is not None and paused.seconds is not None:
        measured = f"{count(paused.pages, 'page')}, {count(paused.bytes, 'byte')}, {duration(paused.seconds)}"
        rows.append(
            ("as captured", f"{measured}; the live passes went at {rate(round(model.bandwidth), 1)} on average")
        )
    yield from aligned(rows, indent=4)
    yield from textwrap.wrap(
        f"This supposes that {ASSUMPTION}.", 100, initial_indent=" " * 4, subsequent_indent=" " * 4
    )


def _table(found: list[Iteration], *, timed: bool) -> Iterator[list[str]]:
    head = ["", "pages", "first sent", "sent again"]
    yield [*head, "dirtied in", "dirty pages/s", "sent pages/s"] if timed else head
    shown: list[Iteration | None] = [*found]
    if len(found) > MOST_ROWS:
        shown = [*found[: MOST_ROWS // 2], None, *found[-MOST_ROWS // 2 :]]
    for one in shown:
        if one is None:
            yield [f"... {len(found) - MOST_ROWS:,} more ..."]
            continue
        cells = [f"{one.index}: {one.kind}", *(f"{number:,}" for number in (one.pages, one.first_sent, one.again))]
        if timed:
            cells.append(duration(one.dirtying) if one.dirtying is not None else "")
            cells += ["" if speed is None else f"{speed:,.0f}" for speed in (one.dirty_rate, one.sending_rate)]
        yield cells


def memory_rows(memory: Memory) -> Iterator[tuple[str, str]]:
    """Which pages came again and again: name and text of each row."""
    again = memory.again
    share = again / memory.sent if memory.sent else 0
    yield "in vain", f"{again:,} of {count(memory.sent, 'page')} sent ({share:.0%}) came again later"
    yield "page types", ", ".join(f"{name} {number:,}" for name, number in memory.page_types.items())
    ranges = hot_ranges(memory.counts, MOST_HOT)
    for place, one in enumerate(ranges):
        start, end = one.first * GUEST_PAGE_SIZE, (one.last + 1) * GUEST_PAGE_SIZE - 1
        name = "" if place else "hot ranges"
        text = f"pfns 0x{one.first:x}-0x{one.last:x} (0x{start:x}-0x{end:x}): {count(one.pages, 'page')}"
        yield name, f"{text} came more than once, {one.again:,} in vain"
    least = "at least " if memory.counts.saturated else ""
    for place, page in enumerate(hottest(memory.counts, MOST_HOT)):
        text = f"pfn 0x{page.pfn:x} (0x{page.pfn * GUEST_PAGE_SIZE:x}): sent {least}{count(page.times, 'time')}"
        yield "" if place else "hot pages", text
