"""QEMU's device state: the sections that can be found in it."""

from __future__ import annotations

from struct import pack

import pytest

from tests.bodies import HVM, HVM_VIRIDIAN, emulator, real_stream
from tests.corpus import requires_corpus
from xenmig.core.definitions.libxl import EmulatorContext as OpaqueContext
from xenmig.core.definitions.qemu import SECTIONS_MAX, SIGNATURES, EmulatorContext, SectionHeader, device_state

BEGIN = b"QEVM" + pack(">I", 3)


def section(number: int, name: str, data: bytes, instance: int = 0, version: int = 1, *, footer: bool = False) -> bytes:
    head = pack(">BIB", 4, number, len(name)) + name.encode() + pack(">II", instance, version)
    return head + data + (pack(">BI", 0x7E, number) if footer else b"")


def test_sections_are_found_with_name_instance_and_version() -> None:
    state = device_state(BEGIN + section(0, "timer", b"abc", version=2) + section(3, "dma", b"x" * 75, 1) + b"\0")
    assert (state.kind, state.version, state.complete, state.machine) == ("QEMU", 3, True, None)
    timer, dma = state.sections
    assert (timer.number, timer.name, timer.instance, timer.version) == (0, "timer", 0, 2)
    assert (dma.number, dma.name, dma.instance, dma.version) == (3, "dma", 1, 1)
    assert (timer.end - timer.data, dma.end - dma.data) == (3, 75)
    assert not timer.footer


def test_a_footer_makes_the_end_of_a_section_sure() -> None:
    state = device_state(BEGIN + section(0, "timer", b"abc", footer=True) + section(1, "dma", b"", footer=True) + b"\0")
    assert [(one.footer, one.end - one.data) for one in state.sections] == [(True, 3), (True, 0)]


def test_a_footer_with_another_number_is_data() -> None:
    state = device_state(BEGIN + section(0, "timer", b"ab" + pack(">BI", 0x7E, 9)) + section(1, "dma", b"") + b"\0")
    assert [(one.footer, one.end - one.data) for one in state.sections] == [(False, 7), (False, 0)]


def test_the_machine_type_is_read_where_it_is_given() -> None:
    state = device_state(BEGIN + pack(">BI", 7, 6) + b"pc-1.0" + section(0, "timer", b"") + b"\0")
    assert state.machine == "pc-1.0"
    assert [one.name for one in state.sections] == ["timer"]


@pytest.mark.parametrize(
    "like",
    [
        section(0, "older", b""),
        section(70000, "higher", b""),
        section(5, "bad\x01name", b""),
        section(5, "x", b""),
        section(5, "instance", b"", 1 << 20),
        section(5, "version", b"", 0, 1 << 20),
        section(5, "cut", b"")[:-1],
    ],
)
def test_data_that_only_looks_like_a_header_is_data(like: bytes) -> None:
    state = device_state(
        BEGIN + section(2, "timer", like + b"zz") + (section(6, "dma", b"") if like[-1:] != b"" else b"")
    )
    assert next(one.name for one in state.sections) == "timer"
    assert not {"older", "higher", "x", "instance", "version"}.intersection(one.name for one in state.sections)


def test_a_state_that_is_cut_off_is_not_complete() -> None:
    whole = BEGIN + section(0, "timer", b"abc" * 10)
    state = device_state(whole)
    assert not state.complete
    assert [one.name for one in state.sections] == ["timer"]
    for length in range(len(whole)):
        assert len(device_state(whole[:length]).sections) <= 1


@pytest.mark.parametrize("signature", list(SIGNATURES))
def test_xens_older_signatures_are_named(signature: bytes) -> None:
    state = device_state(signature + b"\0\0\0\4QEVM")
    assert state.kind == SIGNATURES[signature]
    assert not state.sections


@pytest.mark.parametrize("data", [b"", b"QEV", b"something else", b"\0" * 64])
def test_a_state_of_an_unknown_emulator_is_a_value(data: bytes) -> None:
    assert device_state(data).kind == "unknown"


def test_very_many_sections_are_not_kept_without_end() -> None:
    data = BEGIN + b"".join(section(number, "aa", b"") for number in range(SECTIONS_MAX + 10))
    assert len(device_state(data).sections) == SECTIONS_MAX


def test_a_context_without_qevm_has_no_version() -> None:
    decoded = EmulatorContext.decode(emulator(b"DeviceModelRecord0002...."))
    assert not decoded.problems
    assert "version" not in decoded.__dict__


def test_the_section_header_is_defined_as_it_is_read() -> None:
    raw = section(7, "0000:00:01.1/ide", b"", 2, 3)
    head = SectionHeader.decode(raw)
    assert not head.problems
    assert (head.type.name, head.section_id, head.idstr) == ("FULL", 7, b"0000:00:01.1/ide")
    assert (head.instance_id, head.version_id) == (2, 3)


@requires_corpus
def test_a_real_state_holds_the_devices_of_the_guest() -> None:
    for name, vcpus in ((HVM, 1), (HVM_VIRIDIAN, 2)):
        body = real_stream(name).body(0x03, "libxl")
        assert (body.value.emulator_id.name, body.value.version) == ("QEMU_UPSTREAM", 3)
        state = device_state(OpaqueContext.decode(body.data).emulator_ctx)
        assert state.complete
        found = [one.name for one in state.sections]
        assert found.count("cpu") == found.count("apic") == vcpus
        for device in ("timer", "0000:00:00.0/I440FX", "mc146818rtc", "serial", "hpet", "0000:00:01.1/ide", "fdc"):
            assert device in found
        # The first of the two guests has a VGA card, the second was configured without.
        assert ("0000:00:03.0/vga" in found) == (name == HVM)
        numbers = [one.number for one in state.sections]
        assert numbers == sorted(set(numbers))
