# Generated from core/definitions/hvm_context.py by xenmig.scapy_layers.generate; do not edit.
"""HVM_CONTEXT, Xen's own state of an HVM or PVH guest: xen/include/public/hvm/save.h, arch-x86/hvm/save.h.

A chain of entries without padding, in ascending order of type and then of instance, ended by one of type 0. What each
receiver does with lengths: xen/arch/x86/hvm/save.c, hvm_load_entry; a shorter entry of a struct that grew is extended
with zeros.
"""

from __future__ import annotations

from scapy.packet import bind_layers

from xenmig.core.definitions import typecodes as typecodes_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import Named, Number
from xenmig.scapy_layers.hvm_cpu import HvmHwCpu
from xenmig.scapy_layers.interrupt_controllers import (
    HvmHwIsaIrqs,
    HvmHwLapic,
    HvmHwLapicRegs,
    HvmHwPciIrqs,
    HvmHwPciLink,
    HvmHwVioapic,
    HvmHwVpic,
)
from xenmig.scapy_layers.lists import Chain
from xenmig.scapy_layers.msrs import HvmMsr
from xenmig.scapy_layers.mtrr import HvmHwMtrr
from xenmig.scapy_layers.packets import DescriptorPacket, StructPacket
from xenmig.scapy_layers.timers import HvmHwHpet, HvmHwPit, HvmHwPmtimer, HvmHwRtc
from xenmig.scapy_layers.viridian import HvmViridianDomainContext, HvmViridianVcpuContext
from xenmig.scapy_layers.vmce import HvmVmceVcpu
from xenmig.scapy_layers.xsave import HvmHwCpuXsave


class HvmSaveDescriptor(DescriptorPacket):
    """In front of the data of each entry.

    Source: xen/include/public/hvm/save.h, hvm_save_descriptor.
    typecode: what the data is
    instance: which vcpu, or which of the two PICs; else 0
    length: length of the data (bytes)
    """

    name = "hvm_context hvm save descriptor"
    definition = "hvm_context.HvmSaveDescriptor"
    size = 8
    fields_desc = [
        Named("typecode", 0, "u16", "what the data is", values=typecodes_definitions.Typecode),
        Number("instance", 0, "u16", "which vcpu, or which of the two PICs; else 0"),
        Number("length", None, "u32", "length of the data", unit="bytes", counts="payload"),
    ]


class HvmSaveEnd(StructPacket):
    """The chain is over.

    Source: xen/include/public/hvm/save.h, hvm_save_end.
    """

    name = "hvm_context end"
    definition = "hvm_context.HvmSaveEnd"
    size = 0
    fields_desc = []


class HvmSaveHeader(StructPacket):
    """Where the context comes from.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_save_header.
    magic: identifies the context
    version: version of the layout
    changeset: meant for Xen's changeset; 0 or all ones in fact
    cpuid: EAX of CPUID leaf 1 of the sender's processor
    gtsc_khz: TSC frequency of the guest; 0 leaves the receiver's (kHz)
    """

    name = "hvm_context header"
    definition = "hvm_context.HvmSaveHeader"
    size = 24
    fields_desc = [
        Number("magic", 0x54381286, "u32", "identifies the context", hexadecimal=True),
        Number("version", 1, "u32", "version of the layout"),
        Number("changeset", 0, "u64", "meant for Xen's changeset; 0 or all ones in fact", hexadecimal=True),
        Number(
            "cpuid",
            0,
            "u32",
            "EAX of CPUID leaf 1 of the sender's processor",
            hexadecimal=True,
            bits=[
                Bits("stepping", 0, 4, "stepping"),
                Bits("model", 4, 4, "model"),
                Bits("family", 8, 4, "family"),
                Bits("type", 12, 2, "type"),
                Bits("extended_model", 16, 4, "upper digit of the model, for families 6 and 15"),
                Bits("extended_family", 20, 8, "added to family 15"),
            ],
        ),
        Number("gtsc_khz", 0, "u32", "TSC frequency of the guest; 0 leaves the receiver's", unit="kHz"),
    ]


class HvmTscAdjust(StructPacket):
    """MSR 0x3b of a vcpu.

    Source: arch-x86/hvm/save.h, hvm_tsc_adjust.
    Since Xen 4.3.
    tsc_adjust: what is added to the TSC
    """

    name = "hvm_context tsc adjust"
    definition = "hvm_context.HvmTscAdjust"
    size = 8
    fields_desc = [
        Number("tsc_adjust", 0, "u64", "what is added to the TSC", hexadecimal=True),
    ]


class HvmContext(StructPacket):
    """Xen's own state of the guest: processors, interrupt controllers, timers.

    Source: libxc-migration-stream, HVM_CONTEXT.
    Guests: HVM.
    entries: the entries
    """

    name = "hvm_context hvm context"
    definition = "hvm_context.HvmContext"
    fields_desc = [
        Chain("entries", HvmSaveDescriptor, "the entries"),
    ]


bind_layers(HvmSaveDescriptor, HvmSaveEnd, typecode=0)
bind_layers(HvmSaveDescriptor, HvmSaveHeader, typecode=1)
bind_layers(HvmSaveDescriptor, HvmHwCpu, typecode=2)
bind_layers(HvmSaveDescriptor, HvmHwVpic, typecode=3)
bind_layers(HvmSaveDescriptor, HvmHwVioapic, typecode=4)
bind_layers(HvmSaveDescriptor, HvmHwLapic, typecode=5)
bind_layers(HvmSaveDescriptor, HvmHwLapicRegs, typecode=6)
bind_layers(HvmSaveDescriptor, HvmHwPciIrqs, typecode=7)
bind_layers(HvmSaveDescriptor, HvmHwIsaIrqs, typecode=8)
bind_layers(HvmSaveDescriptor, HvmHwPciLink, typecode=9)
bind_layers(HvmSaveDescriptor, HvmHwPit, typecode=10)
bind_layers(HvmSaveDescriptor, HvmHwRtc, typecode=11)
bind_layers(HvmSaveDescriptor, HvmHwHpet, typecode=12)
bind_layers(HvmSaveDescriptor, HvmHwPmtimer, typecode=13)
bind_layers(HvmSaveDescriptor, HvmHwMtrr, typecode=14)
bind_layers(HvmSaveDescriptor, HvmViridianDomainContext, typecode=15)
bind_layers(HvmSaveDescriptor, HvmHwCpuXsave, typecode=16)
bind_layers(HvmSaveDescriptor, HvmViridianVcpuContext, typecode=17)
bind_layers(HvmSaveDescriptor, HvmVmceVcpu, typecode=18)
bind_layers(HvmSaveDescriptor, HvmTscAdjust, typecode=19)
bind_layers(HvmSaveDescriptor, HvmMsr, typecode=20)
