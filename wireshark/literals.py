"""Lua literals: what a Python value looks like in the generated file. Both Lua 5.2 and 5.4 read them the same way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    Plain: TypeAlias = (
        bool | int | str | bytes | Sequence["Plain"] | Mapping[str, "Plain"] | Mapping[int, "Plain"] | None
    )

_KEYWORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "goto",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
_PRINTABLE = frozenset(range(32, 127)) - {ord('"'), ord("\\")}
WIDTH = 118
"Columns that a line of the generated file may have."


def string(text: str | bytes) -> str:
    """A quoted string; whatever is not printable ASCII as a decimal escape."""
    data = text.encode() if isinstance(text, str) else text
    shown = ""
    for index, byte in enumerate(data):
        if byte in _PRINTABLE:
            shown += chr(byte)
        elif byte in (ord('"'), ord("\\")):
            shown += "\\" + chr(byte)
        elif data[index + 1 : index + 2].isdigit():
            shown += f"\\{byte:03d}"
        else:
            shown += f"\\{byte}"
    return f'"{shown}"'


def number(value: int) -> str:
    """A number. Raises ValueError beyond 2^53, which Lua 5.2 cannot hold."""
    if not -(1 << 53) <= value <= 1 << 53:
        raise ValueError(f"{value} does not fit into a number of Lua 5.2")
    return str(int(value))


def literal(value: Plain, indent: int = 0, before: int = 20) -> str:
    """Any plain value; tables on one line where they fit, else one item a line. Items that are None are left out.

    ``before`` is how many columns of its first line are taken.
    """
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, (str, bytes)):
        return string(value)
    items = _items(value, indent + 1)
    if not items:
        return "{}"
    line = "{ " + ", ".join(items) + " }"
    if len(line) + 4 * indent + before < WIDTH and "\n" not in line:
        return line
    inner = "    " * (indent + 1)
    return "{\n" + "".join(f"{inner}{item},\n" for item in items) + "    " * indent + "}"


def _items(value: Sequence[Plain] | Mapping[str, Plain] | Mapping[int, Plain], indent: int) -> list[str]:
    if hasattr(value, "items"):
        return [
            f"{_key(key)} = {literal(item, indent, len(_key(key)) + 4)}"
            for key, item in value.items()
            if item is not None
        ]
    return [literal(item, indent, 1) for item in value]


def _key(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{number(key)}]"
    if key.isidentifier() and key.isascii() and key not in _KEYWORDS:
        return key
    return f"[{string(key)}]"
