"""HVM_CONTEXT, Xen's own state of an HVM or PVH guest: xen/include/public/hvm/save.h, arch-x86/hvm/save.h.

A chain of entries without padding, in ascending order of type and then of instance, ended by one of type 0. What each
receiver does with lengths: xen/arch/x86/hvm/save.c, hvm_load_entry; a shorter entry of a struct that grew is extended
with zeros.
"""

from __future__ import annotations

from xenmig.core.definitions.fields import Bits, chain, u16, u32, u64
from xenmig.core.definitions.hvm_cpu import HvmHwCpu
from xenmig.core.definitions.interrupt_controllers import (
    HvmHwIsaIrqs,
    HvmHwLapic,
    HvmHwLapicRegs,
    HvmHwPciIrqs,
    HvmHwPciLink,
    HvmHwVioapic,
    HvmHwVpic,
)
from xenmig.core.definitions.msrs import HvmMsr
from xenmig.core.definitions.mtrr import HvmHwMtrr
from xenmig.core.definitions.structs import Entry, Struct
from xenmig.core.definitions.timers import HvmHwHpet, HvmHwPit, HvmHwPmtimer, HvmHwRtc
from xenmig.core.definitions.typecodes import Typecode
from xenmig.core.definitions.viridian import HvmViridianDomainContext, HvmViridianVcpuContext
from xenmig.core.definitions.vmce import HvmVmceVcpu
from xenmig.core.definitions.xsave import HvmHwCpuXsave

MAGIC = 0x54381286
VERSION = 1


class HvmSaveDescriptor(Struct, told_by=("instance",), source="xen/include/public/hvm/save.h, hvm_save_descriptor"):
    """In front of the data of each entry."""

    typecode: Typecode = u16("what the data is", values=Typecode)
    instance: int = u16("which vcpu, or which of the two PICs; else 0")
    length: int = u32("length of the data", unit="bytes")


class HvmSaveEnd(Struct, name="END", source="xen/include/public/hvm/save.h, hvm_save_end"):
    """The chain is over."""


CPUID_SIGNATURE = (
    Bits("stepping", 0, 4, "stepping"),
    Bits("model", 4, 4, "model"),
    Bits("family", 8, 4, "family"),
    Bits("type", 12, 2, "type"),
    Bits("extended_model", 16, 4, "upper digit of the model, for families 6 and 15"),
    Bits("extended_family", 20, 8, "added to family 15"),
)
"EAX of CPUID leaf 1: Intel SDM volume 2, CPUID."


class HvmSaveHeader(Struct, name="HEADER", source="xen/include/public/arch-x86/hvm/save.h, hvm_save_header"):
    """Where the context comes from."""

    magic: int = u32("identifies the context", must=MAGIC, hex=True)
    version: int = u32("version of the layout", must=VERSION)
    changeset: int = u64("meant for Xen's changeset; 0 or all ones in fact", hex=True)
    cpuid: int = u32("EAX of CPUID leaf 1 of the sender's processor", hex=True, bits=CPUID_SIGNATURE)
    gtsc_khz: int = u32("TSC frequency of the guest; 0 leaves the receiver's", unit="kHz")


class HvmTscAdjust(Struct, name="TSC_ADJUST", since="4.3", source="arch-x86/hvm/save.h, hvm_tsc_adjust"):
    """MSR 0x3b of a vcpu."""

    tsc_adjust: int = u64("what is added to the TSC", hex=True)


ENTRIES: dict[int, type[Struct]] = {
    Typecode.END: HvmSaveEnd,
    Typecode.HEADER: HvmSaveHeader,
    Typecode.CPU: HvmHwCpu,
    Typecode.PIC: HvmHwVpic,
    Typecode.IOAPIC: HvmHwVioapic,
    Typecode.LAPIC: HvmHwLapic,
    Typecode.LAPIC_REGS: HvmHwLapicRegs,
    Typecode.PCI_IRQ: HvmHwPciIrqs,
    Typecode.ISA_IRQ: HvmHwIsaIrqs,
    Typecode.PCI_LINK: HvmHwPciLink,
    Typecode.PIT: HvmHwPit,
    Typecode.RTC: HvmHwRtc,
    Typecode.HPET: HvmHwHpet,
    Typecode.PMTIMER: HvmHwPmtimer,
    Typecode.MTRR: HvmHwMtrr,
    Typecode.VIRIDIAN_DOMAIN: HvmViridianDomainContext,
    Typecode.CPU_XSAVE: HvmHwCpuXsave,
    Typecode.VIRIDIAN_VCPU: HvmViridianVcpuContext,
    Typecode.VMCE_VCPU: HvmVmceVcpu,
    Typecode.TSC_ADJUST: HvmTscAdjust,
    Typecode.CPU_MSR: HvmMsr,
}
"What the data of each type is."


class HvmContext(Struct, guests=("HVM",), source="libxc-migration-stream, HVM_CONTEXT"):
    """Xen's own state of the guest: processors, interrupt controllers, timers."""

    entries: list[Entry] = chain(HvmSaveDescriptor, ENTRIES, "the entries")
