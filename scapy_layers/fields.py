"""Scapy fields for what stands in a migration stream: numbers, flag words, octets, text and strings.

They differ from Scapy's own in three ways. Their byte order is that of the stream, which the packet knows
(:meth:`~xenmig.scapy_layers.packets.MigrationPacket.order`). They read at an offset (:meth:`StreamField.take`), so that
a record of 4 MiB is not copied once per field. And a field that the bytes do not reach is absent and not an error:
its value is None, and it builds as nothing.
"""

from __future__ import annotations

from struct import Struct as Layout
from struct import error as layout_error
from typing import TYPE_CHECKING, Any

from scapy.config import conf
from scapy.fields import ConditionalField, EnumField, Field, FlagsField, FlagValue, RawVal
from scapy.volatile import RandBin, RandNum, VolatileValue

from xenmig.core.definitions.fields import SCALARS, Bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scapy.packet import Packet

    from xenmig.core.definitions.enumerations import Enumeration, Flags


class Absent(RawVal):
    """A value that builds as nothing, and that Scapy can write as JSON."""

    def command(self, json: bool = False) -> str | None:
        """What Scapy's ``command()`` and ``json()`` write."""
        return None if json else 'RawVal(b"")'


ABSENT = Absent(b"")
"The value of a computed field that the bytes did not reach: None would have it computed."

_SHOWN_BYTES = 32
_RANDOM_BYTES = 64


def order_of(pkt: Packet | None) -> str:
    """The byte order in which a packet's fields stand, "<" or ">"; "<" for packets of other protocols."""
    order = getattr(type(pkt), "order", None)
    return order(pkt) if callable(order) else "<"


class StreamField:
    """What all fields here have on top of a Scapy field, in front of which it stands among the bases."""

    doc: str
    "What the field means."

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        """Read the field from ``data[at:end]``: its value, the position after it and whether all of it was there."""
        raise NotImplementedError

    def absent(self) -> Any:
        """The value that stands for a field that the bytes did not reach."""
        return None

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        value, after, _ = self.take(pkt, s, 0, len(s))
        return s[after:], value

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        if x is None:
            return "None"
        if isinstance(x, (RawVal, VolatileValue)):
            return "absent" if x is ABSENT else repr(x)
        return self.shown(x)

    def shown(self, x: Any) -> str:
        """The value as a line of text."""
        return repr(x)


class Numeric(StreamField):
    """A number of 1 to 8 bytes.

    ``counts`` names the field of which this one gives the length in bytes, or the number of items: left None, it is
    computed when the packet is built. "payload" is the packet behind this one.
    """

    kind: str
    "One of the kinds in ``core.definitions.fields.SCALARS``."
    layouts: dict[str, Layout]
    "By the byte order of the stream."
    unit: str
    hexadecimal: bool
    bits: tuple[Bits, ...]
    counts: str
    name: str
    size_in_bytes: int

    def _declare(
        self, kind: str, doc: str, unit: str, big: bool, hexadecimal: bool, bits: Sequence[Bits], counts: str
    ) -> None:
        letter, self.size_in_bytes = SCALARS[kind]
        self.kind = kind
        self.layouts = {order: Layout((">" if big else order) + letter) for order in ("<", ">")}
        self.doc = doc
        self.unit = unit
        self.hexadecimal = hexadecimal
        self.bits = tuple(bits)
        self.counts = counts

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        after = at + self.size_in_bytes
        if after > end:
            return self.absent(), at, False
        return self.layouts[order_of(pkt)].unpack_from(data, at)[0], after, True

    def absent(self) -> Any:
        return ABSENT if self.counts else None

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        if val is None:
            if not self.counts:
                return s
            val = self.count(pkt)
        try:
            return s + self.layouts[order_of(pkt)].pack(int(val))
        except (layout_error, TypeError, ValueError) as error:
            bytes_long = f"{self.size_in_bytes} bytes{', signed' if self.kind[0] == 'i' else ''}"
            raise ValueError(
                f"{val!r} does not fit into a number of {bytes_long}: {error}; RawVal(b'...') puts any bytes there"
            ) from None

    def count(self, pkt: Packet) -> int:
        """What the field must say when the packet is built: a length in bytes or a number of items."""
        if self.counts == "payload":
            return int(pkt.payload_length())
        field, value = pkt.getfield_and_val(self.counts)
        return int(field.i2count(pkt, value))

    def shown(self, x: Any) -> str:
        text = self.number_text(x)
        if self.bits:
            parts = [f"{bits.name} {_bits_text(bits, bits.of(int(x)))}" for bits in self.bits]
            text = f"{text} ({', '.join(parts)})"
        return text

    def number_text(self, x: Any) -> str:
        """The number with its unit."""
        text = f"0x{int(x):x}" if self.hexadecimal else str(int(x))
        return f"{text} {self.unit}" if self.unit else text


class Number(Numeric, Field[Any, Any]):
    """A number that means an amount."""

    def __init__(
        self,
        name: str,
        default: int | None,
        kind: str,
        doc: str = "",
        *,
        unit: str = "",
        big: bool = False,
        hexadecimal: bool = False,
        bits: Sequence[Bits] = (),
        counts: str = "",
    ) -> None:
        self._declare(kind, doc, unit, big, hexadecimal, bits, counts)
        Field.__init__(self, name, default, SCALARS[kind][0])


class Named(Numeric, EnumField[Any]):
    """A number whose values have names, shown as ``0x00000008 (X86_TSC_INFO)``; a name can be given instead of it."""

    def __init__(
        self,
        name: str,
        default: int | None,
        kind: str,
        doc: str = "",
        *,
        values: type[Enumeration],
        unit: str = "",
        big: bool = False,
        counts: str = "",
    ) -> None:
        self._declare(kind, doc, unit, big, bool(values.digits), (), counts)
        self.values = values
        names = {number: known.name for number, known in values.known.items()}
        EnumField.__init__(self, name, default, names, SCALARS[kind][0])

    def any2i_one(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, str):
            names = self.s2i or {}
            if x not in names:
                raise ValueError(f"{self.name} has no value called {x!r}, only {', '.join(map(str, names))}")
            return names[x]
        return x

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        if isinstance(x, list):
            return ", ".join(self.i2repr(pkt, one) for one in x)
        return StreamField.i2repr(self, pkt, x)

    def shown(self, x: Any) -> str:
        return self.number_text(x) if self in conf.noenum else str(self.values(x))


class FlagWord(Numeric, FlagsField):
    """A number of which each bit means one thing: Scapy's FlagValue, so ``options.BIG_ENDIAN`` works."""

    ismutable = True

    def __init__(
        self,
        name: str,
        default: int | None,
        kind: str,
        doc: str = "",
        *,
        flags: type[Flags],
        unit: str = "",
        big: bool = False,
    ) -> None:
        self._declare(kind, doc, unit, big, True, (), "")
        self.flags = flags
        size = SCALARS[kind][1]
        names = [flags.known[bit].name if bit in flags.known else f"bit_{bit}" for bit in range(8 * size)]
        FlagsField.__init__(self, name, default, 8 * size, names)
        # FlagsField takes a field for a run of bits of a bigger one, and has no format of its own.
        self.fmt = "!" + SCALARS[kind][0]
        self.sz = size

    def randval(self) -> Any:
        return RandNum(0, (1 << 8 * int(self.sz)) - 1)

    def shown(self, x: Any) -> str:
        return str(self.flags(int(x)))

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return StreamField.i2repr(self, pkt, x)

    def getfield(self, pkt: Packet, s: Any) -> Any:
        return StreamField.getfield(self, pkt, s)

    def addfield(self, pkt: Packet, s: Any, val: Any) -> Any:
        return Numeric.addfield(self, pkt, s, val)

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        number, after, complete = Numeric.take(self, pkt, data, at, end)
        return FlagValue(number, self.names) if complete else number, after, complete

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return int(self.sz)


class Octets(StreamField, Field[Any, Any]):
    """Opaque bytes: ``size`` of them, as many as the field ``length`` says, or the rest."""

    def __init__(
        self, name: str, default: bytes | None = b"", doc: str = "", *, size: int | None = None, length: str = ""
    ) -> None:
        self.doc = doc
        self.size = size
        self.length = length
        super().__init__(name, default, f"{size or 0}s")

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, str):
            return x.encode()
        return bytes(x) if isinstance(x, (bytearray, memoryview)) else x

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        wanted = self.wanted(pkt, end - at)
        after = min(at + wanted, end)
        return self.m2i(pkt, bytes(data[at:after])), after, after - at == wanted

    def wanted(self, pkt: Packet, room: int) -> int:
        """How many bytes the field takes where ``room`` are left."""
        if self.size is not None:
            return self.size
        if self.length:
            announced = pkt.getfieldval(self.length)
            return 0 if announced is None or isinstance(announced, RawVal) else int(announced)
        return room

    def absent(self) -> Any:
        return b""

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s if val is None else s + bytes(self.i2m(pkt, val))

    def i2m(self, pkt: Packet | None, x: Any) -> Any:
        return x

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return 0 if x is None else len(bytes(self.i2m(pkt, x)))

    def i2count(self, pkt: Packet | None, x: Any) -> int:
        return self.i2len(pkt, x)

    def randval(self) -> Any:
        return RandBin(self.size if self.size is not None else RandNum(0, _RANDOM_BYTES))

    def shown(self, x: Any) -> str:
        if isinstance(x, bytes) and len(x) > _SHOWN_BYTES:
            if not x.strip(b"\0"):
                return f"<{len(x)} zero bytes>"
            return f"<{len(x)} bytes: {x[:16].hex(' ')} ...>"
        return repr(x)


class Text(Octets):
    """UTF-8 text, kept as its bytes; the NULs at its end belong to it and are not shown."""

    def shown(self, x: Any) -> str:
        text = bytes(x).rstrip(b"\0").decode(errors="backslashreplace")
        # Control characters of the stream must not reach the terminal.
        shown = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text[:2000])
        return shown if len(text) <= 2000 else f"{shown}... ({len(x)} bytes)"


class Strings(Octets):
    """Strings that each end in a NUL, kept as a list of bytes without it.

    A last string without its NUL is told from one with it by an item of type RawVal.
    """

    islist = 1

    def __init__(self, name: str, doc: str = "", *, length: str = "") -> None:
        super().__init__(name, None, doc, length=length)
        self.default = []

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, dict):
            x = [part for pair in x.items() for part in pair]
        if not isinstance(x, (list, tuple)):
            return x
        return [part.encode() if isinstance(part, str) else part for part in x]

    def m2i(self, pkt: Packet | None, x: bytes) -> Any:
        *whole, last = x.split(b"\0")
        return [*whole, RawVal(last)] if last else whole

    def i2m(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, bytes):
            return x
        return b"".join(bytes(part) if isinstance(part, RawVal) else bytes(part) + b"\0" for part in x)

    def absent(self) -> Any:
        return []

    def randval(self) -> Any:
        return None

    def shown(self, x: Any) -> str:
        if not isinstance(x, list):
            return repr(x)
        # Keys and values alternate; a line for each pair.
        texts = [bytes(part).decode(errors="backslashreplace") for part in x]
        pairs = [" = ".join(texts[i : i + 2]) for i in range(0, min(len(texts), 40), 2)]
        more = [f"... {len(texts)} strings in all"] if len(texts) > 40 else []
        return ascii(pairs + more) if len(pairs) > 1 else ascii(pairs)


class Present(ConditionalField):
    """A field that is there when ``pkt.field & mask == equals``."""

    def __init__(self, fld: Any, field: str, mask: int, equals: int) -> None:
        self.condition = (field, mask, equals)
        super().__init__(fld, self._holds)

    def _holds(self, pkt: Packet) -> bool:
        field, mask, equals = self.condition
        found = pkt.getfieldval(field)
        if found is None or isinstance(found, (RawVal, VolatileValue)):
            return False
        return int(found) & mask == equals


def _bits_text(bits: Bits, value: int) -> str:
    return str(bits.values(value)) if bits.values is not None else hex(value) if value > 9 else str(value)


__all__ = ["ABSENT", "FlagValue", "FlagWord", "Named", "Number", "Octets", "Present", "StreamField", "Strings", "Text"]
