"""Python source of generated modules, in the form that ``ruff format`` leaves it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 120
"Longest line: pyproject.toml, [tool.ruff]."


class Text(str):
    """Source that stands as it is."""

    __slots__ = ()


class Name(Text):
    """The name of a class or constant."""

    __slots__ = ()


class Call:
    """A call, with its arguments."""

    __slots__ = ("function", "arguments", "options")

    def __init__(self, function: str, arguments: Sequence[Any] = (), options: dict[str, Any] | None = None) -> None:
        self.function = function
        self.arguments = list(arguments)
        self.options = options or {}


class Source:
    """A module that is being written."""

    def __init__(self, origin: str) -> None:
        """``origin`` is what the module is made from."""
        self._origin = origin
        self._docstring = ""
        self._imports: dict[str, set[str]] = {}
        self._body: list[str] = []

    def docstring(self, text: str) -> None:
        """Say what the module is."""
        self._docstring = text

    def imports(self, module: str, *names: str) -> None:
        """Import names; as often as they are needed."""
        self._imports.setdefault(module, set()).update(names)

    def class_(self, name: str, base: str, docstring: str, attributes: dict[str, Any]) -> None:
        """Define a class."""
        lines = ["", "", f"class {name}({base}):", *_documentation(docstring), ""]
        for attribute, value in attributes.items():
            # Always a field a line: a table is read by its columns.
            split = attribute == "fields_desc" and bool(value)
            lines += _expression(f"    {attribute} = ", value, "", 4, split=split)
        self._body.append("\n".join(lines))

    def assign(self, name: str, value: Any) -> None:
        """Define a constant, an item a line."""
        blank = ["", ""] if self._body else [""]
        self._body.append("\n".join([*blank, *_expression(f"{name} = ", value, "", 0, split=True)]))

    def statement(self, call: Call) -> None:
        """Call something when the module is imported."""
        blank = [] if self._body and self._body[-1].lstrip().startswith(call.function) else ["", ""]
        self._body.append("\n".join([*blank, *_expression("", call, "", 0)]))

    def text(self) -> str:
        """The whole module."""
        lines = [f"# Generated from {self._origin} by xenmig.scapy_layers.generate; do not edit."]
        lines += _documentation(self._docstring, indent="")
        lines += ["", "from __future__ import annotations", ""]
        # The order of isort: packages from elsewhere first, and modules by name.
        own = sorted(module for module in self._imports if module.startswith("xenmig."))
        other = sorted(module for module in self._imports if module not in own)
        for group in (other, own):
            for module in group:
                lines += _import(module, sorted(self._imports[module], key=_isort_key))
            if group is other and other and own:
                lines.append("")
        return "\n".join([*lines, *self._body]) + "\n"


def _isort_key(name: str) -> tuple[int, str]:
    # Constants, then classes, then functions and modules.
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _import(module: str, names: list[str]) -> list[str]:
    aliased = [name for name in names if " as " in name]
    plain = [name for name in names if " as " not in name]
    lines = [f"from {module} import {name}" for name in aliased]
    if plain:
        line = f"from {module} import {', '.join(plain)}"
        if len(line) <= WIDTH:
            lines.append(line)
        else:
            lines += [f"from {module} import (", *[f"    {name}," for name in plain], ")"]
    return lines


def _documentation(text: str, indent: str = "    ") -> list[str]:
    lines: list[str] = []
    for line in text.replace("\\", "\\\\").splitlines():
        lines += _wrapped(line.strip(), WIDTH - len(indent) - (3 if not lines else 0))
    if len(lines) == 1 and len(lines[0]) + len(indent) + 6 <= WIDTH:
        return [f'{indent}"""{lines[0]}"""']
    first, *rest = lines
    return [f'{indent}"""{first}', *[f"{indent}{line}".rstrip() for line in rest], f'{indent}"""']


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    cut = line.rfind(" ", 0, width)
    return [line[:cut], *_wrapped("    " + line[cut + 1 :], width)]


def _expression(before: str, value: Any, after: str, indent: int, *, split: bool = False) -> list[str]:
    """``before value after`` on one line if that fits, else with an item a line; ``before`` begins with the indent."""
    line = f"{before}{_inline(value)}{after}"
    if len(line) <= WIDTH and not split:
        return [line]
    inner = " " * (indent + 4)
    outer = " " * indent
    if isinstance(value, Call):
        lines = [f"{before}{value.function}("]
        for argument in value.arguments:
            lines += _expression(inner, argument, ",", indent + 4)
        for name, option in value.options.items():
            lines += _expression(f"{inner}{name}=", option, ",", indent + 4)
        return [*lines, f"{outer}){after}"]
    if isinstance(value, list):
        lines = [f"{before}["]
        for item in value:
            lines += _expression(inner, item, ",", indent + 4)
        return [*lines, f"{outer}]{after}"]
    if isinstance(value, dict):
        lines = [f"{before}{{"]
        for key, item in value.items():
            lines += _expression(f"{inner}{_inline(key)}: ", item, ",", indent + 4)
        return [*lines, f"{outer}}}{after}"]
    if isinstance(value, str) and not isinstance(value, Text):
        # A string that is too long becomes several, which Python puts together.
        width = WIDTH - len(before) - len(after) - 2
        pieces = []
        text = value
        while len(text) > width:
            cut = text.rfind(" ", 0, width) + 1 or width
            pieces.append(text[:cut])
            text = text[cut:]
        pieces.append(text)
        lines = [f"{before}{_inline(pieces[0])}", *[f"{outer}{_inline(piece)}" for piece in pieces[1:]]]
        lines[-1] += after
        return lines
    return [line]


def _inline(value: Any) -> str:
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, Call):
        arguments = [_inline(argument) for argument in value.arguments]
        arguments += [f"{name}={_inline(option)}" for name, option in value.options.items()]
        return f"{value.function}({', '.join(arguments)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_inline(key)}: {_inline(item)}' for key, item in value.items())}}}"
    shown = repr(value)
    if isinstance(value, (str, bytes)):
        # ruff format prefers double quotes.
        prefix = "b" if isinstance(value, bytes) else ""
        inside = shown[len(prefix) + 1 : -1]
        if shown[len(prefix)] == "'" and '"' not in inside:
            return f'{prefix}"{inside}"'
    return shown
