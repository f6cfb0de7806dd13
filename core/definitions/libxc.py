"""The libxc migration stream: docs/specs/libxc-migration-stream.pandoc, revision 3; xg_sr_stream_format.h.

Version 2 is written by Xen 4.6 to 4.13, version 3 (which adds STATIC_DATA_END and the two policy records) since 4.14.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import Bits, array, octets, pages, reserved, u8, u16, u32, u64
from xenmig.core.definitions.structs import Struct

LAYER = "libxc"
MARKER = 0xFFFFFFFFFFFFFFFF
ID = 0x58454E46
"``XENF``."
REC_LENGTH_MAX = 128 << 20
"Bytes in the body of a record that a receiver takes at most: xg_sr_stream_format.h, since Xen 4.10; 8 MiB before."
MAX_BATCH_SIZE = 1024
"pfns in one PAGE_DATA of every Xen release: xg_sr_common.h."
SPP_MAX_ITERATIONS = 5
"Live iterations after which simple_precopy_policy stops: xg_sr_save.c."
SPP_TARGET_DIRTY_COUNT = 50
"The live loop stops when fewer pages than this are dirty: xg_sr_save.c."
HVM_MMIO_START = 0xF0000
"pfn where the low memory of an HVM guest ends unless its configuration says otherwise: xen/include/public/hvm/e820.h."
HVM_SPECIAL_END = 0xFF000
"pfn behind the special pages of HVM guests, the last ones below 4 GiB: xg_dom_x86.c, X86_HVM_END_SPECIAL_REGION."
OPTIONAL = 0x80000000
"Bit of a record type that lets a receiver ignore what it does not know."


class ImageOptions(Flags, digits=4):
    """libxc-migration-stream, Image Header, options; bits 1 to 15 are reserved."""

    BIG_ENDIAN = flag(0, "the records are big endian; no receiver takes that")


class DomainType(Enumeration, digits=8):
    """libxc-migration-stream, Domain Header, type. PVH guests say x86 HVM too."""

    X86_PV = value(1, "x86 PV", name="x86 PV")
    X86_HVM = value(2, "x86 HVM or PVH", name="x86 HVM")


class PageType(Enumeration, digits=1):
    """Bits 60 to 63 of a pfn word: xen/include/public/domctl.h, XEN_DOMCTL_PFINFO_*. 5 to 8 are invalid."""

    NOTAB = value(0x0, "normal page", data=True)
    L1TAB = value(0x1, "L1 page table", data=True)
    L2TAB = value(0x2, "L2 page table", data=True)
    L3TAB = value(0x3, "L3 page table", data=True)
    L4TAB = value(0x4, "L4 page table", data=True)
    L1TAB_PINNED = value(0x9, "L1 page table, pinned", data=True)
    L2TAB_PINNED = value(0xA, "L2 page table, pinned", data=True)
    L3TAB_PINNED = value(0xB, "L3 page table, pinned", data=True)
    L4TAB_PINNED = value(0xC, "L4 page table, pinned", data=True)
    BROKEN = value(0xD, "broken page, without data", data=False)
    XALLOC = value(0xE, "to be allocated, without data", data=False)
    XTAB = value(0xF, "not present or not sent now, without data", data=False)


class TscMode(Enumeration):
    """xen/include/asm-x86/time.h, TSC_MODE_*."""

    DEFAULT = value(0, "emulated where the hardware's would not do")
    ALWAYS_EMULATE = value(1, "always emulated")
    NEVER_EMULATE = value(2, "never emulated")
    PVRDTSCP = value(3, "PVRDTSCP; Xen 4.11 and earlier")


class GuestWidth(Enumeration):
    """libxc-migration-stream, X86_PV_INFO, guest_width, in octets."""

    BITS_32 = value(4, "32-bit guest")
    BITS_64 = value(8, "64-bit guest")


class PageTableLevels(Enumeration):
    """libxc-migration-stream, X86_PV_INFO, pt_levels."""

    PAE = value(3, "3 levels, 32-bit guests")
    LONG = value(4, "4 levels, 64-bit guests")


class ImageHeader(Struct, layer=LAYER, source="libxc-migration-stream, Image Header"):
    """First 24 bytes of a libxc stream, big endian whatever follows."""

    marker: int = u64("all ones, which no legacy stream can begin with", must=MARKER, big=True, hex=True)
    id: int = u32("identifies the stream: XENF", must=ID, big=True, hex=True)
    version: int = u32("version of the stream format: 2 or 3", big=True)
    options: ImageOptions = u16("byte order", flags=ImageOptions, big=True)
    reserved1: int = reserved("u16")
    reserved2: int = reserved("u32")


class DomainHeader(Struct, layer=LAYER, source="libxc-migration-stream, Domain Header"):
    """16 bytes after the image header."""

    type: DomainType = u32("kind of guest", values=DomainType)
    page_shift: int = u16("size of a guest page as a power of two", must=12)
    reserved1: int = reserved("u16")
    xen_major: int = u32("major release of the sender's Xen; 0 when converted from a legacy stream")
    xen_minor: int = u32("minor release of the sender's Xen; the converter's version when converted")


class End(Struct, record=0x00, layer=LAYER, source="libxc-migration-stream, END"):
    """The libxc stream is over."""


PFN_WORD = u64(
    "a pfn and its type",
    hex=True,
    bits=(
        Bits("pfn", 0, 52, "guest frame number"),
        Bits("reserved", 52, 8, "reserved, zero", must=0),
        Bits("type", 60, 4, "page type", values=PageType),
    ),
)


class PageData(Struct, record=0x01, layer=LAYER, source="libxc-migration-stream, PAGE_DATA"):
    """Pages of guest memory: a batch of pfns with their types, then the pages of those types that carry data."""

    count: int = u32("how many pfns; at least 1, at most 1024 from every Xen", unit="pfns")
    reserved1: int = reserved("u32")
    pfns: list[int] = array(PFN_WORD, "pfns and types, ascending", count="count", minimum=1)
    page_data: None = pages("guest memory, a page for each pfn whose type carries data", per="pfns")


class X86PvInfo(Struct, record=0x02, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_INFO"):
    """What kind of PV guest it is; 4 with 3 and 8 with 4 are the only pairs."""

    guest_width: GuestWidth = u8("octets in a word of the guest", values=GuestWidth, unit="bytes")
    pt_levels: PageTableLevels = u8("levels of page tables", values=PageTableLevels)
    reserved1: int = reserved("u16")
    reserved2: int = reserved("u32")


class X86PvP2mFrames(
    Struct, record=0x03, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_P2M_FRAMES"
):
    """The frames that hold the guest's physical-to-machine table."""

    p2m_start_pfn: int = u32("first pfn that the frames cover", hex=True)
    p2m_end_pfn: int = u32("last pfn that the frames cover", hex=True)
    p2m_pfns: list[int] = array(u64(hex=True), "pfns of the frames")


class X86PvVcpuBasic(
    Struct, record=0x04, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_BASIC"
):
    """Registers of a vcpu."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")
    context: bytes = octets("vcpu_guest_context, in the layout of the guest's width")


class X86PvVcpuExtended(
    Struct, record=0x05, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_EXTENDED"
):
    """Entry points for system calls, and the machine-check state, of a vcpu."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")
    context: bytes = octets("xen_domctl_ext_vcpucontext")


class X86PvVcpuXsave(
    Struct, record=0x06, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_XSAVE"
):
    """Extended processor state of a vcpu."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")
    context: bytes = octets("xcr0, xcr0_accum and the XSAVE area")


class SharedInfo(Struct, record=0x07, layer=LAYER, guests=("PV",), source="libxc-migration-stream, SHARED_INFO"):
    """The page that Xen shares with the guest."""

    shared_info: bytes = octets("the page as it is in memory", count=4096)


class X86TscInfo(Struct, record=0x08, layer=LAYER, source="libxc-migration-stream, X86_TSC_INFO"):
    """How guest time is kept."""

    mode: TscMode = u32("how the guest's TSC is provided", values=TscMode)
    khz: int = u32("TSC frequency that the guest was told", unit="kHz")
    nsec: int = u64("guest time that has passed", unit="ns")
    incarnation: int = u32("how often the TSC was set: how often the guest has moved")
    reserved1: int = reserved("u32")


class HvmContext(Struct, record=0x09, layer=LAYER, guests=("HVM",), source="libxc-migration-stream, HVM_CONTEXT"):
    """Xen's own state of the guest: processors, interrupt controllers, timers."""

    context: bytes = octets("chain of hvm_save entries", minimum=1)


class HvmParam(Struct, told_by=("index",), source="libxc-migration-stream, HVM_PARAMS"):
    """One parameter of an HVM guest."""

    index: int = u64("which parameter: xen/include/public/hvm/params.h, HVM_PARAM_*")
    value: int = u64("its value; parameters that are zero are left out", hex=True)


class HvmParams(Struct, record=0x0A, layer=LAYER, guests=("HVM",), source="libxc-migration-stream, HVM_PARAMS"):
    """Parameters of an HVM guest."""

    count: int = u32("how many parameters")
    reserved1: int = reserved("u32")
    params: list[HvmParam] = array(HvmParam, "the parameters", count="count")


class Toolstack(
    Struct,
    record=0x0B,
    layer=LAYER,
    deprecated="drafts only: no release wrote it and no receiver handles it",
    source="libxc-migration-stream, TOOLSTACK",
):
    """What the toolstack used to save."""

    data: bytes = octets("opaque")


class VcpuMsr(Struct, source="xen/include/public/domctl.h, xen_domctl_vcpu_msr"):
    """One MSR of a vcpu."""

    index: int = u32("which MSR", hex=True)
    reserved1: int = reserved("u32")
    value: int = u64("its value; MSRs that are zero are left out", hex=True)


class X86PvVcpuMsrs(
    Struct, record=0x0C, layer=LAYER, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_MSRS"
):
    """MSRs of a vcpu."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")
    context: bytes = octets("array of xen_domctl_vcpu_msr")


class Verify(Struct, record=0x0D, layer=LAYER, source="libxc-migration-stream, VERIFY"):
    """The pages that follow were sent before and are to be compared: ``xl migrate --debug``."""


class Checkpoint(Struct, record=0x0E, layer=LAYER, source="libxc-migration-stream, CHECKPOINT"):
    """A consistent checkpoint is complete; libxl's records follow where libxl is outside."""


class CheckpointDirtyPfnList(
    Struct,
    record=0x0F,
    layer=LAYER,
    since="4.7",
    guests=("HVM",),
    source="libxc-migration-stream, CHECKPOINT_DIRTY_PFN_LIST",
):
    """COLO, secondary to primary only: the pages that the secondary dirtied."""

    pfns: list[int] = array(u64(hex=True), "pfns, ascending")


class StaticDataEnd(Struct, record=0x10, layer=LAYER, since="4.14", source="libxc-migration-stream, STATIC_DATA_END"):
    """What never changes while the guest lives has been sent; memory may follow."""


class CpuidLeaf(Struct, told_by=("leaf", "subleaf"), source="xen/include/public/arch-x86/xen.h, xen_cpuid_leaf"):
    """What CPUID returns for one leaf and subleaf."""

    leaf: int = u32("EAX before", hex=True)
    subleaf: int = u32("ECX before; 0xffffffff where the leaf has no subleaves", hex=True)
    a: int = u32("EAX after", hex=True)
    b: int = u32("EBX after", hex=True)
    c: int = u32("ECX after", hex=True)
    d: int = u32("EDX after", hex=True)


class X86CpuidPolicy(Struct, record=0x11, layer=LAYER, since="4.14", source="libxc-migration-stream, X86_CPUID_POLICY"):
    """What the guest sees in CPUID."""

    leaves: list[CpuidLeaf] = array(CpuidLeaf, "leaves, ascending", minimum=1)


class MsrEntry(Struct, told_by=("idx",), source="xen/include/public/arch-x86/xen.h, xen_msr_entry"):
    """One MSR that describes the processor."""

    idx: int = u32("which MSR", hex=True)
    flags: int = u32("zero", hex=True)
    val: int = u64("its value", hex=True)


class X86MsrPolicy(Struct, record=0x12, layer=LAYER, since="4.14", source="libxc-migration-stream, X86_MSR_POLICY"):
    """What the guest sees in the MSRs that describe the processor."""

    msrs: list[MsrEntry] = array(MsrEntry, "the MSRs", minimum=1)


class RecordType(Enumeration, digits=8):
    """libxc-migration-stream, Records: the numbers and names of the bodies above.

    Bit 31 marks what a receiver may ignore.
    """

    known = Struct.record_values(LAYER)


class RecordHeader(Struct, layer=LAYER, source="libxc-migration-stream, Record"):
    """In front of every record; the body is padded with zeros to a multiple of 8 octets."""

    type: RecordType = u32("what the body is", values=RecordType)
    length: int = u32("length of the body without padding", unit="bytes")
