"""The events of what is not as it should be: bytes that are missing, left over or not understood.

What all events have in common stands in ``events.py``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.record import Record
    from xenmig.core.sources.packet import Packet


class Unrecognised:
    """Fires when what stands at a place where a header or message must be is none that is known.

    Behind kinds "header", "length" and "type" of libxl and libxc the decoder looks for the next plausible record; after
    "message" it goes on with the next text if it is near; after the others it passes over the rest.
    """

    __slots__ = ("kind", "layer", "offset", "data", "first", "byteorder")

    kind: str
    """Why it is not taken for what was expected:

    "start"     the input begins with nothing that is known
    "header"    a layer's header should stand there and does not
    "version"   the header gives a version that nobody knows
    "legacy"    a legacy (version 1) stream follows, which is not decoded
    "length"    a record announces more bytes than any receiver takes
    "type"      neither the type nor the length of the record looks like one
    "message"   the receiver says something that is not part of the conversation
    """
    layer: str
    "The layer whose header was expected there."
    offset: int
    data: bytes
    "The first bytes found, at most 64."
    first: Packet | None
    byteorder: str
    '"<" or ">": how the type and the length of a record were read.'

    def __init__(
        self, kind: str, layer: str, offset: int, data: bytes, first: Packet | None = None, byteorder: str = "<"
    ) -> None:
        self.kind = kind
        self.layer = layer
        self.offset = offset
        self.data = data
        self.first = first
        self.byteorder = byteorder


class Hole:
    """Fires when bytes of a TCP direction are missing from the capture.

    It comes before the record that it lies in, and after one that ends in it.
    """

    __slots__ = ("offset", "length", "record", "first")

    offset: int
    length: int
    record: int | None
    "Number of the record that the hole lies in when the position survived it; None when position was lost."
    first: Packet | None
    "The packet after the hole."

    def __init__(self, offset: int, length: int, record: int | None, first: Packet | None = None) -> None:
        self.offset = offset
        self.length = length
        self.record = record
        self.first = first


class Resynchronised:
    """Fires when the decoder found its place again on a plausible record after it had lost it, or joined mid-stream."""

    __slots__ = ("offset", "skipped", "evidence", "first")

    offset: int
    "Where the record starts that was taken as the anchor."
    skipped: int
    "Bytes between the place where the position was lost and the anchor."
    evidence: str
    "What made the anchor plausible, as a sentence for people."
    first: Packet | None

    def __init__(self, offset: int, skipped: int, evidence: str, first: Packet | None = None) -> None:
        self.offset = offset
        self.skipped = skipped
        self.evidence = evidence
        self.first = first


class Trailing:
    """Fires at the end of input when bytes follow the stream's END."""

    __slots__ = ("offset", "length", "data", "first")

    offset: int
    length: int
    data: bytes
    "The first bytes of it, at most 64."
    first: Packet | None

    def __init__(self, offset: int, length: int, data: bytes, first: Packet | None = None) -> None:
        self.offset = offset
        self.length = length
        self.data = data
        self.first = first


class Truncated:
    """Fires at the end of input when the stream had not come to its end."""

    __slots__ = ("layer", "offset", "what", "available", "missing", "partial", "first", "last")

    layer: str
    "The layer that was being read."
    offset: int
    "Where the unfinished piece starts; equals the end of input when nothing of the next piece was there."
    what: str
    'What was being read: "record header", a record\'s name, "image header", ...'
    available: int
    "How many of its bytes are there."
    missing: int | None
    "How many more bytes it needs; None when that is not known (the next record is missing altogether)."
    partial: Record | None
    "The unfinished record as far as it goes, if its header was there."
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        layer: str,
        offset: int,
        what: str,
        available: int,
        missing: int | None,
        partial: Record | None = None,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.layer = layer
        self.offset = offset
        self.what = what
        self.available = available
        self.missing = missing
        self.partial = partial
        self.first = first
        self.last = last
