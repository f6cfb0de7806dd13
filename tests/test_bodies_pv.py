"""Bodies of PV guests: registers, extended processor state, shared info."""

from __future__ import annotations

from struct import pack

import pytest

from tests.bodies import PV, real_stream
from tests.corpus import requires_corpus
from xenmig.core.definitions import libxc
from xenmig.core.definitions.bodies import BODIES, decode, definition_of
from xenmig.core.definitions.guest import Guest
from xenmig.core.definitions.pv_context import root_pfn
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64
from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.vcpu import X86PvVcpuBasic32, X86PvVcpuBasic64, X86PvVcpuExtended, X86PvVcpuXsave
from xenmig.core.definitions.xsave import components, places_for, places_in
from xenmig.core.definitions.xsave_area import AMD, INTEL, Place, area_size, places_of

VCPU = pack("<II", 0, 0)


def guest(width: int | None) -> Guest:
    found = Guest()
    found.guest_width = width
    return found


@pytest.mark.parametrize(
    ("width", "length", "expected"),
    [
        (8, 5176, X86PvVcpuBasic64),
        (4, 2808, X86PvVcpuBasic32),
        (None, 5176, X86PvVcpuBasic64),
        (None, 2808, X86PvVcpuBasic32),
        (8, 100, X86PvVcpuBasic64),
        (None, 100, libxc.X86PvVcpuBasic),
    ],
)
def test_registers_have_the_layout_of_the_guests_width(width: int | None, length: int, expected: type) -> None:
    assert definition_of("libxc", 0x04, length, guest(width)) is expected


@pytest.mark.parametrize(("width", "expected"), [(8, SharedInfo64), (4, SharedInfo32), (None, libxc.SharedInfo)])
def test_shared_info_has_the_layout_of_the_guests_width(width: int | None, expected: type) -> None:
    assert definition_of("libxc", 0x07, 4096, guest(width)) is expected


def test_records_that_nobody_defines_have_no_definition() -> None:
    assert decode("libxc", 0x7777, b"", Guest()) is None
    assert decode("libvirt", 0, b"", Guest()) is None


def test_bodies_end_where_those_of_the_layer_end() -> None:
    for (layer, record), body in BODIES.items():
        plain = Struct.records[layer][record]
        for definition in body.choices.values():
            assert definition.fields[0].size == plain.fields[0].size or definition.size == plain.size
            assert definition.name == plain.name


def test_the_root_of_a_32_bit_guest_is_unfolded() -> None:
    assert root_pfn(0x12345000, 8) == 0x12345
    assert root_pfn(0x12345000 | 0xABC, 4) == 0xABC12345


@pytest.mark.parametrize("length", [8, 64, 72, 136])
def test_every_length_of_extended_is_taken(length: int) -> None:
    assert not X86PvVcpuExtended.decode(bytes(length)).problems


@pytest.mark.parametrize("length", [56, 63, 65, 71, 73, 135])
def test_other_lengths_of_extended_are_problems(length: int) -> None:
    problems = X86PvVcpuExtended.decode(bytes(length)).problems
    assert problems
    assert {problem.kind for problem in problems} == {"length"}


def test_extended_before_xen_4_10_has_no_mcg_ext_ctl() -> None:
    decoded = X86PvVcpuExtended.decode(bytes(56) + pack("<Q", 7))
    assert decoded.mci_ctl2_bank1 == 7
    assert "mcg_ext_ctl" not in decoded.__dict__


def test_a_vcpu_without_extended_state_has_no_area() -> None:
    decoded = X86PvVcpuXsave.decode(VCPU + bytes(16))
    assert not decoded.problems
    assert "fpu_sse" not in decoded.__dict__


def xsave(xcr0: int, size: int, xcomp_bv: int = 0) -> bytes:
    area = bytearray(size)
    area[512:528] = pack("<QQ", xcr0, xcomp_bv)
    return VCPU + pack("<QQ", xcr0, xcr0) + bytes(area)


def test_a_compacted_area_is_a_problem() -> None:
    assert not X86PvVcpuXsave.decode(xsave(7, 832)).problems
    (problem,) = X86PvVcpuXsave.decode(xsave(7, 832, 1 << 63)).problems
    assert problem.field == "xcomp_bv"


def test_an_area_cut_off_inside_its_header_says_so() -> None:
    (problem,) = X86PvVcpuXsave.decode(xsave(7, 832)[: 24 + 570]).problems
    assert problem.kind == "length"


@pytest.mark.parametrize(
    ("xcr0", "intel", "amd"),
    [(0, 0, 0), (3, 576, 576), (7, 832, 832), (0xE7, 2688, 2432), (0x2E7, 2696, 2440), (0x602E7, 11008, None)],
)
def test_the_size_of_an_area_follows_from_the_places_of_its_components(xcr0: int, intel: int, amd: int | None) -> None:
    assert area_size(xcr0, places_in(INTEL)) == intel
    assert area_size(xcr0, places_in(AMD)) == amd


def leaf(subleaf: int, size: int, offset: int) -> libxc.CpuidLeaf:
    return libxc.CpuidLeaf(leaf=0xD, subleaf=subleaf, a=size, b=offset, c=0, d=0)


def test_the_streams_own_cpuid_says_where_components_lie() -> None:
    leaves = [leaf(2, 256, 640), leaf(9, 8, 576), leaf(63, 1, 1)]
    assert set(places_of(leaves)) == {2, 9}
    area = bytearray(896)
    area[576:580] = pack("<I", 0x55555554)
    area[640:648] = pack("<Q", 0xFEDC)
    ymm, pkru = components(bytes(area), 0x207, 0x200, leaves)
    assert (ymm.name, ymm.place.offset, ymm.in_use) == ("YMM", 640, False)
    assert ymm.value is not None
    assert ymm.value.__dict__["ymm_high"][0].low == 0xFEDC
    assert (pkru.name, pkru.in_use) == ("PKRU", True)
    assert pkru.value is not None
    assert pkru.value.__dict__["pkru"] == 0x55555554


def test_without_cpuid_the_size_says_whose_processor_it_was() -> None:
    for table, size in ((INTEL, 2688), (AMD, 2432)):
        places = places_for(0xE7, size)
        assert places is not None
        assert places[6].offset == table[6]
    assert places_for(0xE7, 2500) is None


def test_components_beyond_the_end_have_no_value() -> None:
    found = components(bytes(700), 7, 7, [leaf(2, 256, 576)])
    assert [(one.name, one.value) for one in found] == [("YMM", None)]
    assert components(bytes(700), 7, 7, [leaf(2, 256, 100)])[0].value is None
    assert components(bytes(700), 7, 7, [leaf(2, 0xFFFFFFFF, 0xFFFFFFFF)])[0].value is None


def test_an_area_with_a_component_that_nobody_placed_has_no_known_size() -> None:
    assert area_size(1 << 20, {2: Place(2, 576, 256)}) is None


@requires_corpus
def test_a_real_pv_guest_makes_sense() -> None:
    stream = real_stream(PV)
    assert not [one.value.problems for one in stream.bodies if one.value.problems]
    p2m = stream.body(0x03).value
    shared = stream.body(0x07).value
    assert type(shared) is SharedInfo64
    # 128 MB are 32768 pages.
    assert shared.max_pfn == p2m.p2m_end_pfn + 1 == 32768
    # The guest was started less than its time of life before the save; the wallclock is of the day of the save.
    assert shared.wc_sec >> 16 == 0x6B02
    assert shared.wc_version % 2 == shared.p2m_generation % 2 == 0
    basic = stream.body(0x04).value
    assert type(basic) is X86PvVcpuBasic64
    assert {"I387_VALID", "IN_KERNEL", "ONLINE"} <= set(basic.flags.names)
    # A Linux kernel: addresses in the upper half, its code in the last 2 GiB, and a page-table root that is a pfn.
    assert basic.user_regs.rip >> 31 == 0x1FFFFFFFF
    assert basic.syscall_callback_eip >> 31 == 0x1FFFFFFFF
    assert root_pfn(basic.cr3, 8) <= p2m.p2m_end_pfn
    assert basic.user_regs.rdx <= p2m.p2m_end_pfn
    assert [one.vector for one in basic.trap_ctxt[:4]] == [0, 1, 2, 3]
    assert basic.gdt_ents == 16
    extended = stream.body(0x05).value
    assert (extended.vcpu, extended.struct_size) == (0, 64)


@requires_corpus
def test_real_extended_state_has_the_size_that_cpuid_gives() -> None:
    stream = real_stream(PV)
    body = stream.body(0x06)
    area = body.data[24:]
    assert area_size(body.value.xcr0_accum, places_of(stream.guest.leaves)) == len(area) == 832
    (ymm,) = components(area, body.value.xcr0_accum, body.value.xstate_bv, stream.guest.leaves)
    assert (ymm.name, ymm.place.offset, ymm.place.size) == ("YMM", 576, 256)
    # Both records were made from the same memory while the guest was paused.
    assert body.value.fpu_sse == stream.body(0x04).value.fpu_ctxt
