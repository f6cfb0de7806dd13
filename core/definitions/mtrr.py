"""Memory types of an HVM vcpu: xen/include/public/arch-x86/hvm/save.h, hvm_hw_mtrr; Intel SDM volume 3, chapter 12."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, value
from xenmig.core.definitions.fields import Bits, array, u64
from xenmig.core.definitions.structs import Struct


class MemoryType(Enumeration, open=True):
    """How memory is cached."""

    UC = value(0, "uncached")
    WC = value(1, "write-combining")
    WT = value(4, "write-through")
    WP = value(5, "write-protected")
    WB = value(6, "write-back")
    UC_MINUS = value(7, "uncached unless an MTRR says write-combining; in the PAT only", name="UC-")


TYPES = tuple(Bits(f"type{i}", 8 * i, 8, f"memory type {i}", values=MemoryType) for i in range(8))


class VariableRange(Struct, source="Intel SDM volume 3, section 12.11.2.3"):
    """One variable range: MSRs 0x200 + 2n and 0x201 + 2n."""

    physbase: int = u64(
        "memory type and first page",
        hex=True,
        bits=(Bits("type", 0, 8, "memory type", values=MemoryType), Bits("base", 12, 40, "first pfn")),
    )
    physmask: int = u64(
        "size as a mask, and whether the range counts",
        hex=True,
        bits=(Bits("valid", 11, 1, "the range counts"), Bits("mask", 12, 40, "bits of a pfn that are compared")),
    )


class HvmHwMtrr(
    Struct,
    name="MTRR",
    source="xen/include/public/arch-x86/hvm/save.h, hvm_hw_mtrr; xen/arch/x86/hvm/mtrr.c, hvm_save_mtrr_msr",
):
    """Memory type ranges of a vcpu. From Xen 4.12 on all variable ranges are written with the values of the first."""

    msr_pat_cr: int = u64("MSR 0x277: the page attribute table", hex=True, bits=TYPES)
    msr_mtrr_var: list[VariableRange] = array(VariableRange, "variable ranges", count=8)
    msr_mtrr_fixed: list[int] = array(
        u64(hex=True, bits=TYPES),
        "MSRs 0x250, 0x258, 0x259 and 0x268 to 0x26f: the first MiB, 8 ranges each",
        count=11,
    )
    msr_mtrr_cap: int = u64(
        "MSR 0xfe",
        hex=True,
        bits=(
            Bits("VCNT", 0, 8, "number of variable ranges"),
            Bits("FIX", 8, 1, "has fixed ranges"),
            Bits("WC", 10, 1, "knows write-combining"),
        ),
    )
    msr_mtrr_def_type: int = u64(
        "MSR 0x2ff",
        hex=True,
        bits=(
            Bits("type", 0, 8, "memory type outside all ranges", values=MemoryType),
            Bits("FE", 10, 1, "fixed ranges count"),
            Bits("E", 11, 1, "ranges count"),
        ),
    )
