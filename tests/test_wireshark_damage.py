"""Captures that lack segments, hold them twice or in another order, begin in the middle, or were damaged."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.dissected import dissected_parts
from tests.migrations import MSS, Migrations, segments
from tests.tshark import every_tshark

if TYPE_CHECKING:
    from pathlib import Path

    from tests.streams import StreamBuilder
    from tests.tshark import Tshark

OUT_OF_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")
HEADER = 16
"Bytes of a PAGE_DATA that are its header: the record's, the count and a reserved word."


@cache
def live() -> StreamBuilder:
    """A live migration of some MiB; batches are smaller than Xen's, so that there are more of them."""
    return streams.guest(iterations=(1200, 300, 100, 20), per_batch=64, permission=True)


def records_of(tshark: Tshark, path: Path, *arguments: str) -> set[int]:
    """Where the records are that the dissector shows."""
    return {part.offset for part in dissected_parts(tshark, path, *arguments) if part.kind.endswith(".record")}


def truth() -> set[int]:
    return {piece.offset for piece in live().records}


def page_segments() -> list[tuple[int, bytes]]:
    """The segments that hold nothing but guest memory."""
    found = []
    for offset, data in segments(live().data):
        end = offset + len(data)
        for piece in live().records:
            words_end = piece.offset + HEADER + 8 * 64
            if piece.type == streams.PAGE_DATA and words_end <= offset and end <= piece.end:
                found.append((offset, data))
    return found


@every_tshark
def test_every_record_is_found_where_page_segments_are_missing(tshark: Tshark, tmp_path: Path) -> None:
    chance = random.Random(1)
    pages = page_segments()
    missing = set(chance.sample([offset for offset, _ in pages], len(pages) // 50))
    assert len(missing) > 50
    kept = [one for one in segments(live().data) if one[0] not in missing]
    path = Migrations().add(kept).write(tmp_path / "lossy.pcap")
    assert records_of(tshark, path) == truth()


@every_tshark
@pytest.mark.parametrize("seed", range(4))
def test_records_are_found_again_where_header_segments_are_missing(tshark: Tshark, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    heads = {piece.offset // MSS for piece in live().records}
    missing = {number for number in heads if number and chance.random() < 0.3}
    kept = [one for one in segments(live().data) if one[0] // MSS not in missing]
    path = Migrations().add(kept).write(tmp_path / "headless.pcap")
    found = records_of(tshark, path)
    assert found <= truth()

    def there(first: int, count: int) -> bool:
        return not {first // MSS, (first + count - 1) // MSS} & missing

    # A PAGE_DATA needs one pfn behind its header to be told from guest memory.
    expected = set()
    before = False
    end = kept[-1][0] + len(kept[-1][1])
    for piece in live().records:
        if piece.end > end:
            # What no later segment completes or shows to be incomplete is not shown yet.
            break
        size = HEADER + 8 if piece.type == streams.PAGE_DATA and piece.layer == "libxc" else 8
        follows = before and there(piece.offset, 8)
        before = follows or (size > 8 and there(piece.offset, size))
        if before:
            expected.add(piece.offset)
    assert len(expected) > 10
    assert expected <= found, sorted(expected - found)


@every_tshark
def test_segments_that_come_twice_change_nothing(tshark: Tshark, tmp_path: Path) -> None:
    chance = random.Random(3)
    sent = [one for one in segments(live().data) for _ in range(1 + (chance.random() < 0.05))]
    path = Migrations().add(sent).write(tmp_path / "twice.pcap")
    assert records_of(tshark, path) == truth()
    assert records_of(tshark, path, "-o", "tcp.no_subdissector_on_error:FALSE") == truth()


@every_tshark
@pytest.mark.parametrize("among", ["all", "headers"])
def test_every_record_is_found_in_another_order_when_tcp_reassembles(
    tshark: Tshark, among: str, tmp_path: Path
) -> None:
    chance = random.Random(4)
    heads = {piece.offset // MSS for piece in live().records}
    sent = segments(live().data)
    for index in range(2, len(sent) - 1):
        if chance.random() < (0.02 if among == "all" else 0.5 * (sent[index][0] // MSS in heads)):
            sent[index], sent[index + 1] = sent[index + 1], sent[index]
    path = Migrations().add(sent).write(tmp_path / "reordered.pcap")
    assert records_of(tshark, path, *OUT_OF_ORDER) == truth()
    # Without that preference TCP keeps late segments from every dissector: what is found must still be right.
    found = records_of(tshark, path)
    assert found < truth()
    assert len(found) > len(truth()) // 2


@every_tshark
def test_a_hole_comes_with_a_hint_where_tcp_may_have_kept_the_bytes(tshark: Tshark, tmp_path: Path) -> None:
    sent = segments(live().data)
    sent[40], sent[41] = sent[41], sent[40]
    path = Migrations().add(sent).write(tmp_path / "swapped.pcap")
    (row,) = tshark.fields(path, ["xenmig.missing", "xenmig.hint"], "-Y", "xenmig.missing")
    assert row[0] == str(MSS)
    assert "tcp.reassemble_out_of_order" in row[1]
    assert "bytes missing: a later frame may" in tshark.run("-q", "-r", path, "-X", "lua_script1:tap")
    assert "bytes missing" not in tshark.run("-q", "-r", path, "-X", "lua_script1:tap", *OUT_OF_ORDER)


@every_tshark
@pytest.mark.parametrize("begin", [700_000, 3_000_001])
def test_a_connection_joined_in_the_middle_is_found_by_decode_as(tshark: Tshark, begin: int, tmp_path: Path) -> None:
    sent = [(offset, data) for offset, data in segments(live().data) if offset >= begin]
    path = Migrations().add(sent, handshake=False).write(tmp_path / "joined.pcap")
    first = sent[0][0]
    later = {piece.offset - first for piece in live().records if piece.offset >= first}
    assert records_of(tshark, path, "-d", "tcp.port==49152,xenmig") == later
    assert "xenmig" not in tshark.run("-r", path, "-T", "fields", "-e", "frame.protocols")


@every_tshark
def test_the_port_preference_works_like_decode_as(tshark: Tshark, tmp_path: Path) -> None:
    sent = [(offset, data) for offset, data in segments(live().data) if offset >= 700_000]
    path = Migrations().add(sent, handshake=False).write(tmp_path / "joined.pcap")
    by_port = records_of(tshark, path, "-o", "xenmig.ports:40000,49150-49160")
    assert len(by_port) > 5
    assert by_port == records_of(tshark, path, "-d", "tcp.port==49152,xenmig")


@every_tshark
@pytest.mark.parametrize("start", [0xFFFFFFFF - 1_000_000, 0x7FFFFFFF - 500_000, 0xFFFFFFFE])
def test_sequence_numbers_that_wrap_around_do_not_matter(tshark: Tshark, start: int, tmp_path: Path) -> None:
    path = Migrations().add(segments(live().data), start=start).write(tmp_path / "wrap.pcap")
    assert records_of(tshark, path) == truth()


@every_tshark
def test_a_capture_with_cut_packets_gives_what_they_hold(tshark: Tshark, tmp_path: Path) -> None:
    path = Migrations().add(segments(live().data)).write(tmp_path / "whole.pcap")
    from tests.captures import pcap

    capture = Migrations().add(segments(live().data))
    path.write_bytes(pcap(capture.frames, snaplen=400))
    found = records_of(tshark, path)
    assert found < truth()
    assert len(found) > 5


@every_tshark
def test_no_damage_makes_the_dissector_fail(tshark: Tshark, tmp_path: Path) -> None:
    chance = random.Random(6)
    capture = Migrations()
    for name, built in streams.VARIETIES.items():
        for _ in range(12):
            data = bytearray(built.data)
            for _ in range(chance.choice((1, 3, 20))):
                place = chance.randrange(len(data))
                kind = chance.random()
                if kind < 0.5:
                    data[place] = chance.randrange(256)
                elif kind < 0.7:
                    del data[place : place + chance.randrange(1, 40)]
                elif kind < 0.85:
                    data[place:place] = chance.randbytes(chance.randrange(1, 40))
                else:
                    data[place : place + 4] = chance.choice((b"\xff" * 4, bytes(4), b"\1\0\0\0", b"\0\0\0\x80"))
            sent = [one for one in segments(bytes(data), chance.choice((60, 700, 1448))) if chance.random() > 0.03]
            if chance.random() < 0.3:
                chance.shuffle(sent)
            capture.add(sent, streams.answers(chance.randrange(4)).data if "xl" in name else b"")
    path = capture.write(tmp_path / "damaged.pcap")
    for arguments in ((), ("-2",), OUT_OF_ORDER, ("-o", "tcp.no_subdissector_on_error:FALSE")):
        shown = tshark.run("-r", path, "-V", "-o", "xenmig.pfns:TRUE", "-Y", "xenmig", *arguments)
        assert shown.count("Xen migration:") > 500


@every_tshark
def test_what_follows_a_hole_in_a_configuration_is_shown(tshark: Tshark, tmp_path: Path) -> None:
    data = streams.StreamBuilder().xl(b"{" + b" " * 5000 + b"}\0").libxl().data
    sent = [one for one in segments(data, 700) if one[0] != 1400]
    path = Migrations().add(sent).write(tmp_path / "holed.pcap")
    shown = tshark.run("-r", path, "-V", "-Y", "xenmig")
    assert "xl optional data continued" in shown
