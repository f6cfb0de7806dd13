"""Registers of a processor in their usual groups, four on a line."""

from __future__ import annotations

from xenmig.core.cli.structtext import bits_text, wrapped
from xenmig.core.cli.table import aligned
from xenmig.core.definitions.enumerations import Flags
from xenmig.core.definitions.registers import SegmentType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xenmig.core.definitions.fields import Bits
    from xenmig.core.definitions.structs import Struct

ACROSS = 4
"Registers on a line."
LONG = 10
"From this length of names on, there is room for one less."


def register_lines(value: Struct, names: Sequence[str], indent: int, labels: Sequence[str] = ()) -> Iterator[str]:
    """The registers of those names, four on a line, with as many digits as they have; ``labels`` to call them by.

    Those that are not there are left out.
    """
    rows: list[list[str]] = [[]]
    across = ACROSS if max(map(len, labels or names)) < LONG else ACROSS - 1
    for name, label in zip(names, labels or names, strict=True):
        found = value.__dict__.get(name)
        if found is None:
            continue
        if len(rows[-1]) == 2 * across:
            rows.append([])
        digits = 2 * (value.field(name).size or 8)
        rows[-1] += [label, f"{int(found):0{digits}x}"]
    width = max((len(cell) for row in rows for cell in row[::2]), default=0)
    for row in rows:
        cells = [f"{row[at]:>{width}} {row[at + 1]}" for at in range(0, len(row), 2)]
        if cells:
            yield " " * indent + "  ".join(cells)


def flag_lines(value: Struct, names: Sequence[str], indent: int) -> Iterator[str]:
    """Registers whose bits have names, one on a line."""
    width = max(len(name) for name in names)
    for name in names:
        found = value.__dict__.get(name)
        if isinstance(found, Flags):
            digits = 2 * (value.field(name).size or 8)
            words = list(found.names) or ([] if found.unknown else ["none"])
            if found.unknown:
                words.append(f"unknown 0x{found.unknown:x}")
            head = f"{name:>{width}} {int(found):0{digits}x}  "
            lines = list(wrapped(words, indent + len(head)))
            first = lines[0].lstrip() if lines else ""
            yield (" " * indent + head + first).rstrip()
            yield from lines[1:]


def debug_lines(value: Struct, indent: int) -> Iterator[str]:
    """dr6 and dr7 where they say something; reserved bits of both are ones."""
    for name in ("dr6", "dr7"):
        found = value.__dict__.get(name)
        if isinstance(found, Flags) and found.names:
            yield f"{' ' * indent}{name}: {' '.join(found.names)}"


def segment_lines(value: Struct, names: Sequence[str], indent: int) -> Iterator[str]:
    """Segment registers with ``_sel``, ``_base``, ``_limit`` and ``_arbytes``, attributes in words."""
    rows = [["", "sel", "base", "limit", "attributes"]]
    for name in names:
        cells = [_hexadecimal(value, f"{name}{part}", digits) for part, digits in _PARTS]
        attributes = value.__dict__.get(f"{name}_arbytes")
        if attributes is None:
            rows.append([name, *cells])
        else:
            words = attributes_text(value.field(f"{name}_arbytes").bits, int(attributes))
            rows.append([name, *cells, f"{int(attributes):04x}  {words}"])
    yield from aligned(rows, ">>>><", indent=indent)


_PARTS = (("_sel", 4), ("_base", 16), ("_limit", 8))


def attributes_text(bits: Sequence[Bits], attributes: int) -> str:
    """Attributes of a segment in words: ``code, execute and read, accessed, 64-bit, dpl 0, present``."""
    parts = {one.name: one for one in bits}
    found = {name: one.of(attributes) for name, one in parts.items()}
    if not found["p"]:
        return "not present" + (f" ({bits_text(bits, attributes)})" if attributes else "")
    kind = parts["type"].values
    assert kind is not None
    name = kind(found["type"])
    words = [name.doc or f"type 0x{found['type']:x}"]
    code_or_data = kind is SegmentType
    if found["s"] != code_or_data:
        words.append("code or data" if found["s"] else "system")
    if found["l"]:
        words.append("64-bit")
    elif code_or_data:
        words.append("32-bit" if found["db"] else "16-bit")
    words.append(f"dpl {found['dpl']}")
    if found["g"]:
        words.append("4 KiB granularity")
    if found["avl"]:
        words.append("avl")
    return ", ".join(words)


def _hexadecimal(value: Struct, name: str, digits: int) -> str:
    found = value.__dict__.get(name)
    return "" if found is None else f"{int(found):0{digits}x}"
