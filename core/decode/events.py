"""What the decoder says about a stream: small objects, in stream order.

Every event has an *address*: ``offset`` is the absolute position of its first byte in the file or in its TCP
direction, ``first`` and ``last`` say where that byte and the last byte came from (a :class:`Packet` of a capture;
``None`` for a file). Unknown is a value: a record whose type nobody knows is a :class:`Record` like any other.
Truncated is a state: :class:`Truncated` says what is missing. Nothing here is an exception.

These are plain classes and not dataclasses because importing ``dataclasses`` takes longer than verifying a 1 GiB
stream does.
"""

from __future__ import annotations

from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from xenmig.core.decode.pages import PfnArray
    from xenmig.core.definitions.libxc import PageType
    from xenmig.core.definitions.structs import Struct
    from xenmig.core.sources.packet import Packet


class Header:
    """Fires when a layer's fixed header, or the configuration behind it, is complete."""

    __slots__ = ("layer", "offset", "length", "value", "byteorder", "first", "last")

    layer: str
    'The layer that the header belongs to: "xl", "libvirt", "libxl" or "libxc".'
    offset: int
    "Absolute position of the first byte."
    length: int
    "Size in bytes."
    value: Struct
    "The decoded header, for example a libxc ``ImageHeader``."
    byteorder: str
    '"<" or ">": how the fields that are in stream order were read.'
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        layer: str,
        offset: int,
        length: int,
        value: Struct,
        byteorder: str,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.layer = layer
        self.offset = offset
        self.length = length
        self.value = value
        self.byteorder = byteorder
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"Header({self.layer!r}, offset={self.offset}, {self.value!r})"


class Record:
    """Fires when a libxl or libxc record, its padding included, has passed by.

    ``length`` is the body length that the header gives; the record occupies ``8 + length`` bytes and its padding.
    """

    # fmt: off
    __slots__ = (
        "index", "layer", "type", "offset", "length", "body", "padding", "byteorder", "missing", "first", "last",
    )
    # fmt: on

    index: int
    "The record's number in its stream, from 0, counted over both layers."
    layer: str
    '"libxl" or "libxc": the two share type numbers.'
    type: int
    "The type as it stands in the header, known or not."
    offset: int
    "Absolute position of the record header."
    length: int
    "Length of the body in bytes, without padding, as the header gives it."
    body: bytes | None
    "The body, or None when it is larger than the decoder keeps (it is then at ``offset + 8``) or has bytes missing."
    padding: bytes
    "The 0 to 7 bytes after the body."
    byteorder: str
    '"<" or ">".'
    missing: int
    "How many bytes of the record a capture does not hold."
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        index: int,
        layer: str,
        type: int,
        offset: int,
        length: int,
        body: bytes | None,
        padding: bytes,
        byteorder: str,
        missing: int = 0,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.index = index
        self.layer = layer
        self.type = type
        self.offset = offset
        self.length = length
        self.body = body
        self.padding = padding
        self.byteorder = byteorder
        self.missing = missing
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"Record({self.index}, {self.layer!r}, type=0x{self.type:x}, offset={self.offset}, length={self.length})"


class PageData(Record):
    """Fires like :class:`Record`, for libxc PAGE_DATA; guest memory itself is passed over, never kept.

    ``body`` is always None. A record too short for its own header is a plain :class:`Record`.
    """

    __slots__ = ("count", "reserved", "pfns")

    count: int
    "How many pfns the record announces."
    reserved: int
    "The word after ``count``: 0 in every stream that Xen writes."
    pfns: PfnArray
    "The array of pfns and page types."

    def __init__(
        self,
        index: int,
        offset: int,
        length: int,
        padding: bytes,
        byteorder: str,
        count: int,
        reserved: int,
        pfns: PfnArray,
        missing: int = 0,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.index = index
        self.layer = "libxc"
        self.type = 1
        self.offset = offset
        self.length = length
        self.body = None
        self.padding = padding
        self.byteorder = byteorder
        self.missing = missing
        self.first = first
        self.last = last
        self.count = count
        self.reserved = reserved
        self.pfns = pfns

    @property
    def listed(self) -> int:
        """How many pfns the sender listed: ``count``, unless the body has no room for as many."""
        return min(self.count, max(0, self.length - 8) >> 3)

    @property
    def pages(self) -> int:
        """Pages behind the array: by the types of its entries, and by the length where a capture lacks some of them.

        Of a record that is cut off, all that it should have had.
        """
        if self.pfns.count >= self.listed:
            return self.pfns.with_data
        return max(0, self.length - 8 - 8 * self.listed) // GUEST_PAGE_SIZE


class RecordRun:
    """Fires instead of many :class:`Record` events, for a consumer that asked for it: records back to back in the
    input that have the same type and the same length, which is a multiple of 8, in a layer that goes on behind them.

    PAGE_DATA come as a run when each holds one page.
    """

    # fmt: off
    __slots__ = (
        "index", "layer", "type", "offset", "length", "count", "data", "byteorder", "packet", "pfns", "reserved",
    )
    # fmt: on

    index: int
    "Number of the first record."
    layer: str
    type: int
    offset: int
    "Absolute position of the first record's header."
    length: int
    "Length of each body in bytes."
    count: int
    "How many records."
    data: bytes
    "All of them, headers included; empty for PAGE_DATA."
    byteorder: str
    packet: Packet | None
    "Where all of them came from."
    pfns: PfnArray | None
    "For PAGE_DATA: one pfn of each."
    reserved: int
    "For PAGE_DATA: the word after the count in each of them."

    def __init__(
        self,
        index: int,
        layer: str,
        type: int,
        offset: int,
        length: int,
        count: int,
        data: bytes,
        byteorder: str,
        packet: Packet | None,
        pfns: PfnArray | None = None,
        reserved: int = 0,
    ) -> None:
        self.index = index
        self.layer = layer
        self.type = type
        self.offset = offset
        self.length = length
        self.count = count
        self.data = data
        self.byteorder = byteorder
        self.packet = packet
        self.pfns = pfns
        self.reserved = reserved

    def record(self, place: int) -> Record:
        """One of the records, counted from 0."""
        order, packet, length = self.byteorder, self.packet, self.length
        index, offset = self.index + place, self.offset + place * (8 + length)
        if self.pfns is not None:
            pfn = self.pfns.part(place, place + 1)
            return PageData(index, offset, length, b"", order, 1, self.reserved, pfn, 0, packet, packet)
        at = place * (8 + length)
        body = self.data[at + 8 : at + 8 + length]
        return Record(index, self.layer, self.type, offset, length, body, b"", order, 0, packet, packet)


class DirtyPfnList(Record):
    """Fires like :class:`Record`, for libxc CHECKPOINT_DIRTY_PFN_LIST on the back channel of COLO.

    The record occupies ``8 + len(header_end) + length`` bytes.
    """

    __slots__ = ("header_end",)

    header_end: bytes
    """What stands between length and pfns: eight zero bytes from Xen 4.18 and later, which write a NULL pointer
    with the header (xg_sr_restore.c, send_checkpoint_dirty_pfn_list), else nothing.
    """

    def __init__(
        self,
        index: int,
        offset: int,
        length: int,
        body: bytes | None,
        header_end: bytes,
        missing: int = 0,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        super().__init__(index, "libxc", 0xF, offset, length, body, b"", "<", missing, first, last)
        self.header_end = header_end


class Message:
    """Fires when one of the texts that the two ends of ``xl migrate`` exchange has passed by.

    The status byte after the report is a message of its own, with ``status`` set.
    """

    __slots__ = ("name", "offset", "length", "status", "first", "last")

    name: str
    'The name in ``definitions/xl.py``: "banner", "ready", "permission", "report", "given back"; or "status".'
    offset: int
    length: int
    status: int | None
    "For the status byte: its value, 0 for success, else a negated libxl error; otherwise None."
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        name: str,
        offset: int,
        length: int,
        status: int | None = None,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.name = name
        self.offset = offset
        self.length = length
        self.status = status
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"Message({self.name!r}, offset={self.offset}, status={self.status})"


class Unrecognised:
    """Fires when what stands at a place where a header or message must be is none that is known.

    Behind kinds "header", "length" and "type" of libxl and libxc the decoder looks for the next plausible record; after
    "message" it goes on with the next text if it is near; after the others it passes over the rest.
    """

    __slots__ = ("kind", "layer", "offset", "data", "first")

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

    def __init__(self, kind: str, layer: str, offset: int, data: bytes, first: Packet | None = None) -> None:
        self.kind = kind
        self.layer = layer
        self.offset = offset
        self.data = data
        self.first = first


class Page:
    """Fires, for a consumer that asked for it, when a page of guest memory has come that is worth a look."""

    __slots__ = ("offset", "record", "pfn", "type", "data", "first")

    offset: int
    "Absolute position of the page's first byte."
    record: int
    "Number of the PAGE_DATA record that brings it; its own event follows."
    pfn: int
    type: PageType
    data: bytes
    "4096 bytes."
    first: Packet | None

    def __init__(
        self, offset: int, record: int, pfn: int, type: PageType, data: bytes, first: Packet | None = None
    ) -> None:
        self.offset = offset
        self.record = record
        self.pfn = pfn
        self.type = type
        self.data = data
        self.first = first


class Hole:
    """Fires when bytes of a TCP direction are missing from the capture."""

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


class Complete:
    """Fires when the outermost layer has come to its proper END."""

    __slots__ = ("offset", "last")

    offset: int
    "The position after END's padding."
    last: Packet | None

    def __init__(self, offset: int, last: Packet | None = None) -> None:
        self.offset = offset
        self.last = last


if TYPE_CHECKING:
    Event: TypeAlias = (
        Header
        | Record
        | RecordRun
        | Page
        | Message
        | Unrecognised
        | Hole
        | Resynchronised
        | Trailing
        | Truncated
        | Complete
    )
