"""Iterations: the passes over guest memory, with what each amounted to."""

from __future__ import annotations

from xenmig.core.analysis.batches import Batches, available
from xenmig.core.analysis.memory import Memory
from xenmig.core.decode.damage import Resynchronised, Truncated
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import libxc
from xenmig.core.quantity import quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

MOST_KEPT = 5_000
"Iterations that are kept; of a stream with more of them (a checkpointed one), those in the middle are left out."
ALWAYS_KEPT = 100
"Iterations that are kept of every stream; more take from the room that all streams share."
KEPT_BYTES = 512
"What one takes of it, with its packets."

BEFORE_MEMORY = (
    libxc.X86PvInfo.record,
    libxc.X86PvP2mFrames.record,
    libxc.StaticDataEnd.record,
    libxc.X86CpuidPolicy.record,
    libxc.X86MsrPolicy.record,
)
"Records that say nothing about whether memory is over: all other known ones are written when it is."


class Iteration:
    """One pass over the guest's memory."""

    # fmt: off
    __slots__ = (
        "index", "kind", "pfns", "pages", "first_sent", "bytes", "records", "missing", "offset", "first", "last",
        "dirtying",
    )
    # fmt: on

    index: int
    "From 0, as the sender's own progress lines count."
    kind: str
    '"precopy", "stop-and-copy", "non-live", "verify" or "checkpoint"; settled when the guest is known to be paused.'
    pfns: int
    "pfns announced, with data or without."
    pages: int
    "Pages of guest memory sent."
    first_sent: int
    "How many of them no pass before had sent."
    bytes: int
    "Size of its PAGE_DATA records in the stream, headers included."
    records: int
    missing: int
    "Bytes of it that a capture does not hold."
    offset: int
    "Where its first record begins."
    first: Packet | None
    "The packet with its first byte; None in a file."
    last: Packet | None
    "The packet with its last byte."
    dirtying: float | None
    """Seconds in which the guest dirtied the pages of this pass: from the first byte of the pass before to the first of
    this one, since the sender fetches and clears the dirty bitmap in front of every pass. None for the first pass, and
    in a file."""

    def __init__(self, index: int, kind: str, offset: int, first: Packet | None, dirtying: float | None = None) -> None:
        self.index = index
        self.kind = kind
        self.pfns = 0
        self.pages = 0
        self.first_sent = 0
        self.bytes = 0
        self.records = 0
        self.missing = 0
        self.offset = offset
        self.first = first
        self.last: Packet | None = None
        self.dirtying = dirtying

    @property
    def again(self) -> int:
        """Pages that a pass before had sent, VERIFY's second copy included."""
        return self.pages - self.first_sent

    @property
    def sending_rate(self) -> float | None:
        """Pages sent in a second; None in a file, and for what one packet holds."""
        return self.pages / self.seconds if self.seconds and self.seconds > 0 else None

    @property
    def dirty_rate(self) -> float | None:
        """Pages that the guest dirtied in a second before this pass, each counted once."""
        return self.pfns / self.dirtying if self.dirtying and self.dirtying > 0 else None

    @property
    def seconds(self) -> float | None:
        """From its first byte to its last; None in a file."""
        if self.first is None or self.last is None:
            return None
        return (self.last.time - self.first.time) / 1e9

    def __repr__(self) -> str:
        return f"Iteration({self.index}, {self.kind!r}, pfns={self.pfns}, pages={self.pages}, bytes={self.bytes})"


class StopRule:
    """Why the sender stopped its live loop, as far as the iterations show it."""

    __slots__ = ("name", "text")

    name: str
    '"SPP_TARGET_DIRTY_COUNT", "SPP_MAX_ITERATIONS" (both of xg_sr_save.c) or "unknown".'
    text: str

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text


class Iterations:
    """Finds the iterations of one stream."""

    # fmt: off
    __slots__ = (
        "found", "omitted", "checkpoints", "paused", "_memory", "_batches", "_phase", "_count", "_live", "_whole",
        "_lost_after",
    )
    # fmt: on

    found: list[Iteration]
    "In stream order."
    omitted: int
    "How many are missing from the middle of ``found``."
    checkpoints: int
    "CHECKPOINT records seen."
    paused: bool
    "Whether records came that are written only when the guest is paused and its memory has been sent."

    def __init__(self, memory: Memory | None = None) -> None:
        """``memory`` is where the pages are counted."""
        self._memory = memory or Memory()
        self.found = []
        self.omitted = 0
        self.checkpoints = 0
        self.paused = False
        self._batches = Batches()
        self._phase = "precopy"
        self._count = 0
        # Iterations of the first phase: all but those after VERIFY or CHECKPOINT.
        self._live: list[Iteration] = []
        self._whole = True
        # Number of iterations that had begun when the position was last lost before the guest was paused.
        self._lost_after = 0

    def take(self, events: Sequence[Event]) -> None:
        """Take the next events of the stream."""
        for event in events:
            kind = type(event)
            if kind is PageData:
                assert isinstance(event, PageData)
                self._pages(event, 8 + event.length, event.listed, event.pages)
            elif kind is Record:
                assert isinstance(event, Record)
                if event.layer == "libxc":
                    self._other(event)
            elif kind is Resynchronised:
                if not self.paused:
                    self._lost_after = self._count
            elif isinstance(event, Truncated) and isinstance(event.partial, PageData):
                partial = event.partial
                listed, whole = available(event.partial, event.available)
                partial.last = event.last
                self._pages(partial, event.available, listed, whole)

    def settle(self, live: bool, *, whole: bool = True) -> None:
        """Say of which kind the passes are, as far as that is known; this may be asked again and again.

        ``live`` says that the stream is known to be of a live migration, however few passes there are; ``whole`` that
        its beginning was there, without which passes cannot be counted.
        """
        self._whole = whole
        first = self._live
        for iteration in first:
            iteration.kind = "precopy"
        if len(first) > 1 and self.paused:
            first[-1].kind = "stop-and-copy"
        elif len(first) == 1 and not live:
            first[0].kind = "non-live"

    def would_begin(self, record: PageData) -> bool:
        """Whether a record that is still passing by begins a new iteration."""
        return self._batches.would_begin(record)

    @property
    def between(self) -> bool:
        """Whether the last iteration is known to have ended and the next has not begun."""
        return bool(self.found) and not self._batches.open

    @property
    def next_kind(self) -> str:
        """The kind that an iteration has which begins now, before it is settled."""
        return self._phase

    @property
    def live(self) -> list[Iteration]:
        """The passes made while the guest was running."""
        return [iteration for iteration in self._live if iteration.kind == "precopy"]

    @property
    def last_pass(self) -> Iteration | None:
        """The pass made while the guest was paused: stop-and-copy, or the only one when the stream is not live."""
        for iteration in reversed(self._live):
            if iteration.kind in ("stop-and-copy", "non-live"):
                return iteration
        return None

    @property
    def pause_hidden(self) -> bool:
        """Whether the place where the live passes ended lies in bytes that were passed over."""
        live = self.live
        return self._lost_after > (live[-1].index if live else 0)

    @property
    def stop_rule(self) -> StopRule | None:
        """Which rule of ``simple_precopy_policy`` ended the live loop; None when nothing shows that it has ended."""
        live = self.live
        if not live or not self.paused:
            return None
        if self.pause_hidden:
            return StopRule("unknown", "the last iterations cannot be told apart: bytes of them are missing")
        last = live[-1].pfns
        if last < libxc.SPP_TARGET_DIRTY_COUNT and len(live) <= libxc.SPP_MAX_ITERATIONS:
            dirty = quantity(last, "dirty page")
            return StopRule(
                "SPP_TARGET_DIRTY_COUNT",
                f"iteration {live[-1].index} had {dirty}, fewer than {libxc.SPP_TARGET_DIRTY_COUNT}",
            )
        if not self._whole:
            return StopRule("unknown", "the first iterations were not captured, so their number is not known")
        if self._lost_after:
            return StopRule("unknown", "bytes between the iterations are missing, so their number is not known")
        if len(live) == libxc.SPP_MAX_ITERATIONS:
            pages = quantity(last, "page", ",")
            return StopRule(
                "SPP_MAX_ITERATIONS", f"after {libxc.SPP_MAX_ITERATIONS} iterations, with {pages} in the last"
            )
        if len(live) < libxc.SPP_MAX_ITERATIONS:
            # The loop looks at the dirty count again before it makes a pass, and makes none for no pages.
            return StopRule(
                "SPP_TARGET_DIRTY_COUNT",
                f"no page was dirty after iteration {live[-1].index} (unless the sender has a policy of its own)",
            )
        passes = quantity(live[-1].index + 1, "live iteration", ",")
        return StopRule("unknown", f"{passes}: the sender has a policy that is not Xen's default")

    def _pages(self, event: PageData, size: int, pfns: int, pages: int) -> None:
        current = self._begin(event) if self._batches.begins(event) else self.found[-1]
        current.records += 1
        current.pfns += pfns
        current.pages += pages
        if current.kind != "verify":
            current.first_sent += self._memory.take(event, pages, current.index)
        current.bytes += size + len(event.padding)
        current.missing += event.missing
        current.last = event.last

    def _begin(self, event: PageData) -> Iteration:
        dirtying = None
        if self.found and event.first is not None and self.found[-1].first is not None:
            dirtying = (event.first.time - self.found[-1].first.time) / 1e9
        iteration = Iteration(self._count, self._phase, event.offset, event.first, dirtying)
        self._count += 1
        kept = len(self.found)
        full = kept >= MOST_KEPT or (kept >= ALWAYS_KEPT and not self._memory.room.take(KEPT_BYTES))
        if full:
            # Removing one from the middle of a list of this size costs less than a page of guest memory does.
            del self.found[kept // 2]
            self.omitted += 1
        self.found.append(iteration)
        if self._phase == "precopy":
            if full:
                del self._live[len(self._live) // 2]
            self._live.append(iteration)
        return iteration

    def _other(self, event: Record) -> None:
        kind = event.type
        # A PAGE_DATA here is one too short for its own header.
        if kind == libxc.PageData.record or kind in BEFORE_MEMORY or not self.found:
            return
        if kind not in libxc.RecordType.known:
            return
        self._batches.end()
        self.paused = True
        if kind == libxc.Verify.record:
            self._phase = "verify"
        elif kind == libxc.Checkpoint.record:
            self.checkpoints += 1
            self._phase = "checkpoint"
