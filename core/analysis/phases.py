"""Phases: what a stream consists of besides iterations, with the size and time of each."""

from __future__ import annotations

from xenmig.core.decode.events import Header, PageData, Record
from xenmig.core.definitions import libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

HEADERS = "headers"
STATE = "guest state"
EMULATOR = "device model state"


class Phase:
    """Neighbouring headers or records that belong together."""

    __slots__ = ("name", "bytes", "records", "first", "last")

    name: str
    '"headers" (with the static data), "guest state" (libxc after memory) or "device model state" (libxl after it).'
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

    __slots__ = ("headers", "state", "emulator", "end", "_memory", "_checkpointed")

    headers: Phase
    state: Phase
    emulator: Phase
    end: Packet | None
    "The packet with the last byte of the last record."

    def __init__(self) -> None:
        self.headers = Phase(HEADERS)
        self.state = Phase(STATE)
        self.emulator = Phase(EMULATOR)
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
                if not self._memory:
                    self.headers.add(event)
                elif self._checkpointed:
                    continue
                elif event.layer == "libxl":
                    self.emulator.add(event)
                    self._checkpointed = isinstance(event, Record) and event.type == libxl.CheckpointEnd.record
                else:
                    self.state.add(event)

    @property
    def found(self) -> list[Phase]:
        """Those that are there, in stream order."""
        return [phase for phase in (self.headers, self.state, self.emulator) if phase.bytes]
