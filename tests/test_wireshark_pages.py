"""With its preference on the dissector says what `xenmig verify --deep` says of the pages of PV guests."""

from __future__ import annotations

import json
from functools import cache
from random import Random
from struct import pack
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import xenmig
from tests.corpus import requires_corpus, samples
from tests.dissected import findings_shown
from tests.guests import TSC_INFO, Guest, start_info, table
from tests.migrations import Migrations, cut_at, segments
from tests.test_bodies_pages import DEEP as CHANGES
from tests.tshark import every_tshark
from tests.valid_streams import Pieces, domain_header, image_header, in_xl, libxl_header, record
from xenmig.core.check import checker, page_tables
from xenmig.core.cli.main import main
from xenmig.core.decode.page_contents import WITHOUT_DATA
from xenmig.core.decode.pages import PFN_MASK
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.libxc import PageType
from xenmig.wireshark.generate import generate
from xenmig.wireshark.rule_facts import DEEP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.test_wireshark_inside import Finding
    from tests.tshark import Tshark

LOOK = ("-o", "xenmig.deep:TRUE")
"Argument for tshark: look into page tables."
LARGE = 65000
"Bytes of a segment: many streams, few frames."


def stream_of(guest: Guest) -> bytes:
    """The stream of a PV guest, whose pages hold what ``guest.pages`` says. Most ordinary ones come without data."""
    pieces = [libxl_header(), record(1), image_header(), domain_header(1, guest.release)]
    usual = pack("<1024Q", *(pfn | guest.types.get(pfn, 0) << 60 for pfn in range(1024)))
    for kind, body in guest.records():
        if kind == TSC_INFO:
            pieces += [memory(guest, words) for words in guest.batches or [usual]]
        pieces.append(record(kind, body))
    pieces.append(record(0))
    config = guest.config if isinstance(guest.config, bytes) else json.dumps(guest.config).encode() + b"\0"
    return bytes(in_xl(Pieces(*[("", piece) for piece in pieces]), config=config))


def memory(guest: Guest, words: bytes) -> bytes:
    """A PAGE_DATA with these pfns."""
    entries = [int.from_bytes(words[at : at + 8], "little") for at in range(0, len(words), 8)]
    here = {*range(16), *guest.pages}
    entries = [one if one >> 60 or one & PFN_MASK in here else one | PageType.XTAB << 60 for one in entries]
    held = [guest.pages.get(one & PFN_MASK, bytes(4096)) for one in entries if one >> 60 not in WITHOUT_DATA]
    return record(1, pack(f"<II{len(entries)}Q", len(entries), 0, *entries) + b"".join(held))


def filled(source: Random) -> Guest:
    """A guest whose tables are full of whatever may stand there."""
    guest = Guest(hvm=False)
    guest.width = source.choice((4, 8, 8))
    for pfn in range(20, 30):
        guest.types[pfn] = source.choice((1, 2, 3, 9, 10, 11, 4 if guest.width == 8 else 3))
    few = source.choice((0.02, 1))
    for pfn in [pfn for pfn, kind in guest.types.items() if kind < 0xD]:
        wrong = source.choice((0, 0.01))
        guest.pages[pfn] = pack("<512Q", *(word(source, few, wrong) for _ in range(512)))
    return guest


def word(source: Random, present: float, wrong: float) -> int:
    """An entry of a table."""
    if source.random() > present:
        return source.choice((0, 0, source.getrandbits(64) & ~1))
    if source.random() < wrong:
        return source.getrandbits(source.choice((13, 24, 40, 52, 56, 64))) | 1
    return source.randrange(1024) << 12 | source.choice((0x61, 0x67, 0x1 << 63 | 0x25))


def repeated() -> list[Guest]:
    """Guests of which pages come again, with checkpoints, of zeros, and with more than one page like start_info."""
    guests = [Guest(hvm=False) for _ in range(5)]
    first = pack("<1024Q", *(pfn | {12: 0xF, 13: 0}.get(pfn, guests[0].types.get(pfn, 0)) << 60 for pfn in range(1024)))
    guests[0].batches = [first, pack("<3Q", 12 | 3 << 60, 13 | 2 << 60, 14)]
    guests[1].batches = [*guests[0].batches, pack("<Q", 14 | 1 << 60)]
    guests[2].more = [(libxc.Checkpoint.record or 0, b""), (libxl.CheckpointEnd.record or 0, b"")]
    guests[2].pages[7] = table({0: 13})
    guests[3].pages = {9: bytes(4096), 10: bytes(4096), 11: bytes(4096)}
    guests[4].pages |= {3: start_info(1, 2), 9: bytes(4096)}
    return guests


def changed() -> list[Guest]:
    """A sound guest, and one for each change that breaks a rule."""
    guests = [Guest(hvm=False) for _ in range(len(CHANGES) + 1)]
    for guest, (_, change) in zip(guests[1:], CHANGES, strict=True):
        change(guest)
    narrow = Guest(hvm=False)
    narrow.width, narrow.types = 4, {7: 0xB}
    narrow.pages = {7: table({3: 12, 4: 13, 511: 9})}
    source = Random(5)
    return [*guests, *repeated(), narrow, *(filled(source) for _ in range(10))]


def streams() -> list[bytes]:
    """The streams of all these guests, and of one whose start_info page comes again and looks like none."""
    again = Guest(hvm=False)
    again.batches = [pack("<1024Q", *(pfn | again.types.get(pfn, 0) << 60 for pfn in range(1024))), pack("<Q", 9)]
    stream = stream_of(again)
    last = stream.rindex(guest_page := again.pages[9])
    return [*map(stream_of, changed()), stream[:last] + bytes(4096) + stream[last + len(guest_page) :]]


@cache
def captured() -> Migrations:
    """One connection for each stream, and some of them again in small segments."""
    capture = Migrations()
    for stream in streams():
        capture.add(segments(stream, LARGE))
    for number, stream in enumerate(streams()[::3]):
        capture.add(segments(stream, (1448, 4096, 700)[number % 3]))
    return capture


@cache
def captured_accidents() -> Migrations:
    """Streams of which segments are missing or come twice, or that are cut off or into pieces."""
    capture, source = Migrations(), Random(11)
    for data in streams()[::2]:
        for part in (0.04, 0.2):
            capture.add([one for one in segments(data) if source.random() > part or not one[0]])
        capture.add([one for one in segments(data, 3000) for _ in range(1 + (source.random() < 0.1))])
        capture.add(cut_at(data, *sorted(source.randrange(1, len(data)) for _ in range(10))))
        capture.add(segments(data)[: source.randrange(20, 40)])
    return capture.add(found_again_in_pages())


def found_again_in_pages() -> list[tuple[int, bytes]]:
    """Segments of a stream that is lost behind a hole, and found again in a record whose pages the next hole cuts."""
    guest = Guest(hvm=False)
    guest.pages[12] = table({1: 13}, 0xE7)
    batches = [pack("<2Q", 12 | 3 << 60, 13 | 2 << 60), pack("<3Q", 7 | 0xC << 60, 12 | 3 << 60, 13 | 2 << 60)]
    guest.batches = [pack("<1024Q", *(pfn | guest.types.get(pfn, 0) << 60 for pfn in range(1024))), *batches]
    data = stream_of(guest)
    lost, found = (data.index(memory(guest, words)) for words in batches)
    cut = found + len(memory(guest, batches[1])) - 4000
    first, second, _, third, _, last = cut_at(data, 40000, lost - 10, lost + 50, cut, cut + 1000)
    return [first, second, third, last]


def verified(path: Path) -> dict[int, set[Finding]]:
    """What `xenmig verify --deep --json` finds of these rules, by number of the connection."""
    return findings_of(xenmig("verify", "--deep", "--json", path).json)


def findings_of(verdict: Any) -> dict[int, set[Finding]]:
    found = {}
    for number, stream in enumerate(verdict["streams"], 1):
        told = {
            (one["rule"], one["severity"], one["record"], one["message"])
            for one in stream["findings"]
            if one["rule"] in DEEP
        }
        if told:
            found[number] = told
    return found


def shown(path: Path, tshark: Tshark, *arguments: str) -> dict[int, set[Finding]]:
    """What tshark shows of these rules."""
    found: dict[int, set[Finding]] = {}
    for number, _, told, message in findings_shown(tshark, path, *LOOK, *arguments):
        if told[0] in DEEP:
            found.setdefault(number, set()).add((*told, message))
    return found


def without(messages: list[str], tree: str) -> list[str]:
    """The lines of a tree without the expert information that says one of these, and which record that is about."""
    lines = iter(tree.splitlines())
    kept: list[str] = []
    for line in lines:
        if "[Expert Info (" in line and any(message in line for message in messages):
            for _ in range(3):
                next(lines)
            if "[Finding about an earlier record: " in kept[-2]:
                del kept[-2:]
        else:
            kept.append(line)
    return kept


@every_tshark
@pytest.mark.parametrize("accident", [captured, captured_accidents])
@pytest.mark.parametrize("passes", [(), ("-2",)], ids=["", "-2"])
def test_findings_in_pages_are_those_of_verify_in_its_words(
    tshark: Tshark, accident: object, passes: tuple[str, ...], tmp_path: Path
) -> None:
    assert callable(accident)
    path = accident().write(tmp_path / "pages.pcap")
    expected = verified(path)
    assert 1 not in expected, "the first guest is sound"
    assert {one[0] for told in expected.values() for one in told} == set(DEEP) - {"page-table-many"}
    assert shown(path, tshark, *passes) == expected


@every_tshark
def test_as_many_links_and_findings_are_kept_as_in_verify(
    tshark: Tshark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = captured().write(tmp_path / "pages.pcap")
    monkeypatch.setattr(page_tables, "LINKS_MAX", 3 * (512 + page_tables.TABLE_COST))
    monkeypatch.setattr(page_tables, "START_INFOS_MAX", 1)
    monkeypatch.setattr(checker, "KEPT_FINDINGS", 5)
    limited = tmp_path / "limited.lua"
    limited.write_text(generate())
    monkeypatch.setattr("tests.tshark.DISSECTOR", limited)
    main(["verify", "--deep", "--json", str(path)])
    expected = findings_of(json.loads(capsys.readouterr().out))
    assert {one[0] for told in expected.values() for one in told} == set(DEEP)
    assert shown(path, tshark) == expected


@requires_corpus
@every_tshark
def test_nothing_is_found_in_the_page_tables_of_a_real_guest(tshark: Tshark) -> None:
    (capture,) = [one for one in samples("capture") if one.name.startswith("pv-")]
    path = capture.unpacked()
    assert shown(path, tshark) == {}
    assert tshark.run("-r", path, *LOOK) == tshark.run("-r", path)


@every_tshark
@pytest.mark.parametrize("accident", [captured, captured_accidents])
def test_looking_into_pages_changes_nothing_but_findings(tshark: Tshark, accident: object, tmp_path: Path) -> None:
    assert callable(accident)
    path = accident().write(tmp_path / "pages.pcap")
    plain, looked_into = (tshark.run("-r", path, "-O", "xenmig", *arguments) for arguments in ((), LOOK))
    assert plain != looked_into
    messages = [one[3] for told in verified(path).values() for one in told]
    assert without(messages, looked_into) == plain.splitlines()
    columns = tshark.run("-r", path)
    assert tshark.run("-r", path, *LOOK) == columns
