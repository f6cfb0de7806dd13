"""Choosing packets by class, by name and by what their fields hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scapy.packet import Packet


def matches(packet: Packet, layer: type[Packet] | str | None, fields: dict[str, Any]) -> bool:
    """Whether a packet is of a class (or of that class name, or a record of that name) and has these field values."""
    if isinstance(layer, str):
        if layer not in (type(packet).__name__, getattr(packet, "type_name", None)):
            return False
    elif layer is not None and not isinstance(packet, layer):
        return False
    return all(name in packet.fieldtype and packet.getfieldval(name) == value for name, value in fields.items())
