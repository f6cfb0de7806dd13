"""Where in the bytes of a decoded struct its fields lie."""

from __future__ import annotations

from xenmig.core.definitions.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.definitions.structs import Struct


class Extent:
    """One number, or one run of octets."""

    __slots__ = ("start", "end", "name", "field", "owner")

    start: int
    end: int
    name: str
    "Name of the field; items of an array have that of the array."
    field: Field
    "The field; of an array, what it repeats."
    owner: Struct
    "The struct that the field belongs to."

    def __init__(self, start: int, end: int, name: str, field: Field, owner: Struct) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.field = field
        self.owner = owner


def extents(value: Struct, base: int, end: int) -> Iterator[Extent]:
    """Every number and every run of octets of ``value``, which lies at ``base`` in bytes that reach to ``end``.

    Bytes that no field covers, such as those behind an array or between the entries of a broken chain, are in none.
    """
    at = base
    for field, found in value.items():
        kind = field.kind
        if kind == "struct":
            assert field.of is not None
            yield from extents(found, at, end)
            at += field.of.size or 0
        elif kind == "array":
            of = field.of
            assert of is not None
            size = of.size or 0
            for item in found:
                if isinstance(of, Field):
                    yield Extent(at, at + size, field.name, of, value)
                else:
                    yield from extents(item, at, end)
                at += size
        elif kind == "chain":
            assert field.of is not None
            for entry in found:
                head = base + entry.offset
                behind = head + (field.of.size or 0)
                yield from extents(entry.descriptor, head, end)
                if entry.value is not None:
                    yield from extents(entry.value, behind, behind + len(entry.data))
        else:
            size = field.size or 0
            if not field.is_number:
                # There may be fewer octets than there should.
                size = end - at if kind == "strings" else len(found)
            yield Extent(at, at + size, field.name, field, value)
            at += size
