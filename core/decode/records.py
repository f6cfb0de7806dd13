"""Decoding records, and telling which layer goes on after which record.

libxc-migration-stream and libxl-migration-stream share the frame of a record and its type numbers, so the layer is
always known: libxl's LIBXC_CONTEXT hands over to libxc, libxc's END and CHECKPOINT hand back, libxl's CHECKPOINT_END
(in COLO the CHECKPOINT_STATE after it) hands over again without new headers.
"""

from __future__ import annotations

from xenmig.core.decode.damage import Trailing
from xenmig.core.decode.events import Complete, Message
from xenmig.core.decode.headers import KEPT_BODY, HeaderDecoder
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.push import EVERYTHING, SHOWN_BYTES
from xenmig.core.decode.record import PageData, Record, RecordRun
from xenmig.core.definitions import libxc, libxl, xl
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.damage import Hole
    from xenmig.core.sources.packet import Packet

PFN_PIECE = 512 << 10
"Bytes of a pfn array that are looked at in one go; Xen's own have 8192."
UNPASSABLE_TYPE = 0x10000
"An unknown type from here on, with a body of more than ``PFN_PIECE`` bytes, is taken for garbage, not for a record."

RECORD_HEADER = 8
HEADS = {order: libxc.RecordHeader.layout(order).unpack_from for order in ("<", ">")}
LENGTH_MAX = libxc.REC_LENGTH_MAX
PAGE_DATA = libxc.PageData.record or 1
HANDING_OVER = {
    "libxl": (
        libxl.End.record,
        libxl.LibxcContext.record,
        libxl.CheckpointEnd.record,
        libxl.CheckpointState.record,
    ),
    "libxc": (libxc.End.record, libxc.Checkpoint.record),
}
"Records after which another layer may go on."
KNOWN_TYPES = {"libxl": libxl.RecordType.known, "libxc": libxc.RecordType.known}

PAGE_DATA_HEAD = RECORD_HEADER + (libxc.PageData.field("pfns").offset or 0)
PFN_SIZE = libxc.PFN_WORD.size or 0
ONE_PAGE = PAGE_DATA_HEAD - RECORD_HEADER + PFN_SIZE + GUEST_PAGE_SIZE
"Length of a PAGE_DATA body with a single page."
RUN_AFTER = 4
"So many records of the same type and length are reported singly before more of them are looked for together."

OUTSIDE, INSIDE, AFTER = "outside", "inside", "after"
"Where a libxl record stands in relation to a checkpoint: libxc CHECKPOINT opens it, libxl CHECKPOINT_END closes it."


def run_of_records(buffer: bytes, at: int, end: int, size: int, head: int) -> int:
    """How many records of ``size`` bytes follow one another from ``at`` on with the same first ``head`` bytes."""
    from xenmig.core.sources.repetition import alike

    return alike(buffer, at, size, (end - at) // size, range(head))


class RecordDecoder(HeaderDecoder):
    """Reads records until the outermost layer has come to its end, and what follows that."""

    def __init__(self, *, runs: bool = False) -> None:
        super().__init__()
        self.runs = runs
        "Whether to report many records of one kind as a RecordRun."
        # Type and length of the last run.
        self._run_like = (-1, -1)
        self.index = 0
        "Number of the next record."
        # The record whose header has been consumed and whose body or padding has not.
        self._pending: Record | None = None
        self._pad = 0
        self._array_left = 0
        self._pages_left = 0
        self._checkpoint = OUTSIDE
        self._libxc_ended = False
        self._over = False
        self._trailing = b""
        self._trailing_at = -1
        self._trailing_first: Packet | None = None

    @property
    def pending(self) -> Record | None:
        """The record that is passing by: its header has, of a PAGE_DATA the pfns too, and its last byte has not."""
        return self._pending

    def _to_libxl(self) -> None:
        self.layer = "libxl"
        self._state, self.need = self._records, RECORD_HEADER

    def _to_libxc(self) -> None:
        self.layer = "libxc"
        self._checkpoint = OUTSIDE
        self._state, self.need = self._records, RECORD_HEADER

    def _records(self, buffer: bytes, at: int, end: int) -> int:
        """All complete records from ``at`` on, as long as the layer stays the same."""
        layer = self.layer
        order = self._order[layer]
        head = HEADS[order]
        if layer == "libxc" and end - at >= RECORD_HEADER:
            # Where guest memory was jumped over there is another PAGE_DATA, and nothing else in what was read.
            kind, length = head(buffer, at)
            if kind == PAGE_DATA and 8 <= length <= LENGTH_MAX and length != self._run_like[1]:
                after = self._page_data(buffer, at, end, length, order)
                if after == at or self._pending is not None:
                    return after
                at = after
        known = KNOWN_TYPES[layer]
        handing_over = HANDING_OVER[layer]
        page_data = PAGE_DATA if layer == "libxc" else -1
        base = self._base
        first = last = self.packet
        pieces = self._piece_offsets
        add = self.events.append
        index = self.index
        # The last place where a record header may begin.
        last_at = end - RECORD_HEADER
        repeated = 0
        run_kind: int | None = None
        run_length: int | None = None
        if self.runs and not pieces:
            run_kind, run_length = self._run_like
            if run_kind >= 0:
                # What ended with the last piece of input goes on if the next record is like it.
                repeated = RUN_AFTER - 1
        while at <= last_at:
            kind, length = head(buffer, at)
            if kind == page_data and 8 <= length <= LENGTH_MAX:
                self.index = index
                if repeated == RUN_AFTER - 1 and length == run_length == ONE_PAGE and run_kind == kind:
                    size = RECORD_HEADER + length
                    count = run_of_records(buffer, at, end, size, PAGE_DATA_HEAD) if end - at >= 2 * size else 0
                    # The length is that of one page and one pfn; the count may still say otherwise.
                    if count > 1 and head(buffer, at + RECORD_HEADER)[0] == 1:
                        self._run_like = kind, length
                        add(self._one_page_run(buffer, at, size, count))
                        at += count * size
                        index = self.index
                        repeated = RUN_AFTER
                        continue
                after = self._page_data(buffer, at, end, length, order)
                if after == at or self._pending is not None:
                    return after
                index += 1
                at = after
                if length != ONE_PAGE or run_kind is None:
                    continue
                if run_length != length:
                    run_kind, run_length, repeated = kind, length, 0
                    continue
                repeated += 1
                continue
            body_at = at + 8
            body_end = after = body_at + length
            if length & 7:
                after += -length & 7
            if length > KEPT_BODY or kind not in known:
                self.index = index
                if length > LENGTH_MAX:
                    self._show("length", layer, self._search_behind, order)
                    return at
                if kind not in known and kind & ~libxc.OPTIONAL >= UNPASSABLE_TYPE and length > PFN_PIECE:
                    self._show("type", layer, self._search_behind, order)
                    return at
                if length > KEPT_BODY:
                    self._begin(kind, length, base + at)
                    return body_at
            if after > end:
                self.index = index
                self.need = after - at
                return at
            if pieces:
                first, last = self._packet_at(base + at), self._packet_at(base + after - 1)
            add(
                Record(
                    index,
                    layer,
                    kind,
                    base + at,
                    length,
                    buffer[body_at:body_end],
                    buffer[body_end:after],
                    order,
                    0,
                    first,
                    last,
                )
            )
            index += 1
            at = after
            if kind in handing_over:
                self.index = index
                self._hand_over(layer, kind, base + at)
                return at
            if run_kind is None:
                continue
            if kind != run_kind or length != run_length:
                run_kind, run_length, repeated = kind, length, 0
                continue
            repeated += 1
            if repeated == RUN_AFTER and not length & 7:
                size = 8 + length
                count = run_of_records(buffer, at - size, end, size, RECORD_HEADER) - 1
                if count:
                    self._run_like = kind, length
                    data = bytes(buffer[at : at + count * size])
                    add(RecordRun(index, layer, kind, base + at, length, count, data, order, last))
                    index += count
                    at += count * size
        self.index = index
        self.need = RECORD_HEADER
        return at

    def _one_page_run(self, buffer: bytes, at: int, size: int, count: int) -> RecordRun:
        """``count`` PAGE_DATA records of one page each, whose headers are those of the record at ``at``."""
        from xenmig.core.sources.repetition import gathered

        order = self._order["libxc"]
        reserved = HEADS[order](buffer, at + RECORD_HEADER)[1]
        pfns = PfnArray(bytes(gathered(buffer, at + PAGE_DATA_HEAD, size, count, PFN_SIZE)), order)
        index = self.index
        self.index += count
        length = size - RECORD_HEADER
        return RecordRun(
            index, "libxc", PAGE_DATA, self._base + at, length, count, b"", order, self.packet, pfns, reserved
        )

    def _begin(self, kind: int, length: int, offset: int) -> Record:
        """A record whose body is not kept: pass over it."""
        layer = self.layer
        first = self._packet_at(offset)
        record = Record(self.index, layer, kind, offset, length, None, b"", self._order[layer], 0, first)
        self._pending, self.skip, self._pad = record, length, -length & 7
        return record

    def _page_data(self, buffer: bytes, at: int, end: int, length: int, order: str) -> int:
        """The head of a PAGE_DATA record: count, reserved word and pfns; the pages are left to be passed over."""
        if end - at < 16:
            self.need = 16
            return at
        count: int
        count, reserved = HEADS[order](buffer, at + 8)
        listed = count << 3
        if listed > length - 8:
            # Either may lie: no more pfns are looked at than the body has room for.
            listed = length - 8 & ~7
        piece = listed if listed <= PFN_PIECE else PFN_PIECE
        words_at = at + 16
        after = words_at + piece
        if after > end:
            self.need = 16 + piece
            return at
        pfns = PfnArray(buffer[words_at:after], order)
        offset = self._base + at
        if self._piece_offsets:
            first, last = self._packet_at(offset), self._packet_at(offset + 15 + piece)
        else:
            first = last = self.packet
        record = PageData(self.index, offset, length, b"", order, count, reserved, pfns, 0, first, last)
        left = length - 8 - listed
        pad = -length & 7
        if piece < listed:
            self._pending, self._pad = record, pad
            self._array_left, self._pages_left = listed - piece, left
            self._state, self.need = self._pfn_piece, min(PFN_PIECE, listed - piece)
            return after
        if left <= end - after and not pad:
            if self._piece_offsets:
                record.last = self._packet_at(self._base + after + left - 1)
            self.events.append(record)
            self.index += 1
            return after + left
        self._pending, self.skip, self._pad = record, left, pad
        if not left:
            self._passed_all()
        return after

    def _pfn_piece(self, buffer: bytes, at: int, end: int) -> int:
        """The next piece of a pfn array that is larger than any Xen writes."""
        wanted = min(PFN_PIECE, self._array_left)
        if end - at < wanted:
            self.need = wanted
            return at
        record = self._pending
        assert isinstance(record, PageData)
        record.pfns.append(buffer[at : at + wanted])
        at += wanted
        self._array_left -= wanted
        if not self._array_left:
            self.skip = self._pages_left
            self._state = self._records
            if not self.skip:
                self._passed_all()
        return at

    def _padding(self, buffer: bytes, at: int, end: int) -> int:
        """The padding of a record whose body was passed over."""
        record = self._pending
        assert record is not None
        if end - at < self._pad:
            self.need = self._pad
            return at
        record.padding = bytes(buffer[at : at + self._pad])
        at += self._pad
        self._finish(record)
        return at

    def _passed_all(self) -> None:
        self._passing = None
        record = self._pending
        if record is None:
            return
        if self._pad:
            self._state, self.need = self._padding, self._pad
        else:
            self._finish(record)

    def _finish(self, record: Record, hole: Hole | None = None) -> None:
        """The last byte of a record has passed; ``hole`` if it was missing, and what follows it too."""
        after = record.offset + RECORD_HEADER + (record.length + 7 & ~7)
        record.last = self._packet_at(after - 1) if self._piece_offsets else self.packet
        self.events.append(record)
        if hole is not None:
            # What is lost follows what is known of the record.
            self.events.append(hole)
        self._pending = None
        self._pad = 0
        self.index += 1
        self.need = RECORD_HEADER
        if self._state != self._records:
            self._state = self._records
        if record.type in HANDING_OVER[record.layer]:
            self._hand_over(record.layer, record.type, after)

    # -- from layer to layer --------------------------------------------------------------------------------------

    def _hand_over(self, layer: str, kind: int, after: int) -> None:
        """Change the layer where a record that ends at ``after`` says so."""
        if layer == "libxc":
            if kind == libxc.End.record:
                self._libxc_ended = True
                if self._outer == "":
                    self._complete(after)
                elif self._outer == "?":
                    self._state, self.need = self._after_libxc, RECORD_HEADER
                else:
                    self._to_libxl()
            elif kind == libxc.Checkpoint.record and self._outer:
                # "CHECKPOINT: ... the libxl records of the checkpoint follow": only where there is a libxl stream.
                if self._outer == "?":
                    self._state, self.need = self._after_libxc, RECORD_HEADER
                else:
                    self._checkpoint = INSIDE
                    self._to_libxl()
        elif kind == libxl.LibxcContext.record:
            self._libxc_ended = False
            self._enter("libxc")
        elif kind == libxl.CheckpointEnd.record:
            if self._checkpoint == INSIDE:
                self._state, self.need = self._after_checkpoint, RECORD_HEADER
        elif kind == libxl.CheckpointState.record:
            if self._checkpoint == AFTER:
                self._to_libxc()
        else:
            self._complete(after)

    def _after_checkpoint(self, buffer: bytes, at: int, end: int) -> int:
        """Remus goes on with libxc records; COLO says CHECKPOINT_STATE first, still in libxl."""
        if end - at < RECORD_HEADER:
            self.need = RECORD_HEADER
            return at
        kind, length = HEADS[self._order["libxl"]](buffer, at)
        # As a libxc record this would be an X86_PV_VCPU_EXTENDED of 4 bytes, in an HVM stream: neither can be.
        if kind == libxl.CheckpointState.record and length == libxl.CheckpointState.size:
            self._checkpoint = AFTER
            self._to_libxl()
        else:
            self._to_libxc()
        return at

    def _after_libxc(self, buffer: bytes, at: int, end: int) -> int:
        """After a libxc END or CHECKPOINT in a stream whose beginning was missed: is there a libxl stream around it?"""
        if end - at < RECORD_HEADER:
            self.need = RECORD_HEADER
            return at
        kind, length = HEADS[self._order["libxl"]](buffer, at)
        if kind in KNOWN_TYPES["libxl"] and kind != libxl.LibxcContext.record and length <= LENGTH_MAX:
            self._outer = "libxl"
            self._checkpoint = OUTSIDE if self._libxc_ended else INSIDE
            self._to_libxl()
            return at
        self._outer = ""
        if self._libxc_ended:
            self._complete(self._base + at)
        else:
            self._to_libxc()
        return at

    # -- after the end --------------------------------------------------------------------------------------------

    def _complete(self, after: int) -> None:
        self.events.append(Complete(after, self._packet_at(after - 1)))
        self._await_permission()

    def _await_permission(self) -> None:
        self._over = True
        self._state = self._tail
        self.need = 1

    def _tail(self, buffer: bytes, at: int, end: int) -> int:
        """What follows the stream: the sender's permission in ``xl migrate``, or bytes that nobody asked for."""
        text = xl.PERMISSION.data
        here = buffer[at : min(end, at + len(text))]
        if here == text:
            offset = self._base + at
            first, last = self._packet_at(offset), self._packet_at(offset + len(text) - 1)
            self.events.append(Message(xl.PERMISSION.name, offset, len(text), None, first, last))
            at += len(text)
            self._state, self.need = self._behind_everything, 1
        elif not self._final and text.startswith(here):
            self.need = len(text)
        else:
            self._state = self._behind_everything
        return at

    def _behind_everything(self, buffer: bytes, at: int, end: int) -> int:
        if self._trailing_at < 0:
            self._trailing_at = self._base + at
            self._trailing_first = self._packet_at(self._trailing_at)
        self._trailing += buffer[at : min(end, at + SHOWN_BYTES - len(self._trailing))]
        if len(self._trailing) == SHOWN_BYTES:
            self.skip = EVERYTHING
        return end

    def _report_trailing(self) -> None:
        at = self._trailing_at
        if at >= 0:
            self.events.append(Trailing(at, self.position - at, self._trailing, self._trailing_first))

    def _search_behind(self, _buffer: bytes, at: int, end: int) -> int:
        """A state: what stands here is no record, so look for the next plausible one behind it."""
        raise NotImplementedError
