"""Rules over which pages of guest memory a stream brings, and in which order; the pages themselves are not looked at.

tools/libs/guest/xg_sr_save.c: a batch is a piece of a walk through a bitmap, and the first walk takes every page.
"""

from __future__ import annotations

from xenmig.core.check.population import Population
from xenmig.core.decode.pfn_rows import in_a_row
from xenmig.core.definitions import libxc
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import GuestState
    from xenmig.core.decode.events import PageData, Record, RecordRun
    from xenmig.core.decode.pages import PfnArray

RECORD_HEADER = libxc.RecordHeader.size or 0
PFNS = RECORD_HEADER + (libxc.PageData.field("pfns").offset or 0)
HVM_TYPES = frozenset((0x0, 0xD, 0xE, 0xF))
"Page types of an HVM guest: domctl.c, getpageframeinfo3. XALLOC has a rule of its own."
L4 = frozenset((PageType.L4TAB, PageType.L4TAB_PINNED))

_XTAB_AND_DATA = bytes(number << 4 for number in sorted(HVM_TYPES - {0xE}))
_PV = bytes(number << 4 for number in PageType.known if number != PageType.XALLOC)
USUAL = {0: _XTAB_AND_DATA, 8: _PV, 4: bytes(byte for byte in _PV if byte >> 4 not in L4)}
"Bytes with types that need no look, by width of a PV guest; 0 for HVM guests."


class Memory:
    """What has come of the guest's memory in one libxc stream."""

    __slots__ = ("next", "first_pass", "population", "_state")

    next: int
    "In the first pass: the pfn that comes next, as all before it have come."
    first_pass: bool
    "Whether the first pass goes on, and nothing of it was missed."
    population: Population
    "Which pages have come."

    def __init__(self, state: GuestState) -> None:
        self._state = state
        self.next = 0
        self.first_pass = state.whole and not state.converted
        self.population = Population(whole=self.first_pass)

    def gap(self) -> None:
        """Part of the stream was not seen."""
        self.first_pass = False
        self.population.lose()

    def run(self, run: RecordRun) -> None:
        """Take batches of one page each: no sender makes its first pass like that."""
        self.first_pass = False
        if run.pfns is None or run.pfns.bad_count:
            self.population.lose()
        else:
            self.population.take(run.pfns, row=False)

    def page_data(self, event: PageData) -> None:
        """Take a batch."""
        pfns = event.pfns
        if event.missing or pfns.words is None or not pfns.count or pfns.bad_count:
            self.gap()
            return
        tell = self._state.report
        if event.count > MAX_BATCH_SIZE:
            problem = f"{event.count} pfns in one batch, Xen writes at most {MAX_BATCH_SIZE}"
            tell("page-data-batch", event, MAX_BATCH_SIZE, event.count, event.offset + RECORD_HEADER, problem)
        row = in_a_row(pfns)
        self.population.take(pfns, row=row)
        numbers = None if row else pfns.pfns()
        if numbers is not None:
            self._order(event, numbers)
        self._types(event, pfns)
        end = self._state.end_pfn
        if end is not None and pfns.last > end:
            problem = f"pfn 0x{pfns.last:x}, the last pfn of the guest is 0x{end:x}"
            tell("page-data-pfn-range", event, end, pfns.last, event.offset + PFNS + 8 * (pfns.count - 1), problem)
        if self.first_pass:
            self._pass(event, pfns, row=row)

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
        column = (pfns.words or b"")[7 if pfns.byteorder == "<" else 0 :: 8]
        if not column.translate(None, USUAL.get(state.guest.guest_width or 0, _PV)):
            return
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
