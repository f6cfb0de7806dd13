"""Expert information on PV guests says what `xenmig verify` says: every branch of each rule, 32-bit guests included."""

from __future__ import annotations

from functools import cache
from struct import pack
from typing import TYPE_CHECKING

from tests.guests import Guest
from tests.migrations import Migrations, segments
from tests.test_bodies_memory import PAGE_DATA
from tests.test_bodies_pages import STARTED
from tests.test_bodies_pv_rules import EVERY, P2M_FRAMES, SOUND, narrow, types
from tests.test_bodies_rules import basic
from tests.test_wireshark_findings import BETWEEN
from tests.test_wireshark_inside import LARGE, STARTED_WITH, shown, stream_of, unchanged, verified
from tests.tshark import every_tshark
from xenmig.core.check.bodies import ZERO_CONTENT_BODIES
from xenmig.core.check.libxc_order import VCPU
from xenmig.core.definitions import libxc, libxl
from xenmig.wireshark.rule_facts import PV_MEMORY as MEMORY_RULES
from xenmig.wireshark.rule_facts import PV_PAGES, PV_VCPU, SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.test_bodies_pv_rules import Change
    from tests.tshark import Tshark


SHORT = (0, 1, 4, 5, 7, 8, 9, 12, 14, 16)
"Lengths of bodies, so few that verify keeps everything that is found in them."
CHECKPOINT, CHECKPOINT_END = libxc.Checkpoint.record or 0, libxl.CheckpointEnd.record or 0
SHARED_INFO = libxc.SharedInfo.record


def with_short_records(guest: Guest) -> None:
    """Records too short for what their definitions say."""
    guest.more += [(one.record or 0, bytes(size)) for one in ZERO_CONTENT_BODIES for size in SHORT]


def without_p2m(guest: Guest) -> None:
    """Which pfn is the last is not said."""
    records = [one for one in guest.records() if one[0] != P2M_FRAMES]
    guest.records = lambda: records  # type: ignore[method-assign]


def with_a_checkpoint(guest: Guest) -> None:
    """Records of another checkpoint, in which pages come again with other types."""
    again = [one for one in guest.records() if one[0] in (SHARED_INFO, *VCPU)]
    words = (5, 6 | 3 << 60, 7)
    pages = pack(f"<II{len(words)}Q", len(words), 0, *words) + bytes(4096 * len(words))
    guest.more = [(CHECKPOINT, b""), (CHECKPOINT_END, b""), (PAGE_DATA, pages), *again]


def add(capture: Migrations, *changes: Change) -> None:
    """Add the connection of a PV guest."""
    guest = Guest(hvm=False)
    for change in changes:
        change(guest)
    capture.add(segments(stream_of(guest, STARTED_WITH), LARGE))


@cache
def captured() -> Migrations:
    """A guest for each change, one connection each."""
    capture = Migrations()
    for change in [*SOUND, *(change for _, change in EVERY + STARTED)]:
        add(capture, change)
    add(capture, basic(cr3=1 << 63), without_p2m)
    for width in (unchanged, narrow):
        add(capture, width, with_short_records)
        add(capture, width, types(p5=0xF, p9=1), with_a_checkpoint)
        add(capture, width, with_a_checkpoint)
    return capture


@every_tshark
def test_findings_in_pv_guests_are_those_of_verify_in_its_words(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "pv.pcap")
    rules = set(SHOWN) - set(BETWEEN)
    expected = verified(path, rules)
    assert shown(path, rules, tshark) == expected
    assert {one[0] for told in expected.values() for one in told} >= {*MEMORY_RULES, *PV_VCPU, *PV_PAGES}
