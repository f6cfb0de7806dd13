"""The order and number of the records of a libxl stream: libxl-migration-stream, Layout, and what Xen's code adds."""

from __future__ import annotations

from xenmig.core.definitions import libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.checker import Report
    from xenmig.core.check.libxc_order import LibxcOrder
    from xenmig.core.decode.record import Record

END = libxl.End.record
LIBXC_CONTEXT = libxl.LibxcContext.record
NAMED = libxl.EmulatorContext.field("emulator_ctx").offset or 0
"Bytes of a device model's record that say whose it is."
EMULATORS = (libxl.EmulatorXenstoreData.record, libxl.EmulatorContext.record)
EMULATORS_MAX = 64
"Emulators that are remembered: a stream of nothing but their records must not be kept record by record."
CHECKPOINT_END = libxl.CheckpointEnd.record
CHECKPOINT_STATE = libxl.CheckpointState.record


class LibxlOrder:
    """What has come so far in the libxl stream around a libxc stream."""

    __slots__ = (
        "whole",
        "seen",
        "checkpoints",
        "last_checkpoint",
        "_report",
        "_libxc",
        "_before",
        "_emulators",
        "_contexts",
    )

    whole: bool
    "Whether everything since the header was seen, so that what did not come is missing."
    seen: bool
    "Whether there is a libxl stream at all."
    checkpoints: int
    "How many checkpoints have come to their CHECKPOINT_END."
    last_checkpoint: int
    "Where the last complete checkpoint ends."

    def __init__(self, report: Report, libxc: LibxcOrder) -> None:
        self._report = report
        self._libxc = libxc
        self.whole = False
        self.seen = False
        self.checkpoints = 0
        self.last_checkpoint = 0
        self._contexts = 0
        self._before: int | None = None
        self._emulators: set[tuple[int, bytes]] = set()

    def start(self) -> None:
        """Begin a stream, with its header."""
        self.whole = True
        self.seen = True

    def gap(self) -> None:
        """Records may have been missed."""
        self.whole = False
        self._before = None
        self._emulators.clear()

    def record(self, event: Record) -> None:
        """Take a record whose type is known."""
        self.seen = True
        kind = event.type
        before, self._before = self._before, kind
        if kind == LIBXC_CONTEXT:
            self._contexts += 1
            if self._contexts > 1:
                self._report("libxl-libxc-context-repeated", event)
        elif kind == END:
            self._end(event)
        elif not self._contexts and self.whole:
            self._report("libxl-libxc-context-not-first", event)
        if kind in EMULATORS:
            self._emulator(event)
        elif kind == CHECKPOINT_END:
            if self.whole and self.checkpoints >= self._libxc.checkpoints:
                self._report("libxl-checkpoint-end-place", event)
            else:
                self.checkpoints += 1
                self.last_checkpoint = event.offset + 8 + event.length + len(event.padding)
            self._emulators.clear()
        elif kind == CHECKPOINT_STATE and self.whole and before != CHECKPOINT_END:
            self._report("libxl-checkpoint-state-place", event)

    def _end(self, event: Record) -> None:
        if not self.whole:
            return
        if not self._contexts:
            self._report("libxl-libxc-context-missing", event)
        elif self.checkpoints < self._libxc.checkpoints and not self._libxc.ended:
            self._report("libxl-checkpoint-end-missing", event)

    def _emulator(self, event: Record) -> None:
        if self._libxc.guest == "PV":
            self._report("libxl-emulator-guest", event)
        if event.body is None or len(event.body) < NAMED:
            return
        emulator = (event.type, event.body[:NAMED])
        if emulator in self._emulators:
            shown = f"0x{int.from_bytes(event.body[:4], 'little' if event.byteorder == '<' else 'big'):x}"
            self._report("libxl-emulator-repeated", event, emulator=shown)
        elif len(self._emulators) < EMULATORS_MAX:
            self._emulators.add(emulator)
