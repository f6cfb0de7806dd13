"""However a stream is cut into segments, the dissector finds what the core finds."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.dissected import core_parts, dissected_parts
from tests.migrations import Migrations, cut_at, segments
from tests.tshark import every_tshark
from tests.valid_streams import hvm, in_libxl, in_xl, page_data, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.streams import StreamBuilder
    from tests.tshark import Tshark

CONNECTIONS = 200
"The core looks at no more than 256 streams of a capture."


def assert_same(tshark: Tshark, path: Path, *arguments: str, pfns: bool = False) -> None:
    expected = core_parts(path, pfns=pfns)
    found = dissected_parts(tshark, path, *arguments, pfns=pfns)
    assert len(expected) > 5
    assert [part.place for part in found] == [part.place for part in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.fields == other.fields, one


@every_tshark
@pytest.mark.parametrize("size", [1448, 100, 9, 64000])
def test_every_kind_of_stream_in_segments_of_one_size(tshark: Tshark, size: int, tmp_path: Path) -> None:
    capture = Migrations()
    for built in streams.VARIETIES.values():
        capture.add(segments(built.data, size))
    assert_same(tshark, capture.write(tmp_path / "varieties.pcap"), pfns=True)


WRAPPERS = ("xl", "libvirt", "libxl", "libxc")
HEAD, END = 40, 8
"How far behind the beginning of a header or record, and in front of its end, a stream is cut in the suite."


def wrapped(wrapper: str) -> StreamBuilder:
    return streams.guest(wrapper, iterations=(1,), permission=wrapper == "xl")


def assert_same_cut_at(tshark: Tshark, data: bytes, places: Sequence[int], path: Path) -> None:
    for first in range(0, len(places), CONNECTIONS):
        capture = Migrations()
        for place in places[first : first + CONNECTIONS]:
            capture.add(cut_at(data, place))
        assert_same(tshark, capture.write(path))


@every_tshark
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_stream_cut_at_every_byte_of_every_header(tshark: Tshark, wrapper: str, tmp_path: Path) -> None:
    built = wrapped(wrapper)
    # Behind its own header each wrapper holds what xl does.
    pieces = built.expected if wrapper == "xl" else built.expected[:6]
    places = {
        place
        for piece in pieces
        for part in (range(piece.offset, piece.offset + HEAD), range(piece.end - END, piece.end + 1))
        for place in part
        if 0 < place < len(built.data)
    }
    assert len(places) > 100
    assert_same_cut_at(tshark, built.data, sorted(places), tmp_path / "cut.pcap")


@pytest.mark.fuzz
@pytest.mark.skipif("fuzz" not in os.environ.get("HYPOTHESIS_PROFILE", ""), reason="takes minutes: make fuzz runs it")
@every_tshark
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_stream_cut_at_every_byte_outside_guest_memory(tshark: Tshark, wrapper: str, tmp_path: Path) -> None:
    data = wrapped(wrapper).data
    page = data.index(bytes(4096)) if bytes(4096) in data else len(data)
    places = [place for place in range(1, len(data)) if not page + 16 < place < page + 4080]
    assert_same_cut_at(tshark, data, places, tmp_path / "cut.pcap")


@every_tshark
@pytest.mark.parametrize("long_header", [False, True])
def test_both_sides_of_a_checkpointed_migration(tshark: Tshark, long_header: bool, tmp_path: Path) -> None:
    forward = streams.checkpointed(colo=True).data
    back = streams.back_channel(long_header=long_header).data
    capture = Migrations()
    for size in (5, 17, 1448):
        capture.add(segments(forward, size), back)
    assert_same(tshark, capture.write(tmp_path / "colo.pcap"))


@every_tshark
@pytest.mark.parametrize("status", [0, 3])
def test_the_conversation_of_xl_migrate(tshark: Tshark, status: int, tmp_path: Path) -> None:
    capture = Migrations().add(segments(streams.guest(permission=True).data), streams.answers(status).data)
    assert_same(tshark, capture.write(tmp_path / "conversation.pcap"))


@every_tshark
def test_one_of_anything_is_in_the_singular(tshark: Tshark, tmp_path: Path) -> None:
    one = in_xl(in_libxl(hvm().replaced("page data", page_data(0)), xenstore=b"physmap"))
    data = bytes(one.inserted(record(0x80000001, b"?"), before="hvm context"))
    at = one.offset("page data")
    capture = Migrations().add(cut_at(data, 1, 40, 41, at, at + 1, at + 5, at + 6, len(data) - 1))
    first, _, second = cut_at(data, at + 100, at + 101)
    capture.add([first, second]).add(segments(data[:1])).add([*segments(data), (len(data), b"?")])
    path = capture.write(tmp_path / "singular.pcap")
    shown = tshark.run("-r", path, "-V", "-Y", "xenmig", "-O", "xenmig")
    shown += tshark.run("-q", "-o", "xenmig.summary:TRUE", "-r", path)
    assert not re.findall(r".*\b1 \w+s\b.*", shown)
    for words in (
        "1 pfn 0x3, 1 page",
        "[first 1 byte]",
        "[byte 5]",
        "[1 byte missing]",
        "bytes behind the end of the stream: 1 byte",
    ):
        assert words in shown
