"""Features of the processor by Xen's names: xen/include/public/arch-x86/cpufeatureset.h, XEN_X86_FEATURE_*.

Xen keeps them in words of 32 bits, the *featureset*, each from one register of one CPUID leaf or from a half of
ARCH_CAPABILITIES. Bits without a name are no fault: a newer Xen may name them.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, Value
from xenmig.core.definitions.feature_meanings import MEANINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

SINCE = {
    (6, 16): "4.20",
    (8, 27): "4.21",
    (10, 6): "4.21",
    (10, 8): "4.21",
    (10, 17): "4.21",
    (10, 18): "4.21",
    (10, 20): "4.21",
    (10, 26): "4.21",
    (10, 27): "4.21",
    (10, 30): "4.21",
    (10, 31): "4.23",
    (11, 5): "4.21",
    (11, 23): "4.22",
    (13, 6): "4.21",
    (15, 17): "4.21",
    (15, 24): "4.21",
    (16, 16): "4.21",
    (16, 29): "4.21",
    (16, 30): "4.21",
    (17, 0): "4.21",
    (17, 30): "4.21",
    (18, 1): "4.21",
    (18, 2): "4.21",
}
"Releases that named a bit (word, bit) after Xen 4.18; 6.16 was called TSXLDTRK, by mistake, from 4.14 to 4.16."


def names(*words: str) -> dict[int, Value]:
    """Bits by position from texts such as ``"0 FPU, 1 VME"``, each text a word of 32 bits."""
    known = {}
    for word, text in enumerate(words):
        for one in filter(None, text.split(", ")):
            bit, name = one.split(" ")
            known[32 * word + int(bit)] = declared = Value(32 * word + int(bit), MEANINGS.get(name, ""), {})
            declared.name = name
    return known


class FeatureWord(Flags, digits=8, open=True):
    """A word of the featureset."""

    word: ClassVar[int] = 0
    "Its number."
    where: ClassVar[tuple[int, int, str] | None] = None
    "CPUID leaf, subleaf and register that it is from; None for the words from ARCH_CAPABILITIES."
    since: ClassVar[str] = ""
    "The Xen release that brought the word; those without were there when policies came into streams, in 4.14."

    @classmethod
    def column(cls) -> str:
        """The heading of the word's column in ``xen-cpuid``: ``7b0`` is leaf 7, EBX, subleaf 0."""
        if cls.where is None:
            return "m10Al" if cls.word == 16 else "m10Ah"
        leaf, subleaf, register = cls.where
        extended = "e" if leaf >= 0x80000000 else ""
        return f"{extended}{leaf & 0xFFFF:X}{register}{subleaf if leaf in (0x7, 0xD) else ''}"

    @property
    def short_names(self) -> list[str]:
        """The names as xen-cpuid prints them: ``avx512-ifma``."""
        return [name.lower().replace("_", "-") for name in self.names]


class Features1d(FeatureWord, digits=8, open=True):
    """Word 0: leaf 1, EDX."""

    known = names(
        "0 FPU, 1 VME, 2 DE, 3 PSE, 4 TSC, 5 MSR, 6 PAE, 7 MCE, 8 CX8, 9 APIC, 11 SEP, 12 MTRR, 13 PGE, 14 MCA, "
        "15 CMOV, 16 PAT, 17 PSE36, 19 CLFLUSH, 21 DS, 22 ACPI, 23 MMX, 24 FXSR, 25 SSE, 26 SSE2, 27 SS, 28 HTT, "
        "29 TM1, 31 PBE"
    )
    word = 0
    where = (0x1, 0, "d")


class Features1c(FeatureWord, digits=8, open=True):
    """Word 1: leaf 1, ECX."""

    known = names(
        "0 SSE3, 1 PCLMULQDQ, 2 DTES64, 3 MONITOR, 4 DSCPL, 5 VMX, 6 SMX, 7 EIST, 8 TM2, 9 SSSE3, 11 SDBG, 12 FMA, "
        "13 CX16, 14 XTPR, 15 PDCM, 17 PCID, 18 DCA, 19 SSE4_1, 20 SSE4_2, 21 X2APIC, 22 MOVBE, 23 POPCNT, "
        "24 TSC_DEADLINE, 25 AESNI, 26 XSAVE, 27 OSXSAVE, 28 AVX, 29 F16C, 30 RDRAND, 31 HYPERVISOR"
    )
    word = 1
    where = (0x1, 0, "c")


class FeaturesE1d(FeatureWord, digits=8, open=True):
    """Word 2: leaf 0x80000001, EDX."""

    known = names("11 SYSCALL, 20 NX, 22 MMXEXT, 25 FFXSR, 26 PAGE1GB, 27 RDTSCP, 29 LM, 30 3DNOWEXT, 31 3DNOW")
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
        "0 LAHF_LM, 1 CMP_LEGACY, 2 SVM, 3 EXTAPIC, 4 CR8_LEGACY, 5 ABM, 6 SSE4A, 7 MISALIGNSSE, 8 3DNOWPREFETCH, "
        "9 OSVW, 10 IBS, 11 XOP, 12 SKINIT, 13 WDT, 15 LWP, 16 FMA4, 19 NODEID_MSR, 21 TBM, 22 TOPOEXT, 26 DBEXT, "
        "29 MONITORX, 30 ADDR_MSK_EXT"
    )
    word = 3
    where = (0x80000001, 0, "c")


class FeaturesDa1(FeatureWord, digits=8, open=True):
    """Word 4: leaf 0xd, subleaf 1, EAX."""

    known = names("0 XSAVEOPT, 1 XSAVEC, 2 XGETBV1, 3 XSAVES, 4 XFD")
    word = 4
    where = (0xD, 1, "a")


class Features7b0(FeatureWord, digits=8, open=True):
    """Word 5: leaf 7, subleaf 0, EBX."""

    known = names(
        "0 FSGSBASE, 1 TSC_ADJUST, 2 SGX, 3 BMI1, 4 HLE, 5 AVX2, 6 FDP_EXCP_ONLY, 7 SMEP, 8 BMI2, 9 ERMS, "
        "10 INVPCID, 11 RTM, 12 PQM, 13 NO_FPU_SEL, 14 MPX, 15 PQE, 16 AVX512F, 17 AVX512DQ, 18 RDSEED, 19 ADX, "
        "20 SMAP, 21 AVX512_IFMA, 23 CLFLUSHOPT, 24 CLWB, 25 PROC_TRACE, 26 AVX512PF, 27 AVX512ER, 28 AVX512CD, "
        "29 SHA, 30 AVX512BW, 31 AVX512VL"
    )
    word = 5
    where = (0x7, 0, "b")


class Features7c0(FeatureWord, digits=8, open=True):
    """Word 6: leaf 7, subleaf 0, ECX."""

    known = names(
        "0 PREFETCHWT1, 1 AVX512_VBMI, 2 UMIP, 3 PKU, 4 OSPKE, 5 WAITPKG, 6 AVX512_VBMI2, 7 CET_SS, 8 GFNI, "
        "9 VAES, 10 VPCLMULQDQ, 11 AVX512_VNNI, 12 AVX512_BITALG, 13 TME, 14 AVX512_VPOPCNTDQ, 16 LA57, 22 RDPID, "
        "24 BLD, 25 CLDEMOTE, 27 MOVDIRI, 28 MOVDIR64B, 29 ENQCMD, 30 SGX_LC, 31 PKS"
    )
    word = 6
    where = (0x7, 0, "c")


class FeaturesE7d(FeatureWord, digits=8, open=True):
    """Word 7: leaf 0x80000007, EDX."""

    known = names("7 HW_PSTATE, 8 ITSC, 9 CPB, 10 EFRO")
    word = 7
    where = (0x80000007, 0, "d")


class FeaturesE8b(FeatureWord, digits=8, open=True):
    """Word 8: leaf 0x80000008, EBX."""

    known = names(
        "0 CLZERO, 2 RSTR_FP_ERR_PTRS, 9 WBNOINVD, 12 IBPB, 14 IBRS, 15 AMD_STIBP, 16 IBRS_ALWAYS, "
        "17 STIBP_ALWAYS, 18 IBRS_FAST, 19 IBRS_SAME_MODE, 20 NO_LMSL, 23 AMD_PPIN, 24 AMD_SSBD, 25 VIRT_SSBD, "
        "26 SSB_NO, 27 CPPC, 28 PSFD, 29 BTC_NO, 30 IBPB_RET"
    )
    word = 8
    where = (0x80000008, 0, "b")


class Features7d0(FeatureWord, digits=8, open=True):
    """Word 9: leaf 7, subleaf 0, EDX."""

    known = names(
        "1 SGX_KEYS, 2 AVX512_4VNNIW, 3 AVX512_4FMAPS, 4 FSRM, 5 UINTR, 8 AVX512_VP2INTERSECT, 9 SRBDS_CTRL, "
        "10 MD_CLEAR, 11 RTM_ALWAYS_ABORT, 13 TSX_FORCE_ABORT, 14 SERIALIZE, 15 HYBRID, 16 TSXLDTRK, 18 PCONFIG, "
        "19 ARCH_LBR, 20 CET_IBT, 22 AMX_BF16, 23 AVX512_FP16, 24 AMX_TILE, 25 AMX_INT8, 26 IBRSB, 27 STIBP, "
        "28 L1D_FLUSH, 29 ARCH_CAPS, 30 CORE_CAPS, 31 SSBD"
    )
    word = 9
    where = (0x7, 0, "d")


class Features7a1(FeatureWord, digits=8, open=True):
    """Word 10: leaf 7, subleaf 1, EAX."""

    known = names(
        "0 SHA512, 1 SM3, 2 SM4, 4 AVX_VNNI, 5 AVX512_BF16, 6 LASS, 7 CMPCCXADD, 8 ARCH_PERF_MON, 10 FZRM, "
        "11 FSRS, 12 FSRCS, 17 FRED, 18 LKGS, 19 WRMSRNS, 20 NMI_SRC, 21 AMX_FP16, 23 AVX_IFMA, 26 LAM, "
        "27 MSRLIST, 30 NO_INVD, 31 MOVRS"
    )
    word = 10
    where = (0x7, 1, "a")


class FeaturesE21a(FeatureWord, digits=8, open=True):
    """Word 11: leaf 0x80000021, EAX."""

    known = names(
        "0 NO_NEST_BP, 1 FS_GS_NS, 2 LFENCE_DISPATCH, 5 VERW_CLEAR, 6 NSCB, 8 AUTO_IBRS, 10 AMD_FSRS, 11 AMD_FSRC, "
        "17 CPUID_USER_DIS, 18 EPSF, 19 FSRSC, 20 AMD_PREFETCHI, 23 AVX512_BMM, 27 SBPB, 28 IBPB_BRTYPE, "
        "29 SRSO_NO, 30 SRSO_US_NO, 31 SRSO_MSR_FIX"
    )
    word = 11
    where = (0x80000021, 0, "a")
    since = "4.16"


class Features7b1(FeatureWord, digits=8, open=True):
    """Word 12: leaf 7, subleaf 1, EBX."""

    known = names("0 INTEL_PPIN")
    word = 12
    where = (0x7, 1, "b")
    since = "4.17"


class Features7d2(FeatureWord, digits=8, open=True):
    """Word 13: leaf 7, subleaf 2, EDX."""

    known = names("0 INTEL_PSFD, 1 IPRED_CTRL, 2 RRSBA_CTRL, 3 DDP_CTRL, 4 BHI_CTRL, 5 MCDT_NO, 6 UC_LOCK_DIS")
    word = 13
    where = (0x7, 2, "d")
    since = "4.17"


class Features7c1(FeatureWord, digits=8, open=True):
    """Word 14: leaf 7, subleaf 1, ECX."""

    known = names("")
    word = 14
    where = (0x7, 1, "c")
    since = "4.18"


class Features7d1(FeatureWord, digits=8, open=True):
    """Word 15: leaf 7, subleaf 1, EDX."""

    known = names(
        "4 AVX_VNNI_INT8, 5 AVX_NE_CONVERT, 8 AMX_COMPLEX, 10 AVX_VNNI_INT16, 14 PREFETCHI, 17 UIRET_UIF, "
        "18 CET_SSS, 24 SLSM"
    )
    word = 15
    where = (0x7, 1, "d")
    since = "4.18"


ARCH_CAPS_LOW = (
    "0 RDCL_NO, 1 EIBRS, 2 RSBA, 3 SKIP_L1DFL, 4 INTEL_SSB_NO, 5 MDS_NO, 6 IF_PSCHANGE_MC_NO, 7 TSX_CTRL, "
    "8 TAA_NO, 9 MCU_CTRL, 10 MISC_PKG_CTRL, 11 ENERGY_FILTERING, 12 DOITM, 13 SBDR_SSDP_NO, 14 FBSDP_NO, "
    "15 PSDP_NO, 16 MCU_EXT, 17 FB_CLEAR, 18 FB_CLEAR_CTRL, 19 RRSBA, 20 BHI_NO, 21 XAPIC_STATUS, "
    "23 OVRCLK_STATUS, 24 PBRSB_NO, 25 GDS_CTRL, 26 GDS_NO, 27 RFDS_NO, 28 RFDS_CLEAR, 29 IGN_UMONITOR, "
    "30 MON_UMON_MITG"
)


class Features10al(FeatureWord, digits=8, open=True):
    """Word 16: MSR 0x10a, low half."""

    known = names(ARCH_CAPS_LOW)
    word = 16
    since = "4.18"


ARCH_CAPS_HIGH = "0 PB_OPT_CTRL, 30 ITS_NO"


class Features10ah(FeatureWord, digits=8, open=True):
    """Word 17: MSR 0x10a, high half."""

    known = names(ARCH_CAPS_HIGH)
    word = 17
    since = "4.18"


class FeaturesE21c(FeatureWord, digits=8, open=True):
    """Word 18: leaf 0x80000021, ECX."""

    known = names("1 TSA_SQ_NO, 2 TSA_L1_NO")
    word = 18
    where = (0x80000021, 0, "c")
    since = "4.21"


class ArchCapabilities(Flags, digits=16, open=True):
    """MSR 0x10a: words 16 and 17 put together."""

    known = names(ARCH_CAPS_LOW, ARCH_CAPS_HIGH)


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
