"""How large an XSAVE area is, and where its components lie: Intel SDM volume 1, section 13.4; xen/arch/x86/xstate.c."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xenmig.core.definitions.libxc import CpuidLeaf

LEGACY_BYTES = 512
HEADER_BYTES = 64
AREA_MIN = LEGACY_BYTES + HEADER_BYTES
"Bytes of an XSAVE area without components: xstate.h, XSTATE_AREA_MIN_SIZE."
INTEL = {2: 576, 3: 960, 4: 1024, 5: 1088, 6: 1152, 7: 1664, 9: 2688, 17: 2752, 18: 2816}
"Offsets of the components in Intel's processors."
AMD = {2: 576, 5: 832, 6: 896, 7: 1408, 9: 2432}
"Offsets of the components in AMD's processors from Zen 4 on."
AMD_EARLIER = {2: 576, 9: 832, 62: 832}
"Offsets of the components in AMD's processors before Zen 4; none has both PKRU and LWP."
TABLES = (INTEL, AMD, AMD_EARLIER)


class Place:
    """Where a component lies in an XSAVE area, and how large it is."""

    __slots__ = ("bit", "offset", "size")

    bit: int
    "Its bit in XCR0."
    offset: int
    "From the beginning of the area, in bytes."
    size: int

    def __init__(self, bit: int, offset: int, size: int) -> None:
        self.bit = bit
        self.offset = offset
        self.size = size


XSTATE_LEAF = 0xD
"CPUID leaf that describes the components; its subleaves 0 and 1 are about all of them."
COMPONENTS = range(2, 63)
"Those that have a place of their own, as bits of XCR0: x87 and SSE state lie in front of them. Bit 63 is no component."


def places_of(leaves: Iterable[CpuidLeaf]) -> dict[int, Place]:
    """Where CPUID leaf 0xD puts the components: subleaf n has size and offset of component n; empty without it."""
    return {
        one.subleaf: Place(one.subleaf, one.b, one.a)
        for one in leaves
        if one.leaf == XSTATE_LEAF and one.subleaf in COMPONENTS and one.a
    }


def placed(xcr0: int) -> list[int]:
    """The components of ``xcr0`` that have a place of their own, ascending."""
    return [bit for bit in COMPONENTS[: max(0, xcr0.bit_length() - COMPONENTS.start)] if xcr0 >> bit & 1]


def area_size(xcr0: int, places: Mapping[int, Place]) -> int | None:
    """Bytes that the area of ``xcr0`` takes; None when it has a component that nobody placed.

    0 when no component was ever enabled. xen/arch/x86/xstate.c, xstate_ctxt_size.
    """
    if not xcr0:
        return 0
    size = AREA_MIN
    for bit in placed(xcr0):
        place = places.get(bit)
        if place is None:
            return None
        size = max(size, place.offset + place.size)
    return size
