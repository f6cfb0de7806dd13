"""The command ``extract``: streams out of captures, byte for byte."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.command import SEGMENT, conversation, xenmig
from tests.corpus import Sample, pcaps, samples
from tests.streams import BANNER, PERMISSION, READY, REPORT, guest

if TYPE_CHECKING:
    from pathlib import Path

STREAM = guest(iterations=(90, 4), per_batch=1024).data
SENDER = "connection-1-sender-10.0.0.1.40000-10.0.0.2.8002.xlsave"
RECEIVER = "connection-1-receiver-10.0.0.2.8002-10.0.0.1.40000.bin"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "migration.pcap"
    path.write_bytes(conversation(STREAM))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder."""
    return {name: (folder / name).read_bytes() for name in os.listdir(folder)}


def test_both_directions_come_out_byte_for_byte(capture: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    result = xenmig("extract", capture, "-o", out)
    assert (result.code, result.err) == (0, "")
    assert contents(out) == {SENDER: STREAM + PERMISSION, RECEIVER: BANNER + READY + REPORT + b"\0"}
    assert SENDER in result.out
    assert f"{len(STREAM) + len(PERMISSION):,} bytes" in result.out


def test_json_names_the_files(capture: Path, tmp_path: Path) -> None:
    sender, receiver = xenmig("extract", "--json", capture, "-o", tmp_path / "out").lines
    assert sender["file"] == str(tmp_path / "out" / SENDER)
    assert (sender["role"], sender["bytes"], sender["holes"]) == ("sender", len(STREAM) + len(PERMISSION), 0)
    assert (sender["source"], sender["destination"]) == ("10.0.0.1:40000", "10.0.0.2:8002")
    assert receiver["role"] == "receiver"


def test_existing_files_are_not_written_over_unless_told_so(capture: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / SENDER).write_bytes(b"precious")
    result = xenmig("extract", capture, "-o", out)
    assert result.code == 2
    assert "exists already" in result.err
    assert contents(out) == {SENDER: b"precious"}
    assert xenmig("extract", "--force", capture, "-o", out).code == 0
    assert contents(out)[SENDER] == STREAM + PERMISSION


def test_a_hole_becomes_zeros_and_is_reported(tmp_path: Path) -> None:
    # Frames 1 to 3 are the handshake, 4 is the banner, and 6 the second segment of the stream.
    path = tmp_path / "lossy.pcap"
    path.write_bytes(conversation(STREAM, lost=[6]))
    result = xenmig("extract", "--json", path, "-o", tmp_path / "out")
    sender = result.lines[0]
    assert (sender["holes"], sender["missing"]) == (1, SEGMENT)
    expected = STREAM[:SEGMENT] + bytes(SEGMENT) + STREAM[2 * SEGMENT :] + PERMISSION
    assert (tmp_path / "out" / SENDER).read_bytes() == expected
    text = xenmig("extract", "--force", path, "-o", tmp_path / "out").out
    assert "60,000 bytes in 1 hole written as zeros" in text


def test_a_migration_joined_in_the_middle_comes_out_as_far_as_it_was_seen(tmp_path: Path) -> None:
    stream = guest(iterations=(3000,), per_batch=1024).data
    frames = 1 + -(-len(stream) // SEGMENT)
    assert frames > 60
    path = tmp_path / "joined.pcap"
    path.write_bytes(conversation(stream, lost=range(1, 8)))
    result = xenmig("extract", "--json", path, "-o", tmp_path / "out")
    assert result.code == 0
    sender = next(one for one in result.lines if one["role"] == "sender")
    assert sender["from_start"] is False
    found = (tmp_path / "out" / os.path.basename(sender["file"])).read_bytes()
    assert found == (stream + PERMISSION)[3 * SEGMENT :]


def test_other_connections_come_out_only_on_request(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.send(talk.client, b"GET / HTTP/1.1\r\n\r\n")
    talk.send(talk.server, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000))
    talk.close()
    path = tmp_path / "web.pcap"
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    result = xenmig("extract", path, "-o", tmp_path / "out")
    assert result.code == 2
    assert "no migration" in result.err
    assert contents(tmp_path / "out") == {}
    assert xenmig("extract", "--all", path, "-o", tmp_path / "out").code == 0
    assert sorted(contents(tmp_path / "out").values()) == [
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000),
    ]


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_bytes(STREAM)
    result = xenmig("extract", path, "-o", tmp_path / "out")
    assert result.code == 2
    assert "no capture but xl save file" in result.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_refused_in_one_line(capture: Path) -> None:
    result = xenmig("extract", capture, "-o", capture / "inside a file")
    assert result.code == 2
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("sample", pcaps("capture"), ids=str)
def test_extracted_streams_of_real_captures_verify_as_the_capture_does(sample: Sample, tmp_path: Path) -> None:
    assert xenmig("extract", sample.unpacked(), "-o", tmp_path).code == 0
    (sender,) = (tmp_path / name for name in os.listdir(tmp_path) if "sender" in name)
    assert xenmig("verify", sender).code == xenmig("verify", sample.unpacked()).code


@pytest.mark.skipif(
    shutil.which("tcpflow") is None and os.environ.get("CI") != "true", reason="tcpflow is not here (make tools)"
)
@pytest.mark.parametrize("sample", samples("capture"), ids=str)
def test_real_captures_come_out_as_tcpflow_has_them(sample: Sample, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir()
    assert xenmig("extract", "--all", sample.unpacked(), "-o", ours).code == 0
    subprocess.run(
        ["tcpflow", "-q", "-r", str(sample.unpacked())], cwd=theirs, check=True, capture_output=True, timeout=120
    )
    (theirs / "report.xml").unlink(missing_ok=True)
    found = sorted(hashlib.sha256((ours / name).read_bytes()).hexdigest() for name in os.listdir(ours))
    expected = sorted(hashlib.sha256((theirs / name).read_bytes()).hexdigest() for name in os.listdir(theirs))
    assert found == expected
    assert found
