"""HVM_CONTEXT: processors, interrupt controllers and timers of an HVM guest."""

from __future__ import annotations

from xenmig.core.cli.dump import SHOWN_OCTETS, dump
from xenmig.core.cli.registertext import debug_lines, flag_lines, register_lines, segment_lines
from xenmig.core.cli.structtext import bits_text, field_lines, struct_lines
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.cli.xsavetext import fxsave_lines
from xenmig.core.definitions.hvm_context import HvmContext, HvmSaveHeader
from xenmig.core.definitions.registers import PENDING_EVENT
from xenmig.core.definitions.typecodes import Typecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.cli.structtext import View
    from xenmig.core.definitions.interrupt_controllers import HvmHwLapicRegs
    from xenmig.core.definitions.msrs import HvmMsr
    from xenmig.core.definitions.timers import HvmHwHpet, HvmHwPmtimer, HvmHwRtc

PMTIMER_HZ = 3_579_545
SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr", "idtr", "gdtr")
GENERAL = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"]
SYSCALL_MSRS = {
    "sysenter_cs": "sysenter_cs",
    "sysenter_esp": "sysenter_esp",
    "sysenter_eip": "sysenter_eip",
    "shadow_gs": "shadow_gs",
    "msr_star": "star",
    "msr_lstar": "lstar",
    "msr_cstar": "cstar",
    "msr_syscall_mask": "sfmask",
    "msr_tsc_aux": "tsc_aux",
    "msr_flags": "msr_flags",
}
"Fields of an entry CPU, and what the MSRs are called."


def context_lines(value: HvmContext, view: View, indent: int) -> Iterator[str]:
    """Every entry with its name, instance and place."""
    margin = " " * indent
    entries = value.__dict__.get("entries", [])
    for index, entry in enumerate(entries):
        descriptor = entry.descriptor
        kind = descriptor.typecode
        per = kind.known[int(kind)].facts["per"] if kind.name else "instance"
        which = "" if per == "guest" and not descriptor.instance else f" {per} {descriptor.instance}"
        what = f", {kind.doc}" if kind.doc else ""
        size = count(descriptor.length, "byte") if descriptor.length else "empty"
        yield f"{margin}[{index}] {kind}{which}{what}: {size} at {entry.offset:,}"
        if isinstance(entry.value, HvmSaveHeader):
            view.tsc_khz = entry.value.__dict__.get("gtsc_khz", 0)
        if entry.value is None:
            yield from dump(entry.data, entry.offset + 8, len(entry.data) if view.raw else SHOWN_OCTETS, indent + 4)
        elif kind != Typecode.END:
            yield from struct_lines(entry.value, view, indent + 4)
            if view.raw:
                yield from dump(entry.data, entry.offset + 8, len(entry.data), indent + 4)
        if kind != Typecode.END:
            yield ""


def cpu_lines(value: Any, view: View, indent: int) -> Iterator[str]:
    """The registers of a vcpu."""
    margin = " " * indent
    fields = value.__dict__
    yield from register_lines(value, ("rip", "rflags", "tsc"), indent)
    yield from register_lines(value, GENERAL, indent)
    yield from register_lines(value, ("cr0", "cr2", "cr3", "cr4"), indent)
    yield from register_lines(value, ("dr0", "dr1", "dr2", "dr3", "dr6", "dr7"), indent)
    yield from flag_lines(value, ("rflags", "cr0", "cr4", "msr_efer"), indent)
    yield from debug_lines(value, indent)
    yield from segment_lines(value, SEGMENTS, indent)
    yield from register_lines(value, list(SYSCALL_MSRS), indent, list(SYSCALL_MSRS.values()))
    if "tsc" in fields:
        yield f"{margin}tsc {value.tsc:,}{_ticks(value.tsc, view)}"
    event = fields.get("pending_event")
    if event is not None:
        error = f", error code 0x{fields.get('error_code', 0):x}" if event >> 11 & 1 else ""
        yield f"{margin}pending event: {bits_text(PENDING_EVENT, event) + error if event >> 31 else 'none'}"
    if "flags" in fields:
        yield f"{margin}flags {value.flags}"
    if "fpu_regs" in fields:
        yield f"{margin}x87 and SSE"
        yield from fxsave_lines(value.fpu_regs, view, indent + 2)


def _ticks(count: int, view: View) -> str:
    if not view.tsc_khz:
        return ""
    return f" ({count / view.tsc_khz / 1000:,.3f} s at {view.tsc_khz / 1000:,.3f} MHz)"


def lapic_lines(value: HvmHwLapicRegs, view: View, indent: int) -> Iterator[str]:
    """The registers of a local APIC; its three fields of 256 vectors as vectors."""
    rows = ("ISR", "TMR", "IRR")
    yield from field_lines(value, view, indent, rows)
    for name in rows:
        words = value.__dict__.get(name, ())
        vectors = [32 * at + bit for at, word in enumerate(words) for bit in range(32) if word.bits >> bit & 1]
        listed = " ".join(f"0x{vector:02x}" for vector in vectors) or "none"
        yield f"{' ' * indent}{name}: {value.field(name).doc}: {listed}"


def rtc_lines(value: HvmHwRtc, view: View, indent: int) -> Iterator[str]:
    """The real-time clock, and the time that it shows."""
    time = rtc_time(value)
    if time:
        yield f"{' ' * indent}time {time}, as the clock shows it"
    yield from field_lines(value, view, indent)


def rtc_time(value: HvmHwRtc) -> str:
    """``70-01-31 12:34:56`` from registers 0 to 9, in the encoding that register B says; empty when that is no time."""
    fields = value.__dict__
    names = ("year", "month", "day_of_month", "hours", "minutes", "seconds")
    if "reg_b" not in fields:
        return ""
    numbers = {name: fields[name] for name in names}
    afternoon = not value.reg_b & 2 and numbers["hours"] & 0x80
    if not value.reg_b & 2:
        numbers["hours"] &= 0x7F
    if not value.reg_b & 4:
        if any(one & 0xF > 9 or one >> 4 > 9 for one in numbers.values()):
            return ""
        numbers = {name: 10 * (one >> 4) + (one & 0xF) for name, one in numbers.items()}
    if not value.reg_b & 2:
        numbers["hours"] = numbers["hours"] % 12 + (12 if afternoon else 0)
    year, month, day, hours, minutes, seconds = numbers.values()
    return f"{year:02d}-{month:02d}-{day:02d} {hours:02d}:{minutes:02d}:{seconds:02d}"


def hpet_lines(value: HvmHwHpet, view: View, indent: int) -> Iterator[str]:
    """The HPET, and what its counter comes to in seconds."""
    yield from field_lines(value, view, indent)
    fields = value.__dict__
    period = fields.get("capability", 0) >> 32
    if period and "mc64" in fields:
        seconds = value.mc64 * period / 1e15
        yield f"{' ' * indent}the counter stands at {seconds:,.3f} s, {period / 1e6:,.3f} ns a tick"


def pmtimer_lines(value: HvmHwPmtimer, view: View, indent: int) -> Iterator[str]:
    """The ACPI timer, and what its counter comes to in seconds."""
    yield from field_lines(value, view, indent)
    if "tmr_val" in value.__dict__:
        yield f"{' ' * indent}the counter stands at {value.tmr_val / PMTIMER_HZ:,.3f} s; it wraps"


def msr_lines(value: HvmMsr, _: View, indent: int) -> Iterator[str]:
    """MSRs by name with their bits."""
    yield from msr_table(value.__dict__.get("msr", []), indent)


def msr_table(items: list[Any], indent: int) -> Iterator[str]:
    """MSRs in any of the structs that streams have for them: index, value, name, bits."""
    from xenmig.core.definitions import msrs
    from xenmig.core.definitions.enumerations import Flags
    from xenmig.core.definitions.msr_numbers import Msr

    rows = []
    for one in items:
        fields = one.__dict__
        index = fields.get("index", fields.get("idx"))
        number = fields.get("val", fields.get("value"))
        if index is None or number is None:
            continue
        kind = Msr(index)
        meaning = msrs.meaning(int(index), int(number))
        words = " ".join(meaning.names) if isinstance(meaning, Flags) else ""
        rows.append([f"0x{int(index):08x}", f"{int(number):016x}", kind.name or "unknown", words or kind.doc])
    yield from aligned(rows, indent=indent)
