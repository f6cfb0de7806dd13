"""Bodies read in place: a field when it is asked for, straight from the bytes, and nothing else.

Decoding a body makes an object of each of its fields, from definitions that take their time to load. Who asks for three
registers, and whether the rest is as defined, needs neither. What a definition says of places and allowed bits is
generated into :mod:`shapes`; a :class:`View` there has the attributes that the decoded struct would have, as plain
numbers. A test holds the two against each other.

Little endian only: no Xen writes anything else.
"""

from __future__ import annotations

from struct import Struct as Layout

from xenmig.core.definitions.shapes import BODIES, DESCRIPTOR, ENTRIES, ENTRIES_MAX, SHAPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    Place: TypeAlias = tuple[int, str, int, int]
    """Offset; a letter of the struct module, the name of a shape, or "" for octets; how many (0: one and no list, -1:
    to the end); and the size in bytes, of one where there are many."""
    Bits: TypeAlias = tuple[int, int, int, int, int, int]
    "Offset, size, mask, and what the bits under the mask must be; then from one to the next, and how many, as above."
    Values: TypeAlias = tuple[int, int, int, int, tuple[int, ...], int, int]
    "Offset, size, shift and mask of a number, and what it may be; then as above."
    Shape: TypeAlias = tuple[
        tuple[int, ...], tuple[int, int, int, int], Mapping[str, Place], tuple[Bits, ...], tuple[Values, ...]
    ]
    """The lengths that it may have; or, where that is empty, the bytes before what repeats, the size of an item, the
    least number of items and where their number stands (-1 where nothing says it). Then the fields by name, and what
    the definition asks of them."""

_FROM = {letter: Layout("<" + letter).unpack_from for letter in "BHIQbiq"}
_number = int.from_bytes


def conforms(shape: Shape, data: bytes) -> bool:
    """Whether decoding ``data`` would find no problem."""
    lengths, (before, item, least, counter), _, bits, values = shape
    length = len(data)
    if lengths:
        if length not in lengths:
            return False
    else:
        items, left = divmod(length - before, item)
        if left or items < least or (counter >= 0 and _FROM["I"](data, counter)[0] != items):
            return False
    for offset, size, mask, want, step, count in bits:
        end = offset + 1 if not count else length if count < 0 else offset + step * count
        # A struct that grew may end before its later fields.
        for at in range(offset, min(end, length), step):
            if _number(data[at : at + size], "little") & mask != want:
                return False
    for offset, size, shift, mask, known, step, count in values:
        end = offset + 1 if not count else length if count < 0 else offset + step * count
        for at in range(offset, min(end, length), step):
            if _number(data[at : at + size], "little") >> shift & mask not in known:
                return False
    return True


class View:
    """The fields of a body, or of a struct in it, as attributes; None for those that lie behind its end."""

    __slots__ = ("_data", "_at", "_fields")

    problems = ()
    "As of a decoded struct in which nothing is wrong."

    def __init__(self, shape: Shape, data: bytes, at: int = 0) -> None:
        """``data`` conforms to ``shape``; ``at`` is where the struct begins in it."""
        self._fields = shape[2]
        self._data = data
        self._at = at

    def offset_of(self, name: str) -> int:
        """Where the field of that name begins, from the beginning of the struct."""
        return self._fields[name][0]

    def __getattr__(self, name: str) -> Any:
        try:
            offset, kind, count, size = self._fields[name]
        except KeyError:
            raise AttributeError(name) from None
        data = self._data
        at = self._at + offset
        if not count:
            if at + size > len(data):
                return None
            read = _FROM.get(kind)
            if read is not None:
                return read(data, at)[0]
            return View(SHAPES[kind], data, at) if kind else data[at : at + size]
        end = len(data) if count < 0 else at + size * count
        if not kind:
            return data[at:end]
        if kind in _FROM:
            return Layout(f"<{(end - at) // size}{kind}").unpack_from(data, at)
        rows = _rows(kind)
        if rows is not None:
            layout, row = rows
            return list(map(row, layout.iter_unpack(data[at:end])))
        shape = SHAPES[kind]
        return [View(shape, data, start) for start in range(at, end, size)]

    def numbers(self, array: str, names: tuple[str, ...]) -> list[int]:
        """See the function of that name."""
        start, kind, count, size = self._fields[array]
        start += self._at
        end = len(self._data) if count < 0 else start + size * count
        before, width = 0, size
        for name in names:
            offset, kind, _, width = SHAPES[kind][2][name]
            before += offset
        item = Layout(f"<{before}x{kind}{size - before - width}x")
        return [number for (number,) in item.iter_unpack(self._data[start:end])]


class Row(tuple):  # type: ignore[type-arg]
    """An item of an array that holds nothing but numbers: all of them are read at once.

    Each kind of item has a class of its own, in which the names stand for places in the tuple.
    """

    __slots__ = ()

    problems = ()
    _fields: Mapping[str, Place]

    @classmethod
    def offset_of(cls, name: str) -> int:
        """Where the field of that name begins, from the beginning of the item."""
        return cls._fields[name][0]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


_ROWS: dict[str, tuple[Layout, type[Row]] | None] = {}


def _rows(name: str) -> tuple[Layout, type[Row]] | None:
    """How to read all fields of a struct at once, where they are numbers and lie side by side, and their class."""
    try:
        return _ROWS[name]
    except KeyError:
        pass
    from _operator import itemgetter

    fields = SHAPES[name][2]
    letters = "<"
    end = 0
    for offset, kind, count, size in fields.values():
        if offset != end or count or kind not in _FROM:
            _ROWS[name] = None
            return None
        letters += kind
        end += size
    places = {field: property(itemgetter(place)) for place, field in enumerate(fields)}
    found = _ROWS[name] = Layout(letters), type(name, (Row,), {"__slots__": (), "_fields": fields, **places})
    return found


def numbers(value: Any, array: str, *names: str) -> list[int]:
    """One number of each item of an array: of structs by name, one in the other, the last of which is the number's.

    ``value`` is decoded, or a :class:`View`, of which no items are made. All of the array is there.
    """
    if isinstance(value, View):
        return value.numbers(array, names)
    found = getattr(value, array)
    for name in names:
        found = [getattr(one, name) for one in found]
    return [int(one) for one in found]


def body(record: int, guest_width: int | None, data: bytes) -> View | None:
    """The body of a libxc record; None where something may be wrong with it, or it is not known what it is."""
    choices = BODIES[record]
    name = choices.get(0) or choices.get(guest_width or 0)
    if name is None:
        return None
    shape = SHAPES[name]
    return View(shape, data) if conforms(shape, data) else None


class Descriptor:
    """What stands in front of the data of an entry of HVM_CONTEXT."""

    __slots__ = ("typecode", "instance", "length")

    def __init__(self, typecode: int, instance: int, length: int) -> None:
        self.typecode = typecode
        self.instance = instance
        self.length = length


class EntryView:
    """One entry of HVM_CONTEXT: see :class:`structs.Entry`."""

    __slots__ = ("descriptor", "offset", "value", "data")

    def __init__(self, descriptor: Descriptor, offset: int, value: View, data: bytes) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.value = value
        self.data = data


class ContextView:
    """A HVM_CONTEXT."""

    __slots__ = ("entries",)

    problems = ()

    def __init__(self, entries: list[EntryView]) -> None:
        self.entries = entries


def context(data: bytes) -> ContextView | None:
    """The entries of a HVM_CONTEXT in which nothing is wrong; None where something may be."""
    head = Layout(DESCRIPTOR)
    entries: list[EntryView] = []
    position, end = 0, len(data)
    while position + head.size <= end and len(entries) < ENTRIES_MAX:
        typecode, instance, length = head.unpack_from(data, position)
        begin = position + head.size
        body = data[begin : begin + length]
        name = ENTRIES.get(typecode)
        if name is None or len(body) < length:
            return None
        shape = SHAPES[name]
        if not conforms(shape, body):
            return None
        entries.append(EntryView(Descriptor(typecode, instance, length), position, View(shape, body), body))
        position = begin + length
        if not typecode:
            return ContextView(entries) if position == end else None
    return None
