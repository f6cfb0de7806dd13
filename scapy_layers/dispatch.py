"""Which class the bytes behind a packet are: the order of layers in a migration stream.

The same rules as the core's decoder follows: libxl's LIBXC_CONTEXT hands over to libxc; libxc's END and CHECKPOINT hand
back; libxl's CHECKPOINT_END, or in COLO the CHECKPOINT_STATE after it, hands over again without new headers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from scapy.packet import Packet, Raw

from xenmig.core.decode.recognise import STREAMS, recognise
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.xl import PERMISSION

if TYPE_CHECKING:
    from scapy.packet import Packet as ScapyPacket

MOST_LAYERS = 64
"""How deep packets are nested by dissecting one run of bytes. Scapy recurses from layer to layer, and Python allows for
about 300; what follows is left as Raw, and whoever has more records than that takes them one by one:
``MigrationStream.dissect`` or ``MigrationReader``."""

_FIRST = {
    "xl": "xl.XlSave",
    "libvirt": "libvirt.LibvirtSave",
    "libxl": "libxl.LibxlHeader",
    "libxc": "libxc.LibxcImageHeader",
    "xl receiver": "messages.XlMessage",
}
_BEHIND_HEADERS = {
    "XlOptionalData": "libxl.LibxlHeader",
    "LibvirtDomainXml": "libxl.LibxlHeader",
    "LibxlHeader": "records.LibxlRecord",
    "LibxcImageHeader": "libxc.LibxcDomainHeader",
    "LibxcDomainHeader": "records.LibxcRecord",
}


def first_class(data: bytes) -> type[ScapyPacket] | None:
    """The class for the beginning of a stream, or of the receiver's side of ``xl migrate``; None for neither."""
    kind = recognise(data[:64])
    return _class(_FIRST[kind]) if kind in STREAMS or kind == "xl receiver" else None


def next_class(packet: ScapyPacket, data: bytes) -> type[ScapyPacket] | None:
    """The class for the bytes behind a packet; None where the stream does not say."""
    if _depth(packet) >= MOST_LAYERS:
        return Raw
    name = type(packet).__name__
    if name == "XlSave":
        return _class("xl.XlOptionalData" if packet.getfieldval("optional_data_len") else "libxl.LibxlHeader")
    if name == "LibvirtSave":
        return _class("libvirt.LibvirtDomainXml" if packet.getfieldval("xmlLen") else "libxl.LibxlHeader")
    if name in _BEHIND_HEADERS:
        return _class(_BEHIND_HEADERS[name])
    layer = getattr(packet, "layer", "")
    if layer not in ("libxl", "libxc"):
        return None
    return layer_behind(packet, data)


def layer_behind(packet: ScapyPacket, data: bytes) -> type[ScapyPacket] | None:
    """The class for the bytes behind a record."""
    layer = getattr(packet, "layer", "")
    number = packet.getfieldval("type")
    if layer == "libxc":
        if number in (libxc.End.record, libxc.Checkpoint.record):
            if _libxl_outside(packet):
                return _class("records.LibxlRecord")
            return None if number == libxc.End.record else _class("records.LibxcRecord")
        return _class("records.LibxcRecord")
    if number == libxl.End.record:
        return _class("messages.XlMessage") if data.startswith(PERMISSION.data) else None
    if number == libxl.LibxcContext.record:
        return _class("libxc.LibxcImageHeader")
    if number == libxl.CheckpointEnd.record and _in_checkpoint(packet) and not _is_checkpoint_state(packet, data):
        return _class("records.LibxcRecord")
    if number == libxl.CheckpointState.record and _in_checkpoint(packet):
        return _class("records.LibxcRecord")
    return _class("records.LibxlRecord")


def _is_checkpoint_state(packet: ScapyPacket, data: bytes) -> bool:
    order = packet.order() if hasattr(packet, "order") else "<"
    endian = "little" if order == "<" else "big"
    # As a libxc record this would be an X86_PV_VCPU_EXTENDED of 4 bytes, in an HVM stream: neither can be.
    kind = int.from_bytes(data[:4], endian)  # type: ignore[arg-type]  # one of the two words that it takes
    length = int.from_bytes(data[4:8], endian)  # type: ignore[arg-type]
    return kind == libxl.CheckpointState.record and length == libxl.CheckpointState.size


def _libxl_outside(packet: ScapyPacket) -> bool:
    below = packet.underlayer
    while below is not None:
        if getattr(below, "layer", "") == "libxl":
            return True
        below = below.underlayer
    return False


def _in_checkpoint(packet: ScapyPacket) -> bool:
    """Whether the last record of libxc in front of the packet was a CHECKPOINT."""
    below = packet.underlayer
    while below is not None:
        if getattr(below, "layer", "") == "libxc":
            return "type" in below.fieldtype and below.getfieldval("type") == libxc.Checkpoint.record
        below = below.underlayer
    return False


def _depth(packet: ScapyPacket) -> int:
    depth = 0
    below = packet.underlayer
    while below is not None:
        depth += 1
        below = below.underlayer
    return depth


def _class(path: str) -> type[Packet]:
    module, _, name = path.partition(".")
    found: type[Packet] = getattr(import_module(f"xenmig.scapy_layers.{module}"), name)
    return found
