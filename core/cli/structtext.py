"""Decoded structs as lines of text, laid out by what their definitions say.

Where that is not readable enough, a :class:`View` brings a layout of its own for a class of struct.
"""

from __future__ import annotations

from xenmig.core.cli.dump import SHOWN_OCTETS, dump
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.cli.values import scalar, summary
from xenmig.core.definitions.enumerations import Enumeration, Flags
from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.structs import Entry, Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from xenmig.core.definitions.fields import Bits
    from xenmig.core.definitions.guest import Guest

    Layout: TypeAlias = Callable[[Any, "View", int], Iterator[str]]

MOST_WIDTH = 44
"Values longer than this do not push the column of meanings to the right."
LINE = 112
"Lists of words are broken before this column."
FEW = 9
"Rows of a table, its head included, that may become columns where the table is too wide."
SECONDS = {"ns": 1e-9, "100 ns": 1e-7}
"Units of time that are shown in seconds as well."


class View:
    """What decides how structs are shown, besides their definitions."""

    __slots__ = ("guest", "byteorder", "raw", "secrets", "layouts", "tsc_khz")

    guest: Guest | None
    "What earlier records of the stream said."
    byteorder: str
    "That of the stream."
    raw: bool
    "Whether opaque bytes are shown in full."
    secrets: bool
    "Whether passwords are shown."
    layouts: Mapping[type[Struct], Layout]
    "Layouts for structs that have their own."
    tsc_khz: int
    "Frequency of the guest's TSC as far as it is known, else 0."

    def __init__(
        self,
        *,
        guest: Guest | None = None,
        byteorder: str = "<",
        raw: bool = False,
        secrets: bool = False,
        layouts: Mapping[type[Struct], Layout] | None = None,
    ) -> None:
        self.guest = guest
        self.byteorder = byteorder
        self.raw = raw
        self.secrets = secrets
        self.layouts = layouts or {}
        self.tsc_khz = 0


def struct_lines(value: Struct, view: View, indent: int = 2, *, without: Sequence[str] = ()) -> Iterator[str]:
    """A struct in full; ``without`` the fields of those names."""
    layout = view.layouts.get(type(value))
    if layout is not None and not without:
        yield from layout(value, view, indent)
        return
    yield from field_lines(value, view, indent, without)


def field_lines(value: Struct, view: View, indent: int = 2, without: Sequence[str] = ()) -> Iterator[str]:
    """The fields of a struct, a line each, and below them what does not go on a line."""
    margin = " " * indent
    found = [(field, one) for field, one in value.items() if field.name not in without and not _empty(field, one)]
    rows = [(field.name, shown(field, one), meaning(field, one)) for field, one in found if not _apart(field, one)]
    names = max((len(row[0]) for row in rows), default=0)
    width = max((len(row[1]) for row in rows if len(row[1]) <= MOST_WIDTH), default=0)
    for name, text, words in rows:
        yield f"{margin}{name:{names}}  {text:{width}}  {words}".rstrip()
    # Fields that came with a later release are not there in a body from an earlier one, which is as it should be.
    absent = [field.name for field in value.fields if _absent(value, field) and field.name not in without]
    if absent:
        yield f"{margin}not there: {', '.join(absent)}"
    first = not rows
    for field, one in found:
        if _apart(field, one):
            if not first:
                yield ""
            first = False
            yield from _inside(field, one, view, indent)


def shown(field: Field, value: Any) -> str:
    """The value of a field on its line."""
    if field.kind == "text":
        return f"{count(len(value), 'byte')} of text"
    if isinstance(value, bytes) and len(value) > 8 and not value.strip(b"\0"):
        return f"{count(len(value), 'byte')} of zeros"
    text = scalar(field, value)
    if field.unit[:1].isdigit():
        return text.replace(f" {field.unit}", f" x {field.unit}")
    if field.bits and isinstance(value, int):
        words = bits_text(field.bits, value)
        return f"{text} ({words})" if words else text
    return text


def meaning(field: Field, value: Any) -> str:
    """What a field means, and what its value means."""
    words = field.doc
    if isinstance(value, Enumeration) and value.doc:
        words += f": {value.doc}"
    elif isinstance(value, Flags):
        docs = [declared.doc for bit, declared in value.known.items() if int(value) >> bit & 1 and declared.doc]
        words += ": " + "; ".join(docs) if docs else ""
    elif field.unit in SECONDS and isinstance(value, int):
        words += f" ({value * SECONDS[field.unit]:,.3f} s)"
    return words


def bits_text(bits: Sequence[Bits], number: int) -> str:
    """The parts of a number that say something: names of single bits that are set, names and values of wider ones."""
    kinds = {(one.values, one.of(number)) for one in bits}
    if len(bits) > 1 and len(kinds) == 1 and bits[0].values is not None:
        return f"all {bits[0].values(bits[0].of(number)).name or bits[0].of(number)}"
    parts = []
    for one in bits:
        part = one.of(number)
        if one.values is not None:
            parts.append(f"{one.name} {one.values(part)}" if part not in one.values.known else _named(one, part))
        elif part and one.width == 1:
            parts.append(one.name)
        elif part:
            unit = f" {one.unit}" if one.unit else ""
            parts.append(f"{one.name} {part:,}{unit}" if one.unit or part < 10 else f"{one.name} 0x{part:x}")
    return ", ".join(parts)


def _named(bits: Bits, part: int) -> str:
    assert bits.values is not None
    return f"{bits.name} {bits.values.known[part].name}"


def wrapped(words: Sequence[str], indent: int, separator: str = " ") -> Iterator[str]:
    """Words one after another on lines of at most ``LINE`` characters."""
    line = ""
    for word in words:
        if line and indent + len(line) + len(separator) + len(word) > LINE:
            yield " " * indent + line
            line = ""
        line += separator + word if line else word
    if line:
        yield " " * indent + line


def _absent(value: Struct, field: Field) -> bool:
    return field.name not in value.__dict__ and field.kind != "pages" and not field.since and field.when is None


def _empty(field: Field, value: Any) -> bool:
    """Whether a field says nothing: what must be so and is, and padding of zeros."""
    if isinstance(value, bytes):
        return value == b"" or (not value.strip(b"\0") and (field.must is not None or field.name.startswith(_IDLE)))
    idle = field.name.startswith(_IDLE) and field.kind in SCALARS
    return idle and value == 0


_IDLE = ("unused", "pad", "hole", "res", "_pad", "_rsvd")
"How the names begin of fields that mean nothing."


def _apart(field: Field, value: Any) -> bool:
    """Whether a field needs lines of its own."""
    if isinstance(value, bytes):
        return field.kind == "text" or (len(value) > 8 and bool(value.strip(b"\0")))
    return isinstance(value, Struct) or (isinstance(value, list) and bool(value))


def _inside(field: Field, value: Any, view: View, indent: int) -> Iterator[str]:
    """A field that does not go on a line."""
    margin = " " * indent
    if isinstance(value, bytes) and field.kind == "text":
        yield f"{margin}{field.name}: {field.doc}, {count(len(value), 'byte')}"
        for line in value.rstrip(b"\0").rstrip().split(b"\n"):
            yield f"{margin}  {escaped(line)}".rstrip()
        return
    if isinstance(value, bytes):
        yield f"{margin}{field.name}: {field.doc}, {count(len(value), 'byte')}"
        yield from dump(value, 0, len(value) if view.raw else SHOWN_OCTETS, indent + 2)
    elif isinstance(value, Struct):
        yield f"{margin}{field.name}: {field.doc}"
        yield from struct_lines(value, view, indent + 2)
    elif field.kind == "strings":
        yield f"{margin}{field.name}: {field.doc}"
        yield from _pairs(value, indent + 2)
    else:
        yield f"{margin}{field.name}: {field.doc}"
        yield from item_lines(field, value, indent + 2)


def _pairs(strings: list[bytes], indent: int) -> Iterator[str]:
    rows = [
        [escaped(strings[at]), "=", escaped(b"".join(strings[at + 1 : at + 2]))] for at in range(0, len(strings), 2)
    ]
    yield from aligned(rows, indent=indent, gap=1)


def item_lines(field: Field, items: list[Any], indent: int) -> Iterator[str]:
    """The items of an array; neighbours that are the same share a line."""
    first = items[0]
    of = field.of
    if isinstance(first, Entry):
        for index, entry in enumerate(items):
            yield f"{' ' * indent}[{index}] {summary(entry.descriptor)}"
        return
    if isinstance(first, Struct):
        fields = [inner for inner in first.fields if inner.must is None and not inner.name.startswith(_IDLE)]
        cells = [[_cell(inner, item) for inner in fields] for item in items]
        head = [[inner.name for inner in fields]]
    elif isinstance(of, Field) and (of.bits or of.values is not None or of.flags is not None):
        cells = [[shown(of, item)] for item in items]
        head = []
    elif isinstance(of, Field):
        texts = [f"0x{item:x}" if of.hex else f"{item:,}" for item in items]
        if len(set(texts)) == 1 and len(texts) > 1:
            yield f"{' ' * indent}all {len(texts)}: {texts[0]}"
            return
        width = max(len(text) for text in texts)
        across = max(1, min(8, (LINE - indent) // (width + 1)))
        for at in range(0, len(texts), across):
            yield " " * indent + " ".join(text.rjust(width) for text in texts[at : at + across])
        return
    else:
        for index, item in enumerate(items):
            yield f"{' ' * indent}[{index}] {escaped(str(item))}"
        return
    rows = [["", *head[0]]] if head else []
    rows += folded(cells)
    if (
        head
        and len(rows) <= FEW
        and sum(max(map(len, column)) + 2 for column in zip(*rows, strict=True)) > LINE - indent
    ):
        yield from aligned([list(column) for column in zip(*rows, strict=True)], indent=indent)
        return
    # What has words in it is read from its beginning.
    right = ">" + "".join("<" if any("(" in row[at] for row in cells) else ">" for at in range(len(cells[0])))
    yield from aligned(rows, right, indent=indent)


def folded(cells: list[list[str]]) -> list[list[str]]:
    """Rows with their indices in front; neighbours that are the same become one."""
    rows: list[list[str]] = []
    start = 0
    for index, row in enumerate(cells):
        if index + 1 < len(cells) and cells[index + 1] == row:
            continue
        rows.append([f"[{start}]" if start == index else f"[{start}-{index}]", *row])
        start = index + 1
    return rows


def _cell(field: Field, item: Struct) -> str:
    found = item.__dict__.get(field.name)
    return "" if found is None else shown(field, found)
