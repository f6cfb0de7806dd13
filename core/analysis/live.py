"""What a migration is doing at a moment, while its bytes still come.

Everything that is counted is asked of the migration's own objects; here is what only matters while one watches: the
rate of the last seconds, the record that is passing by, what is left, and which rule will stop the live loop.
"""

from __future__ import annotations

from collections import deque

from xenmig.core.analysis.batches import available
from xenmig.core.analysis.downtime import last_while_running
from xenmig.core.analysis.forecast import coming_rule, dirty_next
from xenmig.core.analysis.moment import Left, Moment, Passing
from xenmig.core.analysis.network import Limits, flow_of, times_of
from xenmig.core.decode.record import PageData
from xenmig.core.decode.records import RECORD_HEADER
from xenmig.core.decode.stream import StreamDecoder, type_name
from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.xl import BANNER, PERMISSION, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.decode.record import Record
    from xenmig.core.sources.traffic.flow import Flow

    _Sample: TypeAlias = tuple[int, int, dict[str, int] | None]
    "Time, bytes, and where the time of the direction has gone."

WINDOW = 3_000_000_000
"Nanoseconds over which the rate of the moment is taken."
_SAMPLES = 30
_PER_KIB = GUEST_PAGE_SIZE >> 10


class Live:
    """Watches one migration."""

    __slots__ = ("migration", "began", "_begun", "_samples", "_came", "_came_record")

    migration: Migration
    began: int
    "When the first byte of the stream came, in nanoseconds since 1970."

    def __init__(self, migration: Migration, time: int) -> None:
        self.migration = migration
        self.began = migration.first.time if migration.first is not None else time
        # When the last iterations began, by index.
        self._begun: dict[int, int] = {}
        self._samples: deque[_Sample] = deque(((self.began, 0, None),))
        # Of the record that is passing by: for each page whether it came before.
        self._came: list[bool] = []
        self._came_record = -1

    def seconds(self, iteration: Iteration, time: int) -> float | None:
        """How long an iteration took that has just ended; ``time`` stands for its end where there are no packets."""
        if self.migration.captured:
            return iteration.seconds
        begun = self._begun.get(iteration.index)
        return (time - begun) / 1e9 if begun is not None else None

    def note(self, time: int) -> None:
        """Events were taken at ``time``: remember what has no time of its own in a stream file."""
        found = self.migration.iterations.found
        for iteration in found[-3:]:
            if iteration.index not in self._begun:
                self._begun[iteration.index] = iteration.first.time if iteration.first is not None else time
        while len(self._begun) > 3:
            del self._begun[min(self._begun)]

    def at(self, time: int, position: int) -> Moment:
        """The numbers at ``time``, when ``position`` bytes of the stream have come."""
        migration = self.migration
        moment = Moment(time, position, self._stage())
        self._rates(moment)
        iterations = migration.iterations
        moment.all_pages, moment.all_again = migration.memory.sent, migration.memory.again
        if iterations.found:
            last = iterations.found[-1]
            moment.iteration, moment.kind = last.index, last.kind
            moment.pfns, moment.pages, moment.again = last.pfns, last.pages, last.again
        if moment.stage in ("headers", "memory", "guest state", "checkpoint"):
            self._passing(moment, position)
        moment.between = iterations.between and self.opening is None
        if moment.stage == "memory" and moment.iteration is not None and not moment.between:
            self._memory(moment)
        elif moment.stage in ("guest state", "hand-over") and not iterations.checkpoints:
            running = last_while_running(migration)
            moment.paused = (time - running.time) / 1e9 if running is not None else None
        return moment

    @property
    def opening(self) -> PageData | None:
        """The record that is passing by, where it is the first of a pass whose iteration is not there yet."""
        pending = self._pending
        if not isinstance(pending, PageData) or not self.migration.iterations.would_begin(pending):
            return None
        return pending

    @property
    def opened(self) -> int:
        """Number of the last pass that has begun; -1 before the first."""
        found = self.migration.iterations.found
        return (found[-1].index if found else -1) + (self.opening is not None)

    @property
    def _pending(self) -> Record | None:
        decoder = self.migration.stream.decoder
        # What the end of input cut off has been counted as far as it goes.
        if self.migration.truncated is not None or not isinstance(decoder, StreamDecoder):
            return None
        return decoder.pending

    def _stage(self) -> str:
        migration = self.migration
        if is_over(migration):
            return "over"
        if migration.ended:
            return "hand-over"
        if migration.iterations.checkpoints:
            return "checkpoint"
        if migration.iterations.paused:
            return "guest state"
        return "memory" if self.opened >= 0 else "headers"

    def _rates(self, moment: Moment) -> None:
        samples = self._samples
        time, bytes = moment.time, moment.bytes
        flow = self._flow()
        times = times_of(flow) if flow is not None else None
        if time >= samples[-1][0] + WINDOW // _SAMPLES:
            samples.append((time, bytes, times))
        while len(samples) > 2 and samples[1][0] <= time - WINDOW:
            samples.popleft()
        since, before, earlier = samples[0]
        if flow is not None and times is not None:
            moment.retransmitted = flow.retransmitted + flow.resent_unseen
            moment.limits = Limits({kind: spent - (earlier or {}).get(kind, 0) for kind, spent in times.items()})
        if time > since:
            moment.rate = (bytes - before) * 1e9 / (time - since)
        if time > self.began:
            moment.average = bytes * 1e9 / (time - self.began)

    def _flow(self) -> Flow | None:
        connection, direction = self.migration.stream.connection, self.migration.stream.direction
        if connection is None or direction is None or connection.traffic is None:
            return None
        return flow_of(connection, direction)

    def _passing(self, moment: Moment, position: int) -> None:
        record = self._pending
        if record is None:
            return
        length = RECORD_HEADER + (record.length + 7 & ~7)
        done = min(length, max(0, position - record.offset))
        moment.passing = Passing(type_name(record), done, length)
        if not isinstance(record, PageData):
            return
        if self.opening is record:
            moment.iteration = self.opened
            moment.kind = self.migration.iterations.next_kind
            moment.pfns = moment.pages = moment.again = 0
        listed, pages = available(record, done)
        if self._came_record != record.index:
            self._came_record, self._came = record.index, self.migration.memory.came(record.pfns)
        again = sum(self._came[:pages])
        moment.pfns += listed
        moment.pages += pages
        moment.again += again
        moment.unsent = record.pages - pages
        moment.all_pages += pages
        moment.all_again += again

    def _memory(self, moment: Moment) -> None:
        """The dirty rate, what is left of the pass, and what will end the loop."""
        index = moment.iteration
        assert index is not None
        done = [one for one in self.migration.iterations.found[-3:] if one.index < index]
        before = done[-1] if done else None
        expected = self._expected(moment, done) if index > 1 else None
        pages = moment.pfns
        if index == 0:
            moment.left = self._left_of_all(moment)
        elif self._is_last_batch():
            moment.left = Left(moment.unsent, moment.unsent, None, moment.rate, "the last batch of the pass")
        elif expected is not None:
            least, most = (moment.unsent + max(0, number - moment.pfns) for number in expected)
            basis = "the rate at which pages became dirty"
            moment.left = Left(least, most, None, moment.rate, basis, estimated=True)
            pages = max(pages, expected[0])
        else:
            moment.left = Left(moment.unsent, None, None, moment.rate, "what is announced")
        if moment.kind != "precopy" or not self._is_live(index):
            return
        sent = before.sending_rate if before is not None else None
        count = before.pfns if before is not None else None
        moment.stop = coming_rule(index, count, moment.dirty_rate, sent, pages)
        if moment.stop.is_over:
            moment.kind = "stop-and-copy"
        elif index:
            # Whether the guest is paused already shows only when the records behind memory come.
            moment.kind = ""

    def _is_last_batch(self) -> bool:
        """Whether the batch that is passing by is not full: only the last one of a pass is not."""
        record = self._pending
        return isinstance(record, PageData) and record.count < libxc.MAX_BATCH_SIZE

    def _expected(self, moment: Moment, done: list[Iteration]) -> tuple[int, int] | None:
        """How many pages the pass will have that is being made, and the dirty rate on the way."""
        begun = self._begun
        if len(done) < 2 or done[-1].index not in begun or done[-2].index not in begun:
            return None
        last = begun[done[-1].index]
        during = (last - begun[done[-2].index]) / 1e9
        if during > 0:
            # In a capture this is the iteration's own dirty_rate.
            moment.dirty_rate = done[-1].pfns / during
        opening = self.opening
        if opening is not None and opening.first is not None:
            now = opening.first.time
        else:
            now = begun.get(done[-1].index + 1, moment.time)
        return dirty_next(done[-1].pfns, during, (now - last) / 1e9)

    def _is_live(self, index: int) -> bool:
        migration = self.migration
        return migration.captured or index > 0 or BANNER.name in migration.messages

    def _left_of_all(self, moment: Moment) -> Left | None:
        """Of the first pass: what the guest has by its size, less what was sent."""
        guest = self.migration.guest
        memory = guest.configuration.max_memory or guest.configuration.memory
        pages = memory // _PER_KIB if memory else None
        if guest.pfns is not None:
            pfns = max(0, guest.pfns - moment.pfns)
            most = moment.unsent + pfns
            if pages is not None:
                most = min(most, max(0, pages - moment.pages))
            return Left(0, most, pfns, moment.rate, "X86_PV_P2M_FRAMES")
        if guest.kind != "HVM":
            return None
        # What has no place below the hole for devices lies above 4 GiB.
        above = max(0, pages - libxc.HVM_MMIO_START) if pages is not None else 0
        end = (1 << 20) + above if above else libxc.HVM_SPECIAL_END
        pfns = max(0, end - moment.pfns)
        if pages is None:
            return Left(0, None, pfns, moment.rate, "the least that an HVM guest has")
        # Firmware and Xen have a few pages besides.
        return Left(0, max(0, pages - moment.pages), pfns, moment.rate, "the configuration", estimated=True)


def is_over(migration: Migration) -> bool:
    """Whether nothing more is expected of a migration."""
    direction = migration.stream.direction
    if direction is None:
        return migration.ended or migration.truncated is not None
    # Behind any other status the receiver may give the guest back.
    return migration.status == 0 or (direction.ended and direction.peer.ended)


def waits_for(migration: Migration) -> str:
    """What is to come behind the stream's END, as a phrase."""
    messages = migration.messages
    if BANNER.name not in messages:
        return f"the end of the {'connection' if migration.captured else 'input'}"
    if READY.name not in messages:
        return "the receiver to restore the guest and say that it is ready"
    if PERMISSION.name not in messages:
        return "the sender's permission to unpause the guest"
    return "the receiver's report"
