"""Rules over processor state that HVM and PV guests share: XSAVE areas and MSRs.

xen/arch/x86/xstate.c, validate_xstate; xen/arch/x86/hvm/hvm.c and xen/arch/x86/domctl.c.
"""

from __future__ import annotations

from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.xsave_area import AREA_MIN, TABLES, area_size, places_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.check.guest_state import Telling

X87, SSE, YMM, BNDREGS, BNDCSR = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
AVX512 = 7 << 5
TILE = 3 << 17


def valid_xcr0(xcr0: int) -> bool:
    """Whether a processor would take it: xstate.c, valid_xcr0."""
    return (
        bool(xcr0 & X87)
        and (not xcr0 & YMM or bool(xcr0 & SSE))
        and bool(xcr0 & BNDREGS) == bool(xcr0 & BNDCSR)
        and xcr0 & AVX512 in (0, AVX512)
        and (not xcr0 & AVX512 or bool(xcr0 & YMM))
        and xcr0 & TILE in (0, TILE)
    )


def check_xsave(telling: Telling, who: str, data: Any, size: int, at: int) -> None:
    """Hold the head of an XSAVE area, and its ``size`` in bytes, to the rules."""
    state = telling.state
    xcr0, accum = int(data.xcr0), int(data.xcr0_accum)
    used = int(data.xstate_bv or 0)
    if not accum and not xcr0:
        if size:
            from xenmig.core.quantity import quantity

            telling.tell("xsave-length", f"{who}: {quantity(size, 'byte')} of state for no component", at, 0, size)
        return
    if xcr0 & ~accum or not valid_xcr0(accum) or (xcr0 and not valid_xcr0(xcr0)):
        problem = f"{who}: xcr0 is 0x{xcr0:x} and xcr0_accum 0x{accum:x}, which do not go together"
        telling.tell("xsave-components", problem, at)
        return
    if used & ~accum:
        problem = f"{who}: xstate_bv has bits 0x{used & ~accum:x} that were never enabled"
        telling.tell("xsave-components", problem, at)
    policy = state.policy
    if policy is not None and policy.xcr0 and accum & ~int(policy.xcr0):
        extra = accum & ~int(policy.xcr0)
        telling.tell("xsave-policy", f"{who}: xcr0_accum has bits 0x{extra:x} that the CPU policy does not allow", at)
    places = places_of(state.guest.leaves)
    wanted = area_size(accum, places)
    if wanted is not None:
        fits = size == wanted
    else:
        from xenmig.core.definitions.xsave import places_in

        known = [area_size(accum, places_in(table)) for table in TABLES]
        wanted = next((one for one in known if one is not None), None)
        # Components that nobody placed: their size is not known here, and the least size is.
        fits = size in known or (wanted is None and size >= AREA_MIN)
    if not fits:
        from xenmig.core.quantity import quantity

        problem = f"{who}: {quantity(size, 'byte')} of state, xcr0_accum 0x{accum:x} takes {wanted}"
        telling.tell("xsave-length", problem, at, wanted, size)


def check_msrs(telling: Telling, who: str, msrs: list[tuple[int, int]], guest: str, at: int) -> None:
    """Hold the MSRs of a vcpu to the rules; ``guest`` is "hvm" or "pv"."""
    seen = set()
    for index, number in msrs:
        known = Msr.known.get(index)
        if known is None or guest not in known.facts:
            telling.tell("msr-index", f"{who}: {Msr(index)} is none that Xen takes for such a guest", at, None, index)
        if index in seen or not number:
            problem = "comes twice" if index in seen else "is zero: senders leave those out"
            telling.tell("msr-value", f"{who}: {Msr(index)} {problem}", at, None, index)
        seen.add(index)
