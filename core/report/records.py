"""The rows of the records table: one for each header, record and message, PAGE_DATA folded into runs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from xenmig.core.cli.listing import Listing

if TYPE_CHECKING:
    from xenmig.core.decode.reading import Stream
    from xenmig.core.sources.packet import Packet

MOST_ROWS = 600
"Rows that are kept of a migration: the first half and the last."
LONGEST = 300
"Characters that are kept of what a record says."


class Row(NamedTuple):
    """One row."""

    receiver: bool
    "Whether it comes from the receiver's side."
    packet: Packet | None
    "Where its first byte came from; None in a file."
    record: str
    'Number of the record, "17" or "17-1036"; empty for headers and messages.'
    offset: int
    layer: str
    type: str
    length: int | None
    text: str


class Rows(Listing):
    """Keeps the rows of one migration, both directions in the order of their coming. Memory use is bounded."""

    first: list[Row]
    last: deque[Row]
    "Those at the end, when there are more than fit into ``first``."
    count: int
    "All that there were."

    def __init__(self) -> None:
        super().__init__(_nowhere, raw=False)
        self.first = []
        self.last = deque(maxlen=MOST_ROWS // 2)
        self.count = 0

    @property
    def omitted(self) -> int:
        """How many rows between ``first`` and ``last`` are left out."""
        return self.count - len(self.first) - len(self.last)

    def head(self, stream: Stream) -> None:
        pass

    def line(
        self,
        stream: Stream,
        packet: Packet | None,
        number: str,
        offset: int,
        layer: str,
        kind: str,
        length: int | None,
        text: str,
    ) -> None:
        self.count += 1
        shown = text if len(text) <= LONGEST else text[:LONGEST] + "..."
        row = Row(stream.role == "receiver", packet, number, offset, layer, kind, length, shown)
        if len(self.first) < MOST_ROWS // 2:
            self.first.append(row)
        else:
            self.last.append(row)


def _nowhere(line: str, severity: str = "") -> None:
    raise AssertionError(f"rows are kept, not written: {severity} {line}")
