"""X86_CPUID_POLICY, X86_MSR_POLICY and MSRs of vcpus in words."""

from __future__ import annotations

from xenmig.core.cli.contexttext import msr_table
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.structtext import field_lines, wrapped
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.definitions.cpu_policy import VENDORS, CpuPolicy
from xenmig.core.definitions.cpuid import LevelType, leaf_of
from xenmig.core.definitions.cpuid_leaves import EXTENDED, NO_SUBLEAF
from xenmig.core.definitions.registers import XState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.cli.structtext import View
    from xenmig.core.definitions.libxc import X86CpuidPolicy


def cpuid_lines(value: X86CpuidPolicy, _: View, indent: int) -> Iterator[str]:
    """The processor in words, then Xen's feature words, then the leaves."""
    margin = " " * indent
    leaves = value.__dict__.get("leaves") or []
    policy = CpuPolicy(leaves)
    yield from aligned(list(_processor(policy)), indent=indent)
    yield ""
    yield f"{margin}featureset {policy.columns[: 9 * 9]}"
    rest = policy.columns[9 * 9 :]
    if rest:
        yield f"{margin}           {rest}"
    for word in policy.featureset:
        if word is None:
            continue
        where = word.where
        register = f"{where[0]:#x}.{where[1]}.e{where[2]}x" if where is not None else "ARCH_CAPABILITIES"
        names = list(word.short_names)
        if word.unknown:
            names.append(f"unknown:0x{word.unknown:x}")
        yield f"{margin}  [{word.word:2}] {int(word):08x}  {word.column():5}  {register}"
        yield from wrapped(names, indent + 16)
    yield ""
    yield f"{margin}leaves: {len(leaves)}"
    zeros: list[str] = []
    yield from aligned(list(_leaves(leaves, zeros)), indent=indent + 2)
    if zeros:
        yield f"{margin}  and {len(zeros)} of zeros:"
        yield from wrapped(zeros, indent + 4)


def _processor(policy: CpuPolicy) -> Iterator[list[str]]:
    vendor = VENDORS.get(policy.vendor, "unknown")
    yield ["vendor", f"{escaped(policy.vendor) or 'not given'} ({vendor})"]
    if policy.brand:
        yield ["brand", escaped(policy.brand)]
    yield [
        "signature",
        (
            f"0x{policy.signature:08x}: family {policy.family} (0x{policy.family:x}), model {policy.model}"
            f" (0x{policy.model:x}), stepping {policy.stepping}"
        ),
    ]
    basic, extended = policy.register(0, 0, "a"), policy.register(EXTENDED, 0, "a")
    if basic is not None:
        last = f", 0x{extended:x}" if extended is not None else ""
        yield ["last leaf", f"0x{basic:x}{last}"]
    address = policy.register(EXTENDED + 8, 0, "a")
    if address is not None:
        yield ["addresses", f"{count(address & 0xFF, 'bit')} physical, {count(address >> 8 & 0xFF, 'bit')} linear"]
    package = policy.register(1, 0, "b")
    if package is not None:
        yield [
            "topology",
            ", ".join([f"{count(package >> 16 & 0xFF, 'logical processor')} a package", *_levels(policy)]),
        ]
    for cache in policy.caches:
        yield [
            f"L{cache.level} cache",
            (
                f"{cache.size // 1024:,} KiB {cache.type.doc or 'cache'}, {count(cache.ways, 'way')},"
                f" {count(cache.line, 'byte')} a line,"
                f" shared by {count(cache.shared_by, 'thread')} at most"
            ),
        ]
    size = policy.xsave_size
    area = f", area of {count(size, 'byte')}" if size else ""
    yield ["XCR0", f"{' '.join(policy.xcr0.names) or 'none'}{area}"]
    if policy.xss:
        yield ["XSS", " ".join(policy.xss.names)]
    for bit, place in sorted(policy.xsave_places.items()):
        named = XState.known.get(bit)
        name = named.name if named is not None else f"component {bit}"
        yield ["", f"{name}: {count(place.size, 'byte')} at {place.offset:,}"]


def _levels(policy: CpuPolicy) -> Iterator[str]:
    for (leaf, subleaf), one in sorted(policy.leaves.items()):
        kind = LevelType(one.c >> 8 & 0xFF)
        if leaf == 0xB and kind != LevelType.INVALID:
            threads = count(one.b & 0xFFFF, "thread")
            yield f"level {subleaf} {kind.name or int(kind)}: {threads}, APIC id shift {one.a & 0x1F}"


def _leaves(leaves: list[Any], zeros: list[str]) -> Iterator[list[str]]:
    """Rows of the leaves that say something; the numbers of the others go into ``zeros``."""
    yield ["leaf", "subleaf", "eax", "ebx", "ecx", "edx", "meaning"]
    for one in leaves:
        if one.__dict__.get("d") is None:
            continue
        if not one.a | one.b | one.c | one.d:
            zeros.append(f"{one.leaf:x}" if one.subleaf == NO_SUBLEAF else f"{one.leaf:x}.{one.subleaf:x}")
            continue
        known = leaf_of(one.leaf, one.subleaf)
        subleaf = "" if one.subleaf == NO_SUBLEAF else f"{one.subleaf:x}"
        registers = [f"{getattr(one, name):08x}" for name in "abcd"]
        yield [f"{one.leaf:08x}", subleaf, *registers, known.doc if known is not None else "unknown"]


def msr_policy_lines(value: Any, _: View, indent: int) -> Iterator[str]:
    """The MSRs of a policy by name."""
    yield from msr_table(value.__dict__.get("msrs", []), indent)


def vcpu_msrs_lines(value: Any, view: View, indent: int) -> Iterator[str]:
    """The MSRs of a PV vcpu by name."""
    yield from field_lines(value, view, indent, ("msrs",))
    yield from msr_table(value.__dict__.get("msrs", []), indent)
