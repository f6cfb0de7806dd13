"""The events of records, alone and in runs; what all events have in common stands in ``events.py``."""

from __future__ import annotations

from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.decode.pages import PfnArray
    from xenmig.core.sources.packet import Packet


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


class BatchRun:
    """Fires instead of many :class:`PageData` events, for a consumer that asked for runs: records back to back of
    ``MAX_BATCH_SIZE`` pfns each, which follow one another through all of them. Only files are read like that.

    Each record is right in itself: types that exist, no reserved bit set, the length that goes with its types.
    """

    __slots__ = ("index", "offset", "end", "first", "columns", "distinct")

    index: int
    "Number of the first record."
    offset: int
    "Absolute position of the first record's header."
    end: int
    "The position behind the last record."
    first: int
    "The first pfn."
    columns: list[bytearray]
    "Of each record the bytes with the types: see :attr:`PfnArray.column`."
    distinct: list[bytearray]
    "Those of them that are not the same as the one before, nor all 0."

    def __init__(self, index: int, offset: int, first: int) -> None:
        self.index = index
        self.offset = self.end = offset
        self.first = first
        self.columns = []
        self.distinct = []

    @property
    def count(self) -> int:
        """How many records."""
        return len(self.columns)

    @property
    def after(self) -> int:
        """The pfn behind the last one."""
        return self.first + MAX_BATCH_SIZE * len(self.columns)

    def records(self) -> Iterator[PageData]:
        """The records, one by one."""
        from xenmig.core.decode.pages import PfnArray
        from xenmig.core.decode.pfn_rows import RowAhead

        row = RowAhead(self.first)
        pfn, offset = self.first, self.offset
        for index, column in enumerate(self.columns, self.index):
            row.words[7::8] = column
            pfns = PfnArray(bytes(row.words), "<")
            length = 8 + 8 * MAX_BATCH_SIZE + pfns.with_data * GUEST_PAGE_SIZE
            yield PageData(index, offset, length, b"", "<", MAX_BATCH_SIZE, 0, pfns)
            offset += 8 + length
            pfn += MAX_BATCH_SIZE
            row.move(pfn)


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
