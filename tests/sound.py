"""What is inside the records of small guests with nothing wrong with them, as bytes.

One vcpu, a handful of pages: of a PV guest, page 1 holds the physical-to-machine table, page 2 is the page-table root
and page 3 the start_info page; of an HVM guest, pages 1 and 3 are the rings of xenstore and console.
"""

from __future__ import annotations

from struct import pack

SIGNATURE = 0x800F12
"EAX of CPUID leaf 1."
CONFIG = {
    "HVM": b'{"c_info": {"type": "hvm", "name": "guest"}, "b_info": {"max_vcpus": 1}}\0',
    "PVH": b'{"c_info": {"type": "pvh", "name": "guest"}, "b_info": {"max_vcpus": 1}}\0',
    "PV": b'{"c_info": {"type": "pv", "name": "guest"}, "b_info": {"max_vcpus": 1}}\0',
}
L4TAB_PINNED, L3TAB_PINNED = 0xC << 60, 0xB << 60
ROOT = {8: L4TAB_PINNED, 4: L3TAB_PINNED}
"Type of page 2, by width of a PV guest."


def cpuid_policy(order: str = "<") -> bytes:
    """X86_CPUID_POLICY: the vendor, and which processor it is."""
    none = 0xFFFFFFFF
    leaves = (0, none, 1, 0x68747541, 0x444D4163, 0x69746E65), (1, none, SIGNATURE, 0, 0, 0)
    return b"".join(pack(order + "6I", *one) for one in leaves)


def msr_policy(order: str = "<") -> bytes:
    """X86_MSR_POLICY."""
    return pack(order + "IIQ", 0xCE, 0, 1 << 31)


def tsc_info(order: str = "<") -> bytes:
    """X86_TSC_INFO."""
    return pack(order + "IIQII", 0, 2_400_000, 12_345_678, 1, 0)


def hvm_context(*, devices: bool = True) -> bytes:
    """HVM_CONTEXT, with the ``devices`` that a PVH guest does not have; little endian, as the image is."""
    cpu = bytearray(1032)
    cpu[656:664] = pack("<Q", 0x10)
    cpu[1024] = 1
    pit = bytearray(56)
    pit[15] = pit[31] = pit[47] = 1
    mtrr = bytearray(240)
    mtrr[0:8] = pack("<Q", 0x0007040600070406)
    mtrr[224:240] = pack("<QQ", 0x508, 0xC06)
    entries = [
        (1, 0, pack("<IIQII", 0x54381286, 1, 0, SIGNATURE, 2_400_000)),
        (2, 0, bytes(cpu)),
        (3, 0, bytes((0, 0, 0, 8, 0, 0x40, 0, 0))),
        (3, 1, bytes(8)),
        (4, 0, bytes(400)),
        (5, 0, pack("<QIIQ", 0xFEE00900, 0, 2, 0)),
        (6, 0, bytes(1024)),
        (7, 0, bytes(16)),
        (8, 0, bytes(8)),
        (9, 0, bytes(8)),
        (10, 0, bytes(pit)),
        (11, 0, bytes(24)),
        (12, 0, bytes(1048)),
        (13, 0, bytes(8)),
        (14, 0, bytes(mtrr)),
        (18, 0, bytes(32)),
        (19, 0, bytes(8)),
        (0, 0, b""),
    ]
    emulated = (3, 4, 10, 11, 12, 13)
    return b"".join(
        pack("<HHI", code, instance, len(data)) + data
        for code, instance, data in entries
        if devices or code not in emulated
    )


def hvm_params(order: str = "<") -> bytes:
    """HVM_PARAMS."""
    return pack(order + "II4Q", 2, 0, 1, 1, 17, 3)


def p2m_frames(last: int = 3, order: str = "<") -> bytes:
    """X86_PV_P2M_FRAMES of a 64-bit guest with pfns up to ``last``."""
    frames = (1, *range(4, 4 + last // 512))
    return pack(f"{order}II{len(frames)}Q", 0, last, *frames)


def shared_info(width: int = 8, last: int = 3, order: str = "<") -> bytes:
    """SHARED_INFO."""
    page = bytearray(4096)
    at, letter = {8: (3088, "Q"), 4: (2316, "I")}[width]
    page[at : at + width] = pack(order + letter, last + 1)
    return bytes(page)


def vcpu_basic(width: int = 8, order: str = "<") -> bytes:
    """X86_PV_VCPU_BASIC: it runs the kernel."""
    body = bytearray(8 + {8: 5168, 4: 2800}[width])
    places = {8: ((520, "Q"), (616 + 8, "Q"), (5016, "Q")), 4: ((520, "I"), (532, "I"), (2736, "I"))}[width]
    for (at, letter), number in zip(places, (0x25, 3, 2 << 12), strict=True):
        body[at : at + width] = pack(order + letter, number)
    return bytes(body)


def vcpu_extended(order: str = "<") -> bytes:
    """X86_PV_VCPU_EXTENDED."""
    return pack(order + "IIII", 0, 0, 0, 64) + bytes(56)


def vcpu_xsave() -> bytes:
    """X86_PV_VCPU_XSAVE of a vcpu that never executed XSETBV."""
    return bytes(24)


def vcpu_msrs(order: str = "<") -> bytes:
    """X86_PV_VCPU_MSRS."""
    return pack(order + "IIIIQ", 0, 0, 0x48, 0, 1)
