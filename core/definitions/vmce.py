"""Machine-check state of a vcpu: xen/include/public/arch-x86/hvm/save.h, hvm_vmce_vcpu."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, flag
from xenmig.core.definitions.fields import Bits, u64
from xenmig.core.definitions.structs import Struct

CAPABILITIES = (
    Bits("banks", 0, 8, "number of banks; Xen gives 2"),
    Bits("CTL_P", 8, 1, "has a global control register"),
    Bits("EXT_P", 9, 1, "has extended state"),
    Bits("CMCI_P", 10, 1, "can interrupt for corrected errors"),
    Bits("TES_P", 11, 1, "counts corrected errors"),
    Bits("SER_P", 24, 1, "can recover in software"),
    Bits("LMCE_P", 27, 1, "can deliver to one processor only"),
)
"MCG_CAP, MSR 0x179: Intel SDM volume 3, section 16.3.1.1."


class McgExtCtl(Flags, digits=16, open=True):
    """MSR 0x4d0."""

    LMCE_EN = flag(0, "machine checks go to one processor only")


class HvmVmceVcpu(
    Struct,
    name="VMCE_VCPU",
    since="4.2",
    source="xen/include/public/arch-x86/hvm/save.h, hvm_vmce_vcpu",
    lengths={8: "4.2", 24: "4.3", 32: "4.10"},
):
    """Machine-check registers of a vcpu."""

    caps: int = u64("MCG_CAP: what the guest is told", hex=True, bits=CAPABILITIES)
    mci_ctl2_bank0: int = u64("MSR 0x280: corrected errors of bank 0", hex=True, since="4.3")
    mci_ctl2_bank1: int = u64("MSR 0x281: corrected errors of bank 1", hex=True, since="4.3")
    mcg_ext_ctl: McgExtCtl = u64("MSR 0x4d0", flags=McgExtCtl, since="4.10")
