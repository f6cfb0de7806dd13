"""Expert information says what `xenmig verify` says: the same rules, of the same records, in the same words."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.command import xenmig
from tests.corpus import samples
from tests.dissected import findings_shown
from tests.migrations import Migrations, cut_at, segments
from tests.test_check_rules import BROKEN
from tests.tshark import every_tshark
from tests.valid_streams import (
    HVM_CONTEXT,
    VALID,
    XTAB,
    Pieces,
    check,
    checkpointed,
    hvm,
    in_libvirt,
    in_libxl,
    in_xl,
    page_data,
    pv,
    record,
)
from xenmig.core.check.rules import RULES
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.wireshark.rule_facts import BY_DEFINITION, END_RULES, INSIDE, PORTED, SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus import Sample
    from tests.dissected import Told
    from tests.tshark import Tshark

CAPTURES = {sample.name: sample for sample in samples("capture")}
SENDER = bytes(in_libxl(hvm()))
ELSEWHERE = {"start-unrecognised"} | set(PORTED) - set(BY_DEFINITION)
"Rules that are broken in other tests: see tests/test_wireshark_inside.py."
BETWEEN = ("capture-hole", "resynchronised")
"Rules about places between records, which the dissector shows with the record that follows, and the core with none."
SVM_SUSPENDED_TWICE = streams.back_channel(2).replaced(len(streams.BANNER) + 8, b"\3")
LONG = 300
"Bytes of a hole, or of what stands where it should not."

MORE: dict[str, Pieces | bytes] = {
    **{f"sound: {name}": built() for name, built in VALID.items()},
    **{f"sound: {name}": built.data for name, built in streams.VARIETIES.items()},
    "checkpoint without its records": checkpointed().without("tsc info").without("hvm context"),
    "checkpoint state first": checkpointed(colo=True).moved("checkpoint state", before="emulator context"),
    "records of a PV guest": hvm().inserted(pv().data("vcpu basic"), before="hvm context"),
    "state before memory": hvm().moved("tsc info", before="page data"),
    "verify behind state": hvm().inserted(record(0xD), before="end"),
    "both kinds of bad pfns": hvm().replaced("page data", page_data(0, 1 << 53 | 1, 5 << 60 | 2, without_data=(5,))),
    "pages without data": hvm().replaced("page data", page_data(XTAB | 7)),
    "reserved number of pages": hvm().patched("page data", 12, b"\1"),
    "short PAGE_DATA": hvm().replaced("page data", record(1, bytes(4))),
    "empty CPU policy": hvm().replaced("cpuid policy", record(0x11)),
    "half a leaf": hvm().replaced("cpuid policy", record(0x11, bytes(24 + 12))),
    "large and of a wrong length": hvm().replaced("tsc info", record(8, bytes(KEPT_BODY + 8))),
    "large and unknown": hvm().inserted(record(0x80000001, bytes(KEPT_BODY + 8)), before="tsc info"),
    "short vcpu record": pv().replaced("vcpu extended", record(5, bytes(4))),
    "empty HVM_CONTEXT": hvm().replaced("hvm context", record(9)),
    "HVM_CONTEXT without an entry": hvm().replaced("hvm context", record(9, bytes(4))),
    "width beside a reserved word": pv()
    .patched("pv info", 8 + 4, b"\1")
    .replaced("vcpu basic", record(4, bytes(3000))),
    "half an MSR": hvm().replaced("msr policy", record(0x12, bytes(8) + b"\1" + bytes(15))),
    "two unknown emulators": in_libxl(hvm()).replaced("emulator context", record(3, bytes(4))),
    "unknown typecode": hvm().replaced("hvm context", record(9, HVM_CONTEXT[:-8] + b"\x77" + bytes(15))),
    "bytes behind a chain": hvm().replaced("hvm context", record(9, HVM_CONTEXT + b"\1" * 8)),
    "broken chain": hvm().patched("hvm context", 8 + 4, b"\x19"),
    "cut device model's records": in_libxl(hvm())
    .replaced("emulator context", record(3, bytes(3)))
    .repeated("emulator context"),
    "no libxc header, and a record at once": in_libxl(hvm())
    .without("image header")
    .without("domain header")
    .without("cpuid policy")
    .without("msr policy")
    .without("static data end")
    .without("page data")
    .without("second page data"),
    "an END in front of memory": in_libxl(hvm()).inserted(record(0), before="page data"),
    "another version of libvirt": in_libvirt(in_libxl(hvm()), version=3),
    "garbage in big endian": hvm(order=">").patched("tsc info", 0, b"\0\1\0\0\0\x10\0\0"),
    "a long record in big endian": hvm(order=">").patched("tsc info", 4, b"\x10\0\0\x10"),
    "garbage whose length reads either way": hvm().patched("tsc info", 0, b"\0\0\1\0\0\0\x0a\x10"),
    "a record that is too long either way": hvm().patched("tsc info", 4, b"\x0f\0\0\xff"),
    "records behind the end": hvm() + Pieces(("more", hvm().data("tsc info"))),
}
"Streams that break several rules, or none."


def whole_streams() -> dict[str, bytes]:
    """Everything that begins as a stream does."""
    broken = {name: built() for name, built in BROKEN.items() if name != "start-unrecognised"}
    found = {name: stream for name, stream in broken.items() if not isinstance(stream, list)}
    return {name: bytes(stream) for name, stream in (found | MORE).items()}


@cache
def captured() -> Migrations:
    """All of them, one connection each, and what only a capture can hold."""
    capture = Migrations()
    for stream in whole_streams().values():
        capture.add(segments(stream))
    for piece, at, size in (("page data", 1000, LONG), ("second page data", 1, 4096 + 30), ("hvm params", 0, 12)):
        begin = hvm().offset(piece) + at
        first, _, last = cut_at(bytes(hvm()), begin, begin + size)
        capture.add([first, last])
    # The place is lost in front of a header that no Xen writes: it is none to go on from.
    odd = in_xl(in_libxl(hvm())).patched("libxl header", 15, b"\1")
    first, _, last = cut_at(bytes(odd), 33, 40)
    capture.add([first, last])
    # It is found again at a HVM_CONTEXT of another version.
    odd = hvm().patched("hvm context", 8 + 12, b"\2")
    first, _, last = cut_at(bytes(odd), odd.offset("tsc info"), odd.offset("tsc info") + 8)
    capture.add([first, last])
    for said in (b"Welcome to \x1b[1mhost\n" * 3, streams.BANNER + b"what?" + streams.READY, b""):
        capture.add(segments(SENDER), said + streams.answers(3).data[len(streams.BANNER) * (b"what" in said) :])
    capture.add(segments(SENDER), streams.BANNER + streams.READY[:9])
    for changed in (SVM_SUSPENDED_TWICE, streams.back_channel(3, long_header=True).data):
        capture.add(segments(SENDER), changed)
    return capture


def verified(path: Path) -> dict[tuple[int, str], set[Told]]:
    """What `xenmig verify --json` finds, by number of the connection and role."""
    found: dict[tuple[int, str], set[Told]] = {}
    connections: dict[object, int] = {}
    for stream in xenmig("verify", "--json", path).json["streams"]:
        ends = frozenset((stream["source"], stream["destination"]))
        number = connections.setdefault(ends, len(connections) + 1)
        told = found.setdefault((number, stream["role"]), set())
        for one in stream["findings"]:
            told.add((one["rule"], one["severity"], None if one["rule"] in BETWEEN else one["record"]))
    return found


def shown(path: Path, tshark: Tshark, *arguments: str) -> dict[tuple[int, str], set[Told]]:
    found: dict[tuple[int, str], set[Told]] = {}
    for migration, role, (rule, severity, number), _ in findings_shown(tshark, path, *arguments):
        told = (rule, severity, None if rule in BETWEEN else number)
        found.setdefault((migration, role), set()).add(told)
    return found


@every_tshark
def test_findings_are_those_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "broken.pcap")
    verdict = verified(path)
    assert len(verdict) > 100
    expected = {key: {one for one in told if one[0] in SHOWN} for key, told in verdict.items()}
    assert shown(path, tshark) == {key: told for key, told in expected.items() if told}
    assert {rule for told in expected.values() for rule, _, _ in told} >= set(SHOWN) - ELSEWHERE


@every_tshark
def test_findings_are_in_the_words_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "broken.pcap")
    streams_found = xenmig("verify", "--json", path).json["streams"]
    words = {(one["rule"], one["message"]) for stream in streams_found for one in stream["findings"]}
    # A segment knows only how many bytes of it lie behind the end.
    found = {(told[0], message) for _, _, told, message in findings_shown(tshark, path) if told[0] != "trailing-data"}
    assert len(found) > 60
    assert not found - words


@every_tshark
def test_what_is_not_understood_looks_the_same_in_a_second_pass(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "broken.pcap")
    wanted = ["frame.number", "xenmig", "_ws.expert.message"]
    once = tshark.fields(path, wanted, "-Y", "xenmig")
    assert sum("position lost" in words for _, words, _ in once) > 10
    assert tshark.fields(path, wanted, "-Y", "xenmig", "-2") == once


@every_tshark
def test_what_only_seems_to_begin_as_a_stream_does_is_told(tshark: Tshark, tmp_path: Path) -> None:
    # A connection is taken for a stream by its first bytes: here the second segment shows that it is none.
    data = b"LibxlFoo" + bytes(range(90))
    path = Migrations().add(cut_at(data, 5)).write(tmp_path / "other.pcap")
    ((_, _, told, message),) = findings_shown(tshark, path)
    assert told == ("start-unrecognised", "error", None)
    assert message == check(data).findings[0].message


def test_what_is_not_shown_wherever_it_is_known_at_the_end_only_or_takes_the_state_of_the_guest() -> None:
    inside = {rule.id for module in INSIDE for rule in module.RULES}
    assert set(RULES) - set(SHOWN) == set(END_RULES) | inside - set(PORTED)


@every_tshark
@pytest.mark.parametrize("capture", CAPTURES.values(), ids=repr)
def test_a_real_capture_shows_what_verify_says(tshark: Tshark, capture: Sample) -> None:
    # Their connections end with a FIN, which shows what breaks the rules about ends.
    path = capture.unpacked()
    expected = {key: {one for one in told if one[0] in (*SHOWN, *END_RULES)} for key, told in verified(path).items()}
    found = shown(path, tshark, "-o", "tcp.reassemble_out_of_order:TRUE")
    assert found == {key: told for key, told in expected.items() if told}
