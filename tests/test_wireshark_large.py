"""Bodies that have room for more items, or findings, than Wireshark's tree takes are shown as far as it goes."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests.dissected import findings_shown
from tests.migrations import Migrations, segments
from tests.streams import CPUID_POLICY, HVM_PARAMS, MSR_POLICY, StreamBuilder
from tests.tshark import every_tshark
from xenmig.core.check.checker import KEPT_FINDINGS
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.definitions.hvm_params import Index
from xenmig.core.definitions.msr_numbers import Msr

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

ROOM = KEPT_BODY - 64
LEAF = pack("<6I", 1, 0xFFFFFFFF, *[0xFFFFFFFF] * 4)
ARCH_CAPABILITIES = pack("<IIQ", Msr.ARCH_CAPABILITIES, 0xFFFFFFFF, (1 << 64) - 1)
PARAMETER = pack("<QQ", Index.VIRIDIAN, 0)
LARGE = {
    "leaves with all features": (CPUID_POLICY, LEAF * (ROOM // len(LEAF))),
    "MSRs with reserved bits": (MSR_POLICY, ARCH_CAPABILITIES * (ROOM // len(ARCH_CAPABILITIES))),
    "parameters again and again": (
        HVM_PARAMS,
        pack("<II", ROOM // len(PARAMETER), 0) + PARAMETER * (ROOM // len(PARAMETER)),
    ),
}


@every_tshark
@pytest.mark.parametrize("what", LARGE)
def test_a_body_full_of_items_and_findings_is_shown(tshark: Tshark, what: str, tmp_path: Path) -> None:
    # Wireshark gives a frame up at a million items: tshark.run fails on what it says then.
    built = StreamBuilder().libxc()
    built.record(*LARGE[what])
    path = Migrations().add(segments(built.data, 60_000)).write(tmp_path / "large.pcap")
    shown = tshark.run("-r", path, "-O", "xenmig", "-Y", "xenmig.record.position")
    assert f"{len(LARGE[what][1]):,}".replace(",", "") in shown
    told = [rule for _, _, (rule, _, _), _ in findings_shown(tshark, path)]
    assert KEPT_FINDINGS in {told.count(rule) for rule in told}
    assert max(told.count(rule) for rule in told) == KEPT_FINDINGS
