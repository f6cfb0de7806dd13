"""``xenmig scrub`` as a command: where it writes to, what it refuses, and what an interruption leaves behind."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import resource
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests import valid_streams
from tests.captures import Talk, ethernet, pcap
from tests.command import COMMAND, conversation, xenmig
from tests.scrubs import SECRET, copy_of, secrets_in, use_secret_pages
from tests.valid_streams import XENSTORE, hvm, in_libxl, in_xl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    use_secret_pages(monkeypatch)


def save_file() -> bytes:
    return bytes(in_xl(in_libxl(hvm(), xenstore=XENSTORE)))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "guest.xlsave"
    path.write_bytes(save_file())
    return path


def leftovers(folder: Path, *known: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {path.name for path in known}


def test_a_save_file_is_copied_with_zeros_for_its_pages(source: Path, tmp_path: Path) -> None:
    result = xenmig("scrub", source, tmp_path / "copy")
    assert (result.code, result.err) == (0, "")
    assert "records kept; " in result.out
    assert (tmp_path / "copy").read_bytes() == save_file().replace(SECRET, bytes(4096))
    assert leftovers(tmp_path, source) == {"copy"}


def test_the_summary_is_there_as_json(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    other = Talk(ports=(1234, 80)).open()
    other.send(other.client, b"GET / HTTP/1.0\r\nCookie: secret\r\n\r\n")
    whole = conversation(save_file())
    path.write_bytes(whole + pcap([ethernet(packet) for packet in other.packets])[24:])
    result = xenmig("scrub", "--json", path, tmp_path / "copy.pcap")
    assert result.code == 0
    found = result.json
    assert (found["kind"], found["streams"], found["connections"], found["other_connections"]) == ("capture", 2, 2, 1)
    assert found["memory"] == 3 * 4096
    assert found["removed"] > found["memory"] * 0.9
    assert found["incomplete"] == 0
    copy = (tmp_path / "copy.pcap").read_bytes()
    assert b"Cookie" not in copy
    assert len(copy) == path.stat().st_size


def test_a_capture_cut_inside_a_packet_is_copied_as_far_as_it_goes_and_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cut.pcap").write_bytes(conversation(save_file())[:-7])
    result = xenmig("scrub", tmp_path / "cut.pcap", tmp_path / "copy.pcap")
    assert result.code == 2
    assert "the capture file ends inside this frame" in result.err
    assert result.err.count("\n") == 1
    assert (tmp_path / "copy.pcap").stat().st_size == (tmp_path / "cut.pcap").stat().st_size


@pytest.mark.parametrize("name", ["link", "hard", "itself", "detour"])
def test_the_input_is_not_written_over_by_whatever_name(name: str, source: Path, tmp_path: Path) -> None:
    output = tmp_path / name
    if name == "link":
        output.symlink_to(source)
    elif name == "hard":
        os.link(source, output)
    elif name == "itself":
        output = source
    else:
        (tmp_path / "folder").mkdir()
        output = tmp_path / "folder" / ".." / source.name
    for force in ([], ["--force"]):
        result = xenmig("scrub", *force, source, output)
        assert (result.code, result.out) == (2, "")
        assert "is the input itself" in result.err
    assert source.read_bytes() == save_file()


def test_the_standard_input_is_not_written_over_either(source: Path) -> None:
    with source.open("rb") as file:
        done = subprocess.run(
            [*COMMAND, "scrub", "--force", "-", source], stdin=file, capture_output=True, check=False, timeout=60
        )
    assert done.returncode == 2
    assert b"is the input itself" in done.stderr
    assert source.read_bytes() == save_file()


def test_a_file_that_exists_is_replaced_only_by_force(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text("precious")
    result = xenmig("scrub", source, copy)
    assert (result.code, copy.read_text()) == (2, "precious")
    assert "--force" in result.err
    assert xenmig("scrub", "--force", source, copy).code == 0
    assert not secrets_in(copy.read_bytes())


def test_by_force_a_symbolic_link_stays_and_what_it_leads_to_is_replaced(source: Path, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert xenmig("scrub", "--force", source, tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").stat().st_size == len(save_file())


@pytest.mark.parametrize(
    ("output", "words"),
    [("", "directory"), ("missing/copy", "No such file"), ("copy.zst", ".xz"), ("dangling", "link to nothing")],
)
def test_a_place_that_cannot_be_written_to_is_refused(output: str, words: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    result = xenmig("scrub", source, tmp_path / output)
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert result.err.count("\n") == 1
    assert leftovers(tmp_path, source) == {"dangling"}


@pytest.mark.parametrize("what", ["missing", "text", "other"])
def test_what_cannot_be_read_or_holds_no_migration_leaves_nothing_behind(what: str, tmp_path: Path) -> None:
    if what == "text":
        (tmp_path / "text").write_text("a note\n" * 100)
    elif what == "other":
        (tmp_path / "other").write_bytes(pcap([ethernet(packet) for packet in Talk().open().close().packets]))
    result = xenmig("scrub", tmp_path / what, tmp_path / "copy")
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert leftovers(tmp_path) <= {what}


def test_a_pipe_is_copied_to_a_pipe(source: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "scrub", "-", "-"], input=save_file(), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert done.stdout == save_file().replace(SECRET, bytes(4096))
    assert b"records kept" in done.stderr


@pytest.mark.parametrize(
    ("ending", "unpack"), [("xz", lzma.decompress), ("gz", gzip.decompress), ("bz2", bz2.decompress)]
)
def test_the_ending_of_the_name_decides_whether_the_copy_is_compressed(
    ending: str, unpack: object, source: Path, tmp_path: Path
) -> None:
    assert callable(unpack)
    packed = tmp_path / "guest.gz"
    packed.write_bytes(gzip.compress(save_file()))
    for path in source, packed:
        copy = tmp_path / f"copy.{ending}"
        assert xenmig("scrub", "--force", path, copy).code == 0
        assert unpack(copy.read_bytes()) == save_file().replace(SECRET, bytes(4096))
    assert xenmig("scrub", packed, tmp_path / "plain").code == 0
    assert (tmp_path / "plain").read_bytes() == save_file().replace(SECRET, bytes(4096))


def test_a_device_is_written_to_and_not_replaced(source: Path) -> None:
    assert xenmig("scrub", "--force", source, "/dev/null").code == 0
    assert not os.path.isfile("/dev/null")
    result = xenmig("scrub", source, "/dev/full")
    assert result.code == 2
    assert "No space left" in result.err


def small_files_only() -> None:
    """Let the process that is about to start write no more than a page into a file."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_a_full_disk_leaves_no_half_file(source: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "scrub", str(source), str(tmp_path / "copy")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, preexec_fn=small_files_only)
    assert done.returncode == 2
    assert b"File too large" in done.stderr
    assert leftovers(tmp_path, source) == set()


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A command that is at work because its input is a named pipe in which nothing comes any more."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([*COMMAND, "scrub", pipe, tmp_path / "copy"], stderr=subprocess.PIPE)
    with pipe.open("wb", buffering=0) as end:
        end.write(valid_streams.image_header())
        deadline = time.monotonic() + 30
        while not any(path.suffix == ".part" for path in tmp_path.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process, tmp_path
    process.kill()
    process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interruption_leaves_nothing_behind(
    number: signal.Signals, code: int, waiting: tuple[subprocess.Popen[bytes], Path]
) -> None:
    process, folder = waiting
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (code, b"")
    assert leftovers(folder) == {"pipe"}


def test_a_copy_is_what_a_copy_of_it_is(tmp_path: Path) -> None:
    once = copy_of(conversation(save_file()), tmp_path)
    assert copy_of(once, tmp_path) == once
