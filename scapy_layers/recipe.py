"""Whole migration streams from a recipe: the kind of guest, how much memory, how many iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE, DomainType
from xenmig.scapy_layers import machine
from xenmig.scapy_layers.libvirt import LibvirtDomainXml, LibvirtSave
from xenmig.scapy_layers.libxc import (
    LibxcCheckpoint,
    LibxcCpuidLeaf,
    LibxcDomainHeader,
    LibxcEnd,
    LibxcHvmContext,
    LibxcHvmParam,
    LibxcHvmParams,
    LibxcImageHeader,
    LibxcMsrEntry,
    LibxcPageData,
    LibxcSharedInfo,
    LibxcStaticDataEnd,
    LibxcX86CpuidPolicy,
    LibxcX86MsrPolicy,
    LibxcX86PvInfo,
    LibxcX86PvP2mFrames,
    LibxcX86PvVcpuBasic,
    LibxcX86PvVcpuExtended,
    LibxcX86PvVcpuXsave,
    LibxcX86TscInfo,
)
from xenmig.scapy_layers.libxl import (
    LibxlCheckpointEnd,
    LibxlEmulatorContext,
    LibxlEmulatorXenstoreData,
    LibxlEnd,
    LibxlHeader,
    LibxlLibxcContext,
)
from xenmig.scapy_layers.pages import Pages
from xenmig.scapy_layers.regions import Region
from xenmig.scapy_layers.stream import MigrationStream
from xenmig.scapy_layers.xl import XlOptionalData, XlSave

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scapy.packet import Packet

GUESTS = ("HVM", "PVH", "PV")
OUTER = ("xl", "libvirt", "libxl", "libxc")
OLDEST = (4, 6)
"The release that brought the format."
NO_SUBLEAF = 0xFFFFFFFF
PFNS_PER_FRAME = 512
"pfns of a 64-bit guest in one frame of its p2m: 4096 / 8."
L4TAB_PINNED = 0xC << 60

# What Xen 4.17 sends for an HVM guest: params.h, HVM_PARAM_STORE_PFN and the others that hold a pfn.
_PARAMS = {1: 0xFEFFC, 5: 0xFEFFD, 6: 0xFEFFB, 12: 0xFEFFE000, 17: 0xFEFFF, 19: 1}
_RINGS = (1, 17)
"Those whose pages come with the guest's memory: STORE_PFN and CONSOLE_PFN."


class PatternRegion(Region):
    """Pages that need no memory: each byte of a page follows from the page's pfn and the iteration."""

    __slots__ = ("pfns", "iteration")

    pfns: Sequence[int]
    iteration: int

    def __init__(self, pfns: Sequence[int], iteration: int) -> None:
        super().__init__("", 0, len(pfns) * GUEST_PAGE_SIZE)
        self.pfns = pfns
        self.iteration = iteration

    def key(self) -> tuple[object, ...]:
        return (tuple(self.pfns), self.iteration)

    def read(self, start: int, count: int) -> bytes:
        first = start // GUEST_PAGE_SIZE
        last = (start + count + GUEST_PAGE_SIZE - 1) // GUEST_PAGE_SIZE
        data = b"".join([page_pattern(pfn, self.iteration) for pfn in self.pfns[first:last]])
        return data[start - first * GUEST_PAGE_SIZE :][:count]


def page_pattern(pfn: int, iteration: int) -> bytes:
    """The page that a recipe gives a pfn in an iteration: pfn and iteration, 8 bytes each, over and over."""
    return (pfn.to_bytes(8, "little") + iteration.to_bytes(8, "little")) * (GUEST_PAGE_SIZE // 16)


class Recipe:
    """What a stream is to be made of.

    ``Recipe("PV", pages=4096, iterations=5).write("pv.xlsave")`` writes a live migration of a PV guest of 16 MiB. The
    stream is as Xen of that release writes it: versions of the formats, order of records, sizes. Processors are as
    after a reset, and guest memory is a pattern (:func:`page_pattern`).
    """

    def __init__(
        self,
        guest: str = "HVM",
        *,
        xen: str = "4.17",
        pages: int = 64,
        iterations: int = 1,
        dirty: int | None = None,
        vcpus: int = 1,
        outer: str = "xl",
        checkpoints: int = 0,
        batch: int = MAX_BATCH_SIZE,
        endian: str = "<",
        name: str = "guest",
        xenstore: bool = False,
    ) -> None:
        """``guest`` is "HVM", "PVH" or "PV"; ``outer`` is the outermost layer: "xl", "libvirt", "libxl" or "libxc".

        ``pages`` is the guest's memory; the first iteration sends all of it, each later one ``dirty`` pages (a
        sixteenth, if not given). ``checkpoints`` makes a Remus stream, which has so many and no end. ``batch`` is the
        most pfns in a record. ``xenstore`` adds EMULATOR_XENSTORE_DATA, which only QEMU with a VGA card needs, and
        which verify-stream-v2 wrongly rejects. Raises ValueError for what no stream can be.
        """
        if guest not in GUESTS or outer not in OUTER:
            raise ValueError(f"guest is one of {', '.join(GUESTS)}, outer one of {', '.join(OUTER)}")
        major, _, minor = xen.partition(".")
        if not (major.isdigit() and minor.isdigit()):
            raise ValueError(f"xen is a release such as 4.17, not {xen!r}")
        if (int(major), int(minor)) < OLDEST:
            raise ValueError(f"Xen {xen} writes legacy streams, which are no records; since 4.6 there are")
        if min(pages, iterations, vcpus, batch) < 1:
            raise ValueError("pages, iterations, vcpus and batch are at least 1")
        self.guest = guest
        self.xen = (int(major), int(minor))
        self.pages = pages
        self.iterations = iterations
        self.dirty = min(pages, max(1, pages // 16) if dirty is None else dirty)
        self.vcpus = vcpus
        self.outer = outer
        self.checkpoints = checkpoints
        self.batch = batch
        self.endian = endian
        self.name = name
        self.xenstore = xenstore

    @property
    def version(self) -> int:
        """Version of the libxc stream: 3 since Xen 4.14."""
        return 3 if self.xen >= (4, 14) else 2

    def stream(self) -> MigrationStream:
        """The stream as a list of packets; guest memory takes none."""
        return MigrationStream(self.packets(), name=f"{self.guest} guest, Xen {self.xen[0]}.{self.xen[1]}")

    def write(self, path: str) -> int:
        """Write a stream file; returns its size in bytes."""
        return self.stream().write(path)

    def __bytes__(self) -> bytes:
        return bytes(self.stream())

    def packets(self) -> Iterator[Packet]:
        """The packets in the order of the stream."""
        for packet in self._all():
            packet.endian = self.endian
            yield packet

    def _all(self) -> Iterator[Any]:
        big = int(self.endian == ">")
        inside = self.outer != "libxc"
        yield from self._wrapper()
        if inside:
            yield LibxlHeader(options=big)
            yield LibxlLibxcContext()
        yield LibxcImageHeader(version=self.version, options=big)
        guest = DomainType.X86_PV if self.guest == "PV" else DomainType.X86_HVM
        yield LibxcDomainHeader(type=int(guest), xen_major=self.xen[0], xen_minor=self.xen[1])
        yield from self._static()
        for iteration in range(self.iterations):
            yield from self._iteration(iteration)
        for checkpoint in range(self.checkpoints):
            if checkpoint:
                yield from self._iteration(self.iterations + checkpoint)
            yield from self._state()
            yield LibxcCheckpoint()
            if inside:
                yield from self._emulator()
                yield LibxlCheckpointEnd()
        if self.checkpoints:
            return
        yield from self._state()
        yield LibxcEnd()
        if inside:
            yield from self._emulator()
            yield LibxlEnd()

    def _wrapper(self) -> Iterator[Any]:
        if self.outer == "xl":
            kind = self.guest.lower()
            memory = self.pages * GUEST_PAGE_SIZE >> 10
            config = (
                f'{{"c_info": {{"type": "{kind}", "name": "{self.name}"}}, '
                f'"b_info": {{"max_vcpus": {self.vcpus}, "max_memkb": {memory}}}}}'
            )
            yield XlSave()
            yield XlOptionalData(config=config.encode() + b"\0")
        elif self.outer == "libvirt":
            xml = f"<domain type='xen'><name>{self.name}</name><vcpu>{self.vcpus}</vcpu></domain>"
            yield LibvirtSave()
            yield LibvirtDomainXml(xml=xml.encode() + b"\0")

    def _static(self) -> Iterator[Any]:
        if self.guest == "PV":
            yield LibxcX86PvInfo()
        if self.version >= 3:
            leaves = [
                LibxcCpuidLeaf(leaf=0, subleaf=NO_SUBLEAF, a=1, b=0x68747541, c=0x444D4163, d=0x69746E65),
                LibxcCpuidLeaf(leaf=1, subleaf=NO_SUBLEAF, a=machine.CPUID_SIGNATURE, d=0x178BFBFF),
                LibxcCpuidLeaf(leaf=0x80000000, subleaf=NO_SUBLEAF, a=0x80000000),
            ]
            yield LibxcX86CpuidPolicy(leaves=leaves)
            yield LibxcX86MsrPolicy(msrs=[LibxcMsrEntry(idx=0xCE)])
            yield LibxcStaticDataEnd()
        if self.guest == "PV":
            frames = (self.pages + PFNS_PER_FRAME - 1) // PFNS_PER_FRAME
            p2m = list(range(min(frames, self.pages)))
            yield LibxcX86PvP2mFrames(p2m_start_pfn=0, p2m_end_pfn=self.pages - 1, p2m_pfns=p2m)

    def _iteration(self, iteration: int) -> Iterator[LibxcPageData]:
        first, count = 0, self.pages
        if iteration:
            # Later iterations walk through memory, so that no two in a row send the same pages.
            count = self.dirty
            first = iteration * self.dirty % (self.pages - count + 1)
        for start in range(first, first + count, self.batch):
            pfns = range(start, min(start + self.batch, first + count))
            words = [pfn | L4TAB_PINNED if self.guest == "PV" and pfn == self.pages - 1 else pfn for pfn in pfns]
            yield LibxcPageData(pfns=words, page_data=Pages(PatternRegion(pfns, iteration)))

    def _state(self) -> Iterator[Any]:
        yield LibxcX86TscInfo(khz=machine.KHZ, nsec=1_000_000_000, incarnation=1)
        endian = self.endian
        if self.guest == "PV":
            yield LibxcSharedInfo(shared_info=machine.shared_info(self.pages, endian))
            for vcpu in range(self.vcpus):
                basic = machine.pv_vcpu_basic(vcpu, self.pages - 1, endian)
                yield LibxcX86PvVcpuBasic(vcpu_id=vcpu, context=basic)
                yield LibxcX86PvVcpuExtended(vcpu_id=vcpu, context=machine.pv_vcpu_extended(vcpu, endian))
                yield LibxcX86PvVcpuXsave(vcpu_id=vcpu, context=bytes(16))
            return
        context = machine.hvm_context(self.vcpus, emulated=self.guest == "HVM", endian=endian)
        yield LibxcHvmContext(context=context)
        # A recipe's memory has no hole, so it may end before Xen's usual place for the rings.
        last = self.pages - 1
        params = _PARAMS | {index: min(_PARAMS[index], last) for index in _RINGS if last}
        yield LibxcHvmParams(params=[LibxcHvmParam(index=index, value=value) for index, value in params.items()])

    def _emulator(self) -> Iterator[Any]:
        if self.guest != "HVM":
            return
        if self.xenstore:
            pairs = {"physmap/0/start_addr": "f0000000", "physmap/0/size": "800000", "physmap/0/name": "vga.vram"}
            yield LibxlEmulatorXenstoreData(xenstore_data=pairs)
        yield LibxlEmulatorContext(emulator_ctx=b"QEVM\0\0\0\3" + bytes(56))

    def __repr__(self) -> str:
        what = f"{self.guest} guest of {self.pages} pages, {self.vcpus} vcpus, {self.iterations} iterations"
        return f"<Recipe: {what}, Xen {self.xen[0]}.{self.xen[1]}, {self.outer}>"
