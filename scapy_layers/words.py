"""Arrays of numbers as field values: compact to keep, short to show."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from typing_extensions import Self

_SHOWN = 4
"How many numbers :meth:`Words.__repr__` shows before it only counts."
_BASE = array


class Words(_BASE):  # type: ignore[type-arg]  # array takes no parameter at run time before Python 3.12
    """An ``array.array`` that equals a list of the same numbers and has a short ``repr``.

    Numbers are kept in the machine's byte order: 8 bytes for a 64-bit word, where a list would take 36.
    """

    __slots__ = ("hexadecimal",)

    hexadecimal: bool
    "Whether ``repr`` shows the numbers in hexadecimal."

    def __new__(cls, letter: str, numbers: Iterable[int] = (), *, hexadecimal: bool = False) -> Self:
        """``letter`` is the type code of the array module; OverflowError for a number that does not fit into it."""
        made = super().__new__(cls, letter, numbers)
        made.hexadecimal = hexadecimal
        return made

    @classmethod
    def decoded(cls, letter: str, data: bytes, byteorder: str, *, hexadecimal: bool = False) -> Words:
        """The numbers in ``data``, whose length must be a multiple of the size of one; ``byteorder`` is "<" or ">"."""
        made = cls(letter, hexadecimal=hexadecimal)
        made.frombytes(data)
        if (sys.byteorder == "little") != (byteorder == "<"):
            made.byteswap()
        return made

    def encoded(self, byteorder: str) -> bytes:
        """The numbers as they stand in a stream of that byte order."""
        if (sys.byteorder == "little") == (byteorder == "<"):
            return self.tobytes()
        swapped = array(self.typecode, self)
        swapped.byteswap()
        return swapped.tobytes()

    def copy(self) -> Words:
        """Another array with the same numbers."""
        return Words(self.typecode, self, hexadecimal=self.hexadecimal)

    def __copy__(self) -> Words:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Words:
        return self.copy()

    def command(self, json: bool = False) -> Any:
        """What Scapy's ``command()`` and ``json()`` write for the array."""
        numbers = self.tolist()
        return numbers if json else repr(numbers)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (list, tuple)):
            return len(self) == len(other) and self.tolist() == list(other)
        return bool(super().__eq__(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return short(self, hexadecimal=self.hexadecimal)


def short(numbers: Any, *, hexadecimal: bool) -> str:
    """``[0x0, 0x1, 0x2, 0x3, ... 1024 in all]``: a list of numbers that fits on a line."""
    form = "0x%x" if hexadecimal else "%d"
    shown = ", ".join([form % number for number in numbers[:_SHOWN]])
    return f"[{shown}]" if len(numbers) <= _SHOWN else f"[{shown}, ... {len(numbers)} in all]"
