"""Values of fields, as text for people and as JSON."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.units import count
from xenmig.core.definitions.enumerations import Enumeration, Flags
from xenmig.core.definitions.structs import Entry, Problem, Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.definitions.fields import Field

SHOWN_OCTETS = 64
"Opaque bytes that go into JSON when not all are asked for."
MOST_ITEMS = 4096
"Items of an array that go into JSON."


def scalar(field: Field, value: Any) -> str:
    """A value on one line; of opaque bytes and of what repeats, how much there is."""
    if isinstance(value, (Enumeration, Flags)):
        return str(value)
    if isinstance(value, int):
        return _number(field, value)
    if isinstance(value, bytes):
        if field.kind == "text":
            text = value.rstrip(b"\0")
            shown = escaped(text[:61])
            return f'"{shown}"' if len(text) <= 61 else f'"{shown}"... ({len(text):,} bytes)'
        if len(value) <= 8:
            return value.hex(" ") or "empty"
        return count(len(value), "byte")
    if isinstance(value, list):
        noun = "entry" if field.kind == "chain" else "string" if field.kind == "strings" else "item"
        plural = {"entry": "entries"}.get(noun, noun + "s")
        return f"{len(value):,} {noun if len(value) == 1 else plural}"
    if isinstance(value, Struct):
        return summary(value)
    return escaped(str(value))


def summary(value: Struct, limit: int = 100) -> str:
    """The fields that say something, on one line of about ``limit`` characters."""
    parts: list[str] = []
    length = 0
    for field, found in value.items():
        # What must be so says nothing when it is so.
        if field.must is not None and found == field.must:
            continue
        if field.kind == "pages" or (found in ([], b"") and field.kind != "text"):
            continue
        if isinstance(found, list) and field.kind == "array":
            part = f"{len(found):,} {field.name}"
        elif field.kind == "text":
            part = f"{field.name} of {count(len(found), 'byte')}"
        else:
            part = f"{field.name} {scalar(field, found)}"
        if parts and length + len(part) > limit:
            parts.append("...")
            break
        parts.append(part)
        length += len(part) + 2
    return ", ".join(parts)


def as_json(value: Any, *, whole: bool = False) -> Any:
    """A value as what ``json.dumps`` takes. Numbers stay numbers, whatever they are called: see :func:`names`.

    Opaque bytes are ``{"length", "hex"}``, where ``hex`` holds the first 64 of them or with ``whole`` all.
    """
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return {"length": len(value), "hex": (value if whole else value[:SHOWN_OCTETS]).hex()}
    if isinstance(value, list):
        return [as_json(item, whole=whole) for item in (value if whole else value[:MOST_ITEMS])]
    if isinstance(value, Struct):
        return fields(value, whole=whole)
    if isinstance(value, Entry):
        entry = fields(value.descriptor, whole=whole)
        entry["data"] = as_json(value.value if value.value is not None else value.data, whole=whole)
        return entry
    return value


def fields(value: Struct, *, whole: bool = False) -> dict[str, Any]:
    """The fields of a struct by name; text is decoded as UTF-8, bytes that are none are escaped."""
    found: dict[str, Any] = {}
    for field, one in value.items():
        if field.kind == "text":
            found[field.name] = decoded(one)
        elif field.kind == "strings":
            found[field.name] = [decoded(item) for item in one]
        else:
            found[field.name] = as_json(one, whole=whole)
    return found


def names(value: Struct) -> dict[str, Any]:
    """What the numbers among the fields are called: a name, or a list of names for flags; None when unknown.

    Structs inside are as in :func:`fields`, and left out when nothing in them has names.
    """
    found: dict[str, Any] = {}
    for field, one in value.items():
        if isinstance(one, Flags):
            found[field.name] = one.names
        elif isinstance(one, Enumeration):
            found[field.name] = one.name
        elif isinstance(one, (Struct, list)):
            inside = _names_inside(one)
            if inside:
                found[field.name] = inside
    return found


def _names_inside(value: Any) -> Any:
    if isinstance(value, Struct):
        return names(value)
    if isinstance(value, Entry):
        inside = names(value.descriptor)
        if value.value is not None and (data := names(value.value)):
            inside["data"] = data
        return inside
    if isinstance(value, list):
        listed = [_names_inside(item) for item in value[:MOST_ITEMS]]
        return listed if any(listed) else None
    return None


def problem_text(problem: Problem) -> str:
    """What decoding found wrong, with the field that it is about."""
    field = problem.field
    return problem.message if not field or problem.message.startswith(field) else f"{field}: {problem.message}"


def decoded(text: bytes) -> str:
    """Text of a stream without the NULs at its end."""
    return text.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _number(field: Field, value: int) -> str:
    if field.hex:
        return f"0x{value:x}"
    if field.unit in ("bytes", "pfns"):
        return count(value, field.unit[:-1])
    unit = f" {field.unit}" if field.unit else ""
    return f"{value:,}{unit}"
