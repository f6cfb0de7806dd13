"""The command ``verify``: verdicts, exit codes, JSON, and the options of verify-stream-v2."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.command import conversation, xenmig
from tests.corpus import pcaps
from tests.streams import CHECKPOINT_STATE, HVM_PARAMS, answers, back_channel, guest

if TYPE_CHECKING:
    from pathlib import Path

SOUND = guest()
BROKEN = SOUND.replaced(SOUND.at(HVM_PARAMS).offset + 12, b"\x01")
"The reserved word of HVM_PARAMS is not zero."


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound"
    path.write_bytes(SOUND.data)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken"
    path.write_bytes(BROKEN)
    return path


def test_a_sound_stream_is_one_line_and_0(sound: Path) -> None:
    result = xenmig("verify", sound)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{sound}: sound: xl > libxl > libxc, x86 HVM guest from Xen 4.17, ")
    assert result.out.endswith(f" {len(SOUND.records)} records, {len(SOUND.data):,} bytes\n")


def test_an_error_is_1_and_says_where(broken: Path) -> None:
    result = xenmig("verify", broken)
    assert result.code == 1
    offset = SOUND.at(HVM_PARAMS).offset + 12
    assert f"{broken}: not sound: 1 error\n" in result.out
    assert f"0x{offset:x} ({offset:,})" in result.out or f"0x{SOUND.at(HVM_PARAMS).offset:x}" in result.out


def test_the_worst_of_several_inputs_counts(sound: Path, broken: Path) -> None:
    assert xenmig("verify", broken, sound).code == 1
    assert xenmig("verify", sound, sound).code == 0
    result = xenmig("verify", sound, sound.parent / "missing", broken)
    assert result.code == 2
    assert "not sound" in result.out
    assert "no such file" in result.err


@pytest.mark.parametrize("cut", [40, 60, len(SOUND.data) // 2, len(SOUND.data) - 1])
def test_a_truncated_stream_is_an_error_that_says_how_much_is_missing(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut"
    path.write_bytes(SOUND.data[:cut])
    result = xenmig("verify", path, "--json")
    assert result.code == 1
    (stream,) = result.json["streams"]
    assert stream["complete"] is False
    assert stream["bytes"] == cut
    assert any("missing" in finding["message"] for finding in stream["findings"])


def test_json_has_the_keys_that_scripts_rely_on(sound: Path, broken: Path) -> None:
    result = xenmig("verify", "--json", sound, broken, sound.parent / "missing")
    good, bad, missing = result.lines
    for verdict in good, bad, missing:
        assert {"input", "kind", "verdict", "streams"} <= verdict.keys()
    assert [one["verdict"] for one in (good, bad, missing)] == ["sound", "error", "unreadable"]
    assert good["kind"] == "stream"
    assert good["streams"][0]["layers"] == ["xl", "libxl", "libxc"]
    assert good["streams"][0]["complete"] is True
    assert good["streams"][0]["bytes"] == len(SOUND.data)
    assert good["streams"][0]["findings"] == []
    (finding,) = bad["streams"][0]["findings"]
    assert {"rule", "severity", "message", "offset", "record", "frame"} <= finding.keys()
    assert finding["severity"] == "error"
    assert finding["record"] == [piece.type for piece in SOUND.records].index(HVM_PARAMS)
    assert missing["streams"] == []


def test_a_finding_in_a_capture_has_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(conversation(BROKEN))
    result = xenmig("verify", "--json", path)
    assert result.code == 1
    sender = next(stream for stream in result.json["streams"] if stream["role"] == "sender")
    assert sender["findings"][0]["frame"] == 5


def test_the_guests_stream_comes_before_what_the_receiver_says(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(conversation(SOUND.data))
    result = xenmig("verify", "--json", path)
    assert result.code == 0
    assert [stream["role"] for stream in result.json["streams"]] == ["sender", "receiver"]


@pytest.mark.parametrize("sample", pcaps("save"), ids=str)
def test_real_save_files_are_sound_compressed_or_not(sample: object) -> None:
    from tests.corpus import Sample

    assert isinstance(sample, Sample)
    for path in (sample.path, sample.unpacked()):
        result = xenmig("verify", path)
        assert (result.code, result.err) == (0, "")


# -- the options of verify-stream-v2 ----------------------------------------------------------------------------------


def test_without_a_path_the_standard_input_is_read() -> None:
    assert xenmig("verify", input=SOUND.data).code == 0
    assert xenmig("verify", "-", input=SOUND.data).out.startswith("standard input: sound: ")
    assert xenmig("verify", "-q", input=BROKEN).code == 1


@pytest.mark.parametrize("option", ["-i", "--in"])
def test_the_input_may_be_a_file_or_a_descriptor(option: str, sound: Path) -> None:
    assert xenmig("verify", option, sound).code == 0
    with sound.open("rb") as file:
        assert xenmig("verify", option, str(file.fileno()), fds=[file.fileno()]).code == 0
    assert xenmig("verify", option, "0", input=BROKEN).code == 1
    assert xenmig("verify", option, "987").code == 2


def test_a_descriptor_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "behind something else"
    path.write_bytes(b"not a stream" + SOUND.data)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.lseek(fd, len(b"not a stream"), os.SEEK_SET)
        assert xenmig("verify", "-i", str(fd), fds=[fd]).code == 0
    finally:
        os.close(fd)


@pytest.mark.parametrize("format", ["xl", "libxl", "libxc"])
def test_the_format_may_be_given(format: str) -> None:
    for option in ("-f", "--format"):
        assert xenmig("verify", option, format, input=guest(format).data).code == 0
    other = "libxc" if format != "libxc" else "libxl"
    assert xenmig("verify", "-f", other, input=guest(format).data).code == 1


def test_quiet_prints_nothing(sound: Path, broken: Path) -> None:
    assert xenmig("verify", "-q", sound) == (0, "", "")
    assert xenmig("verify", "--quiet", broken) == (1, "", "")
    assert xenmig("verify", "-q", "-v", broken) == (1, "", "")
    assert xenmig("verify", "-q", broken.parent / "missing") == (2, "", "")


def test_verbose_lists_the_records_and_explains_the_rules(sound: Path, broken: Path) -> None:
    result = xenmig("verify", "-v", sound)
    assert "0x00000008 (X86_TSC_INFO)" in result.out
    assert "PAGE_DATA" in result.out
    assert "source: " in xenmig("verify", "--verbose", broken).out


def test_syslog_takes_the_result(sound: Path, broken: Path) -> None:
    assert xenmig("verify", "--syslog", sound) == (0, "", "")
    result = xenmig("verify", "--syslog", broken)
    assert (result.code, result.out) == (1, "")
    assert "not sound" in result.err


@pytest.mark.parametrize("layer", ["xl", "libvirt", "libxl", "libxc"])
def test_a_file_cut_inside_the_magic_number_is_a_truncated_stream(layer: str, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for there in (4, 7):
        path.write_bytes(guest(layer).data[:there])
        result = xenmig("verify", "--json", path)
        assert result.code == 1
        ((finding,),) = [stream["findings"] for stream in result.json["streams"]]
        assert finding["rule"] == "stream-truncated"
        assert f"{there} bytes of it are there" in finding["message"]


def test_what_only_a_receiver_said_is_no_verdict_on_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    path.write_bytes(answers().data)
    result = xenmig("verify", path)
    assert (result.code, result.out) == (2, "")
    assert "only what a receiver says" in result.err
    assert xenmig("verify", "--json", path).json["verdict"] == "unreadable"


def test_a_back_channel_with_an_error_is_an_error_even_alone(tmp_path: Path) -> None:
    built = back_channel(1)
    path = tmp_path / "answers"
    path.write_bytes(built.replaced(built.at(CHECKPOINT_STATE, layer="libxl").offset + 8, b"\x09"))
    result = xenmig("verify", path)
    assert result.code == 1
    assert "not sound" in result.out


def test_of_many_findings_of_one_rule_some_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    path = tmp_path / "many"
    position = SOUND.at(HVM_PARAMS).offset
    unknown = b"".join(number.to_bytes(4, "little") + bytes(4) for number in range(0x100, 0x100 + 150))
    path.write_bytes(SOUND.data[:position] + unknown + SOUND.data[position:])
    plain, verbose = xenmig("verify", path), xenmig("verify", "-v", path)
    assert "not sound: 150 errors" in plain.out
    assert plain.out.count(": record-type-unknown\n") == 20
    assert "and 130 more of record-type-unknown (-v lists 100 of them)" in plain.out
    assert verbose.out.count(": record-type-unknown\n") == 100
    assert "and 50 more of record-type-unknown\n" in verbose.out


@pytest.mark.parametrize(("wrapper", "at"), [("xl", 44), ("libvirt", 20)])
def test_a_configuration_that_is_too_long_is_reported_with_its_length(wrapper: str, at: int, tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(guest(wrapper).replaced(at, (0xFFFFFFF0).to_bytes(4, "little")))
    result = xenmig("verify", path)
    assert result.code == 1
    assert f"a {wrapper} configuration record announces 4294967280 bytes, the limit is 134217728" in result.out
