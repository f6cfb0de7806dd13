"""The same capture seen by the core and by the dissector, both as lists of elements that can be compared."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from xenmig.core.decode.damage import Truncated
from xenmig.core.decode.events import Header, Message
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import DirtyPfnList, PageData, Record
from xenmig.core.definitions import bodies
from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.guest import Guest
from xenmig.core.definitions.libxc import PageType
from xenmig.core.definitions.structs import Entry, Struct
from xenmig.wireshark.facts import HEADERS, closest_key
from xenmig.wireshark.rows import key_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeAlias
    from xml.etree.ElementTree import Element

    from tests.tshark import Tshark

    Leaf: TypeAlias = tuple[str, int | bytes]
    "A field's key and what it holds."
    Told: TypeAlias = tuple[str, str, int | None]
    "Rule, severity, and number of the record that breaks the rule; None where it is no record."

PREFIX = "xenmig."
RULE = "xenmig.rule."
PAGES = "libxc.page_data."
_TYPES = [f"types.{value.name.lower()}" for value in PageType.known.values()]
SUMMARY = frozenset(PAGES + name for name in ("first_pfn", "last_pfn", "pages", *_TYPES))
LIST_PFNS = ("-o", "xenmig.pfns:TRUE")
"Argument for tshark: list every pfn."


class Part:
    """A header, a record or a text, with all its fields."""

    def __init__(self, role: str, offset: int, kind: str, fields: list[Leaf], migration: int = 1) -> None:
        self.migration = migration
        "Number of its connection, in the order in which they begin."
        self.role = role
        self.offset = offset
        self.kind = kind
        self.fields = fields
        self.findings: list[str] = []
        "Ids of the rules that the dissector says are broken here."

    @property
    def place(self) -> tuple[int, str, int, str]:
        return self.migration, self.role, self.offset, self.kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self.place == other.place and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r:.40}" for key, value in self.fields[:8])
        return f"Part({self.migration} {self.role} {self.offset} {self.kind}: {shown})"


# -- what the core finds -----------------------------------------------------------------------------------------------


def core_parts(path: Path, *, pfns: bool = False) -> list[Part]:
    """Everything complete that the core finds in a capture, by role and offset; each pfn where it is asked for."""
    reading = Reading(str(path))
    found = []
    guests: dict[int, Guest] = {}
    for stream, events in reading:
        for event in events:
            if isinstance(event, (Header, Record, Message)):
                guest = guests.setdefault(stream.number, Guest())
                found.append((stream, _part(stream.role, event, pfns, guest)))
            elif (
                isinstance(event, Truncated)
                and isinstance(event.partial, PageData)
                # The dissector shows a PAGE_DATA as soon as all its pfns are there.
                and event.partial.pfns.count == event.partial.count
            ):
                found.append((stream, _part(stream.role, event.partial, pfns, Guest())))
    reading.close()
    migrations: dict[object, int] = {}
    for stream in reading.streams:
        migrations.setdefault(stream.connection, len(migrations) + 1)
    parts = []
    for stream, part in found:
        part.migration = migrations[stream.connection]
        parts.append(part)
    return sorted(parts, key=lambda part: part.place)


def _part(role: str, event: Header | Record | Message, pfns: bool, guest: Guest) -> Part:
    if isinstance(event, Header):
        leaves: list[Leaf] = []
        _struct(event.value, key_of(type(event.value)), leaves)
        return Part(role, event.offset, key_of(type(event.value)), leaves)
    if isinstance(event, Message):
        if event.name == "status":
            return Part(role, event.offset, "status", [("xl.status", event.status or 0)])
        return Part(role, event.offset, event.name, [])
    key = f"{event.layer}.record"
    leaves = [(f"{key}.type", event.type), (f"{key}.length", event.length)]
    body = Struct.records[event.layer].get(event.type)
    if isinstance(event, PageData):
        leaves += [(f"{PAGES}count", event.count), (f"{PAGES}reserved1", event.reserved)]
        if pfns:
            leaves += [(f"{PAGES}pfns", word) for word in event.pfns.numbers()]
        if event.pfns.count:
            leaves += [(f"{PAGES}first_pfn", event.pfns.first), (f"{PAGES}last_pfn", event.pfns.last)]
            leaves += [(f"{PAGES}pages", event.pfns.with_data)]
            known = PageType.known
            types = [(kind, number) for kind, number in event.pfns.types().items() if kind in known]
            leaves += sorted((f"{PAGES}types.{known[kind].name.lower()}", number) for kind, number in types)
        return Part(role, event.offset, key, leaves)
    if isinstance(event, DirtyPfnList) and event.header_end:
        leaves.append((f"{key}.header_end", event.header_end))
    if body is not None and event.body is not None:
        value = bodies.decode(event.layer, event.type, event.body, guest, event.byteorder)
        assert value is not None
        _struct(value, _body_key(event, value), leaves)
    if event.padding:
        leaves.append((f"{key}.padding", event.padding))
    return Part(role, event.offset, key, leaves)


def _body_key(event: Record, value: Struct) -> str:
    body = bodies.BODIES.get((event.layer, event.type))
    choices = body.choices if body is not None else {}
    for choice, definition in choices.items():
        if type(value) is definition:
            return closest_key(event.layer, event.type, choice)
    return key_of(Struct.records[event.layer][event.type])


def _struct(value: Struct, key: str, leaves: list[Leaf]) -> None:
    for field in value.fields:
        found = value.__dict__.get(field.name)
        if found is not None:
            _field(field, found, f"{key}.{field.name.lower()}", leaves)


def _field(field: Field, found: Any, key: str, leaves: list[Leaf]) -> None:
    if field.kind in SCALARS:
        leaves.append((key, int(found)))
    elif field.kind in ("octets", "text"):
        if found:
            leaves.append((key, found))
    elif field.kind == "strings":
        leaves.extend((key, text) for text in found)
    elif field.kind == "struct":
        _struct(found, key, leaves)
    elif field.kind == "array" and isinstance(field.of, Field):
        leaves.extend((key, int(number)) for number in found)
    elif field.kind == "array":
        for item in found:
            _struct(item, key, leaves)
    elif field.kind == "chain":
        for entry in found:
            _entry(field, entry, key, leaves)


def _entry(field: Field, entry: Entry, key: str, leaves: list[Leaf]) -> None:
    _struct(entry.descriptor, key, leaves)
    if entry.value is not None:
        kind = int(getattr(entry.descriptor, entry.descriptor.fields[0].name))
        _struct(entry.value, f"{key}.{field.entries[kind].name.lower()}", leaves)
    elif entry.data:
        leaves.append((f"{key}.data", entry.data))


# -- what the dissector finds ------------------------------------------------------------------------------------------


def dissected_parts(tshark: Tshark, path: Path, *arguments: str, pfns: bool = False) -> list[Part]:
    """Everything that tshark shows whole, by role and offset."""
    parts = []
    listed = LIST_PFNS if pfns else ()
    shown = tshark.packets(path, "-Y", "xenmig.record.position", "-J", "xenmig", *listed, *arguments)
    for _, protocols in shown:
        for protocol in protocols:
            role, migration = _show(protocol, "role"), int(_show(protocol, "migration"))
            for node in protocol:
                if node.find("field[@name='xenmig.record.position']") is not None:
                    parts.append(_element(role, node))
                    parts[-1].migration = migration
                    named = [child.attrib["name"] for child in node.iter("field")]
                    parts[-1].findings = [name.removeprefix(RULE) for name in named if name.startswith(RULE)]
    return sorted(parts, key=lambda part: part.place)


CUT = 239
"Characters of a finding that Wireshark keeps with it."
SEVERITIES = {0x400000: "note", 0x600000: "warning", 0x800000: "error"}


def findings_shown(tshark: Tshark, path: Path, *arguments: str) -> list[tuple[int, str, Told, str]]:
    """Number of the migration, role, finding and message of all expert information of rules."""
    found = []
    for _, protocols in tshark.packets(path, "-Y", "xenmig && _ws.expert", "-J", "xenmig", *arguments):
        for protocol in protocols:
            migration, role = int(_show(protocol, "migration")), _show(protocol, "role")
            for node in protocol:
                record = node.find(f"field[@name='{PREFIX}record']")
                number = int(record.attrib["show"]) if record is not None else None
                earlier = node.findall(f"field[@name='{PREFIX}finding.record']")
                for about in earlier:
                    found += [(migration, role, told, text) for told, text in _told(about, int(about.attrib["show"]))]
                    node.remove(about)
                found += [(migration, role, told, text) for told, text in _told(node, number)]
    return found


def _told(node: Element, number: int | None) -> list[tuple[Told, str]]:
    """The findings below an item, which are about the record with that number."""
    found = []
    for one in node.iter("field"):
        rules = [child.attrib["name"] for child in one if child.attrib["name"].startswith(RULE)]
        message, severity = (one.find(f"field[@name='_ws.expert.{name}']") for name in ("message", "severity"))
        if rules and message is not None and severity is not None:
            level = SEVERITIES[int(severity.attrib["show"], 0)]
            found.append(((rules[0].removeprefix(RULE), level, number), _whole(node, message.attrib["show"])))
    return found


def _whole(node: Element, text: str) -> str:
    """The words of a finding, of which Wireshark keeps no more than ``CUT`` with the finding itself."""
    if len(text) < CUT:
        return text
    (whole,) = {one.attrib["show"] for one in node.iter("field") if _is_of(one, text)}
    return whole


def _is_of(field: Element, text: str) -> bool:
    return field.attrib["name"] == f"{PREFIX}finding.text" and field.attrib["show"].startswith(text)


def _show(node: Element, name: str) -> str:
    found = node.find(f"field[@name='{PREFIX}{name}']")
    assert found is not None, f"{node.attrib.get('showname')} has no {name}"
    return found.attrib["show"]


def _element(role: str, node: Element) -> Part:
    offset = int(_show(node, "record.position"))
    name = node.attrib["name"].removeprefix(PREFIX)
    if name == "xl.status":
        return Part(role, offset, "status", [("xl.status", int(node.attrib["show"]))])
    if name == "xl.text":
        return Part(role, offset, _show(node, "xl.message"), [])
    numbers, octets = _leaf_keys()
    leaves: list[Leaf] = []
    types: list[Leaf] = []
    for child in node.iter("field"):
        key = child.attrib["name"].removeprefix(PREFIX)
        if key in SUMMARY and key.startswith(f"{PAGES}types."):
            types.append((key, int(child.attrib["show"], 0)))
        elif key in numbers or key in SUMMARY:
            leaves.append((key, int(child.attrib["show"], 0)))
        elif key in octets:
            data = bytes.fromhex(child.attrib.get("value", ""))
            leaves.append((key, data.removesuffix(b"\0") if octets[key] == "strings" else data))
    if types:
        padding = [leaf for leaf in leaves if leaf[0] == f"{name}.padding"]
        leaves = [leaf for leaf in leaves if leaf not in padding] + sorted(types) + padding
    return Part(role, offset, name, leaves)


@cache
def _leaf_keys() -> tuple[frozenset[str], dict[str, str]]:
    """The keys of all numbers, and those of octets and texts with their kinds."""
    numbers: set[str] = set()
    octets = {f"{layer}.record.padding": "octets" for layer in ("libxl", "libxc")}
    octets["libxc.record.header_end"] = "octets"

    def visit(definition: type[Struct], key: str) -> None:
        for field in definition.fields:
            visit_field(field, f"{key}.{field.name.lower()}")
        for layout in definition.layouts.values():
            visit(layout, key)

    def visit_field(field: Field, key: str) -> None:
        if field.kind in SCALARS:
            numbers.add(key)
        elif field.kind in ("octets", "text", "strings"):
            octets[key] = field.kind
        elif isinstance(field.of, Field):
            visit_field(field.of, key)
        elif isinstance(field.of, type):
            visit(field.of, key)
            for entry in field.entries.values():
                visit(entry, f"{key}.{entry.name.lower()}")
            if field.kind == "chain":
                octets[f"{key}.data"] = "octets"

    definitions: list[type[Struct]] = [*HEADERS]
    for records in Struct.records.values():
        definitions += records.values()
    for definition in definitions:
        visit(definition, key_of(definition))
    for (layer, record), body in bodies.BODIES.items():
        for choice, definition in body.choices.items():
            visit(definition, closest_key(layer, record, choice))
    return frozenset(numbers), octets
