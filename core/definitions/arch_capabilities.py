"""MSR 0x10a, ARCH_CAPABILITIES, and the two words of the featureset that are its halves."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags
from xenmig.core.definitions.feature_word import FeatureWord, names

ARCH_CAPS_LOW = """
0 RDCL_NO: not open to Meltdown
1 EIBRS: IBRS needs to be set only once
2 RSBA: an empty return stack buffer falls back to other predictors
3 SKIP_L1DFL: no flush of the L1 data cache is needed at VM entry
4 INTEL_SSB_NO: not open to speculative store bypass
5 MDS_NO: not open to microarchitectural data sampling
6 IF_PSCHANGE_MC_NO: no machine check when the size of a page of code changes
7 TSX_CTRL: MSR TSX_CTRL is there
8 TAA_NO: not open to TSX asynchronous abort
9 MCU_CTRL: MSR MCU_CONTROL is there
10 MISC_PKG_CTRL: MSR MISC_PACKAGE_CTLS is there
11 ENERGY_FILTERING: MISC_PACKAGE_CTLS can blur what is told of the energy used
12 DOITM: MSR UARCH_MISC_CTL is there, with data operand independent timing
13 SBDR_SSDP_NO: not open to shared buffers data read and sideband stale data propagation
14 FBSDP_NO: not open to fill buffer stale data propagation
15 PSDP_NO: not open to primary stale data propagation
16 MCU_EXT: MSRs MCU_EXT_SERVICE are there
17 FB_CLEAR: VERW overwrites the fill buffers
18 FB_CLEAR_CTRL: MSR MCU_OPT_CTRL can switch that off
19 RRSBA: as RSBA, in some modes only
20 BHI_NO: not open to branch history injection
21 XAPIC_STATUS: MSR XAPIC_DISABLE_STATUS is there
23 OVRCLK_STATUS: MSR OVERCLOCKING_STATUS is there
24 PBRSB_NO: not open to post-barrier return stack buffer predictions
25 GDS_CTRL: MSR MCU_OPT_CTRL can switch the mitigation of GDS_NO off
26 GDS_NO: not open to gather data sampling
27 RFDS_NO: not open to register file data sampling
28 RFDS_CLEAR: VERW clears the stale register files
29 IGN_UMONITOR: UMONITOR can be ignored
30 MON_UMON_MITG: MONITOR and UMONITOR can be mitigated
"""


class Features10al(FeatureWord, digits=8, open=True):
    """Word 16: MSR 0x10a, low half."""

    known = names(ARCH_CAPS_LOW)
    word = 16
    since = "4.18"


ARCH_CAPS_HIGH = """
0 PB_OPT_CTRL: MSR PB_OPT_CTRL is there
30 ITS_NO: not open to indirect target selection
"""


class Features10ah(FeatureWord, digits=8, open=True):
    """Word 17: MSR 0x10a, high half."""

    known = names(ARCH_CAPS_HIGH)
    word = 17
    since = "4.18"


class ArchCapabilities(Flags, digits=16, open=True):
    """MSR 0x10a: words 16 and 17 put together."""

    known = names(ARCH_CAPS_LOW, ARCH_CAPS_HIGH)
