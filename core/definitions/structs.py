"""Structs: the class that says what the bytes are is also the type of what decoding returns."""

from __future__ import annotations

from struct import Struct as Layout

from xenmig.core.definitions.enumerations import Value
from xenmig.core.definitions.fields import SCALARS, Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar


class Problem:
    """Something that the definition forbids, found while decoding. Decoding goes on after it."""

    __slots__ = ("kind", "field", "offset", "expected", "actual", "message")

    kind: str
    '"reserved", "value", "length" or "count".'
    field: str
    "Path of the field in the struct, for example ``leaves[3].subleaf``; empty for the struct as a whole."
    offset: int
    "Offset in the decoded bytes."
    expected: Any
    actual: Any
    message: str
    "What was found, as a sentence."

    def __init__(self, kind: str, field: str, offset: int, expected: Any, actual: Any, message: str) -> None:
        self.kind = kind
        self.field = field
        self.offset = offset
        self.expected = expected
        self.actual = actual
        self.message = message

    def __repr__(self) -> str:
        return f"Problem({self.kind!r}, {self.field!r}, {self.message!r})"


class Entry:
    """One entry of a chain: its descriptor and the data behind it."""

    __slots__ = ("descriptor", "offset", "value", "data")

    descriptor: Struct
    offset: int
    "Offset of the descriptor in the decoded bytes."
    value: Struct | None
    "The decoded data; None when the type is not known."
    data: bytes
    "The data itself, as far as it is there."

    def __init__(self, descriptor: Struct, offset: int, value: Struct | None, data: bytes) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.value = value
        self.data = data


class Struct:
    """Base of all definitions.

    Class keywords: ``record`` and ``layer`` make it the body of that record type; ``name`` overrides the name that is
    made from the class's (``X86TscInfo`` is X86_TSC_INFO); ``source`` says which section or header describes it;
    ``since`` names the Xen release that brought it; ``deprecated`` says why nothing writes it any more; ``guests``
    lists the guest types ("PV", "HVM") whose streams may hold it; ``lengths`` maps each length that a release wrote to
    that release, for structs that grew: fields that lie past the end are then absent (None) without being missing.
    ``layouts`` maps lengths at which the fields lie differently to the struct that says how; ``told_by`` names the
    fields that tell one item of an array, or one entry of a chain, from the others.
    """

    fields: ClassVar[tuple[Field, ...]] = ()
    "All fields in wire order."
    size: ClassVar[int | None] = 0
    "Size in bytes when every field has a fixed one, else None."
    record: ClassVar[int | None] = None
    layer: ClassVar[str] = ""
    name: ClassVar[str] = ""
    source: ClassVar[str] = ""
    since: ClassVar[str] = ""
    deprecated: ClassVar[str] = ""
    guests: ClassVar[tuple[str, ...]] = ("PV", "HVM")
    lengths: ClassVar[Mapping[int, str]] = {}
    layouts: ClassVar[Mapping[int, type[Struct]]] = {}
    told_by: ClassVar[tuple[str, ...]] = ()
    records: ClassVar[dict[str, dict[int, type[Struct]]]] = {}
    "Every record body by layer and type number."

    _known_layouts: ClassVar[dict[str, Layout]] = {}
    # By byte order, those that were asked for.

    problems: tuple[Problem, ...]
    "What decoding found that the definition forbids."

    def __init_subclass__(
        cls,
        record: int | None = None,
        layer: str = "",
        name: str = "",
        source: str = "",
        since: str = "",
        deprecated: str = "",
        guests: tuple[str, ...] = ("PV", "HVM"),
        lengths: Mapping[int, str] | None = None,
        layouts: Mapping[int, type[Struct]] | None = None,
        told_by: tuple[str, ...] = (),
        **keywords: Any,
    ) -> None:
        super().__init_subclass__(**keywords)
        cls.record = record
        cls.layer = layer
        cls.name = name or name_in_the_documents(cls.__name__)
        cls.source = source
        cls.since = since
        cls.deprecated = deprecated
        cls.guests = guests
        cls.lengths = lengths or {}
        cls.layouts = layouts or {}
        cls.told_by = told_by
        fields = list(cls.fields)
        offset: int | None = cls.size
        for attribute, field in list(cls.__dict__.items()):
            if type(field) is Field:
                field.name = attribute
                field.offset = offset
                if offset is not None:
                    offset = None if field.size is None or field.when is not None else offset + field.size
                fields.append(field)
                # Absent until decoding finds it.
                setattr(cls, attribute, None)
        cls.fields = tuple(fields)
        cls.size = offset
        cls._known_layouts = {}
        if record is not None:
            Struct.records.setdefault(layer, {})[record] = cls

    def __init__(self, **values: Any) -> None:
        self.problems = ()
        self.__dict__.update(values)

    @classmethod
    def record_values(cls, layer: str) -> dict[int, Value]:
        """The record types of a layer as the values of an enumeration, from the bodies defined so far."""
        values = {}
        for number, body in Struct.records[layer].items():
            named = Value(number, (body.__doc__ or "").partition("\n")[0].rstrip("."), {})
            named.name = body.name
            values[number] = named
        return values

    @classmethod
    def field(cls, name: str) -> Field:
        """The field of that name. Raises KeyError when there is none."""
        for field in cls.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @classmethod
    def layout(cls, byteorder: str = "<") -> Layout:
        """The leading numbers and fixed octets as a ``struct.Struct``, for code that cannot afford :meth:`decode`.

        Raises ValueError for a struct that mixes byte orders before its first variable field.
        """
        known = cls._known_layouts.get(byteorder)
        if known is not None:
            return known
        letters, order = "", ""
        for field in cls.fields:
            if field.offset is None or field.size is None:
                break
            if field.is_number:
                wanted = ">" if field.big else byteorder
                if order not in ("", wanted):
                    raise ValueError(f"{cls.__name__} mixes byte orders")
                order = wanted
                letters += SCALARS[field.kind][0]
            else:
                letters += f"{field.size}s"
        found = cls._known_layouts[byteorder] = Layout((order or byteorder) + letters)
        return found

    @classmethod
    def accepts(cls, length: int) -> bool:
        """Whether data of ``length`` bytes may be one of these, in this layout or in one of ``layouts``."""
        from xenmig.core.definitions.chain import accepts

        return length in cls.layouts or accepts(cls, length)

    @classmethod
    def decode(cls, data: bytes, byteorder: str = "<", offset: int = 0, end: int | None = None) -> Any:
        """Decode ``data[offset:end]``; never raises for what the bytes hold.

        Fields that the bytes do not reach are None. What the definition forbids is in ``problems``.
        """
        from xenmig.core.definitions.decoding import decode

        return decode(cls, data, byteorder, offset, len(data) if end is None else end)

    def offset_of(self, name: str) -> int:
        """Where the field of that name begins, from the beginning of the struct; 0 where that depends on others."""
        return self.field(name).offset or 0

    def items(self) -> Iterator[tuple[Field, Any]]:
        """The fields that are there, with their values, in wire order."""
        for field in self.fields:
            found = self.__dict__.get(field.name)
            if found is not None:
                yield field, found

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return [(f.name, v) for f, v in self.items()] == [(f.name, v) for f, v in other.items()]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(f"{field.name}={_short(found)}" for field, found in self.items())
        return f"{type(self).__name__}({shown})"


def name_in_the_documents(class_name: str) -> str:
    """``X86PvP2mFrames`` -> ``X86_PV_P2M_FRAMES``."""
    words = ""
    for letter in class_name:
        words += "_" + letter if letter.isupper() and words else letter
    return words.upper()


def _short(found: Any) -> str:
    shown = repr(found)
    return shown if len(shown) <= 80 else shown[:77] + "..."
