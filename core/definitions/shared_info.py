"""Pages that a PV guest shares with Xen: xen/include/public/xen.h and arch-x86/xen.h.

SHARED_INFO is a copy of the page as it was: unlike everywhere else in a stream, frame numbers in it are mfns of the
sender.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import array, i8, octets, struct, text, u8, u32, u64
from xenmig.core.definitions.structs import Struct

XEN = "xen/include/public/xen.h"
ARCH = "xen/include/public/arch-x86/xen.h"


class TimeFlags(Flags, digits=2, open=True):
    """arch-x86/xen.h, XEN_PVCLOCK_*; since Xen 4.7."""

    TSC_STABLE = flag(0, "the TSCs of all vcpus agree")
    GUEST_STOPPED = flag(1, "the guest was paused by the host")


class VcpuTimeInfo(Struct, source=f"{XEN}, vcpu_time_info"):
    """How a vcpu makes system time from its TSC."""

    version: int = u32("odd while Xen writes")
    pad0: int = u32("padding", hex=True)
    tsc_timestamp: int = u64("TSC at the last update")
    system_time: int = u64("system time then", unit="ns")
    tsc_to_system_mul: int = u32("nanoseconds for a tick of the shifted TSC, 32 bits after the point", hex=True)
    tsc_shift: int = i8("how far the TSC is shifted before: to the left, or to the right where it is negative")
    flags: TimeFlags = u8("what can be relied on", flags=TimeFlags, since="4.7")
    pad1: bytes = octets("padding", count=2)


class VcpuInfo64(Struct, name="vcpu_info", source=f"{XEN}, vcpu_info"):
    """What a vcpu of a 64-bit guest shares with Xen."""

    evtchn_upcall_pending: int = u8("whether an event waits")
    evtchn_upcall_mask: int = u8("whether events are masked")
    hole: bytes = octets("padding", count=6)
    evtchn_pending_sel: int = u64("words of evtchn_pending to look at", hex=True)
    cr2: int = u64("address of the last page fault", hex=True)
    pad: int = u64("padding", hex=True)
    time: VcpuTimeInfo = struct(VcpuTimeInfo, "system time")


class VcpuInfo32(Struct, name="vcpu_info", source=f"{XEN}, vcpu_info"):
    """What a vcpu of a 32-bit guest shares with Xen."""

    evtchn_upcall_pending: int = u8("whether an event waits")
    evtchn_upcall_mask: int = u8("whether events are masked")
    hole: bytes = octets("padding", count=2)
    evtchn_pending_sel: int = u32("words of evtchn_pending to look at", hex=True)
    cr2: int = u32("address of the last page fault", hex=True)
    pad: bytes = octets("padding", count=20)
    time: VcpuTimeInfo = struct(VcpuTimeInfo, "system time")


class SharedInfo64(Struct, name="SHARED_INFO", guests=("PV",), source=f"libxc-migration-stream; {XEN}, shared_info"):
    """The page that Xen shares with a 64-bit guest."""

    vcpu_info: list[VcpuInfo64] = array(VcpuInfo64, "the first 32 vcpus", count=32)
    evtchn_pending: list[int] = array(u64(hex=True), "event channels on which events wait, a bit each", count=64)
    evtchn_mask: list[int] = array(u64(hex=True), "event channels that are masked, a bit each", count=64)
    wc_version: int = u32("odd while Xen writes the wallclock")
    wc_sec: int = u32("wallclock at system time 0: seconds since 1970, low half", unit="s")
    wc_nsec: int = u32("and nanoseconds", unit="ns")
    wc_sec_hi: int = u32("seconds, high half", unit="s")
    max_pfn: int = u64("how many pfns the p2m covers", hex=True)
    pfn_to_mfn_frame_list_list: int = u64("mfn of the p2m's root; 0 not set, all ones invalid", hex=True)
    nmi_reason: int = u64("why the last NMI came", hex=True)
    p2m_cr3: int = u64("page-table root in which the linear p2m is mapped, with an mfn; 0 for none", hex=True)
    p2m_vaddr: int = u64("address of the linear p2m", hex=True)
    p2m_generation: int = u64("odd while the guest changes the p2m")
    rest: bytes = octets("rest of the page, not used", count=960)


class SharedInfo32(Struct, name="SHARED_INFO", guests=("PV",), source=f"libxc-migration-stream; {XEN}, shared_info"):
    """The page that Xen shares with a 32-bit guest."""

    vcpu_info: list[VcpuInfo32] = array(VcpuInfo32, "the first 32 vcpus", count=32)
    evtchn_pending: list[int] = array(u32(hex=True), "event channels on which events wait, a bit each", count=32)
    evtchn_mask: list[int] = array(u32(hex=True), "event channels that are masked, a bit each", count=32)
    wc_version: int = u32("odd while Xen writes the wallclock")
    wc_sec: int = u32("wallclock at system time 0: seconds since 1970, low half", unit="s")
    wc_nsec: int = u32("and nanoseconds", unit="ns")
    max_pfn: int = u32("how many pfns the p2m covers", hex=True)
    pfn_to_mfn_frame_list_list: int = u32("mfn of the p2m's root; 0 not set, all ones invalid", hex=True)
    nmi_reason: int = u32("why the last NMI came", hex=True)
    p2m_cr3: int = u32("page-table root in which the linear p2m is mapped, with an mfn; 0 for none", hex=True)
    p2m_vaddr: int = u32("address of the linear p2m", hex=True)
    p2m_generation: int = u32("odd while the guest changes the p2m")
    wc_sec_hi: int = u32("seconds, high half", unit="s")
    rest: bytes = octets("rest of the page, not used", count=1752)


class StartFlags(Flags, digits=8, open=True):
    """xen.h, SIF_*."""

    PRIVILEGED = flag(0, "the guest is privileged")
    INITDOMAIN = flag(1, "the guest is the first domain")
    MULTIBOOT_MOD = flag(2, "mod_start is a multiboot module")
    MOD_START_PFN = flag(3, "mod_start is a pfn")
    VIRT_P2M_4TOOLS = flag(4, "the tools understand a linear p2m")


class StartInfo64(Struct, name="start_info", source=f"{XEN}, start_info"):
    """Beginning of the page that tells a 64-bit guest what it was started with; at a suspend its frames are pfns."""

    magic: bytes = text("xen-, the version of the interface and the platform", count=32)
    nr_pages: int = u64("pages that the guest has")
    shared_info: int = u64("machine address of the shared_info page", hex=True)
    flags: StartFlags = u32("what kind of guest", flags=StartFlags)
    hole: bytes = octets("padding", count=4)
    store_mfn: int = u64("page of the xenstore ring: at a suspend its pfn", hex=True)
    store_evtchn: int = u32("event channel of the xenstore ring")
    hole2: bytes = octets("padding", count=4)
    console_mfn: int = u64("page of the console ring: at a suspend its pfn", hex=True)
    console_evtchn: int = u32("event channel of the console ring")


class StartInfo32(Struct, name="start_info", source=f"{XEN}, start_info"):
    """Beginning of the page that tells a 32-bit guest what it was started with; at a suspend its frames are pfns."""

    magic: bytes = text("xen-, the version of the interface and the platform", count=32)
    nr_pages: int = u32("pages that the guest has")
    shared_info: int = u32("machine address of the shared_info page", hex=True)
    flags: StartFlags = u32("what kind of guest", flags=StartFlags)
    store_mfn: int = u32("page of the xenstore ring: at a suspend its pfn", hex=True)
    store_evtchn: int = u32("event channel of the xenstore ring")
    console_mfn: int = u32("page of the console ring: at a suspend its pfn", hex=True)
    console_evtchn: int = u32("event channel of the console ring")
