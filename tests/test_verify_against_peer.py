"""The same verdict as Xen's own verify-stream-v2, but for what is named here.

Whole real streams, and thousands of small ones in which something was changed. A disagreement must fall into one of two
classes: a defect of the peer, or a rule that is stricter than the peer is.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import event as counted
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import peer
from tests.corpus import corpus, requires_corpus
from tests.stream_changes import changed
from tests.valid_streams import (
    XENSTORE,
    Pieces,
    check,
    checkpointed,
    emulator_context,
    events_of,
    hvm,
    in_libxl,
    in_xl,
    pv,
    record,
)
from xenmig.core.check.checker import Checker
from xenmig.core.decode.events import Header
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.corpus import Sample
    from tests.peer import Format, Verdict
    from xenmig.core.check.finding import Finding

pytestmark = peer.requires_peer

BASES: dict[str, tuple[Format, Pieces]] = {
    "HVM": ("libxc", hvm()),
    "HVM of Xen 4.11": ("libxc", hvm(2)),
    "PV": ("libxc", pv()),
    "PV of Xen 4.11": ("libxc", pv(2)),
    "HVM in libxl": ("libxl", in_libxl(hvm())),
    "HVM in xl": ("xl", in_xl(in_libxl(hvm()))),
}
"Streams that both accept."

# -- where we are stricter -----------------------------------------------------------------------------------------

STRICTER: dict[str, Callable[[Finding], bool]] = {
    # The peer does not look at the order and number of records.
    "libxc-static-data-end-missing": lambda _: True,
    "libxc-static-data-end-repeated": lambda _: True,
    "libxc-x86-pv-info-missing": lambda _: True,
    "libxc-x86-pv-info-repeated": lambda _: True,
    "libxc-p2m-frames-missing": lambda _: True,
    "libxc-record-guest": lambda _: True,
    "libxc-hvm-context-missing": lambda _: True,
    "libxl-libxc-context-not-first": lambda _: True,
    "libxl-libxc-context-repeated": lambda _: True,
    "libxl-libxc-context-missing": lambda _: True,
    "libxl-checkpoint-end-place": lambda _: True,
    "libxl-checkpoint-state-place": lambda _: True,
    "libxl-emulator-guest": lambda _: True,
    # Nor at these contents.
    "libxc-x86-pv-info-pair": lambda _: True,
    "libxc-p2m-frames-range": lambda _: True,
    "libxc-p2m-frames-length": lambda _: True,
    "libxc-hvm-context-header": lambda _: True,
    "body-length": lambda finding: "CHECKPOINT_STATE" in finding.message,
    "unknown-value": lambda finding: (
        finding.layer == "xl" or any(name in finding.message for name in ("X86_TSC_INFO", "CHECKPOINT_STATE"))
    ),
    # Bits 16 to 31 of libxl's options: the peer's mask has 16 bits.
    "reserved-not-zero": lambda finding: finding.layer == "libxl" and int(finding.actual) > 0xFFFF,
    # Nothing in xl's header but its length and one flag.
    "xl-mandatory-flags": lambda _: True,
    "xl-config-length": lambda _: True,
}
"Error that the peer does not know, and which of its findings are meant."

OTHER_READING = ("big-endian", "legacy-stream")
"""Errors after which the two do not read the same records: the peer takes a libxc stream for little endian whatever its
header says, and reads on where xl's header says that no libxl stream follows."""

# -- where the peer is wrong ---------------------------------------------------------------------------------------


def xenstore_data(stream: bytes, verdict: Verdict) -> bool:
    """The peer compares the last byte with a text, so that no EMULATOR_XENSTORE_DATA with strings passes."""
    return verdict.message == "Data not NUL terminated"


def optional_record(stream: bytes, verdict: Verdict) -> bool:
    """Bit 31 of a libxc record's type lets a receiver ignore it; the peer refuses it."""
    types = [one.type for one in events_of(stream) if type(one) is Record and one.layer == "libxc"]
    return verdict.message.startswith("Unrecognised record type 0x") and any(one & libxc.OPTIONAL for one in types)


def checkpoint_in_libxl(stream: bytes, verdict: Verdict) -> bool:
    """After a libxc CHECKPOINT libxl's records follow; the peer takes them for libxc's."""
    events = events_of(stream)
    around = any(isinstance(one, Header) and one.layer == "libxl" for one in events)
    return around and any(
        isinstance(one, Record) and one.layer == "libxc" and one.type == libxc.Checkpoint.record for one in events
    )


def end_of_checkpointed_stream(stream: bytes, verdict: Verdict) -> bool:
    """A checkpointed stream has no END; the peer calls it truncated."""
    kinds = [finding.rule for finding in check(stream).findings]
    return verdict.message == "Stream truncated" and "checkpointed-stream-ended" in kinds


DEFECTS = (xenstore_data, optional_record, checkpoint_in_libxl, end_of_checkpointed_stream)


def explanation(stream: bytes, verdict: Verdict, checker: Checker) -> str:
    """Why the two disagree; empty when nothing that is named here explains it."""
    if checkpoint_in_libxl(stream, verdict):
        return "checkpoint_in_libxl"
    errors = [finding for finding in checker.findings if finding.severity == "error"]
    if not verdict.accepted:
        return next((defect.__name__ for defect in DEFECTS if defect(stream, verdict)), "")
    for rule in OTHER_READING:
        if any(finding.rule == rule for finding in errors):
            return rule
    if all(finding.rule in STRICTER and STRICTER[finding.rule](finding) for finding in errors):
        return errors[0].rule
    return ""


# -- changed streams -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_both_accept_the_streams_that_are_changed(base: str) -> None:
    format, stream = BASES[base]
    assert peer.judge(bytes(stream), format).accepted
    assert check(stream, format).findings == []


@pytest.mark.fuzz
@pytest.mark.parametrize("base", BASES)
@settings(max_examples=max(1000, settings().max_examples))
@given(data=st.data())
def test_changed_streams_get_the_verdict_of_the_peer(base: str, data: st.DataObject) -> None:
    format, stream = BASES[base]
    broken = data.draw(changed(stream))
    verdict = peer.judge(broken, format)
    checker = check(broken, format, inside=False)
    if verdict.accepted == checker.sound:
        counted("both accept" if checker.sound else "both reject")
    else:
        why = explanation(broken, verdict, checker)
        counted(why)
        assert why, f"peer: {verdict}, here: {checker.findings}"


# -- the corpus ----------------------------------------------------------------------------------------------------


@requires_corpus
@pytest.mark.parametrize("save", corpus("save"), ids=repr)
def test_real_save_files_are_sound_for_both(save: Sample) -> None:
    path = save.unpacked()
    code, output = peer.run(path, "xl")
    assert code == 0, output
    checker = Checker()
    reading = Reading(str(path))
    for _, events in reading:
        checker.take(events)
    reading.close()
    checker.finish()
    assert checker.findings == []
    assert checker.sound
    assert checker.complete


@requires_corpus
@pytest.mark.parametrize("capture", corpus("capture"), ids=repr)
def test_real_captures_get_the_verdict_that_they_deserve(capture: Sample) -> None:
    checkers: dict[int, Checker] = {}
    reading = Reading(str(capture.unpacked()))
    for stream, events in reading:
        checkers.setdefault(stream.number, Checker(stream.kind)).take(events)
    reading.close()
    senders = [one for one in reading.streams if one.role == "sender"]
    assert senders
    for stream in reading.streams:
        checker = checkers.setdefault(stream.number, Checker(stream.kind))
        checker.finish()
        rules = [finding.rule for finding in checker.findings if finding.severity != "note"]
        if stream.role == "sender":
            # The one guest that died during its migration leaves a stream that ends in the middle.
            assert rules == (["stream-truncated"] if "guest-died" in capture.name else [])
            assert checker.complete == (not any(word in capture.name for word in ("remus", "guest-died")))
        else:
            assert rules == []
        if "remus" in capture.name and stream.role == "sender":
            (note,) = checker.findings
            assert note.rule == "checkpointed-stream-ended"
            assert "after 38 checkpoints," in note.message


# -- the peer's defects, one by one --------------------------------------------------------------------------------


def p2m_frames(*pfns: int, end: int = 3) -> bytes:
    return record(3, struct.pack(f"<II{len(pfns)}Q", 0, end, *pfns))


PEER_REJECTS_SOUND: dict[str, tuple[Format, Pieces | bytes, str]] = {
    "xenstore data": ("libxl", in_libxl(hvm(), xenstore=XENSTORE), "xenstore_data"),
    "optional record": ("libxc", hvm().inserted(record(0x80000001), before="hvm context"), "optional_record"),
    "Remus in libxl": ("libxl", checkpointed(), "checkpoint_in_libxl"),
    "COLO in libxl": ("libxl", checkpointed(colo=True), "checkpoint_in_libxl"),
    "Remus without libxl": ("libxc", checkpointed(libxl=False), "end_of_checkpointed_stream"),
}


@pytest.mark.parametrize("name", PEER_REJECTS_SOUND)
def test_sound_streams_that_the_peer_rejects(name: str) -> None:
    format, stream, defect = PEER_REJECTS_SOUND[name]
    data = bytes(stream)
    verdict = peer.judge(data, format)
    # The peer does not look inside HVM_CONTEXT and the like.
    checker = check(data, format, inside=False)
    assert not verdict.accepted
    assert checker.sound
    assert explanation(data, verdict, checker) == defect


PEER_ACCEPTS_BROKEN: dict[str, tuple[Format, Pieces, str]] = {
    "garbage for HVM_CONTEXT": (
        "libxc",
        hvm().replaced("hvm context", record(9, b"\xff" * 64)),
        "libxc-hvm-context-header",
    ),
    "memory before STATIC_DATA_END": (
        "libxc",
        hvm().moved("static data end", before="second page data"),
        "libxc-static-data-end-missing",
    ),
    "STATIC_DATA_END twice": ("libxc", hvm().repeated("static data end"), "libxc-static-data-end-repeated"),
    "4 levels of page tables for a 32-bit guest": (
        "libxc",
        pv().patched("pv info", 8, b"\4"),
        "libxc-x86-pv-info-pair",
    ),
    "too many p2m frames": ("libxc", pv().replaced("p2m frames", p2m_frames(1, 2)), "libxc-p2m-frames-length"),
    "too few p2m frames": ("libxc", pv().replaced("p2m frames", p2m_frames(1, end=512)), "libxc-p2m-frames-length"),
    "p2m frames before X86_PV_INFO": (
        "libxc",
        pv().moved("pv info", before="page data"),
        "libxc-x86-pv-info-missing",
    ),
    "PV record in an HVM stream": ("libxc", hvm().inserted(p2m_frames(1), before="page data"), "libxc-record-guest"),
    "big endian bit": ("libxc", hvm().patched("image header", 17, b"\1"), "big-endian"),
    "reserved bit 16 of libxl's options": (
        "libxl",
        in_libxl(hvm()).patched("libxl header", 13, b"\1"),
        "reserved-not-zero",
    ),
    "reserved bit 31 of libxl's options": (
        "libxl",
        in_libxl(hvm()).patched("libxl header", 12, b"\x80"),
        "reserved-not-zero",
    ),
    "emulator before LIBXC_CONTEXT": (
        "libxl",
        in_libxl(hvm(), emulator=False).inserted(emulator_context(), before="libxc context"),
        "libxl-libxc-context-not-first",
    ),
}


@pytest.mark.parametrize("name", PEER_ACCEPTS_BROKEN)
def test_broken_streams_that_the_peer_accepts(name: str) -> None:
    format, stream, rule = PEER_ACCEPTS_BROKEN[name]
    assert peer.judge(bytes(stream), format).accepted
    checker = check(stream, format)
    assert rule in {finding.rule for finding in checker.findings}
    assert not checker.sound


def test_a_big_endian_stream_is_read_and_no_receiver_takes_it() -> None:
    stream = bytes(hvm(order=">"))
    assert not peer.judge(stream, "libxc").accepted
    (finding,) = check(stream).findings
    assert finding.rule == "big-endian"


def test_a_toolstack_record_is_described_where_the_peer_gives_up() -> None:
    stream = hvm().inserted(record(0xB, b"whatever"), before="hvm context")
    assert peer.judge(bytes(stream), "libxc").error == "DeprecationWarning"
    assert peer.run(bytes(stream), "libxc")[0] == 2
    (finding,) = check(stream).findings
    assert finding.rule == "libxc-toolstack"
    assert finding.message.startswith("0x0000000b (TOOLSTACK) of 8 bytes")


def test_an_implausible_length_is_named_where_the_peer_says_truncated() -> None:
    stream = hvm().inserted(struct.pack("<II", 9, 0xFFFFFFF0), before="hvm context")
    assert peer.judge(bytes(stream), "libxc").message == "Stream truncated"
    finding = check(stream).findings[0]
    assert finding.rule == "record-length-limit"
    assert finding.offset == hvm().offset("hvm context")
    assert (finding.expected, finding.actual) == (128 << 20, 0xFFFFFFF0)


@pytest.mark.parametrize("name", ["vcpu basic", "vcpu extended", "vcpu xsave", "vcpu msrs"])
def test_records_without_content_are_accepted_by_both(name: str) -> None:
    stream = pv().replaced(name, record(struct.unpack_from("<I", pv().data(name))[0], bytes(8)))
    assert peer.judge(bytes(stream), "libxc").accepted
    checker = check(stream, inside=False)
    assert [(finding.rule, finding.severity) for finding in checker.findings] == [("zero-content", "note")]
