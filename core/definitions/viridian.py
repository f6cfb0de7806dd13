"""State of the Viridian (Hyper-V) interface: xen/include/public/arch-x86/hvm/save.h; Hyper-V TLFS."""

from __future__ import annotations

from xenmig.core.definitions.fields import Bits, array, octets, u8, u64
from xenmig.core.definitions.structs import Struct

HEADER = "xen/include/public/arch-x86/hvm/save.h"
PAGE = (Bits("enabled", 0, 1, "the page is in use"), Bits("pfn", 12, 48, "pfn of the page"))


class HvmViridianDomainContext(
    Struct,
    name="VIRIDIAN_DOMAIN",
    source=f"{HEADER}, hvm_viridian_domain_context",
    lengths={16: "4.0", 24: "4.5", 32: "4.6"},
):
    """Viridian state of the guest."""

    hypercall_gpa: int = u64("page of hypercalls", hex=True, bits=PAGE)
    guest_os_id: int = u64(
        "what the guest says it is",
        hex=True,
        bits=(
            Bits("build", 0, 16, "build"),
            Bits("service_pack", 16, 8, "service pack"),
            Bits("minor", 24, 8, "minor version"),
            Bits("major", 32, 8, "major version"),
            Bits("os", 40, 8, "operating system"),
            Bits("vendor", 48, 16, "vendor"),
        ),
    )
    time_ref_count: int = u64("reference time at the save", unit="100 ns", since="4.5")
    reference_tsc: int = u64("page of reference time", hex=True, bits=PAGE, since="4.6")


SINT = u64(
    "a source of synthetic interrupts",
    hex=True,
    bits=(
        Bits("vector", 0, 8, "vector"),
        Bits("mask", 16, 1, "masked"),
        Bits("auto_eoi", 17, 1, "automatic end of interrupt"),
        Bits("polling", 18, 1, "polled"),
    ),
)
STIMER_CONFIG = u64(
    "a synthetic timer",
    hex=True,
    bits=(
        Bits("enable", 0, 1, "enabled"),
        Bits("periodic", 1, 1, "periodic"),
        Bits("lazy", 2, 1, "lazy"),
        Bits("auto_enable", 3, 1, "enabled by writing its count"),
        Bits("vector", 4, 8, "vector in direct mode"),
        Bits("direct", 12, 1, "direct mode"),
        Bits("sintx", 16, 4, "source of synthetic interrupts that it uses"),
    ),
)


class HvmViridianVcpuContext(
    Struct,
    name="VIRIDIAN_VCPU",
    since="4.2",
    source=f"{HEADER}, hvm_viridian_vcpu_context",
    lengths={8: "4.2", 16: "4.7", 216: "4.13"},
):
    """Viridian state of a vcpu."""

    vp_assist_msr: int = u64("page of the virtual processor's assistance", hex=True, bits=PAGE)
    apic_assist_pending: int = u8(
        "whether an interrupt waits for its end without an exit; its vector until Xen 4.10", since="4.7"
    )
    _pad: bytes = octets("zero", count=7, must=bytes(7), since="4.7")
    simp_msr: int = u64("page of synthetic messages", hex=True, bits=PAGE, since="4.13")
    sint_msr: list[int] = array(SINT, "sources of synthetic interrupts", count=16, since="4.13")
    stimer_config_msr: list[int] = array(STIMER_CONFIG, "synthetic timers", count=4, since="4.13")
    stimer_count_msr: list[int] = array(u64(), "counts of the synthetic timers", count=4, since="4.13")
