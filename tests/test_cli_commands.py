"""Which commands there are, and what becomes of inputs that none of them can read."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.command import conversation, xenmig
from tests.streams import XL_MAGIC, guest
from xenmig import __version__
from xenmig.core.cli.commands import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

READERS = ("info", "verify", "records", "show", "timeline")


def read(command: str, path: Path | str, *more: str) -> tuple[str | Path, ...]:
    """The arguments that let ``command`` read ``path``."""
    return (command, path, "0", *more) if command == "show" else (command, path, *more)


def test_the_help_names_every_command() -> None:
    result = xenmig("--help")
    assert result.code == 0
    for name, summary in COMMANDS.items():
        assert f"  {name}" in result.out
        assert summary in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str) -> None:
    result = xenmig(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"usage: xenmig {command}")
    assert xenmig("help", command).out == result.out


def test_the_version_is_that_of_the_package() -> None:
    assert xenmig("--version") == (0, f"xenmig {__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"], ["verify", "--nonsense"], ["records"]])
def test_a_wrong_command_line_is_refused_with_2(arguments: list[str]) -> None:
    result = xenmig(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "xenmig" in result.err


def inputs(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that hold nothing to decode, with words that the complaint must hold."""
    talk = Talk().open()
    talk.send(talk.client, b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(100))
    talk.send(talk.server, b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(100))
    hello = b"\x16\x03\x01\x02\x00" + bytes(512)
    encrypted = Talk(ports=(40001, 8003)).open()
    encrypted.send(encrypted.client, hello)
    other = Talk().open()
    other.send(other.client, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n" + bytes(100))
    made = {
        "empty": (b"", "is empty"),
        "text": (b"# a note\nabout nothing\n" * 10, "text file"),
        "noise": (bytes(range(200, 256)) * 3, "neither a migration stream nor a capture"),
        "legacy": (struct.pack("<Q", 0x8000) + b"\xff" * 8 + bytes(100), "legacy (version 1)"),
        "legacy in xl": (XL_MAGIC + struct.pack("<4IQ", 0x01020304, 1, 0, 0, 0x8000) + bytes(99), "legacy (version 1)"),
        "xend": (b"LinuxGuestRecord" + bytes(100), "xend"),
        "xapi": (b"XenSavedDomv2-\n" + bytes(100), "XenServer"),
        "no frames": (pcap([]), "no frames"),
        "ssh": (pcap([ethernet(packet) for packet in talk.packets]), "in the clear"),
        "tls": (pcap([ethernet(packet) for packet in encrypted.packets]), "TLS"),
        "web": (pcap([ethernet(packet) for packet in other.packets]), "no migration in this capture"),
    }
    found = {}
    for name, (data, words) in made.items():
        path = folder / name
        path.write_bytes(data)
        found[name] = (path, words)
    found["directory"] = (folder, "is a directory")
    found["missing"] = (folder / "missing", "no such file")
    return found


@pytest.mark.parametrize("command", READERS)
def test_what_cannot_be_read_is_refused_in_one_line_with_2(command: str, tmp_path: Path) -> None:
    for name, (path, words) in inputs(tmp_path).items():
        result = xenmig(*read(command, path))
        assert result.code == 2, name
        complaint = result.out + result.err if command == "info" else result.err
        if (name, command) != ("legacy in xl", "show"):
            assert words in complaint, (name, complaint)
        assert str(path) in complaint, name
        if command != "info":
            assert result.err.count("\n") == 1, name
            assert result.err.startswith("xenmig: "), name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(guest().data)
    path.chmod(0)
    result = xenmig("verify", path)
    assert result.code == 2
    assert "permission" in result.err


def test_a_capture_of_other_connections_says_what_they_are_and_how_to_capture(tmp_path: Path) -> None:
    path, _ = inputs(tmp_path)["ssh"]
    result = xenmig("timeline", path)
    assert "SSH" in result.err
    assert "10.0.0.1:40000 and 10.0.0.2:8002" in result.err
    assert "xl migrate -s ''" in result.err


@pytest.mark.parametrize("command", READERS)
def test_a_capture_cut_inside_a_packet_is_shown_as_far_as_it_goes_and_refused_in_one_line(
    command: str, tmp_path: Path
) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(conversation(guest().data, close=False)[:-7])
    result = xenmig(*read(command, path))
    assert result.out
    if command == "show":
        # It has what it looks for before it comes to the end.
        assert (result.code, result.err) == (0, "")
    else:
        assert result.code == 2
        assert result.err.startswith(f"xenmig: {path}: the capture file ends inside this frame")
        assert result.err.count("\n") == 1


def test_several_inputs_of_info_are_each_answered_and_the_worst_code_counts(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(guest().data)
    bad.write_bytes(b"")
    result = xenmig("info", bad, good, "--json")
    assert result.code == 2
    first, second = result.lines
    assert first["kind"] is None
    assert second["migrations"][0]["complete"] is True
