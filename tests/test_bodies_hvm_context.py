"""HVM_CONTEXT: every type code, every length that a release wrote, and chains that are broken."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest

from tests.bodies import END, HEADER, HVM, HVM_VIRIDIAN, PVH, entry, real_stream
from tests.corpus import requires_corpus
from xenmig.core.definitions.hvm_context import ENTRIES, HvmContext
from xenmig.core.definitions.hvm_cpu import HvmHwCpu, HvmHwCpuCompat
from xenmig.core.definitions.typecodes import Typecode

LENGTHS = {
    Typecode.CPU: (1016, 1024, 1032),
    Typecode.LAPIC: (16, 24, 32),
    Typecode.RTC: (16, 24),
    Typecode.VIRIDIAN_DOMAIN: (16, 24, 32),
    Typecode.VIRIDIAN_VCPU: (8, 16, 216),
    Typecode.VMCE_VCPU: (8, 24, 32),
}
"What releases wrote, of the structs that grew."
FIXED = {
    Typecode.END: 0,
    Typecode.HEADER: 24,
    Typecode.PIC: 8,
    Typecode.IOAPIC: 400,
    Typecode.LAPIC_REGS: 1024,
    Typecode.PCI_IRQ: 16,
    Typecode.ISA_IRQ: 8,
    Typecode.PCI_LINK: 8,
    Typecode.PIT: 56,
    Typecode.HPET: 1048,
    Typecode.PMTIMER: 8,
    Typecode.MTRR: 240,
    Typecode.TSC_ADJUST: 8,
}
EVERY_LENGTH = [(code, length) for code, lengths in LENGTHS.items() for length in lengths] + list(FIXED.items())


def decoded(*entries: bytes) -> Any:
    return HvmContext.decode(b"".join(entries))


def codes(context: Any) -> list[int]:
    return [int(one.descriptor.typecode) for one in context.entries]


def length_problems(context: Any) -> list[Any]:
    return [one for one in context.problems if one.kind == "length"]


def test_every_type_code_has_a_definition() -> None:
    assert set(ENTRIES) == set(Typecode.known) == set(range(21))


@pytest.mark.parametrize(("code", "length"), EVERY_LENGTH)
def test_every_length_that_a_release_wrote_is_taken(code: int, length: int) -> None:
    context = decoded(HEADER, entry(code, 0, bytes(length)), END) if code else decoded(HEADER, END)
    assert not length_problems(context)
    assert ENTRIES[code].accepts(length)


@pytest.mark.parametrize(("code", "length"), [one for one in EVERY_LENGTH if one[1]])
def test_a_length_that_no_release_wrote_is_a_problem(code: int, length: int) -> None:
    context = decoded(HEADER, entry(code, 0, bytes(length - 1)), END)
    assert length_problems(context)
    assert not ENTRIES[code].accepts(length - 1)


@pytest.mark.parametrize(("code", "length"), [one for one in EVERY_LENGTH if one[1]])
def test_a_chain_cut_off_inside_an_entry_says_so(code: int, length: int) -> None:
    whole = HEADER + entry(code, 0, bytes(length))
    context = decoded(whole[:-1])
    assert codes(context) == [1, code]
    assert length_problems(context)


def test_the_oldest_cpu_has_its_fields_where_they_were_then() -> None:
    data = bytearray(1016)
    data[1000:1008] = pack("<Q", 0x123456789)
    data[1012:1016] = pack("<I", 0xABCD)
    context = decoded(HEADER, entry(2, 0, bytes(data)), END)
    cpu = context.entries[1].value
    assert type(cpu) is HvmHwCpuCompat
    assert (cpu.tsc, cpu.error_code) == (0x123456789, 0xABCD)
    assert "msr_tsc_aux" not in cpu.__dict__


def test_a_cpu_from_before_xen_4_7_has_no_flags() -> None:
    context = decoded(HEADER, entry(2, 0, bytes(1024)), END)
    cpu = context.entries[1].value
    assert type(cpu) is HvmHwCpu
    assert cpu.error_code == 0
    assert "flags" not in cpu.__dict__


def test_reserved_fields_that_a_receiver_refuses_are_problems() -> None:
    data = bytearray(1032)
    data[1028] = 1
    context = decoded(HEADER, entry(2, 3, bytes(data)), END)
    (problem,) = context.problems
    assert (problem.kind, problem.field) == ("reserved", "entries[1].pad0")
    assert problem.offset == len(HEADER) + 8 + 1028


def test_undefined_bytes_are_no_problem() -> None:
    msr = entry(20, 0, pack("<I4sIIQ", 1, b"\xff\xaa\x55\x01", 0x48, 0, 1))
    lapic = entry(5, 0, bytes(28) + b"\xff\xff\xff\xff")
    context = decoded(HEADER, lapic, msr, END)
    assert not context.problems
    assert context.entries[2].value.msr[0].index.name == "SPEC_CTRL"


def test_a_chain_without_an_end_says_so() -> None:
    context = decoded(HEADER, entry(19, 0, bytes(8)))
    (problem,) = context.problems
    assert "ends without" in problem.message


def test_what_follows_the_end_is_a_problem() -> None:
    context = decoded(HEADER, END, b"\xff" * 12)
    assert codes(context) == [1, 0]
    assert "12 bytes more" in length_problems(context)[0].message


def test_types_that_nobody_knows_are_passed_over() -> None:
    context = decoded(HEADER, entry(27, 0, b"\xee" * 40), entry(19, 0, bytes(8)), END)
    assert codes(context) == [1, 27, 19, 0]
    assert context.entries[1].value is None
    assert context.entries[1].data == b"\xee" * 40
    assert [problem.kind for problem in context.problems] == ["value"]


REST = (entry(19, 0, b"\x01" * 8), entry(19, 1, b"\x02" * 8), END)


@pytest.mark.parametrize("announced", [0, 8, 16, 1000, 1031, 1033, 1048, 4096, 0xFFFFFFFF])
def test_the_chain_is_picked_up_again_after_a_broken_length(announced: int) -> None:
    cpu = entry(2, 0, b"\x5a" * 1032, announced)
    context = decoded(HEADER, cpu, *REST)
    assert codes(context) == [1, 2, 19, 19, 0]
    (problem,) = length_problems(context)
    assert problem.field == "entries[1]"
    assert (problem.expected, problem.actual) == (1032, announced)
    assert "picked up again" in problem.message
    assert context.entries[1].value.rip == 0x5A5A5A5A5A5A5A5A
    assert context.entries[2].value.tsc_adjust == 0x0101010101010101


@pytest.mark.parametrize(("written", "true"), [(24, 32), (32, 24), (16, 32), (24, 16)])
def test_a_length_of_another_release_than_the_data_is_found(written: int, true: int) -> None:
    context = decoded(HEADER, entry(5, 0, b"\x11" * true, written), *REST)
    assert codes(context) == [1, 5, 19, 19, 0]
    assert len(context.entries[1].data) == true
    assert "picked up again" in length_problems(context)[0].message


def test_an_end_in_the_middle_does_not_end_the_chain() -> None:
    context = decoded(HEADER, END, *REST)
    assert codes(context) == [1, 0, 19, 19, 0]
    assert "ends the chain too early" in length_problems(context)[0].message


def test_a_broken_length_with_nothing_plausible_behind_it_takes_the_rest() -> None:
    context = decoded(HEADER, entry(2, 0, b"\x5a" * 1032, 5000), b"\x77" * 50)
    assert codes(context) == [1, 2]
    assert length_problems(context)


def test_a_chain_of_very_many_entries_is_not_decoded_without_end() -> None:
    context = decoded(entry(8, 0, bytes(8)) * 20_000)
    assert len(context.entries) == 16384
    assert "left undecoded" in length_problems(context)[0].message


def instances(context: Any, code: int) -> list[Any]:
    return [one for one in context.entries if one.descriptor.typecode == code]


@requires_corpus
def test_a_real_hvm_guest_makes_sense() -> None:
    stream = real_stream(HVM)
    context = stream.body(0x09).value
    assert not context.problems
    assert codes(context) == [1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 18, 19, 0]
    (cpu,) = [one.value for one in instances(context, Typecode.CPU)]
    assert isinstance(cpu, HvmHwCpu)
    # The guest is a boot sector in real mode: it runs below 64 KiB with interrupts on and paging off.
    assert 0x7C00 <= cpu.rip < 0x7E00
    assert "IF" in cpu.rflags.names
    assert cpu.cr0.names == ["ET"]
    assert cpu.flags == 1
    # Xen 4.20.4 writes the longer struct.
    assert [one.descriptor.length for one in instances(context, Typecode.LAPIC)] == [32]
    (header,) = [one.value for one in instances(context, Typecode.HEADER)]
    assert header is not None
    assert header.__dict__["gtsc_khz"] == stream.body(0x08).value.khz
    # The clock is that of the day on which the file was made.
    (rtc,) = [one.value.__dict__ for one in instances(context, Typecode.RTC) if one.value]
    assert (rtc["year"], rtc["month"], rtc["day_of_month"]) == (0x26, 0x11, 0x22)
    (ioapic,) = [one.value.__dict__ for one in instances(context, Typecode.IOAPIC) if one.value]
    assert ioapic["base_address"] == 0xFEC00000


@requires_corpus
def test_a_real_guest_with_two_vcpus_and_viridian_has_both_twice() -> None:
    context = real_stream(HVM_VIRIDIAN).body(0x09).value
    assert not context.problems
    for code in (Typecode.LAPIC, Typecode.MTRR, Typecode.VIRIDIAN_VCPU, Typecode.TSC_ADJUST):
        assert [one.descriptor.instance for one in instances(context, code)] == [0, 1]
    # The second was never started: a vcpu that is down has no registers.
    assert [one.descriptor.instance for one in instances(context, Typecode.CPU)] == [0]
    (viridian,) = [one.value.__dict__ for one in instances(context, Typecode.VIRIDIAN_DOMAIN) if one.value]
    # Reference time counts 100 ns units; the guest has been there for minutes.
    assert 10 < viridian["time_ref_count"] / 10_000_000 < 3600


@requires_corpus
def test_a_real_pvh_guest_has_no_emulated_devices() -> None:
    context = real_stream(PVH).body(0x09).value
    assert not context.problems
    emulated = {number for number, one in Typecode.known.items() if one.facts.get("emulated")}
    assert emulated
    assert not emulated.intersection(codes(context))
    (cpu,) = [one.value for one in instances(context, Typecode.CPU)]
    assert isinstance(cpu, HvmHwCpu)
    # A PVH guest starts in protected mode with flat segments.
    assert "PE" in cpu.cr0.names
    assert (cpu.cs_base, cpu.cs_limit) == (0, 0xFFFFFFFF)
