"""The dissector shows what the core finds: every record and every field of every real capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus import samples
from tests.dissected import core_parts, dissected_parts
from tests.tshark import every_tshark

if TYPE_CHECKING:
    from tests.corpus import Sample
    from tests.tshark import Tshark

OUT_OF_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")
CAPTURES = {sample.name: sample for sample in samples("capture")}


@every_tshark
@pytest.mark.parametrize("capture", CAPTURES.values(), ids=repr)
def test_every_record_and_field_of_a_capture_is_the_same(tshark: Tshark, capture: Sample) -> None:
    path = capture.unpacked()
    # A guest of type HVM announces a million pfns, most of them holes: what they sum up to is compared there.
    pfns = capture.name.startswith("pv-")
    expected = core_parts(path, pfns=pfns)
    found = dissected_parts(tshark, path, *OUT_OF_ORDER, pfns=pfns)
    assert len(expected) > 5
    assert [part.place for part in found] == [part.place for part in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.fields == other.fields, one
        assert not one.findings, one


@every_tshark
@pytest.mark.parametrize("capture", CAPTURES.values(), ids=repr)
def test_without_reassembly_nothing_else_is_found(tshark: Tshark, capture: Sample) -> None:
    # By default TCP keeps retransmitted segments from every dissector, so that some records are missing.
    path = capture.unpacked()
    expected = {part.place for part in core_parts(path)}
    found = {part.place for part in dissected_parts(tshark, path)}
    assert found <= expected
    assert len(found) > len(expected) * 0.9


@every_tshark
def test_items_and_flags_are_told_apart_without_opening_them(tshark: Tshark) -> None:
    capture = CAPTURES["pv-4.17-128M-mig-mtu65536.pcap"]
    said = tshark.run("-r", capture.unpacked(), "-O", "xenmig", "-Y", "xenmig.libxc.record.type > 1")
    for label in (
        "leaves[1]: leaf 0x00000001, subleaf 0xffffffff",
        "msrs[0]: idx PLATFORM_INFO",
        "cr4: 0x0000000000050660 (PAE, MCE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE)",
        "xcr0: 0x0000000000000007 (X87, SSE, YMM)",
    ):
        assert label in said, label


@every_tshark
def test_entries_of_a_context_and_parameters_are_told_apart_without_opening_them(tshark: Tshark) -> None:
    capture = CAPTURES["hvm-4.17-16M-2vcpu-libvirt.pcap"]
    said = tshark.run("-r", capture.unpacked(), "-O", "xenmig", "-Y", "xenmig.libxc.record.type > 1")
    for label in ("]: CPU, instance 0", "]: LAPIC, instance 1", "]: index STORE_PFN"):
        assert said.count(label) == 1, label
