"""Offsets and sizes in the definitions of bodies are those that a C compiler gives to Xen's public headers."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.layout.headers import INCLUDE, ask, requires_headers
from xenmig.core import definitions as core_definitions
from xenmig.core.definitions import (
    features,
    hvm_context,
    hvm_cpu,
    hvm_params,
    interrupt_controllers,
    libvirt,
    libxc,
    libxl,
    msrs,
    mtrr,
    pv_context,
    qemu,
    shared_info,
    timers,
    typecodes,
    vcpu,
    viridian,
    vmce,
    xl,
    xsave,
)
from xenmig.core.definitions.structs import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.definitions.enumerations import Flags


class Case(NamedTuple):
    """A definition, and the struct in C that it describes."""

    definition: type[Struct]
    type: str
    names: dict[str, str] = {}  # noqa: RUF012 (a NamedTuple's default is never changed)
    "Members that are called otherwise in C."
    base: int = 0
    "Bytes in front of the struct in the body."
    bits: tuple[int, ...] = (64, 32)
    "The processors for which the layout in C is that of the stream; Xen itself has 64 bits."


def fields(definition: type[Struct], prefix: str, *names: str) -> dict[str, str]:
    return {name: f"{prefix}{name}" for name in names}


CONTROL = {f"cr{i}": f"ctrlreg[{i}]" for i in range(8)} | {f"dr{i}": f"debugreg[{i}]" for i in range(8)}
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
START = {"console_mfn": "console.domU.mfn", "console_evtchn": "console.domU.evtchn"}
PADS = {f"pad{i}": f"_pad{i}" for i in range(7)}
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
    Case(hvm_cpu.HvmHwCpuCompat, "struct hvm_hw_cpu_compat"),
    Case(interrupt_controllers.HvmHwVpic, "struct hvm_hw_vpic"),
    Case(interrupt_controllers.HvmHwVioapic, "struct hvm_hw_vioapic"),
    Case(interrupt_controllers.HvmHwLapic, "struct hvm_hw_lapic"),
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
    Case(vcpu.X86PvVcpuBasic64, "struct vcpu_guest_context_x86_64", CONTROL, 8),
    Case(vcpu.X86PvVcpuBasic32, "struct vcpu_guest_context_x86_32", CONTROL, 8),
    Case(vcpu.X86PvVcpuExtended, "struct xen_domctl_ext_vcpucontext", {"struct_size": "size", **VMCE}, 8),
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
NO_STRUCT: dict[str, tuple[type[Struct], ...]] = {
    "a file of its own, whose header libxen-dev does not have": (
        *(libvirt.Header, libvirt.DomainXml, xl.Header, xl.OptionalData),
        *(qemu.EmulatorContext, qemu.SectionHeader),
    ),
    "tools/libs/guest/xg_sr_stream_format.h, which libxen-dev does not have": (
        *(libxc.ImageHeader, libxc.DomainHeader, libxc.RecordHeader, libxc.PageData, libxc.X86PvInfo),
        *(libxc.X86PvP2mFrames, libxc.X86TscInfo, libxc.HvmParam, libxc.HvmParams, libxc.VcpuMsr),
        *(hvm_params.HvmParam, hvm_params.HvmParams, libxc.CheckpointDirtyPfnList, libxc.X86CpuidPolicy),
        *(libxc.X86MsrPolicy, msrs.X86MsrPolicy, libxc.X86PvVcpuMsrs, msrs.X86PvVcpuMsrs, vcpu._OfVcpu),
    ),
    "tools/libs/light/libxl_sr_stream_format.h, which libxen-dev does not have": (
        *(libxl.Header, libxl.RecordHeader, libxl.EmulatorXenstoreData, libxl.EmulatorContext),
        libxl.CheckpointState,
    ),
    "what the record holds is opaque there, and has a definition of its own": (
        *(libxc.X86PvVcpuBasic, libxc.X86PvVcpuExtended, libxc.X86PvVcpuXsave, libxc.SharedInfo, libxc.HvmContext),
        *(libxc.Toolstack, hvm_context.HvmContext),
    ),
    "the part that HvmHwCpu and HvmHwCpuCompat have in common": (hvm_cpu._Registers,),
    "an array of bytes or of words in C": (
        *(interrupt_controllers.HvmHwLapicRegs, interrupt_controllers.LapicRegister, mtrr.VariableRange),
    ),
    "laid out by the processor: Intel SDM volume 1, chapter 13; AMD APM volume 2, 11.5": (
        *(vcpu.X86PvVcpuXsave, xsave.X87Register, xsave.XmmRegister, xsave.Fxsave, xsave.Ymm, xsave.Bound),
        *(xsave.Bndregs, xsave.Bndcsr, xsave.Opmask, xsave.ZmmHigh, xsave.HighZmm, xsave.Pkru),
        *(xsave.TileConfiguration, xsave.TileData, xsave.Lwp),
    ),
}
"Definitions that are compared with nothing, by the reason."
NO_MEMBER: dict[str, dict[type[Struct], tuple[str, ...]]] = {
    "bit fields in C, which have no offset": {interrupt_controllers.HvmHwVpic: ("initialisation", "modes")},
    "newer than Xen 4.17, whose header Debian has": {interrupt_controllers.HvmHwLapic: ("pending_esr", "tail")},
    "libxc's, in front of the struct": {
        vcpu.X86PvVcpuBasic64: ("vcpu_id", "reserved1"),
        vcpu.X86PvVcpuBasic32: ("vcpu_id", "reserved1"),
        vcpu.X86PvVcpuExtended: ("vcpu_id", "reserved1"),
    },
    "behind the struct, as the processor lays it out": {xsave.HvmHwCpuXsave: ("components",)},
    "behind the struct, up to the length that the record says": {vcpu.X86PvVcpuExtended: ("rest",)},
    "the rest of the page": {shared_info.SharedInfo64: ("rest",), shared_info.SharedInfo32: ("rest",)},
    "put in by the compiler, so that the next member is aligned": {
        msrs.HvmMsr: ("hole",),
        vcpu.TrapInfo64: ("hole",),
        vcpu.X86PvVcpuExtended: ("hole",),
        shared_info.VcpuInfo64: ("hole",),
        shared_info.VcpuInfo32: ("hole",),
        shared_info.StartInfo64: ("hole", "hole2"),
    },
}
"Fields of compared definitions that are compared with nothing, by the reason."
PARTIAL = (shared_info.StartInfo64, shared_info.StartInfo32)
"Definitions of no more than the beginning of the struct."


def one_of(case: Case) -> str:
    return f"{case.definition.__name__}-{case.type.split()[-1]}"


def no_member(definition: type[Struct]) -> list[str]:
    """Fields that are compared with nothing."""
    return [name for each in NO_MEMBER.values() for name in each.get(definition, ())]


def layout(case: Case) -> dict[str, tuple[int, int | None]]:
    """Offset and size of every member, by its name in C, as the definition has them."""
    found: dict[str, tuple[int, int | None]] = {}
    without = no_member(case.definition)
    offset = 0
    for field in case.definition.fields:
        if field.name not in without:
            # What follows a count has no size in the definition; a flexible array has none in C.
            found[case.names.get(field.name, field.name)] = (offset - case.base, field.size)
        offset += field.size or 0
    return found


def definitions() -> Iterator[type[Struct]]:
    """Every definition of something with fields."""
    for module in pkgutil.iter_modules(core_definitions.__path__, f"{core_definitions.__name__}."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, Struct) and one.fields and one.__module__ == module.name:
                yield one


def test_every_definition_is_compared_or_says_why_not() -> None:
    compared = [case.definition for case in CASES]
    excused = [one for each in NO_STRUCT.values() for one in each]
    assert not set(compared) & set(excused)
    assert len(excused) == len(set(excused))
    assert set(definitions()) == {*compared, *excused}


def test_no_field_is_excused_that_is_compared_or_does_not_exist() -> None:
    compared = {case.definition for case in CASES}
    for each in NO_MEMBER.values():
        for definition, names in each.items():
            assert definition in compared
            assert set(names) <= {field.name for field in definition.fields}
    for case in CASES:
        # Two fields that are compared with one member would leave another member out.
        assert len(layout(case)) + len(no_member(case.definition)) == len(case.definition.fields)
        assert case.names.keys() & {*no_member(case.definition)} == set()


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


NEWER_FEATURES = {
    1: "SDBG",
    3: "ADDR_MSK_EXT",
    4: "XFD",
    6: "WAITPKG TME LA57 BLD SGX_LC PKS",
    8: "CPPC",
    9: "SGX_KEYS UINTR PCONFIG ARCH_LBR AMX_BF16 AMX_TILE AMX_INT8",
    10: (
        "SHA512 SM3 SM4 LASS CMPCCXADD ARCH_PERF_MON FRED LKGS WRMSRNS NMI_SRC AMX_FP16 AVX_IFMA LAM MSRLIST NO_INVD "
        "MOVRS"
    ),
    11: "NO_NEST_BP FS_GS_NS AMD_FSRS AMD_FSRC CPUID_USER_DIS EPSF FSRSC AMD_PREFETCHI AVX512_BMM",
    13: "DDP_CTRL UC_LOCK_DIS",
    15: "AVX_VNNI_INT8 AVX_NE_CONVERT AMX_COMPLEX AVX_VNNI_INT16 PREFETCHI UIRET_UIF SLSM",
    16: "MCU_EXT IGN_UMONITOR MON_UMON_MITG",
    17: "PB_OPT_CTRL",
}
"By word, the names that the headers of Xen 4.17, which Debian has, lack."


@requires_headers
def test_features_are_those_of_the_headers() -> None:
    text = (INCLUDE / "arch-x86" / "cpufeatureset.h").read_text()
    found = re.findall(r"^XEN_CPUFEATURE\((\w+),\s*(\d+)\*32\s*\+\s*(\d+)\)", text, re.MULTILINE)
    # Some are written as bits beyond their word: 16*32+62.
    theirs = {divmod(int(word) * 32 + int(bit), 32): name for name, word, bit in found}
    ours = {(word.word, bit): one.name for word in features.WORDS for bit, one in word.known.items()}
    assert len(theirs) > 200
    assert theirs.items() <= ours.items()
    newer = {(word, name) for word, names in NEWER_FEATURES.items() for name in names.split()}
    assert {(word, name) for (word, bit), name in ours.items() if (word, bit) not in theirs} <= newer


def test_columns_are_headed_as_xen_cpuid_does() -> None:
    columns = " ".join(word.column() for word in features.WORDS)
    assert columns == "1d 1c e1d e1c Da1 7b0 7c0 e7d e8b 7d0 7a1 e21a 7b1 7d2 7c1 7d1 m10Al m10Ah e21c"


def test_there_are_as_many_features_as_xen_has_names_for() -> None:
    assert sum(len(word.known) for word in features.WORDS) == 287
    assert [word.word for word in features.WORDS] == list(range(19))
