"""The numbers in X86_CPUID_POLICY that other bodies depend on; what all of them mean is in :mod:`cpuid`."""

from __future__ import annotations

from xenmig.core.definitions.xsave_area import XSTATE_LEAF, Place, area_size, places_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenmig.core.definitions.libxc import CpuidLeaf

NO_SUBLEAF = 0xFFFFFFFF
"Subleaf of a leaf that has none: XEN_CPUID_NO_SUBLEAF."
BASIC_MAX = 0xD
"Last basic leaf of a policy."
EXTENDED = 0x80000000


class CpuidLeaves:
    """What a guest sees in CPUID.

    Of a leaf that comes twice the last counts, as in a receiver (x86_cpuid_copy_from_buffer).
    """

    def __init__(self, leaves: Iterable[CpuidLeaf]) -> None:
        self.leaves = {(one.leaf, one.subleaf): one for one in leaves if getattr(one, "d", None) is not None}
        "Every leaf, by leaf and subleaf (0xffffffff where the leaf has none)."

    def register(self, leaf: int, subleaf: int, register: str) -> int | None:
        """The value of register "a" to "d"; subleaf 0 stands for none too. None when the leaf is not there."""
        found = self.leaves.get((leaf, subleaf))
        if found is None and subleaf == 0:
            found = self.leaves.get((leaf, NO_SUBLEAF))
        return None if found is None else int(getattr(found, register))

    @property
    def signature(self) -> int:
        """EAX of leaf 1."""
        return self.register(1, 0, "a") or 0

    @property
    def max_physical_bits(self) -> int | None:
        """Bits of a physical address; None when leaf 0x80000008 is not there."""
        found = self.register(EXTENDED + 8, 0, "a")
        return None if found is None else found & 0xFF

    @property
    def xcr0(self) -> int:
        """The components that the guest may enable, as bits."""
        return (self.register(XSTATE_LEAF, 0, "a") or 0) | (self.register(XSTATE_LEAF, 0, "d") or 0) << 32

    @property
    def xsave_places(self) -> dict[int, Place]:
        """Where the components of an XSAVE area lie."""
        return places_of(self.leaves.values())

    @property
    def xsave_size(self) -> int | None:
        """Bytes of an XSAVE area for everything that the guest may enable; None when a component has no place."""
        return area_size(self.xcr0, self.xsave_places)
