"""The output: hostile text in it, and outputs that are closed or full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.command import COMMAND, conversation, xenmig
from tests.streams import EMULATOR_CONTEXT, XENSTORE_DATA, StreamBuilder, guest
from xenmig.core.cli.escape import escaped

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 \x9b31m \x7f \r\n\u2028 \x00end"
BAD = set(map(chr, [*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
BAD.discard("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("guest-1 \u00e4\u732b", "guest-1 \u00e4\u732b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\x00", "a\\nb\\tc\\x00"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202e\u2066\u200b\ufeff", "\\u202e\\u2066\\u200b\\ufeff"),
        ("\u2028", "\\u2028"),
        ("back\\slash", "back\\\\slash"),
        (b"\xff\xfeok", "\\xff\\xfeok"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text: str | bytes, shown: str) -> None:
    assert escaped(text) == shown


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A stream with hostile text wherever a stream has text, under a hostile name."""
    config = json.dumps({"c_info": {"name": HOSTILE, "uuid": HOSTILE, "type": HOSTILE}}, ensure_ascii=False)
    built = StreamBuilder().xl(config.encode() + b"\0").libxl().record(1).libxc().static_data(3).pages([1]).hvm_state()
    built.record(0).back_to_libxl()
    text = HOSTILE.replace("\0", "").encode()
    built.record(XENSTORE_DATA, built.pack("II", 2, 0) + text + b"\0" + text + b"\0")
    built.record(EMULATOR_CONTEXT, built.pack("II", 2, 0) + text).record(0)
    path = tmp_path / "evil\x1b[31m\u202e.xlsave"
    path.write_bytes(built.data)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["info"],
        ["verify"],
        ["verify", "-v"],
        ["records"],
        ["timeline"],
        ["info", "--json"],
        ["records", "--json"],
        ["verify", "--json"],
        ["timeline", "--json"],
    ],
    ids=" ".join,
)
def test_no_control_character_of_a_stream_reaches_the_terminal(command: list[str], hostile: Path) -> None:
    result = xenmig(*command, hostile)
    assert result.out
    assert not BAD & set(result.out + result.err)
    if "--json" in command:
        assert result.out.isascii()


@pytest.mark.parametrize("options", [[], ["--raw"], ["--json"]])
def test_no_control_character_is_shown_in_a_record(options: list[str], hostile: Path) -> None:
    count = len(xenmig("records", "--json", hostile).lines)
    for record in ["header", *map(str, range(count))]:
        result = xenmig("show", *options, hostile, record)
        assert result.code == 0
        assert not BAD & set(result.out + result.err)


def test_a_hostile_name_that_does_not_exist_is_escaped_too(tmp_path: Path) -> None:
    result = xenmig("verify", f"{tmp_path}/\x1b[31m\nxenmig: all is well")
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert not BAD & set(result.err)


@pytest.mark.parametrize("configuration", [b"[" * 100_000, b"{\xff", b"null", b'{"c_info": 7}', b"1" * 9999])
def test_a_broken_configuration_does_not_matter(configuration: bytes, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(StreamBuilder().xl(configuration + b"\0").libxl().record(1).data)
    for command, *more in (["info"], ["records"], ["timeline"], ["show", "header"]):
        result = xenmig(command, path, *more)
        assert "Traceback" not in result.err
        assert result.code == 0


def test_domain_xml_with_entities_is_not_read(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><domain><name>&b;</name></domain>\0'
    path = tmp_path / "stream"
    path.write_bytes(StreamBuilder().libvirt(bomb).libxl().record(1).data)
    result = xenmig("info", path)
    assert result.code == 0
    assert "declares entities" in result.out
    assert "aaaaaa" not in result.out


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A stream whose listing is longer than any pipe's buffer."""
    built = StreamBuilder().libxc().static_data(3)
    for _ in range(4000):
        built.tsc_info()
    path = tmp_path / "long"
    path.write_bytes(built.data)
    return path


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_goes_away_ends_the_command_quietly(long: Path, options: list[str]) -> None:
    with subprocess.Popen(
        [*COMMAND, "records", *options, str(long)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_reader_that_was_never_there_is_no_reason_to_complain(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest().data)
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen([*COMMAND, "verify", str(path)], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_the_verdict_counts_even_without_an_output(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest().data)
    script = f'exec "$@" verify {path} >&- 2>&-'
    assert subprocess.run(["sh", "-c", script, "sh", *COMMAND], check=False).returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_said_in_one_line(long: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "records", str(long)], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


@pytest.mark.parametrize("command", [["verify", "-"], ["timeline", "-"]])
def test_an_interrupt_ends_the_command_quietly(command: list[str]) -> None:
    with subprocess.Popen(
        [*COMMAND, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(guest().data[:3000])
        process.stdin.flush()
        # It is waiting for more when it has taken what is in the pipe.
        deadline = time.monotonic() + 60
        while not _is_reading(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert b"Traceback" not in out


def _is_reading(pid: int) -> bool:
    """Whether the process sleeps in a read of its standard input."""
    try:
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            return "pipe" in file.read()
    except OSError:
        time.sleep(2)
        return True


def test_a_capture_is_analysed_while_it_is_still_being_written() -> None:
    data = conversation(guest(iterations=(60, 3), per_batch=1024).data)
    with subprocess.Popen(
        [*COMMAND, "timeline", "--json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for at in range(0, len(data), 20_011):
            process.stdin.write(data[at : at + 20_011])
            process.stdin.flush()
            time.sleep(0.005)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    (migration,) = json.loads(out)["migrations"]
    assert migration["outcome"] == "completed"
    assert [one["pages"] for one in migration["iterations"]] == [60, 3]
