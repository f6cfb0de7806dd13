"""The features of the processor that the dissector names are those that the core names, in every word and order."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.corpus import samples
from tests.migrations import Migrations, segments
from tests.streams import CPUID_POLICY, MSR_POLICY, StreamBuilder
from tests.tshark import every_tshark
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxc
from xenmig.core.definitions.cpu_policy import CpuPolicy
from xenmig.core.definitions.features import WORDS
from xenmig.core.definitions.msr_numbers import Msr

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus import Sample
    from tests.tshark import Tshark

CAPTURES = samples("capture")
CPUID, MSRS = libxc.X86CpuidPolicy, libxc.X86MsrPolicy
NO_SUBLEAF = 0xFFFFFFFF


def shown(tshark: Tshark, path: Path) -> list[str]:
    """The features that tshark names, in the order of the capture."""
    rows = tshark.fields(path, ["xenmig.cpu_feature"], "-Y", "xenmig.cpu_feature")
    return [name for row in rows for name in row[0].split(",")]


def known(path: Path) -> list[str]:
    """Those that the core names."""
    leaves: list[libxc.CpuidLeaf] = []
    msrs: list[libxc.MsrEntry] = []
    reading = Reading(str(path))
    for _, events in reading:
        for event in events:
            if isinstance(event, Record) and event.layer == libxc.LAYER and event.body:
                if event.type == CPUID.record:
                    leaves += CPUID.decode(event.body, event.byteorder).leaves
                elif event.type == MSRS.record:
                    msrs += MSRS.decode(event.body, event.byteorder).msrs
    reading.close()
    return CpuPolicy(leaves, msrs).features


@every_tshark
@pytest.mark.parametrize("capture", CAPTURES, ids=repr)
def test_features_of_real_policies_are_those_of_the_core(tshark: Tshark, capture: Sample) -> None:
    path = capture.unpacked()
    expected = known(path)
    assert len(expected) > 40
    assert sorted(shown(tshark, path)) == sorted(expected)


@every_tshark
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_feature_is_named_wherever_a_policy_has_it(tshark: Tshark, order: str, tmp_path: Path) -> None:
    places = sorted({word.where[:2] for word in WORDS if word.where is not None})
    leaves = [pack(order + "6I", leaf, subleaf or NO_SUBLEAF, *[0xFFFFFFFF] * 4) for leaf, subleaf in places]
    built = StreamBuilder(order).libxc()
    built.record(CPUID_POLICY, b"".join(leaves))
    built.record(MSR_POLICY, pack(order + "IIQ", Msr.ARCH_CAPABILITIES, 0, (1 << 64) - 1))
    path = Migrations().add(segments(built.data)).write(tmp_path / "all.pcap")
    assert sorted(shown(tshark, path)) == sorted(name for word in WORDS for name in word(0xFFFFFFFF).names)


@every_tshark
def test_a_half_of_the_msr_is_found_in_either_byte_order(tshark: Tshark, tmp_path: Path) -> None:
    lower = next(word for word in WORDS if word.where is None)
    for order in "<>":
        built = StreamBuilder(order).libxc().record(MSR_POLICY, pack(order + "IIQ", Msr.ARCH_CAPABILITIES, 0, 0x3))
        path = Migrations().add(segments(built.data)).write(tmp_path / f"half{ord(order)}.pcap")
        assert shown(tshark, path) == lower(0x3).names


@every_tshark
def test_a_guest_without_features_shows_none(tshark: Tshark, tmp_path: Path) -> None:
    leaf = pack("<6I", 1, NO_SUBLEAF, 0, 0, 0, 0)
    built = streams.StreamBuilder().libxc().record(CPUID_POLICY, leaf)
    path = Migrations().add(segments(built.data)).write(tmp_path / "none.pcap")
    assert shown(tshark, path) == []
    assert "features in 1d: none" in tshark.run("-r", path, "-O", "xenmig")
