"""Records about the vcpus of a PV guest, and the page that it shares with Xen."""

from __future__ import annotations

from xenmig.core.cli.registertext import debug_lines, flag_lines, register_lines
from xenmig.core.cli.structtext import field_lines
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.cli.xsavetext import area_lines, fxsave_lines
from xenmig.core.definitions.pv_context import root_pfn
from xenmig.core.definitions.vcpu import TRAP_FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.cli.structtext import View

GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"]
GENERAL32 = ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp"]
FRAMES_PER_ENTRY = 512
"Descriptors in a frame."
MOST_SPANS = 16
"Spans of event channels that are listed."


def basic_lines(value: Any, view: View, indent: int) -> Iterator[str]:
    """Registers of a PV vcpu, 64 or 32 bit."""
    margin = " " * indent
    fields = value.__dict__
    yield f"{margin}vcpu {fields.get('vcpu_id', 'unknown')}"
    yield from flag_lines(value, ("flags", "vm_assist"), indent)
    user = fields.get("user_regs")
    width = 4
    if user is not None:
        width = 8 if "rip" in user.__dict__ else 4
        yield from register_lines(user, ("rip", "eip", "rflags", "eflags", "error_code", "entry_vector"), indent)
        yield from register_lines(user, GENERAL if width == 8 else GENERAL32, indent)
        yield from register_lines(user, ("cs", "ss", "ds", "es", "fs", "gs", "saved_upcall_mask"), indent)
        yield from flag_lines(user, ("rflags", "eflags"), indent)
    yield from register_lines(value, [f"cr{number}" for number in range(8)], indent)
    yield from register_lines(value, [f"dr{number}" for number in range(8)], indent)
    yield from flag_lines(value, ("cr0", "cr4"), indent)
    yield from debug_lines(value, indent)
    for name, what in (("cr3", "page tables"), ("cr1", "page tables of user mode")):
        if fields.get(name):
            yield f"{margin}{what}: root at pfn 0x{root_pfn(fields[name], width):x}"
    yield from register_lines(value, ("fs_base", "gs_base_kernel", "gs_base_user"), indent)
    yield from register_lines(value, _ENTRIES, indent)
    yield from register_lines(value, ("kernel_ss", "kernel_sp"), indent)
    if "ldt_ents" in fields:
        yield f"{margin}LDT at 0x{value.ldt_base:x}, {value.ldt_ents:,} descriptors"
    if "gdt_ents" in fields:
        used = min(len(value.gdt_frames), -(-value.gdt_ents // FRAMES_PER_ENTRY))
        frames = ", ".join(f"0x{pfn:x}" for pfn in value.gdt_frames[:used]) or "none"
        yield f"{margin}GDT of {value.gdt_ents:,} descriptors, in pfns {frames}"
    yield from trap_lines(fields.get("trap_ctxt", []), indent)
    if "fpu_ctxt" in fields:
        yield f"{margin}x87 and SSE"
        yield from fxsave_lines(value.fpu_ctxt, view, indent + 2)


_ENTRIES = (
    "event_callback_cs",
    "event_callback_eip",
    "failsafe_callback_cs",
    "failsafe_callback_eip",
    "syscall_callback_eip",
)


def trap_lines(traps: list[Any], indent: int) -> Iterator[str]:
    """The virtual interrupt descriptor table; vectors without a handler are counted only."""
    margin = " " * indent
    rows = [["vector", "handler", "", ""]]
    for number, one in enumerate(traps):
        fields = one.__dict__
        if not fields.get("address"):
            continue
        other = "" if fields["vector"] == number else f"entry {number}"
        flags = fields["flags"]
        clears = ", events masked" if TRAP_FLAGS[1].of(flags) else ""
        rows.append(
            [
                f"0x{fields['vector']:02x}",
                f"{fields['cs']:04x}:{fields['address']:016x}",
                f"dpl {TRAP_FLAGS[0].of(flags)}{clears}",
                other,
            ]
        )
    if traps:
        yield f"{margin}trap handlers: {len(rows) - 1} of {len(traps)} vectors"
    if len(rows) > 1:
        yield from aligned(rows, indent=indent + 2)


def xsave_lines(value: Any, view: View, indent: int) -> Iterator[str]:
    """Extended state of a PV vcpu."""
    yield f"{' ' * indent}vcpu {value.__dict__.get('vcpu_id', 'unknown')}"
    yield from area_lines(value, view, indent)


def shared_lines(value: Any, view: View, indent: int) -> Iterator[str]:
    """SHARED_INFO: vcpus that were ever used, event channels by number, wallclock as a date."""
    margin = " " * indent
    lists = ("vcpu_info", "evtchn_pending", "evtchn_mask")
    yield from field_lines(value, view, indent, lists)
    fields = value.__dict__
    if "wc_sec" in fields:
        from xenmig.core.cli.units import utc

        nanoseconds = (fields["wc_sec"] | fields.get("wc_sec_hi", 0) << 32) * 10**9 + fields.get("wc_nsec", 0)
        yield f"{margin}wallclock at system time 0: {utc(nanoseconds)}"
    width = 8 * (value.field("evtchn_mask").of.size or 8)
    pending = _channels(fields.get("evtchn_pending", ()), width)
    masked = set(_channels(fields.get("evtchn_mask", ()), width))
    open_ = [number for number in range(width * len(fields.get("evtchn_mask", ()))) if number not in masked]
    yield f"{margin}events wait on channels: {_listed(pending)}"
    yield f"{margin}channels that are not masked: {_listed(open_)}"
    idle = 0
    for number, vcpu in enumerate(fields.get("vcpu_info", ())):
        if not vcpu.time.tsc_timestamp and not vcpu.evtchn_upcall_pending:
            idle += 1
            continue
        yield ""
        yield f"{margin}vcpu {number}"
        yield from field_lines(vcpu, view, indent + 2)
        if vcpu.time.tsc_to_system_mul:
            shift = vcpu.time.tsc_shift
            hertz = (10**9 << 32) / vcpu.time.tsc_to_system_mul * 2.0**-shift
            yield f"{margin}  the TSC runs at {hertz / 10**6:,.3f} MHz"
    if idle:
        yield ""
        yield f"{margin}{count(idle, 'other vcpu')} never used"


def _channels(words: Any, width: int) -> list[int]:
    return [width * at + bit for at, word in enumerate(words) if word for bit in range(width) if word >> bit & 1]


def _listed(numbers: list[int]) -> str:
    """``0-3, 7``; ``numbers`` are in ascending order."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in spans[:MOST_SPANS]]
    return ", ".join(texts) + (", ..." if len(spans) > MOST_SPANS else "") or "none"
