"""Rules over what is inside the records: each is broken by one change, and by nothing that real guests do."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as given_by_hypothesis
from hypothesis import strategies as st

from tests.bodies import every_sample, real_streams
from tests.corpus import Sample, requires_corpus
from tests.guests import NONE, Guest, leaf, put, put_shared, xsave
from tests.test_bodies_memory import MEMORY
from tests.test_bodies_pages import DEEP, STARTED
from xenmig.core.check import hvm_context_rules, memory_rules, policy_rules, pv_rules
from xenmig.core.check.checker import Checker
from xenmig.core.check.rules import RULES
from xenmig.core.definitions.hvm_context import ENTRIES
from xenmig.core.definitions.vcpu import X86PvVcpuBasic64

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Guest], object]

CPU = (2, 0)
QEMU = pack("<II", 2, 0)
MODULES = (hvm_context_rules, memory_rules, policy_rules, pv_rules)


def field(code: int, instance: int = 0, /, **values: int | bytes) -> Change:
    """Set fields of an entry of HVM_CONTEXT."""

    def change(guest: Guest) -> None:
        guest.entries[code, instance] = put(ENTRIES[code], guest.entries[code, instance], **values)

    return change


def basic(**values: int | bytes) -> Change:
    """Set fields of the registers of a PV vcpu."""

    def change(guest: Guest) -> None:
        guest.basic = put(X86PvVcpuBasic64, guest.basic, **values)

    return change


def given(name: str, value: object) -> Change:
    """Replace a part of the guest."""
    return lambda guest: setattr(guest, name, value)


def given_all(**values: object) -> Change:
    """Replace several parts of the guest."""
    return lambda guest: guest.__dict__.update(values)


def raw(code: int, offset: int, data: bytes, instance: int = 0) -> Change:
    """Overwrite bytes of an entry of HVM_CONTEXT."""

    def change(guest: Guest) -> None:
        old = guest.entries[code, instance]
        guest.entries[code, instance] = old[:offset] + data + old[offset + len(data) :]

    return change


def entries(changed: Callable[[dict[tuple[int, int], bytes]], object]) -> Change:
    return lambda guest: changed(guest.entries)


def swapped(guest: Guest) -> None:
    guest.order = sorted(guest.entries)
    guest.order[3], guest.order[4] = guest.order[4], guest.order[3]


def twice(guest: Guest) -> None:
    guest.order = sorted([*guest.entries, (8, 0)])


def cpuid(index: int, *replacement: bytes) -> Change:
    def change(guest: Guest) -> None:
        guest.cpuid[index : index + 1] = replacement

    return change


def with_one_viridian_vcpu(guest: Guest) -> None:
    guest.entries.update({(15, 0): bytes(32), (17, 0): bytes(216)})
    guest.params.append((9, 1))


def without(*kinds: int) -> Change:
    return entries(lambda found: [found.pop(key) for key in list(found) if key[0] in kinds])


HVM: list[tuple[str, Change]] = [
    ("hvm-context-chain", given("tail", b"")),
    ("hvm-context-chain", entries(lambda found: found.update({(6, 1): bytes(1000)}))),
    ("hvm-context-tail", given("tail", bytes(8) + b"\xff" * 4)),
    # A CPU entry as Xen wrote it until 3.4, which has neither msr_tsc_aux nor flags.
    (
        "hvm-context-length-release",
        entries(lambda found: found.update({(2, 0): found[2, 0][:1000] + found[2, 0][1008:1024]})),
    ),
    ("hvm-context-typecode", entries(lambda found: found.update({(21, 0): b"abc"}))),
    ("hvm-context-order", swapped),
    ("hvm-context-order", twice),
    ("hvm-context-instance", entries(lambda found: found.update({(9, 1): found.pop((9, 0))}))),
    ("hvm-context-length-release", entries(lambda found: found.update({CPU: found[CPU][:1024]}))),
    ("hvm-context-length-release", entries(lambda found: found.update({(11, 0): found[11, 0][:16]}))),
    ("hvm-context-vcpus", entries(lambda found: found.pop((19, 1)))),
    ("hvm-context-vcpu-unknown", entries(lambda found: found.update({(2, 5): found[CPU]}))),
    ("hvm-context-vcpus", without(2)),
    ("hvm-context-viridian", given("params", [(1, 1), (9, 1)])),
    ("hvm-context-viridian", entries(lambda found: found.update({(15, 0): bytes(32)}))),
    ("hvm-context-viridian", with_one_viridian_vcpu),
    ("hvm-emulator-missing", given("libxl", [(2, QEMU), (0, b"")])),
    ("hvm-emulator-missing", given("libxl", [(3, QEMU), (4, b""), (2, QEMU), (4, b"")])),
    ("hvm-emulator-differs", given("libxl", [(2, QEMU), (3, pack("<II", 1, 0)), (0, b"")])),
    ("hvm-context-devices", without(10)),
    ("hvm-context-devices", entries(lambda found: found.pop((3, 1)))),
    ("hvm-header-cpuid", field(1, cpuid=0x906EA)),
    ("hvm-cpu-control", field(2, cr0=0)),
    ("hvm-cpu-control", field(2, cr0=0x80000010)),
    ("hvm-cpu-control", field(2, cr0=0x110)),
    ("hvm-cpu-control", field(2, msr_efer=2)),
    ("hvm-cpu-control", field(2, msr_efer=0x400)),
    ("hvm-cpu-control", field(2, msr_tsc_aux=1 << 32)),
    ("hvm-cpu-control", field(2, dr6=1 << 32)),
    ("hvm-cpu-control", field(2, dr7=1 << 63)),
    ("hvm-cpu-cache", field(2, cr0=0x20000011)),
    ("hvm-cpu-cr4", field(2, cr4=1 << 5)),
    ("hvm-cpu-cr3", field(2, cr3=1 << 40)),
    ("hvm-cpu-event", field(2, pending_event=0x80000100)),
    ("hvm-cpu-event", field(2, pending_event=0x80001000)),
    ("hvm-cpu-event", field(2, pending_event=0x80000B00, error_code=0x10000)),
    ("hvm-cpu-fpu", raw(2, 40, b"\x01")),
    ("hvm-pic", field(3, modes=0)),
    ("hvm-pic", field(3, 1, modes=0x40)),
    ("hvm-pic", field(3, elcr=1)),
    ("hvm-pic", field(3, 1, elcr=0x20)),
    ("hvm-pic", field(3, int_output=2)),
    ("hvm-pic", field(3, int_output=1, initialisation=1)),
    ("hvm-pci-link", field(9, route=16)),
    ("hvm-pit", field(10, channels__count=0x10001)),
    ("hvm-pit", field(10, channels__rw_mode=4)),
    ("hvm-pit", field(10, channels__bcd=2)),
    ("hvm-pit", field(10, channels__gate=0)),
    ("hvm-pit", field(10, speaker_data_on=2)),
    ("hvm-pit-mode", field(10, channels__mode=6)),
    ("hvm-lapic-base", field(5, apic_base_msr=0xFEE00400)),
    ("hvm-lapic-state", field(5, disabled=4)),
    ("hvm-lapic-state", field(5, 1, timer_divisor=3)),
    ("hvm-hpet-reserved", field(12, res0=1)),
    ("hvm-hpet-reserved", raw(12, 600, b"\x01")),
    ("hvm-hpet-reserved", field(12, timers__res4=1)),
    ("hvm-mtrr-count", field(14, msr_mtrr_cap=0x509)),
    ("hvm-mtrr-type", field(14, msr_pat_cr=2)),
    ("hvm-mtrr-type", field(14, msr_mtrr_fixed=2)),
    ("hvm-mtrr-type", field(14, msr_mtrr_def_type=0x1006)),
    ("hvm-mtrr-type", field(14, 1, msr_mtrr_def_type=3)),
    ("hvm-xsave-mask", raw(16, 0, pack("<Q", 3))),
    ("xsave-length", entries(lambda found: found.update({(16, 0): pack("<Q", 7) + xsave(size=900)}))),
    ("xsave-components", entries(lambda found: found.update({(16, 0): pack("<Q", 7) + xsave(used=0xF)}))),
    ("xsave-components", entries(lambda found: found.update({(16, 0): pack("<Q", 7) + xsave(7, 3, 3, 576)}))),
    ("xsave-components", entries(lambda found: found.update({(16, 0): pack("<Q", 7) + xsave(5, 5, 1, 832)}))),
    ("reserved-not-zero", raw(16, 24 + 520, b"\x01")),
    ("reserved-not-zero", field(2, pad0=1)),
    ("reserved-not-zero", field(2, flags=3)),
    ("reserved-not-zero", field(9, pad0=b"\x01")),
    ("reserved-not-zero", raw(20, 12, b"\x01")),
    ("unknown-value", field(1, version=2)),
    ("msr-index", raw(20, 8, pack("<I", 0x49))),
    ("msr-index", raw(20, 8, pack("<I", 0xC0000103))),
    ("msr-value", raw(20, 16, bytes(8))),
    ("msr-value", entries(lambda found: found.update({(20, 0): pack("<II", 2, 0) + pack("<IIQ", 0x48, 0, 1) * 2}))),
    ("hvm-param-index", given("params", [(4, 1)])),
    ("hvm-param-index", given("params", [(10, 1)])),
    ("hvm-param-index", given("params", [(77, 1)])),
    ("hvm-param-repeated", given("params", [(1, 1), (1, 1)])),
    ("hvm-param-zero", given("params", [(1, 0)])),
    ("hvm-param-refused", given("params", [(24, 1)])),
    ("hvm-param-refused", given("params", [(35, 1)])),
    ("hvm-param-value", given("params", [(36, 2)])),
    ("hvm-param-value", given("params", [(33, 65)])),
    ("hvm-param-value", given("params", [(19, 2)])),
    ("hvm-param-value", given("params", [(38, 2)])),
    ("hvm-param-tss", given_all(release=(0, 1), params=[(15, 1), (37, 1)])),
    ("tsc-mode", given("tsc", pack("<IIQII", 3, 1000, 5, 1, 0))),
    ("tsc-values", given("tsc", pack("<IIQII", 2, 1000, 0, 1, 0))),
    ("tsc-values", given("tsc", pack("<IIQII", 1, 0, 5, 1, 0))),
    ("tsc-values", given("tsc", pack("<IIQII", 0, 1, 1 << 63, 1, 0))),
    ("cpuid-order", lambda guest: guest.cpuid.insert(2, guest.cpuid[1])),
    ("cpuid-order", lambda guest: guest.cpuid.insert(4, guest.cpuid.pop(2))),
    ("cpuid-order", cpuid(1, leaf(1, 0, 0x800F12))),
    ("cpuid-order", cpuid(2, leaf(7, NONE))),
    ("cpuid-range", lambda guest: guest.cpuid.insert(-2, leaf(0x50000000))),
    ("cpuid-limits", cpuid(0, leaf(0, NONE, 0xC))),
    ("cpuid-limits-raised", lambda guest: guest.cpuid.__delitem__(slice(3, 6))),
    ("cpuid-limits", cpuid(6, leaf(0x80000000, NONE, 0x80000007))),
    ("cpuid-limits-raised", cpuid(6, leaf(0x80000000, NONE, 0x80000009))),
    ("cpuid-limits", cpuid(2, leaf(7, 0, 0), leaf(7, 1))),
    ("cpuid-limits-raised", cpuid(2, leaf(7, 0, 1))),
    ("cpuid-xstate", cpuid(3, leaf(0xD, 0, 7, 0, 833))),
    ("cpuid-xstate", cpuid(3, leaf(0xD, 0, 0x207, 0, 832))),
    ("msr-policy", given("msr_policy", [(0x49, 0, 0)])),
    ("msr-policy", given("msr_policy", [(0xCE, 0, 0), (0xCE, 0, 0)])),
    ("msr-policy", given("msr_policy", [(0xCE, 0, 1 << 32)])),
    ("msr-policy-arch-caps", given("msr_policy", [(0xCE, 0, 0), (0x10A, 0, 1)])),
    ("xl-config-json", given("config", b"{\0")),
    ("config-guest-type", given("config", {"c_info": {"type": "pv"}})),
    ("config-guest-type", given("config", {"c_info": {"type": "pvh"}})),
    ("config-vcpus", given("config", {"c_info": {"type": "hvm"}, "b_info": {"max_vcpus": 3}})),
]
PV: list[tuple[str, Change]] = [
    ("pv-vcpu-missing", given_all(basic=b"", extended=b"", xsave=b"", msrs=[])),
    ("pv-vcpu-order", lambda guest: guest.more.append((0x05, guest.extended))),
    ("pv-vcpu-pfn", basic(cr3=1024 << 12)),
    ("pv-vcpu-pfn", basic(cr1=1024 << 12 | 1)),
    ("pv-vcpu-pfn", basic(gdt_frames=1024)),
    ("pv-vcpu-pfn", basic(user_regs__rdx=1024)),
    ("pv-vcpu-cr1", basic(cr1=8 << 12)),
    ("pv-vcpu-gdt", basic(gdt_ents=7169)),
    ("pv-vcpu-registers", basic(ldt_base=1)),
    ("pv-vcpu-registers", basic(ldt_ents=8193)),
    ("pv-vcpu-registers", basic(user_regs__rip=1 << 47)),
    ("pv-vcpu-registers", basic(trap_ctxt__address=1 << 60)),
    ("pv-vcpu-registers", basic(gs_base_user=1 << 63)),
    ("pv-vcpu-registers", basic(dr7=1 << 32)),
    ("pv-vcpu-registers", basic(flags=0x39, cr1=0)),
    ("pv-vcpu-flags", basic(flags=0x1D)),
    ("pv-vcpu-extended-id", given("extended", pack("<IIII", 0, 0, 1, 64) + bytes(56))),
    ("pv-vcpu-extended-size", given("extended", pack("<IIII", 0, 0, 0, 56) + bytes(56))),
    ("pv-vcpu-extended", given("extended", pack("<IIII", 0, 0, 0, 31) + bytes(56))),
    ("pv-vcpu-extended", given("extended", pack("<IIIIQ", 0, 0, 0, 64, 1 << 62) + bytes(48))),
    ("pv-vcpu-fpu", basic(fpu_ctxt=b"\x01")),
    ("body-length", lambda guest: setattr(guest, "basic", guest.basic[:-8])),
    ("body-length", given("extended", pack("<IIII", 0, 0, 0, 57) + bytes(49))),
    ("xsave-length", given("xsave", bytes(8) + xsave(size=840))),
    ("xsave-length", given("xsave", bytes(8) + xsave(3, 3, 3))),
    ("xsave-components", given("xsave", bytes(8) + xsave(used=15))),
    ("xsave-policy", lambda guest: [cpuid(3, leaf(0xD, 0, 3, 0, 576))(guest)]),
    ("reserved-not-zero", given("xsave", bytes(8) + xsave()[:16] + bytes(520) + b"\x01" + bytes(311))),
    ("msr-index", given("msrs", [(0x6E1, 1)])),
    ("msr-value", given("msrs", [(0x48, 0)])),
    ("pv-p2m-start", given("p2m", (512, 1023, [6]))),
    ("pv-p2m-frame", given("p2m", (0, 1023, [5, 1024]))),
    ("pv-p2m-shared", given("p2m", (0, 1023, [5, 5]))),
    ("pv-shared-info-max-pfn", given("shared", put_shared(max_pfn=1023))),
    ("pv-shared-info-unstable", given("shared", put_shared(max_pfn=1024, wc_version=1))),
    ("pv-shared-info-unstable", given("shared", put_shared(max_pfn=1024, p2m_generation=3))),
    ("pv-shared-info-unstable", given("shared", put_shared(max_pfn=1024, vcpu_info__time__version=1))),
    ("config-vcpus", given("config", {"b_info": {"max_vcpus": 0}})),
    ("config-guest-type", given("config", {"c_info": {"type": "pvh"}})),
]


@pytest.mark.parametrize("hvm", [True, False])
def test_nothing_is_found_in_a_sound_guest(hvm: bool) -> None:
    assert Guest(hvm=hvm).found() == {}


@pytest.mark.parametrize(("rule", "change"), HVM, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(HVM)])
def test_one_change_to_an_hvm_guest_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=True)
    change(guest)
    found = guest.found()
    assert set(found) == {rule}, found


@pytest.mark.parametrize(("rule", "change"), PV, ids=[f"{number}-{rule}" for number, (rule, _) in enumerate(PV)])
def test_one_change_to_a_pv_guest_breaks_one_rule(rule: str, change: Change) -> None:
    guest = Guest(hvm=False)
    change(guest)
    found = guest.found()
    assert set(found) == {rule}, found


def test_a_context_that_the_configuration_contradicts_is_told_without_an_end() -> None:
    guest = Guest(hvm=True)
    guest.config = {"c_info": {"type": "pvh"}, "b_info": {"max_vcpus": 3}}
    records = guest.records()[:-1]
    guest.records = lambda: records  # type: ignore[method-assign]
    assert set(guest.found()) == {"config-guest-type", "config-vcpus"}


def test_every_rule_is_broken_by_a_test() -> None:
    ours = {rule.id for module in MODULES for rule in module.RULES}
    assert ours <= set(RULES)
    elsewhere = {"page-table-many", "hvm-param-page"}
    broken = {rule for rule, _ in HVM + PV + STARTED + DEEP} | {rule for rule, _, _ in MEMORY}
    assert ours == ours & (broken | elsewhere)


@pytest.mark.parametrize(
    "change",
    [
        raw(20, 4, b"\xff\xff\xff\xff"),
        lambda guest: guest.entries.update({(5, n): guest.entries[5, n][:28] + b"\xee" * 4 for n in (0, 1)}),
        lambda guest: guest.entries.update({(5, n): guest.entries[5, n][:24] for n in (0, 1)}),
        field(14, msr_mtrr_var=b"\x06" * 128),
        field(6, APIC_ID=0x5000000, LDR=1),
        field(1, gtsc_khz=0),
        field(10, channels__mode=0xFF),
        field(2, cr4=1 << 50),
        without(16),
        without(20),
    ],
)
def test_what_real_hosts_write_is_let_pass(change: Change) -> None:
    guest = Guest(hvm=True)
    change(guest)
    assert guest.found() == {}


@given_by_hypothesis(st.booleans(), st.data())
def test_rules_never_raise_whatever_the_bytes_are(hvm: bool, data: st.DataObject) -> None:
    guest = Guest(hvm=hvm)
    records = guest.records()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(records) - 1))
        kind, body = records[at]
        if body:
            offset = data.draw(st.integers(0, len(body) - 1))
            wrong = data.draw(st.binary(min_size=1, max_size=8))
            body = (body[:offset] + wrong + body[offset + len(wrong) :])[: data.draw(st.integers(0, len(body)))]
            records[at] = (kind, body)
    guest.records = lambda: records  # type: ignore[method-assign]
    assert isinstance(guest.found(), dict)


@requires_corpus
@pytest.mark.parametrize("one", every_sample(), ids=str)
def test_nothing_is_found_in_real_streams(one: Sample) -> None:
    for stream in real_streams(one):
        checker = Checker(inside=True)
        assert stream.events
        checker.take([*stream.events])
        ours = {rule.id for module in MODULES for rule in module.RULES}
        assert [finding for finding in checker.findings if finding.rule in ours] == []


def test_the_checker_looks_inside_when_it_is_asked_to() -> None:
    guest = Guest(hvm=True)
    guest.params = [(36, 2)]
    guest.config = {"c_info": {"type": "pv"}}
    for inside in (False, True):
        checker = Checker(inside=inside)
        checker.take(guest.events())
        found = {finding.rule: finding for finding in checker.findings}
        assert ("hvm-param-value" in found) == ("config-guest-type" in found) == inside
    assert found["hvm-param-value"].message == (
        "0x0000000a (HVM_PARAMS): 36 (X87_FIP_WIDTH) is 2 (unknown): no receiver takes that"
    )
    assert found["config-guest-type"].message.startswith("libxc ")


def test_a_pvh_guest_has_no_devices() -> None:
    guest = Guest(hvm=True)
    guest.config = {"c_info": {"type": "pvh"}, "b_info": {"max_vcpus": 2}}
    without(3, 4, 10, 11, 12, 13)(guest)
    assert guest.found() == {}


def test_a_guest_without_devices_needs_no_device_model() -> None:
    guest = Guest(hvm=True)
    guest.libxl = [(2, QEMU), (3, QEMU), (4, b""), (2, QEMU), (3, QEMU), (0, b"")]
    assert guest.found() == {}
    guest.libxl = [(0, b"")]
    assert set(guest.found()) == {"hvm-emulator-missing"}
    guest.config = {"c_info": {"type": "pvh"}, "b_info": {"max_vcpus": 2}}
    without(3, 4, 10, 11, 12, 13)(guest)
    assert guest.found() == {}


def test_a_converted_stream_has_the_habits_of_its_converter() -> None:
    guest = Guest(hvm=True, release=(0, 1))
    guest.params = [(1, 1), (5, 0), (1, 0)]
    assert guest.found() == {}
    guest = Guest(hvm=False, release=(0, 1))
    guest.extended = pack("<IIII", 0, 0, 0, 64) + bytes(120)
    assert guest.found() == {}


def test_an_old_guest_with_short_entries_is_let_pass() -> None:
    guest = Guest(hvm=True, release=(4, 6))
    cut = {(2, 0): 1024, (18, 0): 24, (18, 1): 24, (11, 0): 16}
    for key, length in cut.items():
        guest.entries[key] = guest.entries[key][:length]
    assert guest.found() == {}
