"""What the runtime needs to hold the processors and the shared pages of PV guests, and all MSRs, to the rules."""

from __future__ import annotations

from xenmig.core.check import checker, pv_vcpu
from xenmig.core.definitions import libxc
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.msrs import HvmMsr, HvmOneMsr, X86PvVcpuMsrs, XenDomctlVcpuMsr
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64, VcpuTimeInfo
from xenmig.core.definitions.typecodes import Typecode
from xenmig.wireshark.inside_facts import numbered, offsets

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        "most": checker.KEPT_FINDINGS,
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


def pv_facts(rows: Rows) -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``; ``rows`` collects the enumerations."""
    return {
        "msr_rules": _msrs(rows),
        "pv_memory_rules": {
            "p2m_frames": offsets(libxc.X86PvP2mFrames),
            "shared_info": {8: _shared_info(SharedInfo64), 4: _shared_info(SharedInfo32)},
        },
    }
