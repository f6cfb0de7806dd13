# Generated from core/definitions/hvm_cpu.py by xenmig.scapy_layers.generate; do not edit.
"""The processor of an HVM guest: xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu."""

from __future__ import annotations

from xenmig.core.definitions import hvm_cpu as hvm_cpu_definitions
from xenmig.core.definitions import registers as registers_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Number
from xenmig.scapy_layers.lists import StructField
from xenmig.scapy_layers.packets import StructPacket
from xenmig.scapy_layers.xsave import Fxsave


class HvmHwCpuCompat(StructPacket):
    """Registers of a vcpu as Xen wrote them until 3.4, without msr_tsc_aux.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu_compat.
    1016 bytes long in 3.0.
    fpu_regs: x87 and SSE registers
    rax: general register
    rbx: general register
    rcx: general register
    rdx: general register
    rbp: general register
    rsi: general register
    rdi: general register
    rsp: stack pointer
    r8: general register
    r9: general register
    r10: general register
    r11: general register
    r12: general register
    r13: general register
    r14: general register
    r15: general register
    rip: instruction pointer
    rflags: flags
    cr0: control register 0
    cr2: address of the last page fault
    cr3: guest physical address of the page-table root
    cr4: control register 4
    dr0: address of breakpoint 0
    dr1: address of breakpoint 1
    dr2: address of breakpoint 2
    dr3: address of breakpoint 3
    dr6: which breakpoint fired
    dr7: which breakpoints are armed
    cs_sel: selector of the code segment
    ds_sel: selector of the data segment
    es_sel: selector of the extra segment
    fs_sel: selector of fs
    gs_sel: selector of gs
    ss_sel: selector of the stack segment
    tr_sel: selector of the task register
    ldtr_sel: selector of the local descriptor table
    cs_limit: limit of the code segment (bytes)
    ds_limit: limit of the data segment (bytes)
    es_limit: limit of the extra segment (bytes)
    fs_limit: limit of fs (bytes)
    gs_limit: limit of gs (bytes)
    ss_limit: limit of the stack segment (bytes)
    tr_limit: limit of the task register (bytes)
    ldtr_limit: limit of the local descriptor table (bytes)
    idtr_limit: limit of the interrupt descriptor table (bytes)
    gdtr_limit: limit of the global descriptor table (bytes)
    cs_base: base of the code segment
    ds_base: base of the data segment
    es_base: base of the extra segment
    fs_base: base of fs
    gs_base: base of gs
    ss_base: base of the stack segment
    tr_base: base of the task register
    ldtr_base: base of the local descriptor table
    idtr_base: base of the interrupt descriptor table
    gdtr_base: base of the global descriptor table
    cs_arbytes: attributes of the code segment
    ds_arbytes: attributes of the data segment
    es_arbytes: attributes of the extra segment
    fs_arbytes: attributes of fs
    gs_arbytes: attributes of gs
    ss_arbytes: attributes of the stack segment
    tr_arbytes: attributes of the task register
    ldtr_arbytes: attributes of the local descriptor table
    sysenter_cs: MSR 0x174: code segment of SYSENTER
    sysenter_esp: MSR 0x175: stack pointer of SYSENTER
    sysenter_eip: MSR 0x176: entry point of SYSENTER
    shadow_gs: MSR 0xc0000102: what SWAPGS puts into the base of gs
    msr_flags: ignored since Xen 4.9
    msr_lstar: MSR 0xc0000082: entry point of SYSCALL
    msr_star: MSR 0xc0000081: segments of SYSCALL
    msr_cstar: MSR 0xc0000083: entry point of SYSCALL from 32-bit code
    msr_syscall_mask: MSR 0xc0000084: flags that SYSCALL clears
    msr_efer: MSR 0xc0000080: extended features
    tsc: what RDTSC would have returned at the save
    pending_event: event that waits to be injected
    error_code: error code of that event
    """

    name = "hvm_cpu cpu"
    definition = "hvm_cpu.HvmHwCpuCompat"
    size = 1016
    fields_desc = [
        StructField("fpu_regs", Fxsave, "x87 and SSE registers"),
        Number("rax", 0, "u64", "general register", hexadecimal=True),
        Number("rbx", 0, "u64", "general register", hexadecimal=True),
        Number("rcx", 0, "u64", "general register", hexadecimal=True),
        Number("rdx", 0, "u64", "general register", hexadecimal=True),
        Number("rbp", 0, "u64", "general register", hexadecimal=True),
        Number("rsi", 0, "u64", "general register", hexadecimal=True),
        Number("rdi", 0, "u64", "general register", hexadecimal=True),
        Number("rsp", 0, "u64", "stack pointer", hexadecimal=True),
        Number("r8", 0, "u64", "general register", hexadecimal=True),
        Number("r9", 0, "u64", "general register", hexadecimal=True),
        Number("r10", 0, "u64", "general register", hexadecimal=True),
        Number("r11", 0, "u64", "general register", hexadecimal=True),
        Number("r12", 0, "u64", "general register", hexadecimal=True),
        Number("r13", 0, "u64", "general register", hexadecimal=True),
        Number("r14", 0, "u64", "general register", hexadecimal=True),
        Number("r15", 0, "u64", "general register", hexadecimal=True),
        Number("rip", 0, "u64", "instruction pointer", hexadecimal=True),
        FlagWord("rflags", 0, "u64", "flags", flags=registers_definitions.Rflags),
        FlagWord("cr0", 0, "u64", "control register 0", flags=registers_definitions.Cr0),
        Number("cr2", 0, "u64", "address of the last page fault", hexadecimal=True),
        Number("cr3", 0, "u64", "guest physical address of the page-table root", hexadecimal=True),
        FlagWord("cr4", 0, "u64", "control register 4", flags=registers_definitions.Cr4),
        Number("dr0", 0, "u64", "address of breakpoint 0", hexadecimal=True),
        Number("dr1", 0, "u64", "address of breakpoint 1", hexadecimal=True),
        Number("dr2", 0, "u64", "address of breakpoint 2", hexadecimal=True),
        Number("dr3", 0, "u64", "address of breakpoint 3", hexadecimal=True),
        FlagWord("dr6", 0, "u64", "which breakpoint fired", flags=registers_definitions.Dr6),
        FlagWord("dr7", 0, "u64", "which breakpoints are armed", flags=registers_definitions.Dr7),
        Number("cs_sel", 0, "u32", "selector of the code segment", hexadecimal=True),
        Number("ds_sel", 0, "u32", "selector of the data segment", hexadecimal=True),
        Number("es_sel", 0, "u32", "selector of the extra segment", hexadecimal=True),
        Number("fs_sel", 0, "u32", "selector of fs", hexadecimal=True),
        Number("gs_sel", 0, "u32", "selector of gs", hexadecimal=True),
        Number("ss_sel", 0, "u32", "selector of the stack segment", hexadecimal=True),
        Number("tr_sel", 0, "u32", "selector of the task register", hexadecimal=True),
        Number("ldtr_sel", 0, "u32", "selector of the local descriptor table", hexadecimal=True),
        Number("cs_limit", 0, "u32", "limit of the code segment", unit="bytes", hexadecimal=True),
        Number("ds_limit", 0, "u32", "limit of the data segment", unit="bytes", hexadecimal=True),
        Number("es_limit", 0, "u32", "limit of the extra segment", unit="bytes", hexadecimal=True),
        Number("fs_limit", 0, "u32", "limit of fs", unit="bytes", hexadecimal=True),
        Number("gs_limit", 0, "u32", "limit of gs", unit="bytes", hexadecimal=True),
        Number("ss_limit", 0, "u32", "limit of the stack segment", unit="bytes", hexadecimal=True),
        Number("tr_limit", 0, "u32", "limit of the task register", unit="bytes", hexadecimal=True),
        Number("ldtr_limit", 0, "u32", "limit of the local descriptor table", unit="bytes", hexadecimal=True),
        Number("idtr_limit", 0, "u32", "limit of the interrupt descriptor table", unit="bytes", hexadecimal=True),
        Number("gdtr_limit", 0, "u32", "limit of the global descriptor table", unit="bytes", hexadecimal=True),
        Number("cs_base", 0, "u64", "base of the code segment", hexadecimal=True),
        Number("ds_base", 0, "u64", "base of the data segment", hexadecimal=True),
        Number("es_base", 0, "u64", "base of the extra segment", hexadecimal=True),
        Number("fs_base", 0, "u64", "base of fs", hexadecimal=True),
        Number("gs_base", 0, "u64", "base of gs", hexadecimal=True),
        Number("ss_base", 0, "u64", "base of the stack segment", hexadecimal=True),
        Number("tr_base", 0, "u64", "base of the task register", hexadecimal=True),
        Number("ldtr_base", 0, "u64", "base of the local descriptor table", hexadecimal=True),
        Number("idtr_base", 0, "u64", "base of the interrupt descriptor table", hexadecimal=True),
        Number("gdtr_base", 0, "u64", "base of the global descriptor table", hexadecimal=True),
        Number(
            "cs_arbytes",
            0,
            "u32",
            "attributes of the code segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ds_arbytes",
            0,
            "u32",
            "attributes of the data segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "es_arbytes",
            0,
            "u32",
            "attributes of the extra segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "fs_arbytes",
            0,
            "u32",
            "attributes of fs",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "gs_arbytes",
            0,
            "u32",
            "attributes of gs",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ss_arbytes",
            0,
            "u32",
            "attributes of the stack segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "tr_arbytes",
            0,
            "u32",
            "attributes of the task register",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SystemSegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ldtr_arbytes",
            0,
            "u32",
            "attributes of the local descriptor table",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SystemSegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number("sysenter_cs", 0, "u64", "MSR 0x174: code segment of SYSENTER", hexadecimal=True),
        Number("sysenter_esp", 0, "u64", "MSR 0x175: stack pointer of SYSENTER", hexadecimal=True),
        Number("sysenter_eip", 0, "u64", "MSR 0x176: entry point of SYSENTER", hexadecimal=True),
        Number("shadow_gs", 0, "u64", "MSR 0xc0000102: what SWAPGS puts into the base of gs", hexadecimal=True),
        Number("msr_flags", 0, "u64", "ignored since Xen 4.9", hexadecimal=True),
        Number("msr_lstar", 0, "u64", "MSR 0xc0000082: entry point of SYSCALL", hexadecimal=True),
        Number("msr_star", 0, "u64", "MSR 0xc0000081: segments of SYSCALL", hexadecimal=True),
        Number("msr_cstar", 0, "u64", "MSR 0xc0000083: entry point of SYSCALL from 32-bit code", hexadecimal=True),
        Number("msr_syscall_mask", 0, "u64", "MSR 0xc0000084: flags that SYSCALL clears", hexadecimal=True),
        FlagWord("msr_efer", 0, "u64", "MSR 0xc0000080: extended features", flags=registers_definitions.Efer),
        Number("tsc", 0, "u64", "what RDTSC would have returned at the save"),
        Number(
            "pending_event",
            0,
            "u32",
            "event that waits to be injected",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits("type", 8, 3, "kind of event", values=registers_definitions.EventType),
                Bits("error_valid", 11, 1, "whether error_code counts"),
                Bits("reserved", 12, 19, "reserved, zero"),
                Bits("valid", 31, 1, "whether an event is pending at all"),
            ],
        ),
        Number("error_code", 0, "u32", "error code of that event", hexadecimal=True),
    ]


class HvmHwCpu(StructPacket):
    """Registers of a vcpu.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_hw_cpu.
    1024 bytes long in 4.0.
    1032 bytes long in 4.7.
    fpu_regs: x87 and SSE registers
    rax: general register
    rbx: general register
    rcx: general register
    rdx: general register
    rbp: general register
    rsi: general register
    rdi: general register
    rsp: stack pointer
    r8: general register
    r9: general register
    r10: general register
    r11: general register
    r12: general register
    r13: general register
    r14: general register
    r15: general register
    rip: instruction pointer
    rflags: flags
    cr0: control register 0
    cr2: address of the last page fault
    cr3: guest physical address of the page-table root
    cr4: control register 4
    dr0: address of breakpoint 0
    dr1: address of breakpoint 1
    dr2: address of breakpoint 2
    dr3: address of breakpoint 3
    dr6: which breakpoint fired
    dr7: which breakpoints are armed
    cs_sel: selector of the code segment
    ds_sel: selector of the data segment
    es_sel: selector of the extra segment
    fs_sel: selector of fs
    gs_sel: selector of gs
    ss_sel: selector of the stack segment
    tr_sel: selector of the task register
    ldtr_sel: selector of the local descriptor table
    cs_limit: limit of the code segment (bytes)
    ds_limit: limit of the data segment (bytes)
    es_limit: limit of the extra segment (bytes)
    fs_limit: limit of fs (bytes)
    gs_limit: limit of gs (bytes)
    ss_limit: limit of the stack segment (bytes)
    tr_limit: limit of the task register (bytes)
    ldtr_limit: limit of the local descriptor table (bytes)
    idtr_limit: limit of the interrupt descriptor table (bytes)
    gdtr_limit: limit of the global descriptor table (bytes)
    cs_base: base of the code segment
    ds_base: base of the data segment
    es_base: base of the extra segment
    fs_base: base of fs
    gs_base: base of gs
    ss_base: base of the stack segment
    tr_base: base of the task register
    ldtr_base: base of the local descriptor table
    idtr_base: base of the interrupt descriptor table
    gdtr_base: base of the global descriptor table
    cs_arbytes: attributes of the code segment
    ds_arbytes: attributes of the data segment
    es_arbytes: attributes of the extra segment
    fs_arbytes: attributes of fs
    gs_arbytes: attributes of gs
    ss_arbytes: attributes of the stack segment
    tr_arbytes: attributes of the task register
    ldtr_arbytes: attributes of the local descriptor table
    sysenter_cs: MSR 0x174: code segment of SYSENTER
    sysenter_esp: MSR 0x175: stack pointer of SYSENTER
    sysenter_eip: MSR 0x176: entry point of SYSENTER
    shadow_gs: MSR 0xc0000102: what SWAPGS puts into the base of gs
    msr_flags: ignored since Xen 4.9
    msr_lstar: MSR 0xc0000082: entry point of SYSCALL
    msr_star: MSR 0xc0000081: segments of SYSCALL
    msr_cstar: MSR 0xc0000083: entry point of SYSCALL from 32-bit code
    msr_syscall_mask: MSR 0xc0000084: flags that SYSCALL clears
    msr_efer: MSR 0xc0000080: extended features
    msr_tsc_aux: MSR 0xc0000103: what RDTSCP returns in ECX
    tsc: what RDTSC would have returned at the save
    pending_event: event that waits to be injected
    error_code: error code of that event
    flags: what else is known; since Xen 4.7
    pad0: zero; since Xen 4.7
    """

    name = "hvm_cpu cpu"
    definition = "hvm_cpu.HvmHwCpu"
    size = 1032
    fields_desc = [
        StructField("fpu_regs", Fxsave, "x87 and SSE registers"),
        Number("rax", 0, "u64", "general register", hexadecimal=True),
        Number("rbx", 0, "u64", "general register", hexadecimal=True),
        Number("rcx", 0, "u64", "general register", hexadecimal=True),
        Number("rdx", 0, "u64", "general register", hexadecimal=True),
        Number("rbp", 0, "u64", "general register", hexadecimal=True),
        Number("rsi", 0, "u64", "general register", hexadecimal=True),
        Number("rdi", 0, "u64", "general register", hexadecimal=True),
        Number("rsp", 0, "u64", "stack pointer", hexadecimal=True),
        Number("r8", 0, "u64", "general register", hexadecimal=True),
        Number("r9", 0, "u64", "general register", hexadecimal=True),
        Number("r10", 0, "u64", "general register", hexadecimal=True),
        Number("r11", 0, "u64", "general register", hexadecimal=True),
        Number("r12", 0, "u64", "general register", hexadecimal=True),
        Number("r13", 0, "u64", "general register", hexadecimal=True),
        Number("r14", 0, "u64", "general register", hexadecimal=True),
        Number("r15", 0, "u64", "general register", hexadecimal=True),
        Number("rip", 0, "u64", "instruction pointer", hexadecimal=True),
        FlagWord("rflags", 0, "u64", "flags", flags=registers_definitions.Rflags),
        FlagWord("cr0", 0, "u64", "control register 0", flags=registers_definitions.Cr0),
        Number("cr2", 0, "u64", "address of the last page fault", hexadecimal=True),
        Number("cr3", 0, "u64", "guest physical address of the page-table root", hexadecimal=True),
        FlagWord("cr4", 0, "u64", "control register 4", flags=registers_definitions.Cr4),
        Number("dr0", 0, "u64", "address of breakpoint 0", hexadecimal=True),
        Number("dr1", 0, "u64", "address of breakpoint 1", hexadecimal=True),
        Number("dr2", 0, "u64", "address of breakpoint 2", hexadecimal=True),
        Number("dr3", 0, "u64", "address of breakpoint 3", hexadecimal=True),
        FlagWord("dr6", 0, "u64", "which breakpoint fired", flags=registers_definitions.Dr6),
        FlagWord("dr7", 0, "u64", "which breakpoints are armed", flags=registers_definitions.Dr7),
        Number("cs_sel", 0, "u32", "selector of the code segment", hexadecimal=True),
        Number("ds_sel", 0, "u32", "selector of the data segment", hexadecimal=True),
        Number("es_sel", 0, "u32", "selector of the extra segment", hexadecimal=True),
        Number("fs_sel", 0, "u32", "selector of fs", hexadecimal=True),
        Number("gs_sel", 0, "u32", "selector of gs", hexadecimal=True),
        Number("ss_sel", 0, "u32", "selector of the stack segment", hexadecimal=True),
        Number("tr_sel", 0, "u32", "selector of the task register", hexadecimal=True),
        Number("ldtr_sel", 0, "u32", "selector of the local descriptor table", hexadecimal=True),
        Number("cs_limit", 0, "u32", "limit of the code segment", unit="bytes", hexadecimal=True),
        Number("ds_limit", 0, "u32", "limit of the data segment", unit="bytes", hexadecimal=True),
        Number("es_limit", 0, "u32", "limit of the extra segment", unit="bytes", hexadecimal=True),
        Number("fs_limit", 0, "u32", "limit of fs", unit="bytes", hexadecimal=True),
        Number("gs_limit", 0, "u32", "limit of gs", unit="bytes", hexadecimal=True),
        Number("ss_limit", 0, "u32", "limit of the stack segment", unit="bytes", hexadecimal=True),
        Number("tr_limit", 0, "u32", "limit of the task register", unit="bytes", hexadecimal=True),
        Number("ldtr_limit", 0, "u32", "limit of the local descriptor table", unit="bytes", hexadecimal=True),
        Number("idtr_limit", 0, "u32", "limit of the interrupt descriptor table", unit="bytes", hexadecimal=True),
        Number("gdtr_limit", 0, "u32", "limit of the global descriptor table", unit="bytes", hexadecimal=True),
        Number("cs_base", 0, "u64", "base of the code segment", hexadecimal=True),
        Number("ds_base", 0, "u64", "base of the data segment", hexadecimal=True),
        Number("es_base", 0, "u64", "base of the extra segment", hexadecimal=True),
        Number("fs_base", 0, "u64", "base of fs", hexadecimal=True),
        Number("gs_base", 0, "u64", "base of gs", hexadecimal=True),
        Number("ss_base", 0, "u64", "base of the stack segment", hexadecimal=True),
        Number("tr_base", 0, "u64", "base of the task register", hexadecimal=True),
        Number("ldtr_base", 0, "u64", "base of the local descriptor table", hexadecimal=True),
        Number("idtr_base", 0, "u64", "base of the interrupt descriptor table", hexadecimal=True),
        Number("gdtr_base", 0, "u64", "base of the global descriptor table", hexadecimal=True),
        Number(
            "cs_arbytes",
            0,
            "u32",
            "attributes of the code segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ds_arbytes",
            0,
            "u32",
            "attributes of the data segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "es_arbytes",
            0,
            "u32",
            "attributes of the extra segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "fs_arbytes",
            0,
            "u32",
            "attributes of fs",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "gs_arbytes",
            0,
            "u32",
            "attributes of gs",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ss_arbytes",
            0,
            "u32",
            "attributes of the stack segment",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "tr_arbytes",
            0,
            "u32",
            "attributes of the task register",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SystemSegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number(
            "ldtr_arbytes",
            0,
            "u32",
            "attributes of the local descriptor table",
            hexadecimal=True,
            bits=[
                Bits("type", 0, 4, "type of the segment", values=registers_definitions.SystemSegmentType),
                Bits("s", 4, 1, "1 for code and data, 0 for a system segment"),
                Bits("dpl", 5, 2, "privilege level"),
                Bits("p", 7, 1, "present"),
                Bits("avl", 8, 1, "available to software"),
                Bits("l", 9, 1, "64-bit code"),
                Bits("db", 10, 1, "32-bit code, stack or data"),
                Bits("g", 11, 1, "limit counts pages of 4 KiB"),
            ],
        ),
        Number("sysenter_cs", 0, "u64", "MSR 0x174: code segment of SYSENTER", hexadecimal=True),
        Number("sysenter_esp", 0, "u64", "MSR 0x175: stack pointer of SYSENTER", hexadecimal=True),
        Number("sysenter_eip", 0, "u64", "MSR 0x176: entry point of SYSENTER", hexadecimal=True),
        Number("shadow_gs", 0, "u64", "MSR 0xc0000102: what SWAPGS puts into the base of gs", hexadecimal=True),
        Number("msr_flags", 0, "u64", "ignored since Xen 4.9", hexadecimal=True),
        Number("msr_lstar", 0, "u64", "MSR 0xc0000082: entry point of SYSCALL", hexadecimal=True),
        Number("msr_star", 0, "u64", "MSR 0xc0000081: segments of SYSCALL", hexadecimal=True),
        Number("msr_cstar", 0, "u64", "MSR 0xc0000083: entry point of SYSCALL from 32-bit code", hexadecimal=True),
        Number("msr_syscall_mask", 0, "u64", "MSR 0xc0000084: flags that SYSCALL clears", hexadecimal=True),
        FlagWord("msr_efer", 0, "u64", "MSR 0xc0000080: extended features", flags=registers_definitions.Efer),
        Number("msr_tsc_aux", 0, "u64", "MSR 0xc0000103: what RDTSCP returns in ECX", hexadecimal=True),
        Number("tsc", 0, "u64", "what RDTSC would have returned at the save"),
        Number(
            "pending_event",
            0,
            "u32",
            "event that waits to be injected",
            hexadecimal=True,
            bits=[
                Bits("vector", 0, 8, "vector"),
                Bits("type", 8, 3, "kind of event", values=registers_definitions.EventType),
                Bits("error_valid", 11, 1, "whether error_code counts"),
                Bits("reserved", 12, 19, "reserved, zero"),
                Bits("valid", 31, 1, "whether an event is pending at all"),
            ],
        ),
        Number("error_code", 0, "u32", "error code of that event", hexadecimal=True),
        FlagWord("flags", 0, "u32", "what else is known", flags=hvm_cpu_definitions.CpuFlags),
        Number("pad0", 0, "u32", "zero"),
    ]


HvmHwCpu.layouts = {
    1016: HvmHwCpuCompat,
}
