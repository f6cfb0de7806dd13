"""Interrupt controllers of an HVM guest: xen/include/public/arch-x86/hvm/save.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import Bits, array, octets, u8, u32, u64
from xenmig.core.definitions.structs import Struct

HEADER = "xen/include/public/arch-x86/hvm/save.h"


class Irqs(Flags, digits=2):
    """The eight inputs of a PIC."""

    IR0 = flag(0)
    IR1 = flag(1)
    IR2 = flag(2)
    IR3 = flag(3)
    IR4 = flag(4)
    IR5 = flag(5)
    IR6 = flag(6)
    IR7 = flag(7)


class HvmHwVpic(Struct, name="PIC", source=f"{HEADER}, hvm_hw_vpic"):
    """An 8259 interrupt controller: instance 0 is the master, 1 the slave."""

    irr: Irqs = u8("requests", flags=Irqs)
    imr: Irqs = u8("masked inputs", flags=Irqs)
    isr: Irqs = u8("interrupts in service", flags=Irqs)
    irq_base: int = u8("vector of IR0", hex=True)
    initialisation: int = u8(
        "initialisation and priority",
        hex=True,
        bits=(
            Bits("init_state", 0, 4, "0 when initialised, else which command word is awaited"),
            Bits("priority_add", 4, 4, "input of highest priority"),
        ),
    )
    modes: int = u8(
        "operating modes",
        hex=True,
        bits=(
            Bits("readsel_isr", 0, 1, "reads return the interrupts in service, not the requests"),
            Bits("poll", 1, 1, "reads poll"),
            Bits("auto_eoi", 2, 1, "automatic end of interrupt"),
            Bits("rotate_on_auto_eoi", 3, 1, "priorities rotate at it"),
            Bits("special_fully_nested_mode", 4, 1, "slaves are left out when priorities are compared"),
            Bits("special_mask_mode", 5, 1, "masked inputs do not count as in service"),
            Bits("is_master", 6, 1, "this is the master"),
        ),
    )
    elcr: Irqs = u8("inputs that are level-triggered", flags=Irqs)
    int_output: int = u8("whether it asserts its output: 0 or 1")


class DeliveryMode(Enumeration, open=True):
    """How an interrupt is delivered."""

    FIXED = value(0, "to the vector")
    LOWEST = value(1, "to the processor of lowest priority")
    SMI = value(2, "system management interrupt")
    NMI = value(4, "non-maskable interrupt")
    INIT = value(5, "reset")
    STARTUP = value(6, "startup")
    EXTINT = value(7, "the PIC gives the vector")


def _line(*more: Bits) -> tuple[Bits, ...]:
    return (
        Bits("vector", 0, 8, "vector"),
        Bits("delivery_mode", 8, 3, "how it is delivered", values=DeliveryMode),
        *more,
    )


REDIRECTION = u64(
    "where an input goes",
    hex=True,
    bits=_line(
        Bits("dest_mode", 11, 1, "0 physical, 1 logical destination"),
        Bits("delivery_status", 12, 1, "sent and not yet accepted"),
        Bits("polarity", 13, 1, "1 active low"),
        Bits("remote_irr", 14, 1, "accepted and not yet ended"),
        Bits("trig_mode", 15, 1, "1 level, 0 edge"),
        Bits("mask", 16, 1, "masked"),
        Bits("dest_id", 56, 8, "destination"),
    ),
)


class HvmHwVioapic(Struct, name="IOAPIC", source=f"{HEADER}, hvm_hw_vioapic"):
    """The I/O APIC."""

    base_address: int = u64("guest physical address of its registers; 0xfec00000 usually", hex=True)
    ioregsel: int = u32("selected register", hex=True)
    id: int = u32("APIC id", hex=True)
    redirtbl: list[int] = array(REDIRECTION, "redirection entries: 16 of ISA, 32 of PCI", count=48)


class LapicDisabled(Flags, digits=8, open=True):
    """xen/arch/x86/include/asm/hvm/vlapic.h, VLAPIC_*_DISABLED."""

    HW = flag(0, "disabled in the base MSR")
    SW = flag(1, "disabled in the spurious-interrupt register")


class HvmHwLapic(
    Struct,
    name="LAPIC",
    source=f"{HEADER}, hvm_hw_lapic",
    lengths={16: "4.0", 24: "4.1", 32: "4.21; 4.18.5, 4.19.2 and 4.20.1"},
):
    """State of a local APIC that is not in its registers."""

    apic_base_msr: int = u64(
        "MSR 0x1b",
        hex=True,
        bits=(
            Bits("BSP", 8, 1, "bootstrap processor"),
            Bits("EXTD", 10, 1, "x2APIC mode"),
            Bits("EN", 11, 1, "enabled"),
            Bits("base", 12, 40, "pfn of its registers"),
        ),
    )
    disabled: LapicDisabled = u32("why it is disabled", flags=LapicDisabled)
    timer_divisor: int = u32("what the timer's clock is divided by: a power of two, at most 128")
    tdt_msr: int = u64("MSR 0x6e0: TSC at which the timer fires", hex=True, since="4.1")
    pending_esr: int = u32("errors that ESR does not show yet", hex=True, since="4.21; 4.18.5, 4.19.2 and 4.20.1")
    tail: bytes = octets(
        "end of the struct in Xen's memory, undefined", count=4, since="4.21; 4.18.5, 4.19.2 and 4.20.1"
    )


class LapicRegister(Struct, source="xen/arch/x86/include/asm/apicdef.h"):
    """One of several registers in a row, 16 bytes apart."""

    bits: int = u32("32 of 256 vectors", hex=True)
    unused: bytes = octets("not used", count=12)


class TimerMode(Enumeration, open=True):
    """Mode of the local APIC's timer."""

    ONE_SHOT = value(0, "once")
    PERIODIC = value(1, "again and again")
    TSC_DEADLINE = value(2, "when the TSC reaches tdt_msr")


def _unused(count: int = 12) -> bytes:
    declared: bytes = octets("not used", count=count)
    return declared


def _lvt(doc: str, *more: Bits) -> int:
    bits = _line(
        Bits("delivery_status", 12, 1, "sent and not yet accepted"),
        Bits("polarity", 13, 1, "1 active low"),
        Bits("remote_irr", 14, 1, "accepted and not yet ended"),
        Bits("trig_mode", 15, 1, "1 level, 0 edge"),
        Bits("mask", 16, 1, "masked"),
        *more,
    )
    declared: int = u32(doc, hex=True, bits=bits)
    return declared


class HvmHwLapicRegs(
    Struct, name="LAPIC_REGS", source=f"{HEADER}, hvm_hw_lapic_regs; xen/arch/x86/include/asm/apicdef.h"
):
    """The register page of a local APIC, of which 1024 bytes are in use."""

    unused000: bytes = _unused(32)
    APIC_ID: int = u32("APIC id, in bits 24 to 31 unless in x2APIC mode", hex=True)
    unused024: bytes = _unused()
    LVR: int = u32(
        "version",
        hex=True,
        bits=(Bits("version", 0, 8, "version"), Bits("maxlvt", 16, 8, "highest entry of the local vector table")),
    )
    unused034: bytes = _unused(76)
    TASKPRI: int = u32("task priority", hex=True)
    unused084: bytes = _unused()
    ARBPRI: int = u32("arbitration priority", hex=True)
    unused094: bytes = _unused()
    PROCPRI: int = u32("processor priority", hex=True)
    unused0a4: bytes = _unused()
    EOI: int = u32("end of interrupt; reads as zero", hex=True)
    unused0b4: bytes = _unused(28)
    LDR: int = u32("logical destination", hex=True)
    unused0d4: bytes = _unused()
    DFR: int = u32("destination format: all ones for flat", hex=True)
    unused0e4: bytes = _unused()
    SPIV: int = u32(
        "spurious interrupts",
        hex=True,
        bits=(Bits("vector", 0, 8, "vector"), Bits("enabled", 8, 1, "the APIC is enabled")),
    )
    unused0f4: bytes = _unused()
    ISR: list[LapicRegister] = array(LapicRegister, "interrupts in service", count=8)
    TMR: list[LapicRegister] = array(LapicRegister, "level-triggered interrupts", count=8)
    IRR: list[LapicRegister] = array(LapicRegister, "requested interrupts", count=8)
    ESR: int = u32("errors", hex=True)
    unused284: bytes = _unused(108)
    CMCI: int = _lvt("local vector of corrected machine checks")
    unused2f4: bytes = _unused()
    ICR: int = _lvt("last interrupt sent to a processor", Bits("shorthand", 18, 2, "1 self, 2 all, 3 all others"))
    unused304: bytes = _unused()
    ICR2: int = u32("its destination", hex=True)
    unused314: bytes = _unused()
    LVTT: int = _lvt("local vector of the timer", Bits("mode", 17, 2, "mode", values=TimerMode))
    unused324: bytes = _unused()
    LVTTHMR: int = _lvt("local vector of the thermal sensor")
    unused334: bytes = _unused()
    LVTPC: int = _lvt("local vector of the performance counters")
    unused344: bytes = _unused()
    LVT0: int = _lvt("local vector of pin 0")
    unused354: bytes = _unused()
    LVT1: int = _lvt("local vector of pin 1")
    unused364: bytes = _unused()
    LVTERR: int = _lvt("local vector of errors")
    unused374: bytes = _unused()
    TMICT: int = u32("count that the timer starts from", hex=True)
    unused384: bytes = _unused()
    TMCCT: int = u32("count that the timer has come to", hex=True)
    unused394: bytes = _unused(76)
    TDCR: int = u32("divisor of the timer, encoded", hex=True)
    unused3e4: bytes = _unused(28)


class HvmHwPciIrqs(Struct, name="PCI_IRQ", source=f"{HEADER}, hvm_hw_pci_irqs"):
    """Which interrupt lines of PCI devices are asserted: bit device * 4 + INTx."""

    pad: list[int] = array(u64(hex=True), "16 devices each, 4 bits for a device", count=2)


class IsaIrqs(Flags, digits=16, open=True):
    """The interrupt lines of the ISA bus, by their usual users."""

    IRQ0 = flag(0, "timer")
    IRQ1 = flag(1, "keyboard")
    IRQ2 = flag(2, "slave PIC")
    IRQ3 = flag(3, "second serial port")
    IRQ4 = flag(4, "first serial port")
    IRQ5 = flag(5)
    IRQ6 = flag(6, "floppy")
    IRQ7 = flag(7, "parallel port")
    IRQ8 = flag(8, "real-time clock")
    IRQ9 = flag(9, "ACPI")
    IRQ10 = flag(10)
    IRQ11 = flag(11)
    IRQ12 = flag(12, "mouse")
    IRQ13 = flag(13, "x87 errors")
    IRQ14 = flag(14, "first IDE channel")
    IRQ15 = flag(15, "second IDE channel")


class HvmHwIsaIrqs(Struct, name="ISA_IRQ", source=f"{HEADER}, hvm_hw_isa_irqs"):
    """Which interrupt lines of the ISA bus are asserted."""

    pad: IsaIrqs = u64("a bit for each line", flags=IsaIrqs)


class HvmHwPciLink(Struct, name="PCI_LINK", source=f"{HEADER}, hvm_hw_pci_link"):
    """Where the four PCI interrupt links go."""

    route: list[int] = array(u8(), "GSI of links A to D, below 16; 0 for none", count=4)
    pad0: bytes = octets("zero", count=4, must=bytes(4))
