# Generated from core/definitions/cpuid.py by xenmig.scapy_layers.generate; do not edit.
"""What CPUID returns, by leaf: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; which leaves a policy has:
xen/include/xen/lib/x86/cpu-policy.h and xen/arch/x86/lib/cpu-policy/copy-to-buffer.c.
"""

from __future__ import annotations

from xenmig.scapy_layers.fields import Number
from xenmig.scapy_layers.lists import Structs
from xenmig.scapy_layers.packets import StructPacket


class CpuidLeaf(StructPacket):
    """What CPUID returns for one leaf and subleaf; what that means: ``LEAVES``.

    Source: xen/include/public/arch-x86/xen.h, xen_cpuid_leaf.
    leaf: EAX before
    subleaf: ECX before; 0xffffffff where the leaf has no subleaves
    a: EAX after
    b: EBX after
    c: ECX after
    d: EDX after
    """

    name = "cpuid cpuid leaf"
    definition = "cpuid.CpuidLeaf"
    size = 24
    fields_desc = [
        Number("leaf", 0, "u32", "EAX before", hexadecimal=True),
        Number("subleaf", 0, "u32", "ECX before; 0xffffffff where the leaf has no subleaves", hexadecimal=True),
        Number("a", 0, "u32", "EAX after", hexadecimal=True),
        Number("b", 0, "u32", "EBX after", hexadecimal=True),
        Number("c", 0, "u32", "ECX after", hexadecimal=True),
        Number("d", 0, "u32", "EDX after", hexadecimal=True),
    ]


class X86CpuidPolicy(StructPacket):
    """What the guest sees in CPUID.

    Source: libxc-migration-stream, X86_CPUID_POLICY.
    Since Xen 4.14.
    leaves: leaves, ascending
    """

    name = "cpuid x86 cpuid policy"
    definition = "cpuid.X86CpuidPolicy"
    fields_desc = [
        Structs("leaves", CpuidLeaf, "leaves, ascending"),
    ]
