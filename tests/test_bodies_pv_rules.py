"""Rules over PV guests in all their branches, of 32-bit guests too; the dissector is held against the same changes."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests.guests import Guest, put, put_shared, xsave
from tests.test_bodies_rules import basic, given, given_all
from xenmig.core.check import pv_vcpu
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64, VcpuInfo32, VcpuInfo64
from xenmig.core.definitions.vcpu import X86PvVcpuBasic32

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xenmig.core.definitions.structs import Struct

    Change = Callable[[Guest], object]

P2M_FRAMES, BASIC, EXTENDED, XSAVE, MSRS = 0x03, 0x04, 0x05, 0x06, 0x0C


def narrow(guest: Guest) -> None:
    """Make it a 32-bit guest."""
    guest.width = 4
    guest.p2m = (0, 1023, [5])
    guest.types = {7: 0xB, 12: 2, 13: 1}
    guest.shared = put(SharedInfo32, bytes(4096), max_pfn=1024)
    guest.basic = put(X86PvVcpuBasic32, bytes(2808), flags=0x3D, cr3=7 << 12, user_regs__edx=9, gdt_ents=16)


def of_32_bits(change: Change) -> Change:
    def changed(guest: Guest) -> None:
        narrow(guest)
        change(guest)

    return changed


def shared(page: type[Struct], vcpu: type[Struct], number: int, version: int) -> Change:
    """Let a vcpu's time in the shared page have a version."""
    at = number * (vcpu.size or 0) + (vcpu.field("time").offset or 0)
    data = bytearray(put(page, bytes(4096), max_pfn=1024))
    data[at : at + 4] = pack("<I", version)
    return given("shared", bytes(data))


def shared32(**values: int) -> Change:
    return of_32_bits(given("shared", put(SharedInfo32, bytes(4096), **{"max_pfn": 1024, **values})))


def more(*records: tuple[int, bytes]) -> Change:
    """Records before END."""
    return lambda guest: guest.more.extend(records)


def basic32(**values: int | bytes) -> Change:
    """Set fields of the registers of a 32-bit vcpu."""

    def change(guest: Guest) -> None:
        guest.basic = put(X86PvVcpuBasic32, guest.basic, **values)

    return of_32_bits(change)


def of_vcpu(number: int, *kinds: int) -> Change:
    """Records of another vcpu before END, like those of the first."""

    def change(guest: Guest) -> None:
        guest.config = {}
        first = {BASIC: guest.basic, EXTENDED: guest.extended, XSAVE: guest.xsave}
        for kind in kinds:
            body = bytearray(first[kind])
            body[:4] = pack("<I", number)
            if kind == EXTENDED:
                body[8:12] = pack("<I", number)
            guest.more.append((kind, bytes(body)))

    return change


def all_of(*changes: Change) -> Change:
    def change(guest: Guest) -> None:
        for one in changes:
            one(guest)

    return change


def with_legacy(region: bytes) -> bytes:
    """An X86_PV_VCPU_XSAVE with these x87 and SSE registers."""
    return pack("<II", 0, 0) + xsave()[:16] + region + xsave()[16 + 512 :]


def types(**changed: int) -> Change:
    """Give pages other types: ``p7=0xC``."""
    return lambda guest: guest.types.update({int(pfn[1:]): kind for pfn, kind in changed.items()})


def without_frames(pfns: Sequence[int]) -> Change:
    """Let pages of the physical-to-machine table be missing."""

    def change(guest: Guest) -> None:
        guest.p2m = (0, 1023, [*pfns])
        guest.types.update(dict.fromkeys(pfns, 0xF))

    return change


def in_batches(*changes: dict[int, int]) -> Change:
    """Let all memory come, and then pages again, with other types."""

    def change(guest: Guest) -> None:
        guest.batches = [pack("<1024Q", *(pfn | guest.types.get(pfn, 0) << 60 for pfn in range(1024)))]
        guest.batches += [pack(f"<{len(one)}Q", *(pfn | kind << 60 for pfn, kind in one.items())) for one in changes]

    return change


PV_MEMORY: list[tuple[str, Change]] = [
    ("pv-p2m-frame", given("p2m", (0, 1023, [5, 1 << 60 | 77]))),
    ("pv-p2m-frame", given("p2m", (0, 1023, [1 << 32, 1024]))),
    ("pv-p2m-frame", of_32_bits(given("p2m", (0, 1023, [1024])))),
    ("pv-p2m-shared", more((P2M_FRAMES, pack("<II4Q", 0, 1023, 5, 6, 5, 6)))),
    ("pv-p2m-shared", more((P2M_FRAMES, pack("<II3Q", 0, 1023, 5, 6, 5)), (P2M_FRAMES, pack("<IIQ", 0, 511, 5)))),
    ("pv-p2m-start", of_32_bits(given("p2m", (1, 1023, [5])))),
    ("pv-shared-info-max-pfn", given("shared", bytes(4096))),
    ("pv-shared-info-max-pfn", shared32(max_pfn=1023)),
    ("pv-shared-info-unstable", shared(SharedInfo64, VcpuInfo64, 31, 0xFFFFFFFF)),
    ("pv-shared-info-unstable", given("shared", put_shared(max_pfn=1 << 40, p2m_generation=0xFEDCBA9876543211))),
    ("pv-shared-info-unstable", shared32(wc_version=7)),
    ("pv-shared-info-unstable", shared32(p2m_generation=0xFFFFFFFF)),
    ("pv-shared-info-unstable", of_32_bits(shared(SharedInfo32, VcpuInfo32, 31, 5))),
    ("msr-index", given("msrs", [(0xD90, 1)])),
    ("msr-index", given("msrs", [(0x49 + number, 1) for number in range(200)])),
    ("msr-value", given("msrs", [(0x48, 1), (0x48, 0), (0x48, 1)])),
    ("msr-value", given("msrs", [(0x48, 0), (0x48, 1)])),
]


PV_VCPUS: list[tuple[str, Change]] = [
    ("pv-vcpu-missing", of_32_bits(given_all(basic=b"", extended=b"", xsave=b"", msrs=[]))),
    ("pv-vcpu-missing", all_of(of_vcpu(3, BASIC), given_all(basic=b"", extended=b"", xsave=b"", msrs=[]))),
    ("pv-vcpu-order", of_vcpu(1, EXTENDED, BASIC)),
    ("pv-vcpu-order", of_32_bits(of_vcpu(0xFFFFFFFF, XSAVE))),
    ("pv-vcpu-order", more((MSRS, pack("<II", 0, 0) + pack("<IIQ", 0x48, 0, 2)))),
    ("pv-vcpu-order", more((XSAVE, pack("<II", 0, 0) + xsave()))),
    ("pv-vcpu-order", of_vcpu(0, BASIC)),
    ("pv-vcpu-order", all_of(of_vcpu(2, BASIC, XSAVE), of_vcpu(1, BASIC))),
    ("pv-vcpu-pfn", basic(cr3=1 << 63)),
    ("pv-vcpu-pfn", basic(cr1=0xFFFFFFFFFFFFF001)),
    ("pv-vcpu-pfn", basic(gdt_frames=0xFEDCBA9876543210)),
    ("pv-vcpu-pfn", basic(gdt_ents=7168, gdt_frames=pack("<16Q", *[10] * 13, 1 << 53 | 1, 1 << 60, 1 << 60))),
    ("pv-vcpu-pfn", basic(user_regs__rdx=0x8000000000000001)),
    ("pv-vcpu-pfn", basic32(cr3=1)),
    ("pv-vcpu-pfn", basic32(cr3=0x12345ABC)),
    ("pv-vcpu-pfn", basic32(gdt_frames=0xFFFFFFFF)),
    ("pv-vcpu-pfn", basic32(user_regs__edx=1024)),
    ("pv-vcpu-cr1", basic(cr1=8 << 12 | 5)),
    ("pv-vcpu-cr1", basic(cr1=1 << 53)),
    ("pv-vcpu-gdt", basic(gdt_ents=1 << 63)),
    ("pv-vcpu-gdt", basic32(gdt_ents=0xFFFFFFFF)),
    ("pv-vcpu-registers", basic(ldt_base=0xFFFF800000000FFF, ldt_ents=0xFFFFFFFFFFFFFFFF)),
    *[("pv-vcpu-registers", basic(**{name: 0xFFFF7FFFFFFFFFFF})) for name in pv_vcpu.ADDRESSES],
    ("pv-vcpu-registers", basic(user_regs__rsp=0x8000000000000000)),
    ("pv-vcpu-registers", basic(trap_ctxt=pack("<16xBBHI2Q", 0xFE, 3, 0x10, 0, 1 << 47, 1 << 47))),
    ("pv-vcpu-registers", basic(dr6=0xFFFFFFFFFFFF0FF0, dr7=1 << 63)),
    ("pv-vcpu-registers", basic32(ldt_base=0xFFFFF001)),
    ("pv-vcpu-registers", basic32(ldt_ents=8193)),
    ("pv-vcpu-registers", basic32(user_regs__eflags=1 << 17 | 2)),
    ("pv-vcpu-flags", basic(flags=1 << 63 | 5)),
    ("pv-vcpu-flags", basic32(flags=0)),
    ("pv-vcpu-extended-id", given("extended", pack("<IIII", 0, 0, 0xFFFFFFFF, 64) + bytes(56))),
    ("pv-vcpu-extended-size", of_32_bits(given("extended", pack("<IIII", 0, 0, 0, 65) + bytes(56)))),
    ("pv-vcpu-extended-size", given("extended", pack("<IIII", 0, 0, 0, 0xFFFFFFFF) + bytes(120))),
    ("pv-vcpu-extended", given("extended", pack("<IIIIQQ", 0, 0, 0, 64, 0, 0x7FFF800000000000) + bytes(40))),
    ("pv-vcpu-extended", given("extended", pack("<IIII", 0, 0, 0, 0) + bytes(56))),
    ("pv-vcpu-fpu", given("xsave", with_legacy(b"\x01" * 512))),
    ("pv-vcpu-fpu", of_32_bits(given("xsave", with_legacy(bytes(511) + b"\x80")))),
    ("body-length", of_32_bits(lambda guest: setattr(guest, "basic", guest.basic[:-4]))),
    ("body-length", given("extended", pack("<IIIH", 0, 0, 0, 2))),
]
PV_PAGES: list[tuple[str, Change]] = [
    ("pv-page-missing", types(p0=0xF, p5=0xF)),
    ("pv-page-missing", types(p7=0xF)),
    ("pv-page-type", in_batches({5: 0xF, 6: 0}, {5: 0xF})),
    ("pv-page-missing", of_32_bits(types(p5=0xF))),
    ("pv-page-missing", of_32_bits(types(p7=0xF, p20=0xB))),
    ("pv-page-missing", without_frames(range(100, 260))),
    ("pv-page-type", of_32_bits(types(p7=2, p20=0xB))),
    ("pv-page-type", of_32_bits(types(p9=1))),
    ("pv-page-type", of_32_bits(types(p5=9))),
    ("pv-page-type", in_batches({8: 4}, {8: 0})),
    ("pv-pinned-root", of_32_bits(types(p7=3))),
    ("pv-pinned-root", in_batches({7: 0xC, 8: 0xC}, {7: 4, 8: 4})),
]
EVERY = PV_MEMORY + PV_VCPUS + PV_PAGES
SOUND: list[Change] = [
    lambda _: None,
    shared32(),
    given("shared", put_shared(max_pfn=1 << 63)),
    # Without I387_VALID the x87 and SSE registers of BASIC do not count.
    basic(flags=0x3C, fpu_ctxt=b"\x01"),
    basic(cr1=0),
    basic(user_regs__rip=0xFFFF800000000000, fs_base=0x7FFFFFFFFFFF),
    given_all(release=(0, 1), extended=pack("<IIII", 0, 0, 0, 40) + bytes(120)),
    all_of(of_vcpu(1, BASIC, EXTENDED, XSAVE), of_vcpu(5, BASIC)),
    given("extended", b""),
    given("msrs", []),
]


@pytest.mark.parametrize("change", SOUND)
def test_nothing_is_found_in_sound_guests(change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    assert guest.found() == {}


@pytest.mark.parametrize(
    ("rule", "change"),
    EVERY,
    ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(EVERY)],
)
def test_one_change_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    found = guest.found()
    assert set(found) == {rule}, found
