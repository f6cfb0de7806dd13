"""What is known of the guest that a stream is of, and needed to read its bodies."""

from __future__ import annotations

from xenmig.core.definitions import libxc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.structs import Struct


class Guest:
    """What earlier records of a stream say that later ones need. One for each libxc stream."""

    __slots__ = ("guest_width", "leaves", "hvm")

    guest_width: int | None
    "Octets in a word of a PV guest: 4 or 8; None when X86_PV_INFO was not there."
    leaves: list[libxc.CpuidLeaf]
    "X86_CPUID_POLICY; empty when it was not there."
    hvm: bool | None
    "Whether the domain header says x86 HVM; None when it was not there."

    def __init__(self) -> None:
        self.guest_width = None
        self.leaves = []
        self.hvm = None

    def take(self, value: Struct) -> None:
        """Remember what matters of a decoded header or body."""
        if isinstance(value, libxc.DomainHeader):
            self.hvm = value.type == libxc.DomainType.X86_HVM
        elif isinstance(value, libxc.X86PvInfo):
            self.guest_width = value.__dict__.get("guest_width")
        elif isinstance(value, libxc.X86CpuidPolicy):
            self.leaves = value.__dict__.get("leaves") or []
