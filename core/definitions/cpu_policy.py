"""What a guest is told about its processors, put together from X86_CPUID_POLICY and X86_MSR_POLICY."""

from __future__ import annotations

from xenmig.core.definitions.arch_capabilities import ArchCapabilities
from xenmig.core.definitions.cpuid import CacheType, leaf_of
from xenmig.core.definitions.cpuid_leaves import EXTENDED, CpuidLeaves
from xenmig.core.definitions.features import WORDS
from xenmig.core.definitions.msr_numbers import Msr
from xenmig.core.definitions.msrs import PlatformInfo
from xenmig.core.definitions.registers import XState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xenmig.core.definitions.cpuid import Register
    from xenmig.core.definitions.feature_word import FeatureWord
    from xenmig.core.definitions.libxc import CpuidLeaf
    from xenmig.core.definitions.libxc import MsrEntry as PlainEntry
    from xenmig.core.definitions.msrs import MsrEntry

VENDORS = {
    "GenuineIntel": "Intel",
    "AuthenticAMD": "AMD",
    "CentaurHauls": "Centaur",
    "  Shanghai  ": "Shanghai",
    "HygonGenuine": "Hygon",
}
"What a vendor calls itself in CPUID, and its name."


class Cache:
    """One cache, from leaf 4."""

    __slots__ = ("level", "type", "size", "ways", "line", "shared_by")

    level: int
    type: CacheType
    size: int
    "In bytes."
    ways: int
    line: int
    "Bytes of a line."
    shared_by: int
    "How many threads share it, at most."

    def __init__(self, leaf: CpuidLeaf) -> None:
        self.level = leaf.a >> 5 & 7
        self.type = CacheType(leaf.a & 0x1F)
        self.ways = (leaf.b >> 22) + 1
        self.line = (leaf.b & 0xFFF) + 1
        self.size = self.ways * ((leaf.b >> 12 & 0x3FF) + 1) * self.line * (leaf.c + 1)
        self.shared_by = (leaf.a >> 14 & 0xFFF) + 1


class CpuPolicy(CpuidLeaves):
    """What a guest sees in CPUID and in the MSRs that describe the processor."""

    def __init__(self, leaves: Iterable[CpuidLeaf], msrs: Iterable[MsrEntry | PlainEntry] | None = None) -> None:
        super().__init__(leaves)
        self.msrs = {int(one.idx): one.val for one in msrs or () if one.__dict__.get("val") is not None}
        "Every MSR by index."

    def _text(self, leaf: int, registers: str) -> str:
        data = b"".join((self.register(leaf, 0, one) or 0).to_bytes(4, "little") for one in registers)
        return data.decode("latin-1")

    @property
    def vendor(self) -> str:
        """The vendor as the processor calls itself, for example ``AuthenticAMD``; empty when leaf 0 is not there."""
        return self._text(0, "bdc").rstrip("\0")

    @property
    def brand(self) -> str:
        """The brand string of leaves 0x80000002 to 0x80000004."""
        text = "".join(self._text(EXTENDED + part, "abcd") for part in (2, 3, 4))
        return text.partition("\0")[0].strip()

    @property
    def family(self) -> int:
        """The family, extended where that counts: xen/include/xen/lib/x86/cpu-policy.h, x86_cpuid_lookup_vendor."""
        base = self.signature >> 8 & 0xF
        return base + (self.signature >> 20 & 0xFF) if base == 0xF else base

    @property
    def model(self) -> int:
        """The model, extended where that counts."""
        model = self.signature >> 4 & 0xF
        return model | (self.signature >> 12 & 0xF0) if self.signature >> 8 & 0xF in (6, 0xF) else model

    @property
    def stepping(self) -> int:
        """The stepping."""
        return self.signature & 0xF

    @property
    def caches(self) -> list[Cache]:
        """The caches of leaf 4; AMD's policies have none there."""
        found = [Cache(one) for (leaf, _), one in sorted(self.leaves.items()) if leaf == 4 and one.a & 0x1F]
        return sorted(found, key=lambda one: one.level)

    @property
    def xcr0(self) -> XState:
        """The components that the guest may enable."""
        return XState(super().xcr0)

    @property
    def xss(self) -> XState:
        """The supervisor components that the guest may enable."""
        low, high = self.register(0xD, 1, "c") or 0, self.register(0xD, 1, "d") or 0
        return XState(low | high << 32)

    @property
    def featureset(self) -> list[FeatureWord | None]:
        """Xen's feature words in order; None for a word whose leaf or MSR is not there."""
        words: list[FeatureWord | None] = []
        for kind in WORDS:
            if kind.where is not None:
                number = self.register(*kind.where)
            else:
                number = self.msrs.get(Msr.ARCH_CAPABILITIES)
                if number is not None:
                    number = number >> (32 * (kind.word - 16)) & 0xFFFFFFFF
            words.append(None if number is None else kind(number))
        return words

    @property
    def features(self) -> list[str]:
        """The names of all features that the guest has, word by word."""
        return [name for word in self.featureset if word is not None for name in word.names]

    def has(self, feature: str) -> bool:
        """Whether the guest has the feature of that name."""
        return feature in self.features

    @property
    def columns(self) -> str:
        """The words as ``xen-cpuid`` prints a featureset: hexadecimal, a column each; words not there are zeros."""
        return ":".join(f"{int(word or 0):08x}" for word in self.featureset)

    @property
    def arch_capabilities(self) -> ArchCapabilities | None:
        """MSR 0x10a; None when it is not there."""
        found = self.msrs.get(Msr.ARCH_CAPABILITIES)
        return None if found is None else ArchCapabilities(found)

    @property
    def platform_info(self) -> PlatformInfo | None:
        """MSR 0xce; None when it is not there."""
        found = self.msrs.get(Msr.PLATFORM_INFO)
        return None if found is None else PlatformInfo(found)

    def described(self) -> Iterator[tuple[int, int, str, int, Register]]:
        """Every register that means something: leaf, subleaf, register, value and meaning, in ascending order."""
        for (leaf, subleaf), one in sorted(self.leaves.items()):
            known = leaf_of(leaf, subleaf)
            for name, register in sorted(known.registers.items()) if known else ():
                yield leaf, subleaf, name, int(getattr(one, name)), register
