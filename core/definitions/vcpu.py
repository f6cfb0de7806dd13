"""Virtual processors of PV guests: xen/include/public/arch-x86/xen.h, xen-x86_64.h and xen-x86_32.h.

These are complete bodies of X86_PV_VCPU_BASIC, _EXTENDED and _XSAVE, the eight bytes in front of the context included.
Frame numbers in them are pfns; Xen's own structs hold mfns there.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import Bits, array, has, octets, reserved, struct, u8, u16, u32, u64
from xenmig.core.definitions.pv_context import VgcfFlags
from xenmig.core.definitions.registers import Cr0, Cr4, Dr6, Dr7, Rflags, XState
from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.vmce import CAPABILITIES, McgExtCtl
from xenmig.core.definitions.xsave import Fxsave

X64 = "xen/include/public/arch-x86/xen-x86_64.h"
X32 = "xen/include/public/arch-x86/xen-x86_32.h"
HEADER = "xen/include/public/arch-x86/xen.h"


class VgcfFlags32(VgcfFlags, digits=8, open=True):
    """The same of a 32-bit guest."""

    known = VgcfFlags.known


class VmAssist(Flags, digits=16, open=True):
    """xen.h, VMASST_TYPE_*."""

    FOUR_GB_SEGMENTS = flag(0, "segments of 4 GiB are emulated")
    FOUR_GB_SEGMENTS_NOTIFY = flag(1, "the guest is told of that")
    WRITABLE_PAGETABLES = flag(2, "page tables may be written to")
    PAE_EXTENDED_CR3 = flag(3, "page-table roots may lie above 4 GiB")
    ARCHITECTURAL_IOPL = flag(4, "IOPL is that of the hardware")
    RUNSTATE_UPDATE_FLAG = flag(5, "updates of the run state are marked")
    M2P_STRICT = flag(32, "Xen's machine-to-physical table is hidden from user mode")


class VmAssist32(VmAssist, digits=8, open=True):
    """The same of a 32-bit guest."""

    known = VmAssist.known


TRAP_FLAGS = (
    Bits("dpl", 0, 2, "privilege level that may raise it"),
    Bits("clears_if", 2, 1, "events are masked when it is entered"),
)


class UserRegs64(Struct, name="cpu_user_regs", source=f"{X64}, cpu_user_regs"):
    """Registers of a 64-bit vcpu."""

    r15: int = u64("general register", hex=True)
    r14: int = u64("general register", hex=True)
    r13: int = u64("general register", hex=True)
    r12: int = u64("general register", hex=True)
    rbp: int = u64("general register", hex=True)
    rbx: int = u64("general register", hex=True)
    r11: int = u64("general register", hex=True)
    r10: int = u64("general register", hex=True)
    r9: int = u64("general register", hex=True)
    r8: int = u64("general register", hex=True)
    rax: int = u64("general register", hex=True)
    rcx: int = u64("general register", hex=True)
    rdx: int = u64("general register; of vcpu 0, the pfn of the start_info page", hex=True)
    rsi: int = u64("general register", hex=True)
    rdi: int = u64("general register", hex=True)
    error_code: int = u32("of the last entry into Xen; zero from Xen 4.22 on", hex=True)
    entry_vector: int = u32("of the last entry into Xen; zero from Xen 4.22 on", hex=True)
    rip: int = u64("instruction pointer", hex=True)
    cs: int = u16("code segment", hex=True)
    pad0: int = u16("padding", hex=True)
    saved_upcall_mask: int = u8("whether events were masked before the last entry")
    pad1: bytes = octets("padding", count=3)
    rflags: Rflags = u64("flags", flags=Rflags)
    rsp: int = u64("stack pointer", hex=True)
    ss: int = u16("stack segment", hex=True)
    pad2: bytes = octets("padding", count=6)
    es: int = u16("extra segment", hex=True)
    pad3: bytes = octets("padding", count=6)
    ds: int = u16("data segment", hex=True)
    pad4: bytes = octets("padding", count=6)
    fs: int = u16("segment fs", hex=True)
    pad5: bytes = octets("padding", count=6)
    gs: int = u16("segment gs", hex=True)
    pad6: bytes = octets("padding", count=6)


class Eflags(Rflags, digits=8, open=True):
    """EFLAGS of a 32-bit guest."""

    known = Rflags.known


class UserRegs32(Struct, name="cpu_user_regs", source=f"{X32}, cpu_user_regs"):
    """Registers of a 32-bit vcpu."""

    ebx: int = u32("general register", hex=True)
    ecx: int = u32("general register", hex=True)
    edx: int = u32("general register; of vcpu 0, the pfn of the start_info page", hex=True)
    esi: int = u32("general register", hex=True)
    edi: int = u32("general register", hex=True)
    ebp: int = u32("general register", hex=True)
    eax: int = u32("general register", hex=True)
    error_code: int = u16("of the last entry into Xen; zero from Xen 4.22 on", hex=True)
    entry_vector: int = u16("of the last entry into Xen; zero from Xen 4.22 on", hex=True)
    eip: int = u32("instruction pointer", hex=True)
    cs: int = u16("code segment", hex=True)
    saved_upcall_mask: int = u8("whether events were masked before the last entry")
    pad0: int = u8("padding", hex=True)
    eflags: Eflags = u32("flags", flags=Eflags)
    esp: int = u32("stack pointer", hex=True)
    ss: int = u16("stack segment", hex=True)
    pad1: int = u16("padding", hex=True)
    es: int = u16("extra segment", hex=True)
    pad2: int = u16("padding", hex=True)
    ds: int = u16("data segment", hex=True)
    pad3: int = u16("padding", hex=True)
    fs: int = u16("segment fs", hex=True)
    pad4: int = u16("padding", hex=True)
    gs: int = u16("segment gs", hex=True)
    pad5: int = u16("padding", hex=True)


class TrapInfo64(Struct, name="trap_info", source=f"{HEADER}, trap_info"):
    """One entry of the virtual interrupt descriptor table."""

    vector: int = u8("vector", hex=True)
    flags: int = u8("who may raise it, and how it is entered", hex=True, bits=TRAP_FLAGS)
    cs: int = u16("code segment", hex=True)
    hole: bytes = octets("padding", count=4)
    address: int = u64("address of the handler; 0 for none", hex=True)


class TrapInfo32(Struct, name="trap_info", source=f"{HEADER}, trap_info"):
    """One entry of the virtual interrupt descriptor table."""

    vector: int = u8("vector", hex=True)
    flags: int = u8("who may raise it, and how it is entered", hex=True, bits=TRAP_FLAGS)
    cs: int = u16("code segment", hex=True)
    address: int = u32("address of the handler; 0 for none", hex=True)


class _OfVcpu(Struct):
    """What the bodies about a vcpu begin with."""

    vcpu_id: int = u32("which vcpu")
    reserved1: int = reserved("u32")


class X86PvVcpuBasic64(
    _OfVcpu, name="X86_PV_VCPU_BASIC", guests=("PV",), source=f"libxc-migration-stream; {HEADER}, vcpu_guest_context"
):
    """Registers of a vcpu of a 64-bit guest."""

    fpu_ctxt: Fxsave = struct(Fxsave, "x87 and SSE registers")
    flags: VgcfFlags = u64("state of the vcpu", flags=VgcfFlags)
    user_regs: UserRegs64 = struct(UserRegs64, "registers")
    trap_ctxt: list[TrapInfo64] = array(TrapInfo64, "virtual interrupt descriptor table", count=256)
    ldt_base: int = u64("address of the local descriptor table", hex=True)
    ldt_ents: int = u64("descriptors in it, at most 8192")
    gdt_frames: list[int] = array(
        u64(hex=True), "pfns of the global descriptor table; those beyond gdt_ents do not count", count=16
    )
    gdt_ents: int = u64("descriptors in it, at most 7168")
    kernel_ss: int = u64("stack segment of the kernel", hex=True)
    kernel_sp: int = u64("stack pointer of the kernel", hex=True)
    cr0: Cr0 = u64("control register 0", flags=Cr0)
    cr1: int = u64("root of the page tables of user mode: pfn << 12 | 1, or 0 for none", hex=True)
    cr2: int = u64("address of the last page fault", hex=True)
    cr3: int = u64("root of the page tables: pfn << 12", hex=True)
    cr4: Cr4 = u64("control register 4", flags=Cr4)
    cr5: int = u64("not used", hex=True)
    cr6: int = u64("not used", hex=True)
    cr7: int = u64("not used", hex=True)
    dr0: int = u64("address of breakpoint 0", hex=True)
    dr1: int = u64("address of breakpoint 1", hex=True)
    dr2: int = u64("address of breakpoint 2", hex=True)
    dr3: int = u64("address of breakpoint 3", hex=True)
    dr4: int = u64("not used", hex=True)
    dr5: int = u64("emulated bits of dr7 until Xen 4.10", hex=True)
    dr6: Dr6 = u64("which breakpoint fired", flags=Dr6)
    dr7: Dr7 = u64("which breakpoints are armed", flags=Dr7)
    event_callback_eip: int = u64("where events enter the guest", hex=True)
    failsafe_callback_eip: int = u64("where the guest is entered when its segments cannot be loaded", hex=True)
    syscall_callback_eip: int = u64("where SYSCALL enters the guest's kernel", hex=True)
    vm_assist: VmAssist = u64("what Xen emulates for the guest", flags=VmAssist)
    fs_base: int = u64("base of fs", hex=True)
    gs_base_kernel: int = u64("base of gs in the kernel", hex=True)
    gs_base_user: int = u64("base of gs in user mode", hex=True)


class Cr0of32(Cr0, digits=8, open=True):
    """CR0 of a 32-bit guest."""

    known = Cr0.known


class Cr4of32(Cr4, digits=8, open=True):
    """CR4 of a 32-bit guest."""

    known = Cr4.known


class X86PvVcpuBasic32(
    _OfVcpu, name="X86_PV_VCPU_BASIC", guests=("PV",), source=f"libxc-migration-stream; {HEADER}, vcpu_guest_context"
):
    """Registers of a vcpu of a 32-bit guest."""

    fpu_ctxt: Fxsave = struct(Fxsave, "x87 and SSE registers")
    flags: VgcfFlags32 = u32("state of the vcpu", flags=VgcfFlags32)
    user_regs: UserRegs32 = struct(UserRegs32, "registers")
    trap_ctxt: list[TrapInfo32] = array(TrapInfo32, "virtual interrupt descriptor table", count=256)
    ldt_base: int = u32("address of the local descriptor table", hex=True)
    ldt_ents: int = u32("descriptors in it, at most 8192")
    gdt_frames: list[int] = array(
        u32(hex=True), "pfns of the global descriptor table; those beyond gdt_ents do not count", count=16
    )
    gdt_ents: int = u32("descriptors in it, at most 7168")
    kernel_ss: int = u32("stack segment of the kernel", hex=True)
    kernel_sp: int = u32("stack pointer of the kernel", hex=True)
    cr0: Cr0of32 = u32("control register 0", flags=Cr0of32)
    cr1: int = u32("not used", hex=True)
    cr2: int = u32("address of the last page fault", hex=True)
    cr3: int = u32("root of the page tables, folded: pfn << 12 | pfn >> 20", hex=True)
    cr4: Cr4of32 = u32("control register 4", flags=Cr4of32)
    cr5: int = u32("not used", hex=True)
    cr6: int = u32("not used", hex=True)
    cr7: int = u32("not used", hex=True)
    dr0: int = u32("address of breakpoint 0", hex=True)
    dr1: int = u32("address of breakpoint 1", hex=True)
    dr2: int = u32("address of breakpoint 2", hex=True)
    dr3: int = u32("address of breakpoint 3", hex=True)
    dr4: int = u32("not used", hex=True)
    dr5: int = u32("emulated bits of dr7 until Xen 4.10", hex=True)
    dr6: int = u32("which breakpoint fired", hex=True)
    dr7: int = u32("which breakpoints are armed", hex=True)
    event_callback_cs: int = u32("code segment in which events enter the guest", hex=True)
    event_callback_eip: int = u32("where events enter the guest", hex=True)
    failsafe_callback_cs: int = u32("code segment of the failsafe callback", hex=True)
    failsafe_callback_eip: int = u32("where the guest is entered when its segments cannot be loaded", hex=True)
    vm_assist: VmAssist32 = u32("what Xen emulates for the guest", flags=VmAssist32)


class X86PvVcpuExtended(
    _OfVcpu,
    guests=("PV",),
    source="libxc-migration-stream; xen/include/public/domctl.h, xen_domctl_ext_vcpucontext",
    lengths={
        8: "4.6 to 4.8, when there is nothing to say",
        64: "4.6",
        72: "4.10",
        136: "converted from a legacy stream",
    },
):
    """Entry points for system calls, and the machine-check state, of a vcpu."""

    vcpu: int = u32("which vcpu, once more")
    struct_size: int = u32(
        "xen_domctl_ext_vcpucontext.size: how much of what follows, these eight bytes included, counts", unit="bytes"
    )
    syscall32_callback_eip: int = u64("where SYSCALL from 32-bit code enters the kernel", hex=True)
    sysenter_callback_eip: int = u64("where SYSENTER enters the kernel", hex=True)
    syscall32_callback_cs: int = u16("its code segment", hex=True)
    sysenter_callback_cs: int = u16("its code segment", hex=True)
    syscall32_disables_events: int = u8("whether events are masked then")
    sysenter_disables_events: int = u8("whether events are masked then")
    hole: bytes = octets("padding", count=2)
    caps: int = u64("machine checks: MCG_CAP, what the guest is told", hex=True, bits=CAPABILITIES)
    mci_ctl2_bank0: int = u64("machine checks: MSR 0x280, corrected errors of bank 0", hex=True)
    mci_ctl2_bank1: int = u64("machine checks: MSR 0x281, corrected errors of bank 1", hex=True)
    mcg_ext_ctl: McgExtCtl = u64("machine checks: MSR 0x4d0", flags=McgExtCtl, since="4.10")
    rest: bytes = octets("beyond size; not used")


class X86PvVcpuXsave(
    _OfVcpu, guests=("PV",), source="libxc-migration-stream, X86_PV_VCPU_XSAVE; xen/arch/x86/domctl.c, getvcpuextstate"
):
    """Extended processor state of a vcpu; of one that never executed XSETBV, 16 bytes of zeros."""

    xcr0: XState = u64("components enabled now", flags=XState)
    xcr0_accum: XState = u64("components ever enabled: those that are saved", flags=XState)
    fpu_sse: Fxsave = struct(Fxsave, "legacy region", when=has("xcr0_accum", 1))
    xstate_bv: XState = u64("components that are not in their initial state", flags=XState, when=has("xcr0_accum", 1))
    xcomp_bv: int = u64("zero: the standard format, not the compacted one", must=0, hex=True, when=has("xcr0_accum", 1))
    reserved: bytes = octets("reserved, zero", count=48, must=bytes(48), when=has("xcr0_accum", 1))
    components: bytes = octets("components, at the places that CPUID leaf 0xD gives", when=has("xcr0_accum", 1))
