# Generated from core/definitions/vcpu.py by xenmig.scapy_layers.generate; do not edit.
"""Virtual processors of PV guests: xen/include/public/arch-x86/xen.h, xen-x86_64.h and xen-x86_32.h.

These are complete bodies of X86_PV_VCPU_BASIC, _EXTENDED and _XSAVE, the eight bytes in front of the context included.
Frame numbers in them are pfns; Xen's own structs hold mfns there.
"""

from __future__ import annotations

from xenmig.core.definitions import pv_context as pv_context_definitions
from xenmig.core.definitions import registers as registers_definitions
from xenmig.core.definitions import vcpu as vcpu_definitions
from xenmig.core.definitions import vmce as vmce_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Number, Octets, Present
from xenmig.scapy_layers.lists import Numbers, StructField, Structs
from xenmig.scapy_layers.packets import StructPacket
from xenmig.scapy_layers.xsave import Fxsave


class UserRegs64(StructPacket):
    """Registers of a 64-bit vcpu.

    Source: xen/include/public/arch-x86/xen-x86_64.h, cpu_user_regs.
    r15: general register
    r14: general register
    r13: general register
    r12: general register
    rbp: general register
    rbx: general register
    r11: general register
    r10: general register
    r9: general register
    r8: general register
    rax: general register
    rcx: general register
    rdx: general register; of vcpu 0, the pfn of the start_info page
    rsi: general register
    rdi: general register
    error_code: of the last entry into Xen; zero from Xen 4.22 on
    entry_vector: of the last entry into Xen; zero from Xen 4.22 on
    rip: instruction pointer
    cs: code segment
    pad0: padding
    saved_upcall_mask: whether events were masked before the last entry
    pad1: padding
    rflags: flags
    rsp: stack pointer
    ss: stack segment
    pad2: padding
    es: extra segment
    pad3: padding
    ds: data segment
    pad4: padding
    fs: segment fs
    pad5: padding
    gs: segment gs
    pad6: padding
    """

    name = "vcpu cpu user regs"
    definition = "vcpu.UserRegs64"
    size = 200
    fields_desc = [
        Number("r15", 0, "u64", "general register", hexadecimal=True),
        Number("r14", 0, "u64", "general register", hexadecimal=True),
        Number("r13", 0, "u64", "general register", hexadecimal=True),
        Number("r12", 0, "u64", "general register", hexadecimal=True),
        Number("rbp", 0, "u64", "general register", hexadecimal=True),
        Number("rbx", 0, "u64", "general register", hexadecimal=True),
        Number("r11", 0, "u64", "general register", hexadecimal=True),
        Number("r10", 0, "u64", "general register", hexadecimal=True),
        Number("r9", 0, "u64", "general register", hexadecimal=True),
        Number("r8", 0, "u64", "general register", hexadecimal=True),
        Number("rax", 0, "u64", "general register", hexadecimal=True),
        Number("rcx", 0, "u64", "general register", hexadecimal=True),
        Number("rdx", 0, "u64", "general register; of vcpu 0, the pfn of the start_info page", hexadecimal=True),
        Number("rsi", 0, "u64", "general register", hexadecimal=True),
        Number("rdi", 0, "u64", "general register", hexadecimal=True),
        Number("error_code", 0, "u32", "of the last entry into Xen; zero from Xen 4.22 on", hexadecimal=True),
        Number("entry_vector", 0, "u32", "of the last entry into Xen; zero from Xen 4.22 on", hexadecimal=True),
        Number("rip", 0, "u64", "instruction pointer", hexadecimal=True),
        Number("cs", 0, "u16", "code segment", hexadecimal=True),
        Number("pad0", 0, "u16", "padding", hexadecimal=True),
        Number("saved_upcall_mask", 0, "u8", "whether events were masked before the last entry"),
        Octets("pad1", bytes(3), "padding", size=3),
        FlagWord("rflags", 0, "u64", "flags", flags=registers_definitions.Rflags),
        Number("rsp", 0, "u64", "stack pointer", hexadecimal=True),
        Number("ss", 0, "u16", "stack segment", hexadecimal=True),
        Octets("pad2", bytes(6), "padding", size=6),
        Number("es", 0, "u16", "extra segment", hexadecimal=True),
        Octets("pad3", bytes(6), "padding", size=6),
        Number("ds", 0, "u16", "data segment", hexadecimal=True),
        Octets("pad4", bytes(6), "padding", size=6),
        Number("fs", 0, "u16", "segment fs", hexadecimal=True),
        Octets("pad5", bytes(6), "padding", size=6),
        Number("gs", 0, "u16", "segment gs", hexadecimal=True),
        Octets("pad6", bytes(6), "padding", size=6),
    ]


class UserRegs32(StructPacket):
    """Registers of a 32-bit vcpu.

    Source: xen/include/public/arch-x86/xen-x86_32.h, cpu_user_regs.
    ebx: general register
    ecx: general register
    edx: general register; of vcpu 0, the pfn of the start_info page
    esi: general register
    edi: general register
    ebp: general register
    eax: general register
    error_code: of the last entry into Xen; zero from Xen 4.22 on
    entry_vector: of the last entry into Xen; zero from Xen 4.22 on
    eip: instruction pointer
    cs: code segment
    saved_upcall_mask: whether events were masked before the last entry
    pad0: padding
    eflags: flags
    esp: stack pointer
    ss: stack segment
    pad1: padding
    es: extra segment
    pad2: padding
    ds: data segment
    pad3: padding
    fs: segment fs
    pad4: padding
    gs: segment gs
    pad5: padding
    """

    name = "vcpu cpu user regs"
    definition = "vcpu.UserRegs32"
    size = 68
    fields_desc = [
        Number("ebx", 0, "u32", "general register", hexadecimal=True),
        Number("ecx", 0, "u32", "general register", hexadecimal=True),
        Number("edx", 0, "u32", "general register; of vcpu 0, the pfn of the start_info page", hexadecimal=True),
        Number("esi", 0, "u32", "general register", hexadecimal=True),
        Number("edi", 0, "u32", "general register", hexadecimal=True),
        Number("ebp", 0, "u32", "general register", hexadecimal=True),
        Number("eax", 0, "u32", "general register", hexadecimal=True),
        Number("error_code", 0, "u16", "of the last entry into Xen; zero from Xen 4.22 on", hexadecimal=True),
        Number("entry_vector", 0, "u16", "of the last entry into Xen; zero from Xen 4.22 on", hexadecimal=True),
        Number("eip", 0, "u32", "instruction pointer", hexadecimal=True),
        Number("cs", 0, "u16", "code segment", hexadecimal=True),
        Number("saved_upcall_mask", 0, "u8", "whether events were masked before the last entry"),
        Number("pad0", 0, "u8", "padding", hexadecimal=True),
        FlagWord("eflags", 0, "u32", "flags", flags=vcpu_definitions.Eflags),
        Number("esp", 0, "u32", "stack pointer", hexadecimal=True),
        Number("ss", 0, "u16", "stack segment", hexadecimal=True),
        Number("pad1", 0, "u16", "padding", hexadecimal=True),
        Number("es", 0, "u16", "extra segment", hexadecimal=True),
        Number("pad2", 0, "u16", "padding", hexadecimal=True),
        Number("ds", 0, "u16", "data segment", hexadecimal=True),
        Number("pad3", 0, "u16", "padding", hexadecimal=True),
        Number("fs", 0, "u16", "segment fs", hexadecimal=True),
        Number("pad4", 0, "u16", "padding", hexadecimal=True),
        Number("gs", 0, "u16", "segment gs", hexadecimal=True),
        Number("pad5", 0, "u16", "padding", hexadecimal=True),
    ]


class TrapInfo64(StructPacket):
    """One entry of the virtual interrupt descriptor table.

    Source: xen/include/public/arch-x86/xen.h, trap_info.
    vector: vector
    flags: who may raise it, and how it is entered
    cs: code segment
    hole: padding
    address: address of the handler; 0 for none
    """

    name = "vcpu trap info"
    definition = "vcpu.TrapInfo64"
    size = 16
    fields_desc = [
        Number("vector", 0, "u8", "vector", hexadecimal=True),
        Number(
            "flags",
            0,
            "u8",
            "who may raise it, and how it is entered",
            hexadecimal=True,
            bits=[
                Bits("dpl", 0, 2, "privilege level that may raise it"),
                Bits("clears_if", 2, 1, "events are masked when it is entered"),
            ],
        ),
        Number("cs", 0, "u16", "code segment", hexadecimal=True),
        Octets("hole", bytes(4), "padding", size=4),
        Number("address", 0, "u64", "address of the handler; 0 for none", hexadecimal=True),
    ]


class TrapInfo32(StructPacket):
    """One entry of the virtual interrupt descriptor table.

    Source: xen/include/public/arch-x86/xen.h, trap_info.
    vector: vector
    flags: who may raise it, and how it is entered
    cs: code segment
    address: address of the handler; 0 for none
    """

    name = "vcpu trap info"
    definition = "vcpu.TrapInfo32"
    size = 8
    fields_desc = [
        Number("vector", 0, "u8", "vector", hexadecimal=True),
        Number(
            "flags",
            0,
            "u8",
            "who may raise it, and how it is entered",
            hexadecimal=True,
            bits=[
                Bits("dpl", 0, 2, "privilege level that may raise it"),
                Bits("clears_if", 2, 1, "events are masked when it is entered"),
            ],
        ),
        Number("cs", 0, "u16", "code segment", hexadecimal=True),
        Number("address", 0, "u32", "address of the handler; 0 for none", hexadecimal=True),
    ]


class X86PvVcpuBasic64(StructPacket):
    """Registers of a vcpu of a 64-bit guest.

    Source: libxc-migration-stream; xen/include/public/arch-x86/xen.h, vcpu_guest_context.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    fpu_ctxt: x87 and SSE registers
    flags: state of the vcpu
    user_regs: registers
    trap_ctxt: virtual interrupt descriptor table
    ldt_base: address of the local descriptor table
    ldt_ents: descriptors in it, at most 8192
    gdt_frames: pfns of the global descriptor table; those beyond gdt_ents do not count
    gdt_ents: descriptors in it, at most 7168
    kernel_ss: stack segment of the kernel
    kernel_sp: stack pointer of the kernel
    cr0: control register 0
    cr1: root of the page tables of user mode: pfn << 12 | 1, or 0 for none
    cr2: address of the last page fault
    cr3: root of the page tables: pfn << 12
    cr4: control register 4
    cr5: not used
    cr6: not used
    cr7: not used
    dr0: address of breakpoint 0
    dr1: address of breakpoint 1
    dr2: address of breakpoint 2
    dr3: address of breakpoint 3
    dr4: not used
    dr5: emulated bits of dr7 until Xen 4.10
    dr6: which breakpoint fired
    dr7: which breakpoints are armed
    event_callback_eip: where events enter the guest
    failsafe_callback_eip: where the guest is entered when its segments cannot be loaded
    syscall_callback_eip: where SYSCALL enters the guest's kernel
    vm_assist: what Xen emulates for the guest
    fs_base: base of fs
    gs_base_kernel: base of gs in the kernel
    gs_base_user: base of gs in user mode
    """

    name = "vcpu x86 pv vcpu basic"
    definition = "vcpu.X86PvVcpuBasic64"
    size = 5176
    fields_desc = [
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        StructField("fpu_ctxt", Fxsave, "x87 and SSE registers"),
        FlagWord("flags", 0, "u64", "state of the vcpu", flags=pv_context_definitions.VgcfFlags),
        StructField("user_regs", UserRegs64, "registers"),
        Structs("trap_ctxt", TrapInfo64, "virtual interrupt descriptor table", count=256),
        Number("ldt_base", 0, "u64", "address of the local descriptor table", hexadecimal=True),
        Number("ldt_ents", 0, "u64", "descriptors in it, at most 8192"),
        Numbers(
            "gdt_frames",
            "u64",
            "pfns of the global descriptor table; those beyond gdt_ents do not count",
            count=16,
            hexadecimal=True,
        ),
        Number("gdt_ents", 0, "u64", "descriptors in it, at most 7168"),
        Number("kernel_ss", 0, "u64", "stack segment of the kernel", hexadecimal=True),
        Number("kernel_sp", 0, "u64", "stack pointer of the kernel", hexadecimal=True),
        FlagWord("cr0", 0, "u64", "control register 0", flags=registers_definitions.Cr0),
        Number("cr1", 0, "u64", "root of the page tables of user mode: pfn << 12 | 1, or 0 for none", hexadecimal=True),
        Number("cr2", 0, "u64", "address of the last page fault", hexadecimal=True),
        Number("cr3", 0, "u64", "root of the page tables: pfn << 12", hexadecimal=True),
        FlagWord("cr4", 0, "u64", "control register 4", flags=registers_definitions.Cr4),
        Number("cr5", 0, "u64", "not used", hexadecimal=True),
        Number("cr6", 0, "u64", "not used", hexadecimal=True),
        Number("cr7", 0, "u64", "not used", hexadecimal=True),
        Number("dr0", 0, "u64", "address of breakpoint 0", hexadecimal=True),
        Number("dr1", 0, "u64", "address of breakpoint 1", hexadecimal=True),
        Number("dr2", 0, "u64", "address of breakpoint 2", hexadecimal=True),
        Number("dr3", 0, "u64", "address of breakpoint 3", hexadecimal=True),
        Number("dr4", 0, "u64", "not used", hexadecimal=True),
        Number("dr5", 0, "u64", "emulated bits of dr7 until Xen 4.10", hexadecimal=True),
        FlagWord("dr6", 0, "u64", "which breakpoint fired", flags=registers_definitions.Dr6),
        FlagWord("dr7", 0, "u64", "which breakpoints are armed", flags=registers_definitions.Dr7),
        Number("event_callback_eip", 0, "u64", "where events enter the guest", hexadecimal=True),
        Number(
            "failsafe_callback_eip",
            0,
            "u64",
            "where the guest is entered when its segments cannot be loaded",
            hexadecimal=True,
        ),
        Number("syscall_callback_eip", 0, "u64", "where SYSCALL enters the guest's kernel", hexadecimal=True),
        FlagWord("vm_assist", 0, "u64", "what Xen emulates for the guest", flags=vcpu_definitions.VmAssist),
        Number("fs_base", 0, "u64", "base of fs", hexadecimal=True),
        Number("gs_base_kernel", 0, "u64", "base of gs in the kernel", hexadecimal=True),
        Number("gs_base_user", 0, "u64", "base of gs in user mode", hexadecimal=True),
    ]


class X86PvVcpuBasic32(StructPacket):
    """Registers of a vcpu of a 32-bit guest.

    Source: libxc-migration-stream; xen/include/public/arch-x86/xen.h, vcpu_guest_context.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    fpu_ctxt: x87 and SSE registers
    flags: state of the vcpu
    user_regs: registers
    trap_ctxt: virtual interrupt descriptor table
    ldt_base: address of the local descriptor table
    ldt_ents: descriptors in it, at most 8192
    gdt_frames: pfns of the global descriptor table; those beyond gdt_ents do not count
    gdt_ents: descriptors in it, at most 7168
    kernel_ss: stack segment of the kernel
    kernel_sp: stack pointer of the kernel
    cr0: control register 0
    cr1: not used
    cr2: address of the last page fault
    cr3: root of the page tables, folded: pfn << 12 | pfn >> 20
    cr4: control register 4
    cr5: not used
    cr6: not used
    cr7: not used
    dr0: address of breakpoint 0
    dr1: address of breakpoint 1
    dr2: address of breakpoint 2
    dr3: address of breakpoint 3
    dr4: not used
    dr5: emulated bits of dr7 until Xen 4.10
    dr6: which breakpoint fired
    dr7: which breakpoints are armed
    event_callback_cs: code segment in which events enter the guest
    event_callback_eip: where events enter the guest
    failsafe_callback_cs: code segment of the failsafe callback
    failsafe_callback_eip: where the guest is entered when its segments cannot be loaded
    vm_assist: what Xen emulates for the guest
    """

    name = "vcpu x86 pv vcpu basic"
    definition = "vcpu.X86PvVcpuBasic32"
    size = 2808
    fields_desc = [
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        StructField("fpu_ctxt", Fxsave, "x87 and SSE registers"),
        FlagWord("flags", 0, "u32", "state of the vcpu", flags=vcpu_definitions.VgcfFlags32),
        StructField("user_regs", UserRegs32, "registers"),
        Structs("trap_ctxt", TrapInfo32, "virtual interrupt descriptor table", count=256),
        Number("ldt_base", 0, "u32", "address of the local descriptor table", hexadecimal=True),
        Number("ldt_ents", 0, "u32", "descriptors in it, at most 8192"),
        Numbers(
            "gdt_frames",
            "u32",
            "pfns of the global descriptor table; those beyond gdt_ents do not count",
            count=16,
            hexadecimal=True,
        ),
        Number("gdt_ents", 0, "u32", "descriptors in it, at most 7168"),
        Number("kernel_ss", 0, "u32", "stack segment of the kernel", hexadecimal=True),
        Number("kernel_sp", 0, "u32", "stack pointer of the kernel", hexadecimal=True),
        FlagWord("cr0", 0, "u32", "control register 0", flags=vcpu_definitions.Cr0of32),
        Number("cr1", 0, "u32", "not used", hexadecimal=True),
        Number("cr2", 0, "u32", "address of the last page fault", hexadecimal=True),
        Number("cr3", 0, "u32", "root of the page tables, folded: pfn << 12 | pfn >> 20", hexadecimal=True),
        FlagWord("cr4", 0, "u32", "control register 4", flags=vcpu_definitions.Cr4of32),
        Number("cr5", 0, "u32", "not used", hexadecimal=True),
        Number("cr6", 0, "u32", "not used", hexadecimal=True),
        Number("cr7", 0, "u32", "not used", hexadecimal=True),
        Number("dr0", 0, "u32", "address of breakpoint 0", hexadecimal=True),
        Number("dr1", 0, "u32", "address of breakpoint 1", hexadecimal=True),
        Number("dr2", 0, "u32", "address of breakpoint 2", hexadecimal=True),
        Number("dr3", 0, "u32", "address of breakpoint 3", hexadecimal=True),
        Number("dr4", 0, "u32", "not used", hexadecimal=True),
        Number("dr5", 0, "u32", "emulated bits of dr7 until Xen 4.10", hexadecimal=True),
        Number("dr6", 0, "u32", "which breakpoint fired", hexadecimal=True),
        Number("dr7", 0, "u32", "which breakpoints are armed", hexadecimal=True),
        Number("event_callback_cs", 0, "u32", "code segment in which events enter the guest", hexadecimal=True),
        Number("event_callback_eip", 0, "u32", "where events enter the guest", hexadecimal=True),
        Number("failsafe_callback_cs", 0, "u32", "code segment of the failsafe callback", hexadecimal=True),
        Number(
            "failsafe_callback_eip",
            0,
            "u32",
            "where the guest is entered when its segments cannot be loaded",
            hexadecimal=True,
        ),
        FlagWord("vm_assist", 0, "u32", "what Xen emulates for the guest", flags=vcpu_definitions.VmAssist32),
    ]


class X86PvVcpuExtended(StructPacket):
    """Entry points for system calls, and the machine-check state, of a vcpu.

    Source: libxc-migration-stream; xen/include/public/domctl.h, xen_domctl_ext_vcpucontext.
    Guests: PV.
    8 bytes long in 4.6 to 4.8, when there is nothing to say.
    64 bytes long in 4.6.
    72 bytes long in 4.10.
    136 bytes long in converted from a legacy stream.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    vcpu: which vcpu, once more
    struct_size: xen_domctl_ext_vcpucontext.size: how much of what follows, these eight bytes included, counts (bytes)
    syscall32_callback_eip: where SYSCALL from 32-bit code enters the kernel
    sysenter_callback_eip: where SYSENTER enters the kernel
    syscall32_callback_cs: its code segment
    sysenter_callback_cs: its code segment
    syscall32_disables_events: whether events are masked then
    sysenter_disables_events: whether events are masked then
    hole: padding
    caps: machine checks: MCG_CAP, what the guest is told
    mci_ctl2_bank0: machine checks: MSR 0x280, corrected errors of bank 0
    mci_ctl2_bank1: machine checks: MSR 0x281, corrected errors of bank 1
    mcg_ext_ctl: machine checks: MSR 0x4d0; since Xen 4.10
    rest: beyond size; not used
    """

    name = "vcpu x86 pv vcpu extended"
    definition = "vcpu.X86PvVcpuExtended"
    fields_desc = [
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        Number("vcpu", 0, "u32", "which vcpu, once more"),
        Number(
            "struct_size",
            0,
            "u32",
            "xen_domctl_ext_vcpucontext.size: how much of what follows, these eight bytes included, counts",
            unit="bytes",
        ),
        Number(
            "syscall32_callback_eip",
            0,
            "u64",
            "where SYSCALL from 32-bit code enters the kernel",
            hexadecimal=True,
        ),
        Number("sysenter_callback_eip", 0, "u64", "where SYSENTER enters the kernel", hexadecimal=True),
        Number("syscall32_callback_cs", 0, "u16", "its code segment", hexadecimal=True),
        Number("sysenter_callback_cs", 0, "u16", "its code segment", hexadecimal=True),
        Number("syscall32_disables_events", 0, "u8", "whether events are masked then"),
        Number("sysenter_disables_events", 0, "u8", "whether events are masked then"),
        Octets("hole", bytes(2), "padding", size=2),
        Number(
            "caps",
            0,
            "u64",
            "machine checks: MCG_CAP, what the guest is told",
            hexadecimal=True,
            bits=[
                Bits("banks", 0, 8, "number of banks; Xen gives 2"),
                Bits("CTL_P", 8, 1, "has a global control register"),
                Bits("EXT_P", 9, 1, "has extended state"),
                Bits("CMCI_P", 10, 1, "can interrupt for corrected errors"),
                Bits("TES_P", 11, 1, "counts corrected errors"),
                Bits("SER_P", 24, 1, "can recover in software"),
                Bits("LMCE_P", 27, 1, "can deliver to one processor only"),
            ],
        ),
        Number("mci_ctl2_bank0", 0, "u64", "machine checks: MSR 0x280, corrected errors of bank 0", hexadecimal=True),
        Number("mci_ctl2_bank1", 0, "u64", "machine checks: MSR 0x281, corrected errors of bank 1", hexadecimal=True),
        FlagWord("mcg_ext_ctl", 0, "u64", "machine checks: MSR 0x4d0", flags=vmce_definitions.McgExtCtl),
        Octets("rest", b"", "beyond size; not used"),
    ]


class X86PvVcpuXsave(StructPacket):
    """Extended processor state of a vcpu; of one that never executed XSETBV, 16 bytes of zeros.

    Source: libxc-migration-stream, X86_PV_VCPU_XSAVE; xen/arch/x86/domctl.c, getvcpuextstate.
    Guests: PV.
    vcpu_id: which vcpu
    reserved1: reserved, zero
    xcr0: components enabled now
    xcr0_accum: components ever enabled: those that are saved
    fpu_sse: legacy region
    xstate_bv: components that are not in their initial state
    xcomp_bv: zero: the standard format, not the compacted one
    reserved: reserved, zero
    components: components, at the places that CPUID leaf 0xD gives
    """

    name = "vcpu x86 pv vcpu xsave"
    definition = "vcpu.X86PvVcpuXsave"
    fields_desc = [
        Number("vcpu_id", 0, "u32", "which vcpu"),
        Number("reserved1", 0, "u32", "reserved, zero", hexadecimal=True),
        FlagWord("xcr0", 0, "u64", "components enabled now", flags=registers_definitions.XState),
        FlagWord(
            "xcr0_accum",
            0,
            "u64",
            "components ever enabled: those that are saved",
            flags=registers_definitions.XState,
        ),
        Present(StructField("fpu_sse", Fxsave, "legacy region"), "xcr0_accum", 1, 1),
        Present(
            FlagWord(
                "xstate_bv",
                0,
                "u64",
                "components that are not in their initial state",
                flags=registers_definitions.XState,
            ),
            "xcr0_accum",
            1,
            1,
        ),
        Present(
            Number("xcomp_bv", 0, "u64", "zero: the standard format, not the compacted one", hexadecimal=True),
            "xcr0_accum",
            1,
            1,
        ),
        Present(Octets("reserved", bytes(48), "reserved, zero", size=48), "xcr0_accum", 1, 1),
        Present(Octets("components", b"", "components, at the places that CPUID leaf 0xD gives"), "xcr0_accum", 1, 1),
    ]
