"""A migration: the guest's stream, what its receiver said, and what became of it."""

from __future__ import annotations

from xenmig.core.analysis.epochs import Epochs
from xenmig.core.analysis.guest import Guest
from xenmig.core.analysis.iterations import Iterations
from xenmig.core.analysis.memory import Memory
from xenmig.core.analysis.phases import Phases
from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Complete, Header, Message
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxc, xl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.analysis.pfn_counts import Room
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream
    from xenmig.core.sources.packet import Packet

_LAYERS = ("xl", "libvirt", "libxl", "libxc")


class Migration:
    """What is known of one migration or save, from the events of its stream and of the answers to it."""

    # fmt: off
    __slots__ = (
        "number", "stream", "receiver", "guest", "layers", "versions", "byteorders", "iterations", "phases", "memory",
        "epochs", "records", "ended", "last_record", "truncated", "messages", "holes", "missing", "answer_holes",
        "resynchronised", "unrecognised", "trailing", "first", "last",
    )
    # fmt: on

    number: int
    "From 1, in the order of appearance."
    stream: Stream
    "The guest's own stream, from the sender."
    receiver: Stream | None
    "What its receiver says on the same connection, if that was captured and is a conversation of xl migrate."
    guest: Guest
    layers: list[str]
    "From the outside to the inside."
    versions: dict[str, int]
    "Format version by layer, where the layer has one."
    byteorders: dict[str, str]
    '"little" or "big" by layer.'
    iterations: Iterations
    phases: Phases
    memory: Memory
    "Which pages came, how often, and where in guest memory they lie."
    epochs: Epochs
    "Of a checkpointed stream."
    records: int
    "Records of libxl and libxc."
    ended: bool
    "Whether the outermost layer came to its END."
    last_record: Record | None
    "The last complete one."
    truncated: Truncated | None
    "What the end of input cut off; None when the stream is complete."
    messages: dict[str, Message]
    "The conversation of xl migrate by name, in both directions: the first of each."
    holes: int
    "How many runs of bytes the capture lacks."
    missing: int
    "Bytes in the holes."
    answer_holes: int
    "How many runs of bytes the capture lacks of what the receiver says."
    resynchronised: int
    "How often the position was lost and found again."
    unrecognised: Unrecognised | None
    "The first thing that is not understood."
    trailing: Trailing | None
    first: Packet | None
    "The packet with the stream's first byte; None in a file."
    last: Packet | None
    "The packet with the last byte that either side sent as part of the migration."

    def __init__(self, number: int, stream: Stream, room: Room | None = None) -> None:
        """``room`` is what all migrations of an input share, see :class:`PfnCounts`."""
        self.number = number
        self.stream = stream
        self.receiver: Stream | None = None
        self.guest = Guest()
        self.layers = []
        self.versions = {}
        self.byteorders = {}
        self.memory = Memory(room)
        self.iterations = Iterations(self.memory)
        self.phases = Phases()
        self.epochs = Epochs(self.memory.room)
        self.records = 0
        self.ended = False
        self.last_record: Record | None = None
        self.truncated: Truncated | None = None
        self.messages = {}
        self.holes = 0
        self.missing = 0
        self.answer_holes = 0
        self.resynchronised = 0
        self.unrecognised: Unrecognised | None = None
        self.trailing: Trailing | None = None
        self.first: Packet | None = None
        self.last: Packet | None = None

    def take(self, events: Sequence[Event]) -> None:
        """Take the next events of the guest's stream."""
        paused = self.iterations.paused
        self.iterations.take(events)
        if self.iterations.paused and not paused:
            self.settle()
        self.phases.take(events)
        self.epochs.take(events)
        for event in events:
            if isinstance(event, Record):
                self.records += 1
                self.last_record = event
                if event.layer not in self.layers:
                    # Joined in the middle: the record is the first sign of its layer.
                    self.layers.append(event.layer)
                if event.type == libxc.X86PvP2mFrames.record and event.layer == libxc.LAYER:
                    self.guest.take_frames(event)
            elif isinstance(event, Header):
                self._header(event)
            elif isinstance(event, Message):
                self.messages.setdefault(event.name, event)
            elif isinstance(event, Complete):
                self.ended = True
            elif isinstance(event, Truncated):
                self.truncated = event
            elif isinstance(event, Hole):
                self.holes += 1
                self.missing += event.length
            elif isinstance(event, Resynchronised):
                self.resynchronised += 1
            elif isinstance(event, Unrecognised):
                self.unrecognised = self.unrecognised or event
            elif isinstance(event, Trailing):
                self.trailing = event
            if self.first is None:
                self.first = getattr(event, "first", None)
        self._ends(events)

    def answered(self, events: Sequence[Event]) -> None:
        """Take the next events of what the receiver says."""
        self.epochs.answered(events)
        for event in events:
            if isinstance(event, Message):
                self.messages.setdefault(event.name, event)
            elif isinstance(event, Hole):
                self.answer_holes += 1
        self._ends(events)

    def settle(self) -> None:
        """Say of what kind the iterations are as far as that shows now; more events may follow."""
        # xl migrate is always live; nobody else speaks first.
        self.iterations.settle(live=xl.BANNER.name in self.messages or self.joined, whole=not self.joined)

    def finish(self) -> None:
        """Both directions have ended."""
        self.settle()
        self.layers.sort(key=_LAYERS.index)

    @property
    def joined(self) -> bool:
        """Whether the beginning of the stream is missing."""
        return self.stream.kind == "joined"

    @property
    def complete(self) -> bool:
        """Whether all of the stream was there, from its first byte to its END."""
        return self.ended and not self.joined and not self.holes

    @property
    def legacy(self) -> str:
        """The layer whose header a legacy stream follows; else empty."""
        found = self.unrecognised
        return found.layer if found is not None and found.kind == "legacy" else ""

    @property
    def captured(self) -> bool:
        """Whether the migration comes from a capture, which knows times, and not from a file."""
        return self.stream.connection is not None

    @property
    def bytes(self) -> int:
        """Bytes of the guest's stream, up to the end of what is there."""
        return self.stream.decoder.position

    @property
    def source(self) -> str | None:
        """Address and port of the sender."""
        direction = self.stream.direction
        return str(direction.source) if direction is not None else None

    @property
    def destination(self) -> str | None:
        """Address and port of the receiver."""
        direction = self.stream.direction
        return str(direction.destination) if direction is not None else None

    @property
    def status(self) -> int | None:
        """The receiver's status byte: 0 when the guest runs there; None when it was not seen."""
        message = self.messages.get("status")
        return message.status if message is not None else None

    def _header(self, header: Header) -> None:
        self.guest.take(header)
        layer = header.layer
        if layer not in self.layers:
            self.layers.append(layer)
        version = getattr(header.value, "version", None)
        if isinstance(version, int):
            self.versions[layer] = int(version)
        # The first header of libxl and libxc is big endian whatever follows.
        if layer in _LAYERS and header.value.name != "IMAGE_HEADER":
            options = getattr(header.value, "options", None)
            big = header.byteorder == ">" if layer != "libxl" else bool(options and int(options) & 1)
            self.byteorders[layer] = "big" if big else "little"

    def _ends(self, events: Sequence[Event]) -> None:
        for event in events:
            last = getattr(event, "last", None) or getattr(event, "first", None)
            if last is not None and (self.last is None or last.frame > self.last.frame):
                self.last = last
