"""What a definition can say, each shown on a small struct: what decodes, and what is a problem."""

from __future__ import annotations

import struct

import pytest

from xenmig.core.definitions import features
from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import (
    Bits,
    array,
    chain,
    equals,
    has,
    i32,
    i64,
    octets,
    reserved,
    strings,
    text,
    u8,
    u16,
    u32,
    u64,
)
from xenmig.core.definitions.fields import struct as nested
from xenmig.core.definitions.structs import Struct, name_in_the_documents

orders = pytest.mark.parametrize("order", ["<", ">"])


def kinds(found: Struct) -> list[tuple[str, str, int]]:
    return [(problem.kind, problem.field, problem.offset) for problem in found.problems]


class Colour(Enumeration):
    """Some values with names."""

    RED = value(1, "like blood", warm=True)
    BLUE = value(4, "like the sky", name="sky blue")


class Rights(Flags, digits=4):
    """Some bits with names."""

    READ = flag(0)
    WRITE = flag(3)


class Numbers(Struct):
    """One number of every kind."""

    a: int = u8()
    b: int = u16()
    c: int = u32()
    d: int = u64()
    e: int = i32()
    f: int = i64()
    g: int = u32(big=True)


@orders
def test_numbers_of_every_width_sign_and_byte_order(order: str) -> None:
    body = struct.pack(order + "BHIQiq", 1, 2, 3, 4, -5, -6) + bytes.fromhex("00000007")
    found = Numbers.decode(body, order)
    assert [number for _, number in found.items()] == [1, 2, 3, 4, -5, -6, 7]
    assert (Numbers.size, [field.offset for field in Numbers.fields]) == (31, [0, 1, 3, 7, 15, 19, 27])
    for length in range(31):
        cut = Numbers.decode(body[:length], order)
        assert kinds(cut)[0][:2] == ("length", "")
        ends = [(field.offset or 0) + (field.size or 0) for field in Numbers.fields]
        assert len(list(cut.items())) == sum(end <= length for end in ends)


def test_a_part_of_a_larger_buffer_decodes_by_offset_and_end() -> None:
    body = struct.pack("<BHIQiq", 1, 2, 3, 4, -5, -6) + bytes.fromhex("00000007")
    found = Numbers.decode(b"??" + body + b"!!", "<", 2, 33)
    assert (found.problems, found.f, found.g) == ((), -6, 7)


class Painted(Struct):
    """A number with names, one with named bits, and one with groups of bits."""

    colour: Colour = u8(values=Colour)
    rights: Rights = u16(flags=Rights)
    word: int = u64(
        bits=(Bits("low", 0, 52), Bits("gap", 52, 8, must=0), Bits("colour", 60, 4, values=Colour)),
    )


@orders
def test_names_of_values_and_bits(order: str) -> None:
    found = Painted.decode(struct.pack(order + "BHQ", 4, 9, 1 << 60 | 77), order)
    assert (found.colour.name, found.colour.doc, str(found.colour)) == ("sky blue", "like the sky", "4 (sky blue)")
    assert (found.rights.names, found.rights.unknown) == (["READ", "WRITE"], 0)
    assert str(found.rights) == "0x0009 (READ, WRITE)"
    assert [bits.of(found.word) for bits in Painted.field("word").bits] == [77, 0, 1]
    assert found.problems == ()
    assert (Colour.RED, Rights.WRITE) == (1, 8)


@orders
def test_unknown_values_and_bits_survive_and_are_problems(order: str) -> None:
    found = Painted.decode(struct.pack(order + "BHQ", 200, 0x8001, 2 << 60 | 3 << 52), order)
    assert (found.colour, found.colour.name, str(found.colour)) == (200, None, "200 (unknown)")
    assert (found.rights.unknown, str(found.rights)) == (0x8000, "0x8001 (READ, unknown 0x8000)")
    assert kinds(found) == [
        ("value", "colour", 0),
        ("reserved", "rights", 1),
        ("reserved", "word.gap", 3),
        ("value", "word.colour", 3),
    ]


class Grown(Struct, lengths={4: "4.6", 8: "4.9", 16: "4.14"}):
    """A struct that later releases made longer."""

    first: int = u32()
    second: int = u32()
    third: int = u64()


def test_lengths_that_releases_wrote_are_no_problem_and_all_others_are() -> None:
    body = struct.pack("<IIQ", 1, 2, 3)
    for length in range(20):
        found = Grown.decode((body + b"more")[:length])
        assert (found.problems == ()) == (length in (4, 8, 16)), length
        there = [number for _, number in found.items()]
        assert there == [1, 2, 3][: 3 if length >= 16 else 2 if length >= 8 else 1 if length >= 4 else 0]
    assert Grown.decode(body[:8]).third is None


class Pair(Struct):
    """Two numbers."""

    key: int = u16()
    value: int = u32(must=9)


class Lists(Struct):
    """Arrays of every kind of count."""

    count: int = u8()
    pairs: list[Pair] = array(Pair, count="count")
    two: list[int] = array(u16(values=Colour), count=2)
    rest: list[int] = array(u8(must=0), minimum=1)


@orders
def test_arrays_by_count_field_by_number_and_by_what_is_left(order: str) -> None:
    body = struct.pack(order + "BHIHIHH3B", 2, 1, 9, 2, 9, 1, 4, 0, 0, 0)
    found = Lists.decode(body, order)
    assert [(pair.key, pair.value) for pair in found.pairs] == [(1, 9), (2, 9)]
    assert (found.two, found.rest, found.problems) == ([1, 4], [0, 0, 0], ())
    assert Lists.size is None


def test_problems_inside_arrays_name_the_item_and_its_offset() -> None:
    found = Lists.decode(struct.pack("<BHIHIHH3B", 2, 1, 9, 2, 8, 1, 5, 0, 7, 0))
    assert kinds(found) == [("value", "pairs[1].value", 9), ("value", "two[1]", 15), ("reserved", "rest[1]", 18)]


def test_an_array_cut_short_keeps_the_items_that_are_whole() -> None:
    body = struct.pack("<BHIHIHH3B", 2, 1, 9, 2, 9, 1, 4, 0, 0, 0)
    for length in range(len(body) - 3):
        found = Lists.decode(body[:length])
        assert [kind for kind, *_ in kinds(found)] == ["length"]
        assert len(found.pairs or []) == (max(0, length - 1) // 6 if length < 13 else 2)
    assert kinds(Lists.decode(body[:-3]))[0][:2] == ("count", "rest")


class Outer(Struct):
    """A struct in a struct, and what stands behind it."""

    head: Pair = nested(Pair)
    tail: bytes = octets(count=2, must=b"ok")


@orders
def test_nested_structs_are_structs_and_their_problems_have_paths(order: str) -> None:
    found = Outer.decode(struct.pack(order + "HI", 5, 9) + b"ok", order)
    assert (found.head, found.tail, found.problems) == (Pair(key=5, value=9), b"ok", ())
    assert kinds(Outer.decode(struct.pack(order + "HI", 5, 8) + b"no", order)) == [
        ("value", "head.value", 2),
        ("value", "tail", 6),
    ]
    for length in range(8):
        cut = Outer.decode(bytes(8)[:length], order)
        assert "length" in [kind for kind, *_ in kinds(cut)]


class Conditional(Struct):
    """Fields that are there only when another says so."""

    flags: int = u8()
    by_bit: int = u16(when=has("flags", 2))
    kind: int = u8()
    by_value: int = u32(when=equals("kind", 7))
    last: int = u8()


@orders
def test_conditional_fields_are_there_exactly_when_they_must_be(order: str) -> None:
    for flags, kind in ((0, 0), (2, 0), (0, 7), (3, 7), (1, 6)):
        body = bytes([flags])
        body += struct.pack(order + "H", 0x1234) if flags & 2 else b""
        body += bytes([kind])
        body += struct.pack(order + "I", 0x56789ABC) if kind == 7 else b""
        found = Conditional.decode(body + b"\xee", order)
        assert found.by_bit == (0x1234 if flags & 2 else None)
        assert found.by_value == (0x56789ABC if kind == 7 else None)
        assert (found.last, found.problems) == (0xEE, ())
        for length in range(len(body) + 1):
            assert [kind for kind, *_ in kinds(Conditional.decode(body[:length], order))] == ["length"]


class Descriptor(Struct):
    """In front of each entry."""

    type: int = u16()
    instance: int = u16()
    length: int = u32()


class EndOfChain(Struct):
    """Ends the chain."""


class Known(Struct):
    """An entry that is known."""

    number: int = u32(must=3)


class Chained(Struct):
    """Typed entries."""

    entries: list[object] = chain(Descriptor, {0: EndOfChain, 1: Known})


def entry(order: str, kind: int, data: bytes, length: int | None = None) -> bytes:
    return struct.pack(order + "HHI", kind, 0, len(data) if length is None else length) + data


@orders
def test_a_chain_is_walked_to_its_end_over_known_and_unknown_entries(order: str) -> None:
    body = entry(order, 1, struct.pack(order + "I", 3)) + entry(order, 9, b"abcde") + entry(order, 0, b"")
    found = Chained.decode(body, order)
    assert [(int(one.descriptor.type), one.offset, one.data) for one in found.entries] == [
        (1, 0, struct.pack(order + "I", 3)),
        (9, 12, b"abcde"),
        (0, 25, b""),
    ]
    assert [type(one.value) for one in found.entries] == [Known, type(None), EndOfChain]
    assert found.problems == ()


@orders
def test_a_chain_cut_anywhere_keeps_the_entries_in_front(order: str) -> None:
    body = entry(order, 1, struct.pack(order + "I", 3)) + entry(order, 9, b"abcde") + entry(order, 0, b"")
    for length in range(len(body)):
        found = Chained.decode(body[:length], order)
        entries = found.entries or []
        assert [one.offset for one in entries] == [at for at in (0, 12) if at + 8 <= length]
        if length not in (0, 12, 25):
            assert found.problems, length


@orders
def test_problems_of_an_entry_and_a_length_that_lies(order: str) -> None:
    wrong = Chained.decode(entry(order, 1, struct.pack(order + "I", 4)) + entry(order, 0, b""), order)
    assert kinds(wrong) == [("value", "entries[0].number", 8)]
    lying = Chained.decode(entry(order, 9, b"abc", 0xFFFFFFFF), order)
    assert ("length", "entries[0]") in [(kind, field) for kind, field, _ in kinds(lying)]
    assert lying.entries[0].data == b"abc"
    behind = Chained.decode(entry(order, 0, b"") + b"12345678", order)
    assert [kind for kind, *_ in kinds(behind)] == ["length"]


class Texts(Struct):
    """Bytes with a count, zeros, text and strings."""

    length: int = u8()
    label: bytes = text(count="length")
    zeros: bytes = reserved(size=3)
    pairs: list[bytes] = strings()


def test_texts_zeros_and_strings() -> None:
    found = Texts.decode(b"\4abc\0\0\0\0key\0value\0")
    assert (found.label, found.zeros, found.pairs, found.problems) == (b"abc\0", bytes(3), [b"key", b"value"], ())
    assert kinds(Texts.decode(b"\0\0\1\0key\0value\0")) == [("reserved", "zeros", 1)]
    assert kinds(Texts.decode(b"\xffabc"))[0][0] == "length"


def test_names_are_made_as_the_documents_write_them() -> None:
    assert name_in_the_documents("X86PvP2mFrames") == "X86_PV_P2M_FRAMES"
    assert name_in_the_documents("End") == "END"


def test_structs_compare_by_what_they_hold() -> None:
    assert Pair.decode(b"\1\0\x09\0\0\0") == Pair(key=1, value=9) != Pair(key=2, value=9)
    assert Pair(key=1) != Numbers(a=1)


def test_a_layout_is_made_of_the_leading_fixed_fields() -> None:
    assert (Pair.layout("<").format, Pair.layout(">").format) == ("<HI", ">HI")
    assert Lists.layout().format == "<B"
    with pytest.raises(ValueError, match="Numbers mixes byte orders"):
        Numbers.layout("<")


def test_every_feature_of_the_processor_says_what_it_means() -> None:
    known = [one for word in features.WORDS for one in word.known.values()]
    assert [one.name for one in known if not one.doc] == []
