"""Rules over the vcpus of PV guests and the page they share with Xen.

tools/libs/guest/xg_sr_restore_x86_pv.c; xen/arch/x86/domain.c, arch_set_info_guest; xen/arch/x86/domctl.c.
"""

from __future__ import annotations

from xenmig.core.check import cpu_state, pv_pages
from xenmig.core.definitions import libxc
from xenmig.core.definitions.pv_context import (
    GDT_ENTRIES_MAX,
    GDT_ENTRIES_PER_FRAME,
    LDT_ENTRIES_MAX,
    VgcfFlags,
    root_pfn,
)
from xenmig.core.definitions.view import numbers
from xenmig.core.definitions.xsave_area import LEGACY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenmig.core.check.guest_state import Telling

EXTENDED_LEAST = 32
"Bytes that a receiver wants at least: domctl.c, XEN_DOMCTL_set_ext_vcpucontext, up to the machine-check state."
CONTEXT_AT = 8
"Where the context begins in X86_PV_VCPU_BASIC, with the x87 and SSE registers."
AREA_AT = 24
"Where the XSAVE area begins in X86_PV_VCPU_XSAVE."
VERSIONS = ("wc_version", "p2m_generation")
"Fields of SHARED_INFO that are odd while what they belong to is being changed."
KINDS = {
    libxc.X86PvVcpuBasic.record: "BASIC",
    libxc.X86PvVcpuExtended.record: "EXTENDED",
    libxc.X86PvVcpuXsave.record: "XSAVE",
    libxc.X86PvVcpuMsrs.record: "MSRS",
}
"What the records of a vcpu are called."
ADDRESSES = (
    "kernel_sp",
    "event_callback_eip",
    "failsafe_callback_eip",
    "syscall_callback_eip",
    "fs_base",
    "gs_base_kernel",
    "gs_base_user",
)
"Fields of a 64-bit X86_PV_VCPU_BASIC that hold addresses, besides those in user_regs."
DEBUG_REGISTERS = ("dr6", "dr7")
"Those of a 64-bit vcpu of which no upper half is ever set."
ENTRY_POINTS = ("syscall32_callback_eip", "sysenter_callback_eip")
"Fields of X86_PV_VCPU_EXTENDED that hold addresses."
EFLAGS_VM = 1 << 17
"Virtual 8086 mode."


ADDRESS_BITS = 47
"Bits of a 64-bit address below those that are all alike."


def canonical(address: int) -> bool:
    """Whether a 64-bit address has its upper 17 bits all alike."""
    return address >> ADDRESS_BITS in (0, (1 << 64 - ADDRESS_BITS) - 1)


def _legacy_region(telling: Telling, at: int) -> bytes:
    return (telling.event.body or b"")[at : at + LEGACY_BYTES]  # type: ignore[union-attr]


def _vcpu(telling: Telling, value: Any) -> dict[str, Any]:
    """The vcpu that a record belongs to; says when the record is out of order."""
    kind = KINDS[telling.event.type]  # type: ignore[union-attr]
    vcpus = telling.state.vcpus
    number = int(value.vcpu_id or 0)
    last = max(vcpus, default=-1)
    found = vcpus.setdefault(number, {})
    if found.get(kind, telling.event) is not telling.event:
        telling.tell("pv-vcpu-order", f"vcpu {number} has a second {kind}", 0, None, number)
    elif number < last:
        telling.tell("pv-vcpu-order", f"vcpu {number} comes after vcpu {last}", 0, None, number)
    elif kind != "BASIC" and "BASIC" not in found and telling.state.whole:
        telling.tell("pv-vcpu-order", f"vcpu {number} has {kind} and no BASIC", 0, None, number)
    found[kind] = telling.event
    return found


def _basic(telling: Telling, value: Any) -> None:
    vcpu = _vcpu(telling, value)
    if hasattr(value, "context") or any(problem.kind == "length" for problem in value.problems):
        return
    tell = _teller(telling, value)
    wide = hasattr(value, "gs_base_user")
    number = value.vcpu_id
    end_pfn = telling.state.end_pfn
    width = 8 if wide else 4
    vcpu["fpu"] = _legacy_region(telling, CONTEXT_AT) if int(value.flags) & VgcfFlags.I387_VALID else None

    def pfn(field: str, what: str, found: int, level: int = 0) -> bool:
        if end_pfn is not None and found > end_pfn:
            tell("pv-vcpu-pfn", f"{what} is pfn 0x{found:x}, the last pfn of the guest is 0x{end_pfn:x}", field)
            return False
        at = value.offset_of(field)
        return pv_pages.check_page(telling, f"vcpu {number}: {what}", found, level, at)

    levels = pv_pages.LEVELS[width]
    pfn("cr3", "the page-table root", root_pfn(int(value.cr3), width), levels)
    if wide:
        user = int(value.cr1)
        if user & 1:
            pfn("cr1", "the page-table root of user mode", user >> 12, levels)
        if user and user & 0xFFF != 1:
            tell("pv-vcpu-cr1", f"cr1 is 0x{user:x}: it is 0, or a pfn with bit 0 set", "cr1")
        if not user and not int(value.flags) & VgcfFlags.IN_KERNEL:
            tell("pv-vcpu-registers", "it runs user mode without a page-table root for it", "cr1")
    for index in range(-(-min(int(value.gdt_ents), GDT_ENTRIES_MAX) // GDT_ENTRIES_PER_FRAME)):
        pfn("gdt_frames", f"frame {index} of the descriptor table", value.gdt_frames[index])
    if value.gdt_ents > GDT_ENTRIES_MAX:
        tell("pv-vcpu-gdt", f"gdt_ents is {value.gdt_ents}: {GDT_ENTRIES_MAX} at most", "gdt_ents")
    if number == 0:
        start = int(value.user_regs.rdx if wide else value.user_regs.edx)
        pages = telling.state.pages
        if pfn("user_regs", "the start_info page", start) and pages is not None:
            pages.check_start_info(telling, start, value.offset_of("user_regs"))
    _registers(tell, value, wide=wide)
    flags = int(value.flags)
    if not flags & VgcfFlags.ONLINE:
        tell("pv-vcpu-flags", f"flags are {value.flags}: vcpus that are not online are not saved", "flags")


def _registers(tell: Callable[..., None], value: Any, *, wide: bool) -> None:
    """What Xen does not take."""
    if value.ldt_ents > LDT_ENTRIES_MAX or value.ldt_base & 0xFFF:
        wanted = f"a page boundary, and at most {LDT_ENTRIES_MAX}"
        problem = f"ldt_base is 0x{value.ldt_base:x} and ldt_ents {value.ldt_ents}: {wanted}"
        tell("pv-vcpu-registers", problem, "ldt_base")
    if wide:
        addresses = {
            "rip": value.user_regs.rip,
            "rsp": value.user_regs.rsp,
            **{name: getattr(value, name) for name in ADDRESSES},
        }
        for name, address in addresses.items():
            if not canonical(address):
                field = "user_regs" if name in ("rip", "rsp") else name
                tell("pv-vcpu-registers", f"{name} is 0x{address:x}, which is no canonical address", field)
        if not all(map(canonical, set(numbers(value, "trap_ctxt", "address")))):
            trap = next(trap for trap in value.trap_ctxt if not canonical(trap.address))
            problem = f"trap 0x{trap.vector:x} goes to 0x{trap.address:x}, which is no canonical address"
            tell("pv-vcpu-registers", problem, "trap_ctxt")
        for name in DEBUG_REGISTERS:
            if int(getattr(value, name)) >> 32:
                tell("pv-vcpu-registers", f"{name} is {getattr(value, name)}: its upper half must be zero", name)
    elif int(value.user_regs.eflags) & EFLAGS_VM:
        tell("pv-vcpu-registers", "it is in virtual 8086 mode, which a 32-bit PV guest cannot be", "user_regs")


def _teller(telling: Telling, value: Any) -> Callable[..., None]:
    def tell(rule: str, problem: str, field: str) -> None:
        telling.sure()
        at = value.offset_of(field)
        found = getattr(value, field)
        actual = found if isinstance(found, int) else None
        telling.tell(rule, f"vcpu {value.vcpu_id}: {problem}", at, None, actual)

    return tell


def _extended(telling: Telling, value: Any) -> None:
    _vcpu(telling, value)
    tell = _teller(telling, value)
    if value.vcpu is not None and value.vcpu != value.vcpu_id:
        tell("pv-vcpu-extended-id", f"the context inside is of vcpu {value.vcpu}", "vcpu")
    size = value.struct_size
    if size is None:
        return
    content = telling.event.length - 8
    if size < EXTENDED_LEAST:
        tell("pv-vcpu-extended", f"size is {size}: a receiver wants {EXTENDED_LEAST}", "struct_size")
    elif size != content and not telling.state.converted:
        from xenmig.core.quantity import quantity

        tell("pv-vcpu-extended-size", f"size is {size}, the record holds {quantity(content, 'byte')}", "struct_size")
    for field in ENTRY_POINTS:
        address = getattr(value, field)
        if address is not None and not canonical(address):
            tell("pv-vcpu-extended", f"{field} is 0x{address:x}, which is no canonical address", field)


def _xsave(telling: Telling, value: Any) -> None:
    vcpu = _vcpu(telling, value)
    if value.problems or value.xcr0_accum is None:
        return
    who = f"vcpu {value.vcpu_id}"
    cpu_state.check_xsave(telling, who, value, telling.event.length - AREA_AT, 8)
    fpu = vcpu.get("fpu")
    if fpu is not None and value.fpu_sse is not None and fpu != _legacy_region(telling, AREA_AT):
        problem = f"{who}: fpu_ctxt of BASIC differs from the legacy region of XSAVE"
        telling.tell("pv-vcpu-fpu", problem, AREA_AT)


def _msrs(telling: Telling, value: Any) -> None:
    _vcpu(telling, value)
    found = [(int(one.index), one.value) for one in value.msrs or ()]
    cpu_state.check_msrs(telling, f"vcpu {value.vcpu_id}", found, "pv", 8)


def _p2m_frames(telling: Telling, value: Any) -> None:
    end, frames = value.p2m_end_pfn, value.p2m_pfns
    if end is None or frames is None:
        return
    telling.state.end_pfn = max(end, telling.state.end_pfn or 0)
    telling.state.p2m_frames = (telling.event, list(frames))  # type: ignore[assignment]
    if value.p2m_start_pfn:
        telling.tell("pv-p2m-start", f"the frames begin with pfn 0x{value.p2m_start_pfn:x}", 0, 0, value.p2m_start_pfn)
    at = pv_pages.FRAMES_AT
    if frames and max(frames) > end:
        index = next(index for index, pfn in enumerate(frames) if pfn > end)
        problem = f"frame {index} is pfn 0x{frames[index]:x}, the last pfn of the guest is 0x{end:x}"
        telling.tell("pv-p2m-frame", problem, at + 8 * index, None, frames[index])
    if len(set(frames)) != len(frames):
        from xenmig.core.quantity import quantity

        more = quantity(len(frames) - len(set(frames)), "frame")
        telling.tell("pv-p2m-shared", f"{more} too many: each should come once", at)


def _shared_info(telling: Telling, value: Any) -> None:
    if value.problems or hasattr(value, "shared_info"):
        return
    end, covered = telling.state.end_pfn, value.max_pfn
    tell = telling.tell
    if end is not None and covered <= end:
        at = value.offset_of("max_pfn")
        problem = f"max_pfn is 0x{covered:x}, and the guest has pfns up to 0x{end:x}"
        tell("pv-shared-info-max-pfn", problem, at, end + 1, covered)
    for field in VERSIONS:
        version = getattr(value, field)
        if version & 1:
            problem = f"{field} is {version}: odd, as while it is being changed"
            tell("pv-shared-info-unstable", problem, value.offset_of(field), None, version)
    for number, version in enumerate(numbers(value, "vcpu_info", "time", "version")):
        if version & 1:
            problem = f"the time of vcpu {number} has version {version}: odd, as while it is being changed"
            tell("pv-shared-info-unstable", problem, 64 * number, None, version)


SUBJECTS: dict[int | None, Callable[[Telling, Any], None]] = {
    libxc.X86PvP2mFrames.record: _p2m_frames,
    libxc.X86PvVcpuBasic.record: _basic,
    libxc.X86PvVcpuExtended.record: _extended,
    libxc.X86PvVcpuXsave.record: _xsave,
    libxc.X86PvVcpuMsrs.record: _msrs,
    libxc.SharedInfo.record: _shared_info,
}


def complete(telling: Telling) -> None:
    """All vcpus have come."""
    state = telling.state
    if state.whole and not state.vcpus.get(0, {}).get("BASIC"):
        telling.tell("pv-vcpu-missing", "there is no X86_PV_VCPU_BASIC of vcpu 0")
    if state.p2m_frames is not None:
        event, frames = state.p2m_frames
        pv_pages.check_frames(telling.about(event), frames)
    pv_pages.check_pinned(telling)
    if state.configuration is not None and state.vcpus:
        from xenmig.core.check import guest_configuration

        guest_configuration.check_vcpus(telling, max(state.vcpus) + 1, exact=False)
