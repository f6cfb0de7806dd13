"""Phases: what a stream consists of besides iterations, with the size and time of each."""

from __future__ import annotations

from xenmig.core.analysis.iterations import BEFORE_MEMORY
from xenmig.core.analysis.spans import EMULATOR, PREAMBLE, STATE, STATIC_DATA
from xenmig.core.decode.events import Header
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import libxc, libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

ENDING = "end of the stream"


class Phase:
    """Neighbouring headers or records that belong together."""

    __slots__ = ("name", "bytes", "records", "first", "last")

    name: str
    """"preamble", "static data", "guest state" (libxc after memory), "device model state" (libxl after it) or
    "end of the stream" (libxl's END)."""
    bytes: int
    records: int
    first: Packet | None
    last: Packet | None

    def __init__(self, name: str) -> None:
        self.name = name
        self.bytes = 0
        self.records = 0
        self.first: Packet | None = None
        self.last: Packet | None = None

    def add(self, event: Header | Record) -> None:
        """Count one header or record."""
        if not self.bytes:
            self.first = event.first
        self.last = event.last
        if isinstance(event, Record):
            self.records += 1
            self.bytes += 8 + event.length + len(event.padding)
        else:
            self.bytes += event.length


class Phases:
    """Finds the phases of one stream, up to its first checkpoint."""

    __slots__ = ("preamble", "static_data", "state", "emulator", "ending", "end", "_memory", "_checkpointed")

    preamble: Phase
    "Headers of all layers, the configuration, and LIBXC_CONTEXT."
    static_data: Phase
    "libxc records in front of memory."
    state: Phase
    emulator: Phase
    ending: Phase
    end: Packet | None
    "The packet with the last byte of the last record."

    def __init__(self) -> None:
        self.preamble = Phase(PREAMBLE)
        self.static_data = Phase(STATIC_DATA)
        self.state = Phase(STATE)
        self.emulator = Phase(EMULATOR)
        self.ending = Phase(ENDING)
        self.end: Packet | None = None
        self._memory = False
        self._checkpointed = False

    def take(self, events: Sequence[Event]) -> None:
        """Take the next events of the stream."""
        for event in events:
            if isinstance(event, PageData):
                self._memory = True
                self.end = event.last
            elif isinstance(event, (Record, Header)):
                if isinstance(event, Record):
                    self.end = event.last
                    self._memory = self._memory or self._is_behind_memory(event)
                if not self._memory:
                    static = isinstance(event, Record) and event.layer == libxc.LAYER
                    (self.static_data if static else self.preamble).add(event)
                elif self._checkpointed:
                    continue
                elif event.layer == "libxl":
                    ends = isinstance(event, Record) and event.type == libxl.End.record
                    (self.ending if ends else self.emulator).add(event)
                    self._checkpointed = isinstance(event, Record) and event.type == libxl.CheckpointEnd.record
                else:
                    self.state.add(event)

    def _is_behind_memory(self, record: Record) -> bool:
        """Whether a record shows that memory is over, though none of it was seen: its beginning may be missing."""
        if record.layer == "libxl":
            return record.type != libxl.LibxcContext.record
        if record.type == libxc.X86TscInfo.record:
            # Converted legacy streams have it in front of memory.
            return not self.preamble.bytes and not self.static_data.bytes
        return record.type in libxc.RecordType.known and record.type not in BEFORE_MEMORY

    @property
    def before_memory(self) -> Packet | None:
        """The packet with the last byte in front of memory; None in a file, and where nothing of it came."""
        return self.static_data.last or self.preamble.last
