"""The features of the processor, by where CPUID and the MSRs say them: what the runtime names them by."""

from __future__ import annotations

from xenmig.core.definitions import libxc
from xenmig.core.definitions.cpuid_leaves import NO_SUBLEAF
from xenmig.core.definitions.features import WORDS
from xenmig.core.definitions.msr_numbers import Msr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.feature_word import FeatureWord
    from xenmig.wireshark.literals import Plain

WORD = 4
"Bytes of a word of the featureset."


def _word(word: type[FeatureWord], offset: int | None) -> dict[str, Plain]:
    known = sorted(word.known.items())
    return {
        "name": word.column(),
        "at": offset,
        "features": [{"bit": bit, "name": one.name, "doc": one.doc} for bit, one in known],
    }


def feature_facts() -> dict[str, Plain]:
    """Field of the Lua table ``definitions``: words by leaf and subleaf, and those of ARCH_CAPABILITIES."""
    leaves: dict[int, dict[int, list[Plain]]] = {}
    halves: list[Plain] = []
    for word in WORDS:
        if word.where is None:
            half = word.word - min(other.word for other in WORDS if other.where is None)
            halves.append(_word(word, (libxc.MsrEntry.field("val").offset or 0) + WORD * half))
        else:
            leaf, subleaf, register = word.where
            found = leaves.setdefault(leaf, {}).setdefault(subleaf, [])
            found.append(_word(word, libxc.CpuidLeaf.field(register).offset))
    return {
        "cpu_features": {
            "leaves": {leaf: dict(found) for leaf, found in leaves.items()},
            "leaf": {name: libxc.CpuidLeaf.field(name).offset for name in ("leaf", "subleaf")},
            "leaf_size": libxc.CpuidLeaf.size,
            "no_subleaf": NO_SUBLEAF,
            "msrs": {int(Msr.ARCH_CAPABILITIES): list(halves)},
            "msrs_at": libxc.MsrEntry.field("val").offset,
            "msr": {"idx": libxc.MsrEntry.field("idx").offset},
            "msr_size": libxc.MsrEntry.size,
            "word": WORD,
        }
    }
