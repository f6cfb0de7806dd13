"""The kinds of field that a definition is made of.

A definition is a class whose annotated attributes are made by the functions here, in wire order::

    class X86TscInfo(Struct, record=0x08, layer="libxc"):
        mode: TscMode = u32("how the guest's TSC is provided", values=TscMode)
        khz: int = u32("TSC frequency the guest was told", unit="kHz")

What a :class:`Field` says is all that the decoder, the Scapy layers, the Wireshark dissector and the record reference
are made from, so it is data throughout: no field is decoded by a function of its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from xenmig.core.definitions.enumerations import Enumeration, Flags
    from xenmig.core.definitions.structs import Struct

SCALARS = {
    "u8": ("B", 1),
    "u16": ("H", 2),
    "u32": ("I", 4),
    "u64": ("Q", 8),
    "i8": ("b", 1),
    "i32": ("i", 4),
    "i64": ("q", 8),
}
"Kind of number -> (its letter in the struct module, its size in bytes)."

GUEST_PAGE_SIZE = 4096
"Bytes of guest memory behind one pfn: libxc-migration-stream, Domain Header, page_shift is always 12."


class Bits:
    """Some neighbouring bits of a number that mean something of their own."""

    __slots__ = ("name", "low", "width", "doc", "values", "must", "unit")

    name: str
    low: int
    "Position of the lowest bit."
    width: int
    "How many bits."
    doc: str
    values: type[Enumeration] | None
    "What the bits are called, if they have names."
    must: int | None
    "The only value that is allowed, or None."
    unit: str

    def __init__(
        self,
        name: str,
        low: int,
        width: int = 1,
        doc: str = "",
        *,
        values: type[Enumeration] | None = None,
        must: int | None = None,
        unit: str = "",
    ) -> None:
        self.name = name
        self.low = low
        self.width = width
        self.doc = doc
        self.values = values
        self.must = must
        self.unit = unit

    @property
    def mask(self) -> int:
        """The bits as a mask in place."""
        return (1 << self.width) - 1 << self.low

    def of(self, number: int) -> int:
        """The bits of ``number``, shifted down."""
        return number >> self.low & (1 << self.width) - 1


class Presence:
    """The condition under which a field is there: ``field & mask == equals``."""

    __slots__ = ("field", "mask", "equals")

    field: str
    "Name of a field before it in the same struct."
    mask: int
    equals: int

    def __init__(self, field: str, mask: int, equals: int) -> None:
        self.field = field
        self.mask = mask
        self.equals = equals

    def holds(self, number: int) -> bool:
        """Whether a field with this condition is there when the other field is ``number``."""
        return number & self.mask == self.equals


def has(field: str, mask: int) -> Presence:
    """Present when all bits of ``mask`` are set in the field of that name."""
    return Presence(field, mask, mask)


def equals(field: str, number: int) -> Presence:
    """Present when the field of that name is ``number``."""
    return Presence(field, (1 << 64) - 1, number)


class Field:
    """One field of a struct: what it is called, how it lies in the bytes and what it means."""

    __slots__ = (
        "name",
        "kind",
        "doc",
        "size",
        "unit",
        "values",
        "flags",
        "bits",
        "must",
        "big",
        "hex",
        "when",
        "since",
        "count",
        "of",
        "minimum",
        "entries",
        "offset",
    )

    name: str
    "Xen's name for it; the name of the attribute."
    kind: str
    'A number ("u8" ... "i64"), "octets", "text", "strings", "struct", "array", "chain" or "pages".'
    doc: str
    "What it means, as a phrase for people."
    size: int | None
    "Size in bytes where it is fixed, else None."
    unit: str
    'Unit of a number ("kHz", "ns", "bytes"), or empty.'
    values: type[Enumeration] | None
    "Names of the values, if they have names."
    flags: type[Flags] | None
    "Names of the bits, if each means one thing."
    bits: tuple[Bits, ...]
    "Groups of bits that mean something of their own, lowest first."
    must: int | bytes | None
    "The only value that the documents allow (0 for reserved fields, a magic number), or None."
    big: bool
    "Big endian whatever the byte order of the stream."
    hex: bool
    "Show the number in hexadecimal."
    when: Presence | None
    "The condition under which the field is there, or None when it always is."
    since: str
    "The Xen release that brought it, or empty when it was there from the start."
    count: int | str | None
    """For what repeats or varies: a number, the name of the field that says how many (bytes or items), or None for the
    rest."""
    of: Field | type[Struct] | None
    "What an array repeats, what a struct field holds, or the descriptor in front of each entry of a chain."
    minimum: int
    "The least number of items (of an array) or bytes."
    entries: Mapping[int, type[Struct]]
    "For a chain: which struct the data behind a descriptor is, by the descriptor's first field."
    offset: int | None
    "Offset in the struct, in bytes, where everything before it has a fixed size; set by the struct."

    def __init__(
        self,
        kind: str,
        doc: str = "",
        *,
        size: int | None = None,
        unit: str = "",
        values: type[Enumeration] | None = None,
        flags: type[Flags] | None = None,
        bits: tuple[Bits, ...] = (),
        must: int | bytes | None = None,
        big: bool = False,
        hex: bool = False,
        when: Presence | None = None,
        since: str = "",
        count: int | str | None = None,
        of: Field | type[Struct] | None = None,
        minimum: int = 0,
        entries: Mapping[int, type[Struct]] | None = None,
    ) -> None:
        self.name = ""
        self.kind = kind
        self.doc = doc
        self.size = size
        self.unit = unit
        self.values = values
        self.flags = flags
        self.bits = bits
        self.must = must
        self.big = big
        self.hex = hex
        self.when = when
        self.since = since
        self.count = count
        self.of = of
        self.minimum = minimum
        self.entries = entries or {}
        self.offset = None

    @property
    def is_number(self) -> bool:
        """Whether the field is a single number."""
        return self.kind in SCALARS

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.kind!r})"


def _number(kind: str) -> Any:
    size = SCALARS[kind][1]

    def declare(
        doc: str = "",
        *,
        unit: str = "",
        values: type[Enumeration] | None = None,
        flags: type[Flags] | None = None,
        bits: tuple[Bits, ...] = (),
        must: int | None = None,
        big: bool = False,
        hex: bool = False,
        when: Presence | None = None,
        since: str = "",
    ) -> Any:
        return Field(
            kind,
            doc,
            size=size,
            unit=unit,
            values=values,
            flags=flags,
            bits=bits,
            must=must,
            big=big,
            hex=hex,
            when=when,
            since=since,
        )

    declare.__name__ = kind
    declare.__doc__ = f"Declare a number of {size} byte{'s' if size > 1 else ''}{', signed' if kind[0] == 'i' else ''}."
    return declare


u8 = _number("u8")
u16 = _number("u16")
u32 = _number("u32")
u64 = _number("u64")
i8 = _number("i8")
i32 = _number("i32")
i64 = _number("i64")


def reserved(kind: str = "u32", doc: str = "reserved, zero", *, size: int = 0, when: Presence | None = None) -> Any:
    """Declare a field that must be zero: a number of ``kind``, or ``size`` octets."""
    if size:
        return Field("octets", doc, size=size, must=bytes(size), when=when)
    return Field(kind, doc, size=SCALARS[kind][1], must=0, hex=True, when=when)


def octets(
    doc: str = "",
    *,
    count: int | str | None = None,
    must: bytes | None = None,
    minimum: int = 0,
    when: Presence | None = None,
    since: str = "",
) -> Any:
    """Declare opaque bytes: ``count`` of them, as many as the field of that name says, or the rest of the body."""
    size = count if isinstance(count, int) else None
    return Field("octets", doc, size=size, count=count, must=must, minimum=minimum, when=when, since=since)


def text(
    doc: str = "", *, count: int | str | None = None, must: bytes | None = None, when: Presence | None = None
) -> Any:
    """Declare UTF-8 text, counted as :func:`octets` is; NULs at its end belong to it and are not shown."""
    size = count if isinstance(count, int) else None
    return Field("text", doc, size=size, count=count, must=must, when=when)


def strings(doc: str = "", *, count: str | None = None) -> Any:
    """Declare strings that each end in a NUL, alternating key and value, to the end of the body."""
    return Field("strings", doc, count=count)


def struct(of: type[Struct], doc: str = "", *, when: Presence | None = None, since: str = "") -> Any:
    """Declare a struct inside the struct."""
    return Field("struct", doc, size=of.size, of=of, when=when, since=since)


def array(
    of: Any,
    doc: str = "",
    *,
    count: int | str | None = None,
    minimum: int = 0,
    when: Presence | None = None,
    since: str = "",
) -> Any:
    """Declare items of one kind (a number field or a struct class) one after another.

    ``count`` is their number, the name of the field that gives it, or None for as many as fit into the body.
    """
    size = of.size * count if isinstance(count, int) and of.size is not None else None
    return Field("array", doc, size=size, of=of, count=count, minimum=minimum, when=when, since=since)


def chain(descriptor: type[Struct], entries: Mapping[int, type[Struct]], doc: str = "") -> Any:
    """Declare typed entries, each a descriptor and the data it announces, to the end of the body.

    The descriptor's first field is the type; its field ``length`` the size of the data. Type 0 ends the chain.
    """
    return Field("chain", doc, of=descriptor, entries=entries)


def pages(doc: str = "", *, per: str) -> Any:
    """Declare guest memory: a page for each item of array ``per`` whose type carries data. Never decoded."""
    return Field("pages", doc, count=per)
