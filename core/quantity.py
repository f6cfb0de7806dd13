"""How many there are of something, in words that fit one as well as many."""

from __future__ import annotations

_IRREGULAR = {"entry": "entries", "leaf": "leaves"}


def quantity(number: int, noun: str, grouping: str = "") -> str:
    """``1 byte``, ``1540 bytes``; with ``,`` for ``grouping`` ``1,540 bytes``."""
    if number == 1:
        return f"1 {noun}"
    before, space, last = noun.rpartition(" ")
    return f"{number:{grouping}} {before}{space}{_IRREGULAR.get(last) or last + 's'}"


def be(number: int) -> str:
    """The verb for so many: ``is`` or ``are``."""
    return "is" if number == 1 else "are"
