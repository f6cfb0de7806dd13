"""Parameters of HVM guests by name: xen/include/public/hvm/params.h.

Which of them a sender writes: tools/libs/guest/xg_sr_save_x86_hvm.c; what a receiver takes: xen/arch/x86/hvm/hvm.c,
hvm_allow_set_param and hvm_set_param.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import array, reserved, u32, u64
from xenmig.core.definitions.structs import Struct


class Index(Enumeration, open=True):
    """HVM_PARAM_*.

    ``holds`` says what the value is: "pfn", "address", "port", "count", "bool", "number", or "" for what
    ``MEANINGS`` explains. ``written`` is the first release whose sender writes it, ``until`` the last. ``deprecated``
    marks what a receiver refuses.
    """

    CALLBACK_IRQ = value(0, "how events reach the guest", holds="number")
    STORE_PFN = value(1, "page of the xenstore ring", holds="pfn", written="4.6")
    STORE_EVTCHN = value(2, "event channel of the xenstore ring", holds="port")
    UNUSED_3 = value(3, "never defined", holds="number", name="3")
    PAE_ENABLED = value(4, "whether the guest may use PAE", holds="bool", written="4.6", until="4.13")
    IOREQ_PFN = value(5, "page of I/O requests", holds="pfn", written="4.6")
    BUFIOREQ_PFN = value(6, "page of buffered I/O requests", holds="pfn", written="4.6")
    UNUSED_7 = value(7, "never defined", holds="number", name="7")
    UNUSED_8 = value(8, "never defined", holds="number", name="8")
    VIRIDIAN = value(9, "which parts of the Viridian interface the guest has", holds="", written="4.6")
    TIMER_MODE = value(10, "what happens to timer interrupts that were missed", holds="")
    HPET_ENABLED = value(11, "whether there is an HPET", holds="bool")
    IDENT_PT = value(12, "page directory that maps everything to itself", holds="address", written="4.6")
    DM_DOMAIN = value(13, "domain of the device model", holds="number", deprecated=True)
    ACPI_S_STATE = value(14, "ACPI sleep state: 0 or 3", holds="number")
    VM86_TSS = value(15, "task state segment for virtual 8086 mode", holds="address", written="4.6", until="4.8")
    VPT_ALIGN = value(16, "whether periodic timers are aligned", holds="bool")
    CONSOLE_PFN = value(17, "page of the console ring", holds="pfn", written="4.6")
    CONSOLE_EVTCHN = value(18, "event channel of the console ring", holds="port")
    ACPI_IOPORTS_LOCATION = value(19, "where the ACPI ports are", holds="", written="4.6")
    MEMORY_EVENT_CR0 = value(20, "memory events on cr0", holds="number", deprecated=True)
    MEMORY_EVENT_CR3 = value(21, "memory events on cr3", holds="number", deprecated=True)
    MEMORY_EVENT_CR4 = value(22, "memory events on cr4", holds="number", deprecated=True)
    MEMORY_EVENT_INT3 = value(23, "memory events on breakpoints", holds="number", deprecated=True)
    NESTEDHVM = value(24, "whether the guest may run guests", holds="bool", deprecated=True)
    MEMORY_EVENT_SINGLE_STEP = value(25, "memory events on single steps", holds="number", deprecated=True)
    BUFIOREQ_EVTCHN = value(26, "event channel of buffered I/O requests", holds="port", deprecated=True)
    PAGING_RING_PFN = value(27, "page of the paging ring", holds="pfn", written="4.6")
    MONITOR_RING_PFN = value(28, "page of the monitor ring", holds="pfn", written="4.6")
    SHARING_RING_PFN = value(29, "page of the sharing ring", holds="pfn", written="4.6")
    MEMORY_EVENT_MSR = value(30, "memory events on MSRs", holds="number", deprecated=True)
    TRIPLE_FAULT_REASON = value(31, "what a triple fault means", holds="")
    IOREQ_SERVER_PFN = value(32, "first page for servers of I/O requests", holds="pfn", written="4.6")
    NR_IOREQ_SERVER_PAGES = value(33, "how many such pages there are, at most 64", holds="count", written="4.6")
    VM_GENERATION_ID_ADDR = value(34, "the generation id", holds="address", written="4.6")
    ALTP2M = value(35, "alternative views of memory", holds="", read_only=True)
    X87_FIP_WIDTH = value(36, "how the x87 instruction pointer is saved", holds="", written="4.7")
    VM86_TSS_SIZED = value(37, "task state segment for virtual 8086 mode, with its size", holds="", written="4.9")
    MCA_CAP = value(38, "what of machine checks the guest has", holds="", written="4.10")


class Viridian(Flags, digits=4):
    """params.h, HVMPV_*."""

    base_freq = flag(0, "the base and the frequencies; always set when any is", since="4.4")
    no_freq = flag(1, "but not the frequencies", since="4.4")
    time_ref_count = flag(2, "reference time", since="4.5")
    reference_tsc = flag(3, "page of reference time", since="4.6")
    hcall_remote_tlb_flush = flag(4, "TLBs of other vcpus are flushed by hypercall", since="4.7")
    apic_assist = flag(5, "ends of interrupts without exits", since="4.7")
    crash_ctl = flag(6, "crash information", since="4.9")
    synic = flag(7, "synthetic interrupts", since="4.13")
    stimer = flag(8, "synthetic timers", since="4.13")
    hcall_ipi = flag(9, "interrupts to other vcpus by hypercall", since="4.13")
    ex_processor_masks = flag(10, "sets of more than 64 vcpus", since="4.15")
    no_vp_limit = flag(11, "no limit on the number of vcpus", since="4.15")
    cpu_hotplug = flag(12, "vcpus can be added", since="4.15")


class TimerMode(Enumeration):
    """params.h, HVMPTM_*."""

    delay_for_missed_ticks = value(0, "guest time stands still until the missed ticks are delivered")
    no_delay_for_missed_ticks = value(1, "missed ticks are delivered, guest time goes on")
    no_missed_ticks_pending = value(2, "missed ticks are dropped")
    one_missed_tick_pending = value(3, "one missed tick is delivered")


class AcpiPorts(Enumeration):
    """xen/include/public/hvm/ioreq.h, ACPI_PM_TMR_BLK_ADDRESS_*."""

    V0 = value(0, "from 0x1f40 on")
    V1 = value(1, "from 0xb000 on")


class Shutdown(Enumeration):
    """xen/include/public/sched.h, SHUTDOWN_*."""

    POWEROFF = value(0, "power off")
    REBOOT = value(1, "reboot")
    SUSPEND = value(2, "suspend")
    CRASH = value(3, "crash")
    WATCHDOG = value(4, "watchdog")
    SOFT_RESET = value(5, "soft reset")


class Altp2m(Enumeration):
    """params.h, XEN_ALTP2M_*."""

    disabled = value(0, "none")
    mixed = value(1, "controlled by the guest and from outside")
    external = value(2, "controlled from outside")
    limited = value(3, "the guest may only switch")


class FipWidth(Enumeration):
    """params.h, HVM_PARAM_X87_FIP_WIDTH, in octets."""

    AUTOMATIC = value(0, "Xen decides")
    BITS_32 = value(4, "32 bits and the selectors")
    BITS_64 = value(8, "64 bits, no selectors")


class McaCap(Flags, digits=1):
    """params.h, XEN_HVM_MCA_CAP_*."""

    LMCE = flag(0, "machine checks can go to one processor only", since="4.10")


MEANINGS: dict[int, type[Enumeration | Flags]] = {
    Index.VIRIDIAN: Viridian,
    Index.TIMER_MODE: TimerMode,
    Index.ACPI_IOPORTS_LOCATION: AcpiPorts,
    Index.TRIPLE_FAULT_REASON: Shutdown,
    Index.ALTP2M: Altp2m,
    Index.X87_FIP_WIDTH: FipWidth,
    Index.MCA_CAP: McaCap,
}
"What the values are called, by index."


def meaning(index: int, number: int) -> int:
    """The value of a parameter in the type of its names, where they have names."""
    kind = MEANINGS.get(index)
    return kind(number) if kind else number


def in_words(index: int, number: int) -> str:
    """The value of a parameter as people write it: ``pfn 0xfeffc``, ``0x0025 (base_freq, ...)``, ``yes``."""
    kind = MEANINGS.get(index)
    if kind is not None:
        return str(kind(number))
    if index == Index.VM86_TSS_SIZED:
        from xenmig.core.quantity import quantity

        return f"address 0x{number & 0xFFFFFFFF:x}, {quantity(number >> 32, 'byte')}"
    if index == Index.CALLBACK_IRQ:
        return _callback(number)
    known = Index.known.get(index)
    holds = known.facts["holds"] if known else "number"
    if holds == "bool" and number in (0, 1):
        return "yes" if number else "no"
    if holds in ("pfn", "address"):
        return f"{holds} 0x{number:x}"
    if holds == "port":
        return f"port {number}"
    return str(number) if holds == "count" else f"0x{number:x}"


def _callback(number: int) -> str:
    """params.h, HVM_PARAM_CALLBACK_IRQ: the way is in bits 56 to 63."""
    way, rest = number >> 56, number & (1 << 56) - 1
    if way == 0:
        return f"GSI {rest}" if rest else "none"
    if way == 1:
        return f"PCI {rest >> 32 & 0xFFFF:04x}:{rest >> 16 & 0xFF:02x}:{rest >> 11 & 0x1F:02x} INT{'ABCD'[rest & 3]}"
    return f"vector 0x{rest & 0xFF:x}" if way == 2 else f"0x{number:x}"


class HvmParam(
    Struct, told_by=("index",), source="libxc-migration-stream, HVM_PARAMS; xen/include/public/hvm/params.h"
):
    """One parameter of an HVM guest."""

    index: Index = u64("which parameter", values=Index)
    value: int = u64("its value; parameters that are zero are left out", hex=True)


class HvmParams(Struct, guests=("HVM",), source="libxc-migration-stream, HVM_PARAMS"):
    """Parameters of an HVM guest."""

    count: int = u32("how many parameters")
    reserved1: int = reserved("u32")
    params: list[HvmParam] = array(HvmParam, "the parameters", count="count")
