"""Decoding by definition: one interpreter for every struct.

It is loaded when the first body is decoded: verifying the page data of a stream does not need it.
"""

from __future__ import annotations

from struct import Struct as Layout

from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.structs import Entry, Problem, Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NUMBERS = {(kind, order): Layout(order + letter) for kind, (letter, _) in SCALARS.items() for order in ("<", ">")}


def decode(cls: type[Struct], data: bytes, byteorder: str, offset: int, end: int) -> Struct:
    """See :meth:`Struct.decode`."""
    problems: list[Problem] = []
    found, position = _struct(cls, data, byteorder, offset, end, "", problems)
    if position < end:
        problems.append(
            Problem(
                "length",
                "",
                position - offset,
                position - offset,
                end - offset,
                f"{_bytes(end - position)} more, where {cls.name} should end after {position - offset}",
            )
        )
    elif cls.lengths and end - offset not in cls.lengths:
        known = ", ".join(str(length) for length in cls.lengths)
        problems.append(
            Problem(
                "length", "", 0, tuple(cls.lengths), end - offset, f"{_bytes(end - offset)} long, known are {known}"
            )
        )
    found.problems = tuple(problems)
    return found


def _count(number: int, noun: str) -> str:
    from xenmig.core.quantity import quantity

    return quantity(number, noun)


def _bytes(number: int) -> str:
    return _count(number, "byte")


def _struct(
    cls: type[Struct], data: bytes, byteorder: str, offset: int, end: int, path: str, problems: list[Problem]
) -> tuple[Struct, int]:
    """Decode one struct at ``offset``; returns it and the position after it."""
    found = cls()
    values = found.__dict__
    position = offset
    for field in cls.fields:
        if field.when is not None:
            other = values.get(field.when.field)
            if other is None or not field.when.holds(int(other)):
                continue
        value, position, complete = _field(field, data, byteorder, position, end, path + field.name, problems, values)
        if value is not None:
            values[field.name] = value
        if not complete:
            if not (cls.lengths and position == end):
                problems.append(_too_short(cls, field, offset, position, end, path))
            return found, end
    return found, position


def _too_short(cls: type[Struct], field: Field, offset: int, position: int, end: int, path: str) -> Problem:
    needed = cls.size
    actual = end - offset
    if needed is not None:
        message = f"{_bytes(actual)} long, {cls.name} needs {needed}"
        return Problem("length", path.rstrip("."), offset, needed, actual, message)
    message = f"{_bytes(actual)} long, ends inside {path}{field.name}"
    return Problem("length", path + field.name, position, None, actual, message)


def _field(
    field: Field,
    data: bytes,
    byteorder: str,
    position: int,
    end: int,
    path: str,
    problems: list[Problem],
    values: dict[str, Any],
) -> tuple[Any, int, bool]:
    """Decode one field; returns its value, the position after it and whether all of it was there."""
    kind = field.kind
    if kind in SCALARS:
        size = SCALARS[kind][1]
        if position + size > end:
            return None, position, False
        (number,) = _NUMBERS[kind, ">" if field.big else byteorder].unpack_from(data, position)
        return _meaning(field, number, position, path, problems), position + size, True
    if kind in ("octets", "text", "strings"):
        size = _bytes_wanted(field, position, end, values)
        taken = bytes(data[position : min(position + size, end)])
        complete = len(taken) == size and size >= field.minimum
        if field.must is not None and complete and taken != field.must:
            problems.append(_unexpected(field, taken, position, path))
        if kind == "strings":
            return _strings(taken, position, path, problems), position + len(taken), complete
        return taken, position + len(taken), complete
    if kind == "struct":
        nested = field.of
        assert isinstance(nested, type)
        if nested.size is not None and position + nested.size > end:
            return None, position, False
        value, after = _struct(nested, data, byteorder, position, end, path + ".", problems)
        return value, after, True
    if kind == "array":
        return _array(field, data, byteorder, position, end, path, problems, values)
    if kind == "chain":
        return _chain(field, data, byteorder, position, end, path, problems)
    # Guest memory is never decoded: what is left belongs to it.
    return None, end, True


def _bytes_wanted(field: Field, position: int, end: int, values: dict[str, Any]) -> int:
    if field.size is not None:
        return field.size
    if isinstance(field.count, str):
        return int(values.get(field.count) or 0)
    return end - position


def _meaning(field: Field, number: int, position: int, path: str, problems: list[Problem]) -> Any:
    """Check a number against its field and give it its type."""
    if field.must is not None and number != field.must:
        problems.append(_unexpected(field, number, position, path))
    for bits in field.bits:
        part = bits.of(number)
        if bits.must is not None and part != bits.must:
            message = f"{path}.{bits.name} is 0x{part:x}, must be 0x{bits.must:x}"
            problems.append(Problem("reserved", f"{path}.{bits.name}", position, bits.must, part, message))
        elif bits.values is not None and part not in bits.values.known and not bits.values.open:
            message = f"{path}.{bits.name} is {bits.values(part)}"
            problems.append(Problem("value", f"{path}.{bits.name}", position, None, part, message))
    if field.values is not None:
        meaning = field.values(number)
        if number not in field.values.known and not field.values.open:
            known = ", ".join(str(one) for one in field.values.known)
            message = f"{path} is {meaning}, known are {known}"
            problems.append(Problem("value", path, position, tuple(field.values.known), number, message))
        return meaning
    if field.flags is not None:
        word = field.flags(number)
        if word.unknown and not word.open:
            message = f"{path} has bits set that mean nothing: 0x{word.unknown:x}"
            problems.append(Problem("reserved", path, position, number & ~word.unknown, number, message))
        return word
    return number


def _unexpected(field: Field, found: int | bytes, position: int, path: str) -> Problem:
    must = field.must
    if isinstance(found, bytes) and isinstance(must, bytes):
        message = f"{path} is {found[:32].hex(' ')}, must be {must[:32].hex(' ')}"
        kind = "value" if must.strip(b"\0") else "reserved"
    else:
        assert isinstance(found, int)
        assert isinstance(must, int)
        message = f"{path} is 0x{found:x}, must be 0x{must:x}"
        kind = "value" if must else "reserved"
    return Problem(kind, path, position, must, found, message)


def _strings(data: bytes, position: int, path: str, problems: list[Problem]) -> list[bytes]:
    """Split NUL-terminated strings; libxl-migration-stream, EMULATOR_XENSTORE_DATA."""
    if not data:
        return []
    parts = data.split(b"\0")
    if parts[-1]:
        problems.append(Problem("value", path, position + len(data) - 1, 0, data[-1], f"{path} does not end in a NUL"))
    else:
        parts.pop()
    if len(parts) % 2:
        strings = _count(len(parts), "string")
        problems.append(
            Problem("count", path, position, None, len(parts), f"{path} has a key without a value: {strings}")
        )
    return parts


def _array(
    field: Field,
    data: bytes,
    byteorder: str,
    position: int,
    end: int,
    path: str,
    problems: list[Problem],
    values: dict[str, Any],
) -> tuple[Any, int, bool]:
    of = field.of
    assert of is not None
    item_size = of.size
    assert item_size, "items of an array have a fixed size"
    room = (end - position) // item_size
    if isinstance(field.count, int):
        wanted = field.count
    elif isinstance(field.count, str):
        wanted = int(values.get(field.count) or 0)
    else:
        wanted = room
        left = end - position - room * item_size
        if left:
            message = f"{path}: {_bytes(left)} left over after {room} of {item_size} each"
            problems.append(Problem("length", path, end - left, room * item_size, end - position, message))
            end -= left
    here = min(wanted, room)
    if here < field.minimum and here == wanted:
        message = f"{path} holds {here}, the least is {field.minimum}"
        problems.append(Problem("count", path, position, field.minimum, here, message))
    after = position + here * item_size
    if isinstance(of, Field):
        letter = SCALARS[of.kind][0]
        order = ">" if of.big else byteorder
        numbers = list(Layout(f"{order}{here}{letter}").unpack_from(data, position))
        if of.must is not None or of.bits or of.values is not None or of.flags is not None:
            numbers = [
                _meaning(of, number, position + i * item_size, f"{path}[{i}]", problems)
                for i, number in enumerate(numbers)
            ]
        return numbers, after if here == wanted else end, here == wanted
    items = [
        _struct(of, data, byteorder, position + i * item_size, after, f"{path}[{i}].", problems)[0] for i in range(here)
    ]
    return items, after if here == wanted else end, here == wanted


def _chain(
    field: Field, data: bytes, byteorder: str, position: int, end: int, path: str, problems: list[Problem]
) -> tuple[list[Entry], int, bool]:
    """Walk typed entries; the entry of type 0 ends the chain."""
    from xenmig.core.definitions.chain import ENTRIES_MAX, Walk

    descriptor = field.of
    assert isinstance(descriptor, type)
    assert descriptor.size
    first = descriptor.fields[0].name
    entries: list[Entry] = []
    walk = Walk(field, data, byteorder, end)
    kind = -1
    while position + descriptor.size <= end and len(entries) < ENTRIES_MAX:
        where = f"{path}[{len(entries)}]"
        head, data_at = _struct(descriptor, data, byteorder, position, end, where + ".", problems)
        length = int(head.__dict__["length"])
        kind = int(getattr(head, first))
        stop, following, searched = walk.next(position)
        body = bytes(data[data_at:stop])
        if searched:
            wrong = (
                f"announces {_bytes(length)}, behind which nothing known begins" if kind else "ends the chain too early"
            )
            message = f"{where} {wrong}; the chain is picked up again {_bytes(following - data_at)} on, at {following}"
            problems.append(Problem("length", where, position, following - data_at, length, message))
        elif len(body) < length:
            message = f"{where} announces {_bytes(length)}, left: {len(body)}"
            problems.append(Problem("length", where, position, len(body), length, message))
        value: Struct | None = None
        known = field.entries.get(kind)
        if known is not None:
            value = decode(known.layouts.get(len(body), known), body, byteorder, 0, len(body))
            for problem in value.problems:
                inside = f"{where}.{problem.field}" if problem.field else where
                problems.append(
                    Problem(
                        problem.kind,
                        inside,
                        data_at + problem.offset,
                        problem.expected,
                        problem.actual,
                        problem.message,
                    )
                )
        entries.append(Entry(head, position, value, body))
        position = following
        if kind == 0 and not searched:
            return entries, position, True
    if len(entries) == ENTRIES_MAX:
        message = f"{path} has more than {ENTRIES_MAX} entries: {_bytes(end - position)} left undecoded"
    elif position < end:
        message = f"{path}: {_bytes(end - position)} left over, a descriptor has {descriptor.size}"
    else:
        message = f"{path} ends without the entry of type 0 that ends it"
    problems.append(Problem("length", path, position, descriptor.size, end - position, message))
    return entries, end, True
