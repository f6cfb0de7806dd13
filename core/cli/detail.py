"""One header or record in full, as lines of text."""

from __future__ import annotations

from xenmig.core.cli.bodies import Bodies
from xenmig.core.cli.bodytext import view as body_view
from xenmig.core.cli.dump import SHOWN_OCTETS, dump
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.listing import type_text
from xenmig.core.cli.structtext import struct_lines
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.cli.values import problem_text
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions.libxc import PageType
from xenmig.core.definitions.structs import Struct
from xenmig.core.quantity import be

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.decode.events import Header


def header_lines(header: Header, *, raw: bool = False, secrets: bool = False) -> Iterator[str]:
    """A header or configuration in full; passwords only with ``secrets``."""
    value = header.value
    yield f"{header.layer} {value.name.replace('_', ' ').lower()}"
    yield from _place(header, header.length, header.length)
    yield from _documentation(value)
    yield ""
    yield from struct_lines(value, body_view(raw=raw, secrets=secrets))
    yield from _problems(value)
    yield ""


def record_lines(
    record: Record, bodies: Bodies | None = None, *, raw: bool = False, pfns: bool = False
) -> Iterator[str]:
    """A record in full; ``raw`` for all opaque bytes and the body in hexadecimal, ``pfns`` for those of PAGE_DATA.

    ``bodies`` has seen what came before it.
    """
    bodies = bodies or Bodies()
    yield f"record {record.index}: {type_text(record)}, {record.layer}"
    yield from _place(record, record.length, 8 + record.length + (-record.length & 7))
    if record.missing:
        yield f"  {count(record.missing, 'byte')} of it {be(record.missing)} not in the capture"
    if isinstance(record, PageData):
        yield from _documentation(Struct.records[record.layer][record.type])
        yield ""
        yield from _page_data(record, pfns)
    elif record.body is None:
        yield ""
        yield "  the body is not shown: " + ("it is incomplete" if record.length <= 4 << 20 else "larger than 4 MiB")
    elif (value := bodies.decode(record)) is None:
        yield ""
        yield from dump(record.body, 0, len(record.body) if raw else SHOWN_OCTETS)
    else:
        yield from _documentation(value)
        yield ""
        yield from struct_lines(value, body_view(bodies.guest, byteorder=bodies.order(record), raw=raw))
        yield from _problems(value)
        if raw and record.body:
            yield ""
            yield "  body"
            yield from dump(record.body, record.offset + 8, len(record.body))
    if record.padding.strip(b"\0"):
        yield f"  padding is not zero: {record.padding.hex(' ')}"


def _place(event: Header | Record, length: int, whole: int) -> Iterator[str]:
    size = count(length, "byte")
    if length != whole:
        size += f" of body, {whole:,} with header and padding"
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


def _page_data(record: PageData, wanted: bool) -> Iterator[str]:
    pfns = record.pfns
    rows = [
        ("count", count(record.count, "pfn"), "how many pfns"),
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
        yield f"  ! {escaped(problem_text(problem))}"
