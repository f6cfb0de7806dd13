"""Rules over HVM_CONTEXT: xen/arch/x86/hvm/save.c, hvm_load, and the load and check handlers of each type."""

from __future__ import annotations

from xenmig.core.check import cpu_state
from xenmig.core.check.control_registers import not_allowed_in_cr4
from xenmig.core.definitions.shapes import CR0_KNOWN, EFER_KNOWN, PIT_MODES
from xenmig.core.definitions.typecodes import Typecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from xenmig.core.check.guest_state import Telling

    class Entry(Protocol):
        """An entry that was decoded (:class:`structs.Entry`) or is seen in place (:class:`view.EntryView`)."""

        @property
        def descriptor(self) -> Any: ...
        @property
        def offset(self) -> int: ...
        @property
        def value(self) -> Any: ...
        @property
        def data(self) -> bytes: ...


END, HEADER, CPU = int(Typecode.END), int(Typecode.HEADER), int(Typecode.CPU)
PER_VCPU = frozenset(int(code) for code, one in Typecode.known.items() if one.facts["per"] == "vcpu")
PER_GUEST = frozenset(int(code) for code, one in Typecode.known.items() if one.facts["per"] == "guest")
EMULATED = tuple(int(code) for code, one in Typecode.known.items() if one.facts.get("emulated"))
# hvm.c, vlapic.c, mtrr.c, vmce.c: these are written for each vcpu, whether it runs or not.
EVERY_VCPU = (Typecode.LAPIC, Typecode.LAPIC_REGS, Typecode.MTRR, Typecode.VMCE_VCPU, Typecode.TSC_ADJUST)
OF_VCPU = (Typecode.CPU, Typecode.CPU_XSAVE, Typecode.CPU_MSR, Typecode.VIRIDIAN_VCPU)
"Written for those vcpus that run, or that have something to say."
LEAST_SINCE = {
    int(Typecode.CPU): (1032, (4, 7)),
    int(Typecode.VMCE_VCPU): (32, (4, 10)),
    int(Typecode.VIRIDIAN_VCPU): (216, (4, 13)),
    int(Typecode.RTC): (24, (4, 14)),
}
"Lengths below which no release from the one named on writes."
DESCRIPTOR = 8
ISA_IRQS = 16
PIC_MASTER = 1 << 6
"In the modes of a PIC."
PIC_EDGE = {True: 0x03, False: 0x21}
"Inputs of the master, and of the slave, that are always edge-triggered."
APIC_BASE_EXTD, APIC_BASE_EN = 1 << 10, 1 << 11
"x2APIC mode is on; the APIC is enabled."
LAPIC_DISABLED_MAX, TIMER_DIVISOR_MAX = 3, 128
PIT_COUNT_MAX, PIT_MAX = 0x10000, {"rw_mode": 3, "bcd": 1, "gate": 1}
PIT_GATED = 2
"The channel that has a gate; those before it are always open."
VARIABLE_RANGES_MAX = 8
MTRR_TYPES = frozenset({0, 1, 4, 5, 6})
PAT_TYPES = MTRR_TYPES | {7}
MTRR_DEF_TYPE = 0xCFF
"Bits that the guest can set in MSR 0x2ff."
ERROR_CODE_BITS = 16
EVENT_VALID, EVENT_ERROR_CODE, EVENT_RESERVED = 1 << 31, 1 << 11, 0x7FFFF << 12
EVENT_NO_KINDS = (1, 7)
"Kinds of a pending event, in bits 8 to 10, that there are none of."
HPET_RESERVED = ("res0", "res1", "res2", "res3", "res5")
KNOWN = Typecode.known


def check(telling: Telling, value: Any) -> None:
    """Hold a HVM_CONTEXT to the rules."""
    entries: list[Entry] = value.entries or []
    telling.state.context = (telling.event, value)  # type: ignore[assignment]
    _definition(telling, value)
    _order(telling, entries)
    by_code: dict[int, dict[int, Entry]] = {}
    for entry in entries:
        by_code.setdefault(_code(entry), {})[_instance(entry)] = entry
    _instances(telling, by_code)
    _lengths(telling, entries)
    for entry in entries:
        data = entry.value
        checked = CHECKS.get(_code(entry))
        if checked is not None and data is not None and not data.problems:
            checked(telling, entry, data)
    _legacy_region(telling, by_code)
    if telling.state.configuration is not None:
        from xenmig.core.check import guest_configuration

        guest_configuration.check_vcpus(telling, len(by_code.get(Typecode.LAPIC, ())), exact=True)
        guest_configuration.check_emulated(telling, any(code in by_code for code in EMULATED))


def _code(entry: Entry) -> int:
    return int(entry.descriptor.typecode)


def _instance(entry: Entry) -> int:
    return int(entry.descriptor.instance)


def name(entry: Entry) -> str:
    """An entry as people call it: ``CPU 0``."""
    known = KNOWN.get(_code(entry))
    return f"{known.name if known else _code(entry)} {_instance(entry)}"


def _definition(telling: Telling, value: Any) -> None:
    """What the definition finds: lengths, types and reserved fields."""
    for problem in value.problems:
        if problem.field.endswith(".typecode"):
            rule = "hvm-context-typecode"
        elif problem.kind == "length" and not problem.field:
            rule = "hvm-context-tail"
        elif problem.field in ("entries[0].typecode", "entries[0].magic"):
            continue
        else:
            rule = {"length": "hvm-context-chain", "count": "hvm-context-chain"}.get(problem.kind, "")
            rule = rule or {"reserved": "reserved-not-zero", "value": "unknown-value"}[problem.kind]
        telling.tell(rule, problem.message, problem.offset, problem.expected, problem.actual)


def _order(telling: Telling, entries: list[Entry]) -> None:
    last = (-1, -1)
    for entry in entries:
        code, here = _code(entry), (_code(entry), _instance(entry))
        if code == END:
            if here != (END, 0) or entry.descriptor.length:
                telling.tell("hvm-context-tail", "the last entry has an instance or a length", entry.offset)
            continue
        if here <= last:
            problem = f"{name(entry)} comes a second time" if here == last else f"{name(entry)} is out of order"
            telling.tell("hvm-context-order", problem, entry.offset)
        last = max(last, here)


def _instances(telling: Telling, by_code: dict[int, dict[int, Entry]]) -> None:
    """Which instances there are of each type."""
    for code, found in by_code.items():
        allowed = {0} if code in PER_GUEST else {0, 1} if code == Typecode.PIC else None
        for number, entry in found.items():
            if allowed is not None and number not in allowed:
                telling.tell("hvm-context-instance", f"{name(entry)} should have instance 0", entry.offset)
    vcpus: set[int] = set()
    for kind in EVERY_VCPU:
        vcpus |= by_code.get(kind, {}).keys()
    count = max(vcpus, default=-1) + 1
    for kind in EVERY_VCPU:
        missing = sorted(set(range(min(count, MOST_VCPUS))) - by_code.get(kind, {}).keys())
        if missing:
            told = ", ".join(str(one) for one in missing[:NAMED_VCPUS])
            telling.tell("hvm-context-vcpus", f"there is no {kind.name} for vcpu {told} of {count}", 0)
    for kind in OF_VCPU:
        for number, entry in by_code.get(kind, {}).items():
            if number not in vcpus:
                problem = f"{name(entry)} is of a vcpu of which there is nothing else"
                rule = "hvm-context-vcpu-unknown" if number >= count else "hvm-context-vcpus"
                telling.tell(rule, problem, entry.offset)
    if CPU not in by_code:
        telling.tell("hvm-context-vcpus", "there is no CPU: no vcpu runs")
    there = [code for code in EMULATED if code in by_code]
    if there and len(there) < len(EMULATED):
        absent = ", ".join(KNOWN[code].name for code in EMULATED if code not in by_code)
        problem = f"there is {KNOWN[there[0]].name} and no {absent}: an HVM guest has all of them, a PVH guest none"
        telling.tell("hvm-context-devices", problem)
    elif there and len(by_code[Typecode.PIC]) != 2:
        telling.tell("hvm-context-devices", "an HVM guest has two PICs", by_code[Typecode.PIC].popitem()[1].offset)


MOST_VCPUS = 8192
"More vcpus than any Xen gives a guest."
NAMED_VCPUS = 8
"How many vcpus messages name."


def _lengths(telling: Telling, entries: list[Entry]) -> None:
    for entry in entries:
        least, since = LEAST_SINCE.get(_code(entry), (0, (0, 0)))
        length = entry.descriptor.length
        if least and length < least and telling.state.release >= since:
            major, minor = telling.state.release
            from xenmig.core.quantity import quantity

            problem = f"{name(entry)} has {quantity(length, 'byte')}, Xen {major}.{minor} writes {least}"
            telling.tell("hvm-context-length-release", problem, entry.offset, least, length)


# -- single entries -----------------------------------------------------------------------------------------------


def _teller(telling: Telling, entry: Entry) -> Callable[..., None]:
    """A function that reports about a field of the entry."""
    data = entry.value
    assert data is not None

    def tell(rule: str, problem: str, field: str, expected: Any = None) -> None:
        telling.sure()
        at = entry.offset + DESCRIPTOR + (type(data).field(field).offset or 0)
        actual = getattr(data, field)
        told = actual if isinstance(actual, int) else None
        telling.tell(rule, f"{name(entry)}: {problem}", at, expected, told)

    return tell


def _header(telling: Telling, entry: Entry, data: Any) -> None:
    policy = telling.state.policy
    if _instance(entry) == 0 and entry.offset and _code(entry) == HEADER:
        telling.tell("hvm-context-order", "HEADER is not the first entry", entry.offset)
    if policy is not None and policy.signature and policy.signature != data.cpuid:
        problem = f"the sender's processor is 0x{data.cpuid:x}, the guest was told 0x{policy.signature:x}"
        _teller(telling, entry)("hvm-header-cpuid", problem, "cpuid", policy.signature)


def _cpu(telling: Telling, entry: Entry, data: Any) -> None:
    tell = _teller(telling, entry)
    cr0, efer = int(data.cr0), int(data.msr_efer)
    if cr0 & ~CR0_KNOWN or not cr0 & CR0_ET or (cr0 & CR0_PG and not cr0 & CR0_PE):
        tell("hvm-cpu-control", f"cr0 is {data.cr0}: no receiver takes that", "cr0")
    if cr0 & CR0_NW and not cr0 & CR0_CD:
        tell("hvm-cpu-cache", f"cr0 is {data.cr0}: NW without CD", "cr0")
    if efer & ~EFER_KNOWN:
        tell("hvm-cpu-control", f"msr_efer is {data.msr_efer}: no receiver takes that", "msr_efer")
    elif efer & EFER_LMA and not (efer & EFER_LME and cr0 & CR0_PG):
        tell("hvm-cpu-control", "long mode is active without being enabled, or without paging", "msr_efer")
    for field in ("dr6", "dr7", "msr_tsc_aux"):
        number = getattr(data, field, None)
        if number is not None and number >> 32:
            tell("hvm-cpu-control", f"{field} is 0x{int(number):x}: its upper half must be zero", field)
    policy = telling.state.policy
    if policy is not None and (forbidden := not_allowed_in_cr4(int(data.cr4), policy)):
        tell("hvm-cpu-cr4", f"cr4 is {data.cr4}: the CPU policy does not allow bits 0x{forbidden:x}", "cr4")
    bits = policy.max_physical_bits if policy is not None else None
    if bits and data.cr3 >> bits:
        tell("hvm-cpu-cr3", f"cr3 is 0x{data.cr3:x}, physical addresses have {bits} bits", "cr3")
    event = data.pending_event
    if event & EVENT_VALID:
        kind = event >> 8 & 7
        if kind in EVENT_NO_KINDS or event & EVENT_RESERVED:
            tell("hvm-cpu-event", f"pending_event is 0x{event:x}: no receiver takes that", "pending_event")
        elif event & EVENT_ERROR_CODE and data.error_code >> ERROR_CODE_BITS:
            tell("hvm-cpu-event", f"error_code is 0x{data.error_code:x}: it has {ERROR_CODE_BITS} bits", "error_code")


CR0_PE, CR0_ET, CR0_NW, CR0_CD, CR0_PG = 1 << 0, 1 << 4, 1 << 29, 1 << 30, 1 << 31
EFER_LME, EFER_LMA = 1 << 8, 1 << 10


def _pic(telling: Telling, entry: Entry, data: Any) -> None:
    tell = _teller(telling, entry)
    master = _instance(entry) == 0
    if bool(data.modes & PIC_MASTER) != master:
        tell("hvm-pic", "instance 0 is the master, 1 the slave, and it says otherwise", "modes")
    if int(data.elcr) & PIC_EDGE[master]:
        tell("hvm-pic", f"elcr is {data.elcr}: some of these inputs are always edge-triggered", "elcr")
    if data.int_output > 1 or (data.int_output and data.initialisation & 0xF):
        tell("hvm-pic", f"int_output is {data.int_output}: it is 0 or 1, and 0 while it is initialised", "int_output")


def _pci_link(telling: Telling, entry: Entry, data: Any) -> None:
    if max(data.route) >= ISA_IRQS:
        problem = f"routes are {', '.join(map(str, data.route))}: they are below {ISA_IRQS}"
        _teller(telling, entry)("hvm-pci-link", problem, "route")


def _pit(telling: Telling, entry: Entry, data: Any) -> None:
    tell = _teller(telling, entry)
    for number, channel in enumerate(data.channels):
        wrong = [
            channel.count > PIT_COUNT_MAX and "count",
            channel.rw_mode > PIT_MAX["rw_mode"] and "rw_mode",
            channel.bcd > PIT_MAX["bcd"] and "bcd",
            (channel.gate > PIT_MAX["gate"] or (number < PIT_GATED and channel.gate != 1)) and "gate",
        ]
        if channel.mode not in PIT_MODES:
            tell("hvm-pit-mode", f"mode of channel {number} is {channel.mode}", "channels")
        for field in filter(None, wrong):
            tell("hvm-pit", f"{field} of channel {number} is {getattr(channel, str(field))}", "channels")
    if data.speaker_data_on > 1:
        tell("hvm-pit", f"speaker_data_on is {data.speaker_data_on}: it is 0 or 1", "speaker_data_on")


def _lapic(telling: Telling, entry: Entry, data: Any) -> None:
    tell = _teller(telling, entry)
    if data.apic_base_msr & (APIC_BASE_EXTD | APIC_BASE_EN) == APIC_BASE_EXTD:
        tell("hvm-lapic-base", "x2APIC mode is on and the APIC is not enabled", "apic_base_msr")
    if int(data.disabled) > LAPIC_DISABLED_MAX:
        tell("hvm-lapic-state", f"disabled is {data.disabled}: only bits 0 and 1 are ever set", "disabled")
    divisor = data.timer_divisor
    if not 0 < divisor <= TIMER_DIVISOR_MAX or divisor & (divisor - 1):
        problem = f"timer_divisor is {divisor}: it is a power of two, at most {TIMER_DIVISOR_MAX}"
        tell("hvm-lapic-state", problem, "timer_divisor")


def _hpet(telling: Telling, entry: Entry, data: Any) -> None:
    for field in HPET_RESERVED:
        found = getattr(data, field)
        if found.strip(b"\0") if isinstance(found, bytes) else found:
            _teller(telling, entry)("hvm-hpet-reserved", f"{field} is not zero", field)
    if any(timer.res4 for timer in data.timers):
        _teller(telling, entry)("hvm-hpet-reserved", "res4 of a timer is not zero", "timers")


def _mtrr(telling: Telling, entry: Entry, data: Any) -> None:
    tell = _teller(telling, entry)
    if data.msr_mtrr_cap & 0xFF > VARIABLE_RANGES_MAX:
        problem = f"there are {data.msr_mtrr_cap & 0xFF} variable ranges: {VARIABLE_RANGES_MAX} at most"
        tell("hvm-mtrr-count", problem, "msr_mtrr_cap", VARIABLE_RANGES_MAX)
    default = data.msr_mtrr_def_type
    if default & ~MTRR_DEF_TYPE or default & 0xFF not in MTRR_TYPES:
        tell("hvm-mtrr-type", f"msr_mtrr_def_type is 0x{default:x}", "msr_mtrr_def_type")
    if not MTRR_TYPES.issuperset(b"".join(one.to_bytes(8, "little") for one in data.msr_mtrr_fixed)):
        tell("hvm-mtrr-type", "a fixed range has a memory type that does not exist", "msr_mtrr_fixed")
    if not PAT_TYPES.issuperset(data.msr_pat_cr.to_bytes(8, "little")):
        tell("hvm-mtrr-type", f"the PAT is 0x{data.msr_pat_cr:016x}: it has a type that does not exist", "msr_pat_cr")


def _xsave(telling: Telling, entry: Entry, data: Any) -> None:
    at = entry.offset + DESCRIPTOR
    cpu_state.check_xsave(telling, name(entry), data, len(entry.data) - 24, at)
    extra = int(data.xcr0_accum) & ~int(data.xfeature_mask)
    if extra:
        problem = f"{name(entry)}: xcr0_accum has bits 0x{extra:x} that the sender's processor does not have"
        telling.tell("hvm-xsave-mask", problem, at)


def _msr(telling: Telling, entry: Entry, data: Any) -> None:
    found = [(int(one.index), one.val) for one in data.msr]
    cpu_state.check_msrs(telling, name(entry), found, "hvm", entry.offset + DESCRIPTOR)


CHECKS: dict[int, Callable[[Telling, Entry, Any], None]] = {
    HEADER: _header,
    CPU: _cpu,
    Typecode.PIC: _pic,
    Typecode.LAPIC: _lapic,
    Typecode.PCI_LINK: _pci_link,
    Typecode.PIT: _pit,
    Typecode.HPET: _hpet,
    Typecode.MTRR: _mtrr,
    Typecode.CPU_XSAVE: _xsave,
    Typecode.CPU_MSR: _msr,
}


def _legacy_region(telling: Telling, by_code: dict[int, dict[int, Entry]]) -> None:
    """CPU and CPU_XSAVE hold the same registers."""
    for number, xsave in by_code.get(Typecode.CPU_XSAVE, {}).items():
        cpu = by_code.get(CPU, {}).get(number)
        if cpu is None or cpu.value is None or not getattr(cpu.value, "flags", 0):
            continue
        if len(xsave.data) >= 536 and cpu.data[:512] != xsave.data[24:536]:
            problem = f"{name(cpu)}: fpu_regs differ from the legacy region of {name(xsave)}"
            telling.tell("hvm-cpu-fpu", problem, cpu.offset + DESCRIPTOR)


def complete(telling: Telling) -> None:
    """Rules over the context and the records that have come after it."""
    state = telling.state
    assert state.context is not None
    event, value = state.context
    entries: list[Entry] = value.entries or []
    codes = {_code(entry) for entry in entries}
    about = telling.about(event)
    if state.params is not None or state.whole:
        # params.h: a parameter that is zero is not written.
        wanted = bool((state.params or {}).get(9))
        for kind in (Typecode.VIRIDIAN_DOMAIN, Typecode.VIRIDIAN_VCPU):
            if (kind in codes) != wanted:
                there = "there is" if kind in codes else "there is no"
                says = "has" if wanted else "does not have"
                about.tell("hvm-context-viridian", f"{there} {kind.name}, and by HVM_PARAMS the guest {says} Viridian")
    vcpus = {_instance(entry) for entry in entries if _code(entry) == Typecode.LAPIC}
    enlightened = {_instance(entry) for entry in entries if _code(entry) == Typecode.VIRIDIAN_VCPU}
    if enlightened and vcpus - enlightened:
        told = ", ".join(map(str, sorted(vcpus - enlightened)[:NAMED_VCPUS]))
        about.tell("hvm-context-viridian", f"there is no {Typecode.VIRIDIAN_VCPU.name} for vcpu {told} of {len(vcpus)}")
    state.emulated = any(code in codes for code in EMULATED)
