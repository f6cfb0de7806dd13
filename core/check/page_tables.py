"""Rules over what is in the page tables and the start_info page of a PV guest, as the pages pass by.

tools/libs/guest/xg_sr_save_x86_pv.c, normalise_pagetable; xg_sr_restore_x86_pv.c, localise_page, pin_pagetables and
process_start_info. The pages themselves are not kept, only which tables lead to which, and that up to a limit.
"""

from __future__ import annotations

from array import array
from struct import unpack_from

from xenmig.core.check.population import LEVEL, PINNED, POPULATED
from xenmig.core.check.pv_pages import population_of
from xenmig.core.decode.events import Page
from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import GuestState, Telling
    from xenmig.core.check.population import Population
    from xenmig.core.decode.record import PageData, Record

PFNS = libxc.PageData.field("pfns").offset or 0
PFN_SIZE = libxc.PFN_WORD.size or 0
PRESENT, LARGE = 1 << 0, 1 << 7
"Bits of a page-table entry; LARGE means that above L1 only."
FRAME = (1 << 40) - 1
"libxc-migration-stream, PAGE_DATA: bits 12 to 51 of a present entry are a pfn."
XEN_SLOTS = {(8, 4): range(256, 272), (4, 3): range(4, 512)}
"Entries that senders clear, by width of the guest and level: they are Xen's."
START_INFO = {8: ("<Q", 56, 72), 4: ("<I", 44, 52)}
"Layout of a pfn in start_info, where that of the xenstore page is and that of the console: xen/include/public/xen.h."
LINKS_MAX = 1 << 20
"Links between tables that are kept: 8 MiB. Those to L1 tables of a guest with 1 TiB fit in."
TABLE_COST = 32
"What a table costs besides its links, in links."
START_INFOS_MAX = 1024
"Pages that look like start_info and are kept: a guest has copies of its own."


class Table:
    """A page table above L1: where it came, and what its present entries lead to."""

    __slots__ = ("page", "links")

    page: Page
    "Without the data."
    links: array[int]
    "The pfns."

    def __init__(self, page: Page, links: array[int]) -> None:
        self.page = Page(page.offset, page.record, page.pfn, page.type, b"", page.first)
        self.links = links


class PageTables:
    """What is kept of the pages that were looked into. One for each libxc stream."""

    __slots__ = ("_state", "_tables", "_kept", "_full", "_written", "_starts", "_more_starts")

    def __init__(self, state: GuestState) -> None:
        self._state = state
        self._tables: dict[int, Table] = {}
        self._kept = 0
        self._full = False
        # Whether a table has an entry. Without one memory was zeroed, as `xenmig scrub` does: no guest runs on that.
        self._written = False
        # Record, and the pfns of the xenstore and the console page, by the pfn of what looks like start_info.
        self._starts: dict[int, tuple[int, int, int]] = {}
        # Whether there may be more of these: over the limit, or among pages of which bytes are missing.
        self._more_starts = False

    def page_data(self, event: PageData) -> None:
        """Take a batch, after its pages: what came before of the same pages does not count any more."""
        stale = [pfn for pfn, start in self._starts.items() if start[0] != event.index]
        if stale:
            again = set(event.pfns.pfns())
            for pfn in stale:
                if pfn in again:
                    del self._starts[pfn]
        pfns = event.pfns
        if event.missing or event.length < PFNS + PFN_SIZE * event.count + GUEST_PAGE_SIZE * pfns.with_data:
            # Not all of its pages were looked into.
            self._more_starts = True
            for pfn in pfns.pfns():
                table = self._tables.get(pfn)
                if table is not None and table.page.record != event.index:
                    self._forget(pfn)

    def page(self, event: Page) -> None:
        """Take the data of one page."""
        level = int(event.type) & LEVEL
        if level:
            self._table(event, level)
        else:
            self._start_info(event)

    # -- page tables ----------------------------------------------------------------------------------------------

    def _table(self, event: Page, level: int) -> None:
        import sys

        self._written = self._written or any(event.data)
        entries = array("Q", event.data)
        if sys.byteorder != "little":
            entries.byteswap()
        links = array("Q", [entry >> 12 & FRAME for entry in entries if entry & PRESENT])
        end = self._state.end_pfn
        if end is not None and links and max(links) > end:
            self._beyond(event, entries, end)
        if level > 1:
            self._writer(event, entries, level)
            self._keep(event, links)

    def _beyond(self, event: Page, entries: array[int], end: int) -> None:
        wrong = [index for index, one in enumerate(entries) if one & PRESENT and one >> 12 & FRAME > end]
        pfn = entries[wrong[0]] >> 12 & FRAME
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        problem = f"entry {wrong[0]} leads to pfn 0x{pfn:x}{more}: the last pfn of the guest is 0x{end:x}"
        self._tell("page-table-range", event, problem, 8 * wrong[0], end, pfn)

    def _writer(self, event: Page, entries: array[int], level: int) -> None:
        """What senders see to."""
        large = next((index for index, one in enumerate(entries) if one & PRESENT and one & LARGE), None)
        if large is not None:
            self._tell("page-table-large", event, f"entry {large} is of a large page", 8 * large, None, entries[large])
        for index in XEN_SLOTS.get((self._state.guest.guest_width or 0, level), ()):
            if entries[index]:
                problem = f"entry {index} is 0x{entries[index]:x}: that one is Xen's"
                self._tell("page-table-xen", event, problem, 8 * index, 0, entries[index])
                break

    def _keep(self, event: Page, links: array[int]) -> None:
        self._forget(event.pfn)
        self._kept += len(links) + TABLE_COST
        if self._kept > LINKS_MAX:
            self._kept -= len(links) + TABLE_COST
            self._full = True
        else:
            self._tables[event.pfn] = Table(event, links)

    def _forget(self, pfn: int) -> None:
        """What came of a table before does not count any more."""
        before = self._tables.pop(pfn, None)
        if before is not None:
            self._kept -= len(before.links) + TABLE_COST

    def complete(self, event: Record) -> None:
        """All of the guest's memory has come: follow the tables from the pinned ones on.

        Only these are known to be in use. A page that was a table once keeps its type, and its content may be stale.
        """
        population = population_of(self._state)
        if population is None:
            return
        if self._full:
            problem = f"there are more than {LINKS_MAX:,} links between page tables: not all were followed"
            self._state.report("page-table-many", event, LINKS_MAX, None, event.offset, problem)
        pages = population.pages
        reached = [pfn for pfn in self._tables if pfn < len(pages) and pages[pfn] >> 4 & PINNED]
        seen = set(reached)
        while reached:
            pfn = reached.pop()
            table = self._tables[pfn]
            level = int(population.type(pfn)) & LEVEL
            if level == int(table.page.type) & LEVEL:
                for below in self._follow(table, level, population):
                    if below in self._tables and below not in seen:
                        seen.add(below)
                        reached.append(below)

    def _follow(self, table: Table, level: int, population: Population) -> list[int]:
        """The pfns of the tables that a table leads to; says when they are none."""
        pages, right = population.pages, []
        for pfn in table.links:
            one = pages[pfn] if pfn < len(pages) else 0
            if not one & POPULATED:
                problem = f"it leads to pfn 0x{pfn:x}, which never comes"
                self._tell("page-table-missing", table.page, problem, 0, None, pfn)
            # A table that leads to one of its own level maps the tables themselves.
            elif one >> 4 & LEVEL in (level - 1, level):
                right.append(pfn)
            else:
                problem = f"it leads to pfn 0x{pfn:x}, a page of type {population.type(pfn)}"
                self._tell("page-table-level", table.page, problem, 0, level - 1, one >> 4)
        return right

    def _tell(
        self, rule: str, page: Page, problem: str, offset: int, expected: int | None = None, actual: int | None = None
    ) -> None:
        problem = f"pfn 0x{page.pfn:x}, of type {page.type}: {problem}"
        self._state.report(rule, page, expected, actual, page.offset + offset, problem)

    # -- start_info -----------------------------------------------------------------------------------------------

    def _start_info(self, event: Page) -> None:
        layout = START_INFO.get(self._state.guest.guest_width or 0)
        if layout is None:
            return
        if len(self._starts) >= START_INFOS_MAX:
            self._more_starts = True
            return
        word, store, console = layout
        found = (unpack_from(word, event.data, store)[0], unpack_from(word, event.data, console)[0])
        self._starts[event.pfn] = (event.record, *found)

    def check_start_info(self, telling: Telling, pfn: int, offset: int) -> None:
        """Hold the start_info page to the rules; the record of the first vcpu names it ``offset`` bytes into it."""
        population = population_of(self._state)
        if population is None or (self._tables and not self._written):
            return
        start = self._starts.get(pfn)
        if start is None:
            if not self._more_starts:
                problem = f'the start_info page, pfn 0x{pfn:x}, does not begin with "xen-"'
                telling.tell("pv-start-info", problem, offset, None, pfn)
            return
        end = self._state.end_pfn
        for name, ring in zip(("xenstore", "console"), start[1:], strict=True):
            known = f"by start_info, pfn 0x{pfn:x}, the {name} page is pfn 0x{ring:x}"
            if end is not None and ring > end:
                problem = f"{known}: the last pfn of the guest is 0x{end:x}"
                telling.tell("pv-start-info-pfn", problem, offset, end, ring)
            elif not population.populated(ring):
                telling.tell("pv-start-info-pfn", f"{known}, which never comes", offset, None, ring)
