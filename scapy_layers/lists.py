"""Scapy fields that hold several things: arrays of numbers, arrays of structs, structs, and chains of typed entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import Field, PacketField, PacketListField, RawVal
from scapy.volatile import VolatileValue

from xenmig.core.definitions.chain import Walk
from xenmig.core.definitions.fields import SCALARS, Bits
from xenmig.scapy_layers.fields import StreamField, order_of
from xenmig.scapy_layers.words import Words, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scapy.packet import Packet

    from xenmig.core.definitions.enumerations import Enumeration, Flags
    from xenmig.scapy_layers.packets import StructPacket

MOST_ITEMS = 4096
"""How many items of an array, or entries of a chain, become packets (a packet takes 2 KB and more); the bytes of
further ones go into the record's ``rest``: nothing is lost, and memory is bounded. No Xen writes more than hundreds."""


class Numbers(StreamField, Field[Any, Any]):
    """An array of numbers, as :class:`~xenmig.scapy_layers.words.Words`.

    ``count`` is how many there are, or the name of the field that says so, or None for all that fit.
    """

    islist = 1

    def __init__(
        self,
        name: str,
        kind: str,
        doc: str = "",
        *,
        count: int | str | None = None,
        big: bool = False,
        hexadecimal: bool = False,
        bits: Sequence[Bits] = (),
        values: type[Enumeration] | None = None,
        flags: type[Flags] | None = None,
    ) -> None:
        self.kind = kind
        self.letter, self.size = SCALARS[kind]
        self.doc = doc
        self.count = count
        self.big = big
        self.hexadecimal = hexadecimal
        self.bits = tuple(bits)
        self.values = values
        self.flags = flags
        super().__init__(name, None, self.letter)
        # A list, because Scapy copies the defaults that are lists.
        self.default = [0] * count if isinstance(count, int) else []

    def order(self, pkt: Packet | None) -> str:
        """The byte order of the items."""
        return ">" if self.big else order_of(pkt)

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        return self.words(x) if isinstance(x, (list, tuple, range)) else x

    def words(self, numbers: Any) -> Any:
        """The numbers as Words; a list of them where they do not fit, so that building says which."""
        try:
            return Words(self.letter, numbers, hexadecimal=self.hexadecimal)
        except (OverflowError, TypeError):
            return list(numbers)

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        room = (end - at) // self.size
        wanted = announced(pkt, self.count, room)
        here = min(wanted, room)
        after = at + here * self.size
        found = Words.decoded(self.letter, data[at:after], self.order(pkt), hexadecimal=self.hexadecimal)
        return found, after, here == wanted

    def absent(self) -> Any:
        return Words(self.letter, hexadecimal=self.hexadecimal)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        if val is None:
            return s
        if isinstance(val, bytes):
            return s + val
        if not isinstance(val, Words):
            try:
                val = Words(self.letter, val)
            except (OverflowError, TypeError) as error:
                raise ValueError(f"not all of {val!r} are numbers of {self.size} bytes: {error}") from None
        encoded: bytes = val.encoded(self.order(pkt))
        return s + encoded

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return self.size * self.i2count(pkt, x)

    def i2count(self, pkt: Packet | None, x: Any) -> int:
        return 0 if x is None or isinstance(x, RawVal) else len(x)

    def do_copy(self, x: Any) -> Any:
        return x.copy() if isinstance(x, (list, Words)) else x

    def randval(self) -> Any:
        return None

    def shown(self, x: Any) -> str:
        return short(x, hexadecimal=self.hexadecimal) if isinstance(x, (list, Words)) else repr(x)


class StructField(StreamField, PacketField):
    """A struct inside a struct."""

    holds_packets = 1

    def __init__(self, name: str, cls: type[StructPacket], doc: str = "") -> None:
        self.doc = doc
        self.cls = cls
        Field.__init__(self, name, cls(), "0s")

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if pkt is not None and hasattr(x, "add_parent"):
            x.add_parent(pkt)
        return x

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        cls: Any = self.cls
        size = cls.size
        if size is not None and at + size > end:
            return None, at, False
        after = end if size is None else at + size
        return cls(data[at:after], _internal=1, _parent=pkt), after, True

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        if val is None:
            return s
        if hasattr(val, "add_parent"):
            val.add_parent(pkt)
        return s + bytes(val)

    def i2len(self, pkt: Packet | None, x: Any) -> int:
        return 0 if x is None else len(x)

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        return repr(x)

    def randval(self) -> Any:
        return None


class Structs(StreamField, PacketListField):
    """An array of structs, each a packet. ``count`` as for :class:`Numbers`."""

    def __init__(self, name: str, cls: type[StructPacket], doc: str = "", *, count: int | str | None = None) -> None:
        self.doc = doc
        self.count = count
        super().__init__(name, [], cls)
        if isinstance(count, int):
            self.default = [cls() for _ in range(count)]

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        """See :meth:`StreamField.take`."""
        cls: Any = self.cls
        size = cls.size
        room = (end - at) // size
        wanted = announced(pkt, self.count, room)
        here = min(wanted, room, MOST_ITEMS)
        after = at + here * size
        items = [cls(data[one : one + size], _internal=1, _parent=pkt) for one in range(at, after, size)]
        return items, after, here == wanted

    def absent(self) -> Any:
        """See :meth:`StreamField.absent`."""
        return []

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        value, after, _ = self.take(pkt, s, 0, len(s))
        return s[after:], value

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        if val is None:
            return s
        for item in val:
            if hasattr(item, "add_parent"):
                item.add_parent(pkt)
        return s + b"".join([bytes(item) for item in val])

    def i2count(self, pkt: Packet | None, val: Any) -> int:
        return len(val) if isinstance(val, list) else 0

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        if isinstance(x, list) and len(x) > 4:
            return f"[{', '.join(map(repr, x[:2]))}, ... {len(x)} in all]"
        return repr(x)


class Chain(Structs):
    """Typed entries to the end of the body, each a descriptor packet with its data as payload; type 0 is the last."""

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        cls: Any = self.cls
        walk = Walk(self.declared(pkt), data, order_of(pkt), end)
        entries: list[Packet] = []
        while at + walk.size <= end and len(entries) < MOST_ITEMS:
            # Bytes between two entries, where a length is wrong, stay with the entry in front of them.
            _, following, searched = walk.next(at)
            entry = cls(data[at:following], _internal=1, _parent=pkt)
            entries.append(entry)
            at = following
            if entry.getfieldval(entry.fields_desc[0].name) == 0 and not searched:
                break
        return entries, at, True

    def declared(self, pkt: Any) -> Any:
        """The definition of the chain, which knows what lengths its entries have."""
        return type(pkt).struct().field(self.name)


def announced(pkt: Packet, count: int | str | None, room: int) -> int:
    """How many items an array has where ``room`` fit."""
    if isinstance(count, int):
        return count
    if count is None:
        return room
    found = pkt.getfieldval(count)
    return 0 if found is None or isinstance(found, (RawVal, VolatileValue)) else int(found)
