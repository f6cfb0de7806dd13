"""What Xen lets the context of a PV vcpu hold: xen/include/public/arch-x86/xen.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag

GDT_ENTRIES_MAX = 7168
"Descriptors of a guest: arch-x86/xen.h, FIRST_RESERVED_GDT_ENTRY."
LDT_ENTRIES_MAX = 8192
GDT_ENTRIES_PER_FRAME = 512


class VgcfFlags(Flags, digits=16, open=True):
    """arch-x86/xen.h, VGCF_*."""

    I387_VALID = flag(0, "fpu_ctxt counts")
    IN_KERNEL = flag(2, "the vcpu runs the guest's kernel")
    FAILSAFE_DISABLES_EVENTS = flag(3, "events are masked when the failsafe callback is entered")
    SYSCALL_DISABLES_EVENTS = flag(4, "events are masked when the syscall callback is entered")
    ONLINE = flag(5, "the vcpu is online")


def root_pfn(cr3: int, guest_width: int) -> int:
    """The pfn of the page-table root that ``cr3`` holds: arch-x86/xen-x86_32.h, xen_cr3_to_pfn."""
    return cr3 >> 12 if guest_width == 8 else (cr3 >> 12 | cr3 << 20) & 0xFFFFFFFF
