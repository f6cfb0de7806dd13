"""Expert information says what `xenmig verify` says of what is inside records: processors, policies, memory."""

from __future__ import annotations

import json
from functools import cache
from struct import pack
from typing import TYPE_CHECKING, TypeAlias

from tests.command import xenmig
from tests.dissected import findings_shown
from tests.guests import TSC_INFO, Guest
from tests.migrations import Migrations, cut_at, segments
from tests.test_bodies_memory import MEMORY, batch
from tests.test_bodies_rules import HVM, PV, QEMU
from tests.test_wireshark_findings import BETWEEN
from tests.tshark import every_tshark
from tests.valid_streams import Pieces, domain_header, image_header, in_xl, libxl_header, record
from xenmig.wireshark.rule_facts import BY_DEFINITION, PORTED, SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

    Finding: TypeAlias = tuple[str, str, int | None, str]
    "Rule, severity, number of the record, message."

XTAB = 0xF
LARGE = 65000
"Bytes of a segment: many streams, few frames."


def stream_of(guest: Guest) -> bytes:
    """The stream of a guest. Ordinary pages come without data, so that it is small."""
    pieces = [libxl_header(), record(1), image_header(), domain_header(2 if guest.hvm else 1, guest.release)]
    usual = pack("<1024Q", *(pfn | guest.types.get(pfn, 0) << 60 for pfn in range(1024)))
    for kind, body in guest.records():
        if kind == TSC_INFO:
            pieces += [memory(words) for words in guest.batches or [usual]]
        pieces.append(record(kind, body))
    libxl = guest.libxl or [*([(3, QEMU)] if guest.hvm else []), (0, b"")]
    pieces += [record(kind, body) for kind, body in libxl]
    stream = Pieces(*[("", piece) for piece in pieces])
    config = guest.config if isinstance(guest.config, bytes) else json.dumps(guest.config).encode() + b"\0"
    return bytes(in_xl(stream, config=config))


def memory(words: bytes) -> bytes:
    """A PAGE_DATA with these pfns."""
    entries = [int.from_bytes(words[at : at + 8], "little") for at in range(0, len(words), 8)]
    entries = [one if one >> 60 else one | XTAB << 60 for one in entries]
    pages = sum(one >> 60 not in (0xD, 0xE, XTAB) for one in entries)
    return record(1, pack(f"<II{len(entries)}Q", len(entries), 0, *entries) + bytes(4096 * pages))


def unchanged(_: Guest) -> None:
    """A sound guest."""


@cache
def captured() -> Migrations:
    """A guest for each change that breaks a rule, one connection each, and sound ones."""
    capture = Migrations()
    changes = [(True, change) for _, change in HVM] + [(False, change) for _, change in PV]
    changes += [(hvm, change) for _, hvm, change in MEMORY]
    for hvm, change in [(True, unchanged), (False, unchanged), *changes]:
        guest = Guest(hvm=hvm)
        change(guest)
        capture.add(segments(stream_of(guest), LARGE))
    return capture.add(without_a_piece_of_pages())


def without_a_piece_of_pages() -> list[tuple[int, bytes]]:
    """Segments of a stream with pfns out of order and a hole in the pages behind them."""
    guest = Guest(hvm=False)
    words = batch(9 | 1 << 60, 5 | 1 << 60)
    guest.batches = [words]
    data = stream_of(guest)
    at = data.index(words) + len(words) + 100
    first, _, last = cut_at(data, at, at + 1000)
    return [first, last]


def verified(path: Path) -> dict[int, set[Finding]]:
    """What `xenmig verify --json` finds of rules that are shown, by number of the connection."""
    found = {}
    for number, stream in enumerate(xenmig("verify", "--json", path).json["streams"], 1):
        found[number] = {
            (one["rule"], one["severity"], one["record"], one["message"])
            for one in stream["findings"]
            if one["rule"] in SHOWN and one["rule"] not in BETWEEN
        }
    return {number: told for number, told in found.items() if told}


@every_tshark
def test_findings_inside_records_are_those_of_verify_in_its_words(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "inside.pcap")
    expected = verified(path)
    found: dict[int, set[Finding]] = {}
    for number, _, told, message in findings_shown(tshark, path):
        if told[0] not in BETWEEN:
            found.setdefault(number, set()).add((*told, message))
    assert found == expected
    assert {one[0] for told in expected.values() for one in told} >= set(PORTED) - set(BY_DEFINITION)
