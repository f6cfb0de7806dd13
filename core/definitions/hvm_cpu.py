"""The processor of an HVM guest: xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import struct, u32, u64
from xenmig.core.definitions.registers import (
    PENDING_EVENT,
    SEGMENT_ATTRIBUTES,
    SYSTEM_SEGMENT_ATTRIBUTES,
    Cr0,
    Cr4,
    Dr6,
    Dr7,
    Efer,
    Rflags,
)
from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.xsave import Fxsave

SOURCE = "xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu"


class CpuFlags(Flags, digits=8):
    """XEN_X86_*; bits 1 to 31 are reserved."""

    FPU_INITIALISED = flag(0, "fpu_regs count; always from Xen 4.22 on")


class _Registers(Struct):
    """What the layouts have in common: the registers up to msr_efer."""

    fpu_regs: Fxsave = struct(Fxsave, "x87 and SSE registers")
    rax: int = u64("general register", hex=True)
    rbx: int = u64("general register", hex=True)
    rcx: int = u64("general register", hex=True)
    rdx: int = u64("general register", hex=True)
    rbp: int = u64("general register", hex=True)
    rsi: int = u64("general register", hex=True)
    rdi: int = u64("general register", hex=True)
    rsp: int = u64("stack pointer", hex=True)
    r8: int = u64("general register", hex=True)
    r9: int = u64("general register", hex=True)
    r10: int = u64("general register", hex=True)
    r11: int = u64("general register", hex=True)
    r12: int = u64("general register", hex=True)
    r13: int = u64("general register", hex=True)
    r14: int = u64("general register", hex=True)
    r15: int = u64("general register", hex=True)
    rip: int = u64("instruction pointer", hex=True)
    rflags: Rflags = u64("flags", flags=Rflags)
    cr0: Cr0 = u64("control register 0", flags=Cr0)
    cr2: int = u64("address of the last page fault", hex=True)
    cr3: int = u64("guest physical address of the page-table root", hex=True)
    cr4: Cr4 = u64("control register 4", flags=Cr4)
    dr0: int = u64("address of breakpoint 0", hex=True)
    dr1: int = u64("address of breakpoint 1", hex=True)
    dr2: int = u64("address of breakpoint 2", hex=True)
    dr3: int = u64("address of breakpoint 3", hex=True)
    dr6: Dr6 = u64("which breakpoint fired", flags=Dr6)
    dr7: Dr7 = u64("which breakpoints are armed", flags=Dr7)
    cs_sel: int = u32("selector of the code segment", hex=True)
    ds_sel: int = u32("selector of the data segment", hex=True)
    es_sel: int = u32("selector of the extra segment", hex=True)
    fs_sel: int = u32("selector of fs", hex=True)
    gs_sel: int = u32("selector of gs", hex=True)
    ss_sel: int = u32("selector of the stack segment", hex=True)
    tr_sel: int = u32("selector of the task register", hex=True)
    ldtr_sel: int = u32("selector of the local descriptor table", hex=True)
    cs_limit: int = u32("limit of the code segment", unit="bytes", hex=True)
    ds_limit: int = u32("limit of the data segment", unit="bytes", hex=True)
    es_limit: int = u32("limit of the extra segment", unit="bytes", hex=True)
    fs_limit: int = u32("limit of fs", unit="bytes", hex=True)
    gs_limit: int = u32("limit of gs", unit="bytes", hex=True)
    ss_limit: int = u32("limit of the stack segment", unit="bytes", hex=True)
    tr_limit: int = u32("limit of the task register", unit="bytes", hex=True)
    ldtr_limit: int = u32("limit of the local descriptor table", unit="bytes", hex=True)
    idtr_limit: int = u32("limit of the interrupt descriptor table", unit="bytes", hex=True)
    gdtr_limit: int = u32("limit of the global descriptor table", unit="bytes", hex=True)
    cs_base: int = u64("base of the code segment", hex=True)
    ds_base: int = u64("base of the data segment", hex=True)
    es_base: int = u64("base of the extra segment", hex=True)
    fs_base: int = u64("base of fs", hex=True)
    gs_base: int = u64("base of gs", hex=True)
    ss_base: int = u64("base of the stack segment", hex=True)
    tr_base: int = u64("base of the task register", hex=True)
    ldtr_base: int = u64("base of the local descriptor table", hex=True)
    idtr_base: int = u64("base of the interrupt descriptor table", hex=True)
    gdtr_base: int = u64("base of the global descriptor table", hex=True)
    cs_arbytes: int = u32("attributes of the code segment", hex=True, bits=SEGMENT_ATTRIBUTES)
    ds_arbytes: int = u32("attributes of the data segment", hex=True, bits=SEGMENT_ATTRIBUTES)
    es_arbytes: int = u32("attributes of the extra segment", hex=True, bits=SEGMENT_ATTRIBUTES)
    fs_arbytes: int = u32("attributes of fs", hex=True, bits=SEGMENT_ATTRIBUTES)
    gs_arbytes: int = u32("attributes of gs", hex=True, bits=SEGMENT_ATTRIBUTES)
    ss_arbytes: int = u32("attributes of the stack segment", hex=True, bits=SEGMENT_ATTRIBUTES)
    tr_arbytes: int = u32("attributes of the task register", hex=True, bits=SYSTEM_SEGMENT_ATTRIBUTES)
    ldtr_arbytes: int = u32("attributes of the local descriptor table", hex=True, bits=SYSTEM_SEGMENT_ATTRIBUTES)
    sysenter_cs: int = u64("MSR 0x174: code segment of SYSENTER", hex=True)
    sysenter_esp: int = u64("MSR 0x175: stack pointer of SYSENTER", hex=True)
    sysenter_eip: int = u64("MSR 0x176: entry point of SYSENTER", hex=True)
    shadow_gs: int = u64("MSR 0xc0000102: what SWAPGS puts into the base of gs", hex=True)
    msr_flags: int = u64("ignored since Xen 4.9", hex=True)
    msr_lstar: int = u64("MSR 0xc0000082: entry point of SYSCALL", hex=True)
    msr_star: int = u64("MSR 0xc0000081: segments of SYSCALL", hex=True)
    msr_cstar: int = u64("MSR 0xc0000083: entry point of SYSCALL from 32-bit code", hex=True)
    msr_syscall_mask: int = u64("MSR 0xc0000084: flags that SYSCALL clears", hex=True)
    msr_efer: Efer = u64("MSR 0xc0000080: extended features", flags=Efer)


class HvmHwCpuCompat(_Registers, name="CPU", source=SOURCE + "_compat", lengths={1016: "3.0"}):
    """Registers of a vcpu as Xen wrote them until 3.4, without msr_tsc_aux."""

    tsc: int = u64("what RDTSC would have returned at the save")
    pending_event: int = u32("event that waits to be injected", hex=True, bits=PENDING_EVENT)
    error_code: int = u32("error code of that event", hex=True)


class HvmHwCpu(
    _Registers, name="CPU", source=SOURCE, lengths={1024: "4.0", 1032: "4.7"}, layouts={1016: HvmHwCpuCompat}
):
    """Registers of a vcpu."""

    msr_tsc_aux: int = u64("MSR 0xc0000103: what RDTSCP returns in ECX", hex=True)
    tsc: int = u64("what RDTSC would have returned at the save")
    pending_event: int = u32("event that waits to be injected", hex=True, bits=PENDING_EVENT)
    error_code: int = u32("error code of that event", hex=True)
    flags: CpuFlags = u32("what else is known", flags=CpuFlags, since="4.7")
    pad0: int = u32("zero", must=0, since="4.7")
