"""What the live loop of a sender will do next: ``simple_precopy_policy`` and ``send_memory_live`` (xg_sr_save.c)."""

from __future__ import annotations

from xenmig.core.definitions.libxc import SPP_MAX_ITERATIONS, SPP_TARGET_DIRTY_COUNT
from xenmig.core.quantity import quantity


class StopForecast:
    """Which rule will stop the live loop, and when."""

    __slots__ = ("name", "text", "earliest", "latest", "is_over")

    name: str
    '"SPP_TARGET_DIRTY_COUNT", "SPP_MAX_ITERATIONS", or "unknown" where it may be either.'
    text: str
    earliest: int | None
    "Number of the iteration after which it may stop, by the dirty rate; None where nothing shows."
    latest: int
    "Number of the iteration after which it stops whatever happens."
    is_over: bool
    "Whether the loop has stopped: the pass that is being made is the last one."

    def __init__(self, name: str, text: str, earliest: int | None, latest: int, *, is_over: bool = False) -> None:
        self.name = name
        self.text = text
        self.earliest = earliest
        self.latest = latest
        self.is_over = is_over


def dirty_next(pages: int, during: float, pause: float) -> tuple[int, int] | None:
    """Between which numbers of pages a pass will have, when the pass before it had ``pages``.

    Those became dirty in ``during`` seconds; what is to be sent now did in ``pause`` seconds. A guest that goes on as
    before writes to ever fewer new pages the longer it runs, so of the two bounds one supposes that the number grows
    with the time, and the other that it does not grow at all. None where no time has passed.
    """
    if during <= 0 or pause < 0:
        return None
    scaled = round(pages * pause / during)
    return (scaled, pages) if scaled < pages else (pages, scaled)


def coming_rule(index: int, before: int | None, dirty: float | None, sent: float | None, pages: float) -> StopForecast:
    """What will stop the loop, while the pass number ``index`` (from 0) is being made.

    ``before`` is how many pages the pass before it had, ``dirty`` and ``sent`` are pages per second of that pass, and
    ``pages`` is how many this one will have at least; None is what is not known.
    """
    last = SPP_MAX_ITERATIONS - 1
    if before is not None and before < SPP_TARGET_DIRTY_COUNT:
        text = f"iteration {index - 1} had {quantity(before, 'dirty page', ',')}: the guest is paused"
        return StopForecast("SPP_TARGET_DIRTY_COUNT", text, index - 1, index - 1, is_over=True)
    if index > last:
        text = f"{SPP_MAX_ITERATIONS} iterations are over: the guest is paused"
        return StopForecast("SPP_MAX_ITERATIONS", text, last, last, is_over=True)
    if index == last:
        text = f"this is the last of {SPP_MAX_ITERATIONS} iterations while the guest runs"
        return StopForecast("SPP_MAX_ITERATIONS", text, last, last)
    few = f"fewer than {SPP_TARGET_DIRTY_COUNT} pages are dirty (SPP_TARGET_DIRTY_COUNT)"
    latest = f"after iteration {last} (SPP_MAX_ITERATIONS)"
    if dirty is None or not sent:
        return StopForecast("unknown", f"{latest}, or earlier when {few}", None, last)
    # How many pages are dirty if their number shrinks with the time that they take, which is the best that can be.
    share = dirty / sent
    for number in range(index, last):
        pages *= share
        if pages < SPP_TARGET_DIRTY_COUNT:
            text = f"{latest}, or after iteration {number + 1} at the earliest when {few}"
            if number + 1 == last:
                text = f"after iteration {last} (SPP_MAX_ITERATIONS, perhaps SPP_TARGET_DIRTY_COUNT too)"
            return StopForecast("unknown", text, number + 1, last)
    left = quantity(round(pages), "dirty page", ",")
    return StopForecast("SPP_MAX_ITERATIONS", f"{latest}, with {left} at least", last, last)
