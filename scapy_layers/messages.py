"""The texts that the two ends of ``xl migrate`` exchange, and the status byte at the end: xl.h, xl_migrate.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import ConditionalField

from xenmig.core.definitions import xl
from xenmig.scapy_layers.fields import Named, Text
from xenmig.scapy_layers.packets import MigrationPacket

if TYPE_CHECKING:
    from scapy.packet import Packet

_TEXTS = sorted({message.data for message in xl.TEXTS}, key=len, reverse=True)


class MessageText(Text):
    """One of the texts, which are sent without a length; else all there is."""

    def wanted(self, pkt: Packet, room: int) -> int:
        return room

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        for known in _TEXTS:
            if data[at : at + len(known)] == known:
                return known, at + len(known), True
        return super().take(pkt, data, at, end)

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, str):
            for message in xl.TEXTS:
                if x == message.name:
                    return message.data
        return super().any2i(pkt, x)


class XlMessage(MigrationPacket):
    """A text of the conversation: give one of the names "banner", "ready", "permission", "report", or any bytes.

    ``status``, the receiver's last byte, is there only behind the report.
    """

    name = "xl message"
    layer = "xl"
    fields_desc = [
        MessageText("text", xl.BANNER.data, "what is said; xl.h, migrate_receiver_banner and others"),
        ConditionalField(
            Named("status", 0, "u8", "0, or a libxl error with its sign dropped", values=xl.MigrationError),
            lambda pkt: pkt.getfieldval("text") == xl.REPORT.data,
        ),
    ]

    @property
    def message(self) -> str:
        """The text's name in ``core/definitions/xl.py``; empty for another text."""
        text = self.getfieldval("text")
        return next((message.name for message in xl.TEXTS if message.data == text), "")

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        known = any(payload.startswith(text) for text in _TEXTS)
        return XlMessage if known else super().guess_payload_class(payload)

    def mysummary(self) -> str:
        status = self.getfieldval("status") if self.message == xl.REPORT.name else None
        return f"xl {self.message or 'text'}" + (f", status {xl.MigrationError(status)}" if status is not None else "")
