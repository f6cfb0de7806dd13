# Generated from core/definitions/libxc.py by xenmig.scapy_layers.generate; do not edit.
"""The libxc migration stream: docs/specs/libxc-migration-stream.pandoc, revision 3; xg_sr_stream_format.h.

Version 2 is written by Xen 4.6 to 4.13, version 3 (which adds STATIC_DATA_END and the two policy records) since 4.14.
"""

from __future__ import annotations

from xenmig.core.definitions import libxc as libxc_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Named, Number, Octets
from xenmig.scapy_layers.lists import Numbers, Structs
from xenmig.scapy_layers.packets import HeaderPacket, MigrationPacket, StructPacket
from xenmig.scapy_layers.pages import PagesField
from xenmig.scapy_layers.records import LibxcRecord, Padding, PageRecord, RecordLength, Rest


class LibxcImageHeader(HeaderPacket):
    """First 24 bytes of a libxc stream, big endian whatever follows.

    Source: libxc-migration-stream, Image Header.
    marker: all ones, which no legacy stream can begin with
    id: identifies the stream: XENF
    version: version of the stream format: 2 or 3
    options: byte order
    reserved1: reserved, zero
    reserved2: reserved, zero
    """

    name = "libxc image header"
    layer = "libxc"
    definition = "libxc.ImageHeader"
    size = 24
    fields_desc = [
        Number(
            "marker",
            0xFFFFFFFFFFFFFFFF,
            "u64",
            "all ones, which no legacy stream can begin with",
            big=True,
            hexadecimal=True,
        ),
        Number("id", 0x58454E46, "u32", "identifies the stream: XENF", big=True, hexadecimal=True),
        Number("version", 3, "u32", "version of the stream format: 2 or 3", big=True),
        FlagWord("options", 0, "u16", "byte order", flags=libxc_definitions.ImageOptions, big=True),
        Number("reserved1", 0, "u16", "reserved, zero", hexadecimal=True),
        Number("reserved2", 0, "u32", "reserved, zero", hexadecimal=True),
    ]


class LibxcDomainHeader(MigrationPacket):
    """16 bytes after the image header.

    Source: libxc-migration-stream, Domain Header.
    type: kind of guest
    page_shift: size of a guest page as a power of two
    reserved1: reserved, zero
    xen_major: major release of the sender's Xen; 0 when converted from a legacy stream
    xen_minor: minor release of the sender's Xen; the converter's version when converted
    """

    name = "libxc domain header"
    layer = "libxc"
    definition = "libxc.DomainHeader"
    size = 16
    fields_desc = [
        Named("type", 2, "u32", "kind of guest", values=libxc_definitions.DomainType),
        Number("page_shift", 12, "u16", "size of a guest page as a power of two"),
        Number("reserved1", 0, "u16", "reserved, zero", hexadecimal=True),
        Number("xen_major", 4, "u32", "major release of the sender's Xen; 0 when converted from a legacy stream"),
        Number("xen_minor", 17, "u32", "minor release of the sender's Xen; the converter's version when converted"),
    ]


class LibxcEnd(LibxcRecord):
    """The libxc stream is over.

    Source: libxc-migration-stream, END.
    """

    name = "libxc END"
    layer = "libxc"
    definition = "libxc.End"
    record = 0
    fields_desc = [
        Named("type", 0, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxcPageData(PageRecord):
    """Pages of guest memory: a batch of pfns with their types, then the pages of those types that carry data.

    Source: libxc-migration-stream, PAGE_DATA.
    count: how many pfns; at least 1, at most 1024 from every Xen (pfns)
    reserved1: reserved, zero
    pfns: pfns and types, ascending
    page_data: guest memory, a page for each pfn whose type carries data
    """

    name = "libxc PAGE_DATA"
    layer = "libxc"
    definition = "libxc.PageData"
    record = 1
    fields_desc = [
        Named("type", 1, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number(
            "count",
            None,
            "u32",
            "how many pfns; at least 1, at most 1024 from every Xen",
            unit="pfns",
            counts="pfns",
        ),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Numbers(
            "pfns",
            "u64",
            "pfns and types, ascending",
            count="count",
            hexadecimal=True,
            bits=[
                Bits("pfn", 0, 52, "guest frame number"),
                Bits("reserved", 52, 8, "reserved, zero", must=0),
                Bits("type", 60, 4, "page type", values=libxc_definitions.PageType),
            ],
        ),
        PagesField("page_data", "guest memory, a page for each pfn whose type carries data", per="pfns"),
        Rest(),
        Padding(),
    ]


class LibxcX86PvInfo(LibxcRecord):
    """What kind of PV guest it is; 4 with 3 and 8 with 4 are the only pairs.

    Source: libxc-migration-stream, X86_PV_INFO.
    Guests: PV.
    guest_width: octets in a word of the guest (bytes)
    pt_levels: levels of page tables
    reserved1: reserved, zero
    reserved2: reserved, zero
    """

    name = "libxc X86_PV_INFO"
    layer = "libxc"
    definition = "libxc.X86PvInfo"
    record = 2
    fields_desc = [
        Named("type", 2, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Named(
            "guest_width",
            8,
            "u8",
            "octets in a word of the guest",
            values=libxc_definitions.GuestWidth,
            unit="bytes",
        ),
        Named("pt_levels", 4, "u8", "levels of page tables", values=libxc_definitions.PageTableLevels),
        Number("reserved1", 0, "u16", "reserved, zero", hexadecimal=True),
        Number("reserved2", 0, "u32", "reserved, zero", hexadecimal=True),
        Rest(),
        Padding(),
    ]


class LibxcX86PvP2mFrames(LibxcRecord):
    """The frames that hold the guest's physical-to-machine table.

    Source: libxc-migration-stream, X86_PV_P2M_FRAMES.
    Guests: PV.
    p2m_start_pfn: first pfn that the frames cover
    p2m_end_pfn: last pfn that the frames cover
    p2m_pfns: pfns of the frames
    """

    name = "libxc X86_PV_P2M_FRAMES"
    layer = "libxc"
    definition = "libxc.X86PvP2mFrames"
    record = 3
    fields_desc = [
        Named("type", 3, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("p2m_start_pfn", 0, "u32", "first pfn that the frames cover", hexadecimal=True),
        Number("p2m_end_pfn", 0, "u32", "last pfn that the frames cover", hexadecimal=True),
        Numbers("p2m_pfns", "u64", "pfns of the frames", hexadecimal=True),
        Rest(),
        Padding(),
    ]


class LibxcX86PvVcpuBasic(LibxcRecord):
    """Registers of a vcpu.

    Source: libxc-migration-stream, X86_PV_VCPU_BASIC.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    context: vcpu_guest_context, in the layout of the guest's width
    """

    name = "libxc X86_PV_VCPU_BASIC"
    layer = "libxc"
    definition = "libxc.X86PvVcpuBasic"
    record = 4
    fields_desc = [
        Named("type", 4, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Octets("context", b"", "vcpu_guest_context, in the layout of the guest's width"),
        Rest(),
        Padding(),
    ]


class LibxcX86PvVcpuExtended(LibxcRecord):
    """Entry points for system calls, and the machine-check state, of a vcpu.

    Source: libxc-migration-stream, X86_PV_VCPU_EXTENDED.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    context: xen_domctl_ext_vcpucontext
    """

    name = "libxc X86_PV_VCPU_EXTENDED"
    layer = "libxc"
    definition = "libxc.X86PvVcpuExtended"
    record = 5
    fields_desc = [
        Named("type", 5, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Octets("context", b"", "xen_domctl_ext_vcpucontext"),
        Rest(),
        Padding(),
    ]


class LibxcX86PvVcpuXsave(LibxcRecord):
    """Extended processor state of a vcpu.

    Source: libxc-migration-stream, X86_PV_VCPU_XSAVE.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    context: xcr0, xcr0_accum and the XSAVE area
    """

    name = "libxc X86_PV_VCPU_XSAVE"
    layer = "libxc"
    definition = "libxc.X86PvVcpuXsave"
    record = 6
    fields_desc = [
        Named("type", 6, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Octets("context", b"", "xcr0, xcr0_accum and the XSAVE area"),
        Rest(),
        Padding(),
    ]


class LibxcSharedInfo(LibxcRecord):
    """The page that Xen shares with the guest.

    Source: libxc-migration-stream, SHARED_INFO.
    Guests: PV.
    shared_info: the page as it is in memory
    """

    name = "libxc SHARED_INFO"
    layer = "libxc"
    definition = "libxc.SharedInfo"
    record = 7
    fields_desc = [
        Named("type", 7, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Octets("shared_info", bytes(4096), "the page as it is in memory", size=4096),
        Rest(),
        Padding(),
    ]


class LibxcX86TscInfo(LibxcRecord):
    """How guest time is kept.

    Source: libxc-migration-stream, X86_TSC_INFO.
    mode: how the guest's TSC is provided
    khz: TSC frequency that the guest was told (kHz)
    nsec: guest time that has passed (ns)
    incarnation: how often the TSC was set: how often the guest has moved
    reserved1: reserved, zero
    """

    name = "libxc X86_TSC_INFO"
    layer = "libxc"
    definition = "libxc.X86TscInfo"
    record = 8
    fields_desc = [
        Named("type", 8, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Named("mode", 0, "u32", "how the guest's TSC is provided", values=libxc_definitions.TscMode),
        Number("khz", 0, "u32", "TSC frequency that the guest was told", unit="kHz"),
        Number("nsec", 0, "u64", "guest time that has passed", unit="ns"),
        Number("incarnation", 0, "u32", "how often the TSC was set: how often the guest has moved"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Rest(),
        Padding(),
    ]


class LibxcHvmContext(LibxcRecord):
    """Xen's own state of the guest: processors, interrupt controllers, timers.

    Source: libxc-migration-stream, HVM_CONTEXT.
    Guests: HVM.
    context: chain of hvm_save entries
    """

    name = "libxc HVM_CONTEXT"
    layer = "libxc"
    definition = "libxc.HvmContext"
    record = 9
    fields_desc = [
        Named("type", 9, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Octets("context", b"", "chain of hvm_save entries"),
        Rest(),
        Padding(),
    ]


class LibxcHvmParam(StructPacket):
    """One parameter of an HVM guest.

    Source: libxc-migration-stream, HVM_PARAMS.
    index: which parameter: xen/include/public/hvm/params.h, HVM_PARAM_*
    value: its value; parameters that are zero are left out
    """

    name = "libxc hvm param"
    definition = "libxc.HvmParam"
    size = 16
    fields_desc = [
        Number("index", 0, "u64", "which parameter: xen/include/public/hvm/params.h, HVM_PARAM_*"),
        Number("value", 0, "u64", "its value; parameters that are zero are left out", hexadecimal=True),
    ]


class LibxcHvmParams(LibxcRecord):
    """Parameters of an HVM guest.

    Source: libxc-migration-stream, HVM_PARAMS.
    Guests: HVM.
    count: how many parameters
    reserved1: reserved, zero
    params: the parameters
    """

    name = "libxc HVM_PARAMS"
    layer = "libxc"
    definition = "libxc.HvmParams"
    record = 10
    fields_desc = [
        Named("type", 10, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("count", None, "u32", "how many parameters", counts="params"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Structs("params", LibxcHvmParam, "the parameters", count="count"),
        Rest(),
        Padding(),
    ]


class LibxcToolstack(LibxcRecord):
    """What the toolstack used to save.

    Source: libxc-migration-stream, TOOLSTACK.
    Deprecated: drafts only: no release wrote it and no receiver handles it.
    data: opaque
    """

    name = "libxc TOOLSTACK"
    layer = "libxc"
    definition = "libxc.Toolstack"
    record = 11
    fields_desc = [
        Named("type", 11, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Octets("data", b"", "opaque"),
        Rest(),
        Padding(),
    ]


class LibxcVcpuMsr(StructPacket):
    """One MSR of a vcpu.

    Source: xen/include/public/domctl.h, xen_domctl_vcpu_msr.
    index: which MSR
    reserved1: reserved, zero
    value: its value; MSRs that are zero are left out
    """

    name = "libxc vcpu msr"
    definition = "libxc.VcpuMsr"
    size = 16
    fields_desc = [
        Number("index", 0, "u32", "which MSR", hexadecimal=True),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Number("value", 0, "u64", "its value; MSRs that are zero are left out", hexadecimal=True),
    ]


class LibxcX86PvVcpuMsrs(LibxcRecord):
    """MSRs of a vcpu.

    Source: libxc-migration-stream, X86_PV_VCPU_MSRS.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    context: array of xen_domctl_vcpu_msr
    """

    name = "libxc X86_PV_VCPU_MSRS"
    layer = "libxc"
    definition = "libxc.X86PvVcpuMsrs"
    record = 12
    fields_desc = [
        Named("type", 12, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Octets("context", b"", "array of xen_domctl_vcpu_msr"),
        Rest(),
        Padding(),
    ]


class LibxcVerify(LibxcRecord):
    """The pages that follow were sent before and are to be compared: ``xl migrate --debug``.

    Source: libxc-migration-stream, VERIFY.
    """

    name = "libxc VERIFY"
    layer = "libxc"
    definition = "libxc.Verify"
    record = 13
    fields_desc = [
        Named("type", 13, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxcCheckpoint(LibxcRecord):
    """A consistent checkpoint is complete; libxl's records follow where libxl is outside.

    Source: libxc-migration-stream, CHECKPOINT.
    """

    name = "libxc CHECKPOINT"
    layer = "libxc"
    definition = "libxc.Checkpoint"
    record = 14
    fields_desc = [
        Named("type", 14, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxcCheckpointDirtyPfnList(LibxcRecord):
    """COLO, secondary to primary only: the pages that the secondary dirtied.

    Source: libxc-migration-stream, CHECKPOINT_DIRTY_PFN_LIST.
    Since Xen 4.7.
    Guests: HVM.
    pfns: pfns, ascending
    """

    name = "libxc CHECKPOINT_DIRTY_PFN_LIST"
    layer = "libxc"
    definition = "libxc.CheckpointDirtyPfnList"
    record = 15
    fields_desc = [
        Named("type", 15, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Numbers("pfns", "u64", "pfns, ascending", hexadecimal=True),
        Rest(),
        Padding(),
    ]


class LibxcStaticDataEnd(LibxcRecord):
    """What never changes while the guest lives has been sent; memory may follow.

    Source: libxc-migration-stream, STATIC_DATA_END.
    Since Xen 4.14.
    """

    name = "libxc STATIC_DATA_END"
    layer = "libxc"
    definition = "libxc.StaticDataEnd"
    record = 16
    fields_desc = [
        Named("type", 16, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxcCpuidLeaf(StructPacket):
    """What CPUID returns for one leaf and subleaf.

    Source: xen/include/public/arch-x86/xen.h, xen_cpuid_leaf.
    leaf: EAX before
    subleaf: ECX before; 0xffffffff where the leaf has no subleaves
    a: EAX after
    b: EBX after
    c: ECX after
    d: EDX after
    """

    name = "libxc cpuid leaf"
    definition = "libxc.CpuidLeaf"
    size = 24
    fields_desc = [
        Number("leaf", 0, "u32", "EAX before", hexadecimal=True),
        Number("subleaf", 0, "u32", "ECX before; 0xffffffff where the leaf has no subleaves", hexadecimal=True),
        Number("a", 0, "u32", "EAX after", hexadecimal=True),
        Number("b", 0, "u32", "EBX after", hexadecimal=True),
        Number("c", 0, "u32", "ECX after", hexadecimal=True),
        Number("d", 0, "u32", "EDX after", hexadecimal=True),
    ]


class LibxcX86CpuidPolicy(LibxcRecord):
    """What the guest sees in CPUID.

    Source: libxc-migration-stream, X86_CPUID_POLICY.
    Since Xen 4.14.
    leaves: leaves, ascending
    """

    name = "libxc X86_CPUID_POLICY"
    layer = "libxc"
    definition = "libxc.X86CpuidPolicy"
    record = 17
    fields_desc = [
        Named("type", 17, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Structs("leaves", LibxcCpuidLeaf, "leaves, ascending"),
        Rest(),
        Padding(),
    ]


class LibxcMsrEntry(StructPacket):
    """One MSR that describes the processor.

    Source: xen/include/public/arch-x86/xen.h, xen_msr_entry.
    idx: which MSR
    flags: zero
    val: its value
    """

    name = "libxc msr entry"
    definition = "libxc.MsrEntry"
    size = 16
    fields_desc = [
        Number("idx", 0, "u32", "which MSR", hexadecimal=True),
        Number("flags", 0, "u32", "zero", hexadecimal=True),
        Number("val", 0, "u64", "its value", hexadecimal=True),
    ]


class LibxcX86MsrPolicy(LibxcRecord):
    """What the guest sees in the MSRs that describe the processor.

    Source: libxc-migration-stream, X86_MSR_POLICY.
    Since Xen 4.14.
    msrs: the MSRs
    """

    name = "libxc X86_MSR_POLICY"
    layer = "libxc"
    definition = "libxc.X86MsrPolicy"
    record = 18
    fields_desc = [
        Named("type", 18, "u32", "what the body is", values=libxc_definitions.RecordType),
        RecordLength(),
        Structs("msrs", LibxcMsrEntry, "the MSRs"),
        Rest(),
        Padding(),
    ]
