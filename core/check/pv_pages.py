"""Rules over the pages that a receiver needs to start a PV guest: they must have come, with the right types.

tools/libs/guest/xg_sr_restore_x86_pv.c: process_vcpu_basic, process_start_info, update_guest_p2m.
"""

from __future__ import annotations

from xenmig.core.check.population import LEVEL, PINNED
from xenmig.core.definitions.libxc import PageType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import GuestState, Telling
    from xenmig.core.check.population import Population

LEVELS = {8: 4, 4: 3}
"Levels of page tables by width of the guest."
FRAMES_AT = 8
"Where the frames of X86_PV_P2M_FRAMES begin."


def population_of(state: GuestState) -> Population | None:
    """What is known of the guest's pages, where all of it is."""
    memory = state.memory
    return memory.population if memory is not None and memory.population.whole else None


def check_page(telling: Telling, who: str, pfn: int, level: int, offset: int) -> bool:
    """Whether the page came, and is a page table of ``level`` (0: an ordinary page); says when it is not.

    ``offset`` is where the body names it. True also when nothing is known.
    """
    population = population_of(telling.state)
    if population is None:
        return True
    kind = population.type(pfn)
    if not population.populated(pfn):
        telling.tell("pv-page-missing", f"{who} is pfn 0x{pfn:x}, which never comes", offset, None, pfn)
    elif int(kind) & LEVEL != level:
        problem = f"{who} is pfn 0x{pfn:x}, a page of type {kind}, not {PageType(level)}"
        telling.tell("pv-page-type", problem, offset, level, kind)
    else:
        return True
    return False


def check_frames(telling: Telling, frames: list[int]) -> None:
    """Hold the pages of the physical-to-machine table to the rules, once memory has come."""
    end = telling.state.end_pfn
    population = population_of(telling.state)
    if population is not None and population.ordinary(frames):
        return
    for index, pfn in enumerate(frames):
        if end is not None and pfn <= end:
            what = f"frame {index} of the physical-to-machine table"
            check_page(telling, what, pfn, 0, FRAMES_AT + 8 * index)


def check_pinned(telling: Telling) -> None:
    """There is a page-table root that is pinned."""
    population = population_of(telling.state)
    level = LEVELS.get(telling.state.guest.guest_width or 0)
    if population is None or level is None or not population.count:
        return
    if not population.has(level | PINNED):
        telling.tell("pv-pinned-root", f"no page has the type {PageType(level | PINNED)}")
