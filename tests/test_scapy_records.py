"""Records as Scapy packets: dissected, built, changed, broken on purpose."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.fields import RawVal
from scapy.packet import Packet, Raw, fuzz

from tests.scapy_records import SAMPLES, dissected, rebuilt, record_bytes, records
from xenmig.core.definitions.structs import Struct
from xenmig.scapy_layers import layers
from xenmig.scapy_layers.layers import (
    HvmContext,
    HvmSaveDescriptor,
    HvmSaveHeader,
    LibvirtSave,
    LibxcCheckpoint,
    LibxcCpuidLeaf,
    LibxcDomainHeader,
    LibxcEnd,
    LibxcHvmContext,
    LibxcHvmParam,
    LibxcHvmParams,
    LibxcImageHeader,
    LibxcPageData,
    LibxcRecord,
    LibxcStaticDataEnd,
    LibxcX86CpuidPolicy,
    LibxcX86MsrPolicy,
    LibxcX86PvInfo,
    LibxcX86PvP2mFrames,
    LibxcX86PvVcpuBasic,
    LibxcX86TscInfo,
    LibxlCheckpointEnd,
    LibxlEmulatorXenstoreData,
    LibxlEnd,
    LibxlHeader,
    LibxlLibxcContext,
    LibxlRecord,
    XlMessage,
    XlOptionalData,
    XlSave,
)
from xenmig.scapy_layers.lists import MOST_ITEMS
from xenmig.scapy_layers.records import Record
from xenmig.scapy_layers.words import Words

CLASSES: list[type[Packet]] = [getattr(layers, name) for name in layers.__all__]
RECORDS = sorted(Record.classes.values(), key=lambda cls: cls.__name__)


def example(cls: type[Record], endian: str = "<") -> Record:
    """A record of a class with something in its body."""
    fields: dict[str, Any] = {}
    if cls is LibxcPageData:
        fields = {"pfns": [1, 2, 0xF << 60 | 3], "page_data": bytes(range(256)) * 32}
    elif cls is LibxcHvmParams:
        fields = {"params": [LibxcHvmParam(index=1, value=0xFEFFC), LibxcHvmParam(index=17)]}
    elif cls is LibxcX86CpuidPolicy:
        fields = {"leaves": [LibxcCpuidLeaf(leaf=1, a=2), LibxcCpuidLeaf(leaf=7)]}
    elif cls is LibxcX86PvP2mFrames:
        fields = {"p2m_end_pfn": 1023, "p2m_pfns": [5, 6]}
    elif cls is LibxlEmulatorXenstoreData:
        fields = {"xenstore_data": {"key": "value"}}
    else:
        names = {field.name for field in cls.fields_desc}
        fields.update(dict.fromkeys(names & {"context", "emulator_ctx", "data"}, b"\x01\x02\x03"))
        fields.update(dict.fromkeys(names & {"vcpu_id", "khz", "index", "control_id"}, 7))
    return cls(endian=endian, **fields)


# -- real records ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_real_record_builds_to_its_own_bytes(name: str) -> None:
    built = 0
    for event in records(SAMPLES[name]):
        expected = record_bytes(event)
        packet = dissected(event)
        assert bytes(packet) == expected
        assert rebuilt(packet) == expected, "from its fields, with nothing remembered from dissecting"
        assert bytes(type(packet)(bytes(packet), endian=packet.endian)) == expected
        built += 1
    assert built >= 3


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_real_record_survives_pickle_copy_and_json(name: str) -> None:
    for event in records(SAMPLES[name]):
        packet = dissected(event)
        assert pickle.loads(pickle.dumps(packet)) == packet
        assert packet.copy() == packet
        assert copy.deepcopy(packet) == packet
        assert json.loads(packet.json())["length"] == event.length
        assert packet.summary()
        assert packet.show(dump=True) == packet.show2(dump=True)


# -- both byte orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_record_builds_and_dissects_in_both_byte_orders(cls: type[Record], endian: str) -> None:
    packet = example(cls, endian)
    built = bytes(packet)
    assert len(built) % 8 == 0
    again = cls(built, endian=endian)
    assert rebuilt(again) == built
    definition = Struct.records[cls.layer][cls.record or 0]
    length = again.length
    core = definition.decode(built[8 : 8 + length], endian)
    assert [problem.message for problem in core.problems if problem.kind == "length"] == []
    for field in definition.fields:
        if field.is_number:
            assert again.getfieldval(field.name) == core.__dict__[field.name]


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_big_endian_record_survives_pickle_and_copy(cls: type[Record]) -> None:
    packet = cls(bytes(example(cls, ">")), endian=">")
    unpickled = pickle.loads(pickle.dumps(packet))
    assert unpickled == packet
    assert unpickled.endian == ">"
    assert bytes(unpickled) == bytes(packet) == rebuilt(packet.copy())


def test_records_behind_a_big_endian_header_are_big_endian() -> None:
    stack = LibxlHeader(options="BIG_ENDIAN") / LibxlLibxcContext() / LibxcImageHeader() / LibxcDomainHeader(type=1)
    built = bytes(stack)
    assert built[16:24] == bytes([0, 0, 0, 1, 0, 0, 0, 0]), "libxl says big endian"
    assert built[24 + 24 :][:4] == bytes([1, 0, 0, 0]), "libxc says nothing of the kind"
    again = LibxlHeader(built)
    assert again[LibxlLibxcContext].endian == ">"
    assert again[LibxcDomainHeader].endian == "<"
    assert again[LibxcDomainHeader].type == 1


def test_a_saves_byte_order_is_that_of_its_mark() -> None:
    for endian in "<>":
        built = bytes(XlSave(endian=endian) / XlOptionalData(config=b"{}\0"))
        again = XlSave(built)
        assert again.endian == endian
        assert again[XlOptionalData].config == b"{}\0"
        assert again.optional_data_len == 7


def test_a_byte_order_is_one_of_two_words() -> None:
    with pytest.raises(ValueError, match="little"):
        LibxcEnd(endian="little")


# -- what is computed -----------------------------------------------------------------------------------------------


def test_lengths_counts_and_padding_are_computed() -> None:
    built = LibxcRecord(bytes(LibxcX86PvVcpuBasic(vcpu_id=1, context=b"abc")))
    assert (built.length, built.padding) == (11, bytes(5))
    params = LibxcRecord(bytes(LibxcHvmParams(params=[LibxcHvmParam()] * 3)))
    assert (params.length, params.count) == (8 + 3 * 16, 3)
    pages = LibxcRecord(bytes(LibxcPageData(pfns=[1, 0xF << 60])))
    assert (pages.count, pages.length, len(pages.page_data)) == (2, 8 + 16 + 4096, 4096)


@pytest.mark.parametrize(
    ("record", "at", "expected"),
    [
        (LibxcX86TscInfo(length=1), 4, b"\x01\0\0\0"),
        (LibxcHvmParams(count=9), 8, b"\x09\0\0\0"),
        (LibxcX86PvVcpuBasic(context=b"abc", padding=b"\xff"), 19, b"\xff"),
        (LibxcX86TscInfo(type=0x99), 0, b"\x99\0\0\0"),
        (LibxcX86TscInfo(reserved1=5), 28, b"\x05\0\0\0"),
        (LibxcX86TscInfo(khz=RawVal(b"xyz")), 12, b"xyz"),
        (LibxcX86TscInfo(rest=b"more"), 32, b"more"),
    ],
    ids=["length", "count", "padding", "type", "reserved", "any bytes", "too long"],
)
def test_what_is_computed_can_be_given_to_make_wrong_records(record: Packet, at: int, expected: bytes) -> None:
    assert bytes(record)[at : at + len(expected)] == expected


def test_a_dissected_length_stays_until_it_is_asked_to_be_computed() -> None:
    record = LibxcRecord(bytes(LibxcHvmParams(params=[LibxcHvmParam(index=1)])))
    record.params = [*record.params, LibxcHvmParam(index=2)]
    assert (record.length, record.count) == (24, 1)
    again = LibxcRecord(bytes(record.recompute()))
    assert (again.length, again.count, again.params[1].index) == (40, 2, 2)


def test_a_value_that_does_not_fit_is_refused_with_the_name_of_the_field() -> None:
    with pytest.raises(ValueError, match=r"khz.*4294967296 does not fit into a number of 4 bytes"):
        bytes(LibxcX86TscInfo(khz=1 << 32))
    with pytest.raises(ValueError, match="numbers of 8 bytes"):
        bytes(LibxcPageData(pfns=[-1]))


# -- names ----------------------------------------------------------------------------------------------------------


def test_names_can_be_given_for_numbers() -> None:
    assert LibxcX86TscInfo(mode="ALWAYS_EMULATE").mode == 1
    assert LibxcRecord(type="X86_TSC_INFO").type == 8
    assert LibxlHeader(options="BIG_ENDIAN").options.BIG_ENDIAN
    with pytest.raises(ValueError, match="DEFAULT"):
        LibxcX86TscInfo(mode="SOMETIMES")


def test_numbers_are_shown_first_and_names_second() -> None:
    shown = LibxcX86TscInfo(mode=1, khz=2_000_000).show(dump=True)
    assert shown is not None
    assert "0x00000008 (X86_TSC_INFO)" in shown
    assert "1 (ALWAYS_EMULATE)" in shown
    assert "2000000 kHz" in shown
    unknown = LibxcX86TscInfo(mode=77).show(dump=True)
    assert unknown is not None
    assert "77 (unknown)" in unknown


def test_text_of_a_stream_cannot_control_the_terminal() -> None:
    shown = XlOptionalData(config=b"\x1b[2Jname\0").show(dump=True)
    assert shown is not None
    assert "\x1b" not in shown.replace("\x1b[0m", "")
    assert "\\x1b[2Jname" in shown


def test_groups_of_bits_are_read_and_changed_by_name() -> None:
    header = HvmSaveHeader(cpuid=0x800F12)
    assert header.bits("cpuid")["extended_family"] == 8
    header.set_bits("cpuid", stepping=5)
    assert header.cpuid == 0x800F15
    with pytest.raises(KeyError, match="no groups"):
        header.bits("magic")


# -- unknown, truncated, broken -------------------------------------------------------------------------------------


@pytest.mark.parametrize("generic", [LibxcRecord, LibxlRecord])
def test_an_unknown_type_is_a_generic_record(generic: type[Record]) -> None:
    data = b"\x99\0\0\x80" + b"\x05\0\0\0" + b"abcde" + bytes(3)
    packet = generic(data)
    assert type(packet) is generic
    assert (packet.type, packet.length, packet.body, packet.padding) == (0x80000099, 5, b"abcde", bytes(3))
    assert rebuilt(packet) == data
    assert packet.type_name == "unknown"


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_truncated_record_dissects_and_builds_to_the_bytes_that_are_there(cls: type[Record], endian: str) -> None:
    whole = bytes(example(cls, endian))
    for length in {*range(1, min(len(whole), 80)), len(whole) - 1}:
        packet = cls(whole[:length], endian=endian)
        assert rebuilt(packet) == whole[:length]
        assert packet.show(dump=True)
        assert bytes(packet.copy()) == whole[:length]


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_a_body_of_any_length_dissects_and_builds(cls: type[Record]) -> None:
    body = bytes(example(cls))[8:]
    for length in range(min(len(body) + 20, 100)):
        data = (cls.record or 0).to_bytes(4, "little") + length.to_bytes(4, "little")
        data += (body + bytes(20))[:length] + bytes(-length & 7)
        packet = cls(data)
        assert rebuilt(packet) == data
        assert packet.length == length


@pytest.mark.fuzz
@given(st.binary(max_size=200), st.sampled_from(RECORDS), st.sampled_from("<>"))
def test_random_bodies_dissect_and_build(body: bytes, cls: type[Record], endian: str) -> None:
    order: Any = "little" if endian == "<" else "big"
    data = (cls.record or 0).to_bytes(4, order) + len(body).to_bytes(4, order) + body + bytes(-len(body) & 7)
    packet = cls(data, endian=endian)
    assert rebuilt(packet) == data
    assert packet.show(dump=True)
    assert json.loads(packet.json())


@pytest.mark.fuzz
@given(st.binary(min_size=1, max_size=120), st.sampled_from(CLASSES))
def test_random_bytes_dissect_and_build_in_every_class(data: bytes, cls: type[Packet]) -> None:
    packet = cls(data)
    assert bytes(packet) == data
    assert packet.show(dump=True)


@pytest.mark.fuzz
@given(st.data(), st.sampled_from(RECORDS))
def test_mutated_records_dissect_and_build(data: st.DataObject, cls: type[Record]) -> None:
    mutated = bytearray(bytes(example(cls)))
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    packet = (LibxlRecord if cls.layer == "libxl" else LibxcRecord)(bytes(mutated))
    assert bytes(packet) == bytes(mutated)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_fuzzed_packet_builds_and_dissects(cls: type[Packet]) -> None:
    built = bytes(fuzz(cls()))
    # A text may come out empty, and of no bytes Scapy makes a packet with default values.
    assert bytes(cls(built)) == (built or bytes(cls()))


def test_a_length_that_lies_takes_no_memory() -> None:
    packet = LibxcRecord(b"\x08\0\0\0\xff\xff\xff\xff" + bytes(24))
    assert packet.length == 0xFFFFFFFF
    assert packet.nsec == 0
    assert LibxcRecord(b"\x0a\0\0\0\x10\0\0\0" + b"\xff\xff\xff\xff" + bytes(12)).count == 0xFFFFFFFF


def test_more_items_than_any_xen_writes_do_not_all_become_packets() -> None:
    count = MOST_ITEMS + 10
    data = bytes(LibxcHvmParams(count=count, rest=bytes(16 * count)))
    packet = LibxcRecord(data)
    assert len(packet.params) == MOST_ITEMS
    assert len(packet.rest) == 160
    assert rebuilt(packet) == data


# -- stacks ---------------------------------------------------------------------------------------------------------


def test_a_stack_is_dissected_back_into_its_layers() -> None:
    stack: Any = (
        XlSave()
        / XlOptionalData(config=b"{}\0")
        / LibxlHeader()
        / LibxlLibxcContext()
        / LibxcImageHeader()
        / LibxcDomainHeader()
        / LibxcStaticDataEnd()
        / LibxcPageData(pfns=[5])
        / LibxcCheckpoint()
        / LibxlCheckpointEnd()
        / LibxcX86TscInfo(khz=9)
        / LibxcEnd()
        / LibxlEnd()
        / XlMessage(text="permission")
    )
    again = XlSave(bytes(stack))
    assert again.layers() == stack.layers()
    assert bytes(again) == bytes(stack)
    assert again[LibxcX86TscInfo].khz == 9
    assert again.haslayer(LibxcRecord), "records are of the class of their layer, too"


def test_a_stack_of_many_records_ends_in_raw_instead_of_failing() -> None:
    data = bytes(LibxcImageHeader() / LibxcDomainHeader()) + bytes(LibxcStaticDataEnd()) * 2000
    packet = LibxcImageHeader(data)
    assert packet.haslayer(Raw)
    assert bytes(packet) == data


def test_libvirts_header_counts_the_xml_behind_it() -> None:
    built = bytes(LibvirtSave() / layers.LibvirtDomainXml(xml="<domain/>") / LibxlHeader())
    again = LibvirtSave(built)
    assert again.xmlLen == 9
    assert again[layers.LibvirtDomainXml].xml == b"<domain/>"
    assert again[LibxlHeader].version == 2


# -- detail ---------------------------------------------------------------------------------------------------------


def test_a_field_deep_in_a_body_can_be_changed() -> None:
    entries = [HvmSaveDescriptor() / HvmSaveHeader(gtsc_khz=1), HvmSaveDescriptor(typecode="END", length=0)]
    record = LibxcHvmContext(context=bytes(HvmContext(entries=entries)))
    detail: Any = record.detail()
    assert [entry.typecode for entry in detail.entries] == [1, 0]
    detail.entries[0][HvmSaveHeader].gtsc_khz = 2_000_000
    record.set_detail(detail)
    again: Any = LibxcRecord(bytes(record)).detail()
    assert again.entries[0][HvmSaveHeader].gtsc_khz == 2_000_000


def test_a_detail_of_another_length_changes_that_of_the_record() -> None:
    record = LibxcHvmContext(bytes(LibxcHvmContext(context=bytes(HvmContext()))))
    record.set_detail(HvmContext(entries=[HvmSaveDescriptor(typecode=99) / Raw(b"12345")]))
    again = LibxcRecord(bytes(record))
    assert (again.length, len(again.padding)) == (13, 3)


def test_what_a_definition_forbids_is_told_in_the_words_of_the_core() -> None:
    record = LibxcX86PvInfo(guest_width=5, reserved1=1)
    messages = [problem.message for problem in record.problems()]
    assert messages == ["guest_width is 5 (unknown), known are 4, 8", "reserved1 is 0x1, must be 0x0"]
    assert LibxcX86MsrPolicy().problems()[0].kind == "count"


# -- messages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["banner", "ready", "permission", "report"])
def test_the_texts_of_a_conversation_have_names(name: str) -> None:
    message = XlMessage(text=name)
    again = XlMessage(bytes(message))
    assert again.message == name
    assert bytes(again) == bytes(message)


def test_the_status_stands_behind_the_report() -> None:
    built = bytes(XlMessage(text="ready") / XlMessage(text="report", status="FAIL"))
    again = XlMessage(built)
    assert again.payload.status == 3
    assert built.endswith(b"\0\x03")
    assert again.status is None


# -- arrays of numbers ----------------------------------------------------------------------------------------------


def test_an_array_is_a_list_of_numbers_that_is_short_to_show() -> None:
    words = Words("Q", range(6), hexadecimal=True)
    assert words == [0, 1, 2, 3, 4, 5]
    assert words != [0, 1]
    assert repr(words) == "[0x0, 0x1, 0x2, 0x3, ... 6 in all]"
    assert repr(Words("I", [7])) == "[7]"
    assert words.copy() == copy.deepcopy(words) == words
    assert pickle.loads(pickle.dumps(words)) == words
    words.append(9)
    assert words[-1] == 9


def test_an_array_is_encoded_in_either_byte_order() -> None:
    words = Words("H", [1, 0x203])
    assert words.encoded("<") == b"\x01\x00\x03\x02"
    assert words.encoded(">") == b"\x00\x01\x02\x03"
    for order in "<>":
        assert Words.decoded("H", words.encoded(order), order) == words


def test_an_array_of_a_packet_can_be_changed_in_place() -> None:
    record = LibxcRecord(bytes(LibxcPageData(pfns=[1, 2])))
    record.pfns[0] = 0xF << 60 | 1
    assert LibxcRecord(bytes(record)).pfns == [0xF << 60 | 1, 2]
    assert LibxcPageData().pfns == [], "the default of another packet is not changed"
