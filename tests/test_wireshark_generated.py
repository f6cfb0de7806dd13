"""From definitions to Lua: text in, text out; and the committed file is what the generator writes."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import (
    Bits,
    array,
    chain,
    equals,
    has,
    i32,
    octets,
    reserved,
    strings,
    struct,
    text,
    u8,
    u16,
    u32,
    u64,
)
from xenmig.core.definitions.structs import Struct
from xenmig.wireshark.generate import TARGET, generate
from xenmig.wireshark.literals import literal, number, string
from xenmig.wireshark.rows import Rows


class Colour(Enumeration, digits=2):
    RED = value(1, "warm")
    BLUE = value(2, name="light blue")


class Anything(Enumeration, open=True):
    NOTHING = value(0)


class Switches(Flags, digits=4):
    ON = flag(0, "it is on")
    FAST = flag(9)


class Point(Struct, layer="test"):
    """A place."""

    x: int = u16("across", unit="bytes")
    y: int = i32(big=True)


class Descriptor(Struct, layer="test"):
    """In front of an entry."""

    typecode: int = u16()
    instance: int = u16()
    length: int = u32()


class Grown(Struct, layer="test", lengths={4: "1.0", 8: "2.0"}):
    """It has grown."""

    old: int = u32()
    new: int = u32(since="2.0")


def rows_of(definition: type[Struct]) -> str:
    """The rows on one line."""
    return on_one_line(literal(Rows().struct(definition)["rows"]))


def on_one_line(shown: str) -> str:
    return " ".join(shown.split()).replace(", }", " }")


def test_a_number_with_a_unit() -> None:
    class OneNumber(Struct, layer="test"):
        """Short."""

        khz: int = u32("how fast", unit="kHz")

    assert rows_of(OneNumber) == (
        '{ { name = "khz", key = "test.one_number.khz", kind = "u32", size = 4, unit = "kHz", doc = "how fast" } }'
    )


def test_names_of_values_are_collected_once() -> None:
    class Coloured(Struct, layer="test"):
        first: Colour = u8(values=Colour)
        second: Colour = u8(values=Colour)
        third: Anything = u8(values=Anything)

    rows = Rows()
    shown = on_one_line(literal(rows.struct(Coloured)["rows"]))
    assert shown.count('values = "test_wireshark_generated.Colour"') == 2
    assert on_one_line(literal(rows.enumerations)) == (
        '{ ["test_wireshark_generated.Colour"] = { digits = 2, known = "1, 2",'
        ' names = { [1] = "RED", [2] = "light blue" } },'
        ' ["test_wireshark_generated.Anything"] = { digits = 0, known = "0", open = true,'
        ' names = { [0] = "NOTHING" } } }'
    )


def test_flags_have_fields_of_their_own() -> None:
    class Switched(Struct, layer="test"):
        word: Switches = u16(flags=Switches)

    shown = rows_of(Switched)
    assert '{ name = "ON", key = "test.switched.word.on", bit = 0, doc = "it is on" }' in shown
    assert "known_lo = 513" in shown
    assert "known_hi = 0" in shown


def test_bits_say_where_they_are() -> None:
    class Packed(Struct, layer="test"):
        word: int = u64(bits=(Bits("low", 0, 52, "the rest"), Bits("high", 60, 4, values=Colour, must=1)))

    shown = rows_of(Packed)
    assert '{ name = "low", key = "test.packed.word.low", low = 0, width = 52, doc = "the rest" }' in shown
    assert 'low = 60, width = 4, values = "test_wireshark_generated.Colour", must = 1' in shown


def test_what_must_be_is_bytes_whatever_the_width() -> None:
    class Fixed(Struct, layer="test"):
        magic: int = u32(must=0x58454E46, big=True)
        zero: bytes = reserved(size=3)
        mark: bytes = octets(count=2, must=b"\x001")

    shown = rows_of(Fixed)
    assert 'must = "FNEX"' in shown
    assert r'must = "\0\0\0"' in shown
    assert r'must = "\0001"' in shown


def test_what_repeats_and_what_nests_is_put_in_place() -> None:
    class Nesting(Struct, layer="test"):
        count: int = u32()
        points: list[Point] = array(Point, count="count", minimum=1)
        numbers: list[int] = array(u16(hex=True), "some", count=3)
        place: Point = struct(Point)
        rest: list[bytes] = strings()

    shown = rows_of(Nesting)
    assert 'key = "test.nesting.points.x"' in shown
    assert 'key = "test.nesting.place.y"' in shown
    assert 'key = "test.nesting.numbers", kind = "u16", size = 2, hex = true' in shown
    assert shown.count("minimum = 1") == 1
    assert 'count = "count"' in shown
    assert 'kind = "strings"' in shown


def test_presence_is_a_mask_in_two_halves() -> None:
    class Optional(Struct, layer="test"):
        flags: int = u64()
        there: int = u8(when=has("flags", 1 << 40 | 2))
        same: bytes = text(count=4, when=equals("flags", 3))

    shown = rows_of(Optional)
    assert 'when = { field = "flags", mask_lo = 2, mask_hi = 256, equals_lo = 2, equals_hi = 256 }' in shown
    assert "mask_lo = 4294967295, mask_hi = 4294967295, equals_lo = 3, equals_hi = 0" in shown


def test_a_chain_knows_its_entries_and_their_lengths() -> None:
    class Chained(Struct, layer="test"):
        entries: list[object] = chain(Descriptor, {1: Point, 7: Grown})

    shown = rows_of(Chained)
    assert 'key = "test.chained.entries.point.x"' in shown
    assert "length_at = 4" in shown
    assert "accepts = { lengths = { [6] = true } }" in shown
    assert "accepts = { lengths = { [4] = true, [8] = true } }" in shown
    assert 'doc = "(since Xen 2.0)"' in shown


def test_strings_survive_whatever_they_hold() -> None:
    assert string(b'a"\\\n\x007\xff') == r'"a\"\\\10\0007\255"'


def test_a_number_that_lua_5_2_cannot_hold_is_refused() -> None:
    assert number(1 << 53) == "9007199254740992"
    with pytest.raises(ValueError, match="does not fit"):
        number((1 << 53) + 1)


def test_the_committed_file_is_what_the_generator_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == generate()
    assert TARGET.read_text(encoding="utf-8").splitlines()[0].startswith("-- GENERATED")


@pytest.mark.parametrize("compiler", ["luac5.2", "luac5.4"])
def test_both_luas_take_the_file(compiler: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    subprocess.run([compiler, "-p", str(TARGET)], check=True)


def test_luacheck_has_nothing_to_say() -> None:
    if shutil.which("luacheck") is None:
        pytest.skip("luacheck is not installed")
    rules = TARGET.parent / ".luacheckrc"
    done = subprocess.run(["luacheck", "--config", str(rules), str(TARGET)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
