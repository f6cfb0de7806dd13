"""Bytes in hexadecimal with their characters."""

from __future__ import annotations

from xenmig.core.cli.units import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN_OCTETS = 64
"Opaque bytes that are shown when not all are asked for."


def dump(data: bytes, base: int, most: int, indent: int = 4) -> Iterator[str]:
    """Sixteen bytes a line, the first at offset ``base``; a note when there are more than ``most``."""
    margin = " " * indent
    for at in range(0, min(len(data), most), 16):
        piece = data[at : min(at + 16, most)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        yield f"{margin}{base + at:08x}  {piece.hex(' '):47}  {text}"
    if len(data) > most:
        yield f"{margin}... {count(len(data) - most, 'more byte')} (--raw shows all)"
