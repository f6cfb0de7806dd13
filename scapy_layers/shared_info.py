# Generated from core/definitions/shared_info.py by xenmig.scapy_layers.generate; do not edit.
"""Pages that a PV guest shares with Xen: xen/include/public/xen.h and arch-x86/xen.h.

SHARED_INFO is a copy of the page as it was: unlike everywhere else in a stream, frame numbers in it are mfns of the
sender.
"""

from __future__ import annotations

from xenmig.core.definitions import shared_info as shared_info_definitions
from xenmig.scapy_layers.fields import FlagWord, Number, Octets, Text
from xenmig.scapy_layers.lists import Numbers, StructField, Structs
from xenmig.scapy_layers.packets import StructPacket


class VcpuTimeInfo(StructPacket):
    """How a vcpu makes system time from its TSC.

    Source: xen/include/public/xen.h, vcpu_time_info.
    version: odd while Xen writes
    pad0: padding
    tsc_timestamp: TSC at the last update
    system_time: system time then (ns)
    tsc_to_system_mul: nanoseconds for a tick of the shifted TSC, 32 bits after the point
    tsc_shift: how far the TSC is shifted before: to the left, or to the right where it is negative
    flags: what can be relied on; since Xen 4.7
    pad1: padding
    """

    name = "shared_info vcpu time info"
    definition = "shared_info.VcpuTimeInfo"
    size = 32
    fields_desc = [
        Number("version", 0, "u32", "odd while Xen writes"),
        Number("pad0", 0, "u32", "padding", hexadecimal=True),
        Number("tsc_timestamp", 0, "u64", "TSC at the last update"),
        Number("system_time", 0, "u64", "system time then", unit="ns"),
        Number(
            "tsc_to_system_mul",
            0,
            "u32",
            "nanoseconds for a tick of the shifted TSC, 32 bits after the point",
            hexadecimal=True,
        ),
        Number(
            "tsc_shift",
            0,
            "i8",
            "how far the TSC is shifted before: to the left, or to the right where it is negative",
        ),
        FlagWord("flags", 0, "u8", "what can be relied on", flags=shared_info_definitions.TimeFlags),
        Octets("pad1", bytes(2), "padding", size=2),
    ]


class VcpuInfo64(StructPacket):
    """What a vcpu of a 64-bit guest shares with Xen.

    Source: xen/include/public/xen.h, vcpu_info.
    evtchn_upcall_pending: whether an event waits
    evtchn_upcall_mask: whether events are masked
    hole: padding
    evtchn_pending_sel: words of evtchn_pending to look at
    cr2: address of the last page fault
    pad: padding
    time_: system time
    """

    name = "shared_info vcpu info"
    definition = "shared_info.VcpuInfo64"
    size = 64
    fields_desc = [
        Number("evtchn_upcall_pending", 0, "u8", "whether an event waits"),
        Number("evtchn_upcall_mask", 0, "u8", "whether events are masked"),
        Octets("hole", bytes(6), "padding", size=6),
        Number("evtchn_pending_sel", 0, "u64", "words of evtchn_pending to look at", hexadecimal=True),
        Number("cr2", 0, "u64", "address of the last page fault", hexadecimal=True),
        Number("pad", 0, "u64", "padding", hexadecimal=True),
        StructField("time_", VcpuTimeInfo, "system time"),
    ]


class VcpuInfo32(StructPacket):
    """What a vcpu of a 32-bit guest shares with Xen.

    Source: xen/include/public/xen.h, vcpu_info.
    evtchn_upcall_pending: whether an event waits
    evtchn_upcall_mask: whether events are masked
    hole: padding
    evtchn_pending_sel: words of evtchn_pending to look at
    cr2: address of the last page fault
    pad: padding
    time_: system time
    """

    name = "shared_info vcpu info"
    definition = "shared_info.VcpuInfo32"
    size = 64
    fields_desc = [
        Number("evtchn_upcall_pending", 0, "u8", "whether an event waits"),
        Number("evtchn_upcall_mask", 0, "u8", "whether events are masked"),
        Octets("hole", bytes(2), "padding", size=2),
        Number("evtchn_pending_sel", 0, "u32", "words of evtchn_pending to look at", hexadecimal=True),
        Number("cr2", 0, "u32", "address of the last page fault", hexadecimal=True),
        Octets("pad", bytes(20), "padding", size=20),
        StructField("time_", VcpuTimeInfo, "system time"),
    ]


class SharedInfo64(StructPacket):
    """The page that Xen shares with a 64-bit guest.

    Source: libxc-migration-stream; xen/include/public/xen.h, shared_info.
    Guests: PV.
    vcpu_info: the first 32 vcpus
    evtchn_pending: event channels on which events wait, a bit each
    evtchn_mask: event channels that are masked, a bit each
    wc_version: odd while Xen writes the wallclock
    wc_sec: wallclock at system time 0: seconds since 1970, low half (s)
    wc_nsec: and nanoseconds (ns)
    wc_sec_hi: seconds, high half (s)
    max_pfn: how many pfns the p2m covers
    pfn_to_mfn_frame_list_list: mfn of the p2m's root; 0 not set, all ones invalid
    nmi_reason: why the last NMI came
    p2m_cr3: page-table root in which the linear p2m is mapped, with an mfn; 0 for none
    p2m_vaddr: address of the linear p2m
    p2m_generation: odd while the guest changes the p2m
    rest: rest of the page, not used
    """

    name = "shared_info shared info"
    definition = "shared_info.SharedInfo64"
    size = 4096
    fields_desc = [
        Structs("vcpu_info", VcpuInfo64, "the first 32 vcpus", count=32),
        Numbers("evtchn_pending", "u64", "event channels on which events wait, a bit each", count=64, hexadecimal=True),
        Numbers("evtchn_mask", "u64", "event channels that are masked, a bit each", count=64, hexadecimal=True),
        Number("wc_version", 0, "u32", "odd while Xen writes the wallclock"),
        Number("wc_sec", 0, "u32", "wallclock at system time 0: seconds since 1970, low half", unit="s"),
        Number("wc_nsec", 0, "u32", "and nanoseconds", unit="ns"),
        Number("wc_sec_hi", 0, "u32", "seconds, high half", unit="s"),
        Number("max_pfn", 0, "u64", "how many pfns the p2m covers", hexadecimal=True),
        Number(
            "pfn_to_mfn_frame_list_list",
            0,
            "u64",
            "mfn of the p2m's root; 0 not set, all ones invalid",
            hexadecimal=True,
        ),
        Number("nmi_reason", 0, "u64", "why the last NMI came", hexadecimal=True),
        Number(
            "p2m_cr3",
            0,
            "u64",
            "page-table root in which the linear p2m is mapped, with an mfn; 0 for none",
            hexadecimal=True,
        ),
        Number("p2m_vaddr", 0, "u64", "address of the linear p2m", hexadecimal=True),
        Number("p2m_generation", 0, "u64", "odd while the guest changes the p2m"),
        Octets("rest", bytes(960), "rest of the page, not used", size=960),
    ]


class SharedInfo32(StructPacket):
    """The page that Xen shares with a 32-bit guest.

    Source: libxc-migration-stream; xen/include/public/xen.h, shared_info.
    Guests: PV.
    vcpu_info: the first 32 vcpus
    evtchn_pending: event channels on which events wait, a bit each
    evtchn_mask: event channels that are masked, a bit each
    wc_version: odd while Xen writes the wallclock
    wc_sec: wallclock at system time 0: seconds since 1970, low half (s)
    wc_nsec: and nanoseconds (ns)
    max_pfn: how many pfns the p2m covers
    pfn_to_mfn_frame_list_list: mfn of the p2m's root; 0 not set, all ones invalid
    nmi_reason: why the last NMI came
    p2m_cr3: page-table root in which the linear p2m is mapped, with an mfn; 0 for none
    p2m_vaddr: address of the linear p2m
    p2m_generation: odd while the guest changes the p2m
    wc_sec_hi: seconds, high half (s)
    rest: rest of the page, not used
    """

    name = "shared_info shared info"
    definition = "shared_info.SharedInfo32"
    size = 4096
    fields_desc = [
        Structs("vcpu_info", VcpuInfo32, "the first 32 vcpus", count=32),
        Numbers("evtchn_pending", "u32", "event channels on which events wait, a bit each", count=32, hexadecimal=True),
        Numbers("evtchn_mask", "u32", "event channels that are masked, a bit each", count=32, hexadecimal=True),
        Number("wc_version", 0, "u32", "odd while Xen writes the wallclock"),
        Number("wc_sec", 0, "u32", "wallclock at system time 0: seconds since 1970, low half", unit="s"),
        Number("wc_nsec", 0, "u32", "and nanoseconds", unit="ns"),
        Number("max_pfn", 0, "u32", "how many pfns the p2m covers", hexadecimal=True),
        Number(
            "pfn_to_mfn_frame_list_list",
            0,
            "u32",
            "mfn of the p2m's root; 0 not set, all ones invalid",
            hexadecimal=True,
        ),
        Number("nmi_reason", 0, "u32", "why the last NMI came", hexadecimal=True),
        Number(
            "p2m_cr3",
            0,
            "u32",
            "page-table root in which the linear p2m is mapped, with an mfn; 0 for none",
            hexadecimal=True,
        ),
        Number("p2m_vaddr", 0, "u32", "address of the linear p2m", hexadecimal=True),
        Number("p2m_generation", 0, "u32", "odd while the guest changes the p2m"),
        Number("wc_sec_hi", 0, "u32", "seconds, high half", unit="s"),
        Octets("rest", bytes(1752), "rest of the page, not used", size=1752),
    ]


class StartInfo64(StructPacket):
    """Beginning of the page that tells a 64-bit guest what it was started with; at a suspend its frames are pfns.

    Source: xen/include/public/xen.h, start_info.
    magic: xen-, the version of the interface and the platform
    nr_pages: pages that the guest has
    shared_info: machine address of the shared_info page
    flags: what kind of guest
    hole: padding
    store_mfn: page of the xenstore ring: at a suspend its pfn
    store_evtchn: event channel of the xenstore ring
    hole2: padding
    console_mfn: page of the console ring: at a suspend its pfn
    console_evtchn: event channel of the console ring
    """

    name = "shared_info start info"
    definition = "shared_info.StartInfo64"
    size = 84
    fields_desc = [
        Text("magic", bytes(32), "xen-, the version of the interface and the platform", size=32),
        Number("nr_pages", 0, "u64", "pages that the guest has"),
        Number("shared_info", 0, "u64", "machine address of the shared_info page", hexadecimal=True),
        FlagWord("flags", 0, "u32", "what kind of guest", flags=shared_info_definitions.StartFlags),
        Octets("hole", bytes(4), "padding", size=4),
        Number("store_mfn", 0, "u64", "page of the xenstore ring: at a suspend its pfn", hexadecimal=True),
        Number("store_evtchn", 0, "u32", "event channel of the xenstore ring"),
        Octets("hole2", bytes(4), "padding", size=4),
        Number("console_mfn", 0, "u64", "page of the console ring: at a suspend its pfn", hexadecimal=True),
        Number("console_evtchn", 0, "u32", "event channel of the console ring"),
    ]


class StartInfo32(StructPacket):
    """Beginning of the page that tells a 32-bit guest what it was started with; at a suspend its frames are pfns.

    Source: xen/include/public/xen.h, start_info.
    magic: xen-, the version of the interface and the platform
    nr_pages: pages that the guest has
    shared_info: machine address of the shared_info page
    flags: what kind of guest
    store_mfn: page of the xenstore ring: at a suspend its pfn
    store_evtchn: event channel of the xenstore ring
    console_mfn: page of the console ring: at a suspend its pfn
    console_evtchn: event channel of the console ring
    """

    name = "shared_info start info"
    definition = "shared_info.StartInfo32"
    size = 60
    fields_desc = [
        Text("magic", bytes(32), "xen-, the version of the interface and the platform", size=32),
        Number("nr_pages", 0, "u32", "pages that the guest has"),
        Number("shared_info", 0, "u32", "machine address of the shared_info page", hexadecimal=True),
        FlagWord("flags", 0, "u32", "what kind of guest", flags=shared_info_definitions.StartFlags),
        Number("store_mfn", 0, "u32", "page of the xenstore ring: at a suspend its pfn", hexadecimal=True),
        Number("store_evtchn", 0, "u32", "event channel of the xenstore ring"),
        Number("console_mfn", 0, "u32", "page of the console ring: at a suspend its pfn", hexadecimal=True),
        Number("console_evtchn", 0, "u32", "event channel of the console ring"),
    ]
