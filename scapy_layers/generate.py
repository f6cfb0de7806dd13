"""Writes the packet classes: one module for each module of ``core/definitions/`` that defines structs.

Run ``python -m xenmig.scapy_layers.generate`` after a change to a definition; with ``--check`` it writes nothing and
says which modules are out of date. The generated modules are part of the repository, so that ``help()``, ``ls()``,
pickling, type checkers and ``grep`` need nothing special; a test generates them anew and compares.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scapy.packet import Packet

from xenmig.core import definitions
from xenmig.core.definitions.fields import Bits, Field
from xenmig.core.definitions.structs import Struct
from xenmig.scapy_layers.packets import DescriptorPacket, MigrationPacket, StructPacket
from xenmig.scapy_layers.records import PageRecord
from xenmig.scapy_layers.source import Call, Name, Source, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FOLDER = Path(__file__).resolve().parent
"Where the generated modules lie."

LAYERS = ("xl", "libvirt", "libxl", "libxc")
"Modules that define a layer; the others define what lies inside records."

HEADERS = {
    "libxl.Header": "HeaderPacket",
    "libxc.ImageHeader": "HeaderPacket",
    "xl.Header": "XlWrapper",
    "xl.OptionalData": "WrappedPacket",
    "libvirt.Header": "LibvirtWrapper",
    "libvirt.DomainXml": "WrappedPacket",
}
"Definition -> the base that gives it what the definition cannot say; others have the base of their kind."

GENERIC = ("libxl.RecordHeader", "libxc.RecordHeader")
"Definitions that are the first fields of every record class: LibxlRecord and LibxcRecord in records.py."

NAMES = {"xl.Header": "XlSave", "libvirt.Header": "LibvirtSave"}
"Definition -> class, where it is not the module's name and the definition's."

COMPUTED = {("xl.Header", "optional_data_len"): "payload", ("libvirt.Header", "xmlLen"): "payload"}
"Fields that say how long something outside their struct is."

DEFAULTS = {
    ("xl.Header", "mandatory_flags"): 3,
    ("libvirt.Header", "version"): 2,
    ("libxc.ImageHeader", "version"): 3,
    ("libxc.DomainHeader", "type"): 2,
    ("libxc.DomainHeader", "xen_major"): 4,
    ("libxc.DomainHeader", "xen_minor"): 17,
    ("libxc.X86PvInfo", "guest_width"): 8,
    ("libxc.X86PvInfo", "pt_levels"): 4,
    ("libxl.EmulatorXenstoreData", "emulator_id"): 2,
    ("libxl.EmulatorContext", "emulator_id"): 2,
}
"What a field is when nothing is given, where that is neither what it must be nor zero: what Xen writes today."


def structs() -> dict[str, list[type[Struct]]]:
    """Every definition, by the name of its module, in the order in which it stands there."""
    found: dict[str, list[type[Struct]]] = {}
    for info in pkgutil.walk_packages(definitions.__path__, definitions.__name__ + "."):
        module = import_module(info.name)
        defined = [
            each
            for each in vars(module).values()
            if isinstance(each, type)
            and issubclass(each, Struct)
            and each.__module__ == info.name
            and each is not Struct
            # What others have in common, and is nothing by itself.
            and not each.__name__.startswith("_")
        ]
        if defined:
            found[info.name.removeprefix(definitions.__name__ + ".")] = list(dict.fromkeys(defined))
    return found


def definition_of(struct: type[Struct]) -> str:
    """``libxc.X86TscInfo``: module and class."""
    return f"{struct.__module__.removeprefix(definitions.__name__ + '.')}.{struct.__name__}"


def class_name(struct: type[Struct]) -> str:
    """The name of the packet class: the definition's, with the layer in front where it is one of the four layers."""
    definition = definition_of(struct)
    if definition in NAMES:
        return NAMES[definition]
    module = definition.rpartition(".")[0]
    return (module.capitalize() if module in LAYERS else "") + struct.__name__


def field_name(name: str) -> str:
    """The field's name, with an underscore where Scapy's packets have something else of that name."""
    # Not hasattr(): Scapy's metaclass takes the fields of a class for attributes.
    taken = any(name in vars(base) for base in (*PageRecord.__mro__, DescriptorPacket, StructPacket))
    return f"{name}_" if taken or name in (*Packet.__slots__, *MigrationPacket.__slots__) else name


def modules() -> dict[str, str]:
    """What the generated modules hold, by file name."""
    every = structs()
    written = {f"{module.replace('.', '_')}.py": _Module(module, found).text() for module, found in every.items()}
    written["layers.py"] = _index(every)
    names = [class_name(struct) for found in every.values() for struct in found if definition_of(struct) not in GENERIC]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise LookupError(f"several definitions would become classes of the same name: {', '.join(sorted(twice))}")
    return written


def _index(every: dict[str, list[type[Struct]]]) -> str:
    source = Source("core/definitions/")
    source.docstring("Every packet class, generated or not.")
    names = []
    for module, found in every.items():
        here = [class_name(struct) for struct in found if definition_of(struct) not in GENERIC]
        if here:
            source.imports(f"xenmig.scapy_layers.{module.replace('.', '_')}", *here)
            names += here
    source.imports("xenmig.scapy_layers.messages", "XlMessage")
    source.imports("xenmig.scapy_layers.records", "LibxcRecord", "LibxlRecord")
    source.assign("__all__", sorted([*names, "XlMessage", "LibxcRecord", "LibxlRecord"]))
    return source.text()


class _Module:
    """One generated module."""

    def __init__(self, name: str, found: list[type[Struct]]) -> None:
        self.name = name
        self.structs = found
        self.source = Source(f"core/definitions/{name.replace('.', '/')}.py")
        self.definitions: ModuleType = import_module(f"{definitions.__name__}.{name}")
        self.descriptors = {field.of for struct in _every_struct() for field in struct.fields if field.kind == "chain"}
        self.bound: list[tuple[str, str, str, int]] = []

    def text(self) -> str:
        """The module's source."""
        documentation = (self.definitions.__doc__ or "").strip()
        self.source.docstring(documentation)
        for struct in self.structs:
            if definition_of(struct) not in GENERIC:
                self._class(struct)
        for struct in self.structs:
            if struct.layouts:
                by_length = {length: self._class_reference(other) for length, other in struct.layouts.items()}
                self.source.assign(f"{class_name(struct)}.layouts", by_length)
        for descriptor, field, data, number in self.bound:
            self.source.imports("scapy.packet", "bind_layers")
            self.source.statement(Call("bind_layers", [Name(descriptor), Name(data)], {field: number}))
        return self.source.text()

    def _class(self, struct: type[Struct]) -> None:
        definition = definition_of(struct)
        source = self.source
        base = self._base(struct)
        attributes: dict[str, Any] = {"name": self._title(struct)}
        if struct.layer:
            attributes["layer"] = struct.layer
        attributes["definition"] = definition
        fields: list[Any] = []
        computed = self._computed(struct)
        if struct.record is not None:
            attributes["record"] = struct.record
            source.imports("xenmig.scapy_layers.fields", "Named")
            source.imports("xenmig.scapy_layers.records", "Padding", "RecordLength", "Rest")
            layer = import_module(f"{definitions.__name__}.{struct.layer}")
            values = self._reference(layer.RecordType)
            fields += [
                Call("Named", ["type", struct.record, "u32", "what the body is"], {"values": values}),
                Call("RecordLength"),
            ]
        elif struct.size is not None:
            attributes["size"] = struct.size
        for field in struct.fields:
            fields.append(self._field(struct, field, computed))
        if struct.record is not None:
            fields += [Call("Rest"), Call("Padding")]
        attributes["fields_desc"] = fields
        source.class_(class_name(struct), base, self._documentation(struct), attributes)

    def _base(self, struct: type[Struct]) -> str:
        definition = definition_of(struct)
        if definition in HEADERS:
            base = HEADERS[definition]
            self.source.imports(f"xenmig.scapy_layers.{'packets' if base == 'HeaderPacket' else 'headers'}", base)
        elif struct.record is not None:
            pages = any(field.kind == "pages" for field in struct.fields)
            base = "PageRecord" if pages else {"libxl": "LibxlRecord", "libxc": "LibxcRecord"}[struct.layer]
            self.source.imports("xenmig.scapy_layers.records", base)
        else:
            base = "MigrationPacket" if struct.layer else "StructPacket"
            if struct in self.descriptors:
                base = "DescriptorPacket"
            self.source.imports("xenmig.scapy_layers.packets", base)
        return base

    def _title(self, struct: type[Struct]) -> str:
        layer = struct.layer or self.name
        return f"{layer} {struct.name if struct.record is not None else struct.name.lower().replace('_', ' ')}"

    def _documentation(self, struct: type[Struct]) -> str:
        text = (struct.__doc__ or struct.name).strip()
        facts = []
        if struct.source:
            facts.append(f"Source: {struct.source}.")
        if struct.since:
            facts.append(f"Since Xen {struct.since}.")
        if struct.deprecated:
            facts.append(f"Deprecated: {struct.deprecated}.")
        if struct.guests != ("PV", "HVM"):
            facts.append(f"Guests: {', '.join(struct.guests)}.")
        facts += [f"{length} bytes long in {release}." for length, release in struct.lengths.items() if release]
        for field in struct.fields:
            unit = f" ({field.unit})" if field.unit else ""
            since = f"; since Xen {field.since}" if field.since else ""
            facts.append(f"{field_name(field.name)}: {field.doc or field.kind}{unit}{since}")
        return "\n".join([text, "", *facts]) if facts else text

    def _computed(self, struct: type[Struct]) -> dict[str, str]:
        """Which fields say how long or how many: field -> what it counts."""
        computed = {
            field.count: field.name for field in struct.fields if isinstance(field.count, str) and field.kind != "pages"
        }
        definition = definition_of(struct)
        computed.update({name: of for (where, name), of in COMPUTED.items() if where == definition})
        if struct in self.descriptors:
            computed["length"] = "payload"
        return computed

    def _field(self, struct: type[Struct], field: Field, computed: dict[str, str]) -> Call:
        made = self._plain(struct, field, computed)
        if field.when is not None:
            self.source.imports("xenmig.scapy_layers.fields", "Present")
            when = field.when
            return Call("Present", [made, field_name(when.field), when.mask, when.equals])
        return made

    def _plain(self, struct: type[Struct], field: Field, computed: dict[str, str]) -> Call:
        name = field_name(field.name)
        kind = field.kind
        if field.is_number:
            return self._number(struct, field, name, computed)
        if kind in ("octets", "text"):
            default: Any = b""
            if isinstance(field.must, bytes):
                default = field.must
            elif field.size:
                default = Text(f"bytes({field.size})")
            if isinstance(default, bytes) and len(default) > 8 and not default.strip(b"\0"):
                default = Text(f"bytes({len(default)})")
            options: dict[str, Any] = {}
            if field.size is not None:
                options["size"] = field.size
            elif isinstance(field.count, str):
                options["length"] = field_name(field.count)
            return self._call("fields", "Octets" if kind == "octets" else "Text", [name, default, field.doc], options)
        if kind == "strings":
            options = {"length": field_name(field.count)} if isinstance(field.count, str) else {}
            return self._call("fields", "Strings", [name, field.doc], options)
        if kind == "pages":
            return self._call("pages", "PagesField", [name, field.doc], {"per": field_name(str(field.count))})
        if kind == "struct":
            return self._call("lists", "StructField", [name, self._class_reference(field.of), field.doc], {})
        if kind == "array":
            return self._array(field, name)
        if kind == "chain":
            return self._chain(field, name)
        raise NotImplementedError(f"no Scapy field for fields of kind {kind!r} ({struct.__name__}.{field.name})")

    def _number(self, struct: type[Struct], field: Field, name: str, computed: dict[str, str]) -> Call:
        counts = field_name(computed[field.name]) if field.name in computed else ""
        if counts == "payload_":
            counts = "payload"
        default: Any = DEFAULTS.get((definition_of(struct), field.name), field.must or 0)
        if counts:
            default = None
        if field.hex and isinstance(default, int) and default > 9:
            default = Text(f"0x{default:X}")
        options: dict[str, Any] = {}
        call = "Number"
        if field.values is not None:
            call = "Named"
            options["values"] = self._reference(field.values)
        elif field.flags is not None:
            call = "FlagWord"
            options["flags"] = self._reference(field.flags)
        if field.unit:
            options["unit"] = field.unit
        if field.big:
            options["big"] = True
        if call == "Number":
            if field.hex:
                options["hexadecimal"] = True
            if field.bits:
                options["bits"] = self._bits(field.bits)
        if counts:
            options["counts"] = counts
        return self._call("fields", call, [name, default, field.kind, field.doc], options)

    def _array(self, field: Field, name: str) -> Call:
        options: dict[str, Any] = {}
        if field.count is not None:
            options["count"] = field_name(field.count) if isinstance(field.count, str) else field.count
        of = field.of
        if isinstance(of, Field):
            if of.big:
                options["big"] = True
            if of.hex:
                options["hexadecimal"] = True
            if of.bits:
                options["bits"] = self._bits(of.bits)
            if of.values is not None:
                options["values"] = self._reference(of.values)
            if of.flags is not None:
                options["flags"] = self._reference(of.flags)
            return self._call("lists", "Numbers", [name, of.kind, field.doc], options)
        return self._call("lists", "Structs", [name, self._class_reference(of), field.doc], options)

    def _chain(self, field: Field, name: str) -> Call:
        descriptor = field.of
        assert isinstance(descriptor, type)
        first = field_name(descriptor.fields[0].name)
        own = class_name(descriptor)
        for number, data in field.entries.items():
            self.bound.append((own, first, str(self._class_reference(data)), int(number)))
        return self._call("lists", "Chain", [name, self._class_reference(descriptor), field.doc], {})

    def _bits(self, bits: tuple[Bits, ...]) -> list[Call]:
        self.source.imports("xenmig.core.definitions.fields", "Bits")
        calls = []
        for one in bits:
            options: dict[str, Any] = {}
            if one.values is not None:
                options["values"] = self._reference(one.values)
            if one.must is not None:
                options["must"] = one.must
            if one.unit:
                options["unit"] = one.unit
            calls.append(Call("Bits", [one.name, one.low, one.width, one.doc], options))
        return calls

    def _call(self, module: str, name: str, arguments: list[Any], options: dict[str, Any]) -> Call:
        self.source.imports(f"xenmig.scapy_layers.{module}", name)
        return Call(name, arguments, options)

    def _class_reference(self, struct: Any) -> Name:
        module = definition_of(struct).rpartition(".")[0]
        if module != self.name:
            self.source.imports(f"xenmig.scapy_layers.{module.replace('.', '_')}", class_name(struct))
        return Name(class_name(struct))

    def _reference(self, named: Any) -> Name:
        """An enumeration or flag word of the definitions."""
        module, name = named.__module__, named.__qualname__
        found = import_module(module)
        if getattr(found, name, None) is not named:
            raise LookupError(f"{module}.{name} cannot be imported by that name")
        package, _, last = module.rpartition(".")
        self.source.imports(package, f"{last} as {last}_definitions" if package == definitions.__name__ else last)
        return Name(f"{last}_definitions.{name}")


def _every_struct() -> Iterator[type[Struct]]:
    for found in structs().values():
        yield from found


def main(arguments: list[str]) -> int:
    """Write the modules, or with ``--check`` compare them; returns the exit code."""
    checking = "--check" in arguments
    stale = 0
    for name, text in modules().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if not checking:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'out of date' if checking else 'written'}: {path}\n")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
