"""Processor state in FXSAVE and XSAVE format: Intel SDM volume 1, sections 10.5 and 13.4; xen/arch/x86/xstate.c.

Where the components after the legacy region and the header lie differs between makers of processors. CPUID leaf 0xD
says where, and a stream of version 3 brings it along in its X86_CPUID_POLICY; for streams without it there are the
tables of real processors.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import array, octets, struct, u8, u16, u32, u64
from xenmig.core.definitions.registers import FpuWidth, Mxcsr, XState
from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.xsave_area import AREA_MIN, TABLES, Place, area_size, places_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xenmig.core.definitions.libxc import CpuidLeaf

SOURCE = "Intel SDM volume 1, section 13.4"


class X87Register(Struct, source="Intel SDM volume 1, section 10.5"):
    """One x87 register, 80 bits of 128."""

    significand: int = u64("significand; also the MMX register", hex=True)
    sign_exponent: int = u16("sign and exponent", hex=True)
    unused: bytes = octets("not used", count=6)


class XmmRegister(Struct, source="Intel SDM volume 1, section 10.5"):
    """128 bits of a vector register."""

    low: int = u64("bits 0 to 63", hex=True)
    high: int = u64("bits 64 to 127", hex=True)


class FpuStatus(Flags, digits=4, open=True):
    """The x87 status word."""

    IE = flag(0, "invalid operation")
    DE = flag(1, "denormal")
    ZE = flag(2, "division by zero")
    OE = flag(3, "overflow")
    UE = flag(4, "underflow")
    PE = flag(5, "precision")
    SF = flag(6, "stack fault")
    ES = flag(7, "an unmasked exception is pending")
    C0 = flag(8, "condition 0")
    C1 = flag(9, "condition 1")
    C2 = flag(10, "condition 2")
    TOP0 = flag(11, "top of stack, low bit")
    TOP1 = flag(12, "top of stack, middle bit")
    TOP2 = flag(13, "top of stack, high bit")
    C3 = flag(14, "condition 3")
    B = flag(15, "busy")


class Fxsave(Struct, name="fxsave", source="Intel SDM volume 1, section 10.5"):
    """The x87 and SSE registers, 512 bytes."""

    fcw: int = u16("x87 control word; 0x37f after a reset", hex=True)
    fsw: FpuStatus = u16("x87 status word", flags=FpuStatus)
    ftw: int = u8("which x87 registers are in use, a bit each", hex=True)
    unused: int = u8("not used")
    fop: int = u16("opcode of the last x87 instruction", hex=True)
    fip: int = u64("address of the last x87 instruction; with selectors, 32 bits of it and cs", hex=True)
    fdp: int = u64("address of its operand; with selectors, 32 bits of it and ds", hex=True)
    mxcsr: Mxcsr = u32("SSE control and status", flags=Mxcsr)
    mxcsr_mask: int = u32("bits of mxcsr that the processor has", hex=True)
    st: list[X87Register] = array(X87Register, "x87 registers, top of stack first", count=8)
    xmm: list[XmmRegister] = array(XmmRegister, "XMM registers", count=16)
    reserved1: bytes = octets("reserved", count=48)
    software: bytes = octets("left to software", count=47)
    fip_width: FpuWidth = u8("Xen's own: how wide fip was saved", values=FpuWidth)


class Ymm(Struct, name="YMM", source=SOURCE):
    """Upper halves of YMM0 to YMM15."""

    ymm_high: list[XmmRegister] = array(XmmRegister, "bits 128 to 255 of each", count=16)


class Bound(Struct, source=SOURCE):
    """One bounds register of MPX."""

    lower: int = u64("lower bound", hex=True)
    upper: int = u64("upper bound, in one's complement", hex=True)


class Bndregs(Struct, name="BNDREGS", source=SOURCE):
    """The bounds registers of MPX."""

    bnd: list[Bound] = array(Bound, "BND0 to BND3", count=4)


class Bndcsr(Struct, name="BNDCSR", source=SOURCE):
    """Configuration and status of MPX."""

    bndcfgu: int = u64("configuration for user mode", hex=True)
    bndstatus: int = u64("status", hex=True)
    unused: bytes = octets("not used", count=48)


class Opmask(Struct, name="OPMASK", source=SOURCE):
    """The mask registers of AVX-512."""

    k: list[int] = array(u64(hex=True), "k0 to k7", count=8)


class ZmmHigh(Struct, name="ZMM_Hi256", source=SOURCE):
    """Upper halves of ZMM0 to ZMM15."""

    zmm_high: list[XmmRegister] = array(XmmRegister, "bits 256 to 383 and 384 to 511 of each", count=32)


class HighZmm(Struct, name="Hi16_ZMM", source=SOURCE):
    """ZMM16 to ZMM31."""

    zmm: list[XmmRegister] = array(XmmRegister, "four parts of 128 bits of each", count=64)


class Pkru(Struct, name="PKRU", source=SOURCE):
    """Rights of the protection keys."""

    pkru: int = u32("two bits for each of 16 keys: access disabled, write disabled", hex=True)
    unused: bytes = octets("not used", count=4)


class TileConfiguration(Struct, name="TILECFG", source=SOURCE):
    """Shapes of the AMX tiles."""

    palette: int = u8("palette")
    start_row: int = u8("row at which an interrupted load goes on")
    unused1: bytes = octets("not used", count=14)
    colsb: list[int] = array(u16(unit="bytes"), "bytes in a row of each tile", count=8)
    unused2: bytes = octets("not used", count=16)
    rows: list[int] = array(u8(), "rows of each tile", count=8)
    unused3: bytes = octets("not used", count=8)


class TileData(Struct, name="TILEDATA", source=SOURCE):
    """The AMX tiles."""

    tiles: bytes = octets("eight tiles of 1 KiB", count=8192)


class Lwp(Struct, name="LWP", source="AMD APM volume 2, section 13.4"):
    """Lightweight profiling."""

    lwp: bytes = octets("state of lightweight profiling", count=128)


COMPONENTS: dict[int, type[Struct]] = {
    2: Ymm,
    3: Bndregs,
    4: Bndcsr,
    5: Opmask,
    6: ZmmHigh,
    7: HighZmm,
    9: Pkru,
    17: TileConfiguration,
    18: TileData,
    62: Lwp,
}
"What the components are, by their bit in XCR0."


class Component:
    """A component of an XSAVE area."""

    __slots__ = ("name", "place", "in_use", "value")

    name: str
    place: Place
    in_use: bool
    "Whether xstate_bv says that the bytes count; else the component is in its initial state."
    value: Struct | None
    "The decoded registers; None for a component that is not known, or that lies beyond the end of the area."

    def __init__(self, name: str, place: Place, in_use: bool, value: Struct | None) -> None:
        self.name = name
        self.place = place
        self.in_use = in_use
        self.value = value


def places_in(table: Mapping[int, int]) -> dict[int, Place]:
    """The same from one of ``TABLES``."""
    return {bit: Place(bit, offset, COMPONENTS[bit].size or 0) for bit, offset in table.items()}


def places_for(xcr0: int, size: int, leaves: Iterable[CpuidLeaf] = ()) -> dict[int, Place] | None:
    """The places that fit an area of ``size`` bytes for ``xcr0``: leaf 0xD's, else a known processor's, else None."""
    named = places_of(leaves)
    for places in (named, *(places_in(table) for table in TABLES)):
        if area_size(xcr0, places) == size:
            return places
    return named or None


def components(
    area: bytes, xcr0: int, xstate_bv: int, leaves: Iterable[CpuidLeaf] = (), byteorder: str = "<"
) -> list[Component]:
    """The components after the header of ``area`` (legacy region first), lowest bit first.

    Empty when nothing says where they lie.
    """
    places = places_for(xcr0, len(area), leaves) or {}
    found = []
    for bit, place in sorted(places.items()):
        if not xcr0 >> bit & 1:
            continue
        kind = COMPONENTS.get(bit)
        end = place.offset + place.size
        there = kind is not None and place.offset >= AREA_MIN and end <= len(area) and kind.accepts(place.size)
        named = XState.known.get(bit)
        found.append(
            Component(
                named.name if named else f"component {bit}",
                place,
                bool(xstate_bv >> bit & 1),
                kind.decode(area, byteorder, place.offset, end) if kind is not None and there else None,
            )
        )
    return found


class HvmHwCpuXsave(
    Struct,
    name="CPU_XSAVE",
    since="4.1",
    source="xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu_xsave",
):
    """Extended processor state of a vcpu."""

    xfeature_mask: XState = u64("what the sender's processor has; ignored by the receiver", flags=XState)
    xcr0: XState = u64("components enabled now", flags=XState)
    xcr0_accum: XState = u64("components ever enabled: those that are saved", flags=XState)
    fpu_sse: Fxsave = struct(Fxsave, "legacy region")
    xstate_bv: XState = u64("components that are not in their initial state", flags=XState)
    xcomp_bv: int = u64("zero: the standard format, not the compacted one", must=0, hex=True)
    reserved: bytes = octets("reserved, zero", count=48, must=bytes(48))
    components: bytes = octets("components, at the places that CPUID leaf 0xD gives")
