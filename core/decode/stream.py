"""The push decoder of migration streams: bytes in, events out.

One engine serves files, pipes and TCP. It is a state machine over *units* (a header, a record, the pfn array of a
PAGE_DATA): see push.py for how units are collected, headers.py and records.py for what they are. Guest memory is a unit
that is passed over: ``skip``. Here is what happens when the stream is not whole: holes, a beginning that was missed, a
position that was lost, an end that comes too early.
"""

from __future__ import annotations

from xenmig.core.decode.damage import Hole, Resynchronised, Truncated
from xenmig.core.decode.events import Complete
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.push import EVERYTHING
from xenmig.core.decode.record import PageData, Record
from xenmig.core.decode.records import HEADS, INSIDE, KNOWN_TYPES, PAGE_DATA, RECORD_HEADER, RecordDecoder
from xenmig.core.definitions import libxc
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SEARCHED_WHEN_JOINED = 64 << 20
"A stream joined in the middle that shows no record within this many bytes is taken for something else."
SEARCHED_AT_ONCE = 4096
"Bytes that are collected before they are searched, so that small segments are not searched one by one."


class StreamDecoder(RecordDecoder):
    """Decodes one stream, from its first byte to its last. See :class:`~xenmig.core.sources.consumer.Consumer`."""

    def __init__(self, start: str = "", *, joined: bool = False, runs: bool = False) -> None:
        """Begin before the first byte.

        ``start`` is the outermost layer ("xl", "libvirt", "libxl" or "libxc") or empty to go by the first bytes.
        ``joined`` says that the stream's beginning was missed: the decoder looks for a record to begin with.
        ``runs`` asks for a :class:`~xenmig.core.decode.record.RecordRun` where many records are of one kind, and for a
        :class:`~xenmig.core.decode.record.BatchRun` where many are full batches in a row.
        """
        super().__init__(runs=runs)
        self._lost_at = 0
        # Bytes after which the search is given up.
        self._patience = 0
        # Where the last run of full batches ended, and the pfn that comes next.
        self._walked = (-1, 0)
        if joined:
            self._outer = "?"
            self._patience = SEARCHED_WHEN_JOINED
            self._lose(0)
        elif start:
            self._enter(start)

    @property
    def searching(self) -> bool:
        """Whether the position is lost and the next plausible record is being looked for."""
        return self._searching

    # -- many batches at once -------------------------------------------------------------------------------------

    def walk(self, read_into: Callable[[bytearray, int], int], end: int) -> bool:
        """Take full batches that go on from the one that was the last event; False where they do not.

        See :class:`~xenmig.core.sources.consumer.Walker`.
        """
        position, pfn = self._walked
        if self.position != position:
            last = self.events[-1] if self.runs and self.events else None
            if type(last) is not PageData or self._held or self._state != self._records or last.byteorder != "<":
                return False
            first, pfn = last.pfns.first, last.pfns.last + 1
            if last.count != MAX_BATCH_SIZE or pfn - first != MAX_BATCH_SIZE or first % MAX_BATCH_SIZE:
                return False
        from xenmig.core.decode.batches import batches_at

        run = batches_at(self.position, end, read_into, self.index, pfn)
        if run is None:
            return False
        self.events.append(run)
        self.index += run.count
        self.position = run.end
        self._walked = run.end, run.after
        return True

    # -- holes ----------------------------------------------------------------------------------------------------

    def hole(self, count: int) -> None:
        """``count`` bytes are missing; go on if the position survives that."""
        self._flush()
        start = self._start_of_held()
        offset = self.position
        self.position += count
        record = self._pending or self._begun(offset)
        if self._over or self._state in (self._ignore, self._lost):
            if self._over and self._state != self._tail and self._trailing_at < 0:
                self._trailing_at = offset
            self.events.append(Hole(offset, count, None, self.packet))
        elif record is not None:
            self._hole_in_record(record, offset, count)
        elif self._hole_in_header(offset, count):
            self.events.append(Hole(offset, count, None, self.packet))
        else:
            self.events.append(Hole(offset, count, None, self.packet))
            self._drop_held()
            self._lose(start)

    def _hole_in_record(self, record: Record, offset: int, count: int) -> None:
        body_end = record.offset + RECORD_HEADER + record.length
        record_end = body_end + (-record.length & 7)
        self._drop_held()
        self._state = self._records
        if self.position <= record_end:
            self.events.append(Hole(offset, count, record.index, self.packet))
            record.missing += count
            self.skip = max(0, body_end - self.position)
            self._pad = record_end - max(body_end, self.position)
            if not self.skip:
                self._passed_all()
            return
        record.missing += record_end - offset
        self.skip = 0
        self._finish(record, Hole(offset, count, None, self.packet))
        if not self._over:
            self._lose(record_end)

    def _begun(self, end: int) -> Record | None:
        """The record whose header is held, up to the absolute offset ``end``, if one is."""
        held = bytes(self._held)
        if self._state != self._records or len(held) < RECORD_HEADER:
            return None
        order = self._order[self.layer]
        kind, length = HEADS[order](held, 0)
        offset = end - len(held)
        record = self._begin(kind, length, offset)
        if kind == PAGE_DATA and self.layer == "libxc" and len(held) >= 16 and length >= 8:
            count, reserved = HEADS[order](held, 8)
            there = min(count << 3, len(held) - 16, length - 8) & ~7
            pfns = PfnArray(held[16 : 16 + there], order)
            record = PageData(self.index, offset, length, b"", order, count, reserved, pfns, 0, record.first)
            self._pending = record
        return record

    def _hole_in_header(self, offset: int, count: int) -> bool:
        """Whether a hole lies in something else of known size, which then is passed over."""
        if self._passing is not None:
            if count > self.skip:
                self.skip = 0
                self._passing = None
                return False
            self.skip -= count
        else:
            what = next((what for state, what in self._header_names() if state == self._state), "")
            begin = offset - len(self._held)
            end = begin + (self._wrapped if self._state == self._configuration else self.need)
            # A wrapper's header says how long the configuration is: without it the place is lost.
            if not what or self._state in (self._xl_header, self._libvirt_header) or self.position > end:
                return False
            self._pass_over(what, begin, end, end - self.position)
            if self._state == self._configuration:
                self._unwrap()
            elif self._state == self._image_header:
                self._state, self.need = self._domain_header, libxc.DomainHeader.size or 0
            elif self._state == self._libxl_header:
                self._to_libxl()
            else:
                self._to_libxc()
        if not self.skip:
            self._passing = None
        self._drop_held()
        return True

    # -- losing and finding the position --------------------------------------------------------------------------

    def _search_from_here(self, _buffer: bytes, at: int, _end: int) -> int:
        self._lose(self._base + at)
        return at

    def _search_behind(self, _buffer: bytes, at: int, end: int) -> int:
        # Were it searched from here, what has just been refused might be found again.
        self._lose(self._base + at)
        return min(at + 1, end)

    def _lose(self, offset: int) -> None:
        """Forget the place, which was known up to ``offset``, and look for the next plausible record."""
        self._pending = None
        self._pad = 0
        self.skip = 0
        self.need = SEARCHED_AT_ONCE
        self._lost_at = offset
        self._searching = True
        self._state = self._lost

    def _lost(self, buffer: bytes, at: int, end: int) -> int:
        from xenmig.core.decode.resync import find_anchor

        # A header inside a stream that has shown records belongs to a stream in the guest's memory.
        found = find_anchor(buffer, at, end, final=self._final, headers=self.index == 0)
        offset = self._base + found.at
        if self._patience and offset - self._lost_at > self._patience:
            self._state, self.skip, self._searching = self._ignore, EVERYTHING, False
            return end
        if found.need or not found.layer:
            self.need = max(found.need, SEARCHED_AT_ONCE)
            return end if self._final else found.at
        self._patience = 0
        self._searching = False
        # Anchors are little endian, whatever went before.
        self._order["libxl"] = self._order["libxc"] = "<"
        first = self._packet_at(offset)
        self.events.append(Resynchronised(offset, offset - self._lost_at, found.evidence, first))
        if found.what == "header":
            self._enter(found.layer)
        elif found.what == "permission":
            self.layer = found.layer
            self._await_permission()
        elif found.layer == "libxl":
            self._outer = "libxl"
            self._checkpoint = INSIDE
            self._to_libxl()
        else:
            self._to_libxc()
        return found.at

    # -- the end of input -----------------------------------------------------------------------------------------

    def end(self) -> None:
        """No more bytes will come: say what is unfinished."""
        self._flush()
        if self._over:
            self._report_trailing()
        elif self._state == self._start:
            self._show("start", "", self._ignore)
            self._flush()
        elif self._state == self._after_libxc and self._libxc_ended and not self._held:
            self.events.append(Complete(self.position, self.packet))
        elif self._state != self._ignore:
            self.events.append(self._truncated())

    def _truncated(self) -> Truncated:
        """What the end of input cut off."""
        if self._passing is not None:
            layer, what, begin, end = self._passing
            return self._cut(layer, begin, what, end, None)
        record = self._pending or self._begun(self.position)
        if record is not None:
            end = record.offset + RECORD_HEADER + (record.length + 7 & ~7)
            return self._cut(record.layer, record.offset, type_name(record), end, record)
        if self._state == self._lost:
            what = "a record that looks like one, after the position was lost"
            return self._cut(self.layer or "libxc", self._lost_at, what, None, None)
        begin = self._start_of_held()
        for state, what in self._header_names():
            if state == self._state:
                size = self._wrapped if state == self._configuration else self.need
                return self._cut(self.layer, begin, what, begin + size, None)
        size = RECORD_HEADER if self._held else 0
        return self._cut(self.layer, begin, "record header", begin + size if size else None, None)

    def _cut(self, layer: str, begin: int, what: str, end: int | None, partial: Record | None) -> Truncated:
        missing = None if end is None else end - self.position
        first = partial.first if partial else self._packet_at(begin) if self._held else None
        return Truncated(layer, begin, what, self.position - begin, missing, partial, first, self.packet)


def type_name(record: Record) -> str:
    """The record type's name, or its number where it has none."""
    known = KNOWN_TYPES[record.layer].get(record.type)
    return known.name if known else f"record of type 0x{record.type:08x}"
