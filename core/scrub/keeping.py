"""Deciding what stays of a stream, from what the decoder says of it.

The decoder says where it is sure of its place and where it is not. Of what it understands, headers, pfns and bodies are
kept; pages are not, nor is anything that is cut off, lies behind a place that was lost, or is no part of the stream.

A wrong length leads the decoder into guest memory, which it then reads as records, or takes for a part of a body. So a
body must read as what it is; and one of which that says little is kept only once something that guest memory does not
look like has come behind it: see :meth:`Keeping._sure`.
"""

from __future__ import annotations

from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Header, Message
from xenmig.core.decode.pages import PFN_MASK
from xenmig.core.decode.record import DirtyPfnList, PageData, Record
from xenmig.core.definitions import libxc, libxl, qemu, vcpu
from xenmig.core.definitions.bodies import decode, order_of
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.guest import Guest
from xenmig.core.scrub.bodies import parts, plausible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenmig.core.decode.events import Event
    from xenmig.core.definitions.structs import Struct
    from xenmig.core.scrub.kept import Kept

RECORD_HEADER = libxc.RecordHeader.size or 0
PAGE_DATA_HEAD = RECORD_HEADER + (libxc.PageData.field("pfns").offset or 0)
PFN_SIZE = libxc.PFN_WORD.size or 0
NO_RECORD = b"\xff" * RECORD_HEADER
"""Put where the decoder lost its place: a header that announces more bytes than any receiver takes, so that whoever
reads the copy loses it there too. Zeros would be an END."""
UNNAMED = 0x100
"Record types from here on are taken for garbage: Xen has named 19 of them in ten years."
UNCHECKED = (libxc.X86PvP2mFrames, qemu.EmulatorContext, vcpu.X86PvVcpuXsave)
"Bodies of any length in which nearly everything is right."
TEXT_MAX = 1 << 18
"A configuration of more bytes is not kept."


class Choice:
    """What is to be removed beside guest memory."""

    __slots__ = ("configuration", "state")

    configuration: bool
    "Passwords, names, paths and addresses in the configuration and in xenstore's data."
    state: bool
    "The state of devices and vcpus."

    def __init__(self, *, configuration: bool = False, state: bool = False) -> None:
        self.configuration = configuration
        self.state = state


class Keeping:
    """Takes the events of one stream and tells a :class:`Kept`."""

    __slots__ = ("records", "memory", "_kept", "_choice", "_guest", "_lost", "_lost_at", "_doubted", "_cut")

    records: int
    "How many records have come."
    memory: int
    "Bytes of guest memory that the PAGE_DATA records announce."

    def __init__(self, kept: Kept, choice: Choice) -> None:
        self.records = 0
        self.memory = 0
        self._kept = kept
        self._choice = choice
        self._guest = Guest()
        # Whether what is decoded is believed not to be records at all.
        self._lost = False
        self._lost_at: int | None = None
        # What may be guest memory: start, end, what takes its place (None to keep), and whether it is doubted. Headers
        # between such bodies wait with them, since ranges come in order.
        self._doubted: list[tuple[int, int, bytes | None, bool]] = []
        # Where the last record ends of which bytes are missing.
        self._cut = 0

    def take(self, events: Iterable[Event]) -> None:
        """Take the next events of the stream."""
        for event in events:
            if isinstance(event, Record):
                self.records += 1
                if event.missing:
                    self._sure()
                    self._cut = event.offset + RECORD_HEADER + event.length
                self._record(event)
            elif isinstance(event, Header):
                self._header(event)
            elif isinstance(event, Message):
                self._sure()
                self._keep(event.offset, event.offset + event.length)
            elif isinstance(event, Unrecognised):
                self._unrecognised(event)
            elif isinstance(event, Hole):
                # What is missing is missing because of the capture, and up to here the place was known. The record that
                # such a hole cuts may have come before it: of what it holds nothing is known yet.
                if event.offset >= self._cut:
                    self._sure()
            elif isinstance(event, Resynchronised):
                self._found(event.offset)
            elif isinstance(event, Trailing):
                # Was what looked like the end none?
                self._unsure()
            elif isinstance(event, Truncated):
                self._truncated(event)

    def finish(self) -> None:
        """No more events will come."""
        self._found()
        self._sure()

    # -- headers and records --------------------------------------------------------------------------------------

    def _header(self, event: Header) -> None:
        value = event.value
        for name in ("config", "xml"):
            text = value.__dict__.get(name)
            if text is not None:
                self._configuration(event, name, text)
                return
        # All of them begin with a magic number, or follow one.
        self._sure()
        self._found(event.offset)
        if isinstance(value, libxc.ImageHeader):
            self._guest = Guest()
        self._guest.take(value)
        self._keep(event.offset, event.offset + event.length)

    def _configuration(self, event: Header, name: str, text: bytes) -> None:
        from xenmig.core.scrub.texts import CONFIGURATIONS, is_text

        at = event.offset + (event.value.field(name).offset or 0)
        # Its length, where there is one.
        self._keep(event.offset, at)
        if len(text) <= TEXT_MAX and is_text(text):
            new = CONFIGURATIONS[name](text) if self._choice.configuration else None
            self._keep(at, at + len(text), new)

    def _record(self, event: Record) -> None:
        if isinstance(event, PageData):
            self._page_data(event)
        elif isinstance(event, DirtyPfnList):
            self._dirty_pfns(event)
        elif not self._lost:
            self._other(event)

    def _page_data(self, event: PageData, there: int | None = None) -> None:
        """The header, and those entries of the array that are pfns beyond doubt.

        ``there`` is how many bytes of the record there are, where it is cut off.
        """
        pfns = event.pfns
        listed = PAGE_DATA_HEAD + PFN_SIZE * pfns.count
        announced = PAGE_DATA_HEAD - RECORD_HEADER + PFN_SIZE * event.count + GUEST_PAGE_SIZE * pfns.with_data
        if pfns.count == event.count and not pfns.bad_count and event.length == announced:
            # Guest memory does not look like this: the length follows from the count and every type.
            self.memory += GUEST_PAGE_SIZE * pfns.with_data
            self._found(event.offset)
            self._sure()
            self._keep(event.offset, event.offset + listed)
        elif not self._lost:
            last = -1
            count = 0
            for word in pfns.numbers() if pfns.words is not None else ():
                if word & PFN_MASK <= last or any(bad.index == count for bad in pfns.bad):
                    break
                last = word & PFN_MASK
                count += 1
            end = PAGE_DATA_HEAD + PFN_SIZE * count
            end = end if there is None else min(end, there)
            self._keep(event.offset, event.offset + end, doubted=True)

    def _other(self, event: Record) -> None:
        layer, kind, length, body = event.layer, event.type, event.length, event.body
        at = event.offset + RECORD_HEADER
        if kind & ~libxc.OPTIONAL >= UNNAMED:
            self._lose(event.offset)
            return
        value = decode(layer, kind, body, self._guest, event.byteorder) if body else None
        believed = value is not None and plausible(layer, kind, value, length)
        sound = believed and value is not None and not value.problems
        if sound:
            self._sure()
        self._keep(event.offset, at)
        if believed and value is not None:
            self._body(event, value, doubted=not sound or isinstance(value, UNCHECKED))

    def _body(self, event: Record, value: Struct, *, doubted: bool) -> None:
        at = event.offset + RECORD_HEADER
        after = at + event.length
        if self._choice.configuration and isinstance(value, libxl.EmulatorXenstoreData):
            from xenmig.core.scrub.texts import hidden_xenstore

            begin = value.field("xenstore_data").offset or 0
            self._keep(at, at + begin, doubted=doubted)
            self._keep(at + begin, after, hidden_xenstore((event.body or b"")[begin:]), doubted=doubted)
        else:
            state = self._choice.state
            order = order_of(event.layer, event.type, event.body or b"", event.byteorder)
            for start, end, new in parts(event.layer, event.type, value, event.length, order, state=state):
                self._keep(at + start, at + end, new, doubted=doubted)
        self._keep(after, after + len(event.padding), doubted=True)

    def _dirty_pfns(self, event: DirtyPfnList) -> None:
        begin = event.offset + RECORD_HEADER + len(event.header_end)
        self._keep(event.offset, begin)
        if event.body is not None:
            value = libxc.CheckpointDirtyPfnList.decode(event.body, event.byteorder)
            pfns = value.pfns
            ascending = all(first < second for first, second in zip(pfns, pfns[1:], strict=False))
            if ascending and pfns and pfns[-1] <= PFN_MASK:
                self._keep(begin, begin + event.length)

    # -- what is not whole ----------------------------------------------------------------------------------------

    def _unrecognised(self, event: Unrecognised) -> None:
        if event.kind in ("length", "type"):
            self._lose(event.offset)
        elif event.kind == "header":
            self._unsure()
            self._lost = True

    def _truncated(self, event: Truncated) -> None:
        partial = event.partial
        if partial is None:
            if event.available and event.offset == 0 and event.what.endswith("header"):
                # A stream that ends inside its first header: what there is of the magic number.
                self._keep(0, event.available)
            return
        if isinstance(partial, PageData):
            self._page_data(partial, event.available)
        elif not self._lost and event.available >= RECORD_HEADER and partial.type & ~libxc.OPTIONAL < UNNAMED:
            self._keep(partial.offset, partial.offset + RECORD_HEADER)

    def _lose(self, offset: int) -> None:
        """Here stands no record: nothing is kept until the place is found again."""
        self._unsure()
        if not self._lost:
            self._lost = True
            self._lost_at = offset

    def _found(self, offset: int | None = None) -> None:
        """The place is known again from ``offset`` on."""
        if self._lost_at is not None:
            room = RECORD_HEADER if offset is None else min(RECORD_HEADER, offset - self._lost_at)
            self._kept.put(self._lost_at, NO_RECORD[:room])
            self._lost_at = None
        self._lost = False

    # -- doubts ---------------------------------------------------------------------------------------------------

    def _keep(self, start: int, end: int, new: bytes | None = None, *, doubted: bool = False) -> None:
        """Keep what lies there, or put ``new`` in its place; ``doubted`` only if what comes next bears it out."""
        if start >= end:
            return
        if doubted or self._doubted:
            self._doubted.append((start, end, new, doubted))
        elif new is None:
            self._kept.keep(start, end)
        else:
            self._kept.put(start, new)

    def _sure(self) -> None:
        """What came so far was no guest memory: PAGE_DATA whose length fits its types, a magic number, or another
        record of a known type and a length that it may have.
        """
        self._settle(sure=True)

    def _unsure(self) -> None:
        self._settle(sure=False)

    def _settle(self, *, sure: bool) -> None:
        for start, end, new, doubted in self._doubted:
            if doubted and not sure:
                continue
            if new is None:
                self._kept.keep(start, end)
            else:
                self._kept.put(start, new)
        self._doubted.clear()
