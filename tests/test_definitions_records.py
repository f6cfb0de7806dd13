"""Every record body decodes as Xen's headers and documents lay it out, in both byte orders, whole and cut short."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from xenmig.core.definitions import libvirt, libxc, libxl, xl
from xenmig.core.definitions.structs import Struct

Layout = list[tuple[int, str, Any, str]]
"Offset, letter of the struct module, value, name of the field or of the item's field."

FIXED: dict[str, tuple[type[Struct], int, Layout]] = {
    "X86_PV_INFO": (
        libxc.X86PvInfo,
        8,
        [(0, "B", 8, "guest_width"), (1, "B", 4, "pt_levels"), (2, "H", 0, "reserved1"), (4, "I", 0, "reserved2")],
    ),
    "X86_TSC_INFO": (
        libxc.X86TscInfo,
        24,
        [
            (0, "I", 2, "mode"),
            (4, "I", 2_400_000, "khz"),
            (8, "Q", 0x1122334455667788, "nsec"),
            (16, "I", 7, "incarnation"),
            (20, "I", 0, "reserved1"),
        ],
    ),
    "CHECKPOINT_STATE": (libxl.CheckpointState, 4, [(0, "I", 2, "control_id")]),
    "domain header": (
        libxc.DomainHeader,
        16,
        [
            (0, "I", 2, "type"),
            (4, "H", 12, "page_shift"),
            (6, "H", 0, "reserved1"),
            (8, "I", 4, "xen_major"),
            (12, "I", 17, "xen_minor"),
        ],
    ),
    "record header": (libxc.RecordHeader, 8, [(0, "I", 0x11, "type"), (4, "I", 48, "length")]),
    "HVM parameter": (libxc.HvmParam, 16, [(0, "Q", 17, "index"), (8, "Q", 0xFEFFF, "value")]),
    "vcpu MSR": (
        libxc.VcpuMsr,
        16,
        [(0, "I", 0xC0000103, "index"), (4, "I", 0, "reserved1"), (8, "Q", 1 << 63, "value")],
    ),
    "CPUID leaf": (
        libxc.CpuidLeaf,
        24,
        [
            (0, "I", 7, "leaf"),
            (4, "I", 0xFFFFFFFF, "subleaf"),
            (8, "I", 1, "a"),
            (12, "I", 2, "b"),
            (16, "I", 3, "c"),
            (20, "I", 0x80000000, "d"),
        ],
    ),
    "MSR entry": (libxc.MsrEntry, 16, [(0, "I", 0xCE, "idx"), (4, "I", 0, "flags"), (8, "Q", 1 << 31, "val")]),
}
WITH_REST: dict[str, tuple[type[Struct], Layout, str]] = {
    "X86_PV_VCPU_BASIC": (libxc.X86PvVcpuBasic, [(0, "I", 3, "vcpu_id"), (4, "I", 0, "reserved1")], "context"),
    "X86_PV_VCPU_EXTENDED": (libxc.X86PvVcpuExtended, [(0, "I", 3, "vcpu_id"), (4, "I", 0, "reserved1")], "context"),
    "X86_PV_VCPU_XSAVE": (libxc.X86PvVcpuXsave, [(0, "I", 3, "vcpu_id"), (4, "I", 0, "reserved1")], "context"),
    "X86_PV_VCPU_MSRS": (libxc.X86PvVcpuMsrs, [(0, "I", 3, "vcpu_id"), (4, "I", 0, "reserved1")], "context"),
    "EMULATOR_CONTEXT": (libxl.EmulatorContext, [(0, "I", 2, "emulator_id"), (4, "I", 0, "index")], "emulator_ctx"),
}
EMPTY: list[type[Struct]] = [
    libxc.End,
    libxc.Verify,
    libxc.Checkpoint,
    libxc.StaticDataEnd,
    libxl.End,
    libxl.LibxcContext,
    libxl.CheckpointEnd,
]

ARRAYS: dict[str, tuple[type[Struct], str, int, bool]] = {
    "HVM_PARAMS": (libxc.HvmParams, "params", 16, True),
    "X86_CPUID_POLICY": (libxc.X86CpuidPolicy, "leaves", 24, False),
    "X86_MSR_POLICY": (libxc.X86MsrPolicy, "msrs", 16, False),
    "X86_PV_P2M_FRAMES": (libxc.X86PvP2mFrames, "p2m_pfns", 8, False),
    "CHECKPOINT_DIRTY_PFN_LIST": (libxc.CheckpointDirtyPfnList, "pfns", 8, False),
}
"Struct, field, size of an item, and whether a count and a reserved word stand in front."

TYPES = {
    "libxc": {
        0x00: "END",
        0x01: "PAGE_DATA",
        0x02: "X86_PV_INFO",
        0x03: "X86_PV_P2M_FRAMES",
        0x04: "X86_PV_VCPU_BASIC",
        0x05: "X86_PV_VCPU_EXTENDED",
        0x06: "X86_PV_VCPU_XSAVE",
        0x07: "SHARED_INFO",
        0x08: "X86_TSC_INFO",
        0x09: "HVM_CONTEXT",
        0x0A: "HVM_PARAMS",
        0x0B: "TOOLSTACK",
        0x0C: "X86_PV_VCPU_MSRS",
        0x0D: "VERIFY",
        0x0E: "CHECKPOINT",
        0x0F: "CHECKPOINT_DIRTY_PFN_LIST",
        0x10: "STATIC_DATA_END",
        0x11: "X86_CPUID_POLICY",
        0x12: "X86_MSR_POLICY",
    },
    "libxl": {
        0x0: "END",
        0x1: "LIBXC_CONTEXT",
        0x2: "EMULATOR_XENSTORE_DATA",
        0x3: "EMULATOR_CONTEXT",
        0x4: "CHECKPOINT_END",
        0x5: "CHECKPOINT_STATE",
    },
}

orders = pytest.mark.parametrize("order", ["<", ">"])


def laid_out(layout: Layout, size: int, order: str) -> bytes:
    """A body with each field packed at its own offset."""
    body = bytearray(size)
    for offset, letter, number, _ in layout:
        struct.pack_into(order + letter, body, offset, number)
    return bytes(body)


def kinds(found: Struct) -> list[tuple[str, str]]:
    return [(problem.kind, problem.field) for problem in found.problems]


@pytest.mark.parametrize("layer", TYPES)
def test_record_types_have_the_numbers_and_names_of_the_documents(layer: str) -> None:
    assert {number: body.name for number, body in Struct.records[layer].items()} == TYPES[layer]
    known = libxc.RecordType.known if layer == "libxc" else libxl.RecordType.known
    assert {number: named.name for number, named in known.items()} == TYPES[layer]


@orders
@pytest.mark.parametrize("name", FIXED)
def test_fields_stand_where_xen_puts_them(name: str, order: str) -> None:
    definition, size, layout = FIXED[name]
    assert definition.size == size
    found = definition.decode(laid_out(layout, size, order), order)
    assert {field.name: value for field, value in found.items()} == {field: value for *_, value, field in layout}
    assert {field.name: field.offset for field in definition.fields} == {field: offset for offset, *_, field in layout}
    assert found.problems == ()


@orders
@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_body_of_any_other_length_has_one_problem(name: str, order: str) -> None:
    definition, size, layout = FIXED[name]
    body = laid_out(layout, size, order)
    for length in range(size):
        found = definition.decode(body[:length], order)
        assert kinds(found) == [("length", "")]
        assert (found.problems[0].expected, found.problems[0].actual) == (size, length)
        for offset, letter, value, field in layout:
            there = offset + struct.calcsize(letter) <= length
            assert getattr(found, field) == (value if there else None)
    for extra in (1, 8):
        found = definition.decode(body + bytes(extra), order)
        assert kinds(found) == [("length", "")]
        assert (found.problems[0].expected, found.problems[0].actual) == (size, size + extra)


@orders
@pytest.mark.parametrize("name", WITH_REST)
def test_the_rest_of_a_body_is_kept_as_it_stands(name: str, order: str) -> None:
    definition, layout, rest = WITH_REST[name]
    body = laid_out(layout, 8, order) + bytes(range(40))
    found = definition.decode(body, order)
    for *_, value, field in layout:
        assert getattr(found, field) == value
    assert getattr(found, rest) == bytes(range(40))
    for length in range(len(body)):
        cut = definition.decode(body[:length], order)
        if length < 8:
            assert [kind for kind, _ in kinds(cut)] == ["length"]
        else:
            assert getattr(cut, rest) == body[8:length]


@pytest.mark.parametrize("definition", EMPTY)
def test_empty_records_must_be_empty(definition: type[Struct]) -> None:
    assert definition.decode(b"").problems == ()
    assert kinds(definition.decode(b"12345678")) == [("length", "")]


@orders
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_hold_as_many_items_as_are_announced_or_fit(name: str, order: str) -> None:
    definition, field, size, counted = ARRAYS[name]
    head = 8 if counted or name == "X86_PV_P2M_FRAMES" else 0
    items = bytes(range(1, 3 * size + 1))
    front = struct.pack(order + "II", 3 if counted else 0, 0 if counted else 1023) if head else b""
    found = definition.decode(front + items, order)
    assert len(getattr(found, field)) == 3
    for length in range(len(front + items)):
        cut = definition.decode((front + items)[:length], order)
        items_there = max(0, length - head) // size
        whole = length >= head and (length - head) % size == 0 and not counted
        empty_allowed = name in ("X86_PV_P2M_FRAMES", "CHECKPOINT_DIRTY_PFN_LIST")
        if whole and (items_there or empty_allowed):
            assert not [kind for kind, _ in kinds(cut) if kind == "length"], length
        else:
            assert {kind for kind, _ in kinds(cut)} & {"length", "count"}, length
        if length >= head:
            assert len(getattr(cut, field) or []) == items_there


@orders
def test_a_count_that_is_too_large_gives_what_is_there_and_one_problem(order: str) -> None:
    body = struct.pack(order + "IIQQ", 0xFFFFFFFF, 0, 17, 5)
    found = libxc.HvmParams.decode(body, order)
    assert [(one.index, one.value) for one in found.params] == [(17, 5)]
    assert kinds(found) == [("length", "params")]


@orders
def test_a_count_that_is_too_small_leaves_bytes_over(order: str) -> None:
    found = libxc.HvmParams.decode(struct.pack(order + "IIQQ", 0, 0, 17, 5), order)
    assert found.params == []
    assert kinds(found) == [("length", "")]


@orders
def test_a_pfn_word_is_three_groups_of_bits(order: str) -> None:
    assert [(bits.name, bits.low, bits.width) for bits in libxc.PFN_WORD.bits] == [
        ("pfn", 0, 52),
        ("reserved", 52, 8),
        ("type", 60, 4),
    ]
    words = [5, 6 | 0xF << 60, 7 | 1 << 52, 8 | 1 << 59, 9 | 5 << 60]
    body = struct.pack(f"{order}II5Q", 5, 0, *words) + bytes(4096 * 3)
    found = libxc.PageData.decode(body, order)
    assert found.pfns == words
    assert kinds(found) == [
        ("reserved", "pfns[2].reserved"),
        ("reserved", "pfns[3].reserved"),
        ("value", "pfns[4].type"),
    ]
    assert [bits.of(words[1]) for bits in libxc.PFN_WORD.bits] == [6, 0, 15]


def test_page_data_needs_at_least_one_pfn() -> None:
    assert kinds(libxc.PageData.decode(bytes(8))) == [("count", "pfns")]
    for length in range(8):
        assert [kind for kind, _ in kinds(libxc.PageData.decode(bytes(length)))] == ["length"]


@orders
def test_xenstore_data_is_pairs_of_strings(order: str) -> None:
    head = struct.pack(order + "II", 2, 0)
    definition = libxl.EmulatorXenstoreData
    found = definition.decode(head + b"a/b\0one\0c\0\0", order)
    assert (found.emulator_id, found.xenstore_data, found.problems) == (2, [b"a/b", b"one", b"c", b""], ())
    assert kinds(definition.decode(head + b"a/b\0one\0c\0", order)) == [("count", "xenstore_data")]
    assert ("value", "xenstore_data") in kinds(definition.decode(head + b"a/b\0one", order))
    assert definition.decode(head, order).xenstore_data == []


@orders
def test_shared_info_is_one_page(order: str) -> None:
    assert libxc.SharedInfo.size == 4096
    assert libxc.SharedInfo.decode(bytes(4096), order).problems == ()
    for length in (0, 1, 4095, 4097):
        assert [kind for kind, _ in kinds(libxc.SharedInfo.decode(bytes(length), order))] == ["length"]


@pytest.mark.parametrize(
    ("definition", "body", "problem"),
    [
        (libxc.X86TscInfo, struct.pack("<IIQII", 9, 1, 2, 3, 0), ("value", "mode")),
        (libxc.X86TscInfo, struct.pack("<IIQII", 0, 1, 2, 3, 1), ("reserved", "reserved1")),
        (libxc.X86PvInfo, b"\7\4" + bytes(6), ("value", "guest_width")),
        (libxc.X86PvInfo, b"\10\5" + bytes(6), ("value", "pt_levels")),
        (libxc.X86PvInfo, b"\10\4\0\1" + bytes(4), ("reserved", "reserved1")),
        (libxc.X86PvInfo, b"\10\4" + bytes(5) + b"\1", ("reserved", "reserved2")),
        (libxc.PageData, struct.pack("<IIQ", 1, 5, 0xF << 60), ("reserved", "reserved1")),
        (libxc.HvmParams, struct.pack("<II", 0, 1), ("reserved", "reserved1")),
        (libxl.CheckpointState, struct.pack("<I", 4), ("value", "control_id")),
        (libxl.EmulatorContext, struct.pack("<II", 3, 0), ("value", "emulator_id")),
        (libxc.DomainHeader, struct.pack("<IHHII", 3, 12, 0, 4, 17), ("value", "type")),
        (libxc.DomainHeader, struct.pack("<IHHII", 2, 13, 0, 4, 17), ("value", "page_shift")),
        (libxl.Header, b"LibxlFmt" + struct.pack(">II", 3, 0), ("value", "version")),
        (libxl.Header, b"LibxlFmt" + struct.pack(">II", 2, 4), ("reserved", "options")),
        (libxc.ImageHeader, b"\xff" * 8 + b"XENF" + struct.pack(">IHHI", 3, 2, 0, 0), ("reserved", "options")),
        (libxc.ImageHeader, b"\xff" * 8 + b"XENG" + struct.pack(">IHHI", 3, 0, 0, 0), ("value", "id")),
        (libxc.ImageHeader, b"\xff" * 8 + b"XENF" + struct.pack(">IHHI", 3, 0, 0, 1), ("reserved", "reserved2")),
        (libvirt.Header, libvirt.MAGIC + struct.pack("<II", 2, 5) + bytes(36) + b"\1\0\0\0", ("reserved", "unused[9]")),
        (xl.Header, xl.MAGIC + struct.pack("<IIII", 0x01020304, 7, 0, 0), ("reserved", "mandatory_flags")),
        (xl.Header, xl.MAGIC + struct.pack("<IIII", 0x01020305, 3, 0, 0), ("value", "byteorder")),
    ],
)
def test_what_the_definition_forbids_is_one_problem(
    definition: type[Struct], body: bytes, problem: tuple[str, str]
) -> None:
    found = definition.decode(body)
    assert kinds(found) == [problem]
    assert found.problems[0].message.startswith(problem[1])


@orders
def test_an_unknown_value_survives_with_its_number(order: str) -> None:
    found = libxc.X86TscInfo.decode(struct.pack(order + "IIQII", 77, 1, 2, 3, 0), order)
    assert (found.mode, found.mode.name, str(found.mode)) == (77, None, "77 (unknown)")
    header = libxc.RecordHeader.decode(struct.pack(order + "II", 0x80000001, 0), order)
    assert str(header.type) == "0x80000001 (unknown)"
    assert str(libxc.RecordType(8)) == "0x00000008 (X86_TSC_INFO)"


def test_headers_that_are_always_big_endian_ignore_the_streams_byte_order() -> None:
    image = b"\xff" * 8 + b"XENF" + bytes.fromhex("00000003 0001 0000 00000000")
    for order in ("<", ">"):
        found = libxc.ImageHeader.decode(image, order)
        assert (found.marker, found.id, found.version) == (2**64 - 1, 0x58454E46, 3)
        assert found.options.names == ["BIG_ENDIAN"]
        assert found.problems == ()
        libxl_header = libxl.Header.decode(bytes.fromhex("4c6962786c466d74 00000002 00000002"), order)
        assert (libxl_header.version, libxl_header.options.names, libxl_header.problems) == (2, ["LEGACY"], ())
    assert [field.offset for field in libxc.ImageHeader.fields] == [0, 8, 12, 16, 18, 20]


@orders
def test_the_wrappers_headers_are_in_the_senders_byte_order(order: str) -> None:
    found = xl.Header.decode(xl.MAGIC + struct.pack(order + "IIII", 0x01020304, 3, 0, 9), order)
    assert (xl.Header.size, found.mandatory_flags.names, found.optional_data_len) == (48, ["JSON", "STREAMv2"], 9)
    assert found.problems == ()
    optional = xl.OptionalData.decode(struct.pack(order + "I", 3) + b"{}\0" + b"more", order)
    assert (optional.config, optional.rest) == (b"{}\0", b"more")
    saved = libvirt.Header.decode(libvirt.MAGIC + struct.pack(order + "II", 2, 9) + bytes(40), order)
    assert (libvirt.Header.size, saved.version, saved.xmlLen, saved.problems) == (64, 2, 9, ())


@pytest.mark.parametrize("definition", [body for bodies in Struct.records.values() for body in bodies.values()])
def test_no_bytes_make_a_body_fail_to_decode(definition: type[Struct]) -> None:
    for fill in (b"\0", b"\xff", b"\x01", b"\x80\0\0\0"):
        for length in range(120):
            found = definition.decode((fill * length)[:length])
            assert isinstance(found, definition)
            assert repr(found)
