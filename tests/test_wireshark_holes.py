"""Where a capture lacks bytes, expert information says what `xenmig verify` says, of the same records."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import TYPE_CHECKING

from tests.guests import Guest
from tests.migrations import Migrations
from tests.test_bodies_memory import batch
from tests.test_wireshark_findings import BETWEEN
from tests.test_wireshark_inside import memory, shown, stream_of, verified
from tests.tshark import every_tshark
from xenmig.wireshark.rule_facts import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.test_wireshark_inside import Finding
    from tests.tshark import Tshark

XTAB, L1TAB = 0xF << 60, 1 << 60
HEAD = 16
"Bytes of a PAGE_DATA in front of its pfns."
FIRST = 64
"Bytes of a stream that are there, so that it is taken for one."
SEGMENT = 60_000
STREAMS = 60


def guest(source: Random) -> Guest:
    """A guest of a few batches, of which some pages come with data and now and then some pfns do not come."""
    made = Guest(hvm=source.random() < 0.5)
    pfn = 0
    for _ in range(source.randint(1, 6)):
        pfn += source.choice((0, 0, 0, 0, 3))
        size = source.randint(1, source.choice((3, 16, 40)))
        made.batches.append(batch(*(one | source.choice((XTAB, XTAB, L1TAB)) for one in range(pfn, pfn + size))))
        pfn += size
    return made


def holes(data: bytes, batches: list[bytes], source: Random) -> list[tuple[int, int]]:
    """Where bytes are missing: begin and end of each hole."""
    found = []
    with_pages = [words for words in batches if len(memory(words)) > HEAD + len(words)]
    if with_pages and source.random() < 0.5:
        # From the pages of a PAGE_DATA on, to behind its end.
        words = source.choice(with_pages)
        record = memory(words)
        at = data.index(record)
        begin = at + source.randint(HEAD + len(words), len(record) - 1)
        found.append((begin, at + len(record) + source.choice((1, 4, 8, 9, source.randint(1, 10_000)))))
    for _ in range(source.randint(not found, 2)):
        begin = source.randrange(FIRST, len(data))
        found.append((begin, begin + source.randint(1, source.choice((1, 8, 100, 1000, 20_000)))))
    return sorted(found)


def sent(data: bytes, missing: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Segments of what is not missing."""
    found = []
    at = 0
    for begin, end in [*missing, (len(data), len(data))]:
        found += [(place, data[place : min(begin, place + SEGMENT)]) for place in range(at, begin, SEGMENT)]
        at = max(at, end)
    return found


@cache
def captured() -> Migrations:
    """So many streams, one connection each."""
    capture, source = Migrations(), Random(3)
    for _ in range(STREAMS):
        one = guest(source)
        data = stream_of(one)
        capture.add(sent(data, holes(data, one.batches, source)))
    return capture


def without_places(found: dict[int, set[Finding]]) -> dict[int, set[Finding]]:
    """What is between records is shown with the one that follows."""
    return {
        number: {(rule, level, None if rule in BETWEEN else record, message) for rule, level, record, message in told}
        for number, told in found.items()
    }


@every_tshark
def test_findings_of_streams_with_holes_are_those_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "holes.pcap")
    expected = without_places(verified(path, SHOWN))
    assert without_places(shown(path, SHOWN, tshark)) == expected
    told = {one[0] for found in expected.values() for one in found}
    assert told >= {"capture-hole", "resynchronised", "memory-gap"}
