"""Processors and devices of the guests that recipes make: what Xen sends for a guest that has just been started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xenmig.core.definitions.pv_context import VgcfFlags
from xenmig.core.definitions.typecodes import Typecode
from xenmig.scapy_layers.hvm_context import HvmContext, HvmSaveDescriptor, HvmSaveEnd, HvmSaveHeader, HvmTscAdjust
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
from xenmig.scapy_layers.mtrr import HvmHwMtrr
from xenmig.scapy_layers.shared_info import SharedInfo64
from xenmig.scapy_layers.timers import HvmHwHpet, HvmHwPit, HvmHwPitChannel, HvmHwPmtimer, HvmHwRtc
from xenmig.scapy_layers.vcpu import X86PvVcpuBasic64, X86PvVcpuExtended
from xenmig.scapy_layers.vmce import HvmVmceVcpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

CPUID_SIGNATURE = 0x800F12
"EAX of CPUID leaf 1 of an AMD EPYC."
KHZ = 2_000_000

_CODE, _DATA, _TSS = 0x9B, 0x93, 0x8B
_APIC_BASE, _BOOT_PROCESSOR, _ENABLED = 0xFEE00000, 0x100, 0x800
_IOAPIC_BASE = 0xFEC00000
_MASKED = 1 << 16
_PAT_AFTER_RESET = 0x0007040600070406
_MTRR_CAPABILITIES = 0x508
_MTRR_ENABLED = 0xC06
_UNSET = 0xFF
"Mode of a PIT channel that the guest has not set: xen/arch/x86/emul-i8254.c, pit_reset."
_EXTENDED_SIZE = 64
"Bytes of xen_domctl_ext_vcpucontext that count: xen/include/public/domctl.h."


def hvm_context(vcpus: int, *, emulated: bool, endian: str) -> bytes:
    """The body of an HVM_CONTEXT; ``emulated`` adds the devices that a PVH guest does not have."""
    entries: list[Any] = [HvmSaveDescriptor() / HvmSaveHeader(cpuid=CPUID_SIGNATURE, gtsc_khz=KHZ)]
    entries += [HvmSaveDescriptor(instance=vcpu) / _hvm_cpu() for vcpu in range(vcpus)]
    if emulated:
        entries += [HvmSaveDescriptor(instance=chip) / _pic(chip) for chip in (0, 1)]
        entries.append(HvmSaveDescriptor() / HvmHwVioapic(base_address=_IOAPIC_BASE, redirtbl=[_MASKED] * 48))
    entries += [HvmSaveDescriptor(instance=vcpu) / _lapic(vcpu) for vcpu in range(vcpus)]
    entries += [HvmSaveDescriptor(instance=vcpu) / HvmHwLapicRegs() for vcpu in range(vcpus)]
    entries += [HvmSaveDescriptor() / device() for device in (HvmHwPciIrqs, HvmHwIsaIrqs, HvmHwPciLink)]
    if emulated:
        entries += [HvmSaveDescriptor() / device for device in (_pit(), _rtc(), HvmHwHpet(), HvmHwPmtimer())]
    mtrr = HvmHwMtrr(msr_pat_cr=_PAT_AFTER_RESET, msr_mtrr_cap=_MTRR_CAPABILITIES, msr_mtrr_def_type=_MTRR_ENABLED)
    for each in (mtrr, HvmVmceVcpu(), HvmTscAdjust()):
        entries += [HvmSaveDescriptor(instance=vcpu) / each for vcpu in range(vcpus)]
    entries.append(HvmSaveDescriptor(typecode=int(Typecode.END), length=0) / HvmSaveEnd())
    for entry in entries:
        # Data behind a descriptor does not look further up than that for its byte order.
        entry.endian = entry.payload.endian = endian
    return bytes(HvmContext(entries=entries, endian=endian))


def pv_vcpu_basic(vcpu: int, top_level_pfn: int, endian: str) -> bytes:
    """The context of an X86_PV_VCPU_BASIC: a vcpu of a 64-bit guest that runs its kernel."""
    flags = VgcfFlags.ONLINE | VgcfFlags.IN_KERNEL
    return _behind_the_head(X86PvVcpuBasic64(endian=endian, vcpu_id=vcpu, flags=flags, cr3=top_level_pfn << 12))


def pv_vcpu_extended(vcpu: int, endian: str) -> bytes:
    """The context of an X86_PV_VCPU_EXTENDED, as Xen has written it since 4.7."""
    made = X86PvVcpuExtended(endian=endian, vcpu_id=vcpu, vcpu=vcpu, struct_size=_EXTENDED_SIZE)
    return _behind_the_head(made, _EXTENDED_SIZE)


def shared_info(pages: int, endian: str) -> bytes:
    """The shared_info page of a 64-bit guest with so many pages."""
    return bytes(SharedInfo64(endian=endian, max_pfn=pages))


def _behind_the_head(body: Packet, size: int | None = None) -> bytes:
    context = bytes(body)[8:]
    return context if size is None else context[:size].ljust(size, b"\0")


def _hvm_cpu() -> HvmHwCpu:
    segments: dict[str, Any] = dict(_segments())
    return HvmHwCpu(cr0=0x10, rflags=2, dr6=0xFFFF0FF0, dr7=0x400, **segments)


def _segments() -> Iterator[tuple[str, int]]:
    for segment in ("cs", "ds", "es", "fs", "gs", "ss"):
        yield f"{segment}_limit", 0xFFFF
        yield f"{segment}_arbytes", _CODE if segment == "cs" else _DATA
    yield "tr_limit", 0x67
    yield "tr_arbytes", _TSS


def _pic(chip: int) -> HvmHwVpic:
    made = HvmHwVpic(irq_base=0x70 if chip else 0x08)
    made.set_bits("modes", is_master=int(not chip))
    return made


def _lapic(vcpu: int) -> HvmHwLapic:
    base = _APIC_BASE | _ENABLED | (0 if vcpu else _BOOT_PROCESSOR)
    # The fields behind tdt_msr came later than the releases that recipes are for.
    return HvmHwLapic(apic_base_msr=base, timer_divisor=2, pending_esr=None, tail=b"")


def _pit() -> HvmHwPit:
    return HvmHwPit(channels=[HvmHwPitChannel(count=1 << 16, mode=_UNSET, gate=int(n < 2)) for n in range(3)])


def _rtc() -> HvmHwRtc:
    return HvmHwRtc(day_of_month=1, month=1, reg_a=0x26, reg_b=2, reg_d=0x80)
