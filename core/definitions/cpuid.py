"""What the leaves of X86_CPUID_POLICY (:class:`libxc.CpuidLeaf`) mean.

Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E; which leaves a policy has:
xen/include/xen/lib/x86/cpu-policy.h and xen/arch/x86/lib/cpu-policy/copy-to-buffer.c.
"""

from __future__ import annotations

from xenmig.core.definitions import features
from xenmig.core.definitions.enumerations import Enumeration, Flags, value
from xenmig.core.definitions.fields import Bits
from xenmig.core.definitions.registers import XState


class CacheType(Enumeration, open=True):
    """Intel SDM volume 2, CPUID leaf 4."""

    NONE = value(0, "no more caches")
    DATA = value(1, "data cache")
    INSTRUCTION = value(2, "instruction cache")
    UNIFIED = value(3, "unified cache")


class LevelType(Enumeration, open=True):
    """Intel SDM volume 2, CPUID leaf 0xB."""

    INVALID = value(0, "no more levels")
    SMT = value(1, "threads")
    CORE = value(2, "cores")


class Register:
    """What one register of a leaf means."""

    __slots__ = ("doc", "bits", "flags", "text", "unit")

    doc: str
    bits: tuple[Bits, ...]
    "Groups of bits that mean something of their own."
    flags: type[Flags] | None
    "Names of the bits, if each means one thing."
    text: bool
    "Whether it is four characters."
    unit: str

    def __init__(
        self,
        doc: str,
        bits: tuple[Bits, ...] = (),
        *,
        flags: type[Flags] | None = None,
        text: bool = False,
        unit: str = "",
    ) -> None:
        self.doc = doc
        self.bits = bits
        self.flags = flags
        self.text = text
        self.unit = unit


class Leaf:
    """What a leaf, or one subleaf of it, means."""

    __slots__ = ("doc", "registers")

    doc: str
    registers: dict[str, Register]
    'By register: "a" to "d"; a register that is missing means nothing, or is zero in a policy.'

    def __init__(self, doc: str, **registers: Register) -> None:
        self.doc = doc
        self.registers = registers


def _feature(word: int) -> Register:
    return Register(f"features, word {word}", flags=features.WORDS[word])


def _text(doc: str) -> Register:
    return Register(doc, text=True)


SIGNATURE = (
    Bits("stepping", 0, 4, "stepping"),
    Bits("model", 4, 4, "model"),
    Bits("family", 8, 4, "family"),
    Bits("type", 12, 2, "type; cleared in a policy"),
    Bits("ext_model", 16, 4, "upper digit of the model, for families 6 and 15"),
    Bits("ext_family", 20, 8, "added to family 15"),
)
_BRAND = dict.fromkeys("abcd", _text("twelve or sixteen characters of the brand"))
_XSTATE = Leaf(
    "extended processor state: one component, whose number is the subleaf",
    a=Register("size", unit="bytes"),
    b=Register("offset in an XSAVE area of the standard format", unit="bytes"),
    c=Register("", (Bits("xss", 0, 1, "a supervisor component"), Bits("align", 1, 1, "aligned to 64 bytes"))),
)
_CACHE = Leaf(
    "one cache, whose number is the subleaf",
    a=Register(
        "",
        (
            Bits("type", 0, 5, "kind of cache", values=CacheType),
            Bits("level", 5, 3, "level"),
            Bits("self_init", 8, 1, "initialises itself"),
            Bits("fully_assoc", 9, 1, "fully associative"),
            Bits("threads_per_cache", 14, 12, "threads that share it, less one"),
            Bits("cores_per_package", 26, 6, "cores of the package, less one"),
        ),
    ),
    b=Register(
        "",
        (
            Bits("line_size", 0, 12, "bytes of a line, less one", unit="bytes"),
            Bits("partitions", 12, 10, "partitions, less one"),
            Bits("ways", 22, 10, "ways, less one"),
        ),
    ),
    c=Register("sets, less one"),
    d=Register(
        "",
        (
            Bits("wbinvd", 0, 1, "WBINVD does not reach the caches above it"),
            Bits("inclusive", 1, 1, "holds what the lower caches hold"),
            Bits("complex", 2, 1, "indexed by a hash"),
        ),
    ),
)
_TOPOLOGY = Leaf(
    "one level of the topology, whose number is the subleaf",
    a=Register("", (Bits("id_shift", 0, 5, "bits of the APIC id up to this level"),)),
    b=Register("", (Bits("nr_logical", 0, 16, "threads at this level"),)),
    c=Register("", (Bits("level", 0, 8, "number of the level"), Bits("type", 8, 8, "kind", values=LevelType))),
    d=Register("x2APIC id"),
)

LEAVES: dict[tuple[int, int | None], Leaf] = {
    (0x0, None): Leaf(
        "basic leaves",
        a=Register("last basic leaf"),
        b=_text("vendor, first part"),
        d=_text("vendor, second part"),
        c=_text("vendor, third part"),
    ),
    (0x1, None): Leaf(
        "family, model and features",
        a=Register("", SIGNATURE),
        b=Register(
            "",
            (
                Bits("brand_id", 0, 8, "brand"),
                Bits("clflush_size", 8, 8, "bytes that CLFLUSH flushes, in eighths"),
                Bits("lppp", 16, 8, "logical processors in a package"),
                Bits("apic_id", 24, 8, "APIC id; 0 in a policy"),
            ),
        ),
        c=_feature(1),
        d=_feature(0),
    ),
    (0x2, None): Leaf("caches and TLBs, as descriptors", a=Register("", (Bits("count", 0, 8, "times to ask"),))),
    (0x4, None): _CACHE,
    (0x5, None): Leaf("MONITOR; zero in a policy"),
    (0x6, None): Leaf("power management; zero in a policy"),
    (0x7, 0): Leaf("features", a=Register("last subleaf"), b=_feature(5), c=_feature(6), d=_feature(9)),
    (0x7, 1): Leaf("features", a=_feature(10), b=_feature(12), c=_feature(14), d=_feature(15)),
    (0x7, 2): Leaf("features", d=_feature(13)),
    (0xA, None): Leaf("performance counters", a=Register("", (Bits("version", 0, 8, "version"),))),
    (0xB, None): _TOPOLOGY,
    (0xD, 0): Leaf(
        "extended processor state",
        a=Register("XCR0 bits, low half", flags=XState),
        b=Register("size of the area for what is enabled; 0 in a policy", unit="bytes"),
        c=Register("size of the area for everything", unit="bytes"),
        d=Register("XCR0 bits, high half"),
    ),
    (0xD, 1): Leaf(
        "extended processor state",
        a=_feature(4),
        c=Register("XSS bits, low half", flags=XState),
        d=Register("XSS bits, high half"),
    ),
    (0xD, None): _XSTATE,
    (0x40000000, None): Leaf("Xen's own leaves", a=Register("last leaf that the toolstack allows; 0 for all")),
    (0x40000100, None): Leaf("Xen's own leaves beside Viridian's", a=Register("last leaf that the toolstack allows")),
    (0x80000000, None): Leaf(
        "extended leaves",
        a=Register("last extended leaf"),
        b=_text("vendor, first part"),
        d=_text("vendor, second part"),
        c=_text("vendor, third part"),
    ),
    (0x80000001, None): Leaf("features", a=Register("", SIGNATURE), c=_feature(3), d=_feature(2)),
    (0x80000002, None): Leaf("brand, first part", **_BRAND),
    (0x80000003, None): Leaf("brand, second part", **_BRAND),
    (0x80000004, None): Leaf("brand, third part", **_BRAND),
    (0x80000005, None): Leaf("first level of caches and TLBs, AMD"),
    (0x80000006, None): Leaf("second and third level of caches and TLBs, AMD"),
    (0x80000007, None): Leaf("features", d=_feature(7)),
    (0x80000008, None): Leaf(
        "addresses and features",
        a=Register(
            "",
            (
                Bits("maxphysaddr", 0, 8, "bits of a physical address"),
                Bits("maxlinaddr", 8, 8, "bits of a linear address"),
            ),
        ),
        b=_feature(8),
        c=Register("", (Bits("nc", 0, 8, "threads, less one"), Bits("apic_id_size", 12, 4, "bits of an APIC id"))),
    ),
    (0x8000000A, None): Leaf("SVM", a=Register("", (Bits("revision", 0, 8, "revision"),))),
    (0x80000019, None): Leaf("TLBs for pages of 1 GiB, AMD"),
    (0x8000001B, None): Leaf("instruction based sampling, AMD"),
    (0x8000001C, None): Leaf("lightweight profiling, AMD"),
    (0x8000001D, None): Leaf("caches, AMD"),
    (0x8000001E, None): Leaf(
        "topology, AMD",
        a=Register("APIC id"),
        b=Register("", (Bits("core_id", 0, 8, "core"), Bits("threads", 8, 8, "threads of a core, less one"))),
        c=Register("", (Bits("node_id", 0, 8, "node"), Bits("nodes", 8, 3, "nodes of the package, less one"))),
    ),
    (0x80000021, None): Leaf(
        "features",
        a=_feature(11),
        b=Register(
            "",
            (
                Bits("ucode_size", 0, 16, "size of the microcode, in sixteenths"),
                Bits("rap_size", 16, 8, "entries of the return predictor, in eighths"),
            ),
        ),
        c=_feature(18),
    ),
}
"What the leaves mean, by leaf and subleaf; None stands for a leaf without subleaves, and for all the others."


def leaf_of(leaf: int, subleaf: int) -> Leaf | None:
    """What a leaf and subleaf mean; None when nothing is known of them."""
    return LEAVES.get((leaf, subleaf)) or LEAVES.get((leaf, None))
