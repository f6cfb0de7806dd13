"""Features of the processor by Xen's names: xen/include/public/arch-x86/cpufeatureset.h, XEN_X86_FEATURE_*.

Xen keeps them in words of 32 bits, the *featureset*, each from one register of one CPUID leaf or from a half of
ARCH_CAPABILITIES. Bits without a name are no fault: a newer Xen may name them.
"""

from __future__ import annotations

from xenmig.core.definitions.arch_capabilities import Features10ah, Features10al
from xenmig.core.definitions.feature_word import FeatureWord, names


class Features1d(FeatureWord, digits=8, open=True):
    """Word 0: leaf 1, EDX."""

    known = names(
        """
        0 FPU: x87 floating point unit
        1 VME: virtual interrupts in virtual-8086 mode
        2 DE: breakpoints on I/O ports, CR4.DE
        3 PSE: pages of 4 MiB
        4 TSC: time stamp counter: RDTSC
        5 MSR: model-specific registers: RDMSR and WRMSR
        6 PAE: page tables with entries of 64 bits
        7 MCE: machine check exception
        8 CX8: compare and exchange of 8 bytes: CMPXCHG8B
        9 APIC: local APIC, enabled
        11 SEP: SYSENTER and SYSEXIT
        12 MTRR: memory type range registers
        13 PGE: global pages, which stay in the TLB when CR3 changes
        14 MCA: banks of machine check registers
        15 CMOV: conditional moves
        16 PAT: memory types by page table entry
        17 PSE36: pages of 4 MiB above 4 GiB
        19 CLFLUSH: a cache line can be flushed
        21 DS: debug store: branch and event records in memory
        22 ACPI: thermal and clock control MSRs for ACPI
        23 MMX: vectors of 64 bits: integers
        24 FXSR: FXSAVE and FXRSTOR
        25 SSE: vectors of 128 bits: single precision
        26 SSE2: vectors of 128 bits: double precision and integers
        27 SS: the processor snoops its own caches
        28 HTT: several logical processors may share the package
        29 TM1: thermal monitor 1: duty cycle lowered when hot
        31 PBE: pending events can wake a stopped processor
        """
    )
    word = 0
    where = (0x1, 0, "d")


class Features1c(FeatureWord, digits=8, open=True):
    """Word 1: leaf 1, ECX."""

    known = names(
        """
        0 SSE3: sums within vectors, and LDDQU
        1 PCLMULQDQ: carry-less multiplication
        2 DTES64: debug store with 64-bit fields
        3 MONITOR: MONITOR and MWAIT
        4 DSCPL: debug store can be limited by privilege level
        5 VMX: Intel's virtualization extensions
        6 SMX: safer mode: GETSEC and measured launch
        7 EIST: Enhanced SpeedStep
        8 TM2: thermal monitor 2: frequency and voltage lowered when hot
        9 SSSE3: more on vectors of integers: PSHUFB, PALIGNR
        11 SDBG: MSR IA32_DEBUG_INTERFACE, for debugging the silicon
        12 FMA: fused multiply-add with three operands
        13 CX16: compare and exchange of 16 bytes: CMPXCHG16B
        14 XTPR: task priority messages can be switched off
        15 PDCM: MSR PERF_CAPABILITIES is there
        17 PCID: TLB entries tagged by process context
        18 DCA: devices can prefetch into the cache
        19 SSE4_1: blends, dot products and rounding on vectors
        20 SSE4_2: string comparison and CRC32
        21 X2APIC: APIC registers as MSRs, with ids of 32 bits
        22 MOVBE: moves that swap bytes
        23 POPCNT: bits can be counted
        24 TSC_DEADLINE: APIC timer that fires at a TSC value
        25 AESNI: AES instructions
        26 XSAVE: XSAVE, XRSTOR, XSETBV and XGETBV
        27 OSXSAVE: the kernel has switched XSAVE on, CR4.OSXSAVE
        28 AVX: vectors of 256 bits: single and double precision
        29 F16C: conversion from and to half precision
        30 RDRAND: RDRAND: random numbers
        31 HYPERVISOR: runs under a hypervisor
        """
    )
    word = 1
    where = (0x1, 0, "c")


class FeaturesE1d(FeatureWord, digits=8, open=True):
    """Word 2: leaf 0x80000001, EDX."""

    known = names(
        """
        11 SYSCALL: SYSCALL and SYSRET
        20 NX: pages that cannot be executed
        22 MMXEXT: AMD's additions to MMX
        25 FFXSR: FXSAVE and FXRSTOR may leave out XMM registers in the kernel
        26 PAGE1GB: pages of 1 GiB
        27 RDTSCP: RDTSCP and MSR TSC_AUX
        29 LM: long mode: 64 bits
        30 3DNOWEXT: more instructions on vectors of 64 bits
        31 3DNOW: AMD's vectors of 64 bits: single precision
        """
    )
    word = 2
    where = (0x80000001, 0, "d")
    repeated = 0x0183F3FD
    "Bits that repeat those of word 0 in AMD's and Hygon's processors."

    @property
    def unknown(self) -> int:
        return super().unknown & ~self.repeated


class FeaturesE1c(FeatureWord, digits=8, open=True):
    """Word 3: leaf 0x80000001, ECX."""

    known = names(
        """
        0 LAHF_LM: LAHF and SAHF in 64-bit mode
        1 CMP_LEGACY: logical processors of the package are cores, not threads
        2 SVM: AMD's virtualization extensions
        3 EXTAPIC: additional APIC registers
        4 CR8_LEGACY: CR8 by LOCK MOV CR0 outside of 64-bit mode
        5 ABM: LZCNT, and POPCNT
        6 SSE4A: EXTRQ, INSERTQ and stores past the caches
        7 MISALIGNSSE: SSE operands in memory may be unaligned
        8 3DNOWPREFETCH: PREFETCH and PREFETCHW
        9 OSVW: MSRs that tell which errata need a workaround
        10 IBS: instruction-based sampling
        11 XOP: AMD's vector instructions with up to four operands
        12 SKINIT: SKINIT and STGI
        13 WDT: watchdog timer
        15 LWP: lightweight profiling
        16 FMA4: fused multiply-add with four operands
        19 NODEID_MSR: MSR NODE_ID is there
        21 TBM: trailing bit manipulation
        22 TOPOEXT: topology leaves 0x8000001d and 0x8000001e
        26 DBEXT: data breakpoints with address masks
        29 MONITORX: MONITORX and MWAITX: at any privilege level, with a timer
        30 ADDR_MSK_EXT: address masks of breakpoints reach bit 31
        """
    )
    word = 3
    where = (0x80000001, 0, "c")


class FeaturesDa1(FeatureWord, digits=8, open=True):
    """Word 4: leaf 0xd, subleaf 1, EAX."""

    known = names(
        """
        0 XSAVEOPT: XSAVEOPT: saves only what changed
        1 XSAVEC: XSAVEC: the compacted format
        2 XGETBV1: XGETBV of index 1: components in use
        3 XSAVES: XSAVES and XRSTORS: supervisor components too
        4 XFD: components can be made to fault on first use
        """
    )
    word = 4
    where = (0xD, 1, "a")


class Features7b0(FeatureWord, digits=8, open=True):
    """Word 5: leaf 7, subleaf 0, EBX."""

    known = names(
        """
        0 FSGSBASE: FS and GS bases from user mode
        1 TSC_ADJUST: MSR TSC_ADJUST is there
        2 SGX: enclaves
        3 BMI1: bit manipulation, first set
        4 HLE: hardware lock elision
        5 AVX2: vectors of 256 bits: integers
        6 FDP_EXCP_ONLY: the x87 data pointer changes only on an exception
        7 SMEP: the kernel cannot execute user pages
        8 BMI2: bit manipulation, second set
        9 ERMS: fast REP MOVSB and STOSB
        10 INVPCID: the TLB can be emptied by process context
        11 RTM: transactional memory: XBEGIN and XEND
        12 PQM: monitoring of cache use and memory bandwidth
        13 NO_FPU_SEL: x87 code and data selectors are stored as zero
        14 MPX: bounds checking
        15 PQE: allocation of cache and memory bandwidth
        16 AVX512F: AVX-512, foundation
        17 AVX512DQ: AVX-512 on 32-bit and 64-bit integers
        18 RDSEED: RDSEED: seeds for random numbers
        19 ADX: ADCX and ADOX: additions with two carry chains
        20 SMAP: the kernel faults on user pages unless it asks
        21 AVX512_IFMA: AVX-512 multiply-add of 52-bit integers
        23 CLFLUSHOPT: a cache line can be flushed with less order
        24 CLWB: CLWB: writes a line back and may keep it
        25 PROC_TRACE: Processor Trace
        26 AVX512PF: AVX-512 prefetches
        27 AVX512ER: AVX-512 exponentials and reciprocals
        28 AVX512CD: AVX-512 conflict detection
        29 SHA: SHA-1 and SHA-256 instructions
        30 AVX512BW: AVX-512 on bytes and 16-bit integers
        31 AVX512VL: AVX-512 on vectors of 128 and 256 bits
        """
    )
    word = 5
    where = (0x7, 0, "b")


class Features7c0(FeatureWord, digits=8, open=True):
    """Word 6: leaf 7, subleaf 0, ECX."""

    known = names(
        """
        0 PREFETCHWT1: prefetch into the L2 cache, to be written
        1 AVX512_VBMI: AVX-512 permutation of bytes
        2 UMIP: user mode cannot read descriptor table registers
        3 PKU: protection keys for user pages
        4 OSPKE: the kernel has switched protection keys on, CR4.PKE
        5 WAITPKG: UMONITOR, UMWAIT and TPAUSE
        6 AVX512_VBMI2: AVX-512 compression and shifts of small integers
        7 CET_SS: shadow stacks
        8 GFNI: Galois field arithmetic
        9 VAES: AES on vectors
        10 VPCLMULQDQ: carry-less multiplication on vectors
        11 AVX512_VNNI: AVX-512 dot products of small integers
        12 AVX512_BITALG: AVX-512 bit counts of bytes and 16-bit integers
        13 TME: encryption of all memory
        14 AVX512_VPOPCNTDQ: AVX-512 bit counts of 32-bit and 64-bit integers
        16 LA57: page tables of five levels
        22 RDPID: TSC_AUX can be read in user mode, to tell the processor
        24 BLD: bus lock detection
        25 CLDEMOTE: CLDEMOTE: hint to move a line to an outer cache
        27 MOVDIRI: MOVDIRI: direct store of one word
        28 MOVDIR64B: MOVDIR64B: direct store of 64 bytes
        29 ENQCMD: ENQCMD and ENQCMDS: commands to shared work queues
        30 SGX_LC: enclaves launched by keys of the platform's owner
        31 PKS: protection keys for supervisor pages
        """
    )
    word = 6
    where = (0x7, 0, "c")


class FeaturesE7d(FeatureWord, digits=8, open=True):
    """Word 7: leaf 0x80000007, EDX."""

    known = names(
        """
        7 HW_PSTATE: P-states by MSRs
        8 ITSC: the TSC runs at one rate in all power states
        9 CPB: core performance boost
        10 EFRO: APERF and MPERF can be read without being reset
        """
    )
    word = 7
    where = (0x80000007, 0, "d")


class FeaturesE8b(FeatureWord, digits=8, open=True):
    """Word 8: leaf 0x80000008, EBX."""

    known = names(
        """
        0 CLZERO: CLZERO: zeros a cache line
        2 RSTR_FP_ERR_PTRS: FXSAVE and XSAVE always save the x87 error pointers
        9 WBNOINVD: WBNOINVD: writes caches back and keeps them
        12 IBPB: indirect branch prediction barrier
        14 IBRS: indirect branch restricted speculation
        15 AMD_STIBP: single thread indirect branch predictors
        16 IBRS_ALWAYS: IBRS is best left on
        17 STIBP_ALWAYS: STIBP is best left on
        18 IBRS_FAST: IBRS is preferred to mitigation in software
        19 IBRS_SAME_MODE: IBRS protects within one mode as well
        20 NO_LMSL: segment limits in long mode are not there, EFER.LMSLE
        23 AMD_PPIN: MSR with a number that only this processor has
        24 AMD_SSBD: speculative store bypass can be switched off by SPEC_CTRL
        25 VIRT_SSBD: a hypervisor switches speculative store bypass off by VIRT_SPEC_CTRL
        26 SSB_NO: not open to speculative store bypass
        27 CPPC: collaborative performance control
        28 PSFD: predictive store forwarding can be switched off
        29 BTC_NO: not open to branch type confusion
        30 IBPB_RET: IBPB clears return predictions too
        """
    )
    word = 8
    where = (0x80000008, 0, "b")


class Features7d0(FeatureWord, digits=8, open=True):
    """Word 9: leaf 7, subleaf 0, EDX."""

    known = names(
        """
        1 SGX_KEYS: attestation services for enclaves
        2 AVX512_4VNNIW: AVX-512 dot products over four registers
        3 AVX512_4FMAPS: AVX-512 multiply-add over four registers
        4 FSRM: fast short REP MOVSB
        5 UINTR: interrupts delivered to user mode
        8 AVX512_VP2INTERSECT: AVX-512 intersection of two vectors
        9 SRBDS_CTRL: MSR MCU_OPT_CTRL can switch the mitigation of SRBDS off
        10 MD_CLEAR: VERW overwrites microarchitectural buffers
        11 RTM_ALWAYS_ABORT: every transaction aborts
        13 TSX_FORCE_ABORT: MSR TSX_FORCE_ABORT is there
        14 SERIALIZE: an instruction that does nothing but serialize
        15 HYBRID: cores of different kinds
        16 TSXLDTRK: transactions can leave loads untracked
        18 PCONFIG: PCONFIG: keys of memory encryption
        19 ARCH_LBR: architectural last branch records
        20 CET_IBT: indirect branches must land on ENDBR
        22 AMX_BF16: AMX on bfloat16
        23 AVX512_FP16: AVX-512 on half precision
        24 AMX_TILE: AMX tiles
        25 AMX_INT8: AMX on bytes
        26 IBRSB: IBRS and IBPB, MSRs SPEC_CTRL and PRED_CMD
        27 STIBP: single thread indirect branch predictors
        28 L1D_FLUSH: MSR FLUSH_CMD flushes the L1 data cache
        29 ARCH_CAPS: MSR ARCH_CAPABILITIES is there
        30 CORE_CAPS: MSR CORE_CAPABILITIES is there
        31 SSBD: speculative store bypass can be switched off by SPEC_CTRL
        """
    )
    word = 9
    where = (0x7, 0, "d")


class Features7a1(FeatureWord, digits=8, open=True):
    """Word 10: leaf 7, subleaf 1, EAX."""

    known = names(
        """
        0 SHA512: SHA-512 instructions
        1 SM3: SM3 hash instructions
        2 SM4: SM4 cipher instructions
        4 AVX_VNNI: AVX dot products of small integers
        5 AVX512_BF16: AVX-512 on bfloat16
        6 LASS: user and kernel halves of the address space are kept apart
        7 CMPCCXADD: compare and add under a condition
        8 ARCH_PERF_MON: performance monitoring described by leaf 0x23
        10 FZRM: fast REP MOVSB of no bytes
        11 FSRS: fast short REP STOSB
        12 FSRCS: fast short REP CMPSB and SCASB
        17 FRED: flexible return and event delivery
        18 LKGS: LKGS: loads the kernel's GS
        19 WRMSRNS: WRMSRNS: writes an MSR without serializing
        20 NMI_SRC: an NMI tells where it came from
        21 AMX_FP16: AMX on half precision
        23 AVX_IFMA: AVX multiply-add of 52-bit integers
        26 LAM: upper bits of addresses can be ignored
        27 MSRLIST: RDMSRLIST and WRMSRLIST
        30 NO_INVD: INVD is refused once the firmware is done
        31 MOVRS: loads that hint that others read the line too
        """
    )
    word = 10
    where = (0x7, 1, "a")


class FeaturesE21a(FeatureWord, digits=8, open=True):
    """Word 11: leaf 0x80000021, EAX."""

    known = names(
        """
        0 NO_NEST_BP: data breakpoints inside others are left out
        1 FS_GS_NS: writing the FS and GS bases does not serialize
        2 LFENCE_DISPATCH: LFENCE always waits for all before it
        5 VERW_CLEAR: VERW overwrites microarchitectural buffers
        6 NSCB: a null selector clears base and limit
        8 AUTO_IBRS: IBRS that the processor applies by itself, EFER.AIBRSE
        10 AMD_FSRS: fast short REP STOSB
        11 AMD_FSRC: fast short REP CMPSB
        17 CPUID_USER_DIS: CPUID can be made to fault in user mode
        18 EPSF: improved predictive store forwarding
        19 FSRSC: fast short REP SCASB
        20 AMD_PREFETCHI: PREFETCHIT0 and PREFETCHIT1: code prefetches
        23 AVX512_BMM: AVX-512 multiplication of bit matrices
        27 SBPB: selective branch predictor barrier
        28 IBPB_BRTYPE: IBPB clears predictions of branch types too
        29 SRSO_NO: not open to speculative return stack overflow
        30 SRSO_US_NO: not open to speculative return stack overflow from user mode into the kernel
        31 SRSO_MSR_FIX: MSR BP_CFG has BP_SPEC_REDUCE, against speculative return stack overflow
        """
    )
    word = 11
    where = (0x80000021, 0, "a")
    since = "4.16"


class Features7b1(FeatureWord, digits=8, open=True):
    """Word 12: leaf 7, subleaf 1, EBX."""

    known = names(
        """
        0 INTEL_PPIN: MSR with a number that only this processor has
        """
    )
    word = 12
    where = (0x7, 1, "b")
    since = "4.17"


class Features7d2(FeatureWord, digits=8, open=True):
    """Word 13: leaf 7, subleaf 2, EDX."""

    known = names(
        """
        0 INTEL_PSFD: predictive store forwarding can be switched off
        1 IPRED_CTRL: indirect predictions can be switched off by SPEC_CTRL
        2 RRSBA_CTRL: RRSBA can be switched off by SPEC_CTRL
        3 DDP_CTRL: data dependent prefetching can be switched off
        4 BHI_CTRL: branch history in the kernel can be left out by SPEC_CTRL
        5 MCDT_NO: not open to MXCSR configuration dependent timing
        6 UC_LOCK_DIS: locked accesses to uncached memory can be made to fault
        """
    )
    word = 13
    where = (0x7, 2, "d")
    since = "4.17"


class Features7c1(FeatureWord, digits=8, open=True):
    """Word 14: leaf 7, subleaf 1, ECX."""

    known = names()
    word = 14
    where = (0x7, 1, "c")
    since = "4.18"


class Features7d1(FeatureWord, digits=8, open=True):
    """Word 15: leaf 7, subleaf 1, EDX."""

    known = names(
        """
        4 AVX_VNNI_INT8: AVX dot products of bytes
        5 AVX_NE_CONVERT: AVX conversions to bfloat16 and half precision
        8 AMX_COMPLEX: AMX on complex numbers
        10 AVX_VNNI_INT16: AVX dot products of 16-bit integers
        14 PREFETCHI: PREFETCHIT0 and PREFETCHIT1: code prefetches
        17 UIRET_UIF: UIRET takes the user interrupt flag from the stack
        18 CET_SSS: supervisor shadow stacks are safe to use
        24 SLSM: static lockstep mode
        """
    )
    word = 15
    where = (0x7, 1, "d")
    since = "4.18"


class FeaturesE21c(FeatureWord, digits=8, open=True):
    """Word 18: leaf 0x80000021, ECX."""

    known = names(
        """
        1 TSA_SQ_NO: not open to transient scheduler attacks by the store queue
        2 TSA_L1_NO: not open to transient scheduler attacks by the L1 data cache
        """
    )
    word = 18
    where = (0x80000021, 0, "c")
    since = "4.21"


WORDS: tuple[type[FeatureWord], ...] = (
    Features1d,
    Features1c,
    FeaturesE1d,
    FeaturesE1c,
    FeaturesDa1,
    Features7b0,
    Features7c0,
    FeaturesE7d,
    FeaturesE8b,
    Features7d0,
    Features7a1,
    FeaturesE21a,
    Features7b1,
    Features7d2,
    Features7c1,
    Features7d1,
    Features10al,
    Features10ah,
    FeaturesE21c,
)
"Every word, in Xen's order."
