"""What the CPU policy says of control registers: xen/arch/x86/hvm/hvm.c, hvm_cr4_guest_valid_bits."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.cpuid_leaves import CpuidLeaves

_1C, _1D, _7B, _7C, _7D = (1, "c"), (1, "d"), (7, "b"), (7, "c"), (7, "d")
CR4_FEATURES = {
    0: ((_1D, 1),),
    1: ((_1D, 1),),
    2: ((_1D, 4),),
    3: ((_1D, 2),),
    4: ((_1D, 3),),
    5: ((_1D, 6),),
    6: ((_1D, 7), (_1D, 14)),
    7: ((_1D, 13),),
    9: ((_1D, 24),),
    10: ((_1D, 25),),
    11: ((_7C, 2),),
    13: ((_1C, 5),),
    16: ((_7B, 0),),
    17: ((_1C, 17),),
    18: ((_1C, 26),),
    20: ((_7B, 7),),
    21: ((_7B, 20),),
    22: ((_7C, 3),),
    23: ((_7C, 7), (_7D, 20)),
}
"Bit of CR4 -> the CPUID features of which one is needed for it: leaf and register, and the bit."


def not_allowed_in_cr4(cr4: int, policy: CpuidLeaves) -> int:
    """The bits that are set and need a feature that the guest does not have.

    Bits that are not listed are let pass: a later Xen may know them. So are all whose leaf the policy does not bring.
    """
    wrong = 0
    for bit, features in CR4_FEATURES.items():
        if not cr4 >> bit & 1:
            continue
        registers = [(policy.register(leaf, 0, register), feature) for (leaf, register), feature in features]
        if all(number is not None and not number >> feature & 1 for number, feature in registers):
            wrong |= 1 << bit
    return wrong
