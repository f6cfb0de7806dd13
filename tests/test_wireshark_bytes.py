"""Whatever bytes of a stream are changed, lost or added, expert information says what `xenmig verify` says."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING

from tests.migrations import Migrations, segments
from tests.test_wireshark_findings import BETWEEN
from tests.test_wireshark_inside import shown, verified
from tests.tshark import every_tshark
from tests.valid_streams import VALID, checkpointed, hvm
from xenmig.wireshark.rule_facts import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

STREAMS = 100
HEAD = 400
"Half of the changes are among so many first bytes: pages are most of a stream, and say least."


def changed(data: bytes, source: Random) -> bytes:
    """The stream with one to four changes, one in five of them cut off somewhere."""
    found = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 4))):
        at = source.randrange(len(found) if source.random() < 0.5 else min(len(found), HEAD))
        way = source.random()
        if way < 0.5:
            found[at] = source.randrange(256)
        elif way < 0.65:
            del found[at : at + source.choice((1, 2, 4, 8, 30))]
        elif way < 0.8:
            found[at:at] = source.randbytes(source.choice((1, 4, 8, 16)))
        else:
            found[at : at + 4] = source.choice((b"\xff" * 4, bytes(4), b"\1\0\0\0", b"\0\0\0\x80"))
    return bytes(found[: source.randrange(1, len(found))] if source.random() < 0.2 else found)


@cache
def captured() -> Migrations:
    capture, source = Migrations(), Random(1)
    bases = [*(bytes(make()) for make in VALID.values()), bytes(checkpointed(colo=True)), bytes(hvm(order=">"))]
    for _ in range(STREAMS):
        capture.add(segments(changed(source.choice(bases), source), source.choice((60_000, 1448, 500))))
    return capture


@every_tshark
def test_findings_of_streams_with_changed_bytes_are_those_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "changed.pcap")
    rules = set(SHOWN) - set(BETWEEN) - {"trailing-data"}
    expected = verified(path, rules)
    assert shown(path, rules, tshark) == expected
    assert len({one[0] for told in expected.values() for one in told}) > 20
