"""Every kind of valid stream decodes to exactly its headers, records and messages."""

from __future__ import annotations

import pytest

from tests.decoding import decoded, keys, only, others, wanted
from tests.streams import (
    CHECKPOINT_END,
    CHECKPOINT_STATE,
    CPUID_POLICY,
    EMULATOR_CONTEXT,
    END,
    HVM_CONTEXT,
    LIBXC_CONTEXT,
    LIBXL_END,
    PAGE,
    PERMISSION,
    VARIETIES,
    VERIFY,
    XALLOC,
    XTAB,
    StreamBuilder,
    batches,
    checkpointed,
    guest,
)
from xenmig.core.decode.damage import Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Complete, Header, Message
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.decode.record import PageData, Record
from xenmig.core.decode.records import PFN_PIECE
from xenmig.core.definitions import libxc, xl


def test_a_libxc_stream_written_byte_by_byte_decodes_as_the_documents_say() -> None:
    stream = bytes.fromhex(
        "ffffffffffffffff 58454e46 00000003 0000 0000 00000000"
        "02000000 0c00 0000 04000000 11000000"
        "10000000 00000000"
        "01000000 18100000 02000000 00000000 0500000000000000 06000000000000f0"
    )
    stream += bytes(PAGE) + bytes(8)
    events = decoded(stream)
    image, domain = (event for event in events if isinstance(event, Header))
    assert (image.offset, image.length) == (0, 24)
    assert (domain.offset, domain.length) == (24, 16)
    assert isinstance(image.value, libxc.ImageHeader)
    assert image.value.version == 3
    assert isinstance(domain.value, libxc.DomainHeader)
    assert (domain.value.type, domain.value.xen_major, domain.value.xen_minor) == (2, 4, 17)
    page_data = only(events, PageData)
    assert (page_data.offset, page_data.length, page_data.count, page_data.reserved) == (48, 0x1018, 2, 0)
    assert (page_data.pfns.pfns(), page_data.pfns.types()) == ([5, 6], {0: 1, 0xF: 1})
    assert only(events, Complete).offset == len(stream)


@pytest.mark.parametrize("name", VARIETIES)
def test_every_variety_decodes_to_what_it_was_built_from(name: str) -> None:
    built = VARIETIES[name]
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    if name in ("Remus", "COLO"):
        assert [type(event) for event in others(events)] == [Truncated]
    else:
        assert [type(event) for event in others(events)] == [Complete]


@pytest.mark.parametrize("name", VARIETIES)
def test_records_carry_their_bodies_lengths_and_numbers(name: str) -> None:
    built = VARIETIES[name]
    records = [event for event in decoded(built.data) if isinstance(event, Record)]
    assert [record.index for record in records] == list(range(len(records)))
    for record, piece in zip(records, built.records, strict=True):
        assert record.length == int.from_bytes(piece.data[4:8], "little" if built.order == "<" else "big")
        assert record.byteorder == built.order
        assert record.missing == 0
        if type(record) is Record:
            assert record.body == piece.data[8 : 8 + record.length]
            assert record.padding == piece.data[8 + record.length :]
        else:
            assert record.body is None


@pytest.mark.parametrize("name", VARIETIES)
def test_naming_the_outermost_layer_changes_nothing(name: str) -> None:
    built = VARIETIES[name]
    assert keys(decoded(built.data, built.expected[0].layer)) == wanted(built.expected)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pfns_types_and_counts_come_out_in_both_byte_orders(order: str) -> None:
    built = StreamBuilder(order).libxc().pages([3, 4 | XTAB, 9 | XALLOC, 1 << 40]).record(END)
    event = only(decoded(built.data), PageData)
    assert (event.count, event.pfns.count, event.pfns.with_data) == (4, 4, 2)
    assert event.pfns.pfns() == [3, 4, 9, 1 << 40]
    assert (event.pfns.first, event.pfns.last) == (3, 1 << 40)
    assert event.pfns.types() == {0: 2, 0xF: 1, 0xE: 1}
    assert event.pfns.bad == ()


def test_the_configuration_is_reported_with_its_contents() -> None:
    headers = [event for event in decoded(guest("xl").data) if isinstance(event, Header)]
    header, optional = (event.value for event in headers if event.layer == "xl")
    assert isinstance(header, xl.Header)
    assert isinstance(optional, xl.OptionalData)
    assert header.optional_data_len == 4 + optional.config_len
    assert optional.config == b'{"c_info": {"name": "guest"}}\0'


@pytest.mark.parametrize("wrapper", ["xl", "libvirt"])
def test_a_stream_without_configuration_decodes(wrapper: str) -> None:
    built = StreamBuilder()
    built = built.xl(b"") if wrapper == "xl" else built.libvirt(b"")
    built.libxl().record(LIBXL_END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert only(events, Complete).offset == len(built.data)


def test_a_configuration_too_large_to_keep_is_passed_over() -> None:
    built = StreamBuilder().libvirt(b"x" * (KEPT_BODY + 1000)).libxl().record(LIBXL_END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert events[1].length == KEPT_BODY  # type: ignore[union-attr]


def test_permission_after_the_end_is_a_message_and_the_second_one_is_not() -> None:
    built = guest(permission=True)
    assert others(decoded(built.data))[0].offset == len(built.data) - len(PERMISSION)
    trailing = only(decoded(built.raw(PERMISSION).data), Trailing)
    assert (trailing.offset, trailing.length, trailing.data) == (len(built.data) - 44, 44, PERMISSION)


def test_bytes_after_the_end_are_counted_and_the_first_ones_shown() -> None:
    stream = guest().data
    for extra in (b"d", PERMISSION[:-1], b"\0" * 8, bytes(range(256)) * 40):
        events = decoded(stream + extra)
        trailing = only(events, Trailing)
        assert (trailing.offset, trailing.length, trailing.data) == (len(stream), len(extra), extra[:64])
        assert not any(isinstance(event, Message) for event in events)


def test_bytes_after_permission_trail_too() -> None:
    stream = guest(permission=True).data
    trailing = only(decoded(stream + b"abc"), Trailing)
    assert (trailing.offset, trailing.length, trailing.data) == (len(stream), 3, b"abc")


def test_a_checkpoint_without_libxl_around_it_stays_in_libxc() -> None:
    built = StreamBuilder().libxc().pages([1]).record(0xE).pages([1]).hvm_state().record(0xE).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert type(events[-1]) is Complete


@pytest.mark.parametrize("colo", [False, True])
def test_checkpoints_go_back_to_libxl_and_return_without_headers(colo: bool) -> None:
    built = checkpointed(4, colo=colo)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    states = sum(piece.key[1:3] == ("libxl", CHECKPOINT_STATE) for piece in built.expected)
    assert states == (4 if colo else 0)
    cut = only(events, Truncated)
    # Before anything follows CHECKPOINT_END nobody knows whether Remus or COLO goes on.
    assert (cut.layer, cut.what) == ("libxc" if colo else "libxl", "record header")
    assert (cut.offset, cut.available, cut.missing) == (len(built.data), 0, None)


def test_checkpoint_end_outside_a_checkpoint_does_not_change_the_layer() -> None:
    built = StreamBuilder().libxl().record(CHECKPOINT_END).record(CHECKPOINT_STATE, bytes(4))
    built.emulator().record(LIBXL_END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert type(events[-1]) is Complete


def test_checkpoint_state_before_checkpoint_end_does_not_change_the_layer() -> None:
    built = StreamBuilder().libxl().record(LIBXC_CONTEXT).libxc().record(0xE).back_to_libxl()
    built.record(CHECKPOINT_STATE, bytes(4)).emulator().record(CHECKPOINT_END).on_with_libxc().pages([1])
    assert keys(decoded(built.data)) == wanted(built.expected)


def test_a_checkpointed_stream_may_end_properly() -> None:
    built = checkpointed(2).record(END).back_to_libxl().record(LIBXL_END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert type(events[-1]) is Complete


def test_the_verify_pass_is_records_like_others() -> None:
    built = guest(verify=True)
    assert built.at(VERIFY).data == b"\x0d" + bytes(7)
    assert keys(decoded(built.data)) == wanted(built.expected)


@pytest.mark.parametrize("type", [0x0B, 0x13, 0x7FFF, 0x80000001, 0x8000FFFF, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 1, 7, 8, 100_000])
def test_a_record_of_a_type_nobody_knows_is_a_record(type: int, size: int) -> None:
    built = StreamBuilder().libxc().record(type, b"\x5a" * size).pages([1]).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    record = events[2]
    assert isinstance(record, Record)
    assert record.body == b"\x5a" * size


def test_end_with_a_body_is_still_the_end() -> None:
    built = StreamBuilder().libxl().record(LIBXC_CONTEXT, b"abc").libxc().record(END, b"12345678").back_to_libxl()
    built.record(LIBXL_END, b"123")
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert only(events, Complete).offset == len(built.data)


@pytest.mark.parametrize("size", [KEPT_BODY, KEPT_BODY + 1, KEPT_BODY + 8])
def test_a_body_too_large_to_keep_stays_where_it_is(size: int) -> None:
    built = StreamBuilder().libxc().record(HVM_CONTEXT, b"\1" * size).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    record = events[2]
    assert isinstance(record, Record)
    assert (record.body is None) == (size > KEPT_BODY)
    assert record.length == size
    assert record.padding == bytes(-size & 7)


def test_padding_is_reported_as_it_stands() -> None:
    built = StreamBuilder().libxl().record(EMULATOR_CONTEXT, b"12345678abc").record(LIBXL_END)
    offset = built.at(EMULATOR_CONTEXT, layer="libxl").offset
    events = decoded(built.replaced(offset + 8 + 11, b"\1\2\3\4\5"))
    record = events[1]
    assert isinstance(record, Record)
    assert (record.body, record.padding) == (b"12345678abc", b"\1\2\3\4\5")


@pytest.mark.parametrize(("count", "pfns"), [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (0xFFFFFFFF, 4 + 3 * 512)])
def test_a_count_that_lies_is_reported_and_the_length_believed(count: int, pfns: int) -> None:
    built = StreamBuilder().libxc().pages([1, 2, 3, 4 | XTAB]).pages([5]).record(END)
    offset = built.at(1).offset
    stream = built.data[: offset + 8] + count.to_bytes(4, "little") + built.data[offset + 12 :]
    events = decoded(stream)
    assert keys(events) == wanted(built.expected)
    record = events[2]
    assert isinstance(record, PageData)
    assert (record.count, record.pfns.count) == (count, pfns)


def test_page_data_too_short_for_its_own_header_is_a_plain_record() -> None:
    for size in range(8):
        built = StreamBuilder().libxc().record(1, bytes(size)).record(END)
        events = decoded(built.data)
        assert keys(events) == wanted(built.expected)
        assert type(events[2]) is Record


@pytest.mark.parametrize("size", [8, 9, 12, 15, 17, 4103])
def test_page_data_of_an_odd_length_keeps_its_padding(size: int) -> None:
    built = StreamBuilder().libxc().record(1, (1).to_bytes(4, "little") + bytes(size - 4)).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert only(events, PageData).padding == bytes(-size & 7)


def test_an_array_of_pfns_larger_than_is_looked_at_at_once_is_counted_whole() -> None:
    entries = PFN_PIECE // 8 * 2 + 5
    built = StreamBuilder().libxc().pages([number | XTAB for number in range(entries - 1)] + [1 << 40]).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    pfns = only(events, PageData).pfns
    assert (pfns.count, pfns.with_data, pfns.first, pfns.last, pfns.words) == (entries, 1, 0, 1 << 40, None)
    assert pfns.types() == {0: 1, 0xF: entries - 1}


def test_memory_that_looks_like_a_stream_is_not_looked_at() -> None:
    inner = guest("libxl", "PVH").data
    built = StreamBuilder().libxc().pages(range(20), inner).pages([30, 31], inner[16:]).record(END)
    events = decoded(built.data)
    assert keys(events) == wanted(built.expected)
    assert [type(event) for event in others(events)] == [Complete]


@pytest.mark.parametrize(
    ("stream", "kind", "layer", "at"),
    [
        (b"", "start", "", 0),
        (b"hello", "start", "", 0),
        (b"\x7fELF" + bytes(100), "start", "", 0),
        (StreamBuilder().xl(flags=1).raw(b"legacy" * 20).data, "legacy", "xl", len(StreamBuilder().xl().data)),
        (StreamBuilder().xl(flags=0).data, "legacy", "xl", len(StreamBuilder().xl().data)),
        (StreamBuilder().libvirt(version=1).raw(b"old").data, "legacy", "libvirt", len(StreamBuilder().libvirt().data)),
        (StreamBuilder().libvirt(version=7).data, "version", "libvirt", 64),
        (StreamBuilder().xl().replaced(44, b"\xff\xff\xff\x7f"), "length", "xl", 48),
        (StreamBuilder().libvirt().replaced(20, b"\xff\xff\xff\x7f"), "length", "libvirt", 64),
    ],
)
def test_what_cannot_be_decoded_is_said_once_and_the_rest_passed_over(
    stream: bytes, kind: str, layer: str, at: int
) -> None:
    events = decoded(stream)
    found = only(events, Unrecognised)
    assert events.index(found) == len(events) - 1
    assert (found.kind, found.layer, found.offset, found.data) == (kind, layer, at, stream[at : at + 64])
    assert not any(isinstance(event, Record) for event in events)


@pytest.mark.parametrize(("start", "size"), [("xl", 48), ("libvirt", 64), ("libxl", 16), ("libxc", 24)])
def test_a_header_that_is_none_is_not_reported_as_one(start: str, size: int) -> None:
    events = decoded(b"n" * 200, start)
    found = only(events, Unrecognised)
    assert events.index(found) == 0
    assert (found.kind, found.layer, found.offset, found.data) == ("header", start, 0, b"n" * 64)


def test_a_length_that_no_receiver_takes_ends_the_chain_of_records() -> None:
    built = batches(StreamBuilder().libxc(), 40, 20).record(END)
    offset = built.at(1).offset
    for length in (0x08000001, 0xFFFFFFFF):
        events = decoded(built.replaced(offset + 4, length.to_bytes(4, "little")))
        assert only(events, Unrecognised).kind == "length"
        assert only(events, Unrecognised).offset == offset
        assert ("record", "libxc", 1, built.at(1, number=1).offset) in keys(events)


def test_static_data_decodes_in_version_3_only_because_it_is_there() -> None:
    assert ("libxc", CPUID_POLICY) in [key[1:3] for key in keys(decoded(guest(version=3).data))]
    assert ("libxc", CPUID_POLICY) not in [key[1:3] for key in keys(decoded(guest(version=2).data))]
