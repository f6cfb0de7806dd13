"""The commands ``records`` and ``show``: what is in a stream, record by record."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.command import conversation, xenmig
from tests.streams import (
    CPUID_POLICY,
    EMULATOR_CONTEXT,
    HVM_CONTEXT,
    MSR_POLICY,
    PAGE_DATA,
    STATIC_DATA_END,
    TSC_INFO,
    XTAB,
    StreamBuilder,
    guest,
)

if TYPE_CHECKING:
    from pathlib import Path

SECRET = b"the guest's secret "
STREAM = guest(iterations=(2500, 1030), per_batch=1024)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "stream"
    found.write_bytes(STREAM.data)
    return found


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    found = tmp_path / "capture"
    found.write_bytes(conversation(guest().data))
    return found


def number(built: StreamBuilder, type: int) -> int:
    """The number of the first record of that type."""
    return [piece.type for piece in built.records].index(type)


def test_pages_of_one_pass_are_folded_into_one_line(path: Path) -> None:
    lines = [line for line in xenmig("records", path).out.splitlines() if "PAGE_DATA" in line]
    assert len(lines) == 2
    assert "x3" in lines[0]
    assert "2,500 pfns 0x0-0x9c3, 2,500 pages" in lines[0]
    assert "x2" in lines[1]
    assert "1,030 pfns" in lines[1]


def test_pages_can_be_unfolded(path: Path) -> None:
    lines = [line for line in xenmig("records", "--pages", path).out.splitlines() if "PAGE_DATA" in line]
    assert len(lines) == 5


def test_every_record_is_listed_with_number_and_name(path: Path) -> None:
    out = xenmig("records", path).out
    for piece in STREAM.records:
        if piece.type != PAGE_DATA or piece.layer != "libxc":
            index = STREAM.records.index(piece)
            assert any(line.split()[:2] == [str(index), f"0x{piece.offset:x}"] for line in out.splitlines()), piece
    assert "0x00000008 (X86_TSC_INFO)" in out


def test_pfns_come_only_on_request(tmp_path: Path) -> None:
    built = StreamBuilder().libxc().static_data(3).pages([0x10, 0x2345, XTAB | 0x777]).hvm_state().record(0)
    path = tmp_path / "stream"
    path.write_bytes(built.data)
    assert "2345 777:XTAB" not in xenmig("records", path).out
    assert "10 2345 777:XTAB" in xenmig("records", "--pfns", path).out
    assert all("pfns" not in one["fields"] for one in xenmig("records", "--json", path).lines)
    (pages,) = (one for one in xenmig("records", "--json", "--pfns", path).lines if one["name"] == "PAGE_DATA")
    assert pages["fields"]["pfns"] == [0x10, 0x2345, 0x777]
    assert pages["fields"]["page_types"] == [0, 0, 15]
    assert pages["fields"]["types"] == {"NOTAB": 2, "XTAB": 1}


def test_json_has_a_line_for_every_record_with_fixed_keys(path: Path) -> None:
    lines = xenmig("records", "--json", path).lines
    assert len(lines) == len(STREAM.records)
    for index, (one, piece) in enumerate(zip(lines, STREAM.records, strict=True)):
        assert {"record", "layer", "type", "name", "offset", "length", "frame", "time", "fields"} <= one.keys()
        assert (one["record"], one["layer"], one["type"], one["offset"]) == (
            index,
            piece.layer,
            piece.type,
            piece.offset,
        )
        assert one["frame"] is None
    tsc = lines[number(STREAM, TSC_INFO)]
    assert tsc["fields"]["khz"] == 2_400_000
    assert tsc["names"]["mode"] == "DEFAULT"


def test_json_of_a_capture_has_frames_and_times(capture: Path) -> None:
    first = xenmig("records", "--json", capture).lines[0]
    assert first["frame"] == 5
    assert first["time"] == pytest.approx(1_700_000_000.004)


def test_streams_of_a_capture_can_be_told_apart_and_chosen(capture: Path) -> None:
    out = xenmig("records", capture).out
    assert "stream 1: what the receiver says, 10.0.0.2:8002 -> 10.0.0.1:40000" in out
    assert "stream 2: the guest's stream, 10.0.0.1:40000 -> 10.0.0.2:8002" in out
    assert "message: permission" in out
    only = xenmig("records", "--stream", "1", capture).out
    assert "message: banner" in only
    assert "PAGE_DATA" not in only
    result = xenmig("records", "--stream", "9", capture)
    assert result.code == 2
    assert "there is no stream 9" in result.err


def test_a_truncated_record_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    piece = STREAM.at(HVM_CONTEXT)
    path.write_bytes(STREAM.data[: piece.offset + 20])
    result = xenmig("records", path)
    assert result.code == 0
    assert f"truncated: 20 bytes are there and {len(piece.data) - 20:,} missing" in result.out.splitlines()[-1]
    last = xenmig("records", "--json", path).lines[-1]
    assert last["truncated"] == {"available": 20, "missing": len(piece.data) - 20}


def test_an_unknown_record_is_shown_and_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    built = StreamBuilder().libxc().record(0x80000123, b"\xca\xfe\xba\xbe").record(0x123, b"\1").record(0)
    path.write_bytes(built.data)
    out = xenmig("records", path).out
    assert "0x80000123 (unknown, optional)" in out
    assert "ca fe ba be" in out
    assert "0x00000123 (unknown, mandatory)" in out


@pytest.mark.parametrize(
    ("type", "words"),
    [
        (TSC_INFO, ["khz", "2,400,000 kHz", "TSC frequency", "0 (DEFAULT)", "X86_TSC_INFO"]),
        (CPUID_POLICY, ["leaves: 2", "68747541", "00000001           00800f12  00000000  00000000  00000000"]),
        (MSR_POLICY, ["0x000000ce", "0000000080000000", "PLATFORM_INFO"]),
        (STATIC_DATA_END, ["STATIC_DATA_END"]),
        (EMULATOR_CONTEXT, ["QEMU_UPSTREAM", "magic", "0x5145564d"]),
    ],
)
def test_show_gives_every_field_of_a_record(path: Path, type: int, words: list[str]) -> None:
    records = [piece for piece in STREAM.records if piece.layer == ("libxl" if type == EMULATOR_CONTEXT else "libxc")]
    index = STREAM.records.index(next(piece for piece in records if piece.type == type))
    result = xenmig("show", path, str(index))
    assert result.code == 0
    for word in words:
        assert word in result.out


def test_show_gives_the_headers(path: Path) -> None:
    out = xenmig("show", path, "header").out
    for words in ("xl save header", "0x00000003 (JSON, STREAMv2)", '"name": "guest"', "libxl header", "xen_minor"):
        assert words in out
    layers = [one["layer"] for one in xenmig("show", "--json", path, "header").lines]
    assert layers == ["xl", "xl", "libxl", "libxc", "libxc"]


def test_show_prints_raw_bytes_on_request(path: Path) -> None:
    index = str(number(STREAM, TSC_INFO))
    raw = struct.pack("<IIQ", 0, 2_400_000, 12_345_678)[4:16].hex(" ")
    assert raw not in xenmig("show", path, index).out
    assert raw in xenmig("show", "--raw", path, index).out


def test_show_names_the_numbers_that_there_are(path: Path) -> None:
    result = xenmig("show", path, "999")
    assert result.code == 2
    assert f"numbered from 0 to {len(STREAM.records) - 1}" in result.err


def test_show_in_a_capture_means_the_guests_stream_unless_told_otherwise(capture: Path) -> None:
    assert "X86_CPUID_POLICY" in xenmig("show", capture, "1").out
    result = xenmig("show", "--stream", "1", capture, "1")
    assert result.code == 2
    assert "no records" in result.err


@pytest.mark.parametrize("command", [["records", "--pages"], ["records", "--pfns"], ["records", "--json"]])
def test_records_never_show_guest_memory(tmp_path: Path, command: list[str]) -> None:
    path = _with_secret(tmp_path)
    result = xenmig(*command, path)
    assert "PAGE_DATA" in result.out
    assert "secret" not in result.out
    assert SECRET.hex() not in result.out.replace(" ", "")


@pytest.mark.parametrize("options", [[], ["--raw"], ["--json"], ["--json", "--raw", "--pfns"]])
def test_show_never_shows_guest_memory(tmp_path: Path, options: list[str]) -> None:
    result = xenmig("show", *options, _with_secret(tmp_path), "3")
    assert "PAGE_DATA" in result.out
    assert "secret" not in result.out
    assert SECRET.hex() not in result.out.replace(" ", "")


def _with_secret(folder: Path) -> Path:
    built = StreamBuilder().libxc().static_data(3).pages(range(4), SECRET).hvm_state().record(0)
    assert number(built, PAGE_DATA) == 3
    path = folder / "stream"
    path.write_bytes(built.data)
    return path
