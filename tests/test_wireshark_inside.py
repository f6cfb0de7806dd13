"""Expert information says what `xenmig verify` says of what is inside records: processors, policies, memory."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from random import Random
from struct import pack
from typing import TYPE_CHECKING, TypeAlias

from tests.bodies import entry
from tests.command import xenmig
from tests.dissected import findings_shown
from tests.guests import TSC_INFO, Guest, put
from tests.migrations import Migrations, cut_at, segments
from tests.test_bodies_memory import MEMORY, PAGE_DATA, batch
from tests.test_bodies_pages import STARTED
from tests.test_bodies_pv_rules import EVERY
from tests.test_bodies_rules import HVM, PV, QEMU, given
from tests.test_wireshark_findings import BETWEEN
from tests.tshark import every_tshark
from tests.valid_streams import Pieces, domain_header, image_header, in_xl, libxl_header, record
from xenmig.core.definitions.hvm_context import ENTRIES
from xenmig.wireshark.rule_facts import BY_DEFINITION, PORTED, PV_PAGES, SHOWN

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tests.tshark import Tshark

    Finding: TypeAlias = tuple[str, str, int | None, str]
    "Rule, severity, number of the record, message."

XTAB = 0xF
STARTED_WITH = (0, 5, 6, 9, 10)
"Ordinary pages that a PV guest is started with."
NEEDED = (5, 6, 0x3FC)
"Ordinary pages that a receiver needs: the physical-to-machine table and the rings."
LARGE = 65000
"Bytes of a segment: many streams, few frames."


def stream_of(guest: Guest, data: Collection[int] = NEEDED) -> bytes:
    """The stream of a guest. Ordinary pages, but for those in ``data``, come without data, so that it is small."""
    pieces = [libxl_header(), record(1), image_header(), domain_header(2 if guest.hvm else 1, guest.release)]
    usual = pack("<1024Q", *(pfn | guest.types.get(pfn, 0) << 60 for pfn in range(1024)))
    for kind, body in guest.records():
        if kind == TSC_INFO:
            pieces += [memory(words, data) for words in guest.batches or [usual]]
        pieces.append(record(kind, body))
    libxl = guest.libxl or [*([(3, QEMU)] if guest.hvm else []), (0, b"")]
    pieces += [record(kind, body) for kind, body in libxl]
    stream = Pieces(*[("", piece) for piece in pieces])
    config = guest.config if isinstance(guest.config, bytes) else json.dumps(guest.config).encode() + b"\0"
    return bytes(in_xl(stream, config=config))


def memory(words: bytes, data: Collection[int] = NEEDED) -> bytes:
    """A PAGE_DATA with these pfns, of which ordinary ones have data where ``data`` says so."""
    entries = [int.from_bytes(words[at : at + 8], "little") for at in range(0, len(words), 8)]
    entries = [one if one >> 60 or one in data else one | XTAB << 60 for one in entries]
    pages = sum(one >> 60 not in (0xD, 0xE, XTAB) for one in entries)
    return record(1, pack(f"<II{len(entries)}Q", len(entries), 0, *entries) + bytes(4096 * pages))


def every_control_bit(guest: Guest) -> None:
    """A processor of which there is more to say than Wireshark keeps of a finding."""
    guest.entries[2, 0] = put(ENTRIES[2], guest.entries[2, 0], cr4=(1 << 64) - 1)


def unchanged(_: Guest) -> None:
    """A sound guest."""


def params_first(guest: Guest) -> None:
    """HVM_PARAMS of a guest with Viridian in front of its HVM_CONTEXT, which has nothing of it."""
    guest.params.append((9, 1))
    *before, context, params, end = guest.records()
    guest.records = lambda: [*before, params, context, end]  # type: ignore[method-assign]


CONFIGURATIONS = [
    text.encode()
    for text in (
        "",
        "[]",
        "{}",
        ' {"c_info" :\t{"type":"pv"}}\n',
        '{"c_info": {"type": "p\\u0076"}, "b_info": {"max_vcpus": -0}}',
        '{"c_info": {"type": "hvm"}, "c_info": {"type": "pv"}}',
        '{"c_info": [1, -2.5e+3, NaN, -Infinity, true, false, null, {}, [[]]], "b_info": {"max_vcpus": 2.0}}',
        '{"b_info": {"max_vcpus": 18446744073709551615}}',
        '{"b_info": {"max_vcpus": 18446744073709551616}}',
        '{"b_info": {"max_vcpus": "3"}}',
        '{"b_info": {"max_vcpus": 01}}',
        '{"b_info": {"max_vcpus": 3,}}',
        '{"b_info": {"max_vcpus": 3}',
        '{"b_info": {"max_vcpus": 3}} {}',
        '{"a": "\x7f", "b": "\u00e9"}',
        '{"a": "\x1f"}',
        '{"a": "\\x"}',
        '{"a": "\\u12g4"}',
        "{'a': 1}",
        '{"a" 1}',
        "{1: 2}",
        '{"a": tru}',
        '{"a": .5}',
        '{"a": ' + "[" * 40 + "]" * 40 + "}",
    )
]
"What is read as JSON, or not, in front of a stream."


@cache
def captured() -> Migrations:
    """A guest for each change that breaks a rule, one connection each, and sound ones."""
    capture = Migrations()
    changes = [(True, change) for _, change in HVM] + [(False, change) for _, change in PV]
    changes += [(hvm, change) for _, hvm, change in MEMORY]
    changes += [(True, given("config", text + b"\0")) for text in [*CONFIGURATIONS, b'{"a": "\xff"}', b'{"a": \xff}']]
    changes += [(True, params_first), (True, given("params", [(1, 1024), (17, 1 << 63 | 5)]))]
    changes.append((True, every_control_bit))
    # The last entry of a HVM_CONTEXT with an instance, and with a length.
    changes += [(True, given("tail", entry(0, *last))) for last in ((1, b""), (0, bytes(8)))]
    for hvm, change in [(True, unchanged), (False, unchanged), *changes]:
        guest = Guest(hvm=hvm)
        change(guest)
        capture.add(segments(stream_of(guest), LARGE))
    first = batch(*range(1024))
    for second in (first, batch(*range(2048, 2060))):
        capture.add(without_pfns([first, second]))
    return capture.add(without_a_piece_of_pages()).add(without_two_pieces())


def without_pfns(batches: list[bytes]) -> list[tuple[int, bytes]]:
    """Segments of a stream with a hole in the head of its second PAGE_DATA."""
    guest = Guest(hvm=True)
    guest.batches = batches
    data = stream_of(guest)
    at = data.index(memory(batches[0])) + len(memory(batches[0])) + 9
    first, _, last = cut_at(data, at, at + 20)
    return [first, last]


def without_two_pieces() -> list[tuple[int, bytes]]:
    """Segments of a stream that is picked up again at a PAGE_DATA of whose pfns some are missing."""
    guest = Guest(hvm=True)
    guest.params = [(4, 1)]
    data = stream_of(guest)
    at = data.index(pack("<III", PAGE_DATA, 8 + 8 * 1024 + 4096 * len(NEEDED), 1024))
    first, _, second, _, third = cut_at(data, at - 60, at - 10, at + 400, at + 420)
    return [first, second, third]


def without_a_piece_of_pages() -> list[tuple[int, bytes]]:
    """Segments of a stream with pfns out of order and a hole in the pages behind them."""
    guest = Guest(hvm=False)
    words = batch(9 | 1 << 60, 5 | 1 << 60)
    guest.batches = [words]
    data = stream_of(guest)
    at = data.index(words) + len(words) + 100
    first, _, last = cut_at(data, at, at + 1000)
    return [first, last]


def damaged(source: Random) -> bytes:
    """The stream of a guest that breaks one rule or two, with bytes of its records overwritten, and records lost."""
    guest = Guest(hvm=source.random() < 0.5, release=source.choice([(4, 17), (4, 6), (4, 12), (0, 1)]))
    for _ in range(source.randint(0, 2)):
        source.choice(HVM if guest.hvm else PV + EVERY + STARTED)[1](guest)
    records = guest.records()
    for _ in range(source.randint(0, 4)):
        at = source.randrange(len(records) - 1)
        kind, body = records[at]
        if source.random() < 0.2:
            records.pop(at)
        elif body:
            offset = source.randrange(min(len(body), source.choice((16, 200, len(body)))))
            wrong = source.choice((source.randbytes(1), source.randbytes(4), bytes(4), b"\xff" * 4))
            body = (body[:offset] + wrong + body[offset + len(wrong) :])[: len(body)]
            records[at] = (kind, body[: source.randrange(len(body))] if source.random() < 0.1 else body)
    guest.records = lambda: records  # type: ignore[method-assign]
    return stream_of(guest, STARTED_WITH)


@cache
def captured_damage() -> Migrations:
    """Guests with more than one thing wrong."""
    capture, source = Migrations(), Random(17)
    for _ in range(60):
        with suppress(KeyError):  # the second change wants what the first took away
            capture.add(segments(damaged(source), LARGE))
    return capture


def verified(path: Path, rules: Collection[str]) -> dict[int, set[Finding]]:
    """What `xenmig verify --json` finds of these rules, by number of the connection."""
    found = {}
    for number, stream in enumerate(xenmig("verify", "--json", path).json["streams"], 1):
        found[number] = {
            (one["rule"], one["severity"], one["record"], one["message"])
            for one in stream["findings"]
            if one["rule"] in rules
        }
    return {number: told for number, told in found.items() if told}


def shown(path: Path, rules: Collection[str], tshark: Tshark) -> dict[int, set[Finding]]:
    """What tshark shows of these rules."""
    found: dict[int, set[Finding]] = {}
    for number, _, told, message in findings_shown(tshark, path):
        if told[0] in rules:
            found.setdefault(number, set()).add((*told, message))
    return found


@every_tshark
def test_findings_inside_records_are_those_of_verify_in_its_words(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "inside.pcap")
    rules = set(SHOWN) - set(BETWEEN)
    expected = verified(path, rules)
    assert shown(path, rules, tshark) == expected
    assert {one[0] for told in expected.values() for one in told} >= set(PORTED) - {*BY_DEFINITION, *PV_PAGES}


@every_tshark
def test_damaged_guests_show_the_findings_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured_damage().write(tmp_path / "damaged.pcap")
    rules = set(PORTED) - set(BY_DEFINITION)
    assert shown(path, rules, tshark) == verified(path, rules)


@every_tshark
def test_what_the_end_shows_of_an_earlier_record_names_it_and_its_frame(tshark: Tshark, tmp_path: Path) -> None:
    guest = Guest(hvm=True)
    guest.params.append((9, 1))
    data = stream_of(guest)
    begin = data.index(guest.context())
    end = begin + len(guest.context())
    path = Migrations().add(cut_at(data, begin - 8, begin + 100, end)).write(tmp_path / "earlier.pcap")
    named = "xenmig.libxc.record.type", "xenmig.record", "xenmig.finding.record", "xenmig.finding.frame"
    *_, (frame, *context), (_, kinds, _, *about) = tshark.fields(path, ["frame.number", *named])
    assert context == ["0x00000009", "6", "", ""]
    assert kinds == "0x0000000a,0x00000000"
    # Neither of the two entries of Viridian is there.
    assert about == ["6,6", f"{frame},{frame}"]
