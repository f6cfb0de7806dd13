"""Offsets and sizes in the definitions of bodies are those that a C compiler gives to Xen's public headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.layout.headers import INCLUDE, ask, requires_headers
from xenmig.core.definitions import (
    features,
    hvm_context,
    hvm_cpu,
    hvm_params,
    interrupt_controllers,
    libxc,
    msrs,
    mtrr,
    pv_context,
    shared_info,
    timers,
    typecodes,
    vcpu,
    viridian,
    vmce,
    xsave,
)

if TYPE_CHECKING:
    from xenmig.core.definitions.enumerations import Flags
    from xenmig.core.definitions.structs import Struct

PADDING = re.compile(r"hole\d*|unused\w*|tail|rest|components")
"Names of what lies in the bytes and is no member in C."


class Case(NamedTuple):
    """A definition, and the struct in C that it describes."""

    definition: type[Struct]
    type: str
    names: dict[str, str | None] = {}  # noqa: RUF012 (a NamedTuple's default is never changed)
    "Members that are called otherwise in C; None for what is no member there."
    base: int = 0
    "Bytes in front of the struct in the body."
    bits: tuple[int, ...] = (64, 32)
    "The processors for which the layout in C is that of the stream; Xen itself has 64 bits."


def fields(definition: type[Struct], prefix: str, *names: str) -> dict[str, str | None]:
    return {name: f"{prefix}{name}" for name in names}


CONTROL = {f"cr{i}": f"ctrlreg[{i}]" for i in range(8)} | {f"dr{i}": f"debugreg[{i}]" for i in range(8)}
VCPU: dict[str, str | None] = {"vcpu_id": None, "reserved1": None}
ARCH = fields(
    shared_info.SharedInfo64,
    "arch.",
    "max_pfn",
    "pfn_to_mfn_frame_list_list",
    "nmi_reason",
    "p2m_cr3",
    "p2m_vaddr",
    "p2m_generation",
)
START: dict[str, str | None] = {"console_mfn": "console.domU.mfn", "console_evtchn": "console.domU.evtchn"}
PADS: dict[str, str | None] = {f"pad{i}": None for i in range(7)}
XSAVE_HEADER = fields(xsave.HvmHwCpuXsave, "save_area.xsave_hdr.", "xstate_bv", "xcomp_bv", "reserved")
VMCE = fields(vmce.HvmVmceVcpu, "vmce.", "caps", "mci_ctl2_bank0", "mci_ctl2_bank1", "mcg_ext_ctl")
RTC = [
    *("seconds", "seconds_alarm", "minutes", "minutes_alarm", "hours", "hours_alarm", "day_of_week"),
    *("day_of_month", "month", "year", "reg_a", "reg_b", "reg_c", "reg_d"),
]

CASES = [
    Case(hvm_context.HvmSaveDescriptor, "struct hvm_save_descriptor"),
    Case(hvm_context.HvmSaveHeader, "struct hvm_save_header"),
    Case(hvm_cpu.HvmHwCpu, "struct hvm_hw_cpu"),
    Case(interrupt_controllers.HvmHwVpic, "struct hvm_hw_vpic", {"initialisation": None, "modes": None}),
    Case(interrupt_controllers.HvmHwVioapic, "struct hvm_hw_vioapic"),
    # Xen 4.17's struct has 24 bytes; pending_esr came later.
    Case(interrupt_controllers.HvmHwLapic, "struct hvm_hw_lapic", {"pending_esr": None}),
    Case(interrupt_controllers.HvmHwPciIrqs, "struct hvm_hw_pci_irqs"),
    Case(interrupt_controllers.HvmHwIsaIrqs, "struct hvm_hw_isa_irqs"),
    Case(interrupt_controllers.HvmHwPciLink, "struct hvm_hw_pci_link"),
    Case(timers.HvmHwPitChannel, "struct hvm_hw_pit_channel"),
    Case(timers.HvmHwPit, "struct hvm_hw_pit"),
    Case(timers.HvmHwRtc, "struct hvm_hw_rtc", {name: f"cmos_data[{i}]" for i, name in enumerate(RTC)}),
    Case(timers.HpetTimer, "__typeof__(((struct hvm_hw_hpet *)0)->timers[0])"),
    Case(timers.HvmHwHpet, "struct hvm_hw_hpet"),
    Case(timers.HvmHwPmtimer, "struct hvm_hw_pmtimer"),
    Case(mtrr.HvmHwMtrr, "struct hvm_hw_mtrr"),
    Case(viridian.HvmViridianDomainContext, "struct hvm_viridian_domain_context"),
    Case(viridian.HvmViridianVcpuContext, "struct hvm_viridian_vcpu_context"),
    Case(vmce.HvmVmceVcpu, "struct hvm_vmce_vcpu"),
    Case(hvm_context.HvmTscAdjust, "struct hvm_tsc_adjust"),
    Case(xsave.HvmHwCpuXsave, "struct hvm_hw_cpu_xsave", {"fpu_sse": "save_area.fpu_sse", **XSAVE_HEADER}),
    Case(msrs.HvmOneMsr, "struct hvm_one_msr"),
    # An i386 build of Xen would not align the array; there has been none since Xen 4.3.
    Case(msrs.HvmMsr, "struct hvm_msr", bits=(64,)),
    Case(vcpu.UserRegs64, "struct cpu_user_regs_x86_64", PADS),
    Case(vcpu.UserRegs32, "struct cpu_user_regs_x86_32", PADS),
    Case(vcpu.TrapInfo64, "struct trap_info_x86_64"),
    Case(vcpu.TrapInfo32, "struct trap_info_x86_32"),
    Case(vcpu.X86PvVcpuBasic64, "struct vcpu_guest_context_x86_64", {**VCPU, **CONTROL}, 8),
    Case(vcpu.X86PvVcpuBasic32, "struct vcpu_guest_context_x86_32", {**VCPU, **CONTROL}, 8),
    Case(vcpu.X86PvVcpuExtended, "struct xen_domctl_ext_vcpucontext", {**VCPU, "struct_size": "size", **VMCE}, 8),
    Case(msrs.XenDomctlVcpuMsr, "struct xen_domctl_vcpu_msr"),
    Case(shared_info.VcpuTimeInfo, "struct vcpu_time_info_x86_64", {"pad1": "pad1"}),
    Case(shared_info.VcpuTimeInfo, "struct vcpu_time_info_x86_32", {"pad1": "pad1"}),
    Case(shared_info.VcpuInfo64, "struct vcpu_info_x86_64", {"cr2": "arch.cr2", "pad": "arch.pad"}),
    Case(shared_info.VcpuInfo32, "struct vcpu_info_x86_32", {"cr2": "arch.cr2", "pad": "arch.pad"}),
    Case(shared_info.SharedInfo64, "struct shared_info_x86_64", ARCH),
    Case(shared_info.SharedInfo32, "struct shared_info_x86_32", {**ARCH, "wc_sec_hi": "arch.wc_sec_hi"}),
    Case(shared_info.StartInfo64, "struct start_info_x86_64", START),
    Case(shared_info.StartInfo32, "struct start_info_x86_32", START),
    Case(libxc.CpuidLeaf, "xen_cpuid_leaf_t"),
    Case(libxc.MsrEntry, "xen_msr_entry_t"),
    Case(msrs.MsrEntry, "xen_msr_entry_t"),
]
PARTIAL = (shared_info.StartInfo64, shared_info.StartInfo32)
"Definitions of no more than the beginning of the struct."


def one_of(case: Case) -> str:
    return f"{case.definition.__name__}-{case.type.split()[-1]}"


def layout(case: Case) -> dict[str, tuple[int, int | None]]:
    """Offset and size of every member, by its name in C, as the definition has them."""
    found: dict[str, tuple[int, int | None]] = {}
    offset = 0
    for field in case.definition.fields:
        member = case.names.get(field.name, None if PADDING.fullmatch(field.name) else field.name)
        if member is not None:
            # What follows a count has no size in the definition; a flexible array has none in C.
            found[member] = (offset - case.base, field.size)
        offset += field.size or 0
    return found


def questions(case: Case) -> tuple[tuple[str, str], ...]:
    asked = [("sizeof", f"sizeof({case.type})")]
    for member, (_, size) in layout(case).items():
        asked.append((f"offset:{member}", f"offsetof({case.type}, {member})"))
        if size is not None:
            asked.append((f"size:{member}", f"sizeof((({case.type} *)0)->{member})"))
    return tuple(asked)


@requires_headers
@pytest.mark.parametrize(
    ("case", "bits"),
    [pytest.param(case, bits, id=f"{one_of(case)}-{bits}") for case in CASES for bits in case.bits],
)
def test_every_member_lies_where_the_compiler_puts_it(case: Case, bits: int) -> None:
    answers = ask(questions(case), bits)
    expected = layout(case)
    assert expected
    for member, (offset, size) in expected.items():
        assert answers[f"offset:{member}"] == offset, member
        assert size is None or answers[f"size:{member}"] == size, member


@requires_headers
@pytest.mark.parametrize("case", CASES, ids=one_of)
def test_no_member_is_left_out_at_the_end(case: Case) -> None:
    size = ask(questions(case), 64)["sizeof"]
    definition = case.definition
    fixed = sum(field.size or 0 for field in definition.fields) - case.base
    if definition.lengths:
        assert size + case.base in definition.lengths
    elif definition in PARTIAL:
        assert fixed < size
    elif definition in (shared_info.SharedInfo64, shared_info.SharedInfo32):
        rest = definition.fields[-1].size
        assert rest is not None
        assert fixed - rest == size
    else:
        assert size == fixed


@requires_headers
def test_type_codes_of_the_hvm_context_are_those_of_the_headers() -> None:
    declared = [name.name for name in typecodes.Typecode.known.values() if name.name not in ("CPU_XSAVE", "CPU_MSR")]
    asked = [(name, f"HVM_SAVE_CODE({name})") for name in declared]
    asked += [("CPU_XSAVE", "CPU_XSAVE_CODE"), ("CPU_MSR", "CPU_MSR_CODE"), ("MAX", "HVM_SAVE_CODE_MAX")]
    answers = ask(tuple(asked), 64)
    assert answers.pop("MAX") == max(typecodes.Typecode.known)
    assert answers == {one.name: number for number, one in typecodes.Typecode.known.items()}


@requires_headers
def test_every_type_code_has_the_length_of_its_struct() -> None:
    names = [one.name for one in typecodes.Typecode.known.values() if one.name not in ("CPU_XSAVE", "CPU_MSR")]
    answers = ask(tuple((name, f"HVM_SAVE_LENGTH({name})") for name in names), 64)
    for number, definition in hvm_context.ENTRIES.items():
        name = typecodes.Typecode.known[number].name
        assert name not in answers or definition.accepts(answers[name]), name


def defined(header: str, pattern: str) -> dict[str, str]:
    """Names that a header defines, and what as."""
    return dict(re.findall(pattern, (INCLUDE / header).read_text(), re.MULTILINE))


@requires_headers
def test_hvm_params_are_those_of_the_headers() -> None:
    found = defined("hvm/params.h", r"^#define HVM_PARAM_(\w+)\s+(\d+)$")
    numbers = {name: int(number) for name, number in found.items() if not name.startswith("CALLBACK_")}
    numbers["CALLBACK_IRQ"] = 0
    known = {one.name: number for number, one in hvm_params.Index.known.items() if not one.name.isdigit()}
    assert known == numbers


def flags_of(header: str, pattern: str) -> dict[str, int]:
    return {name: int(bit) for name, bit in defined(header, pattern).items()}


@requires_headers
@pytest.mark.parametrize(
    ("flags", "header", "pattern"),
    [
        (hvm_params.Viridian, "hvm/params.h", r"^#define _HVMPV_(\w+) (\d+)$"),
        (pv_context.VgcfFlags, "arch-x86/xen.h", r"^#define _VGCF_(\w+)\s+(\d+)$"),
        (vcpu.VmAssist, "xen.h", r"^#define VMASST_TYPE_(\w+)\s+(\d+)$"),
        (shared_info.StartFlags, "xen.h", r"^#define SIF_(\w+)\s+\(1<<(\d+)\)"),
        (hvm_cpu.CpuFlags, "arch-x86/hvm/save.h", r"^#define _XEN_X86_(\w+)\s+(\d+)$"),
    ],
)
def test_flags_are_those_of_the_headers(flags: type[Flags], header: str, pattern: str) -> None:
    found = {name.lower(): bit for name, bit in flags_of(header, pattern).items() if bit < 64}
    found = {name.replace("4gb", "four_gb"): bit for name, bit in found.items()}
    assert found
    assert {one.name.lower(): bit for bit, one in flags.known.items()} == found


@requires_headers
def test_features_are_those_of_the_headers() -> None:
    text = (INCLUDE / "arch-x86" / "cpufeatureset.h").read_text()
    found = re.findall(r"^XEN_CPUFEATURE\((\w+),\s*(\d+)\*32\s*\+\s*(\d+)\)", text, re.MULTILINE)
    assert len(found) > 200
    for name, word, bit in found:
        # Some are written as bits beyond their word: 16*32+62.
        number, position = divmod(int(word) * 32 + int(bit), 32)
        known = features.WORDS[number].known
        assert known[position].name == name, f"{number}.{position}"


def test_there_are_as_many_features_as_xen_has_names_for() -> None:
    assert sum(len(word.known) for word in features.WORDS) == 287
    assert [word.word for word in features.WORDS] == list(range(19))
