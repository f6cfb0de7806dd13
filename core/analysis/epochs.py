"""Epochs of a checkpointed stream (Remus, COLO): what the guest did between two checkpoints, and how they were taken.

libxc-migration-stream and libxl-migration-stream, Checkpointed Streams: memory and state of the guest, a libxc
CHECKPOINT, the device model's state, a libxl CHECKPOINT_END; then, for COLO, CHECKPOINT_STATE records to and fro.
"""

from __future__ import annotations

from xenmig.core.analysis.batches import available
from xenmig.core.analysis.pfn_counts import Room
from xenmig.core.decode.damage import Truncated
from xenmig.core.decode.record import DirtyPfnList, PageData, Record
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.libxl import CheckpointStateId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

MOST_KEPT = 2_000
"Epochs that are kept; of more, those in the middle are left out."
ALWAYS_KEPT = 100
"Epochs that are kept of every stream; more take from the room that all streams share."
KEPT_BYTES = 1024
"What one takes of it, with its packets."
MOST_WAITING = 64
"Answers of a receiver that are kept until the checkpoint that they are about has come."

_CHECKPOINT = libxc.Checkpoint.record
_CHECKPOINT_END = libxl.CheckpointEnd.record
_STATE = libxl.CheckpointState.record
_LIST = -1
"Stands for CHECKPOINT_DIRTY_PFN_LIST among the states."


class Epoch:
    """What the stream brings up to one checkpoint. The first one holds all passes over memory of the live phase."""

    # fmt: off
    __slots__ = (
        "index", "offset", "end", "pages", "pfns", "memory_bytes", "bytes", "records", "taken", "complete", "first",
        "last", "interval", "states", "dirty_pfns", "long_header",
    )
    # fmt: on

    index: int
    "From 0."
    offset: int
    "Where its first record begins."
    end: int
    "The position behind its last record."
    pages: int
    pfns: int
    memory_bytes: int
    "Size of its PAGE_DATA records, headers included."
    bytes: int
    "Size of all its records."
    records: int
    taken: bool
    "Whether libxc's CHECKPOINT came: all memory and state of the guest is there."
    complete: bool
    "Whether CHECKPOINT_END came: a receiver can go on from here."
    first: Packet | None
    "The packet with its first byte; None in a file."
    last: Packet | None
    interval: float | None
    "Seconds between the end of the epoch before and the end of this one; None for the first, and in a file."
    states: dict[int, Packet | None]
    """COLO: the CHECKPOINT_STATE records about it by control_id, with their packets: the sender's NEW, which asks for
    it, and the receiver's SVM_SUSPENDED, SVM_READY and SVM_RESUMED."""
    dirty_pfns: int | None
    "COLO: how many pfns the receiver's CHECKPOINT_DIRTY_PFN_LIST has; None when there was none."
    long_header: bool
    "COLO: whether that list had the header of 16 bytes that Xen 4.18 and later write."

    def __init__(self, index: int, offset: int, first: Packet | None) -> None:
        self.index = index
        self.offset = offset
        self.end = offset
        self.pages = 0
        self.pfns = 0
        self.memory_bytes = 0
        self.bytes = 0
        self.records = 0
        self.taken = False
        self.complete = False
        self.first = first
        self.last: Packet | None = None
        self.interval: float | None = None
        self.states = {}
        self.dirty_pfns: int | None = None
        self.long_header = False

    @property
    def seconds(self) -> float | None:
        """From its first byte to its last; None in a file."""
        if self.first is None or self.last is None:
            return None
        return (self.last.time - self.first.time) / 1e9


class Epochs:
    """Finds the epochs of one stream, and pairs what the receiver says with them."""

    # fmt: off
    __slots__ = (
        "found", "omitted", "complete", "last_complete", "colo", "_room", "_current", "_closed", "_ended", "_answers",
    )
    # fmt: on

    found: list[Epoch]
    "Those that have begun, in order; empty for a stream without checkpoints."
    omitted: int
    "How many are missing from the middle of ``found``."
    complete: int
    "How many are complete."
    last_complete: Epoch | None
    "The one that a receiver would go on from."
    colo: bool
    "Whether there are records of COLO."

    def __init__(self, room: Room | None = None) -> None:
        """``room`` is what all streams of an input share."""
        self._room = room or Room()
        self.found = []
        self.omitted = 0
        self.complete = 0
        self.last_complete: Epoch | None = None
        self.colo = False
        # The one that goes on. The first is not among those found before its CHECKPOINT has come.
        self._current: Epoch | None = None
        self._closed = False
        self._ended: Packet | None = None
        # What the receiver said: state, packet, pfns of a list, whether its header is the long one.
        self._answers: list[tuple[int, Packet | None, int, bool]] = []

    @property
    def unpaired(self) -> int:
        """How many answers of a receiver are about no epoch that has come."""
        return len(self._answers)

    def take(self, events: Sequence[Event]) -> None:
        """Take the next events of the guest's stream."""
        for event in events:
            if isinstance(event, Record):
                self._record(event)
                if self._answers:
                    self._pair()
            elif isinstance(event, Truncated) and isinstance(event.partial, PageData) and self._current is not None:
                current = self._current
                if self._closed:
                    current = self._begin(Epoch(current.index + 1, event.offset, event.first))
                pfns, pages = available(event.partial, event.available)
                current.pfns += pfns
                current.pages += pages
                current.memory_bytes += event.available
                current.bytes += event.available
                current.end = event.offset + event.available
                current.last = event.last or current.last

    def answered(self, events: Sequence[Event]) -> None:
        """Take the next events of what the receiver says."""
        for event in events:
            if isinstance(event, DirtyPfnList):
                self._answers.append((_LIST, event.last, event.length // 8, bool(event.header_end)))
            elif isinstance(event, Record) and event.layer == libxl.LAYER and event.type == _STATE:
                self._answers.append((_state(event), event.last, 0, False))
        if self._answers:
            self.colo = True
            del self._answers[:-MOST_WAITING]
            self._pair()

    def _record(self, event: Record) -> None:
        current = self._current
        inner = event.layer == libxc.LAYER
        if current is None:
            if not isinstance(event, PageData) and not (inner and event.type == _CHECKPOINT):
                return
            current = self._current = Epoch(0, event.offset, event.first)
        elif self._closed or (current.taken and inner):
            # A bare libxc stream has no CHECKPOINT_END.
            if not current.complete:
                self._complete(current)
            current = self._begin(Epoch(current.index + 1, event.offset, event.first))
        size = 8 + event.length + len(event.padding)
        current.records += 1
        current.bytes += size
        current.end = event.offset + size
        current.last = event.last
        if isinstance(event, PageData):
            current.memory_bytes += size
            current.pfns += event.listed
            current.pages += event.pages
        elif inner and event.type == _CHECKPOINT:
            current.taken = True
            if not current.index:
                self._begin(current)
        elif not inner and event.type == _CHECKPOINT_END:
            self._complete(current)
            self._closed = True
        elif not inner and event.type == _STATE:
            self.colo = True
            state = _state(event)
            if state in CheckpointStateId.known:
                current.states.setdefault(state, event.last)

    def _begin(self, epoch: Epoch) -> Epoch:
        self._current = epoch
        self._closed = False
        kept = len(self.found)
        if kept >= MOST_KEPT or (kept >= ALWAYS_KEPT and not self._room.take(KEPT_BYTES)):
            del self.found[kept // 2]
            self.omitted += 1
        self.found.append(epoch)
        return epoch

    def _complete(self, epoch: Epoch) -> None:
        epoch.complete = True
        self.complete += 1
        self.last_complete = epoch
        if epoch.last is not None and self._ended is not None:
            epoch.interval = (epoch.last.time - self._ended.time) / 1e9
        self._ended = epoch.last

    def _pair(self) -> None:
        """Give each answer to its epoch, as far as that has come.

        libxl_colo_restore.c: SVM_SUSPENDED and the list answer NEW, SVM_READY and SVM_RESUMED the checkpoint. The
        sender waits for each, so an answer is about the newest epoch that asks for it.
        """
        while self._answers:
            state, packet, pfns, long_header = self._answers[0]
            epoch = next((one for one in reversed(self.found[-2:]) if _asks(one, state)), None)
            if epoch is None:
                return
            del self._answers[0]
            if state == _LIST:
                epoch.dirty_pfns = pfns
                epoch.long_header = long_header
            else:
                epoch.states[state] = packet


def _asks(epoch: Epoch, state: int) -> bool:
    """Whether that answer of the receiver is one that an epoch still waits for."""
    if state == _LIST:
        return epoch.dirty_pfns is None and CheckpointStateId.SVM_SUSPENDED in epoch.states
    if state in epoch.states:
        return False
    if state == CheckpointStateId.SVM_SUSPENDED:
        return CheckpointStateId.NEW in epoch.states
    return epoch.complete and state in (CheckpointStateId.SVM_READY, CheckpointStateId.SVM_RESUMED)


def _state(event: Record) -> int:
    """The control_id of a CHECKPOINT_STATE; -2 when it has none."""
    body = event.body
    if body is None or len(body) < 4:
        return -2
    return int.from_bytes(body[:4], "little" if event.byteorder == "<" else "big")
