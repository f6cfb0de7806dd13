"""The bits of x86 registers: Intel SDM volume 3, chapter 2, and AMD APM volume 2, chapter 3.

A register may hold bits that have no name here; that is no fault of a stream.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import Bits


class Rflags(Flags, digits=16, open=True):
    """RFLAGS; bit 1 is always set."""

    CF = flag(0, "carry")
    ONE = flag(1, "always set")
    PF = flag(2, "parity")
    AF = flag(4, "auxiliary carry")
    ZF = flag(6, "zero")
    SF = flag(7, "sign")
    TF = flag(8, "single step")
    IF = flag(9, "interrupts enabled")
    DF = flag(10, "direction")
    OF = flag(11, "overflow")
    IOPL0 = flag(12, "I/O privilege level, low bit")
    IOPL1 = flag(13, "I/O privilege level, high bit")
    NT = flag(14, "nested task")
    RF = flag(16, "resume")
    VM = flag(17, "virtual 8086 mode")
    AC = flag(18, "alignment check")
    VIF = flag(19, "virtual interrupt flag")
    VIP = flag(20, "virtual interrupt pending")
    ID = flag(21, "CPUID can be used")


class Cr0(Flags, digits=16, open=True):
    """CR0."""

    PE = flag(0, "protected mode")
    MP = flag(1, "monitor coprocessor")
    EM = flag(2, "no coprocessor")
    TS = flag(3, "task switched")
    ET = flag(4, "always set")
    NE = flag(5, "x87 errors as exceptions")
    WP = flag(16, "write protection holds for the kernel too")
    AM = flag(18, "alignment check possible")
    NW = flag(29, "not write-through")
    CD = flag(30, "caches disabled")
    PG = flag(31, "paging")


class Cr4(Flags, digits=16, open=True):
    """CR4."""

    VME = flag(0, "virtual 8086 extensions")
    PVI = flag(1, "protected-mode virtual interrupts")
    TSD = flag(2, "RDTSC for the kernel only")
    DE = flag(3, "debugging extensions")
    PSE = flag(4, "4 MiB pages")
    PAE = flag(5, "physical address extension")
    MCE = flag(6, "machine checks")
    PGE = flag(7, "global pages")
    PCE = flag(8, "RDPMC for user mode")
    OSFXSR = flag(9, "FXSAVE and SSE")
    OSXMMEXCPT = flag(10, "SIMD exceptions")
    UMIP = flag(11, "SGDT and its kin for the kernel only")
    LA57 = flag(12, "5 levels of page tables")
    VMXE = flag(13, "VMX")
    SMXE = flag(14, "SMX")
    FSGSBASE = flag(16, "RDFSBASE and its kin")
    PCIDE = flag(17, "process-context identifiers")
    OSXSAVE = flag(18, "XSAVE")
    KL = flag(19, "key locker")
    SMEP = flag(20, "kernel does not execute user pages")
    SMAP = flag(21, "kernel does not access user pages")
    PKE = flag(22, "protection keys for user pages")
    CET = flag(23, "control-flow enforcement")
    PKS = flag(24, "protection keys for kernel pages")
    UINTR = flag(25, "user interrupts")


class Efer(Flags, digits=16, open=True):
    """MSR 0xC0000080."""

    SCE = flag(0, "SYSCALL")
    LME = flag(8, "long mode enabled")
    LMA = flag(10, "long mode active")
    NXE = flag(11, "no-execute")
    SVME = flag(12, "SVM")
    FFXSE = flag(14, "fast FXSAVE")
    AIBRSE = flag(21, "automatic IBRS")


class Dr6(Flags, digits=16, open=True):
    """DR6: which breakpoint fired."""

    B0 = flag(0, "breakpoint 0")
    B1 = flag(1, "breakpoint 1")
    B2 = flag(2, "breakpoint 2")
    B3 = flag(3, "breakpoint 3")
    BD = flag(13, "debug register access")
    BS = flag(14, "single step")
    BT = flag(15, "task switch")


class Dr7(Flags, digits=16, open=True):
    """DR7: which breakpoints are armed."""

    L0 = flag(0, "breakpoint 0, this task")
    G0 = flag(1, "breakpoint 0")
    L1 = flag(2, "breakpoint 1, this task")
    G1 = flag(3, "breakpoint 1")
    L2 = flag(4, "breakpoint 2, this task")
    G2 = flag(5, "breakpoint 2")
    L3 = flag(6, "breakpoint 3, this task")
    G3 = flag(7, "breakpoint 3")
    GD = flag(13, "debug registers guarded")


class Mxcsr(Flags, digits=8, open=True):
    """MXCSR: state and masks of SIMD exceptions."""

    IE = flag(0, "invalid operation")
    DE = flag(1, "denormal")
    ZE = flag(2, "division by zero")
    OE = flag(3, "overflow")
    UE = flag(4, "underflow")
    PE = flag(5, "precision")
    DAZ = flag(6, "denormals are zeros")
    IM = flag(7, "invalid operation masked")
    DM = flag(8, "denormal masked")
    ZM = flag(9, "division by zero masked")
    OM = flag(10, "overflow masked")
    UM = flag(11, "underflow masked")
    PM = flag(12, "precision masked")
    FZ = flag(15, "flush to zero")


class XState(Flags, digits=16, open=True):
    """XCR0 and xstate_bv: xen/arch/x86/include/asm/x86-defns.h, X86_XCR0_* and X86_XSS_*."""

    X87 = flag(0, "x87 registers")
    SSE = flag(1, "XMM registers")
    YMM = flag(2, "upper halves of YMM0 to YMM15")
    BNDREGS = flag(3, "MPX bounds")
    BNDCSR = flag(4, "MPX configuration and status")
    OPMASK = flag(5, "AVX-512 masks k0 to k7")
    ZMM = flag(6, "upper halves of ZMM0 to ZMM15")
    HI_ZMM = flag(7, "ZMM16 to ZMM31")
    PROC_TRACE = flag(8, "processor trace; never in a stream", supervisor=True)
    PKRU = flag(9, "protection keys")
    PASID = flag(10, "process address space; never in a stream", supervisor=True)
    CET_U = flag(11, "user control-flow enforcement; never in a stream", supervisor=True)
    CET_S = flag(12, "kernel control-flow enforcement; never in a stream", supervisor=True)
    HDC = flag(13, "hardware duty cycling; never in a stream", supervisor=True)
    UINTR = flag(14, "user interrupts; never in a stream", supervisor=True)
    LBR = flag(15, "last branches; never in a stream", supervisor=True)
    HWP = flag(16, "hardware P-states; never in a stream", supervisor=True)
    TILECFG = flag(17, "AMX tile configuration")
    TILEDATA = flag(18, "AMX tiles")
    LWP = flag(62, "lightweight profiling, AMD family 0x15")


class SegmentType(Enumeration, digits=1, open=True):
    """Type of a code or data segment (s is 1)."""

    DATA_RO = value(0x0, "data, read only")
    DATA_RO_A = value(0x1, "data, read only, accessed")
    DATA_RW = value(0x2, "data, read and write")
    DATA_RW_A = value(0x3, "data, read and write, accessed")
    DATA_RO_DOWN = value(0x4, "data, read only, expanding down")
    DATA_RO_DOWN_A = value(0x5, "data, read only, expanding down, accessed")
    DATA_RW_DOWN = value(0x6, "data, read and write, expanding down")
    DATA_RW_DOWN_A = value(0x7, "data, read and write, expanding down, accessed")
    CODE_X = value(0x8, "code, execute only")
    CODE_X_A = value(0x9, "code, execute only, accessed")
    CODE_XR = value(0xA, "code, execute and read")
    CODE_XR_A = value(0xB, "code, execute and read, accessed")
    CODE_CONFORMING_X = value(0xC, "code, conforming, execute only")
    CODE_CONFORMING_X_A = value(0xD, "code, conforming, execute only, accessed")
    CODE_CONFORMING_XR = value(0xE, "code, conforming, execute and read")
    CODE_CONFORMING_XR_A = value(0xF, "code, conforming, execute and read, accessed")


class SystemSegmentType(Enumeration, digits=1, open=True):
    """Type of a system segment (s is 0)."""

    TSS16 = value(0x1, "16-bit TSS, available")
    LDT = value(0x2, "LDT")
    TSS16_BUSY = value(0x3, "16-bit TSS, busy")
    CALL_GATE16 = value(0x4, "16-bit call gate")
    TASK_GATE = value(0x5, "task gate")
    INTERRUPT_GATE16 = value(0x6, "16-bit interrupt gate")
    TRAP_GATE16 = value(0x7, "16-bit trap gate")
    TSS = value(0x9, "TSS, available")
    TSS_BUSY = value(0xB, "TSS, busy")
    CALL_GATE = value(0xC, "call gate")
    INTERRUPT_GATE = value(0xE, "interrupt gate")
    TRAP_GATE = value(0xF, "trap gate")


def _attributes(kind: type[Enumeration]) -> tuple[Bits, ...]:
    return (
        Bits("type", 0, 4, "type of the segment", values=kind),
        Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
        Bits("dpl", 5, 2, "privilege level"),
        Bits("p", 7, 1, "present"),
        Bits("avl", 8, 1, "available to software"),
        Bits("l", 9, 1, "64-bit code"),
        Bits("db", 10, 1, "32-bit code, stack or data"),
        Bits("g", 11, 1, "limit counts pages of 4 KiB"),
    )


SEGMENT_ATTRIBUTES = _attributes(SegmentType)
"Attributes of cs to gs: bits 8 to 15 and 20 to 23 of a descriptor, put together."
SYSTEM_SEGMENT_ATTRIBUTES = _attributes(SystemSegmentType)
"Attributes of tr and ldtr."


class EventType(Enumeration, open=True):
    """Kind of an event that waits to be injected: Intel SDM volume 3, VM-entry interruption information."""

    EXTERNAL = value(0, "external interrupt")
    RESERVED = value(1, "no kind of event")
    NMI = value(2, "non-maskable interrupt")
    HW_EXCEPTION = value(3, "hardware exception")
    SW_INTERRUPT = value(4, "software interrupt")
    PRIVILEGED_SW_EXCEPTION = value(5, "privileged software exception")
    SW_EXCEPTION = value(6, "software exception")
    OTHER = value(7, "other event")


PENDING_EVENT = (
    Bits("vector", 0, 8, "vector"),
    Bits("type", 8, 3, "kind of event", values=EventType),
    Bits("error_valid", 11, 1, "whether error_code counts"),
    Bits("reserved", 12, 19, "reserved, zero"),
    Bits("valid", 31, 1, "whether an event is pending at all"),
)


class FpuWidth(Enumeration, open=True):
    """How wide the x87 instruction pointer was saved: xen/arch/x86/include/asm/i387.h; Xen keeps it in byte 511."""

    UNKNOWN = value(0, "not said: Xen decides")
    BITS_16 = value(2, "16 bits")
    BITS_32 = value(4, "32 bits and the selectors")
    BITS_64 = value(8, "64 bits, no selectors")
