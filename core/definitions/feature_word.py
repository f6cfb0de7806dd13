"""A word of the featureset, in which Xen keeps the features of the processor, and how its bits are named."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Flags, Value

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
    """Bits by position from texts with a line such as ``0 FPU: what it means`` for each, each text a word of 32 bits.

    Meanings are in a few words, after the Intel SDM, CPUID and IA32_ARCH_CAPABILITIES, and the AMD APM, volume 3,
    appendix E.
    """
    known = {}
    for word, text in enumerate(words):
        for line in text.split("\n")[1:-1]:
            place, _, meaning = line.strip().partition(": ")
            bit, name = place.split(" ")
            known[32 * word + int(bit)] = declared = Value(32 * word + int(bit), meaning, {})
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
