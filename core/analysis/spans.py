"""A migration from the first packet to the last, cut into the phases that it went through."""

from __future__ import annotations

from xenmig.core.definitions.xl import BANNER, GIVEN_BACK, PERMISSION, READY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.epochs import Epoch
    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.phases import Phase
    from xenmig.core.decode.events import Message
    from xenmig.core.sources.packet import Packet

CONNECTION, PREAMBLE, STATIC_DATA = "connection", "preamble", "static data"
PRECOPY, SUSPEND, STOP_AND_COPY, NON_LIVE, VERIFY = "precopy", "suspend", "stop-and-copy", "non-live", "verify"
CHECKPOINT, STATE, EMULATOR, END = "checkpoint", "guest state", "device model state", "end"
HANDOVER, CLOSE = "hand-over", "close"


class Span:
    """One phase of a migration. In a file there are bytes only: ``start``, ``end`` and packets are None."""

    # fmt: off
    __slots__ = (
        "name", "kind", "first", "last", "start", "end", "bytes", "wire_bytes", "records", "iteration", "epoch",
        "message",
    )
    # fmt: on

    name: str
    "For people."
    kind: str
    """"connection", "preamble", "static data", "precopy", "suspend", "stop-and-copy", "non-live", "verify",
    "checkpoint", "guest state", "device model state", "end", "hand-over" or "close"."""
    first: Packet | None
    "The packet with its first byte; of a wait, the packet after which it began."
    last: Packet | None
    "The packet with its last byte; of a wait, the packet that ended it."
    start: int | None
    "Nanoseconds since 1970."
    end: int | None
    bytes: int
    "Bytes of the stream, or of the receiver's message; 0 for a wait."
    wire_bytes: int | None
    """Bytes of whole frames that the guest's sender put on the wire since the span before that has some: a frame that
    two spans share counts for the first. None for waits, for what the receiver says, and in a file."""
    records: int
    iteration: Iteration | None
    "The pass over memory, for the kinds that are one."
    epoch: Epoch | None
    "The epoch of Remus or COLO, for a checkpoint: its memory and its state."
    message: Message | None
    "The message that ends it, for a hand-over."

    def __init__(
        self,
        name: str,
        kind: str,
        first: Packet | None,
        last: Packet | None,
        bytes: int = 0,
        records: int = 0,
        *,
        wire_bytes: int | None = None,
        iteration: Iteration | None = None,
        epoch: Epoch | None = None,
        message: Message | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.first = first
        self.last = last
        self.start = first.time if first is not None else None
        self.end = last.time if last is not None else None
        self.bytes = bytes
        self.wire_bytes = wire_bytes
        self.records = records
        self.iteration = iteration
        self.epoch = epoch
        self.message = message

    @property
    def seconds(self) -> float | None:
        """How long it took; None in a file."""
        return (self.end - self.start) / 1e9 if self.start is not None and self.end is not None else None

    @property
    def throughput(self) -> float | None:
        """Bytes of the stream in a second; None where no time has passed, or none is known."""
        seconds = self.seconds
        return self.bytes / seconds if seconds and seconds > 0 else None

    def __repr__(self) -> str:
        return f"Span({self.name!r}, {self.kind!r}, bytes={self.bytes}, seconds={self.seconds})"


def spans(migration: Migration) -> list[Span]:
    """The phases that a migration has gone through so far, in order."""
    built = _Builder(migration)
    built.opening()
    built.stream()
    built.handover()
    built.closing()
    return built.found


class _Builder:
    """Puts together what the parts of a migration know."""

    def __init__(self, migration: Migration) -> None:
        self.found: list[Span] = []
        self._migration = migration
        self._last: Packet | None = None
        self._wired = 0

    def opening(self) -> None:
        """From the SYN to the first byte of either side."""
        connection = self._migration.stream.connection
        if connection is None:
            return
        starts = [one.first_payload for one in connection.directions if one.first_payload is not None]
        if connection.opener is not None and starts:
            self._add(Span("connection set-up", CONNECTION, connection.first, min(starts, key=_frame)))
        banner = self._migration.messages.get(BANNER.name)
        if banner is not None:
            self._add(Span(BANNER.name, PREAMBLE, banner.first, banner.last, banner.length, message=banner))

    def stream(self) -> None:
        """What the sender sends of the guest."""
        phases, iterations = self._migration.phases, self._migration.iterations
        self._phase(phases.preamble, "headers and configuration", PREAMBLE)
        self._phase(phases.static_data, phases.static_data.name, STATIC_DATA)
        # Where the guest was paused must show.
        paused = None if iterations.pause_hidden else iterations.last_pass
        for iteration in iterations.found:
            if iteration.kind == CHECKPOINT:
                break
            if iteration is paused and iteration.kind == STOP_AND_COPY and self._last is not None:
                self._add(Span("suspending the guest", SUSPEND, self._last, iteration.first))
            self._iteration(iteration)
        for phase, kind in ((phases.state, STATE), (phases.emulator, EMULATOR), (phases.ending, END)):
            self._phase(phase, phase.name, kind)
        # The first epoch is what has been there so far.
        for epoch in self._migration.epochs.found[1:]:
            self._epoch(epoch)

    def handover(self) -> None:
        """What the two ends say to each other behind the stream."""
        messages = self._migration.messages
        for name, waited in (
            (READY.name, "receiver gets ready"),
            (PERMISSION.name, "sender's permission"),
            ("status", "receiver unpauses and reports"),
            (GIVEN_BACK.name, "receiver gives the guest back"),
        ):
            message = messages.get(name)
            if message is None or message.last is None:
                continue
            first = self._last or message.first
            span = Span(waited, HANDOVER, first, message.last, message.length, message=message)
            if name == PERMISSION.name:
                span.wire_bytes = self._wire(message.last)
            self._add(span)

    def closing(self) -> None:
        """From the first FIN or RST to the last packet."""
        connection = self._migration.stream.connection
        if connection is None:
            return
        ends = [end for one in connection.directions for end in (one.fin, one.rst) if end is not None]
        if ends:
            self._add(Span("close", CLOSE, min(ends, key=_frame), max(ends, key=_frame)))

    def _phase(self, phase: Phase, name: str, kind: str) -> None:
        if phase.bytes:
            span = Span(name, kind, phase.first, phase.last, phase.bytes, phase.records)
            span.wire_bytes = self._wire(phase.last)
            self._add(span)

    def _iteration(self, iteration: Iteration) -> None:
        name = f"iteration {iteration.index}: {iteration.kind}"
        first, last = iteration.first, iteration.last
        span = Span(name, iteration.kind, first, last, iteration.bytes, iteration.records, iteration=iteration)
        span.wire_bytes = self._wire(last)
        self._add(span)

    def _epoch(self, epoch: Epoch) -> None:
        span = Span(f"checkpoint {epoch.index}", CHECKPOINT, epoch.first, epoch.last, epoch.bytes, epoch.records)
        span.epoch = epoch
        span.wire_bytes = self._wire(epoch.last)
        self._add(span)

    def _wire(self, last: Packet | None) -> int | None:
        """What the sender has put on the wire since it was asked before."""
        if last is None:
            return None
        before = self._wired
        # Of segments that were sent again, the first copy may be the later one in the capture.
        self._wired = max(before, last.wire_bytes)
        return self._wired - before

    def _add(self, span: Span) -> None:
        self.found.append(span)
        self._last = span.last or self._last


def _frame(packet: Packet) -> int:
    return packet.frame
