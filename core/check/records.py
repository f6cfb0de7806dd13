"""Names of records for messages: number first, name second."""

from __future__ import annotations

from xenmig.core.definitions import libxc, libxl


def record_name(layer: str, type: int) -> str:
    """For example ``0x00000008 (X86_TSC_INFO)`` or ``0x80000001 (unknown, optional)``."""
    named: libxl.RecordType | libxc.RecordType
    named = libxl.RecordType(type) if layer == libxl.LAYER else libxc.RecordType(type)
    if named.name is None and type & libxc.OPTIONAL:
        return f"{named.number_text()} (unknown, optional)"
    return str(named)
