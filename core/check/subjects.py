"""Which module holds the bodies of a type to its rules. Each is loaded when the first of its records comes."""

from __future__ import annotations

from xenmig.core.definitions import libxc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from xenmig.core.check.guest_state import Telling

    Subject: TypeAlias = Callable[[Telling, Any], None]
    "Holds one body, decoded or seen in place, to its rules."

X86_CPUID_POLICY, X86_MSR_POLICY = libxc.X86CpuidPolicy.record, libxc.X86MsrPolicy.record
HVM_CONTEXT, HVM_PARAMS, TSC_INFO = libxc.HvmContext.record, libxc.HvmParams.record, libxc.X86TscInfo.record
PV = (
    libxc.X86PvP2mFrames.record,
    libxc.X86PvVcpuBasic.record,
    libxc.X86PvVcpuExtended.record,
    libxc.X86PvVcpuXsave.record,
    libxc.X86PvVcpuMsrs.record,
    libxc.SharedInfo.record,
)

_LOADED: dict[int, Subject | None] = {}


def subject_of(kind: int) -> Subject | None:
    """The function that holds a libxc body of that type to its rules; None where there are none."""
    try:
        return _LOADED[kind]
    except KeyError:
        found = _LOADED[kind] = _load(kind)
        return found


def _load(kind: int) -> Subject | None:
    if kind == HVM_CONTEXT:
        from xenmig.core.check import hvm_context

        return hvm_context.check
    if kind in PV:
        from xenmig.core.check import pv_vcpu

        return pv_vcpu.SUBJECTS[kind]
    if kind == HVM_PARAMS:
        from xenmig.core.check import params

        return params.check
    if kind == TSC_INFO:
        from xenmig.core.check import tsc

        return tsc.check
    if kind in (X86_CPUID_POLICY, X86_MSR_POLICY):
        from xenmig.core.check import cpu_policy

        return cpu_policy.SUBJECTS[kind]
    return None
