"""Rules over HVM_PARAMS.

tools/libs/guest/xg_sr_save_x86_hvm.c, write_hvm_params; xen/arch/x86/hvm/hvm.c, hvm_allow_set_param, hvm_set_param.
"""

from __future__ import annotations

from xenmig.core.definitions.hvm_params import MEANINGS, Index, in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.check.guest_state import Telling
    from xenmig.core.definitions.enumerations import Value

FIRST = 8
"Where the parameters begin."
SIZE = 16
IOREQ_PAGES_MAX = 64
"hvm.c: more pages than bits in a word are refused."
CHECKED = (Index.VIRIDIAN, Index.ACPI_IOPORTS_LOCATION, Index.X87_FIP_WIDTH, Index.MCA_CAP)
"Parameters whose values a receiver looks at, and that are no plain number."


RINGS = (Index.STORE_PFN, Index.CONSOLE_PFN)
"Parameters that are pfns of pages that the guest shares with the toolstack."


def release_of(text: str) -> tuple[int, int]:
    """``4.13`` as numbers."""
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def check(telling: Telling, value: Any) -> None:
    """Hold a HVM_PARAMS to its rules."""
    state = telling.state
    params = value.params or []
    found = dict(state.params or {})
    for number, one in enumerate(params):
        at = FIRST + SIZE * number
        index, content = int(one.index), one.value
        known = Index.known.get(index)
        if index in found and not state.converted:
            telling.tell("hvm-param-repeated", f"{one.index} comes a second time", at, None, index)
        found[index] = content
        if known is None or not _written(known, state.release):
            if known is not None and (known.facts.get("deprecated") or known.facts.get("read_only")):
                telling.tell("hvm-param-refused", f"{one.index}: no receiver takes it", at, None, index)
            elif not state.converted:
                telling.tell("hvm-param-index", f"{one.index} is none that such a sender writes", at, None, index)
        if not content and not state.converted:
            telling.tell("hvm-param-zero", f"{one.index} is zero: senders leave those out", at + 8, None, 0)
        if _refused(index, content):
            problem = f"{one.index} is {in_words(index, content)}: no receiver takes that"
            telling.tell("hvm-param-value", problem, at + 8, None, content)
    if Index.VM86_TSS in found and Index.VM86_TSS_SIZED in found:
        telling.tell("hvm-param-tss", f"{Index.VM86_TSS} and {Index.VM86_TSS_SIZED} are both there")
    state.params = found
    state.params_event = telling.event  # type: ignore[assignment]


def _written(known: Value, release: tuple[int, int]) -> bool:
    """Whether a sender of that release writes the parameter; of an unknown release, whether any does."""
    since, until = known.facts.get("written"), known.facts.get("until")
    if since is None:
        return False
    if release == (0, 0):
        return True
    return release >= release_of(since) and (until is None or release <= release_of(until))


def _refused(index: int, content: int) -> bool:
    """Whether a receiver refuses the value of a parameter that it takes."""
    if index == Index.NR_IOREQ_SERVER_PAGES:
        return not 0 < content <= IOREQ_PAGES_MAX
    if index == Index.VIRIDIAN:
        return bool(content and not content & 1) or _unknown(index, content)
    return index in CHECKED and _unknown(index, content)


def _unknown(index: int, content: int) -> bool:
    named = MEANINGS[index](content)
    unknown = getattr(named, "unknown", None)
    return bool(unknown) if unknown is not None else content not in named.known


def complete(telling: Telling) -> None:
    """The rings that the guest shares with the toolstack lie in its memory."""
    state = telling.state
    params, event, memory = state.params, state.params_event, state.memory
    if not params or event is None or memory is None or not memory.population.whole:
        return
    about = telling.about(event)
    for index in RINGS:
        pfn = params.get(index)
        if pfn and not memory.population.populated(pfn):
            about.tell("hvm-param-page", f"{index} is pfn 0x{pfn:x}, which never comes", 0, None, pfn)
