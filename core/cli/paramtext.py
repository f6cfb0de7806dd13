"""HVM_PARAMS by name."""

from __future__ import annotations

from xenmig.core.cli.structtext import field_lines, wrapped
from xenmig.core.cli.table import aligned
from xenmig.core.definitions.hvm_params import HvmParams, in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.cli.structtext import View

_AT = 48
"Column at which the meanings begin, more or less."


def param_lines(value: HvmParams, view: View, indent: int) -> Iterator[str]:
    """Index, name, value in hexadecimal and in words, meaning."""
    yield from field_lines(value, view, indent, ("params",))
    rows = [["index", "name", "value", ""]]
    for one in value.__dict__.get("params", []):
        index, number = one.__dict__.get("index"), one.__dict__.get("value")
        if index is None or number is None:
            continue
        words = in_words(int(index), number)
        plain = words.endswith(f"0x{number:x}") or words == str(number)
        about = index.doc if plain else f"{index.doc}: {words}".removeprefix(": ")
        first, *more = wrapped(about.split(" "), _AT) if about else [""]
        rows.append([str(int(index)), index.name or "unknown", f"0x{number:x}", first.strip()])
        rows += [["", "", "", line.strip()] for line in more]
    if len(rows) > 1:
        yield from aligned(rows, ">", indent=indent)
