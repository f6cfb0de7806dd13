# Generated from core/definitions/interrupt_controllers.py by xenmig.scapy_layers.generate; do not edit.
"""Interrupt controllers of an HVM guest: xen/include/public/arch-x86/hvm/save.h."""

from __future__ import annotations

from xenmig.core.definitions import interrupt_controllers as interrupt_controllers_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Number, Octets
from xenmig.scapy_layers.lists import Numbers, Structs
from xenmig.scapy_layers.packets import StructPacket


class HvmHwVpic(StructPacket):
    """An 8259 interrupt controller: instance 0 is the master, 1 the slave.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_vpic.
    irr: requests
    imr: masked inputs
    isr: interrupts in service
    irq_base: vector of IR0
    initialisation: initialisation and priority
    modes: operating modes
    elcr: inputs that are level-triggered
    int_output: whether it asserts its output: 0 or 1
    """

    name = "interrupt_controllers pic"
    definition = "interrupt_controllers.HvmHwVpic"
    size = 8
    fields_desc = [
        FlagWord("irr", 0, "u8", "requests", flags=interrupt_controllers_definitions.Irqs),
        FlagWord("imr", 0, "u8", "masked inputs", flags=interrupt_controllers_definitions.Irqs),
        FlagWord("isr", 0, "u8", "interrupts in service", flags=interrupt_controllers_definitions.Irqs),
        Number("irq_base", 0, "u8", "vector of IR0", hexadecimal=True),
        Number(
            "initialisation",
            0,
            "u8",
            "initialisation and priority",
            hexadecimal=True,
            bits=[
                Bits("init_state", 0, 4, "0 when initialised, else which command word is awaited"),
                Bits("priority_add", 4, 4, "input of highest priority"),
            ],
        ),
        Number(
            "modes",
            0,
            "u8",
            "operating modes",
            hexadecimal=True,
            bits=[
                Bits("readsel_isr", 0, 1, "reads return the interrupts in service, not the requests"),
                Bits("poll", 1, 1, "reads poll"),
                Bits("auto_eoi", 2, 1, "automatic end of interrupt"),
                Bits("rotate_on_auto_eoi", 3, 1, "priorities rotate at it"),
                Bits("special_fully_nested_mode", 4, 1, "slaves are left out when priorities are compared"),
                Bits("special_mask_mode", 5, 1, "masked inputs do not count as in service"),
                Bits("is_master", 6, 1, "this is the master"),
            ],
        ),
        FlagWord("elcr", 0, "u8", "inputs that are level-triggered", flags=interrupt_controllers_definitions.Irqs),
        Number("int_output", 0, "u8", "whether it asserts its output: 0 or 1"),
    ]


class HvmHwVioapic(StructPacket):
    """The I/O APIC.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_vioapic.
    base_address: guest physical address of its registers; 0xfec00000 usually
    ioregsel: selected register
    id: APIC id
    redirtbl: redirection entries: 16 of ISA, 32 of PCI
    """

    name = "interrupt_controllers ioapic"
    definition = "interrupt_controllers.HvmHwVioapic"
    size = 400
    fields_desc = [
        Number(
            "base_address",
            0,
            "u64",
            "guest physical address of its registers; 0xfec00000 usually",
            hexadecimal=True,
        ),
        Number("ioregsel", 0, "u32", "selected register", hexadecimal=True),
        Number("id", 0, "u32", "APIC id", hexadecimal=True),
        Numbers(
            "redirtbl",
            "u64",
            "redirection entries: 16 of ISA, 32 of PCI",
            count=48,
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("dest_mode", 11, 1, "0 physical, 1 logical destination"),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
                Bits("dest_id", 56, 8, "destination"),
            ],
        ),
    ]


class HvmHwLapic(StructPacket):
    """State of a local APIC that is not in its registers.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_lapic.
    16 bytes long in 4.0.
    24 bytes long in 4.1.
    32 bytes long in 4.21; 4.18.5, 4.19.2 and 4.20.1.
    apic_base_msr: MSR 0x1b
    disabled: why it is disabled
    timer_divisor: what the timer's clock is divided by: a power of two, at most 128
    tdt_msr: MSR 0x6e0: TSC at which the timer fires; since Xen 4.1
    pending_esr: errors that ESR does not show yet; since Xen 4.21; 4.18.5, 4.19.2 and 4.20.1
    tail: end of the struct in Xen's memory, undefined; since Xen 4.21; 4.18.5, 4.19.2 and 4.20.1
    """

    name = "interrupt_controllers lapic"
    definition = "interrupt_controllers.HvmHwLapic"
    size = 32
    fields_desc = [
        Number(
            "apic_base_msr",
            0,
            "u64",
            "MSR 0x1b",
            hexadecimal=True,
            bits=[
                Bits("BSP", 8, 1, "bootstrap processor"),
                Bits("EXTD", 10, 1, "x2APIC mode"),
                Bits("EN", 11, 1, "enabled"),
                Bits("base", 12, 40, "pfn of its registers"),
            ],
        ),
        FlagWord("disabled", 0, "u32", "why it is disabled", flags=interrupt_controllers_definitions.LapicDisabled),
        Number("timer_divisor", 0, "u32", "what the timer's clock is divided by: a power of two, at most 128"),
        Number("tdt_msr", 0, "u64", "MSR 0x6e0: TSC at which the timer fires", hexadecimal=True),
        Number("pending_esr", 0, "u32", "errors that ESR does not show yet", hexadecimal=True),
        Octets("tail", bytes(4), "end of the struct in Xen's memory, undefined", size=4),
    ]


class LapicRegister(StructPacket):
    """One of several registers in a row, 16 bytes apart.

    Source: xen/arch/x86/include/asm/apicdef.h.
    bits_: 32 of 256 vectors
    unused: not used
    """

    name = "interrupt_controllers lapic register"
    definition = "interrupt_controllers.LapicRegister"
    size = 16
    fields_desc = [
        Number("bits_", 0, "u32", "32 of 256 vectors", hexadecimal=True),
        Octets("unused", bytes(12), "not used", size=12),
    ]


class HvmHwLapicRegs(StructPacket):
    """The register page of a local APIC, of which 1024 bytes are in use.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_lapic_regs; xen/arch/x86/include/asm/apicdef.h.
    unused000: not used
    APIC_ID: APIC id, in bits 24 to 31 unless in x2APIC mode
    unused024: not used
    LVR: version
    unused034: not used
    TASKPRI: task priority
    unused084: not used
    ARBPRI: arbitration priority
    unused094: not used
    PROCPRI: processor priority
    unused0a4: not used
    EOI: end of interrupt; reads as zero
    unused0b4: not used
    LDR: logical destination
    unused0d4: not used
    DFR: destination format: all ones for flat
    unused0e4: not used
    SPIV: spurious interrupts
    unused0f4: not used
    ISR: interrupts in service
    TMR: level-triggered interrupts
    IRR: requested interrupts
    ESR: errors
    unused284: not used
    CMCI: local vector of corrected machine checks
    unused2f4: not used
    ICR: last interrupt sent to a processor
    unused304: not used
    ICR2: its destination
    unused314: not used
    LVTT: local vector of the timer
    unused324: not used
    LVTTHMR: local vector of the thermal sensor
    unused334: not used
    LVTPC: local vector of the performance counters
    unused344: not used
    LVT0: local vector of pin 0
    unused354: not used
    LVT1: local vector of pin 1
    unused364: not used
    LVTERR: local vector of errors
    unused374: not used
    TMICT: count that the timer starts from
    unused384: not used
    TMCCT: count that the timer has come to
    unused394: not used
    TDCR: divisor of the timer, encoded
    unused3e4: not used
    """

    name = "interrupt_controllers lapic regs"
    definition = "interrupt_controllers.HvmHwLapicRegs"
    size = 1024
    fields_desc = [
        Octets("unused000", bytes(32), "not used", size=32),
        Number("APIC_ID", 0, "u32", "APIC id, in bits 24 to 31 unless in x2APIC mode", hexadecimal=True),
        Octets("unused024", bytes(12), "not used", size=12),
        Number(
            "LVR",
            0,
            "u32",
            "version",
            hexadecimal=True,
            bits=[Bits("version", 0, 8, "version"), Bits("maxlvt", 16, 8, "highest entry of the local vector table")],
        ),
        Octets("unused034", bytes(76), "not used", size=76),
        Number("TASKPRI", 0, "u32", "task priority", hexadecimal=True),
        Octets("unused084", bytes(12), "not used", size=12),
        Number("ARBPRI", 0, "u32", "arbitration priority", hexadecimal=True),
        Octets("unused094", bytes(12), "not used", size=12),
        Number("PROCPRI", 0, "u32", "processor priority", hexadecimal=True),
        Octets("unused0a4", bytes(12), "not used", size=12),
        Number("EOI", 0, "u32", "end of interrupt; reads as zero", hexadecimal=True),
        Octets("unused0b4", bytes(28), "not used", size=28),
        Number("LDR", 0, "u32", "logical destination", hexadecimal=True),
        Octets("unused0d4", bytes(12), "not used", size=12),
        Number("DFR", 0, "u32", "destination format: all ones for flat", hexadecimal=True),
        Octets("unused0e4", bytes(12), "not used", size=12),
        Number(
            "SPIV",
            0,
            "u32",
            "spurious interrupts",
            hexadecimal=True,
            bits=[Bits("vector", 0, 8, "vector"), Bits("enabled", 8, 1, "the APIC is enabled")],
        ),
        Octets("unused0f4", bytes(12), "not used", size=12),
        Structs("ISR", LapicRegister, "interrupts in service", count=8),
        Structs("TMR", LapicRegister, "level-triggered interrupts", count=8),
        Structs("IRR", LapicRegister, "requested interrupts", count=8),
        Number("ESR", 0, "u32", "errors", hexadecimal=True),
        Octets("unused284", bytes(108), "not used", size=108),
        Number(
            "CMCI",
            0,
            "u32",
            "local vector of corrected machine checks",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused2f4", bytes(12), "not used", size=12),
        Number(
            "ICR",
            0,
            "u32",
            "last interrupt sent to a processor",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
                Bits("shorthand", 18, 2, "1 self, 2 all, 3 all others"),
            ],
        ),
        Octets("unused304", bytes(12), "not used", size=12),
        Number("ICR2", 0, "u32", "its destination", hexadecimal=True),
        Octets("unused314", bytes(12), "not used", size=12),
        Number(
            "LVTT",
            0,
            "u32",
            "local vector of the timer",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
                Bits("mode", 17, 2, "mode", values=interrupt_controllers_definitions.TimerMode),
            ],
        ),
        Octets("unused324", bytes(12), "not used", size=12),
        Number(
            "LVTTHMR",
            0,
            "u32",
            "local vector of the thermal sensor",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused334", bytes(12), "not used", size=12),
        Number(
            "LVTPC",
            0,
            "u32",
            "local vector of the performance counters",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused344", bytes(12), "not used", size=12),
        Number(
            "LVT0",
            0,
            "u32",
            "local vector of pin 0",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused354", bytes(12), "not used", size=12),
        Number(
            "LVT1",
            0,
            "u32",
            "local vector of pin 1",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused364", bytes(12), "not used", size=12),
        Number(
            "LVTERR",
            0,
            "u32",
            "local vector of errors",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits(
                    "delivery_mode",
                    8,
                    3,
                    "how it is delivered",
                    values=interrupt_controllers_definitions.DeliveryMode,
                ),
                Bits("delivery_status", 12, 1, "sent and not yet accepted"),
                Bits("polarity", 13, 1, "1 active low"),
                Bits("remote_irr", 14, 1, "accepted and not yet ended"),
                Bits("trig_mode", 15, 1, "1 level, 0 edge"),
                Bits("mask", 16, 1, "masked"),
            ],
        ),
        Octets("unused374", bytes(12), "not used", size=12),
        Number("TMICT", 0, "u32", "count that the timer starts from", hexadecimal=True),
        Octets("unused384", bytes(12), "not used", size=12),
        Number("TMCCT", 0, "u32", "count that the timer has come to", hexadecimal=True),
        Octets("unused394", bytes(76), "not used", size=76),
        Number("TDCR", 0, "u32", "divisor of the timer, encoded", hexadecimal=True),
        Octets("unused3e4", bytes(28), "not used", size=28),
    ]


class HvmHwPciIrqs(StructPacket):
    """Which interrupt lines of PCI devices are asserted: bit device * 4 + INTx.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_pci_irqs.
    pad: 16 devices each, 4 bits for a device
    """

    name = "interrupt_controllers pci irq"
    definition = "interrupt_controllers.HvmHwPciIrqs"
    size = 16
    fields_desc = [
        Numbers("pad", "u64", "16 devices each, 4 bits for a device", count=2, hexadecimal=True),
    ]


class HvmHwIsaIrqs(StructPacket):
    """Which interrupt lines of the ISA bus are asserted.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_isa_irqs.
    pad: a bit for each line
    """

    name = "interrupt_controllers isa irq"
    definition = "interrupt_controllers.HvmHwIsaIrqs"
    size = 8
    fields_desc = [
        FlagWord("pad", 0, "u64", "a bit for each line", flags=interrupt_controllers_definitions.IsaIrqs),
    ]


class HvmHwPciLink(StructPacket):
    """Where the four PCI interrupt links go.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_pci_link.
    route_: GSI of links A to D, below 16; 0 for none
    pad0: zero
    """

    name = "interrupt_controllers pci link"
    definition = "interrupt_controllers.HvmHwPciLink"
    size = 8
    fields_desc = [
        Numbers("route_", "u8", "GSI of links A to D, below 16; 0 for none", count=4),
        Octets("pad0", b"\x00\x00\x00\x00", "zero", size=4),
    ]
