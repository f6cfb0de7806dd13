"""Numbers that have names: enumerations and flag words in which an unknown value is still a value.

``enum.IntEnum`` is not used because it refuses a number that it has no name for, and because a stream is a stable
interface read years later: what a newer Xen writes must come through. (Importing ``enum`` also takes longer than
verifying a 1 GiB stream.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class Value:
    """One named number of an :class:`Enumeration`, or one named bit of a :class:`Flags` word."""

    __slots__ = ("number", "name", "doc", "facts")

    number: int
    "The number itself; for a flag, the position of its bit."
    name: str
    "The name, spelled as Xen spells it."
    doc: str
    "What it means, as a phrase for people."
    facts: dict[str, Any]
    'What else is known of it, for example ``{"data": True}`` on page types that carry a page.'

    def __init__(self, number: int, doc: str, facts: dict[str, Any]) -> None:
        self.number = number
        self.name = ""
        self.doc = doc
        self.facts = facts


def value(number: int, doc: str = "", *, name: str = "", **facts: Any) -> Any:
    """Declare a named number in the body of an :class:`Enumeration`; ``name`` where Xen's is no Python name."""
    declared = Value(number, doc, facts)
    declared.name = name
    return declared


def flag(bit: int, doc: str = "", **facts: Any) -> Any:
    """Declare a named bit, counted from 0, in the body of a :class:`Flags` class."""
    return Value(bit, doc, facts)


class Named(int):
    """What enumerations and flag words share: their declarations, and how many hexadecimal digits to show."""

    known: ClassVar[Mapping[int, Value]] = {}
    "The declarations by number (of flags: by bit), in the order of the class body; a subclass may bring its own."
    digits: ClassVar[int] = 0
    "Show the number with this many hexadecimal digits; 0 for decimal."
    open: ClassVar[bool] = False
    "Whether numbers that have no name here are no fault, as in the registers of a processor."

    def __init_subclass__(cls, digits: int = 0, open: bool = False, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.digits = digits
        cls.open = open
        if "known" in cls.__dict__:
            return
        cls.known = {}
        for name, declared in list(cls.__dict__.items()):
            if type(declared) is Value:
                declared.name = declared.name or name
                cls.known[declared.number] = declared
                setattr(cls, name, cls(cls.number_of(declared)))

    @classmethod
    def number_of(cls, declared: Value) -> int:
        """The number that stands on the wire for one declaration."""
        return declared.number

    def number_text(self) -> str:
        """The number alone, in the class's own base."""
        return f"0x{int(self):0{self.digits}x}" if self.digits else str(int(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


class Enumeration(Named):
    """A number of which each value means one thing."""

    @property
    def name(self) -> str | None:
        """The name of the value, or None when nobody named it."""
        found = self.known.get(int(self))
        return found.name if found else None

    @property
    def doc(self) -> str:
        """What the value means; empty when unknown."""
        found = self.known.get(int(self))
        return found.doc if found else ""

    def __str__(self) -> str:
        return f"{self.number_text()} ({self.name or 'unknown'})"


class Flags(Named):
    """A number of which each bit means one thing."""

    @classmethod
    def number_of(cls, declared: Value) -> int:
        return 1 << declared.number

    @property
    def names(self) -> list[str]:
        """The names of the bits that are set and known, lowest bit first."""
        return [declared.name for bit, declared in sorted(self.known.items()) if int(self) >> bit & 1]

    @property
    def unknown(self) -> int:
        """The bits that are set and not known, as a number."""
        mask = 0
        for bit in self.known:
            mask |= 1 << bit
        return int(self) & ~mask

    def __str__(self) -> str:
        names = self.names
        if self.unknown:
            names.append(f"unknown 0x{self.unknown:x}")
        return f"{self.number_text()} ({', '.join(names) or 'none'})"
