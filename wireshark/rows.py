"""Definitions as rows of a Lua table: what the runtime reads, decodes and shows a struct by.

Each field has a *key*, its name in display filters without "xenmig.": the layer, the struct and the field, in lower
case. What a field nests is put in place, so that the same struct in two places has two keys.
"""

from __future__ import annotations

from xenmig.core.definitions.fields import SCALARS, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.enumerations import Enumeration, Flags, Named
    from xenmig.core.definitions.structs import Struct
    from xenmig.wireshark.literals import Plain

LOW = (1 << 32) - 1
ONE = {"bytes": "byte", "pfns": "pfn"}
"Units that are counted things, and what one of them is."


def key_of(definition: type[Struct]) -> str:
    """The key of a struct: ``libxc.x86_tsc_info``. The header of records is the record itself: ``libxc.record``."""
    name = definition.name.lower()
    return f"{definition.layer}.{'record' if name == 'record_header' else name}"


def name_of(named: type[Named]) -> str:
    """What an enumeration is called in the tables: its module and its class."""
    return f"{named.__module__.rpartition('.')[2]}.{named.__name__}"


class Rows:
    """Turns structs into rows, and collects the enumerations that they use."""

    def __init__(self) -> None:
        self.enumerations: dict[str, Plain] = {}
        "Those met so far, by name."

    def struct(self, definition: type[Struct], key: str = "") -> dict[str, Plain]:
        """The table of a struct with its rows; ``key`` where it is not its own."""
        key = key or key_of(definition)
        return {
            "key": key,
            "name": definition.name,
            "doc": (definition.__doc__ or "").strip().partition("\n")[0],
            "size": definition.size,
            "lengths": dict.fromkeys(definition.lengths, True) or None,
            "known_lengths": ", ".join(str(length) for length in definition.lengths) or None,
            "layouts": {length: self.struct(other, key) for length, other in definition.layouts.items()} or None,
            "rows": [self.row(field, f"{key}.{field.name.lower()}") for field in definition.fields],
            "told_by": [self._teller(definition.field(name)) for name in definition.told_by] or None,
        }

    def row(self, field: Field, key: str) -> dict[str, Plain]:
        """The table of one field."""
        row: dict[str, Plain] = {"name": field.name, "key": key, "kind": field.kind}
        row["size"] = field.size
        if field.kind in SCALARS:
            self._number(field, key, row)
        elif field.kind == "struct":
            row["item"] = self.struct(_struct(field), key)
        elif field.kind == "array":
            row["item"] = self._item(field, key)
            row["minimum"] = field.minimum
        elif field.kind == "chain":
            self._chain(field, key, row)
        else:
            row["minimum"] = field.minimum
            row["must"] = field.must if isinstance(field.must, bytes) else None
        row["count"] = field.count
        if field.when is not None:
            row["when"] = {
                "field": field.when.field,
                "mask_lo": field.when.mask & LOW,
                "mask_hi": field.when.mask >> 32,
                "equals_lo": field.when.equals & LOW,
                "equals_hi": field.when.equals >> 32,
            }
        since = f" (since Xen {field.since})" if field.since else ""
        row["doc"] = (field.doc + since).strip() or None
        return row

    def enumeration(self, named: type[Enumeration]) -> str:
        """Collect an enumeration and return its name."""
        name = name_of(named)
        self.enumerations[name] = {
            "digits": named.digits,
            "known": ", ".join(str(number) for number in named.known),
            "open": named.open or None,
            "names": {number: value.name for number, value in sorted(named.known.items())},
        }
        return name

    def _teller(self, field: Field) -> dict[str, Plain]:
        """A field that tells an item from others, by where it is."""
        size = SCALARS[field.kind][1]
        return {
            "name": field.name,
            "at": field.offset,
            "size": size,
            "values": self.enumeration(field.values) if field.values is not None else None,
            "digits": 2 * size if field.hex else 0,
        }

    def _number(self, field: Field, key: str, row: dict[str, Plain]) -> None:
        size = SCALARS[field.kind][1]
        row["size"] = size
        row["big"] = field.big or None
        digits = field.values.digits if field.values else field.flags.digits if field.flags else 0
        row["hex"] = bool(field.hex or digits or field.flags) or None
        row["unit"] = field.unit or None
        row["one"] = ONE.get(field.unit)
        if isinstance(field.must, int):
            row["must"] = (field.must & (1 << 8 * size) - 1).to_bytes(size, "little")
        if field.values is not None:
            row["values"] = self.enumeration(field.values)
        if field.flags is not None:
            row["flags"] = _flags(field.flags, key)
            known = sum(1 << bit for bit in field.flags.known)
            known = (1 << 64) - 1 if field.flags.open else known
            row["known_lo"], row["known_hi"] = known & LOW, known >> 32
        if field.bits:
            row["bits"] = [
                {
                    "name": bits.name,
                    "key": f"{key}.{bits.name.lower()}",
                    "low": bits.low,
                    "width": bits.width,
                    "values": self.enumeration(bits.values) if bits.values is not None else None,
                    "must": bits.must,
                    "unit": bits.unit or None,
                    "one": ONE.get(bits.unit),
                    "doc": bits.doc or None,
                }
                for bits in field.bits
            ]

    def _item(self, field: Field, key: str) -> dict[str, Plain]:
        if isinstance(field.of, Field):
            item = self.row(field.of, key)
            item["name"] = field.name
            item["doc"] = field.doc or field.of.doc
            return item
        return self.struct(_struct(field), key)

    def _chain(self, field: Field, key: str, row: dict[str, Plain]) -> None:
        descriptor = _struct(field)
        length = descriptor.field("length")
        row["item"] = self.struct(descriptor, key)
        row["length_at"], row["length_size"] = length.offset, length.size
        entries: dict[int, Plain] = {}
        for number, entry in sorted(field.entries.items()):
            table = self.struct(entry, f"{key}.{entry.name.lower()}")
            table["accepts"] = accepted(entry)
            table["sizes"] = sorted({*entry.lengths, *entry.layouts, *([entry.size] if entry.size else [])})
            entries[number] = table
        row["entries"] = entries
        row["data"] = {
            "name": "data",
            "key": f"{key}.data",
            "kind": "octets",
            "minimum": 0,
            "doc": "what stands behind a descriptor of unknown type",
        }


def _struct(field: Field) -> type[Struct]:
    assert isinstance(field.of, type), field
    return field.of


def accepted(entry: type[Struct]) -> dict[str, Plain]:
    """The lengths that data of a chain may have: a set of them, or a fixed part and the size of what repeats."""
    known = dict.fromkeys((*entry.lengths, *entry.layouts), True)
    if entry.lengths:
        return {"lengths": known}
    if entry.size is not None:
        return {"lengths": {**known, entry.size: True}}
    fixed, item = 0, 1
    for field in entry.fields:
        if field.size is not None and field.when is None:
            fixed += field.size
        elif field.kind == "array" and field.of is not None:
            item = field.of.size or 1
            fixed += field.minimum * item
    return {"lengths": known, "fixed": fixed, "item": item}


def _flags(flags: type[Flags], key: str) -> list[Plain]:
    return [
        {"name": flag.name, "key": f"{key}.{flag.name.lower()}", "bit": bit, "doc": flag.doc or None}
        for bit, flag in sorted(flags.known.items())
    ]
