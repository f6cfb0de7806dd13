"""Decoding a stream with a look at those pages of guest memory that a PV guest shares with its hypervisor."""

from __future__ import annotations

from xenmig.core.decode.events import Page
from xenmig.core.decode.pages import PFN_MASK, TYPE_SHIFT
from xenmig.core.decode.records import HEADS, PFN_PIECE
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import DomainType, PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.record import PageData

TABLES = frozenset(number for number, known in PageType.known.items() if known.facts["data"] and number)
"Page types of page tables."
WITHOUT_DATA = frozenset(number for number, known in PageType.known.items() if not known.facts["data"])
MAGIC = b"xen-"
"The first bytes of a start_info page: xen/include/public/xen.h."


class PageContentsDecoder(StreamDecoder):
    """Reports as a :class:`~xenmig.core.decode.events.Page` each page table, and each page that begins like start_info.

    Only memory of PV guests is read for that; that of HVM guests is passed over, as it always is. Pages come before the
    PAGE_DATA that they are part of. No page is kept. Arrays that are wrong, or larger than any that Xen writes, are not
    gone through: which page is which cannot be told.
    """

    def __init__(self, start: str = "", *, joined: bool = False) -> None:
        """Begin before the first byte; see :class:`~xenmig.core.decode.stream.StreamDecoder`."""
        self._pv = False
        # The entries of the pages that are still to come, in order, and how many have come.
        self._entries: list[int] = []
        self._place = 0
        # Bytes behind the pages: none in a sound record.
        self._rest = 0
        super().__init__(start, joined=joined)

    def _domain_header(self, buffer: bytes, at: int, end: int) -> int:
        after = super()._domain_header(buffer, at, end)
        if after > at:
            self._pv = self.events[-1].value.__dict__.get("type") == DomainType.X86_PV  # type: ignore[union-attr]
        return after

    def _page_data(self, buffer: bytes, at: int, end: int, length: int, order: str) -> int:
        if not self._pv or end - at < 16:
            return super()._page_data(buffer, at, end, length, order)
        listed = min(HEADS[order](buffer, at + 8)[0] << 3, length - 8 & ~7)
        # With nothing behind the array the pages are left for later.
        after = super()._page_data(buffer, at, min(end, at + 16 + listed), length, order)
        record = self._pending
        if after > at and record is not None and self.skip and listed <= PFN_PIECE:
            self._look_into(record)  # type: ignore[arg-type]
        return after

    def _look_into(self, record: PageData) -> None:
        """Go through the pages that are to be passed over."""
        pfns = record.pfns
        if pfns.bad_count or pfns.with_data * GUEST_PAGE_SIZE > self.skip:
            return
        self._entries = [word for word in pfns.numbers() if word >> TYPE_SHIFT not in WITHOUT_DATA]
        if self._entries:
            self._place = 0
            self._rest = self.skip - len(self._entries) * GUEST_PAGE_SIZE
            self.skip = 0
            self._state, self.need = self._pages, GUEST_PAGE_SIZE

    def _pages(self, buffer: bytes, at: int, end: int) -> int:
        """As many pages as are there."""
        first = self._place
        count = min((end - at) // GUEST_PAGE_SIZE, len(self._entries) - first)
        for word in self._entries[first : first + count]:
            kind = word >> TYPE_SHIFT
            if kind in TABLES or buffer.startswith(MAGIC, at):
                offset = self._base + at
                data = bytes(buffer[at : at + GUEST_PAGE_SIZE])
                packet = self._packet_at(offset)
                self.events.append(Page(offset, self.index, word & PFN_MASK, PageType(kind), data, packet))
            at += GUEST_PAGE_SIZE
        self._place = first + count
        self.need = GUEST_PAGE_SIZE
        if self._place == len(self._entries):
            self._state = self._records
            self.skip = self._rest
            if not self.skip:
                self._passed_all()
        return at
