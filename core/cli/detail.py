"""One header or record in full, as lines of text."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.listing import type_text
from xenmig.core.cli.table import aligned
from xenmig.core.cli.values import scalar, summary
from xenmig.core.decode.events import PageData, Record
from xenmig.core.definitions.enumerations import Enumeration, Flags
from xenmig.core.definitions.libxc import PageType
from xenmig.core.definitions.structs import Entry, Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.decode.events import Header
    from xenmig.core.definitions.fields import Field

SHOWN_OCTETS = 64
"Opaque bytes that are shown when not all are asked for."
MOST_WIDTH = 44
"Values longer than this do not push the column of meanings to the right."


def header_lines(header: Header, *, raw: bool = False) -> Iterator[str]:
    """A header or configuration in full."""
    value = header.value
    yield f"{header.layer} {value.name.replace('_', ' ').lower()}"
    yield from _place(header, header.length, header.length)
    yield from _documentation(value)
    yield ""
    yield from _struct(value, raw)
    yield from _problems(value)
    yield ""


def record_lines(record: Record, *, raw: bool = False, pfns: bool = False) -> Iterator[str]:
    """A record in full; ``raw`` for all opaque bytes and the body in hexadecimal, ``pfns`` for those of PAGE_DATA."""
    yield f"record {record.index}: {type_text(record)}, {record.layer}"
    yield from _place(record, record.length, 8 + record.length + (-record.length & 7))
    if record.missing:
        yield f"  {record.missing:,} bytes of it are not in the capture"
    definition = Struct.records[record.layer].get(record.type)
    if isinstance(record, PageData):
        assert definition is not None
        yield from _documentation(definition)
        yield ""
        yield from _page_data(record, pfns)
    elif record.body is None:
        yield ""
        yield "  the body is not shown: " + ("it is incomplete" if record.length <= 4 << 20 else "larger than 4 MiB")
    elif definition is None:
        yield ""
        yield from _dump(record.body, 0, len(record.body) if raw else SHOWN_OCTETS)
    else:
        value = definition.decode(record.body, record.byteorder)
        yield from _documentation(definition)
        yield ""
        yield from _struct(value, raw)
        yield from _problems(value)
        if raw and record.body:
            yield ""
            yield "  body"
            yield from _dump(record.body, record.offset + 8, len(record.body))
    if record.padding.strip(b"\0"):
        yield f"  padding is not zero: {record.padding.hex(' ')}"


def _place(event: Header | Record, length: int, whole: int) -> Iterator[str]:
    size = f"{length:,} bytes" if length == whole else f"{length:,} bytes of body, {whole:,} with header and padding"
    yield f"  at offset {event.offset:,} (0x{event.offset:x}), {size}"
    first, last = event.first, event.last
    if first is not None:
        from xenmig.core.cli.units import utc

        until = f" to {last.frame}" if last is not None and last.frame != first.frame else ""
        yield f"  frame {first.frame}{until}, {utc(first.time)}"


def _documentation(value: Struct | type[Struct]) -> Iterator[str]:
    definition = value if isinstance(value, type) else type(value)
    doc = " ".join((definition.__doc__ or "").split()).replace("``", "")
    if doc:
        yield f"  {doc}"
    extra = [definition.source]
    if definition.since:
        extra.append(f"since Xen {definition.since}")
    if definition.deprecated:
        extra.append(definition.deprecated)
    yield f"  [{'; '.join(extra)}]"


def _struct(value: Struct, raw: bool) -> Iterator[str]:
    rows = [(field.name, _shown(field, one), _meaning(field, one)) for field, one in value.items()]
    narrow = [row for row in rows if len(row[1]) <= MOST_WIDTH]
    names = max((len(row[0]) for row in rows), default=0)
    width = max((len(row[1]) for row in narrow), default=0)
    for name, shown, meaning in rows:
        yield f"  {name:{names}}  {shown:{width}}  {meaning}".rstrip()
    absent = [field.name for field in value.fields if field.name not in value.__dict__ and field.kind != "pages"]
    if absent:
        yield f"  not there: {', '.join(absent)}"
    for field, one in value.items():
        yield from _inside(field, one, raw)


def _shown(field: Field, value: Any) -> str:
    if field.kind == "text":
        return f"{len(value):,} bytes of text"
    return scalar(field, value)


def _meaning(field: Field, value: Any) -> str:
    meaning = field.doc
    if isinstance(value, Enumeration) and value.doc:
        meaning += f": {value.doc}"
    elif isinstance(value, Flags):
        docs = [declared.doc for bit, declared in value.known.items() if int(value) >> bit & 1 and declared.doc]
        meaning += ": " + "; ".join(docs) if docs else ""
    elif field.unit == "ns" and isinstance(value, int):
        meaning += f" ({value / 1e9:,.3f} s)"
    return meaning


def _inside(field: Field, value: Any, raw: bool) -> Iterator[str]:
    """What did not go on the field's own line."""
    if isinstance(value, bytes) and field.kind == "text":
        text = value.rstrip(b"\0").rstrip().split(b"\n")
        yield ""
        yield f"  {field.name}"
        for line in text:
            yield f"    {escaped(line)}".rstrip()
    elif isinstance(value, bytes) and len(value) > 8:
        yield ""
        yield f"  {field.name}"
        yield from _dump(value, 0, len(value) if raw else SHOWN_OCTETS)
    elif isinstance(value, Struct):
        yield ""
        yield f"  {field.name}: {summary(value, 1000)}"
    elif isinstance(value, list) and value:
        yield ""
        yield f"  {field.name}"
        yield from _items(field, value)


def _items(field: Field, items: list[Any]) -> Iterator[str]:
    first = items[0]
    if isinstance(first, Struct):
        fields = [inner for inner in first.fields if inner.must is None]
        head = ["", *(inner.name for inner in fields)]
        rows = [head]
        for index, item in enumerate(items):
            cells = [scalar(inner, found) for inner in fields if (found := item.__dict__.get(inner.name)) is not None]
            rows.append([f"[{index}]", *cells])
        yield from aligned(rows, ">" * len(head), indent=4)
    elif isinstance(first, Entry):
        for index, entry in enumerate(items):
            yield f"    [{index}] {summary(entry.descriptor)}"
            if entry.value is not None:
                yield f"        {summary(entry.value, 1000)}"
    elif isinstance(first, bytes):
        for index, item in enumerate(items):
            yield f"    [{index}] {escaped(item)}"
    else:
        of = field.of
        shown = [f"0x{item:x}" if getattr(of, "hex", False) else f"{item:,}" for item in items]
        width = max(len(item) for item in shown)
        for at in range(0, len(shown), 8):
            yield "    " + " ".join(item.rjust(width) for item in shown[at : at + 8])


def _page_data(record: PageData, wanted: bool) -> Iterator[str]:
    pfns = record.pfns
    rows = [
        ("count", f"{record.count:,} pfns", "how many pfns"),
        ("reserved1", f"0x{record.reserved:x}", "reserved, zero"),
        ("pages", f"{pfns.with_data:,}", "pages of guest memory behind the pfns; never shown"),
        ("first", f"0x{pfns.first:x}" if pfns.count else "none", "first pfn"),
        ("last", f"0x{pfns.last:x}" if pfns.count else "none", "last pfn"),
    ]
    for kind, number in sorted(pfns.types().items()):
        named = PageType(kind)
        rows.append((named.name or f"0x{kind:x}", f"{number:,}", named.doc or "no page type"))
    yield from aligned(rows)
    for bad in pfns.bad:
        yield f"  ! pfns[{bad.index}] is 0x{bad.word:016x}: type 0x{bad.type:x}, reserved bits 0x{bad.reserved >> 52:x}"
    if not wanted:
        return
    yield ""
    if pfns.words is None:
        yield "  too many pfns to list"
        return
    words = [f"{word & (1 << 52) - 1:x}:{PageType(word >> 60).name or hex(word >> 60)}" for word in pfns.numbers()]
    width = max((len(word) for word in words), default=0)
    for at in range(0, len(words), 6):
        yield "    " + " ".join(word.ljust(width) for word in words[at : at + 6]).rstrip()


def _problems(value: Struct) -> Iterator[str]:
    for problem in value.problems:
        yield f"  ! {escaped(problem.message)}"


def _dump(data: bytes, base: int, most: int) -> Iterator[str]:
    for at in range(0, min(len(data), most), 16):
        piece = data[at : min(at + 16, most)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        yield f"    {base + at:08x}  {piece.hex(' '):47}  {text}"
    if len(data) > most:
        yield f"    ... {len(data) - most:,} more bytes (--raw shows them)"
