"""What the runtime needs to hold the processors and the shared pages of PV guests, and all MSRs, to the rules."""

from __future__ import annotations

from xenmig.core.check import checker, population, pv_pages, pv_vcpu
from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.msrs import HvmMsr, HvmOneMsr, X86PvVcpuMsrs, XenDomctlVcpuMsr
from xenmig.core.definitions.pv_context import GDT_ENTRIES_MAX, GDT_ENTRIES_PER_FRAME, LDT_ENTRIES_MAX, VgcfFlags
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64, VcpuTimeInfo
from xenmig.core.definitions.typecodes import Typecode
from xenmig.core.definitions.vcpu import VgcfFlags32, X86PvVcpuBasic32, X86PvVcpuBasic64, X86PvVcpuExtended
from xenmig.core.definitions.xsave import Fxsave
from xenmig.wireshark.inside_facts import flags, numbered, offsets
from xenmig.wireshark.rows import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.enumerations import Flags
    from xenmig.core.definitions.structs import Struct
    from xenmig.wireshark.literals import Plain
    from xenmig.wireshark.rows import Rows


def _number(definition: type[Struct], name: str) -> dict[str, Plain]:
    """Where a number of a struct is, and how long."""
    field = definition.field(name)
    return {"name": name, "at": field.offset, "size": field.size}


def _item(definition: type[Struct], array: str) -> type[Struct]:
    """The struct that an array holds."""
    found = definition.field(array).of
    assert isinstance(found, type), array
    return found


def _taken(guest: str) -> dict[int, Plain]:
    return numbered(number for number, one in Msr.known.items() if guest in one.facts)


def _msrs(rows: Rows) -> dict[str, Plain]:
    return {
        "msr": rows.enumeration(Msr),
        "hvm": {
            "kind": int(Typecode.CPU_MSR),
            "taken": _taken("hvm"),
            "count": HvmMsr.field("count").offset,
            "msr": HvmMsr.field("msr").offset,
            "layout": {"size": HvmOneMsr.size, **_places(HvmOneMsr, index="index", value="val")},
        },
        "pv": {
            "taken": _taken("pv"),
            "msrs": X86PvVcpuMsrs.field("msrs").offset,
            "layout": {"size": XenDomctlVcpuMsr.size, **_places(XenDomctlVcpuMsr, index="index", value="value")},
        },
    }


def _places(definition: type[Struct], **fields: str) -> dict[str, Plain]:
    """Where fields begin, by what the runtime calls them."""
    return {name: definition.field(field).offset for name, field in fields.items()}


def _shared_info(page: type[Struct]) -> dict[str, Plain]:
    vcpu = _item(page, "vcpu_info")
    in_vcpu, in_time = vcpu.field("time").offset, VcpuTimeInfo.field("version").offset
    assert in_vcpu is not None
    assert in_time is not None
    return {
        "size": page.size,
        "max_pfn": _number(page, "max_pfn"),
        "versions": [_number(page, name) for name in pv_vcpu.VERSIONS],
        "vcpus": page.field("vcpu_info").count,
        "vcpu": vcpu.size,
        "time_version": in_vcpu + in_time,
    }


def _vcpu(definition: type[Struct], flag_names: type[Flags], *, wide: bool) -> dict[str, Plain]:
    """Where the runtime finds what it looks at in an X86_PV_VCPU_BASIC."""
    registers, trap = _nested(definition, "user_regs"), _item(definition, "trap_ctxt")
    frame = definition.field("gdt_frames").of
    assert isinstance(frame, Field)
    found: dict[str, Plain] = {
        "width": 8 if wide else 4,
        "levels": pv_pages.LEVELS[8 if wide else 4],
        "flags": {**_number(definition, "flags"), "flags": flags(flag_names)},
        **{name: _number(definition, name) for name in ("ldt_base", "ldt_ents", "gdt_ents", "cr3")},
        "gdt_frames": {"at": definition.field("gdt_frames").offset, "size": SCALARS[frame.kind][1]},
        "start_info": registers["rdx" if wide else "edx"],
        "addresses": [],
        "debug_registers": [],
    }
    if not wide:
        return {**found, "eflags": registers["eflags"]}
    return {
        **found,
        "cr1": _number(definition, "cr1"),
        "addresses": [registers["rip"], registers["rsp"], *(_number(definition, name) for name in pv_vcpu.ADDRESSES)],
        "debug_registers": [
            {**_number(definition, name), "flags": flags(_flags(definition, name))} for name in pv_vcpu.DEBUG_REGISTERS
        ],
        "traps": {
            "at": definition.field("trap_ctxt").offset,
            "count": definition.field("trap_ctxt").count,
            "size": trap.size,
            **_places(trap, vector="vector", address="address"),
        },
    }


def _flags(definition: type[Struct], name: str) -> type[Flags]:
    found = definition.field(name).flags
    assert found is not None, name
    return found


def _nested(definition: type[Struct], name: str) -> dict[str, dict[str, Plain]]:
    """The numbers of a struct inside a struct, with their places in the outer one."""
    field = definition.field(name)
    assert isinstance(field.of, type), name
    assert field.offset is not None, name
    numbers = [one for one in field.of.fields if one.kind in SCALARS and one.offset is not None]
    return {one.name: {"name": one.name, "at": field.offset + (one.offset or 0), "size": one.size} for one in numbers}


def _vcpus() -> dict[str, Plain]:
    return {
        "address_bits": pv_vcpu.ADDRESS_BITS,
        "kinds": {number: kind for number, kind in pv_vcpu.KINDS.items() if number is not None},
        "first": pv_vcpu.KINDS[libxc.X86PvVcpuBasic.record],
        "layouts": {
            X86PvVcpuBasic64.size or 0: _vcpu(X86PvVcpuBasic64, VgcfFlags, wide=True),
            X86PvVcpuBasic32.size or 0: _vcpu(X86PvVcpuBasic32, VgcfFlags32, wide=False),
        },
        "extended": {
            "least": pv_vcpu.EXTENDED_LEAST,
            "vcpu": _number(X86PvVcpuExtended, "vcpu"),
            "struct_size": _number(X86PvVcpuExtended, "struct_size"),
            "entry_points": [_number(X86PvVcpuExtended, name) for name in pv_vcpu.ENTRY_POINTS],
        },
        "i387_valid": int(VgcfFlags.I387_VALID),
        "in_kernel": int(VgcfFlags.IN_KERNEL),
        "online": int(VgcfFlags.ONLINE),
        "eflags_vm": pv_vcpu.EFLAGS_VM,
        "context_at": pv_vcpu.CONTEXT_AT,
        "area_at": pv_vcpu.AREA_AT,
        "legacy": Fxsave.size,
        "ldt_ents_max": LDT_ENTRIES_MAX,
        "gdt_ents_max": GDT_ENTRIES_MAX,
        "gdt_ents_per_frame": GDT_ENTRIES_PER_FRAME,
    }


def pv_facts(rows: Rows) -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``; ``rows`` collects the enumerations."""
    return {
        "most_findings": checker.KEPT_FINDINGS,
        "msr_rules": _msrs(rows),
        "pv_memory_rules": {
            "p2m_frames": offsets(libxc.X86PvP2mFrames),
            "shared_info": {8: _shared_info(SharedInfo64), 4: _shared_info(SharedInfo32)},
        },
        "pv_vcpu_rules": _vcpus(),
        "pv_page_rules": {
            "page_type": name_of(libxc.PageType),
            "levels": dict(pv_pages.LEVELS),
            "level": population.LEVEL,
            "pinned": population.PINNED,
        },
    }
