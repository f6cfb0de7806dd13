"""What surrounds a libxl stream: the headers and configurations of xl and libvirt."""

from __future__ import annotations

from typing import Any

from xenmig.core.definitions import libvirt, xl
from xenmig.scapy_layers.packets import MigrationPacket


class WrapperPacket(MigrationPacket):
    """Base of the fixed headers, which announce how long the configuration behind them is."""

    def announced(self) -> int:
        """How many bytes of configuration follow, as the header says."""
        found: Any = self.getfieldval(self.length_field())
        return int(found) if isinstance(found, int) else 0

    def payload_length(self) -> int:
        return len(self.payload.self_build()) if isinstance(self.payload, WrappedPacket) else 0

    @classmethod
    def length_field(cls) -> str:
        """Name of the field that says so."""
        return next(name for name in ("optional_data_len", "xmlLen") if name in {f.name for f in cls.fields_desc})


class XlWrapper(WrapperPacket):
    """Base of xl's header: its byte order is in its own field ``byteorder``."""

    def begin(self, s: bytes) -> None:
        at = xl.Header.field("byteorder").offset or 0
        self.endian = ">" if s[at : at + 4] == xl.BYTEORDER.to_bytes(4, "big") else "<"


class LibvirtWrapper(WrapperPacket):
    """Base of libvirt's header, which has no mark of its byte order: a version that is small when read one way has."""

    def begin(self, s: bytes) -> None:
        at = libvirt.Header.field("version").offset or 0
        self.endian = "<" if s[at : at + 1] != b"\0" else ">"


class WrappedPacket(MigrationPacket):
    """Base of the configurations: as long as the header says, or all there is where no header is known."""

    def extent(self, s: bytes) -> tuple[int, int]:
        below = self.underlayer
        length = below.announced() if isinstance(below, WrapperPacket) else len(s)
        return min(length, len(s)), min(length, len(s))

    def finish(self, own: bytes, at: int, end: int) -> int:
        if at < end and "rest" in self.fieldtype:
            # Where a field was not all there, what there was of it.
            self.fields["rest"] += own[at:end]
            return end
        return at
