"""The guest, as the stream's headers and the configuration in front of the stream describe it."""

from __future__ import annotations

from xenmig.core.definitions import libxc
from xenmig.core.definitions.configuration import GuestConfiguration, from_json, from_xml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenmig.core.decode.events import Header
    from xenmig.core.decode.record import Record


LARGEST_CONFIGURATION = 256 << 10
"Bytes of configuration that are parsed: what JSON says in one byte may take fifty in memory. Real ones have a few KiB."


class Guest:
    """Facts about the guest; what is not known is empty or None. All text is untrusted."""

    __slots__ = ("kind", "configuration", "xen", "converted", "pfns")

    kind: str
    '"HVM" or "PV" by the libxc domain header (PVH guests say HVM there), else "unknown".'
    configuration: GuestConfiguration
    "Says nothing when there is none; its ``problem`` says why it was not read when there is."
    xen: str
    'Release of the sender\'s Xen, for example "4.17"; empty when the stream does not say.'
    converted: bool
    "Whether the stream was converted from a legacy one; ``xen`` is then empty."
    pfns: int | None
    "How many pfns the sender walks in a pass over all of memory: by X86_PV_P2M_FRAMES, which only PV guests have."

    def __init__(self) -> None:
        self.kind = "unknown"
        self.configuration = GuestConfiguration("")
        self.xen = ""
        self.converted = False
        self.pfns = None

    @property
    def description(self) -> str:
        """The kind in the words of people: "PVH" where only the configuration tells it from HVM."""
        type = self.configuration.type
        if self.kind == "HVM" and type == "pvh":
            return "PVH"
        if self.kind == "unknown" and type in ("hvm", "pv", "pvh"):
            return type.upper()
        return self.kind

    def take(self, header: Header) -> None:
        """Learn from one header of the stream."""
        value = header.value
        name = value.name
        if name == libxc.DomainHeader.name:
            self._domain_header(value)
        elif name == "optional_data":
            self._configuration(getattr(value, "config", None), from_json)
        elif name == "domain_xml":
            self._configuration(getattr(value, "xml", None), from_xml)

    def take_frames(self, record: Record) -> None:
        """Learn from X86_PV_P2M_FRAMES."""
        if record.body is not None and len(record.body) >= 8:
            end = libxc.X86PvP2mFrames.decode(record.body, record.byteorder).p2m_end_pfn
            self.pfns = int(end) + 1

    def _configuration(self, text: bytes | None, read: Callable[[bytes], GuestConfiguration]) -> None:
        if not text:
            return
        if len(text) > LARGEST_CONFIGURATION:
            self.configuration.problem = f"a configuration of {len(text):,} bytes is not read"
            return
        self.configuration = read(text)

    def _domain_header(self, value: Any) -> None:
        kind = value.type
        self.kind = {libxc.DomainType.X86_PV: "PV", libxc.DomainType.X86_HVM: "HVM"}.get(kind, "unknown")
        if value.xen_major:
            self.xen = f"{value.xen_major}.{value.xen_minor}"
        elif value.xen_major == 0:
            self.converted = True
