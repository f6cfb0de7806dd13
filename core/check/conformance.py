"""Whether a body is as its definition wants it, decided without decoding it.

Most records are right, so decoding each only to learn that would be most of the work of a check. A definition is turned
into a test of its leading fields and of its length; only a body that fails it, or has a kind of field that is not
covered here, is decoded. A test says yes exactly where :meth:`Struct.decode` finds nothing wrong.
"""

from __future__ import annotations

from xenmig.core.definitions.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from xenmig.core.definitions.structs import Struct

    Conforms: TypeAlias = Callable[[bytes, str], bool]


def conformance(definition: type[Struct]) -> Conforms:
    """A function that takes a body and its byte order ("<" or ">") and says whether the definition has no objection."""
    test = _from_length(definition) or _from_head(definition)
    return test or (lambda body, order: not definition.decode(body, order).problems)


def fixed_bytes(definition: type[Struct], length: int, order: str) -> dict[int, bytes] | None:
    """What a right body of ``length`` bytes holds at which offsets, when that is all that its definition asks.

    None when it asks for more, or when no body of that length is right. Reserved fields are zero, and a field that
    counts the items behind it can have one value only.
    """
    if _from_length(definition) is not None:
        return {} if length_fits(definition, length) else None
    fields = definition.fields
    last = None if definition.size is not None else fields[-1]
    head = fields if last is None else fields[:-1]
    if _from_head(definition) is None or any(field.values is not None for field in head):
        return None
    fixed = {field.offset or 0: bytes(field.size or 0) for field in head if field.must is not None}
    if last is None or last.kind != "array":
        return fixed if length_fits(definition, length) else None
    counter = definition.field(str(last.count))
    item = last.of.size if last.of is not None else None
    items, left = divmod(length - (last.offset or 0), item or 1)
    if left or items < 0 or counter.size is None:
        return None
    fixed[counter.offset or 0] = items.to_bytes(counter.size, "little" if order == "<" else "big")
    return fixed


def length_fits(definition: type[Struct], length: int) -> bool:
    """Whether a body of ``length`` bytes, whose contents are not at hand, could be one of this kind."""
    size = definition.size
    if size is not None:
        return length == size
    last = definition.fields[-1]
    if last.offset is None:
        return True
    if last.kind == "array" and last.count is None and last.of is not None and last.of.size:
        items, left = divmod(length - last.offset, last.of.size)
        return items >= last.minimum and not left
    return length >= last.offset + (last.minimum if last.kind == "octets" else 0)


def _from_length(definition: type[Struct]) -> Conforms | None:
    """For a body of which nothing but the length matters."""
    if definition.lengths or any(_restricted(field) for field in definition.fields):
        return None
    size = definition.size
    if size is not None:
        return lambda body, _order: len(body) == size
    *head, last = definition.fields
    before = last.offset
    if before is None or any(field.size is None for field in head):
        return None
    if last.kind == "octets" and last.count is None:
        least = before + last.minimum
        return lambda body, _order: len(body) >= least
    if last.kind == "array" and last.count is None and _free_item(last):
        item = last.of.size if last.of is not None else 0
        assert item
        least = before + item * last.minimum
        return lambda body, _order: len(body) >= least and not (len(body) - before) % item
    return None


def _from_head(definition: type[Struct]) -> Conforms | None:
    """For a body that begins with numbers of which some are restricted."""
    if definition.lengths:
        return None
    fields = definition.fields
    last = None if definition.size is not None else fields[-1]
    head = fields if last is None else fields[:-1]
    if any(not _simple(field) for field in head) or (last is not None and last.when is not None):
        return None
    try:
        unpack = {order: definition.layout(order).unpack_from for order in ("<", ">")}
    except ValueError:
        return None
    size = definition.layout().size
    zeros = [field for field in head if field.must is not None]
    if any(field.must not in (0, bytes(field.size or 0)) for field in zeros):
        return None
    # Zero is zero in either byte order.
    places = [
        (field.offset, field.offset + field.size, bytes(field.size))
        for field in zeros
        if field.size is not None and field.offset is not None
    ]
    values = [(index, field.values.known) for index, field in enumerate(head) if field.values is not None]
    counter, item = -1, 0
    if last is not None:
        if last.kind == "array" and isinstance(last.count, str) and not last.minimum and _free_item(last):
            counter = [field.name for field in head].index(last.count)
            item = last.of.size or 0 if last.of is not None else 0
        elif not (last.kind == "octets" and last.count is None and last.must is None):
            return None
    least = size + (last.minimum if last is not None else 0)
    if last is not None and len(places) == 1 and not values:
        ((start, end, zero),) = places
        if not item:
            return lambda body, _order: body[start:end] == zero and len(body) >= least
        return lambda body, order: (
            body[start:end] == zero and len(body) >= size and len(body) == size + unpack[order](body)[counter] * item
        )
    exact = last is None

    def conforms(body: bytes, order: str) -> bool:
        length = len(body)
        if length != size if exact else length < least:
            return False
        for start, end, zero in places:
            if body[start:end] != zero:
                return False
        found: tuple[Any, ...] = unpack[order](body)
        for index, known in values:
            if found[index] not in known:
                return False
        return not item or length == size + found[counter] * item

    return conforms


def _restricted(field: Field) -> bool:
    return not (field.must is None and field.values is None and field.flags is None and not field.bits) or (
        field.when is not None or field.kind in ("struct", "strings", "chain", "pages")
    )


def _simple(field: Field) -> bool:
    """Whether the test of :func:`_from_head` covers all that is said of a field."""
    if field.when is not None or field.flags is not None or field.bits:
        return False
    return field.is_number or (field.kind == "octets" and field.size is not None)


def _free_item(field: Field) -> bool:
    """Whether nothing is said of the items of an array but their size."""
    of = field.of
    if isinstance(of, Field):
        return not _restricted(of)
    return of is not None and of.size is not None and not any(_restricted(inner) for inner in of.fields)
