"""Rules over which pages of guest memory a stream brings, and in which order; the pages themselves are not looked at.

tools/libs/guest/xg_sr_save.c: a batch is a piece of a walk through a bitmap, and the first walk takes every page.
"""

from __future__ import annotations

from xenmig.core.check.population import Population
from xenmig.core.decode.pages import VALID_TYPE_BYTES, ZEROS
from xenmig.core.decode.pfn_rows import RowAhead, in_a_row
from xenmig.core.decode.record import PageData
from xenmig.core.definitions import libxc
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import GuestState
    from xenmig.core.decode.pages import PfnArray
    from xenmig.core.decode.record import BatchRun, Record, RecordRun

RECORD_HEADER = libxc.RecordHeader.size or 0
PFNS = RECORD_HEADER + (libxc.PageData.field("pfns").offset or 0)
HVM_TYPES = frozenset((0x0, 0xD, 0xE, 0xF))
"Page types of an HVM guest: domctl.c, getpageframeinfo3. XALLOC has a rule of its own."
L4 = frozenset((PageType.L4TAB, PageType.L4TAB_PINNED))

_XTAB_AND_DATA = bytes(number << 4 for number in sorted(HVM_TYPES - {0xE}))
_PV = bytes(number << 4 for number in PageType.known if number != PageType.XALLOC)
USUAL = {0: _XTAB_AND_DATA, 8: _PV, 4: bytes(byte for byte in _PV if byte >> 4 not in L4)}
"Bytes with types that need no look, by width of a PV guest; 0 for HVM guests."
UNUSUAL = {width: VALID_TYPE_BYTES.translate(None, b"\0" + usual) for width, usual in USUAL.items()}
"Those that exist and need one."


class Expected(RowAhead):
    """The array of the next full batch of the first pass, if that goes on as it did.

    Nearly all do: making the one that is expected and comparing takes two microseconds.
    """

    __slots__ = ("column",)

    column: bytes
    "The bytes with the types: those of the batch before, all alike."

    def __init__(self, pfn: int = 0) -> None:
        super().__init__(pfn)
        self.column = ZEROS

    def after(self, pfn: int, types: bytes | None = None) -> None:
        """Expect a batch that begins with ``pfn``; ``types`` where they are not those of the batch before."""
        words = self.words
        if pfn % MAX_BATCH_SIZE:
            # Nothing can be expected any more.
            self.words = bytearray()
        elif words:
            self.move(pfn)
            if types is not None and types != self.column and types == types[:1] * MAX_BATCH_SIZE:
                words[7::8] = self.column = types

    def is_but_for_types(self, words: bytes) -> bool:
        """Whether ``words`` is as expected, whatever the types are."""
        alike = bytearray(words)
        if len(alike) != len(self.words) or not alike:
            return False
        alike[7::8] = self.column
        return alike == self.words


class Memory:
    """What has come of the guest's memory in one libxc stream."""

    __slots__ = ("next", "first_pass", "population", "_state", "_expected")

    next: int
    "In the first pass: the pfn that comes next, as all before it have come."
    first_pass: bool
    "Whether the first pass goes on, and nothing of it was missed."
    population: Population
    "Which pages have come."

    def __init__(self, state: GuestState) -> None:
        self._state = state
        self._expected = Expected()
        self.next = 0
        self.first_pass = state.whole and not state.converted
        self.population = Population(whole=self.first_pass)

    def gap(self) -> None:
        """Part of the stream was not seen."""
        self.first_pass = False
        self.population.lose()

    def run(self, run: RecordRun) -> None:
        """Take batches of one page each."""
        pfns, end = run.pfns, self._state.end_pfn
        if pfns is None or pfns.words is None or pfns.bad_count or self._unusual(pfns.typed):
            self._singly(run, 0, run.count)
            return
        start = 0
        row = in_a_row(pfns)
        if not (row and pfns.first == self.next):
            # Which of them end the first pass, and how, is seen one by one.
            while self.first_pass and start < run.count:
                self._singly(run, start, start + 1)
                start += 1
            if start == run.count:
                return
            if start:
                pfns = pfns.part(start, run.count)
                row = in_a_row(pfns)
        if end is not None and (pfns.last if row else max(pfns.pfns())) > end:
            self._singly(run, start, run.count)
            return
        self.population.take(pfns, row=row)
        if self.first_pass:
            self.next = pfns.last + 1
            self._expected.after(self.next)

    def _singly(self, run: RecordRun, start: int, end: int) -> None:
        for place in range(start, end):
            event = run.record(place)
            assert isinstance(event, PageData)
            self.page_data(event)

    def batch_run(self, run: BatchRun) -> bool:
        """Take many full batches; False, and nothing is taken, where each of them needs a look."""
        end = self._state.end_pfn
        if not self.first_pass or run.first != self.next or (end is not None and run.after > end + 1):
            return False
        # Looking for one byte in a column takes a tenth of what looking at each of its bytes does.
        for byte in UNUSUAL[self._state.guest.guest_width or 0]:
            for column in run.distinct:
                if byte in column:
                    return False
        self.population.follow(run.columns)
        self.next = run.after
        self._expected.after(self.next)
        return True

    def page_data(self, event: PageData) -> None:
        """Take a batch."""
        pfns, end = event.pfns, self._state.end_pfn
        words, count = pfns.words, pfns.count
        expected = self._expected
        # bytes and bytearray compare, whatever mypy says.
        usual: bool = words == expected.words  # type: ignore[comparison-overlap]
        if usual and self.first_pass and count == event.count and (end is None or self.next + count <= end + 1):
            self.population.follow((expected.column,))
            self.next += count
            expected.after(self.next)
            return
        # Pages that a capture lacks have come all the same; of an array that is not all there nothing is told.
        if words is None or not count or count < event.count or pfns.bad_count:
            self.gap()
            return
        tell = self._state.report
        if event.count > MAX_BATCH_SIZE:
            problem = f"{event.count} pfns in one batch, Xen writes at most {MAX_BATCH_SIZE}"
            tell("page-data-batch", event, MAX_BATCH_SIZE, event.count, event.offset + RECORD_HEADER, problem)
        row = (self.first_pass and expected.is_but_for_types(words)) or in_a_row(pfns)
        self.population.take(pfns, row=row)
        last, place = pfns.last, count - 1
        if not row:
            numbers = pfns.pfns()
            self._order(event, numbers)
            last = max(numbers)
            place = numbers.index(last)
        if self._unusual(pfns.typed):
            self._types(event, pfns)
        if end is not None and last > end:
            problem = f"pfn 0x{last:x}, the last pfn of the guest is 0x{end:x}"
            tell("page-data-pfn-range", event, end, last, event.offset + PFNS + 8 * place, problem)
        if self.first_pass:
            self._pass(event, pfns, row=row)
            expected.after(self.next, pfns.column)

    def _unusual(self, typed: bytes) -> bool:
        """Whether there are types that need a look, by those that are not 0."""
        return bool(typed.translate(None, USUAL.get(self._state.guest.guest_width or 0, _PV)))

    def _order(self, event: PageData, numbers: list[int]) -> None:
        if self._state.converted:
            return
        for index in range(1, len(numbers)):
            if numbers[index] <= numbers[index - 1]:
                word = "comes twice" if numbers[index] == numbers[index - 1] else "is out of order"
                problem = f"pfn 0x{numbers[index]:x} {word}: the pfns of a batch ascend"
                at = event.offset + PFNS + 8 * index
                self._state.report("page-data-order", event, None, numbers[index], at, problem)
                return

    def _types(self, event: PageData, pfns: PfnArray) -> None:
        state = self._state
        types = pfns.types().keys()
        at = event.offset + PFNS
        if state.guest.hvm and not types <= HVM_TYPES:
            wrong = PageType(min(types - HVM_TYPES))
            problem = f"page type {wrong} in the stream of an HVM guest"
            state.report("page-data-type-guest", event, None, int(wrong), at, problem)
        if PageType.XALLOC in types and state.release != (0, 0):
            problem = f"page type {PageType(0xE)}: no sender since Xen 4.6 writes it"
            state.report("page-data-xalloc", event, None, 0xE, at, problem)
        if state.guest.guest_width == 4 and types & L4:
            problem = f"page type {PageType(min(types & L4))} in the stream of a 32-bit guest, which has 3 levels"
            state.report("page-data-level", event, None, int(min(types & L4)), at, problem)

    def _pass(self, event: PageData, pfns: PfnArray, *, row: bool) -> None:
        """The first pass brings every pfn from 0 on, in a row."""
        first = pfns.first
        if first < self.next:
            # A later pass has begun.
            self.first_pass = False
        elif first > self.next or not row:
            self.first_pass = False
            if first > self.next:
                problem = f"pfns 0x{self.next:x} to 0x{first - 1:x} have not come: records are missing"
            else:
                problem = f"pfns between 0x{first:x} and 0x{pfns.last:x} have not come"
            self._state.report("memory-gap", event, self.next, first, event.offset + PFNS, problem)
        else:
            self.next = pfns.last + 1

    def complete(self, event: Record) -> None:
        """The stream's memory has all come."""
        end = self._state.end_pfn
        if self.first_pass and end is not None and self.next and self.next != end + 1:
            problem = f"memory came up to pfn 0x{self.next - 1:x}, the last pfn of the guest is 0x{end:x}"
            self._state.report("memory-gap", event, end + 1, self.next, event.offset, problem)
