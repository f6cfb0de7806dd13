"""What the runtime needs to hold the guest, as several records describe it, to the rules: tables of core/check."""

from __future__ import annotations

from xenmig.core.check import (
    bodies,
    control_registers,
    cpu_policy,
    cpu_state,
    emulator,
    hvm_context,
    memory,
    params,
    population,
    pv_vcpu,
    tsc,
)
from xenmig.core.decode.records import PFN_PIECE
from xenmig.core.definitions import libxc
from xenmig.core.definitions.cpuid_leaves import BASIC_MAX, EXTENDED, NO_SUBLEAF
from xenmig.core.definitions.enumerations import Flags
from xenmig.core.definitions.hvm_context import HvmSaveDescriptor, HvmSaveHeader
from xenmig.core.definitions.hvm_cpu import HvmHwCpu
from xenmig.core.definitions.hvm_params import MEANINGS, HvmParam, HvmParams, Index
from xenmig.core.definitions.interrupt_controllers import HvmHwLapic, HvmHwPciLink, HvmHwVpic, Irqs, LapicDisabled
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.mtrr import HvmHwMtrr
from xenmig.core.definitions.registers import Cr0, Cr4, Efer, XState
from xenmig.core.definitions.shapes import PIT_MODES
from xenmig.core.definitions.timers import HpetTimer, HvmHwHpet, HvmHwPit, HvmHwPitChannel, PitMode
from xenmig.core.definitions.typecodes import Typecode
from xenmig.core.definitions.vcpu import X86PvVcpuXsave
from xenmig.core.definitions.xl import MandatoryFlags
from xenmig.core.definitions.xsave import Fxsave, HvmHwCpuXsave, places_in
from xenmig.core.definitions.xsave_area import AREA_MIN, COMPONENTS, LEGACY_BYTES, TABLES, XSTATE_LEAF
from xenmig.wireshark.rows import LOW, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenmig.core.definitions.enumerations import Value
    from xenmig.core.definitions.structs import Struct
    from xenmig.wireshark.literals import Plain
    from xenmig.wireshark.rows import Rows


def numbered(numbers: Iterable[int | None]) -> dict[int, Plain]:
    """A set of numbers as Lua has sets."""
    return {int(number): True for number in numbers if number is not None}


def offsets(definition: type[Struct]) -> dict[str, Plain]:
    """Where the fields of a struct begin, by name."""
    return {field.name: field.offset for field in definition.fields}


def flags(named: type[Flags]) -> dict[str, Plain]:
    """The table of a word of flags: how it is written, and the names of its bits."""
    known = sum(1 << bit for bit in named.known)
    return {
        "digits": named.digits,
        "names": {bit: one.name for bit, one in sorted(named.known.items())},
        "known_lo": known & LOW,
        "known_hi": known >> 32,
    }


def _parameter(one: Value) -> dict[str, Plain]:
    since, last = one.facts.get("written"), one.facts.get("until")
    return {
        "since": list(params.release_of(since)) if since else None,
        "last": list(params.release_of(last)) if last else None,
        "refused": bool(one.facts.get("deprecated") or one.facts.get("read_only")) or None,
    }


def _parameters(rows: Rows) -> dict[str, Plain]:
    checked: dict[int, Plain] = {}
    for index in params.CHECKED:
        kind = MEANINGS[index]
        checked[int(index)] = {"flags": flags(kind)} if issubclass(kind, Flags) else {"values": rows.enumeration(kind)}
    return {
        "index": rows.enumeration(Index),
        "first": HvmParams.field("params").offset,
        "size": HvmParam.size,
        "at": offsets(HvmParam),
        "parameters": {number: _parameter(one) for number, one in Index.known.items()},
        "checked": checked,
        "viridian": int(Index.VIRIDIAN),
        "rings": [int(index) for index in params.RINGS],
        "ioreq_pages": int(Index.NR_IOREQ_SERVER_PAGES),
        "ioreq_pages_max": params.IOREQ_PAGES_MAX,
        "tss": int(Index.VM86_TSS),
        "tss_sized": int(Index.VM86_TSS_SIZED),
    }


def _size(definition: type[Struct], name: str) -> Plain:
    field = definition.field(name)
    return field.size or field.count


def _cpu() -> dict[str, Plain]:
    return {
        "kind": int(Typecode.CPU),
        "at": offsets(HvmHwCpu),
        "layouts": {length: offsets(one) for length, one in HvmHwCpu.layouts.items()},
        "cr0": flags(Cr0),
        "et": hvm_context.CR0_ET,
        "pg": hvm_context.CR0_PG,
        "pe": hvm_context.CR0_PE,
        "nw": hvm_context.CR0_NW,
        "cd": hvm_context.CR0_CD,
        "cr4": flags(Cr4),
        "cr4_features": {
            bit: [{"leaf": leaf, "register": register, "bit": feature} for (leaf, register), feature in features]
            for bit, features in control_registers.CR4_FEATURES.items()
        },
        "physical_bits": EXTENDED + 8,
        "efer": flags(Efer),
        "lma": hvm_context.EFER_LMA,
        "lme": hvm_context.EFER_LME,
        "valid": hvm_context.EVENT_VALID,
        "reserved": hvm_context.EVENT_RESERVED,
        "no_kinds": numbered(hvm_context.EVENT_NO_KINDS),
        "error_code": hvm_context.EVENT_ERROR_CODE,
        "error_code_bits": hvm_context.ERROR_CODE_BITS,
    }


def _entries(rows: Rows) -> dict[str, Plain]:
    return {
        "pci_link": {
            "kind": int(Typecode.PCI_LINK),
            "at": offsets(HvmHwPciLink),
            "count": HvmHwPciLink.field("route").count,
            "irqs": hvm_context.ISA_IRQS,
        },
        "lapic": {
            "kind": int(Typecode.LAPIC),
            "at": offsets(HvmHwLapic),
            "disabled": flags(LapicDisabled),
            "disabled_max": hvm_context.LAPIC_DISABLED_MAX,
            "extd": hvm_context.APIC_BASE_EXTD,
            "en": hvm_context.APIC_BASE_EN,
            "divisor_max": hvm_context.TIMER_DIVISOR_MAX,
        },
        "pit": {
            "kind": int(Typecode.PIT),
            "at": offsets(HvmHwPit),
            "channels": HvmHwPit.field("channels").count,
            "channel": HvmHwPitChannel.size,
            "channel_at": offsets(HvmHwPitChannel),
            "modes": numbered(PIT_MODES),
            "mode": rows.enumeration(PitMode),
            "most": {"count": hvm_context.PIT_COUNT_MAX, **hvm_context.PIT_MAX},
            "gated": hvm_context.PIT_GATED,
        },
        "mtrr": {
            "kind": int(Typecode.MTRR),
            "at": offsets(HvmHwMtrr),
            "ranges": hvm_context.VARIABLE_RANGES_MAX,
            "types": numbered(hvm_context.MTRR_TYPES),
            "pat_types": numbered(hvm_context.PAT_TYPES),
            "def_type": hvm_context.MTRR_DEF_TYPE,
            "fixed": HvmHwMtrr.field("msr_mtrr_fixed").count,
        },
        "cpu": _cpu(),
        "header": {"kind": hvm_context.HEADER, "at": offsets(HvmSaveHeader)},
        "pic": {
            "kind": int(Typecode.PIC),
            "at": offsets(HvmHwVpic),
            "master": hvm_context.PIC_MASTER,
            "edge": [hvm_context.PIC_EDGE[True], hvm_context.PIC_EDGE[False]],
            "irqs": flags(Irqs),
        },
        "hpet": {
            "kind": int(Typecode.HPET),
            "reserved": [
                {"name": name, "at": HvmHwHpet.field(name).offset, "size": _size(HvmHwHpet, name)}
                for name in hvm_context.HPET_RESERVED
            ],
            "timers_at": HvmHwHpet.field("timers").offset,
            "timers": HvmHwHpet.field("timers").count,
            "timer": HpetTimer.size,
            "res4": {"at": HpetTimer.field("res4").offset, "size": _size(HpetTimer, "res4")},
        },
    }


def inside_facts(rows: Rows) -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``; ``rows`` collects the enumerations."""
    return {
        "guest_state": {
            "least": len(bodies.ZERO_CONTENT),
            "pv_info": offsets(libxc.X86PvInfo),
            "instance_at": HvmSaveDescriptor.field("instance").offset,
            "lapic": int(Typecode.LAPIC),
            "emulated": numbered(hvm_context.EMULATED),
        },
        "emulator_rules": {
            "xenstore_data": emulator.XENSTORE_DATA,
            "context": emulator.CONTEXT,
            "last": numbered(emulator.LAST),
        },
        "memory_rules": {
            "page_type": name_of(libxc.PageType),
            "most": PFN_PIECE,
            "hvm_types": numbered(memory.HVM_TYPES),
            "unpopulated": numbered(population.UNPOPULATED),
            "xalloc": int(libxc.PageType.XALLOC),
            "narrow": int(libxc.GuestWidth.BITS_32),
            "l4": numbered(memory.L4),
        },
        "hvm_context_rules": {
            "typecode": rows.enumeration(Typecode),
            "descriptor": hvm_context.DESCRIPTOR,
            "end": hvm_context.END,
            "header": hvm_context.HEADER,
            "cpu": hvm_context.CPU,
            "pic": int(Typecode.PIC),
            "flags_at": HvmHwCpu.field("flags").offset,
            "xsave": int(Typecode.CPU_XSAVE),
            "legacy_at": HvmHwCpuXsave.field("fpu_sse").offset,
            "legacy": Fxsave.size,
            "per_guest": numbered(hvm_context.PER_GUEST),
            "emulated": list(hvm_context.EMULATED),
            "every_vcpu": [int(kind) for kind in hvm_context.EVERY_VCPU],
            "of_vcpu": [int(kind) for kind in hvm_context.OF_VCPU],
            "most_vcpus": hvm_context.MOST_VCPUS,
            "named_vcpus": hvm_context.NAMED_VCPUS,
            "least_since": {
                kind: {"least": least, "since": list(since)} for kind, (least, since) in hvm_context.LEAST_SINCE.items()
            },
        },
        "viridian_rules": {
            "parameter": int(Index.VIRIDIAN),
            "domain": int(Typecode.VIRIDIAN_DOMAIN),
            "vcpu": int(Typecode.VIRIDIAN_VCPU),
            "lapic": int(Typecode.LAPIC),
        },
        "hvm_entry_rules": _entries(rows),
        "param_rules": _parameters(rows),
        "tsc_rules": {
            "mode": rows.enumeration(libxc.TscMode),
            "at": offsets(libxc.X86TscInfo),
            "pvrdtscp": int(libxc.TscMode.PVRDTSCP),
            "never": int(libxc.TscMode.NEVER_EMULATE),
            "always": int(libxc.TscMode.ALWAYS_EMULATE),
            "no_pvrdtscp": list(tsc.NO_PVRDTSCP),
        },
        "xsave_area": {
            "least": AREA_MIN,
            "components": {"first": COMPONENTS[0], "last": COMPONENTS[-1]},
            "x87": cpu_state.X87,
            "sse": cpu_state.SSE,
            "ymm": cpu_state.YMM,
            "bndregs": cpu_state.BNDREGS,
            "bndcsr": cpu_state.BNDCSR,
            "avx512": cpu_state.AVX512,
            "tile": cpu_state.TILE,
        },
        "xsave_rules": {
            "kind": int(Typecode.CPU_XSAVE),
            "hvm_at": {
                **{name: HvmHwCpuXsave.field(name).offset for name in ("xfeature_mask", "xcr0", "xcr0_accum")},
                "area": HvmHwCpuXsave.field("fpu_sse").offset,
            },
            "pv_at": {
                **{name: X86PvVcpuXsave.field(name).offset for name in ("xcr0", "xcr0_accum")},
                "area": pv_vcpu.AREA_AT,
            },
            "xstate_bv": LEGACY_BYTES,
            "tables": [
                {bit: {"offset": place.offset, "size": place.size} for bit, place in places_in(table).items()}
                for table in TABLES
            ],
        },
        "cpu_policy_rules": {
            "leaf": libxc.CpuidLeaf.size,
            "leaf_at": offsets(libxc.CpuidLeaf),
            "entry": libxc.MsrEntry.size,
            "entry_at": offsets(libxc.MsrEntry),
            "no_subleaf": NO_SUBLEAF,
            "xstate_leaf": XSTATE_LEAF,
            "basic_max": BASIC_MAX,
            "extended": EXTENDED,
            "extended_max": cpu_policy.EXTENDED_MAX,
            "hypervisor": numbered(cpu_policy.HYPERVISOR),
            "subleaves": dict(cpu_policy.SUBLEAVES),
            "leaves_max": cpu_policy.LEAVES_MAX,
            "xstate": flags(XState),
            "msr": rows.enumeration(Msr),
            "policy_msrs": numbered(number for number, one in Msr.known.items() if "policy" in one.facts),
            "platform_info": int(Msr.PLATFORM_INFO),
            "arch_capabilities": int(Msr.ARCH_CAPABILITIES),
            "arch_caps_bit": cpu_policy.ARCH_CAPS_BIT,
        },
        "configuration_rules": {"json": str(MandatoryFlags.JSON)},
    }
