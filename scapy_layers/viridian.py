# Generated from core/definitions/viridian.py by xenmig.scapy_layers.generate; do not edit.
"""State of the Viridian (Hyper-V) interface: xen/include/public/arch-x86/hvm/save.h; Hyper-V TLFS."""

from __future__ import annotations

from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import Number, Octets
from xenmig.scapy_layers.lists import Numbers
from xenmig.scapy_layers.packets import StructPacket


class HvmViridianDomainContext(StructPacket):
    """Viridian state of the guest.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_viridian_domain_context.
    16 bytes long in 4.0.
    24 bytes long in 4.5.
    32 bytes long in 4.6.
    hypercall_gpa: page of hypercalls
    guest_os_id: what the guest says it is
    time_ref_count: reference time at the save (100 ns); since Xen 4.5
    reference_tsc: page of reference time; since Xen 4.6
    """

    name = "viridian viridian domain"
    definition = "viridian.HvmViridianDomainContext"
    size = 32
    fields_desc = [
        Number(
            "hypercall_gpa",
            0,
            "u64",
            "page of hypercalls",
            hexadecimal=True,
            bits=[Bits("enabled", 0, 1, "the page is in use"), Bits("pfn", 12, 48, "pfn of the page")],
        ),
        Number(
            "guest_os_id",
            0,
            "u64",
            "what the guest says it is",
            hexadecimal=True,
            bits=[
                Bits("build", 0, 16, "build"),
                Bits("service_pack", 16, 8, "service pack"),
                Bits("minor", 24, 8, "minor version"),
                Bits("major", 32, 8, "major version"),
                Bits("os", 40, 8, "operating system"),
                Bits("vendor", 48, 16, "vendor"),
            ],
        ),
        Number("time_ref_count", 0, "u64", "reference time at the save", unit="100 ns"),
        Number(
            "reference_tsc",
            0,
            "u64",
            "page of reference time",
            hexadecimal=True,
            bits=[Bits("enabled", 0, 1, "the page is in use"), Bits("pfn", 12, 48, "pfn of the page")],
        ),
    ]


class HvmViridianVcpuContext(StructPacket):
    """Viridian state of a vcpu.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_viridian_vcpu_context.
    Since Xen 4.2.
    8 bytes long in 4.2.
    16 bytes long in 4.7.
    216 bytes long in 4.13.
    vp_assist_msr: page of the virtual processor's assistance
    apic_assist_pending: whether an interrupt waits for its end without an exit; its vector until Xen 4.10; since Xen
        4.7
    _pad: zero; since Xen 4.7
    simp_msr: page of synthetic messages; since Xen 4.13
    sint_msr: sources of synthetic interrupts; since Xen 4.13
    stimer_config_msr: synthetic timers; since Xen 4.13
    stimer_count_msr: counts of the synthetic timers; since Xen 4.13
    """

    name = "viridian viridian vcpu"
    definition = "viridian.HvmViridianVcpuContext"
    size = 216
    fields_desc = [
        Number(
            "vp_assist_msr",
            0,
            "u64",
            "page of the virtual processor's assistance",
            hexadecimal=True,
            bits=[Bits("enabled", 0, 1, "the page is in use"), Bits("pfn", 12, 48, "pfn of the page")],
        ),
        Number(
            "apic_assist_pending",
            0,
            "u8",
            "whether an interrupt waits for its end without an exit; its vector until Xen 4.10",
        ),
        Octets("_pad", b"\x00\x00\x00\x00\x00\x00\x00", "zero", size=7),
        Number(
            "simp_msr",
            0,
            "u64",
            "page of synthetic messages",
            hexadecimal=True,
            bits=[Bits("enabled", 0, 1, "the page is in use"), Bits("pfn", 12, 48, "pfn of the page")],
        ),
        Numbers(
            "sint_msr",
            "u64",
            "sources of synthetic interrupts",
            count=16,
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits("mask", 16, 1, "masked"),
                Bits("auto_eoi", 17, 1, "automatic end of interrupt"),
                Bits("polling", 18, 1, "polled"),
            ],
        ),
        Numbers(
            "stimer_config_msr",
            "u64",
            "synthetic timers",
            count=4,
            hexadecimal=True,
            bits=[
                Bits("enable", 0, 1, "enabled"),
                Bits("periodic", 1, 1, "periodic"),
                Bits("lazy", 2, 1, "lazy"),
                Bits("auto_enable", 3, 1, "enabled by writing its count"),
                Bits("vector", 4, 8, "vector in direct mode"),
                Bits("direct", 12, 1, "direct mode"),
                Bits("sintx", 16, 4, "source of synthetic interrupts that it uses"),
            ],
        ),
        Numbers("stimer_count_msr", "u64", "counts of the synthetic timers", count=4),
    ]
