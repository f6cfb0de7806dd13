# Generated from core/definitions/mtrr.py by xenmig.scapy_layers.generate; do not edit.
"""Memory types of an HVM vcpu: xen/include/public/arch-x86/hvm/save.h, hvm_hw_mtrr; Intel SDM volume 3, chapter 12."""

from __future__ import annotations

from xenmig.core.definitions import mtrr as mtrr_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import Number
from xenmig.scapy_layers.lists import Numbers, Structs
from xenmig.scapy_layers.packets import StructPacket


class VariableRange(StructPacket):
    """One variable range: MSRs 0x200 + 2n and 0x201 + 2n.

    Source: Intel SDM volume 3, section 12.11.2.3.
    physbase: memory type and first page
    physmask: size as a mask, and whether the range counts
    """

    name = "mtrr variable range"
    definition = "mtrr.VariableRange"
    size = 16
    fields_desc = [
        Number(
            "physbase",
            0,
            "u64",
            "memory type and first page",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 8, "memory type", values=mtrr_definitions.MemoryType),
                Bits("base", 12, 40, "first pfn"),
            ],
        ),
        Number(
            "physmask",
            0,
            "u64",
            "size as a mask, and whether the range counts",
            hexadecimal=True,
            bits=[Bits("valid", 11, 1, "the range counts"), Bits("mask", 12, 40, "bits of a pfn that are compared")],
        ),
    ]


class HvmHwMtrr(StructPacket):
    """Memory type ranges of a vcpu. From Xen 4.12 on all variable ranges are written with the values of the first.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_mtrr; xen/arch/x86/hvm/mtrr.c, hvm_save_mtrr_msr.
    msr_pat_cr: MSR 0x277: the page attribute table
    msr_mtrr_var: variable ranges
    msr_mtrr_fixed: MSRs 0x250, 0x258, 0x259 and 0x268 to 0x26f: the first MiB, 8 ranges each
    msr_mtrr_cap: MSR 0xfe
    msr_mtrr_def_type: MSR 0x2ff
    """

    name = "mtrr mtrr"
    definition = "mtrr.HvmHwMtrr"
    size = 240
    fields_desc = [
        Number(
            "msr_pat_cr",
            0,
            "u64",
            "MSR 0x277: the page attribute table",
            hexadecimal=True,
            bits=[
                Bits("type0", 0, 8, "memory type 0", values=mtrr_definitions.MemoryType),
                Bits("type1", 8, 8, "memory type 1", values=mtrr_definitions.MemoryType),
                Bits("type2", 16, 8, "memory type 2", values=mtrr_definitions.MemoryType),
                Bits("type3", 24, 8, "memory type 3", values=mtrr_definitions.MemoryType),
                Bits("type4", 32, 8, "memory type 4", values=mtrr_definitions.MemoryType),
                Bits("type5", 40, 8, "memory type 5", values=mtrr_definitions.MemoryType),
                Bits("type6", 48, 8, "memory type 6", values=mtrr_definitions.MemoryType),
                Bits("type7", 56, 8, "memory type 7", values=mtrr_definitions.MemoryType),
            ],
        ),
        Structs("msr_mtrr_var", VariableRange, "variable ranges", count=8),
        Numbers(
            "msr_mtrr_fixed",
            "u64",
            "MSRs 0x250, 0x258, 0x259 and 0x268 to 0x26f: the first MiB, 8 ranges each",
            count=11,
            hexadecimal=True,
            bits=[
                Bits("type0", 0, 8, "memory type 0", values=mtrr_definitions.MemoryType),
                Bits("type1", 8, 8, "memory type 1", values=mtrr_definitions.MemoryType),
                Bits("type2", 16, 8, "memory type 2", values=mtrr_definitions.MemoryType),
                Bits("type3", 24, 8, "memory type 3", values=mtrr_definitions.MemoryType),
                Bits("type4", 32, 8, "memory type 4", values=mtrr_definitions.MemoryType),
                Bits("type5", 40, 8, "memory type 5", values=mtrr_definitions.MemoryType),
                Bits("type6", 48, 8, "memory type 6", values=mtrr_definitions.MemoryType),
                Bits("type7", 56, 8, "memory type 7", values=mtrr_definitions.MemoryType),
            ],
        ),
        Number(
            "msr_mtrr_cap",
            0,
            "u64",
            "MSR 0xfe",
            hexadecimal=True,
            bits=[
                Bits("VCNT", 0, 8, "number of variable ranges"),
                Bits("FIX", 8, 1, "has fixed ranges"),
                Bits("WC", 10, 1, "knows write-combining"),
            ],
        ),
        Number(
            "msr_mtrr_def_type",
            0,
            "u64",
            "MSR 0x2ff",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 8, "memory type outside all ranges", values=mtrr_definitions.MemoryType),
                Bits("FE", 10, 1, "fixed ranges count"),
                Bits("E", 11, 1, "ranges count"),
            ],
        ),
    ]
