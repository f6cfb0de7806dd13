"""Streams made with Scapy: right ones are accepted by Xen's own verifier and by ours, wrong ones for what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scapy.packet import Packet, Raw

from tests import peer
from tests.corpus import Sample, pcaps
from tests.valid_streams import check, events_of, rules_broken
from xenmig.core.decode.events import Complete
from xenmig.scapy_layers.capture import write_capture
from xenmig.scapy_layers.layers import (
    LibvirtDomainXml,
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
    LibxcX86PvInfo,
    LibxcX86TscInfo,
    LibxlEmulatorContext,
    LibxlEnd,
    LibxlHeader,
    LibxlLibxcContext,
    XlOptionalData,
    XlSave,
)
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe
from xenmig.scapy_layers.stream import MigrationStream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECIPES = {
    f"{guest} {outer} {xen}": Recipe(guest, outer=outer, xen=xen, pages=24, vcpus=2, iterations=iterations)
    for guest in ("HVM", "PVH", "PV")
    for outer in ("xl", "libvirt", "libxl", "libxc")
    for xen, iterations in (("4.11", 1), ("4.17", 3), ("4.20", 6))
}


# -- recipes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_a_stream_from_a_recipe_is_sound_and_complete(name: str) -> None:
    built = bytes(RECIPES[name])
    assert rules_broken(built) == []
    assert check(built).complete
    assert isinstance(events_of(built)[-1], Complete)


@peer.requires_peer
@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.outer != "libvirt"])
def test_xens_own_verifier_accepts_a_stream_from_a_recipe(name: str) -> None:
    outer: Any = RECIPES[name].outer
    assert peer.judge(bytes(RECIPES[name]), outer) == peer.Verdict(True, None, "")


def test_a_recipe_makes_what_it_was_asked_for() -> None:
    stream = Recipe("PV", xen="4.9", pages=3000, iterations=4, dirty=100, vcpus=3).stream()
    header: Any = stream.first(LibxcDomainHeader)
    assert (header.type, header.xen_major, header.xen_minor) == (1, 4, 9)
    assert stream.first(LibxcImageHeader).version == 2
    assert [packet.pfns[0] for packet in stream.find(LibxcPageData)][:3] == [0, 1024, 2048]
    assert sum(len(packet.pfns) for packet in stream.find(LibxcPageData)) == 3000 + 3 * 100
    assert len(stream.find("X86_PV_VCPU_BASIC")) == 3
    assert stream.find(LibxcStaticDataEnd) == []


def test_a_recipe_makes_the_same_bytes_every_time_and_dissects_to_itself() -> None:
    recipe = Recipe("HVM", pages=50, iterations=2, xenstore=True)
    built = bytes(recipe)
    assert bytes(recipe) == built
    assert bytes(MigrationStream.dissect(built)) == built
    assert [type(one) for one in MigrationStream.dissect(built)] == [type(one) for one in recipe.stream()]


def test_a_checkpointed_stream_has_no_end() -> None:
    checker = check(bytes(Recipe("HVM", pages=16, checkpoints=3)))
    assert checker.sound
    stream = MigrationStream.dissect(bytes(Recipe("HVM", pages=16, checkpoints=3)))
    assert len(stream.find("CHECKPOINT")) == len(stream.find("CHECKPOINT_END")) == 3
    assert stream[-1].type_name == "CHECKPOINT_END"


@pytest.mark.parametrize("guest", ["HVM", "PVH", "PV"])
def test_a_big_endian_stream_decodes_as_the_little_endian_one_does(guest: str) -> None:
    little, big = (Recipe(guest, pages=20, endian=endian) for endian in "<>")
    assert bytes(little) != bytes(big)
    for one, other in zip(MigrationStream.dissect(bytes(little)), MigrationStream.dissect(bytes(big)), strict=True):
        assert type(one) is type(other)
        assert one.fields.keys() == other.fields.keys()
        names = [name for name in one.fields if name not in ("options", "page_data", "context", "shared_info")]
        assert [one.fields[name] for name in names] == [other.fields[name] for name in names]
    assert set(rules_broken(bytes(big))) <= {"big-endian", "libxc-hvm-context-header"}


@pytest.mark.parametrize(
    "wrong",
    [{"guest": "ARM"}, {"outer": "xapi"}, {"xen": "new"}, {"xen": "4.5"}, {"pages": 0}, {"iterations": 0}],
    ids=str,
)
def test_what_no_stream_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"guest|outer|xen|Xen 4.5|at least 1"):
        Recipe(**wrong)


# -- composing ------------------------------------------------------------------------------------------------------


def composed() -> Packet:
    """A whole stream, written down packet by packet."""
    return (
        XlSave()
        / XlOptionalData(config=b'{"c_info": {}}\0')
        / LibxlHeader()
        / LibxlLibxcContext()
        / LibxcImageHeader()
        / LibxcDomainHeader()
        / LibxcX86CpuidPolicy(leaves=Recipe().stream().first(LibxcX86CpuidPolicy).leaves)
        / Recipe().stream().first("X86_MSR_POLICY")
        / LibxcStaticDataEnd()
        / LibxcPageData(pfns=range(3))
        / LibxcX86TscInfo(khz=2_000_000)
        / LibxcHvmContext(context=Recipe().stream().first(LibxcHvmContext).context)
        / LibxcHvmParams(params=[LibxcHvmParam(index=1, value=2)])
        / LibxcEnd()
        / LibxlEmulatorContext(emulator_ctx=b"QEVM\0\0\0\3")
        / LibxlEnd()
    )


@peer.requires_peer
def test_a_stream_composed_of_packets_is_accepted() -> None:
    built = bytes(composed())
    assert rules_broken(built) == []
    assert peer.judge(built, "xl").accepted


def test_a_stack_and_a_list_of_the_same_packets_build_the_same_bytes() -> None:
    stream = MigrationStream([composed()])
    assert len(stream) == len(composed().layers())
    assert bytes(stream) == bytes(composed())
    assert bytes(stream.stack()) == bytes(composed())
    assert bytes(MigrationStream() / XlSave() / XlOptionalData(config=b"x") / b"raw") == (
        bytes(XlSave(optional_data_len=5) / XlOptionalData(config=b"x")) + b"raw"
    )


def test_packets_in_a_list_go_by_the_byte_order_of_their_header() -> None:
    stream = MigrationStream([LibxcImageHeader(options=1), LibxcDomainHeader(), LibxcX86TscInfo(khz=5), LibxcEnd()])
    again = MigrationStream.dissect(bytes(stream))
    assert again.first(LibxcX86TscInfo).khz == 5
    assert again.first(LibxcX86TscInfo).endian == ">"
    assert all(packet.endian is None for packet in stream), "writing does not change the packets"


def test_a_stack_has_a_limit_that_it_tells() -> None:
    with pytest.raises(ValueError, match="64"):
        MigrationStream([LibxcEnd() for _ in range(65)]).stack()


def test_what_is_no_stream_dissects_to_raw() -> None:
    assert [type(one) for one in MigrationStream.dissect(b"something else, and enough of it to be sure")] == [Raw]
    assert MigrationStream.dissect(b"") == []


@pytest.mark.parametrize("cut", [1, 20, 40, 60, 200, 1000, 5000, 100_000])
def test_a_stream_that_is_cut_off_dissects_to_its_own_bytes(cut: int) -> None:
    data = bytes(Recipe("HVM", pages=30))[:cut]
    assert bytes(MigrationStream.dissect(data)) == data


# -- changing -------------------------------------------------------------------------------------------------------


def sound() -> MigrationStream:
    """A stream to break."""
    return Recipe("HVM", pages=24).stream()


def with_record(stream: MigrationStream, record: Packet, before: str) -> MigrationStream:
    """The stream with one more record."""
    stream.insert(stream.index(stream.first(before)), record)
    return stream


def lacking(name: str) -> MigrationStream:
    """The stream without its first record of that name."""
    stream = sound()
    stream.remove(stream.first(name))
    return stream


BROKEN: dict[str, tuple[str, Callable[[], MigrationStream]]] = {
    "a reserved word": ("reserved-not-zero", lambda: sound().changed("X86_TSC_INFO", reserved1=1)),
    "padding": (
        "padding-not-zero",
        lambda: with_record(sound(), LibxcRecord(type=0x80000077, body=b"abc", padding=b"\1" * 5), "X86_TSC_INFO"),
    ),
    "an unknown value": ("unknown-value", lambda: sound().changed("X86_TSC_INFO", mode=9)),
    "a body": ("body-length", lambda: sound().changed("X86_TSC_INFO", rest=bytes(8))),
    "a count": ("body-length", lambda: sound().changed("HVM_PARAMS", count=1)),
    "a page shift": ("unknown-value", lambda: sound().changed(LibxcDomainHeader, page_shift=13)),
    "a type": ("record-type-unknown", lambda: with_record(sound(), LibxcRecord(type=0x77), "X86_TSC_INFO")),
    "a record's length": ("record-length-limit", lambda: sound().changed("HVM_CONTEXT", length=1 << 30)),
    "the byte order": ("big-endian", lambda: sound().changed(LibxlHeader, options=1)),
    "the version": ("version-unknown", lambda: sound().changed(LibxcImageHeader, version=9)),
    "libxc's mark": ("header-unrecognised", lambda: sound().changed(LibxcImageHeader, marker=0)),
    "xl's flags": ("xl-mandatory-flags", lambda: sound().changed(XlSave, mandatory_flags=7)),
    "the configuration's length": ("xl-config-length", lambda: sound().changed(XlOptionalData, config_len=500)),
    "the configuration's end": ("xl-config-unterminated", lambda: sound().changed(XlOptionalData, config=b"{}")),
    "a PV record in an HVM stream": (
        "libxc-record-guest",
        lambda: with_record(sound(), LibxcX86PvInfo(), "X86_CPUID_POLICY"),
    ),
    "a record that must be there": ("libxc-hvm-context-missing", lambda: lacking("HVM_CONTEXT")),
    "the end of static data": ("libxc-static-data-end-missing", lambda: lacking("STATIC_DATA_END")),
    "the end": ("stream-truncated", lambda: MigrationStream(sound()[:-1])),
    "what is behind the end": ("trailing-data", lambda: sound() / b"more"),
    "the order": (
        "libxc-page-data-late",
        lambda: with_record(sound(), LibxcPageData(pfns=[1]), "HVM_PARAMS"),
    ),
    "a page record without pages": ("page-data-empty", lambda: sound().changed("PAGE_DATA", pfns=[], page_data=b"")),
    "the number of pages": ("page-data-length", lambda: sound().changed("PAGE_DATA", page_data=bytes(4096))),
    "a pfn": ("page-data-pfn-reserved", lambda: sound().changed("PAGE_DATA", pfns=[1 << 55], page_data=None)),
    "a page type": ("page-data-type", lambda: sound().changed("PAGE_DATA", pfns=[5 << 60], page_data=b"")),
    "an emulator": ("unknown-value", lambda: sound().changed("EMULATOR_CONTEXT", emulator_id=9)),
}


def test_a_changed_field_changes_nothing_else() -> None:
    stream = sound()
    changed = stream.changed("X86_TSC_INFO", khz=1)
    assert changed.first(LibxcX86TscInfo).khz == 1
    assert stream.first(LibxcX86TscInfo).khz == 2_000_000
    differing = [i for i, (a, b) in enumerate(zip(bytes(stream), bytes(changed), strict=True)) if a != b]
    assert 0 < len(differing) <= 4
    with pytest.raises(AttributeError, match="only type, length, mode"):
        stream.changed("X86_TSC_INFO", kilohertz=1)
    with pytest.raises(LookupError, match="LibxcX86PvInfo"):
        stream.changed(LibxcX86PvInfo, guest_width=4)


def test_lengths_follow_a_change() -> None:
    changed = sound().changed("HVM_PARAMS", params=[LibxcHvmParam(index=1, value=1)])
    again = MigrationStream.dissect(bytes(changed))
    assert again.first(LibxcHvmParams).count == 1
    assert "body-length" not in rules_broken(bytes(changed))
    assert "body-count" not in rules_broken(bytes(changed))


@pytest.mark.parametrize(
    ("outer", "layer", "field", "longer"),
    [
        ("xl", XlOptionalData, "config", b'{"c_info": {"type": "hvm", "name": "a much longer name than before"}}\0'),
        ("libvirt", LibvirtDomainXml, "xml", b"<domain type='xen'><name>a much longer name</name></domain>\0" * 2),
    ],
)
def test_the_length_in_the_header_follows_a_changed_configuration(
    outer: str, layer: type[Packet], field: str, longer: bytes
) -> None:
    stream = MigrationStream.dissect(bytes(Recipe(outer=outer)))
    assert len(longer) != len(stream.first(layer).getfieldval(field))
    changed = stream.changed(layer, **{field: longer})
    assert rules_broken(bytes(changed)) == []
    assert MigrationStream.dissect(bytes(changed)).first(layer).getfieldval(field) == longer
    assert bytes(stream) == bytes(Recipe(outer=outer)), "the original keeps its header"


def test_a_stream_is_not_written_over_the_file_that_its_guest_memory_is_in(tmp_path: Path) -> None:
    save, link = tmp_path / "save", tmp_path / "link"
    Recipe().write(str(save))
    link.symlink_to(save)
    before = save.read_bytes()
    stream = MigrationReader(str(save)).read_all()
    for target in (save, link):
        with pytest.raises(ValueError, match="write to another file"):
            stream.write(str(target))
        with pytest.raises(ValueError, match="write to another file"):
            write_capture(str(target), stream)
    assert save.read_bytes() == before
    stream.write(str(tmp_path / "other"))
    assert (tmp_path / "other").read_bytes() == before


@pytest.mark.parametrize("sample", pcaps("save"), ids=repr)
def test_a_real_file_is_read_changed_written_and_verified(sample: Sample, tmp_path: Path) -> None:
    original = sample.unpacked()
    stream = MigrationReader(str(original)).read_all()
    copied, changed = tmp_path / "copied", tmp_path / "changed"
    stream.write(str(copied))
    assert copied.read_bytes() == original.read_bytes()
    stream.changed("X86_TSC_INFO", mode=9).write(str(changed))
    assert rules_broken(copied.read_bytes()) == []
    assert rules_broken(changed.read_bytes()) == ["unknown-value"]


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_on_purpose_is_rejected_with_its_rule(what: str) -> None:
    assert rules_broken(bytes(sound())) == []
    rule, broken = BROKEN[what]
    assert rule in rules_broken(bytes(broken()))


def test_a_stream_can_leave_records_out() -> None:
    stream = sound().without(lambda packet: isinstance(packet, LibxcHvmContext))
    assert len(stream) == len(sound()) - 1
    assert rules_broken(bytes(stream)) != []


def test_the_summary_of_a_stream_folds_guest_memory() -> None:
    lines = Recipe("HVM", pages=5000, iterations=2).stream().lines()
    assert len(lines) < 20
    assert any("6 libxc PAGE_DATA, 5312 pfns" in line for line in lines)
    assert Recipe("HVM", pages=24).stream().lines(3)[-1].endswith("more")
