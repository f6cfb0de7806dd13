"""The guest's configuration: a summary, and the text itself without its passwords."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.structtext import field_lines, wrapped
from xenmig.core.cli.units import count, kibibytes
from xenmig.core.definitions import configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.cli.structtext import View
    from xenmig.core.definitions.configuration import GuestConfiguration
    from xenmig.core.definitions.structs import Struct

TEXTS = ("config", "xml")
"Fields that hold a configuration: of the xl and of the libvirt layer."


def configuration_of(value: Struct, *, secrets: bool = False) -> GuestConfiguration | None:
    """The configuration that a header holds; None for headers that hold none."""
    fields = value.__dict__
    if "config" in fields:
        return configuration.from_json(fields["config"], secrets=secrets)
    if "xml" in fields:
        return configuration.from_xml(fields["xml"], secrets=secrets)
    return None


def configuration_lines(value: Struct, view: View, indent: int) -> Iterator[str]:
    """Summary first, then the text."""
    margin = " " * indent
    yield from field_lines(value, view, indent, TEXTS)
    found = configuration_of(value, secrets=view.secrets)
    if found is not None:
        yield f"{margin}guest"
        yield from _summary(found, indent + 2)
    for name in TEXTS:
        text = value.__dict__.get(name)
        if text is not None:
            yield ""
            yield f"{margin}{name}: {count(len(text), 'byte')} of text"
            clear = text if view.secrets else concealed(text)
            for line in clear.rstrip(b"\0").rstrip().split(b"\n"):
                yield f"{margin}  {escaped(line)}".rstrip()


def _summary(found: GuestConfiguration, indent: int) -> Iterator[str]:
    margin = " " * indent
    if found.problem:
        yield f"{margin}! {escaped(found.problem)}"
    rows = [
        ("name", found.name),
        ("uuid", found.uuid),
        ("type", found.type),
        ("memory", _memory(found)),
        ("vcpus", _vcpus(found)),
    ]
    for name, text in rows:
        if text:
            yield f"{margin}{name:7} {escaped(text)}"
    for device in found.devices:
        words = [f"{escaped(key)}={escaped(one)}" for key, one in device.words.items() if one != ""]
        lines = list(wrapped(words, indent + 8))
        yield f"{margin}{escaped(device.kind):7} {lines[0].lstrip() if lines else ''}".rstrip()
        yield from lines[1:]


def _memory(found: GuestConfiguration) -> str:
    if found.memory is None:
        return kibibytes(found.max_memory) if found.max_memory is not None else ""
    most = found.max_memory
    return kibibytes(found.memory) + (f", at most {kibibytes(most)}" if most not in (None, found.memory) else "")


def _vcpus(found: GuestConfiguration) -> str:
    if found.vcpus is None:
        return count(found.max_vcpus, "vcpu") if found.max_vcpus is not None else ""
    most = found.max_vcpus
    return str(found.vcpus) + (f" of at most {most}" if most not in (None, found.vcpus) else "")


def concealed(text: bytes) -> bytes:
    """A configuration in which passwords are replaced, also where it is cut off or not well-formed."""
    import re

    keys = "|".join(configuration.SECRETS).encode()
    hidden = configuration.HIDDEN.encode()
    in_json = re.compile(rb'("(?:' + keys + rb')"\s*:\s*)("(?:[^"\\]|\\.)+"?|[^\s",\[{}\]][^,}\]\n]*)', re.DOTALL)
    in_xml = re.compile(rb"(\s(?:" + keys + rb")\s*=\s*)(\"[^\"]+\"?|'[^']+'?)")
    text = in_json.sub(lambda found: found[1] + b'"' + hidden + b'"', text)
    return in_xml.sub(lambda found: found[1] + b"'" + hidden + b"'", text)


def without_passwords(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a header as JSON, in which a configuration has no passwords."""
    return {
        name: concealed(one.encode()).decode() if name in TEXTS and isinstance(one, str) else one
        for name, one in fields.items()
    }
