"""Expert information on PV guests says what `xenmig verify` says: every branch of each rule, 32-bit guests included."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.guests import Guest
from tests.migrations import Migrations, segments
from tests.test_bodies_pv_rules import PV_MEMORY, PV_VCPUS, SOUND, narrow
from tests.test_wireshark_findings import BETWEEN
from tests.test_wireshark_inside import LARGE, shown, stream_of, unchanged, verified
from tests.tshark import every_tshark
from xenmig.core.check.bodies import ZERO_CONTENT_BODIES
from xenmig.wireshark.rule_facts import PV_MEMORY as MEMORY_RULES
from xenmig.wireshark.rule_facts import PV_VCPU, SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark


SHORT = (0, 1, 4, 5, 7, 8, 9, 12, 14, 16)
"Lengths of bodies, so few that verify keeps everything that is found in them."


def with_short_records(guest: Guest) -> None:
    """Records too short for what their definitions say."""
    guest.more += [(one.record or 0, bytes(size)) for one in ZERO_CONTENT_BODIES for size in SHORT]


@cache
def captured() -> Migrations:
    """A guest for each change, one connection each."""
    capture = Migrations()
    for change in [*SOUND, *(change for _, change in PV_MEMORY + PV_VCPUS)]:
        guest = Guest(hvm=False)
        change(guest)
        capture.add(segments(stream_of(guest), LARGE))
    for width in (unchanged, narrow):
        guest = Guest(hvm=False)
        width(guest)
        with_short_records(guest)
        capture.add(segments(stream_of(guest), LARGE))
    return capture


@every_tshark
def test_findings_in_pv_guests_are_those_of_verify_in_its_words(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "pv.pcap")
    rules = set(SHOWN) - set(BETWEEN)
    expected = verified(path, rules)
    assert shown(path, rules, tshark) == expected
    assert {one[0] for told in expected.values() for one in told} >= {*MEMORY_RULES, *PV_VCPU}
