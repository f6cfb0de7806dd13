"""Every consistency rule beyond verify-stream-v2 that was considered is checked, or it is known why not.

The numbers are those of the list of 106 candidates from which the rules were made, groups B to F; group A, 1 to 16, are
the rules about the order of records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guests import Guest
from xenmig.core.check.checker import Checker
from xenmig.core.check.rules import RULES
from xenmig.core.definitions.shapes import BODIES, ENTRIES, SHAPES

if TYPE_CHECKING:
    from xenmig.core.definitions.view import Shape

CHECKED: dict[int, tuple[str, ...]] = {
    17: ("page-data-batch",),
    18: ("page-data-order",),
    19: ("memory-gap",),
    20: ("page-data-pfn-range",),
    21: ("page-data-type-guest",),
    22: ("page-data-level",),
    23: ("page-data-xalloc",),
    24: ("page-table-range",),
    25: ("page-table-large", "page-table-xen"),
    26: ("page-table-level",),
    27: ("page-table-level", "page-table-missing"),
    28: ("pv-pinned-root",),
    29: ("libxc-p2m-frames-range", "libxc-p2m-frames-length"),
    30: ("pv-p2m-start",),
    31: ("pv-p2m-frame", "pv-page-missing", "pv-page-type"),
    32: ("pv-p2m-shared",),
    33: ("libxc-x86-pv-info-pair",),
    34: ("body-length",),
    35: ("pv-vcpu-missing",),
    36: ("pv-vcpu-order",),
    37: ("pv-vcpu-pfn", "pv-page-missing", "pv-page-type"),
    38: ("pv-vcpu-cr1", "pv-vcpu-registers"),
    39: ("pv-vcpu-gdt", "pv-vcpu-pfn", "pv-page-missing", "pv-page-type"),
    40: ("pv-start-info", "pv-start-info-pfn", "pv-vcpu-pfn"),
    41: ("pv-vcpu-registers",),
    42: ("pv-vcpu-flags",),
    43: ("pv-vcpu-extended-id",),
    44: ("pv-vcpu-extended-size",),
    45: ("pv-vcpu-extended",),
    46: ("xsave-length",),
    47: ("xsave-components", "reserved-not-zero"),
    48: ("xsave-policy",),
    49: ("pv-vcpu-fpu",),
    50: ("msr-index", "msr-value", "reserved-not-zero"),
    51: ("pv-shared-info-max-pfn",),
    52: ("pv-shared-info-unstable",),
    54: ("libxc-hvm-context-header", "hvm-context-order"),
    55: ("hvm-context-chain", "hvm-context-tail"),
    56: ("hvm-context-typecode",),
    57: ("hvm-context-order",),
    58: ("hvm-context-instance",),
    59: ("hvm-context-chain",),
    60: ("hvm-context-length-release",),
    62: ("hvm-context-vcpus",),
    63: ("hvm-context-vcpus", "hvm-context-vcpu-unknown"),
    65: ("hvm-context-vcpu-unknown",),
    66: ("hvm-context-viridian",),
    67: ("hvm-context-devices",),
    68: ("hvm-cpu-control", "hvm-cpu-cache", "reserved-not-zero"),
    69: ("hvm-cpu-cr3",),
    70: ("hvm-cpu-event",),
    71: ("hvm-cpu-fpu",),
    72: ("hvm-cpu-cr4",),
    73: ("hvm-pic", "hvm-pit", "hvm-pit-mode", "hvm-pci-link"),
    74: ("hvm-lapic-base", "hvm-lapic-state"),
    76: ("hvm-hpet-reserved",),
    77: ("hvm-mtrr-count", "hvm-mtrr-type"),
    79: ("reserved-not-zero",),
    80: ("xsave-length", "xsave-components", "hvm-xsave-mask"),
    81: ("msr-index", "msr-value", "reserved-not-zero"),
    84: ("hvm-header-cpuid",),
    85: ("hvm-param-index", "hvm-param-repeated"),
    86: ("hvm-param-zero",),
    87: ("hvm-param-refused",),
    88: ("hvm-param-value",),
    89: ("hvm-param-tss",),
    90: ("hvm-param-page",),
    91: ("tsc-mode",),
    92: ("tsc-values",),
    93: ("cpuid-order",),
    94: ("cpuid-range",),
    95: ("cpuid-limits", "cpuid-limits-raised"),
    96: ("cpuid-xstate",),
    97: ("msr-policy", "reserved-not-zero"),
    98: ("msr-policy-arch-caps",),
    99: ("libxl-libxc-context-repeated", "libxl-checkpoint-end-place"),
    100: ("hvm-emulator-missing", "libxl-emulator-repeated"),
    101: ("libxl-emulator-unknown", "libxl-emulator-index", "hvm-emulator-differs"),
    102: ("libxl-xenstore-key", "libxl-xenstore-physmap"),
    103: ("libxl-checkpoint-state-direction",),
    104: ("xl-mandatory-flags", "xl-config-length", "xl-config-unterminated", "xl-config-json"),
    105: ("config-guest-type", "config-vcpus"),
    106: ("reserved-not-zero",),
}
"Number -> the rules that it became."
NOT_CHECKED = {
    53: "SHARED_INFO holds the sender's mfns, which no pfn of the stream can agree with",
    61: "point releases of 4.18 to 4.20 changed the length of LAPIC",
    64: "vcpus that are down have no CPU entry",
    75: "releases up to 4.18 wrote LDR by rules of their own, and APIC ids are set otherwise since",
    78: "Xen since 4.12 writes the first pair of MTRRs in place of all",
    82: "Xen does not clear the hole in CPU_MSR and the tail of LAPIC",
    83: "what gtsc_khz and khz mean depends on the mode",
}
"Number -> why real streams would break it."


def test_every_candidate_is_checked_or_it_is_known_why_not() -> None:
    assert sorted([*CHECKED, *NOT_CHECKED]) == list(range(17, 107))
    assert {rule for rules in CHECKED.values() for rule in rules} <= RULES.keys()


def turned(shape: Shape, data: bytes) -> list[tuple[int, int]]:
    """Offset and bit of the bits that the definition does not leave free; a bit of each octet where there are many."""
    _lengths, _, _, bits, values = shape
    found = []
    for offset, size, mask, _, step, count in bits:
        for at in (offset, offset + step * (max(count, 1) - 1)):
            places = [place for place in range(8 * size) if mask >> place & 1]
            found += [(at + place // 8, place % 8) for place in (places if size <= 4 else places[::7])]
    for offset, size, shift, mask, known, _, _ in values:
        number = int.from_bytes(data[offset : offset + size], "little")
        for place in range(8 * size):
            if (number ^ 1 << place) >> shift & mask not in known:
                found.append((offset + place // 8, place % 8))
    return [one for one in found if one[0] < len(data)]


def broken(guest: Guest, records: list[tuple[int, bytes]] | None = None) -> set[str]:
    """The rules that the guest breaks, or would with other records."""
    if records is not None:
        guest.records = lambda: records  # type: ignore[method-assign]
    checker = Checker("libxc")
    checker.take(guest.events())
    return {finding.rule for finding in checker.findings}


@pytest.mark.parametrize("hvm", [True, False])
def test_nothing_is_found_where_no_bit_is_changed(hvm: bool) -> None:
    assert broken(Guest(hvm=hvm)) == set()


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]


@pytest.mark.parametrize("code", [code for code in ENTRIES if code in {key[0] for key in Guest(hvm=True).entries}])
def test_one_bit_of_an_entry_that_is_not_free_is_found(code: int) -> None:
    data = Guest(hvm=True).entries[code, 0]
    for at, bit in turned(SHAPES[ENTRIES[code]], data):
        guest = Guest(hvm=True)
        guest.entries[code, 0] = flipped(data, at, bit)
        assert broken(guest), (code, at, bit)


@pytest.mark.parametrize("length", [-1, 1, 8])
@pytest.mark.parametrize("code", [code for code in ENTRIES if code in {key[0] for key in Guest(hvm=True).entries}])
def test_a_length_that_an_entry_cannot_have_is_found(code: int, length: int) -> None:
    guest = Guest(hvm=True)
    data = guest.entries[code, 0]
    guest.entries[code, 0] = data[:length] if length < 0 else data + bytes(length)
    known = SHAPES[ENTRIES[code]][0]
    assert broken(guest) or len(guest.entries[code, 0]) in known


@pytest.mark.parametrize("hvm", [True, False])
@pytest.mark.parametrize("record", BODIES)
def test_one_bit_of_a_body_that_is_not_free_is_found(record: int, hvm: bool) -> None:
    kinds = [kind for kind, _ in Guest(hvm=hvm).records()]
    if record not in kinds:
        assert record in [kind for kind, _ in Guest(hvm=not hvm).records()]
        return
    place = kinds.index(record)
    data = Guest(hvm=hvm).records()[place][1]
    name = BODIES[record].get(0) or BODIES[record][8]
    for at, bit in turned(SHAPES[name], data):
        guest = Guest(hvm=hvm)
        records = guest.records()
        records[place] = (record, flipped(data, at, bit))
        assert broken(guest, records), (record, at, bit)
