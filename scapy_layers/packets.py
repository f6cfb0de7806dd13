"""Bases of the packet classes: byte order, address, dissecting at an offset."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from scapy.fields import ConditionalField
from scapy.packet import Packet

from xenmig.scapy_layers.fields import Numeric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xenmig.core.definitions.structs import Problem, Struct


class MigrationPacket(Packet):
    """Base of everything that stands in a migration stream.

    ``endian`` is the byte order, "<" or ">". A packet that was dissected knows its own; one that is being composed
    has None, and goes by the packet that it lies in or behind (see :meth:`order`). ``where`` says where in a file or
    capture the packet was found, or is None.
    """

    __slots__ = ["endian", "where"]
    endian: str | None
    where: Any

    match_subclass = True
    definition: ClassVar[str] = ""
    'What the class was generated from: "libxc.X86TscInfo" is in ``xenmig.core.definitions.libxc``.'
    layer: ClassVar[str] = ""
    '"xl", "libvirt", "libxl", "libxc", or empty for structs inside records.'
    size: ClassVar[int | None] = None
    "Size in bytes where it is fixed, else None."

    def __init__(
        self,
        _pkt: bytes | bytearray = b"",
        post_transform: Any = None,
        _internal: int = 0,
        _underlayer: Packet | None = None,
        _parent: Packet | None = None,
        stop_dissection_after: type[Packet] | None = None,
        endian: str | None = None,
        **fields: Any,
    ) -> None:
        if endian not in (None, "<", ">"):
            raise ValueError(f'endian is "<" (little) or ">" (big), not {endian!r}')
        object.__setattr__(self, "endian", endian)
        object.__setattr__(self, "where", None)
        super().__init__(
            _pkt,
            post_transform=post_transform,
            _internal=_internal,
            _underlayer=_underlayer,
            _parent=_parent,
            stop_dissection_after=stop_dissection_after,
            **fields,
        )

    # -- byte order -----------------------------------------------------------------------------------------------

    def order(self) -> str:
        """The byte order of the fields that are in stream order: "<" or ">".

        The packet's own if it has one, else that of the packet that it is a part of, else what the header of its
        layer announces, else "<".
        """
        if self.endian:
            return self.endian
        around = self.parent
        if isinstance(around, MigrationPacket):
            return around.order()
        below = self.underlayer
        while below is not None:
            if isinstance(below, MigrationPacket) and (below.layer == self.layer or not self.layer):
                announced = below.announced_order()
                if announced:
                    return announced
            below = below.underlayer
        return "<"

    def announced_order(self) -> str | None:
        """The byte order that this packet gives to those of its layer behind it; None when it says nothing of it."""
        return self.endian

    # -- dissecting -----------------------------------------------------------------------------------------------

    def extent(self, s: bytes) -> tuple[int, int]:
        """How far the fields reach in ``s``, and how many bytes of it belong to this packet, its padding included."""
        end = len(s) if self.size is None else min(self.size, len(s))
        return end, end

    def do_dissect(self, s: bytes) -> bytes:
        """Dissect the packet itself; returns what follows it.

        Differs from Scapy's in that fields read at an offset: no copy of what follows is made for each of them.
        """
        self.begin(s)
        if not self.endian:
            self.endian = self.order()
        end, whole = self.extent(s)
        own = s if whole == len(s) else s[:whole]
        at = 0
        complete = True
        fields = self.fields
        kept: dict[str, Any] = {}
        for declared in self.fields_desc:
            field: Any = declared
            if isinstance(field, ConditionalField):
                if not field._evalcond(self):  # noqa: SLF001  # Scapy's own way to ask
                    continue
                field = field.fld
            if complete:
                value, at, complete = field.take(self, own, at, end)
            else:
                value = field.absent()
            if value is not None and (field.islist or field.holds_packets or field.ismutable):
                kept[field.name] = self._raw_packet_cache_field_value(field, value, copy=True)
            fields[field.name] = value
        at = self.finish(own, at, end)
        self.raw_packet_cache = own[:at] if at < len(own) else own
        self.raw_packet_cache_fields = kept
        # Scapy keeps all that follows as well, which for a stream of records is quadratic.
        self.original = self.raw_packet_cache
        self.explicit = 1
        return s[at:]

    def begin(self, s: bytes) -> None:
        """Look at the bytes before any field is dissected."""

    def payload_length(self) -> int:
        """How many bytes a field that counts the payload must announce."""
        return len(self.payload.build()) if self.payload else 0

    def finish(self, own: bytes, at: int, end: int) -> int:
        """Take what lies behind the last field; returns where the packet ends."""
        return at

    def problems(self) -> tuple[Problem, ...]:
        """What the definition forbids in this packet: see :meth:`xenmig.core.definitions.structs.Struct.decode`."""
        return tuple(self.decoded().problems)

    def decoded(self) -> Struct:
        """The same bytes as the core decodes them."""
        return self.struct().decode(self.self_build(), self.order())  # type: ignore[no-any-return]

    @classmethod
    def struct(cls) -> type[Struct]:
        """The definition that the class was generated from. Raises LookupError for a class that has none."""
        module, _, name = cls.definition.rpartition(".")
        if not module:
            raise LookupError(f"{cls.__name__} was not made from a definition")
        found: type[Struct] = getattr(import_module(f"xenmig.core.definitions.{module}"), name)
        return found

    # -- bits -----------------------------------------------------------------------------------------------------

    def bits(self, field: str) -> dict[str, int]:
        """The groups of bits of a number by their names. KeyError for a field that is not there or has none."""
        number = int(self.getfieldval(field))
        return {bits.name: bits.of(number) for bits in self._bits_of(field)}

    def set_bits(self, field: str, **parts: int) -> None:
        """Change groups of bits of a number. KeyError for a group that is not there."""
        number = int(self.getfieldval(field))
        known = {bits.name: bits for bits in self._bits_of(field)}
        for name, value in parts.items():
            bits = known[name]
            number = number & ~bits.mask | value << bits.low & bits.mask
        self.setfieldval(field, number)

    def _bits_of(self, field: str) -> tuple[Any, ...]:
        declared = self.fieldtype[field]
        bits = getattr(declared, "bits", ())
        if not bits:
            raise KeyError(f"{field} of {type(self).__name__} has no groups of bits")
        return tuple(bits)

    # -- what Scapy does with packets -----------------------------------------------------------------------------

    def recompute(self) -> MigrationPacket:
        """Forget lengths, counts and padding, here and in payloads, so that building computes them; returns self."""
        for name, field in self.fieldtype.items():
            if isinstance(field, Numeric) and field.counts:
                self.delfieldval(name)
        for field in self.packetfields:
            found = self.getfieldval(field.name)
            for item in found if isinstance(found, list) else [found]:
                if isinstance(item, MigrationPacket):
                    item.recompute()
        # Whatever was dissected is built anew from its fields.
        self.raw_packet_cache = None
        self.raw_packet_cache_fields = None
        if isinstance(self.payload, MigrationPacket):
            self.payload.recompute()
        return self

    def copy(self) -> Any:
        clone: Any = super().copy()
        clone.endian = self.endian
        clone.where = self.where
        return clone

    def clone_with(self, payload: Any = None, **kargs: Any) -> Any:
        clone = super().clone_with(payload=payload, **kargs)
        clone.endian = self.endian
        clone.where = self.where
        return clone

    def __reduce__(self) -> tuple[Any, ...]:
        # Scapy rebuilds from the bytes before it restores what is in slots: those of a big-endian packet would be read
        # as little endian, and a dispatch hook could choose another class.
        _, arguments, state = super().__reduce__()
        return _rebuilt, (type(self), arguments[0], self.order()), state

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        from xenmig.scapy_layers.dispatch import next_class

        return next_class(self, payload) or super().guess_payload_class(payload)


class StructPacket(MigrationPacket):
    """Base of structs that lie inside records: what follows one is not its payload."""

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        return b"", s

    layouts: ClassVar[Mapping[int, type[StructPacket]]] = {}
    "Lengths at which the fields lie differently, with the class that says how."

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return Packet.guess_payload_class(self, payload)


class DescriptorPacket(StructPacket):
    """Base of what stands in front of the entries of a chain; the entry's data are its payload.

    ``length`` is the size of the data, and the first field the type, which Scapy's ``bind_layers`` ties to the class
    of the data.
    """

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        length = self.getfieldval("length")
        taken = int(length) if isinstance(length, int) else 0
        return s[:taken], s[taken:]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        found = Packet.guess_payload_class(self, payload)
        return found.layouts.get(len(payload), found) if issubclass(found, StructPacket) else found


class HeaderPacket(MigrationPacket):
    """Base of the headers of libxl and libxc, which announce the byte order of what is behind them."""

    def announced_order(self) -> str | None:
        return ">" if int(self.getfieldval("options") or 0) & 1 else "<"


def _rebuilt(cls: type[MigrationPacket], data: bytes, endian: str) -> MigrationPacket:
    """What pickle calls."""
    made = cls.__new__(cls)
    made.__init__(data, endian=endian)  # type: ignore[misc]  # past the metaclass, whose dispatch would choose again
    return made
