"""Records and entries that hold model-specific registers: xen/arch/x86/include/asm/msr-index.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import array, octets, reserved, u32, u64
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.structs import Struct


class SpecCtrl(Flags, digits=16, open=True):
    """MSR 0x48."""

    IBRS = flag(0, "indirect branches restricted")
    STIBP = flag(1, "no sharing of branch predictions between threads")
    SSBD = flag(2, "no speculative store bypass")
    IPRED_DIS_U = flag(3, "indirect predictor off for user mode")
    IPRED_DIS_S = flag(4, "indirect predictor off for kernel mode")
    RRSBA_DIS_U = flag(5, "alternative return predictor off for user mode")
    RRSBA_DIS_S = flag(6, "alternative return predictor off for kernel mode")
    PSFD = flag(7, "no predictive store forwarding")
    DDP_DIS_U = flag(8, "data-dependent prefetcher off for user mode")
    BHI_DIS_S = flag(10, "no branch history injection into kernel mode")


class MiscFeaturesEnables(Flags, digits=16, open=True):
    """MSR 0x140."""

    CPUID_FAULTING = flag(0, "CPUID faults in user mode")


class PlatformInfo(Flags, digits=16, open=True):
    """MSR 0xce."""

    CPUID_FAULTING = flag(31, "CPUID can be made to fault in user mode")


def bits_of(index: int) -> type[Flags] | None:
    """What the bits of an MSR are called; None when it is no word of flags."""
    if index == Msr.ARCH_CAPABILITIES:
        from xenmig.core.definitions.arch_capabilities import ArchCapabilities

        return ArchCapabilities
    return {
        Msr.SPEC_CTRL: SpecCtrl,
        Msr.VIRT_SPEC_CTRL: SpecCtrl,
        Msr.PLATFORM_INFO: PlatformInfo,
        Msr.MISC_FEATURES_ENABLES: MiscFeaturesEnables,
    }.get(index)


def meaning(index: int, number: int) -> int:
    """The value of an MSR, in the type of its bits where they have names."""
    kind = bits_of(index)
    return kind(number) if kind else number


class HvmOneMsr(Struct, told_by=("index",), source="xen/include/public/arch-x86/hvm/save.h, hvm_one_msr"):
    """One MSR of an HVM vcpu."""

    index: Msr = u32("which MSR", values=Msr)
    _rsvd: int = u32("zero", must=0, hex=True)
    val: int = u64("its value; MSRs that are zero are left out", hex=True)


class HvmMsr(Struct, name="CPU_MSR", since="4.5", source="xen/include/public/arch-x86/hvm/save.h, hvm_msr"):
    """MSRs of a vcpu that have no place elsewhere."""

    count: int = u32("how many")
    hole: bytes = octets("not written: whatever was in Xen's memory", count=4)
    msr: list[HvmOneMsr] = array(HvmOneMsr, "the MSRs", count="count", minimum=1)


class XenDomctlVcpuMsr(Struct, told_by=("index",), source="xen/include/public/domctl.h, xen_domctl_vcpu_msr"):
    """One MSR of a PV vcpu."""

    index: Msr = u32("which MSR", values=Msr)
    reserved: int = u32("zero", must=0, hex=True)
    value: int = u64("its value; MSRs that are zero are left out", hex=True)


class X86PvVcpuMsrs(Struct, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_MSRS"):
    """MSRs of a PV vcpu. The record is absent when all are zero."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")
    msrs: list[XenDomctlVcpuMsr] = array(XenDomctlVcpuMsr, "the MSRs")


class MsrEntry(Struct, told_by=("idx",), source="xen/include/public/arch-x86/xen.h, xen_msr_entry"):
    """One MSR that describes the processor."""

    idx: Msr = u32("which MSR", values=Msr)
    flags: int = u32("zero", must=0, hex=True)
    val: int = u64("its value", hex=True)


class X86MsrPolicy(Struct, since="4.14", source="libxc-migration-stream, X86_MSR_POLICY"):
    """What the guest sees in the MSRs that describe the processor."""

    msrs: list[MsrEntry] = array(MsrEntry, "the MSRs", minimum=1)
