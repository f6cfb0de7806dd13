"""Rules over X86_TSC_INFO: xen/arch/x86/time.c, tsc_get_info and tsc_set_info."""

from __future__ import annotations

from xenmig.core.definitions.libxc import TscMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.check.guest_state import Telling

NO_PVRDTSCP = (4, 12)
"The first release that refuses PVRDTSCP."


def check(telling: Telling, value: Any) -> None:
    """Hold a X86_TSC_INFO to its rules."""
    if value.nsec is None:
        return
    mode, khz, nsec = int(value.mode), value.khz, value.nsec
    if mode == TscMode.PVRDTSCP and telling.state.release >= NO_PVRDTSCP:
        major, minor = NO_PVRDTSCP
        telling.tell("tsc-mode", f"mode is {value.mode}: Xen {major}.{minor} and later refuse it", 0, None, mode)
    if mode == TscMode.NEVER_EMULATE and (khz or nsec):
        telling.tell("tsc-values", f"mode is {value.mode}, and khz {khz} and nsec {nsec} are not zero", 4)
    if mode == TscMode.ALWAYS_EMULATE and not khz:
        telling.tell("tsc-values", f"mode is {value.mode}, and khz is zero", 4, None, 0)
    if nsec >> 63:
        telling.tell("tsc-values", f"nsec is 0x{nsec:x}: more than time can have passed", 8, None, nsec)
