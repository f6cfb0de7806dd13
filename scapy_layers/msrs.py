# Generated from core/definitions/msrs.py by xenmig.scapy_layers.generate; do not edit.
"""Records and entries that hold model-specific registers: xen/arch/x86/include/asm/msr-index.h."""

from __future__ import annotations

from xenmig.core.definitions import msr_numbers as msr_numbers_definitions
from xenmig.scapy_layers.fields import Named, Number, Octets
from xenmig.scapy_layers.lists import Structs
from xenmig.scapy_layers.packets import StructPacket


class HvmOneMsr(StructPacket):
    """One MSR of an HVM vcpu.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_one_msr.
    index: which MSR
    _rsvd: zero
    val: its value; MSRs that are zero are left out
    """

    name = "msrs hvm one msr"
    definition = "msrs.HvmOneMsr"
    size = 16
    fields_desc = [
        Named("index", 0, "u32", "which MSR", values=msr_numbers_definitions.Msr),
        Number("_rsvd", 0, "u32", "zero", hexadecimal=True),
        Number("val", 0, "u64", "its value; MSRs that are zero are left out", hexadecimal=True),
    ]


class HvmMsr(StructPacket):
    """MSRs of a vcpu that have no place elsewhere.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_msr.
    Since Xen 4.5.
    count: how many
    hole: not written: whatever was in Xen's memory
    msr: the MSRs
    """

    name = "msrs cpu msr"
    definition = "msrs.HvmMsr"
    fields_desc = [
        Number("count", None, "u32", "how many", counts="msr"),
        Octets("hole", bytes(4), "not written: whatever was in Xen's memory", size=4),
        Structs("msr", HvmOneMsr, "the MSRs", count="count"),
    ]


class XenDomctlVcpuMsr(StructPacket):
    """One MSR of a PV vcpu.

    Source: xen/include/public/domctl.h, xen_domctl_vcpu_msr.
    index: which MSR
    reserved: zero
    value: its value; MSRs that are zero are left out
    """

    name = "msrs xen domctl vcpu msr"
    definition = "msrs.XenDomctlVcpuMsr"
    size = 16
    fields_desc = [
        Named("index", 0, "u32", "which MSR", values=msr_numbers_definitions.Msr),
        Number("reserved", 0, "u32", "zero", hexadecimal=True),
        Number("value", 0, "u64", "its value; MSRs that are zero are left out", hexadecimal=True),
    ]


class X86PvVcpuMsrs(StructPacket):
    """MSRs of a PV vcpu. The record is absent when all are zero.

    Source: libxc-migration-stream, X86_PV_VCPU_MSRS.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    msrs: the MSRs
    """

    name = "msrs x86 pv vcpu msrs"
    definition = "msrs.X86PvVcpuMsrs"
    fields_desc = [
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Structs("msrs", XenDomctlVcpuMsr, "the MSRs"),
    ]


class MsrEntry(StructPacket):
    """One MSR that describes the processor.

    Source: xen/include/public/arch-x86/xen.h, xen_msr_entry.
    idx: which MSR
    flags: zero
    val: its value
    """

    name = "msrs msr entry"
    definition = "msrs.MsrEntry"
    size = 16
    fields_desc = [
        Named("idx", 0, "u32", "which MSR", values=msr_numbers_definitions.Msr),
        Number("flags", 0, "u32", "zero", hexadecimal=True),
        Number("val", 0, "u64", "its value", hexadecimal=True),
    ]


class X86MsrPolicy(StructPacket):
    """What the guest sees in the MSRs that describe the processor.

    Source: libxc-migration-stream, X86_MSR_POLICY.
    Since Xen 4.14.
    msrs: the MSRs
    """

    name = "msrs x86 msr policy"
    definition = "msrs.X86MsrPolicy"
    fields_desc = [
        Structs("msrs", MsrEntry, "the MSRs"),
    ]
