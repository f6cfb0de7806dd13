"""Expert information says what `xenmig verify` says: the same rules in the same words."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.migrations import Migrations, segments
from tests.tshark import every_tshark
from tests.valid_streams import XTAB, Pieces, check, hvm, in_libxl, in_xl, page_data, pv, record, tsc_info

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

RULE = "xenmig.rule."

BROKEN: dict[str, Pieces] = {
    "reserved field": hvm().patched("tsc info", 8 + 20, b"\1"),
    "unknown value": hvm().patched("tsc info", 8, b"\7"),
    "body too short": hvm().replaced("tsc info", record(8, bytes(16))),
    "body too long": hvm().replaced("tsc info", record(8, tsc_info()[8:] + bytes(8))),
    "no leaves": hvm().replaced("cpuid policy", record(0x11)),
    "half a leaf": hvm().replaced("cpuid policy", record(0x11, bytes(24 + 12))),
    "padding": pv().replaced("end", record(0x8000_0003, b"abc")[:-1] + b"x" + record(0)),
    "unknown optional record": hvm().inserted(record(0x8000_0099, b"12345678"), "end"),
    "unknown record": hvm().inserted(record(0x99, b"12345678"), "end"),
    "page type": hvm().replaced("second page data", page_data(3, 5 << 60 | 4, without_data=(5, 6, 7, 8))),
    "reserved bits of a pfn": hvm().replaced("second page data", page_data(3, 1 << 53 | 4)),
    "page data too long": hvm().replaced("page data", record(1, struct.pack("<IIQ", 1, 0, 5) + bytes(4096 + 8))),
    "empty page data": hvm().replaced("page data", record(1, bytes(8))),
    "holes only": hvm().replaced("page data", page_data(XTAB | 7)),
    "optional libxl record": in_libxl(hvm()).inserted(record(0x8000_0007), "libxl end"),
    "behind the end": in_xl(in_libxl(hvm())) + Pieces(("more", b"more bytes than anybody asked for")),
}
SOUND = ("holes only",)


def dissected(tshark: Tshark, path: Path) -> set[tuple[str, str]]:
    """Rule and message of every finding that the dissector shows."""
    found = set()
    for _, protocols in tshark.packets(path, "-Y", "_ws.expert", "-J", "xenmig"):
        for protocol in protocols:
            for item in protocol.iter("field"):
                rules = [one.attrib["name"] for one in item if one.attrib["name"].startswith(RULE)]
                message = item.find("field[@name='_ws.expert.message']")
                if rules and message is not None:
                    found.add((rules[0].removeprefix(RULE), message.attrib["show"]))
    return found


@every_tshark
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_reported_in_the_words_of_the_core(tshark: Tshark, name: str, tmp_path: Path) -> None:
    stream = BROKEN[name]
    path = Migrations().add(segments(bytes(stream))).write(tmp_path / "broken.pcap")
    found = dissected(tshark, path)
    expected = {(finding.rule, finding.message) for finding in check(stream).findings}
    assert found <= expected
    assert bool(found) == (name not in SOUND)
