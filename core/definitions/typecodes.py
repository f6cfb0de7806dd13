"""The types of the entries of HVM_CONTEXT: xen/include/public/arch-x86/hvm/save.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, value


class Typecode(Enumeration):
    """HVM_SAVE_CODE(). ``per`` says what an instance is: a vcpu, a chip, or the guest (and then it is 0).

    ``emulated`` marks what a PVH guest does not have.
    """

    END = value(0, "end of the chain", per="guest")
    HEADER = value(1, "header", per="guest")
    CPU = value(2, "registers", per="vcpu")
    PIC = value(3, "8259 interrupt controller", per="chip", emulated=True)
    IOAPIC = value(4, "I/O APIC", per="guest", emulated=True)
    LAPIC = value(5, "local APIC", per="vcpu")
    LAPIC_REGS = value(6, "registers of the local APIC", per="vcpu")
    PCI_IRQ = value(7, "interrupt lines of PCI devices", per="guest")
    ISA_IRQ = value(8, "interrupt lines of the ISA bus", per="guest")
    PCI_LINK = value(9, "routing of PCI interrupts", per="guest")
    PIT = value(10, "8254 interval timer", per="guest", emulated=True)
    RTC = value(11, "real-time clock", per="guest", emulated=True)
    HPET = value(12, "high precision event timer", per="guest", emulated=True)
    PMTIMER = value(13, "ACPI timer", per="guest", emulated=True)
    MTRR = value(14, "memory types", per="vcpu")
    VIRIDIAN_DOMAIN = value(15, "Viridian state of the guest", per="guest")
    CPU_XSAVE = value(16, "extended processor state", per="vcpu")
    VIRIDIAN_VCPU = value(17, "Viridian state of a vcpu", per="vcpu")
    VMCE_VCPU = value(18, "machine checks", per="vcpu")
    TSC_ADJUST = value(19, "adjustment of the TSC", per="vcpu")
    CPU_MSR = value(20, "MSRs", per="vcpu")
