"""Which layout shows which body; what has none here is shown by its definition alone."""

from __future__ import annotations

from xenmig.core.cli import (
    configurationtext,
    contexttext,
    emulatortext,
    paramtext,
    policytext,
    vcputext,
    xsavetext,
)
from xenmig.core.cli.structtext import View
from xenmig.core.definitions import (
    hvm_context,
    hvm_cpu,
    hvm_params,
    interrupt_controllers,
    libvirt,
    libxc,
    msrs,
    qemu,
    shared_info,
    timers,
    vcpu,
    xl,
    xsave,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xenmig.core.cli.structtext import Layout
    from xenmig.core.definitions.guest import Guest
    from xenmig.core.definitions.structs import Struct

LAYOUTS: Mapping[type[Struct], Layout] = {
    hvm_context.HvmContext: contexttext.context_lines,
    hvm_cpu.HvmHwCpu: contexttext.cpu_lines,
    hvm_cpu.HvmHwCpuCompat: contexttext.cpu_lines,
    hvm_params.HvmParams: paramtext.param_lines,
    interrupt_controllers.HvmHwLapicRegs: contexttext.lapic_lines,
    libvirt.DomainXml: configurationtext.configuration_lines,
    libxc.X86CpuidPolicy: policytext.cpuid_lines,
    msrs.HvmMsr: contexttext.msr_lines,
    msrs.X86MsrPolicy: policytext.msr_policy_lines,
    msrs.X86PvVcpuMsrs: policytext.vcpu_msrs_lines,
    qemu.EmulatorContext: emulatortext.emulator_lines,
    shared_info.SharedInfo32: vcputext.shared_lines,
    shared_info.SharedInfo64: vcputext.shared_lines,
    timers.HvmHwHpet: contexttext.hpet_lines,
    timers.HvmHwPmtimer: contexttext.pmtimer_lines,
    timers.HvmHwRtc: contexttext.rtc_lines,
    vcpu.X86PvVcpuBasic32: vcputext.basic_lines,
    vcpu.X86PvVcpuBasic64: vcputext.basic_lines,
    vcpu.X86PvVcpuXsave: vcputext.xsave_lines,
    xl.OptionalData: configurationtext.configuration_lines,
    xsave.Fxsave: xsavetext.fxsave_lines,
    xsave.HvmHwCpuXsave: xsavetext.area_lines,
}
"Layouts of structs for which one line a field is not readable enough."


def view(guest: Guest | None = None, *, byteorder: str = "<", raw: bool = False, secrets: bool = False) -> View:
    """How to show the bodies of a stream whose earlier records said ``guest``."""
    return View(guest=guest, byteorder=byteorder, raw=raw, secrets=secrets, layouts=LAYOUTS)
