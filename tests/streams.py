"""Building migration streams: valid ones, and valid ones with exactly one thing broken.

A :class:`StreamBuilder` collects pieces in stream order and knows what a decoder must find in them: its ``expected``
lists every header, record and message with its offset. ``at()`` and ``replace()`` break one thing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests import sound

if TYPE_CHECKING:
    from collections.abc import Iterable

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
LIBVIRT_MAGIC = b"libvirt-xml\n \0 \r"
BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\0"
PERMISSION = b"domain is yours, you are cleared to unpause\0"
REPORT = b"my copy unpause results are as follows\0"
CONFIG = b'{"c_info": {"name": "guest"}}\0'
XML = b"<domain type='xen'><name>guest</name></domain>\0"

PAGE = 4096
XTAB = 0xF << 60
XALLOC = 0xE << 60
BROKEN = 0xD << 60

LIBXL_END, LIBXC_CONTEXT, XENSTORE_DATA, EMULATOR_CONTEXT, CHECKPOINT_END, CHECKPOINT_STATE = range(6)
END, PAGE_DATA, PV_INFO, P2M_FRAMES, VCPU_BASIC, VCPU_EXTENDED, VCPU_XSAVE, SHARED_INFO = range(8)
TSC_INFO, HVM_CONTEXT, HVM_PARAMS, TOOLSTACK, VCPU_MSRS, VERIFY, CHECKPOINT, DIRTY_PFN_LIST = range(8, 16)
STATIC_DATA_END, CPUID_POLICY, MSR_POLICY = range(16, 19)


class Piece:
    """Something that a decoder reports: a header, a record or a message."""

    def __init__(self, what: str, offset: int, data: bytes, layer: str, type: int = -1) -> None:
        self.what = what
        self.offset = offset
        self.data = data
        self.layer = layer
        self.type = type

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What tells it from every other piece: what it is, its layer, its type and its offset."""
        return self.what, self.layer, self.type, self.offset

    def __repr__(self) -> str:
        return f"Piece({self.what}, {self.layer}, {self.type}, {self.offset}..{self.end})"


class StreamBuilder:
    """Builds a stream piece by piece. Every method returns the builder itself."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.expected: list[Piece] = []
        self.layer = ""
        self._parts: list[bytes] = []
        self._length = 0

    @property
    def data(self) -> bytes:
        return b"".join(self._parts)

    @property
    def records(self) -> list[Piece]:
        return [piece for piece in self.expected if piece.what == "record"]

    def pack(self, letters: str, *numbers: int) -> bytes:
        return struct.pack(self.order + letters, *numbers)

    def raw(self, data: bytes) -> StreamBuilder:
        """Bytes that no event is expected for."""
        self._parts.append(data)
        self._length += len(data)
        return self

    def piece(self, what: str, data: bytes, layer: str, type: int = -1) -> StreamBuilder:
        if data:
            self.expected.append(Piece(what, self._length, data, layer, type))
        return self.raw(data)

    # -- headers --------------------------------------------------------------------------------------------------

    def xl(self, config: bytes = CONFIG, flags: int = 3) -> StreamBuilder:
        optional = self.pack("I", len(config)) + config if config else b""
        self.piece("header", XL_MAGIC + self.pack("IIII", 0x01020304, flags, 0, len(optional)), "xl")
        return self.piece("header", optional, "xl")

    def libvirt(self, xml: bytes = XML, version: int = 2) -> StreamBuilder:
        self.piece("header", LIBVIRT_MAGIC + self.pack("II", version, len(xml)) + bytes(40), "libvirt")
        return self.piece("header", xml, "libvirt")

    def libxl(self, options: int = 0) -> StreamBuilder:
        self.layer = "libxl"
        options |= self.order == ">"
        return self.piece("header", b"LibxlFmt" + struct.pack(">II", 2, options), "libxl")

    def libxc(self, version: int = 3, type: int = 2, xen: tuple[int, int] = (4, 17)) -> StreamBuilder:
        self.layer = "libxc"
        self.piece("header", b"\xff" * 8 + b"XENF" + struct.pack(">IHHI", version, self.order == ">", 0, 0), "libxc")
        return self.piece("header", self.pack("IHHII", type, 12, 0, *xen), "libxc")

    # -- records --------------------------------------------------------------------------------------------------

    def record(self, type: int, body: bytes = b"", *, length: int | None = None, layer: str = "") -> StreamBuilder:
        """A record; ``length`` is what the header says where that is not the truth."""
        said = len(body) if length is None else length
        data = self.pack("II", type, said) + body + bytes(-len(body) & 7)
        return self.piece("record", data, layer or self.layer, type)

    def pages(self, pfns: Iterable[int], fill: bytes = b"") -> StreamBuilder:
        """A PAGE_DATA record; types are in the upper bits of the pfns. ``fill`` repeats to make up a page."""
        words = list(pfns)
        carried = sum(word >> 60 < 0xD for word in words)
        page = (fill * (PAGE // len(fill) + 1))[:PAGE] if fill else bytes(PAGE)
        body = self.pack(f"II{len(words)}Q", len(words), 0, *words) + page * carried
        return self.record(PAGE_DATA, body)

    def cpu_policies(self) -> StreamBuilder:
        self.record(CPUID_POLICY, sound.cpuid_policy(self.order))
        return self.record(MSR_POLICY, sound.msr_policy(self.order))

    def static_data(self, version: int) -> StreamBuilder:
        return self.cpu_policies().record(STATIC_DATA_END) if version >= 3 else self

    def tsc_info(self) -> StreamBuilder:
        return self.record(TSC_INFO, sound.tsc_info(self.order))

    def hvm_state(self, *, devices: bool = True) -> StreamBuilder:
        self.tsc_info().record(HVM_CONTEXT, sound.hvm_context(devices=devices))
        return self.record(HVM_PARAMS, sound.hvm_params(self.order))

    def pv_info(self) -> StreamBuilder:
        return self.record(PV_INFO, self.pack("BBHI", 8, 4, 0, 0))

    def pv_state(self, last_pfn: int = 3) -> StreamBuilder:
        self.tsc_info().record(SHARED_INFO, sound.shared_info(8, last_pfn, self.order))
        self.record(VCPU_BASIC, sound.vcpu_basic(8, self.order))
        self.record(VCPU_EXTENDED, sound.vcpu_extended(self.order))
        self.record(VCPU_XSAVE, sound.vcpu_xsave())
        return self.record(VCPU_MSRS, sound.vcpu_msrs(self.order))

    def emulator(self, size: int = 37) -> StreamBuilder:
        blob = b"QEVM\0\0\0\3" + bytes(i & 255 for i in range(size))
        return self.record(EMULATOR_CONTEXT, self.pack("II", 2, 0) + blob)

    def xenstore(self) -> StreamBuilder:
        return self.record(XENSTORE_DATA, self.pack("II", 2, 0) + b"physmap/f0000000/name\0vga.vram\0")

    def text(self, name: str, data: bytes) -> StreamBuilder:
        return self.piece(name, data, "xl")

    def back_to_libxl(self) -> StreamBuilder:
        self.layer = "libxl"
        return self

    def on_with_libxc(self) -> StreamBuilder:
        self.layer = "libxc"
        return self

    # -- breaking one thing ---------------------------------------------------------------------------------------

    def at(self, type: int, *, layer: str = "libxc", number: int = 0) -> Piece:
        """The ``number``-th record of that type."""
        return [piece for piece in self.records if (piece.type, piece.layer) == (type, layer)][number]

    def replaced(self, offset: int, data: bytes) -> bytes:
        """The stream with some bytes overwritten."""
        whole = self.data
        assert offset + len(data) <= len(whole)
        assert whole[offset : offset + len(data)] != data, "nothing would be broken"
        return whole[:offset] + data + whole[offset + len(data) :]


def batches(
    builder: StreamBuilder, pages: int, per_batch: int, first: int = 0, types: dict[int, int] | None = None
) -> StreamBuilder:
    """PAGE_DATA records over ``pages`` ascending pfns; ``types`` are those of pages that are no ordinary ones."""
    for start in range(first, first + pages, per_batch):
        pfns = range(start, min(start + per_batch, first + pages))
        builder.pages(pfn | (types or {}).get(pfn, 0) for pfn in pfns)
    return builder


def guest(
    wrapper: str = "xl",
    kind: str = "HVM",
    *,
    version: int = 3,
    order: str = "<",
    iterations: tuple[int, ...] = (5,),
    per_batch: int = 2,
    verify: bool = False,
    converted: bool = False,
    permission: bool = False,
) -> StreamBuilder:
    """A whole stream: ``wrapper`` is "xl", "libvirt", "libxl" or "libxc"; ``kind`` "HVM", "PVH" or "PV".

    ``iterations`` says how many pages each has.
    """
    built = StreamBuilder(order)
    if wrapper == "xl":
        built.xl()
    elif wrapper == "libvirt":
        built.libvirt()
    if wrapper != "libxc":
        built.libxl(2 if converted else 0).record(LIBXC_CONTEXT)
    built.libxc(version, 1 if kind == "PV" else 2, (0, 1) if converted else (4, 17))
    if kind == "PV":
        built.pv_info()
    built.static_data(version)
    if kind == "PV":
        built.record(P2M_FRAMES, sound.p2m_frames(iterations[0] - 1, order))
    types = {2: sound.ROOT[8]} if kind == "PV" else {}
    for pages in iterations:
        batches(built, pages, per_batch, types=types)
    if verify:
        batches(built.record(VERIFY), iterations[0], per_batch, types=types)
    built = built.pv_state(iterations[0] - 1) if kind == "PV" else built.hvm_state(devices=kind == "HVM")
    built.record(END)
    if wrapper != "libxc":
        built.back_to_libxl()
        if kind == "HVM":
            built.xenstore().emulator()
        built.record(LIBXL_END)
    if permission:
        built.text("permission", PERMISSION)
    return built


def checkpointed(checkpoints: int = 3, *, colo: bool = False, wrapper: str = "xl") -> StreamBuilder:
    """Remus, or COLO forward: it stops after a checkpoint, as these streams do."""
    built = StreamBuilder()
    if wrapper == "xl":
        built.xl()
    built.libxl().record(LIBXC_CONTEXT).libxc().static_data(3)
    for number in range(checkpoints):
        batches(built, 3, 2, first=10 * number).hvm_state().record(CHECKPOINT)
        built.back_to_libxl().emulator().record(CHECKPOINT_END)
        if colo:
            built.record(CHECKPOINT_STATE, built.pack("I", 0))
        built.on_with_libxc()
    return built


def answers(status: int = 0) -> StreamBuilder:
    """What the receiver of ``xl migrate`` says."""
    built = StreamBuilder().text("banner", BANNER).text("ready", READY).text("report", REPORT)
    built.text("status", bytes([status]))
    return built.text("given back", PERMISSION) if status else built


def back_channel(cycles: int = 3, *, dirty: int = 4, long_header: bool = False) -> StreamBuilder:
    """What a COLO receiver says; with ``long_header`` the dirty lists as Xen 4.18 and later write them."""
    built = StreamBuilder().text("banner", BANNER)
    for number in range(cycles):
        if number:
            built.record(CHECKPOINT_STATE, built.pack("I", 1), layer="libxl")
            pfns = built.pack(f"{dirty}Q", *range(number - 1, number - 1 + dirty))
            header = built.pack("II", DIRTY_PFN_LIST, len(pfns)) + bytes(8 if long_header else 0)
            built.piece("record", header + pfns, "libxc", DIRTY_PFN_LIST)
        built.record(CHECKPOINT_STATE, built.pack("I", 2), layer="libxl")
        built.record(CHECKPOINT_STATE, built.pack("I", 3), layer="libxl")
    return built


VARIETIES: dict[str, StreamBuilder] = {
    "xl HVM": guest(),
    "xl HVM live": guest(iterations=(9, 4, 1, 2), permission=True),
    "xl HVM verify": guest(verify=True),
    "xl PVH": guest(kind="PVH"),
    "xl PV": guest(kind="PV"),
    "xl PV version 2": guest(kind="PV", version=2),
    "xl HVM version 2": guest(version=2),
    "xl HVM big endian": guest(order=">"),
    "libvirt HVM": guest("libvirt"),
    "libvirt HVM big endian": guest("libvirt", order=">"),
    "libxl HVM": guest("libxl"),
    "libxl PVH": guest("libxl", "PVH"),
    "libxl HVM converted": guest("libxl", version=2, converted=True),
    "libxc HVM": guest("libxc"),
    "libxc PV": guest("libxc", "PV"),
    "Remus": checkpointed(),
    "COLO": checkpointed(colo=True),
}
"One stream of every kind."
