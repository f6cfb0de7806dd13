"""Makes ``shapes.py`` from the definitions: what :class:`view.View` needs to know of them.

Run as ``python -m xenmig.core.definitions.shaping``; with ``--check`` it compares instead, and exits with 1 where the
file is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from xenmig.core.definitions import bodies, chain, generated, hvm_context, libxc, registers, timers
from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.typecodes import Typecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.enumerations import Flags
    from xenmig.core.definitions.structs import Struct
    from xenmig.core.definitions.view import Bits, Place, Shape, Values

PATH = Path(__file__).with_name("shapes.py")
RECORDS = (
    *(libxc.X86CpuidPolicy, libxc.X86MsrPolicy, libxc.X86TscInfo, libxc.HvmParams, libxc.X86PvP2mFrames),
    *(libxc.X86PvVcpuBasic, libxc.X86PvVcpuExtended, libxc.X86PvVcpuXsave, libxc.X86PvVcpuMsrs, libxc.SharedInfo),
)
"The records that rules look into, besides HVM_CONTEXT."
FLAGS: dict[str, type[Flags]] = {"CR0_KNOWN": registers.Cr0, "EFER_KNOWN": registers.Efer}
"Words of flags of which only those with a name are taken: xen/arch/x86/hvm/hvm.c."


class Shaping:
    """Collects shapes: those asked for, and those of the structs inside them."""

    def __init__(self) -> None:
        self.shapes: dict[str, Shape] = {}

    def add(self, definition: type[Struct]) -> str:
        """The name of the shape of a definition."""
        name = definition.__name__
        if name not in self.shapes:
            bits: list[Bits] = []
            values: list[Values] = []
            self._asked(definition, 0, 0, 0, bits, values)
            self.shapes[name] = (
                self._lengths(definition),
                self._items(definition),
                {field.name: self._place(field, offset) for field, offset in _offsets(definition)},
                tuple(bits),
                tuple(values),
            )
        return name

    @staticmethod
    def _lengths(definition: type[Struct]) -> tuple[int, ...]:
        if definition.lengths:
            return tuple(sorted(definition.lengths))
        return () if definition.size is None else (definition.size,)

    @staticmethod
    def _items(definition: type[Struct]) -> tuple[int, int, int, int]:
        if definition.size is not None or definition.lengths:
            return (0, 1, 0, -1)
        *_, (last, before) = _offsets(definition)
        if last.kind == "octets":
            assert last.count is None
            return (before, 1, last.minimum, -1)
        assert last.kind == "array", last
        assert last.of is not None
        counter = -1
        if last.count is not None:
            field = definition.field(str(last.count))
            assert field.kind == "u32", field
            counter = field.offset or 0
        return (before, last.of.size or 0, last.minimum, counter)

    def _place(self, field: Field, offset: int) -> Place:
        size = field.size
        assert not field.big, field
        if field.is_number:
            return (offset, SCALARS[field.kind][0], 0, size or 0)
        if field.kind == "octets":
            return (offset, "", 0, size) if size is not None else (offset, "", -1, 1)
        of = field.of
        assert of is not None, field
        if field.kind == "struct":
            assert isinstance(of, type)
            return (offset, self.add(of), 0, of.size or 0)
        assert field.kind == "array", field
        kind = SCALARS[of.kind][0] if isinstance(of, Field) else self.add(of)
        return (offset, kind, field.count if isinstance(field.count, int) else -1, of.size or 0)

    def _asked(
        self, definition: type[Struct], base: int, step: int, count: int, bits: list[Bits], values: list[Values]
    ) -> None:
        """What a definition asks of its fields; ``step`` and ``count`` where it repeats."""
        for field, offset in _offsets(definition):
            at = base + offset
            if field.when is not None:
                # Only bodies in which it is there: the others are decoded.
                other = definition.field(field.when.field)
                condition = (other.offset or 0, other.size or 0, field.when.mask, field.when.equals, 1, 0)
                if condition not in bits:
                    bits.append(condition)
            if field.kind == "struct":
                assert isinstance(field.of, type)
                self._asked(field.of, at, step, count, bits, values)
            elif field.kind == "array":
                of = field.of
                number = field.count if isinstance(field.count, int) else -1
                assert of is not None
                size = of.size or 0
                # An array in an array: each item of the outer one by itself.
                for place in range(at, at + (step * count or 1), step or 1):
                    if isinstance(of, Field):
                        self._number(of, place, size, number, bits, values)
                    else:
                        self._asked(of, place, size, number, bits, values)
            else:
                self._number(field, at, step, count, bits, values)

    @staticmethod
    def _number(field: Field, at: int, step: int, count: int, bits: list[Bits], values: list[Values]) -> None:
        size = field.size or 0
        step = step or 1
        mask = want = 0
        if isinstance(field.must, bytes):
            mask, want = (1 << 8 * size) - 1, int.from_bytes(field.must, "little")
        elif field.must is not None:
            mask, want = (1 << 8 * size) - 1, field.must
        if field.flags is not None and not field.flags.open:
            mask |= (1 << 8 * size) - 1 & ~sum(1 << bit for bit in field.flags.known)
        for group in field.bits:
            if group.must is not None:
                mask |= group.mask
                want |= group.must << group.low
            elif group.values is not None and not group.values.open:
                known = tuple(group.values.known)
                if len(known) < 1 << group.width:
                    values.append((at, size, group.low, (1 << group.width) - 1, known, step, count))
        if mask:
            bits.append((at, size, mask, want, step, count))
        if field.values is not None and not field.values.open:
            known = tuple(field.values.known)
            values.append((at, size, 0, (1 << 8 * size) - 1, known, step, count))


def _offsets(definition: type[Struct]) -> list[tuple[Field, int]]:
    """The fields with their offsets, those that may be absent included."""
    found, offset = [], 0
    for field in definition.fields:
        found.append((field, offset))
        offset += field.size or 0
    return found


def text() -> str:
    """The file."""
    shaping = Shaping()
    entries = {int(code): shaping.add(kind) for code, kind in hvm_context.ENTRIES.items()}
    records: dict[int, dict[int, str]] = {}
    for plain in RECORDS:
        assert plain.record is not None
        body = bodies.BODIES.get((plain.layer, plain.record))
        choices = body.choices if body is not None else {0: plain}
        records[plain.record] = {width: shaping.add(definition) for width, definition in choices.items()}
    lines = [
        "# Generated from the definitions by `make generate`; do not edit.",
        "# fmt: off",
        '"""Where the fields of bodies lie, and what is asked of them: see :mod:`view`, which explains the tuples."""',
        "",
        "from __future__ import annotations",
        "",
        "TYPE_CHECKING = False",
        "if TYPE_CHECKING:",
        "    from xenmig.core.definitions.view import Shape",
        "",
        "SHAPES: dict[str, Shape] = {",
    ]
    for name, (lengths, items, fields, bits, values) in shaping.shapes.items():
        lines += [f'    "{name}": (', f"        {lengths}, {items},"]
        lines += _wrapped("{", [f'"{field}": {_literal(place)}' for field, place in fields.items()], "}")
        lines += _wrapped("(", [f"({a}, {b}, {_mask(b, c)}, 0x{d:x}, {e}, {f})" for a, b, c, d, e, f in bits], ")")
        lines += _wrapped("(", [str(one) for one in values], ")")
        lines += ["    ),"]
    lines += ["}", "ENTRIES: dict[int, str] = {"]
    lines += [f'    {code}: "{name}",' for code, name in entries.items()]
    lines += ["}", '"What the data of each type of entry in HVM_CONTEXT is."']
    lines += [
        "BODIES: dict[int, dict[int, str]] = {",
        *[f"    0x{key:02x}: {names},".replace("'", '"') for key, names in records.items()],
    ]
    lines += [
        "}",
        '"What the bodies of libxc records are, by type and width of the guest (0 where that does not matter)."',
    ]
    lines += ["CONTEXT_BEGINS = {", *[f'    "{order}": {_begins(order)},' for order in ("<", ">")], "}"]
    lines += ['"What HVM_CONTEXT begins with in each byte order: the descriptor of its header, and the magic number."']
    lines += [f'DESCRIPTOR = "{hvm_context.HvmSaveDescriptor.layout().format}"', f"ENTRIES_MAX = {chain.ENTRIES_MAX}"]
    lines += [f"PIT_MODES = {tuple(timers.PitMode.known)}"]
    lines += [f"{name} = 0x{sum(1 << bit for bit in flags.known):x}" for name, flags in FLAGS.items()]
    lines += [""]
    return "\n".join(lines)


def _begins(order: str) -> str:
    head = hvm_context.HvmSaveDescriptor.layout(order).pack(Typecode.HEADER, 0, hvm_context.HvmSaveHeader.size)
    return str(head + hvm_context.MAGIC.to_bytes(4, "little" if order == "<" else "big")).replace("'", '"')


def _wrapped(opening: str, items: list[str], closing: str) -> list[str]:
    """A display over lines of at most 120 characters."""
    if not items:
        return [f"        {opening}{closing},"]
    lines, line = [f"        {opening}"], " " * 11
    for item in items:
        if len(line) + len(item) > 117:
            lines.append(line)
            line = " " * 11
        line += f" {item},"
    return [*lines, line, f"        {closing},"]


def _mask(size: int, mask: int) -> str:
    return f"(1 << {8 * size}) - 1" if size > 8 and mask == (1 << 8 * size) - 1 else f"0x{mask:x}"


def _literal(place: Place) -> str:
    offset, kind, count, size = place
    return f'({offset}, "{kind}", {count}, {size})'


def main(arguments: list[str]) -> int:
    """Write the file, or with ``--check`` compare it; returns the exit code."""
    return generated.write(PATH, text(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
