"""Rules over PV guests in all their branches, of 32-bit guests too; the dissector is held against the same changes."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests.guests import Guest, put, put_shared
from tests.test_bodies_rules import given
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64, VcpuInfo32, VcpuInfo64
from xenmig.core.definitions.vcpu import X86PvVcpuBasic32

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.definitions.structs import Struct

    Change = Callable[[Guest], object]

P2M_FRAMES = 0x03


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


@pytest.mark.parametrize("change", [lambda _: None, shared32(), given("shared", put_shared(max_pfn=1 << 63))])
def test_nothing_is_found_in_sound_guests(change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    assert guest.found() == {}


@pytest.mark.parametrize(
    ("rule", "change"), PV_MEMORY, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(PV_MEMORY)]
)
def test_one_change_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    found = guest.found()
    assert set(found) == {rule}, found
