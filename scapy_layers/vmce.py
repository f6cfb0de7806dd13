# Generated from core/definitions/vmce.py by xenmig.scapy_layers.generate; do not edit.
"""Machine-check state of a vcpu: xen/include/public/arch-x86/hvm/save.h, hvm_vmce_vcpu."""

from __future__ import annotations

from xenmig.core.definitions import vmce as vmce_definitions
from xenmig.core.definitions.fields import Bits
from xenmig.scapy_layers.fields import FlagWord, Number
from xenmig.scapy_layers.packets import StructPacket


class HvmVmceVcpu(StructPacket):
    """Machine-check registers of a vcpu.

    Source: xen/include/public/arch-x86/hvm/save.h, hvm_vmce_vcpu.
    Since Xen 4.2.
    8 bytes long in 4.2.
    24 bytes long in 4.3.
    32 bytes long in 4.10.
    caps: MCG_CAP: what the guest is told
    mci_ctl2_bank0: MSR 0x280: corrected errors of bank 0; since Xen 4.3
    mci_ctl2_bank1: MSR 0x281: corrected errors of bank 1; since Xen 4.3
    mcg_ext_ctl: MSR 0x4d0; since Xen 4.10
    """

    name = "vmce vmce vcpu"
    definition = "vmce.HvmVmceVcpu"
    size = 32
    fields_desc = [
        Number(
            "caps",
            0,
            "u64",
            "MCG_CAP: what the guest is told",
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
        Number("mci_ctl2_bank0", 0, "u64", "MSR 0x280: corrected errors of bank 0", hexadecimal=True),
        Number("mci_ctl2_bank1", 0, "u64", "MSR 0x281: corrected errors of bank 1", hexadecimal=True),
        FlagWord("mcg_ext_ctl", 0, "u64", "MSR 0x4d0", flags=vmce_definitions.McgExtCtl),
    ]
