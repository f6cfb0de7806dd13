"""What the last pass over memory would have been at another bandwidth."""

from __future__ import annotations

from xenmig.core.definitions.libxc import SPP_MAX_ITERATIONS, SPP_TARGET_DIRTY_COUNT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration

ASSUMPTION = (
    "the sender keeps the link full and stops its live loop by Xen's default policy, and the guest dirties pages as it"
    " did here: in a time between two that were measured a number in between, in a shorter one proportionally fewer"
    " (a guest that writes to the same pages again and again dirties more than that), in a longer one no more"
)
"What a prediction supposes, as part of a sentence."


class Prediction:
    """The passes of a migration of the same guest at a bandwidth."""

    __slots__ = ("bandwidth", "passes", "pages", "bytes", "seconds", "live_seconds", "rule")

    bandwidth: float
    "Bytes of frames per second, all headers included."
    passes: list[int]
    "Pages of each pass while the guest runs."
    pages: int
    "Pages of the last pass, stop-and-copy."
    bytes: int
    "What these take of the stream."
    seconds: float
    "How long the last pass takes."
    live_seconds: float
    "How long the passes before it take together."
    rule: str
    '"SPP_TARGET_DIRTY_COUNT" or "SPP_MAX_ITERATIONS": what ends the live loop.'

    def __init__(self, bandwidth: float) -> None:
        self.bandwidth = bandwidth
        self.passes = []
        self.pages = 0
        self.bytes = 0
        self.seconds = 0.0
        self.live_seconds = 0.0
        self.rule = ""


class Model:
    """How many pages the guest dirties in how much time, and what a pass takes, as measured in one migration."""

    __slots__ = ("points", "first_pages", "first_bytes", "bytes_per_page", "overhead", "suspend", "bandwidth")

    points: list[tuple[float, float]]
    "Seconds, and pages that were dirty after them; both ascend, from 0, 0."
    first_pages: int
    "Pages of the first pass."
    first_bytes: int
    "Bytes of it, which may announce many pfns that have no page."
    bytes_per_page: float
    "Of the stream, in later passes."
    overhead: float
    "Bytes of frames for each byte of the stream."
    suspend: float
    "Seconds from the end of the last live pass to the last pass, in which the guest may have dirtied pages too."
    bandwidth: float
    "Bytes of frames per second, on average over the live passes; 0 when no time has passed."

    def __init__(self, migration: Migration) -> None:
        """Measure; raises ValueError with the reason when a migration does not show enough."""
        iterations = migration.iterations
        live, paused = iterations.live, iterations.last_pass
        later = [one for one in (*live[1:], paused) if one is not None and one.dirtying]
        if not migration.captured:
            raise ValueError("a stream file has no times, so it does not show how fast the guest dirtied its memory")
        if not live:
            raise ValueError("there is no pass over memory while the guest was running")
        if not later or migration.joined or iterations.pause_hidden:
            raise ValueError("it takes two passes over memory to see how fast the guest dirtied it")
        self.points = [(0.0, 0.0)]
        for seconds, pages in sorted((one.dirtying or 0.0, float(one.pfns)) for one in later):
            self.points.append((seconds, max(pages, self.points[-1][1])))
        self.first_pages, self.first_bytes = live[0].pages, live[0].bytes
        self.bytes_per_page = sum(one.bytes for one in later) / max(1, sum(one.pfns for one in later))
        first, last = live[0].first, live[-1].last
        assert first is not None
        assert last is not None
        sent = sum(one.bytes for one in live)
        wire = last.wire_bytes - first.wire_bytes
        self.overhead = max(1.0, wire / sent) if sent else 1.0
        seconds = (last.time - first.time) / 1e9
        self.bandwidth = sent * self.overhead / seconds if seconds > 0 else 0.0
        self.suspend = 0.0
        if paused is not None and paused.first is not None:
            self.suspend = max(0.0, (paused.first.time - last.time) / 1e9)

    def dirty(self, seconds: float) -> float:
        """Pages that are dirty after a time."""
        before = self.points[0]
        for point in self.points[1:]:
            if seconds < point[0]:
                return before[1] + (point[1] - before[1]) * (seconds - before[0]) / (point[0] - before[0])
            before = point
        return before[1]

    def at(self, bandwidth: float) -> Prediction:
        """The migration at that many bytes of frames per second: xg_sr_save.c, send_memory_live and what follows it."""
        speed = bandwidth / self.overhead
        found = Prediction(bandwidth)
        found.passes.append(self.first_pages)
        seconds = self.first_bytes / speed
        found.live_seconds = seconds
        found.rule = "SPP_MAX_ITERATIONS"
        while len(found.passes) < SPP_MAX_ITERATIONS:
            pages = round(self.dirty(seconds))
            if pages:
                found.passes.append(pages)
                seconds = pages * self.bytes_per_page / speed
                found.live_seconds += seconds
            if pages < SPP_TARGET_DIRTY_COUNT:
                found.rule = "SPP_TARGET_DIRTY_COUNT"
                break
        found.pages = round(self.dirty(seconds + self.suspend))
        found.bytes = round(found.pages * self.bytes_per_page)
        found.seconds = found.bytes / speed
        return found
