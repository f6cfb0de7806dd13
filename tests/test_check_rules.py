"""Every rule is broken by a stream in which exactly one thing is wrong, and by no stream in which nothing is."""

from __future__ import annotations

import re
import string
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.streams import BANNER, back_channel
from tests.valid_streams import (
    L1TAB,
    VALID,
    check,
    checkpointed,
    converted,
    domain_header,
    emulator_context,
    events_of,
    hvm,
    image_header,
    in_libvirt,
    in_libxl,
    in_xl,
    page_data,
    pv,
    record,
    rules_broken,
)
from xenmig.core.check import hvm_context_rules, memory_rules, policy_rules, pv_rules
from xenmig.core.check.bodies import RULE_OF_PROBLEM
from xenmig.core.check.checker import Checker
from xenmig.core.check.rule import SEVERITIES
from xenmig.core.check.rules import RULES
from xenmig.core.decode.conversation import ConversationDecoder
from xenmig.core.decode.damage import Hole, Resynchronised, Truncated, Unrecognised
from xenmig.core.decode.events import Message
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.decode.record import Record
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.valid_streams import Pieces
    from xenmig.core.decode.events import Event

P2M_FRAMES = struct.pack("<IIQ", 0, 3, 1)


def xenstore(*strings: bytes) -> Pieces:
    """A libxl stream whose emulator has these keys and values in xenstore."""
    return in_libxl(hvm(), xenstore=b"".join(text + b"\0" for text in strings))


def holed(at: int, count: int, stream: bytes) -> list[Event]:
    """What the decoder says of a stream that lacks ``count`` bytes at ``at``."""
    decoder = StreamDecoder()
    decoder.feed(stream, 0, at)
    decoder.hole(count)
    decoder.feed(stream, at + count, len(stream))
    decoder.end()
    return decoder.events


def lost_page_data(stream: Pieces, name: str) -> list[Event]:
    """The same without the bytes of one piece but its first, which is how a position gets lost."""
    at = stream.offset(name) + 1
    return holed(at, len(stream.data(name)) + 3, bytes(stream))


def said(data: bytes) -> list[Event]:
    """The events of what a receiver says."""
    decoder = ConversationDecoder()
    decoder.feed(data, 0, len(data))
    decoder.end()
    return decoder.events


BROKEN: dict[str, Callable[[], Pieces | bytes | list[Event]]] = {
    "reserved-not-zero": lambda: hvm().patched("tsc info", 8 + 20, b"\1"),
    "unknown-value": lambda: hvm().patched("tsc info", 8, b"\4"),
    "body-length": lambda: hvm().replaced("tsc info", record(8, bytes(32))),
    "body-count": lambda: xenstore(b"physmap/0/name"),
    "body-not-checked": lambda: hvm().replaced("hvm context", record(9, bytes(KEPT_BODY + 8))),
    "padding-not-zero": lambda: in_libxl(hvm()).replaced("emulator context", emulator_context()[:-1] + b"\1"),
    "version-unknown": lambda: hvm().patched("image header", 12, struct.pack(">I", 4)),
    "big-endian": lambda: hvm(order=">"),
    "start-unrecognised": lambda: b"not a stream at all, whatever else",
    "header-unrecognised": lambda: in_libxl(hvm()).replaced("image header", b"\xfe" + image_header()[1:]),
    "legacy-stream": lambda: in_xl(hvm(), flags=1),
    "record-length-limit": lambda: hvm().inserted(struct.pack("<II", 9, (128 << 20) + 1), before="hvm context"),
    "record-type-unknown": lambda: hvm().inserted(record(0x13), before="hvm context"),
    "libxc-record-optional": lambda: hvm().inserted(record(0x80000001), before="hvm context"),
    "libxl-record-optional": lambda: in_libxl(hvm()).inserted(record(0x80000001), before="libxl end"),
    "stream-truncated": lambda: hvm().without("end"),
    "checkpointed-stream-ended": checkpointed,
    "trailing-data": lambda: bytes(hvm()) + b"more",
    "capture-hole": lambda: holed(hvm().offset("page data") + 1000, 100, bytes(hvm())),
    "resynchronised": lambda: lost_page_data(hvm(), "second page data"),
    "capture-ended": lambda: holed(hvm().offset("hvm params"), 12, bytes(hvm())),
    "message-unrecognised": lambda: [Unrecognised("message", "xl", 0, b"Welcome to \x1b[1mhost\n")],
    "conversation-ended": lambda: [Truncated("xl", 54, "ready", 3, 31)],
    "receiver-failed": lambda: [Message("status", 127, 1, 3)],
    "colo-order": lambda: said(back_channel(2).replaced(len(BANNER) + 8, b"\3")),
    "colo-dirty-list-header": lambda: said(back_channel(2, long_header=True).data),
    "xl-mandatory-flags": lambda: in_xl(in_libxl(hvm()), flags=7),
    "xl-config-length": lambda: in_xl(in_libxl(hvm())).patched("optional data", 0, b"\x40"),
    "xl-config-rest": lambda: in_xl(in_libxl(hvm()), rest=b"rest"),
    "xl-config-unterminated": lambda: in_xl(in_libxl(hvm()), config=b"{}"),
    "libxl-libxc-context-not-first": lambda: in_libxl(hvm()).moved("emulator context", before="libxc context"),
    "libxl-libxc-context-repeated": lambda: in_libxl(
        hvm() + in_libxl(hvm()).without("libxl header").without("libxl end")
    ),
    "libxl-libxc-context-missing": lambda: in_libxl(hvm(), emulator=False).pieces[0][1] + in_libxl(hvm()).pieces[-1][1],
    "libxl-checkpoint-end-place": lambda: in_libxl(hvm()).inserted(record(4), before="libxl end"),
    "libxl-checkpoint-end-missing": lambda: checkpointed(rounds=1).replaced("checkpoint end", record(0)),
    "libxl-checkpoint-state-place": lambda: in_libxl(hvm()).inserted(
        record(5, struct.pack("<I", 0)), before="libxl end"
    ),
    "libxl-checkpoint-state-direction": lambda: checkpointed(colo=True).replaced(
        "checkpoint state", record(5, struct.pack("<I", 2))
    ),
    "libxl-emulator-guest": lambda: in_libxl(pv()),
    "libxl-emulator-repeated": lambda: in_libxl(hvm()).repeated("emulator context"),
    "libxl-emulator-unknown": lambda: in_libxl(hvm()).replaced("emulator context", emulator_context(0)),
    "libxl-emulator-index": lambda: in_libxl(hvm()).replaced("emulator context", emulator_context(2, 1)),
    "libxl-xenstore-key": lambda: xenstore(b"/local/domain/0/name", b"guest"),
    "libxl-xenstore-physmap": lambda: xenstore(b"physmap/0/colour", b"red"),
    "libxc-record-guest": lambda: hvm().inserted(record(7, bytes(4096)), before="hvm context"),
    "libxc-record-version": lambda: hvm(2).inserted(record(0x10), before="page data"),
    "libxc-version-release": lambda: hvm(2, release=(4, 14)),
    "libxc-static-data-end-missing": lambda: hvm().without("static data end"),
    "libxc-static-data-end-repeated": lambda: hvm().repeated("static data end"),
    "libxc-policy-late": lambda: hvm().moved("msr policy", before="page data"),
    "libxc-policy-repeated": lambda: hvm().repeated("msr policy"),
    "libxc-policy-missing": lambda: hvm().without("cpuid policy"),
    "libxc-x86-pv-info-missing": lambda: pv().without("pv info"),
    "libxc-x86-pv-info-repeated": lambda: pv().repeated("pv info"),
    "libxc-x86-pv-info-pair": lambda: pv().patched("pv info", 8, b"\4"),
    "libxc-p2m-frames-missing": lambda: pv().moved("p2m frames", before="tsc info"),
    "libxc-p2m-frames-repeated": lambda: pv().repeated("p2m frames"),
    "libxc-p2m-frames-range": lambda: pv().patched("p2m frames", 8, b"\4"),
    "libxc-p2m-frames-length": lambda: pv().replaced("p2m frames", record(3, P2M_FRAMES + bytes(8))),
    "libxc-tsc-info-repeated": lambda: hvm().repeated("tsc info"),
    "libxc-tsc-info-missing": lambda: hvm().without("tsc info"),
    "libxc-shared-info-repeated": lambda: pv().inserted(pv().data("shared info"), before="end"),
    "libxc-shared-info-missing": lambda: pv().without("shared info"),
    "libxc-hvm-context-repeated": lambda: hvm().repeated("hvm context"),
    "libxc-hvm-context-missing": lambda: hvm().without("hvm context"),
    "libxc-hvm-context-header": lambda: hvm().replaced("hvm context", record(9, b"\xff" * 64)),
    "libxc-hvm-params-repeated": lambda: hvm().repeated("hvm params"),
    "libxc-page-data-late": lambda: hvm().moved("second page data", before="end"),
    "libxc-verify-place": lambda: hvm().inserted(record(0xD), before="page data"),
    "libxc-verify-repeated": lambda: (
        hvm().inserted(record(0xD), before="second page data").inserted(record(0xD), before="tsc info")
    ),
    "libxc-vcpu-early": lambda: pv().moved("vcpu basic", before="shared info"),
    "libxc-toolstack": lambda: hvm().inserted(record(0xB, b"whatever"), before="hvm context"),
    "libxc-dirty-pfn-list-forward": lambda: hvm().inserted(record(0xF, bytes(16)), before="hvm context"),
    "zero-content": lambda: hvm().replaced("hvm params", record(0xA, bytes(8))),
    "page-data-empty": lambda: hvm().replaced("second page data", record(1, bytes(8))),
    "page-data-length": lambda: hvm().replaced("second page data", record(1, page_data(3)[8:-8])),
    "page-data-pfn-reserved": lambda: hvm().replaced("second page data", page_data(3 | 1 << 55)),
    "page-data-type": lambda: hvm().replaced("second page data", page_data(3 | 5 << 60, without_data=(5,))),
}
"Rule -> a stream in which one thing is wrong, or the events of one."

CONSEQUENCES = {
    # What an unknown place in the stream brings with it.
    "header-unrecognised": {"resynchronised", "stream-truncated"},
    "record-length-limit": {"resynchronised", "stream-truncated"},
    "resynchronised": {"capture-hole"},
    "capture-ended": {"capture-hole"},
    # What is not where it belongs is missing there.
    "libxc-policy-late": {"libxc-policy-missing"},
    "libxc-shared-info-missing": {"libxc-vcpu-early"},
    # What is inside the records shows it, too.
    "libxl-checkpoint-end-place": {"hvm-emulator-missing"},
    "libxc-p2m-frames-range": {"pv-p2m-start"},
    "libxc-hvm-context-header": {"hvm-context-typecode", "hvm-context-chain", "hvm-context-vcpus"},
    "libxc-hvm-params-repeated": {"hvm-param-repeated"},
    # The stream holds the guest a second time, with a libxc stream of its own.
    "libxl-libxc-context-repeated": {"libxl-emulator-repeated"},
    "libxl-checkpoint-state-direction": {"checkpointed-stream-ended"},
}
"What else such a stream breaks, of necessity."
BY_RECEIVERS = ("conversation-ended", "receiver-failed", "colo-order", "colo-dirty-list-header")
"Rules that what a receiver says may break."


def checked(stream: Pieces | bytes | list[Event], kind: str = "") -> Checker:
    checker = Checker(kind)
    checker.take(stream if isinstance(stream, list) else events_of(bytes(stream)))
    checker.finish()
    return checker


def is_dirty_pfn_list(event: Event) -> bool:
    return isinstance(event, Record) and event.type == 0xF


@pytest.mark.parametrize("rule", BROKEN)
def test_one_broken_thing_breaks_its_rule_and_no_other(rule: str) -> None:
    checker = checked(BROKEN[rule](), "xl receiver" if rule in BY_RECEIVERS else "")
    found = {finding.rule for finding in checker.findings}
    assert rule in found
    assert found - {rule} <= CONSEQUENCES.get(rule, set())
    for finding in checker.findings:
        assert finding.severity == RULES[finding.rule].severity


def test_every_rule_has_a_stream_that_breaks_it() -> None:
    # Those over what is inside the records are broken in tests/test_bodies_rules.py.
    inside = {rule.id for module in (hvm_context_rules, memory_rules, policy_rules, pv_rules) for rule in module.RULES}
    assert list(BROKEN) == [rule for rule in RULES if rule not in inside]


@pytest.mark.parametrize("name", VALID)
def test_valid_streams_have_no_findings(name: str) -> None:
    checker = check(VALID[name]())
    assert checker.findings == []
    assert checker.sound
    assert checker.complete


@pytest.mark.parametrize("colo", [False, True])
@pytest.mark.parametrize("libxl", [False, True])
def test_checkpointed_streams_are_sound_but_have_no_end(colo: bool, libxl: bool) -> None:
    checker = check(checkpointed(rounds=3, colo=colo, libxl=libxl))
    assert [finding.rule for finding in checker.findings] == ["checkpointed-stream-ended"]
    assert "after 3 checkpoints," in checker.findings[0].message
    assert checker.sound
    assert not checker.complete


def test_a_checkpointed_stream_is_truncated_before_its_first_checkpoint_is_complete() -> None:
    stream = checkpointed(rounds=1)
    before = bytes(stream)[: stream.offset("checkpoint end")]
    assert rules_broken(before) == ["stream-truncated"]
    assert not check(before).sound


def test_rules_are_complete_sentences_about_themselves() -> None:
    for name, rule in RULES.items():
        assert rule.id == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert rule.severity in SEVERITIES
        for text in (rule.title, rule.message, rule.reason, rule.source, rule.receivers):
            assert text
            assert text == text.strip()
        assert rule.reason.endswith(".")
        assert not rule.title.endswith(".")


def test_every_finding_fills_its_message() -> None:
    formatter = string.Formatter()
    for name, broken in BROKEN.items():
        checker = checked(broken(), "xl receiver" if name in BY_RECEIVERS else "")
        messages = [finding.message for finding in checker.findings if finding.rule == name]
        assert messages
        for _, field, _, _ in formatter.parse(messages[0]):
            assert field is None
        assert "None" not in messages[0]


@pytest.mark.parametrize("length", [1, 4, 8, 20, 28, 5000])
@pytest.mark.parametrize("name", ["cpuid policy", "msr policy", "shared info", "vcpu extended", "vcpu msrs"])
def test_what_two_definitions_of_a_body_find_is_told_once(name: str, length: int) -> None:
    kind, body = pv().data(name)[0], pv().data(name)[8:]
    stream = pv().replaced(name, record(kind, (body + bytes(5000))[:length]))
    usual = [one for one in check(stream, inside=False).findings if one.rule in RULE_OF_PROBLEM.values()]
    closer = [one for one in check(stream).findings if one.rule in RULE_OF_PROBLEM.values()]
    assert len(closer) == len({(one.rule, one.offset, one.message) for one in closer})
    assert {one.rule for one in closer} >= {one.rule for one in usual}


def test_a_rule_that_is_broken_often_is_kept_a_hundred_times_and_counted() -> None:
    stream = hvm()
    many = stream.pieces[: stream.index("tsc info")], stream.pieces[stream.index("tsc info") :]
    wrong = tuple(("wrong", page_data(n | 5 << 60, without_data=(5,))) for n in range(250))
    checker = check(type(stream)(*many[0], *wrong, *many[1]))
    assert len(checker.findings) == 100
    assert checker.suppressed == {"page-data-type": 150}
    assert checker.counts == {"error": 250, "warning": 0, "note": 0}


def test_findings_say_where() -> None:
    stream = in_xl(in_libxl(hvm())).patched("tsc info", 8 + 20, b"\1")
    (finding,) = check(stream).findings
    assert finding.offset == stream.offset("tsc info") + 8 + 20
    assert finding.layer == "libxc"
    assert finding.record == 6
    assert finding.frame is None
    assert (finding.expected, finding.actual) == (0, 1)
    assert finding.message == "0x00000008 (X86_TSC_INFO): reserved1 is 0x1, must be 0x0"


def test_a_bad_page_type_is_found_at_its_entry() -> None:
    stream = hvm().replaced("page data", page_data(0, 1, 2 | 7 << 60, without_data=(7,)))
    (finding,) = check(stream).findings
    assert finding.offset == stream.offset("page data") + 8 + 8 + 2 * 8
    assert finding.actual == 2 | 7 << 60
    assert "page type 7 does not exist (1 of 3 entries wrong)" in finding.message


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        ("inside", "ends inside 0x00000009 (HVM_CONTEXT) (record 6)"),
        ("between", "without an END: a record header should follow"),
    ],
)
def test_a_truncated_stream_says_what_is_missing(cut: str, words: str) -> None:
    stream = hvm()
    end = stream.offset("hvm context") + (20 if cut == "inside" else 0)
    (finding,) = check(bytes(stream)[:end]).findings
    assert finding.rule == "stream-truncated"
    assert words in finding.message
    if cut == "inside":
        missing = len(stream.data("hvm context")) - 20
        assert f"20 bytes of it are there, {missing} are missing" in finding.message
    assert finding.record == (6 if cut == "inside" else None)
    assert finding.offset == stream.offset("hvm context")


def test_bytes_from_the_stream_cannot_steer_a_terminal() -> None:
    for name in ("message-unrecognised", "libxl-xenstore-key"):
        stream = BROKEN[name]()
        if name == "libxl-xenstore-key":
            stream = xenstore(b"/\x1b[2J", b"value")
        assert all(finding.message.isprintable() for finding in checked(stream).findings)


def test_records_after_a_gap_are_not_called_missing_or_repeated() -> None:
    # The hole swallows everything from STATIC_DATA_END on to the middle of a PAGE_DATA.
    stream = hvm()
    for one in range(8):
        stream = stream.inserted(page_data(*range(20 * one, 20 * one + 20)), before="second page data")
    at = stream.offset("msr policy") + 3
    checker = checked(holed(at, stream.offset("inserted") + 100 - at, bytes(stream)))
    assert {finding.rule for finding in checker.findings} == {"capture-hole", "resynchronised"}
    assert checker.sound
    assert not checker.complete


def test_a_joined_stream_is_never_complete() -> None:
    checker = Checker("joined")
    decoder = StreamDecoder(joined=True)
    stream = hvm()
    data = bytes(stream)[stream.offset("page data") :]
    decoder.feed(data, 0, len(data))
    decoder.end()
    checker.take(decoder.events)
    checker.finish()
    assert any(isinstance(event, Resynchronised) for event in decoder.events)
    assert checker.sound
    assert not checker.complete


def test_a_hole_in_guest_memory_leaves_everything_else_checked() -> None:
    stream = hvm().patched("tsc info", 8 + 20, b"\1")
    events = holed(stream.offset("page data") + 1000, 100, bytes(stream))
    assert any(isinstance(event, Hole) for event in events)
    assert [finding.rule for finding in checked(events).findings] == ["capture-hole", "reserved-not-zero"]


@pytest.mark.parametrize("guest", [1, 2])
def test_converted_streams_keep_to_an_order_of_their_own(guest: int) -> None:
    stream = converted(guest)
    assert rules_broken(stream) == []
    # The same records in a stream that says it was written by Xen itself.
    native = rules_broken(stream.replaced("domain header", domain_header(guest)))
    assert "libxc-policy-missing" in native
    assert "libxc-page-data-late" in native or "libxc-vcpu-early" in native


def test_each_checkpoint_has_records_of_its_own() -> None:
    stream = checkpointed(rounds=2)
    once = bytes(stream.repeated("tsc info"))
    assert rules_broken(once) == ["libxc-tsc-info-repeated", "checkpointed-stream-ended"]


def test_the_back_channel_may_hold_what_the_forward_stream_may_not() -> None:
    stream = hvm().inserted(record(0xF, bytes(16)), before="hvm context")
    dirty = [event for event in events_of(bytes(stream)) if is_dirty_pfn_list(event)]
    assert len(dirty) == 1
    assert checked(dirty, "xl receiver").findings == []
    assert [finding.rule for finding in checked(dirty).findings] == ["libxc-dirty-pfn-list-forward"]


@pytest.mark.parametrize("cycles", [1, 2, 5])
def test_the_loop_of_colo_is_sound_in_its_order(cycles: int) -> None:
    assert checked(said(back_channel(cycles).data), "xl receiver").findings == []


@pytest.mark.parametrize("left_out", range(1, 9))
def test_any_answer_of_colo_that_does_not_come_is_told_once(left_out: int) -> None:
    records = back_channel(4).records
    whole = back_channel(4).data
    piece = records[left_out]
    checker = checked(said(whole[: piece.offset] + whole[piece.end :]), "xl receiver")
    assert [finding.rule for finding in checker.findings] == ["colo-order"]
    assert checker.findings[0].record == left_out


def test_after_a_hole_nothing_is_said_about_the_order_of_colo() -> None:
    data = back_channel(4).data
    piece = back_channel(4).records[3]
    decoder = ConversationDecoder()
    decoder.feed(data, 0, piece.offset)
    decoder.hole(len(piece.data))
    decoder.feed(data, piece.end, len(data))
    decoder.end()
    assert {finding.rule for finding in checked(decoder.events, "xl receiver").findings} == {"capture-hole"}


def test_an_unknown_version_of_libvirt_is_told_once() -> None:
    (finding,) = check(in_libvirt(in_libxl(hvm()), version=3)).findings
    assert (finding.rule, finding.offset, finding.actual) == ("version-unknown", 16, 3)
    assert finding.message.endswith("says version 3, known are 1, 2")


@pytest.mark.parametrize("count", [2, 3])
def test_pfns_are_held_to_the_rules_where_the_stream_ends_inside_the_record(count: int) -> None:
    # A wrong length makes a record the last one: what is wrong with it says why.
    stream = hvm().patched("page data", 4, b"\0\0\0\1").patched("page data", 8, bytes([count]))
    length = 8 + count * 8 + 2 * 4096
    messages = {finding.rule: finding.message for finding in check(stream).findings}
    assert set(messages) == {"stream-truncated", "page-data-length"}
    assert f"takes {length} bytes; its length is {1 << 24}" in messages["page-data-length"]


def test_a_record_too_large_to_be_kept_is_held_to_its_length_where_the_stream_ends_inside_it() -> None:
    found = check(hvm().patched("static data end", 4, b"\0\0\0\1")).findings
    assert {finding.rule for finding in found} == {"stream-truncated", "body-length"}


def test_reserved_words_of_wrappers_are_looked_at() -> None:
    assert rules_broken(in_libvirt(in_libxl(hvm()), unused=1)) == ["reserved-not-zero"]
    assert rules_broken(in_libxl(hvm()).patched("libxl header", 12, b"\x80")) == ["reserved-not-zero"]


def test_page_tables_and_missing_pages_are_sound() -> None:
    words = [L1TAB | 0, 1, 0xC << 60 | 2, 3, 0xD << 60 | 4, 0xF << 60 | 5]
    frames = record(3, struct.pack("<IIQ", 0, 5, 1))
    stream = pv().replaced("page data", page_data(*words)).replaced("p2m frames", frames)
    shared = stream.data("shared info")
    assert rules_broken(stream.patched("shared info", shared.index(4), b"\6")) == []


def test_memory_needs_static_data_only_in_version_3() -> None:
    assert rules_broken(hvm(2)) == []
    headers = hvm(2).replaced("image header", image_header(3)).replaced("domain header", domain_header(2))
    assert rules_broken(headers) == ["libxc-static-data-end-missing"]


def test_checking_a_sound_stream_loads_no_rules_and_nothing_slow() -> None:
    program = "import sys, xenmig.core.check.checker; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], env={"PYTHONPATH": "src"}, capture_output=True, check=True
    )
    loaded = set(done.stdout.decode().split())
    assert "xenmig.core.check.bodies" in loaded
    slow = {
        "enum",
        "re",
        "typing",
        "dataclasses",
        "argparse",
        "collections",
        "contextlib",
        "functools",
        "pathlib",
        "logging",
    }
    assert not loaded & slow
    assert "xenmig.core.check.rules" not in loaded
