"""Whatever a definition is made of, the dissector decodes by it as the core does: same fields, same problems."""

from __future__ import annotations

import random
import shutil
import struct as layout
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.dissected import _struct
from tests.tshark import ROOT
from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import (
    SCALARS,
    Bits,
    Field,
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
from xenmig.wireshark.facts import facts
from xenmig.wireshark.generate import compose
from xenmig.wireshark.rows import Rows, key_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dissected import Leaf


class Kind(Enumeration, digits=4):
    ONE = value(1)
    TWO = value(2)


class Switches(Flags):
    LOW = flag(0)
    HIGH = flag(40)


class Inner(Struct, layer="test"):
    """Nested."""

    a: int = u16(must=7)
    b: int = i32(big=True)


class Descriptor(Struct, layer="test"):
    """In front of an entry."""

    typecode: int = u16()
    instance: int = u16()
    length: int = u32()


class Older(Struct, layer="test"):
    """As it was."""

    only: int = u16()


class Entry(Struct, layer="test", lengths={4: "1.0", 8: "2.0"}, layouts={2: Older}):
    """It has grown."""

    old: int = u32()
    new: int = u32(values=Kind)


class Variable(Struct, layer="test"):
    """It has a tail."""

    count: int = u32()
    inners: list[Inner] = array(Inner, count="count")


class Everything(Struct, layer="test"):
    """One of each kind."""

    flags: int = u64(flags=Switches)
    kind: int = u16(values=Kind)
    word: int = u64(bits=(Bits("low", 0, 52), Bits("middle", 52, 8, must=0), Bits("high", 60, 4, values=Kind)))
    zero: bytes = reserved(size=2)
    there: int = u32(when=has("flags", 1 << 40))
    same: int = u8(when=equals("kind", 2))
    inner: Inner = struct(Inner)
    length: int = u8()
    label: bytes = text(count="length")
    some: list[int] = array(u16(must=1), count=2)
    rest: list[int] = array(u32(), minimum=1)


class Texts(Struct, layer="test"):
    """Strings."""

    number: int = u8()
    pairs: list[bytes] = strings()


class Opaque(Struct, layer="test"):
    """Bytes."""

    magic: bytes = octets(count=3, must=b"abc")
    rest: bytes = octets(minimum=2)


class Chained(Struct, layer="test"):
    """A chain."""

    entries: list[object] = chain(Descriptor, {1: Inner, 2: Entry, 3: Variable})


DEFINITIONS: tuple[type[Struct], ...] = (Everything, Texts, Opaque, Chained, Variable, Entry)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = Rows()
    found = dict(facts(rows))
    structs = {key_of(definition): rows.struct(definition) for definition in DEFINITIONS}
    composed = compose(
        {
            **found,
            "version": "0",
            "structs": structs,
            "record_keys": {},
            "closest": {},
            "enumerations": rows.enumerations,
        }
    )
    path = tmp_path_factory.mktemp("vocabulary") / "composed.lua"
    # The parts that decode streams ask for records while they load.
    path.write_text(composed.replace("definitions.records = {}", "definitions.records = { libxl = {}, libxc = {} }"))
    return path


def examples() -> list[tuple[type[Struct], str, bytes]]:
    chance = random.Random(5)
    found: list[tuple[type[Struct], str, bytes]] = []
    for definition in DEFINITIONS:
        for _ in range(14):
            data = bytearray(chance.randbytes(chance.randrange(0, 90)))
            # Small numbers make counts, types and lengths that fit.
            for place in range(len(data)):
                if chance.random() < 0.7:
                    data[place] = chance.choice((0, 0, 0, 1, 2, 3))
            found.append((definition, chance.choice("<>"), bytes(data)))
    entries = [(1, bytes((7, 0, 0, 0, 0, 1))), (2, bytes((1, 2))), (2, bytes(4)), (2, bytes(8)), (9, b"??")]
    links = [layout.pack("<HHI", kind, 0, len(data)) + data for kind, data in entries]
    whole = b"".join(links) + layout.pack("<HHI", 3, 0, 4 + 12) + layout.pack("<I", 2) + bytes(12) + bytes(8)
    found.append((Chained, "<", whole))
    for _ in range(30):
        broken = bytearray(whole)
        broken[chance.randrange(len(broken))] = chance.choice((0, 1, 2, 3, 200))
        found.append((Chained, "<", bytes(broken)))
    return found


def by_the_core(definition: type[Struct], order: str, data: bytes) -> tuple[list[Leaf], list[str]]:
    decoded = definition.decode(data, order)
    leaves: list[Leaf] = []
    _struct(decoded, key_of(definition), leaves)
    return leaves, [f"{one.kind}|{one.message}" for one in decoded.problems]


def by_the_dissector(
    lua: str, script: Path, definition: type[Struct], order: str, data: bytes
) -> tuple[list[tuple[str, str]], list[str]]:
    driver = ROOT / "tests" / "lua" / "decode.lua"
    command = [lua, str(driver), str(script), key_of(definition), order, data.hex()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    leaves = [tuple(line.split()[1:3]) for line in lines if line.startswith("leaf ")]
    problems = [line.removeprefix("problem ") for line in lines if line.startswith("problem ")]
    return [(key, data) for key, data in leaves], problems


def kinds(definition: type[Struct], key: str, found: dict[str, Field]) -> dict[str, Field]:
    """Every field by its key."""
    for field in definition.fields:
        _kind(field, f"{key}.{field.name.lower()}", found)
    for other in definition.layouts.values():
        kinds(other, key, found)
    return found


def _kind(field: Field, key: str, found: dict[str, Field]) -> None:
    if isinstance(field.of, Field):
        _kind(field.of, key, found)
    elif isinstance(field.of, type):
        kinds(field.of, key, found)
        for entry in field.entries.values():
            kinds(entry, f"{key}.{entry.name.lower()}", found)
    else:
        found[key] = field


@pytest.mark.parametrize("lua", ["lua5.2", "lua5.4"])
def test_the_dissector_decodes_as_the_core_does(lua: str, script: Path) -> None:
    if shutil.which(lua) is None:
        pytest.skip(f"{lua} is not installed")
    problems_seen = set()
    for definition, order, data in examples():
        expected, problems = by_the_core(definition, order, data)
        found, said = by_the_dissector(lua, script, definition, order, data)
        fields = kinds(definition, key_of(definition), {})
        named: list[Leaf] = []
        for key, digits in found:
            field = fields.get(key)
            raw = bytes.fromhex(digits)
            if field is not None and field.kind in SCALARS:
                signed = field.kind[0] == "i"
                big = field.big or order == ">"
                named.append((key, int.from_bytes(raw, "big" if big else "little", signed=signed)))
            else:
                named.append((key, raw.removesuffix(b"\0") if field is not None and field.kind == "strings" else raw))
        assert named == expected, (definition, order, data.hex())
        assert sorted(said) == sorted(problems), (definition, order, data.hex())
        problems_seen |= {one.partition("|")[0] for one in problems}
    assert problems_seen == {"reserved", "value", "length", "count"}
