"""Rules over X86_CPUID_POLICY and X86_MSR_POLICY: xen/arch/x86/lib/cpu-policy, copy-to-buffer.c, copy-from-buffer.c."""

from __future__ import annotations

from xenmig.core.definitions import libxc
from xenmig.core.definitions.cpuid_leaves import BASIC_MAX, EXTENDED, NO_SUBLEAF, CpuidLeaves
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.xsave_area import COMPONENTS, XSTATE_LEAF, area_size, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenmig.core.check.guest_state import Telling

LEAF = 24
"Bytes of a leaf."
ENTRY = 16
LEAVES_MAX = 120
"Leaves that a receiver takes: copy-from-buffer.c, CPUID_MAX_SERIALISED_LEAVES, since Xen 4.17; fewer before."
SUBLEAVES = {4: 5, 7: 2, 0xB: 1, XSTATE_LEAF: COMPONENTS[-1]}
"Leaves that have subleaves, and the last that a receiver takes."
EXTENDED_MAX = EXTENDED + 0x21
HYPERVISOR = (0x40000000, 0x40000100)
KNOWN = {
    (leaf, subleaf)
    for leaf in (*range(BASIC_MAX + 1), *HYPERVISOR, *range(EXTENDED, EXTENDED_MAX + 1))
    for subleaf in (range(SUBLEAVES[leaf] + 1) if leaf in SUBLEAVES else (NO_SUBLEAF,))
}
"Leaf and subleaf of all that a receiver knows."
ARCH_CAPS_BIT = 29
"Bit of CPUID leaf 7, EDX, that says that MSR 0x10a is there."


def _cpuid(telling: Telling, _value: Any) -> None:
    # Those of the record, which take their time to be read: the guest has them by now.
    told: list[Any] = telling.state.guest.leaves
    leaves = [one for one in told if one.d is not None]
    _each(telling, leaves)
    if len(leaves) > LEAVES_MAX:
        problem = f"{len(leaves)} leaves, a receiver takes {LEAVES_MAX}"
        telling.tell("cpuid-range", problem, 0, LEAVES_MAX, len(leaves))
    policy = telling.state.policy = CpuidLeaves(leaves)
    _limits(telling, policy)
    _xstate(telling, policy)


def _each(telling: Telling, leaves: list[Any]) -> None:
    """That leaves ascend, and are such as receivers know."""
    places = [(one.leaf, one.subleaf) for one in leaves]
    distinct = set(places)
    if distinct <= KNOWN and len(distinct) == len(places) and places == sorted(places):
        return
    last = (-1, -1)
    for number, one in enumerate(leaves):
        leaf, subleaf = one.leaf, one.subleaf
        here = (leaf, -1 if subleaf == NO_SUBLEAF else subleaf)
        at = LEAF * number
        if here <= last:
            problem = "comes a second time" if here == last else "is out of order"
            telling.tell("cpuid-order", f"{_leaf(one)} {problem}", at)
        else:
            last = here
        most = SUBLEAVES.get(leaf)
        if (subleaf == NO_SUBLEAF) != (most is None):
            wanted = "no subleaf" if most is None else "a subleaf"
            telling.tell("cpuid-order", f"{_leaf(one)} should have {wanted}", at + 4, None, subleaf)
        elif (most is not None and subleaf > most) or not _in_range(leaf):
            telling.tell("cpuid-range", f"{_leaf(one)} is none that a receiver knows", at, None, leaf)


def _leaf(one: Any) -> str:
    """A leaf as people call it."""
    return f"leaf 0x{one.leaf:x}" + (f".{one.subleaf}" if one.subleaf != NO_SUBLEAF else "")


def _in_range(leaf: int) -> bool:
    return leaf <= BASIC_MAX or leaf in HYPERVISOR or EXTENDED <= leaf <= EXTENDED_MAX


def _limits(telling: Telling, policy: CpuidLeaves) -> None:
    """The leaves that say how many leaves there are."""
    present = {leaf for leaf, _ in policy.leaves}
    # Every sender writes leaf 7. Where it is missing leaves were left out by another program, and receivers take that:
    # what real hosts refused was a limit that was raised in a policy with all its leaves.
    raised = "cpuid-limits-raised" if 7 in present else "cpuid-limits"
    basic = max((leaf for leaf in present if leaf <= BASIC_MAX), default=None)
    extended = max((leaf for leaf in present if EXTENDED <= leaf <= EXTENDED_MAX), default=None)
    told = policy.register(0, 0, "a")
    if told is not None and min(told, BASIC_MAX) != basic:
        rule = raised if basic is not None and told > basic else "cpuid-limits"
        telling.tell(rule, f"leaf 0 says that 0x{told:x} is the last basic leaf, which is 0x{basic:x}", 0, basic, told)
    told = policy.register(EXTENDED, 0, "a")
    if told is not None and extended is not None and min(told, EXTENDED_MAX) != extended:
        rule = raised if told > extended else "cpuid-limits"
        problem = f"leaf 0x{EXTENDED:x} says that 0x{told:x} is the last extended leaf, which is 0x{extended:x}"
        telling.tell(rule, problem, 0, extended, told)
    subleaf = max((sub for leaf, sub in policy.leaves if leaf == 7 and sub != NO_SUBLEAF), default=None)
    told = policy.register(7, 0, "a")
    if told is not None and subleaf is not None and told != subleaf:
        rule = raised if told > subleaf else "cpuid-limits"
        telling.tell(rule, f"leaf 7 says that {told} is its last subleaf, which is {subleaf}", 0, subleaf, told)


def _xstate(telling: Telling, policy: CpuidLeaves) -> None:
    """Leaf 0xD: which components there are, and how large they are together."""
    from xenmig.core.check.cpu_state import valid_xcr0

    if (XSTATE_LEAF, 0) not in policy.leaves or not policy.xcr0:
        return
    xcr0 = policy.xcr0
    if not valid_xcr0(xcr0):
        telling.tell("cpuid-xstate", f"XCR0 is {_named(xcr0)}: no processor has that")
        return
    places = policy.xsave_places
    missing = [bit for bit in placed(xcr0) if bit not in places]
    if missing:
        told = ", ".join(map(str, missing))
        telling.tell("cpuid-xstate", f"XCR0 is {_named(xcr0)}, and nothing is said of component {told}")
        return
    size, wanted = policy.register(XSTATE_LEAF, 0, "c"), area_size(xcr0, places)
    if size != wanted:
        from xenmig.core.quantity import quantity

        problem = f"the area is said to take {quantity(size or 0, 'byte')}, its components {wanted}"
        telling.tell("cpuid-xstate", problem, 0, wanted, size)


def _named(xcr0: int) -> str:
    from xenmig.core.definitions.registers import XState

    return str(XState(xcr0))


def _msr(telling: Telling, value: Any) -> None:
    seen = set()
    state = telling.state
    for number, one in enumerate(value.msrs or ()):
        at = ENTRY * number
        index = int(one.idx)
        known = Msr.known.get(index)
        if known is None or "policy" not in known.facts:
            telling.tell("msr-policy", f"{one.idx} is none that a receiver knows", at, None, index)
        elif index in seen:
            telling.tell("msr-policy", f"{one.idx} comes a second time", at, None, index)
        elif index == Msr.PLATFORM_INFO and one.val >> 32:
            telling.tell("msr-policy", f"{one.idx} is 0x{one.val:x}: it has 32 bits", at + 8, None, one.val)
        seen.add(index)
        state.policy_msrs[index] = one.val
    features = state.policy.register(7, 0, "d") if state.policy is not None else None
    if state.policy_msrs.get(Msr.ARCH_CAPABILITIES) and features is not None and not features >> ARCH_CAPS_BIT & 1:
        problem = f"{Msr.ARCH_CAPABILITIES} has bits set, and CPUID says that there is no such MSR (ARCH_CAPS)"
        telling.tell("msr-policy-arch-caps", problem)


SUBJECTS: dict[int | None, Callable[[Telling, Any], None]] = {
    libxc.X86CpuidPolicy.record: _cpuid,
    libxc.X86MsrPolicy.record: _msr,
}
