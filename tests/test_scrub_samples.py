"""The copy of every real capture and save file says the same as the original, and holds none of its memory."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import random
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import pytest

from tests.corpus import Sample, pcaps, requires_corpus, sample, samples
from tests.scrubs import scrubbed
from xenmig.core.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAMPLES = samples()
# The others of the corpus are like one of these.
CAPTURES = [one for one in samples("capture") if "32M-mig-mtu65536" not in one.name and "vvv" not in one.name]
SEEN = (
    "frame.time_epoch", "frame.len", "frame.cap_len", "eth.src", "ip.src", "ip.id", "ip.checksum.status", "tcp.seq",
    "tcp.ack", "tcp.len", "tcp.flags", "tcp.window_size", "tcp.checksum.status", "tcp.analysis.flags",
)  # fmt: skip
"What tshark is asked for of each frame."


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sample], Path]:
    """Makes the copy of a sample, once."""
    made: dict[str, Path] = {}
    folder = tmp_path_factory.mktemp("copies")

    def copy_of(one: Sample) -> Path:
        if one.name not in made:
            summary = scrubbed(one.unpacked(), folder / one.name)
            assert summary.records > 40
            made[one.name] = folder / one.name
        return made[one.name]

    return copy_of


def said(path: Path, *arguments: str) -> str:
    """What the command prints of a file, run in this process, and with its exit code."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main([*arguments, str(path)])
    return f"{code}\n{out.getvalue()}".replace(json.dumps(str(path)), '""').replace(str(path), "")


def pages(stream: bytes) -> Iterator[tuple[int, int]]:
    """Where guest memory lies in a stream of xl or libvirt, found by a plain walk over its records."""
    at = stream.index(b"LibxlFmt") + 16
    libxc = False
    while at + 8 <= len(stream):
        kind, length = (int.from_bytes(stream[at + n : at + n + 4], "little") for n in (0, 4))
        if libxc and kind == 1:
            count = int.from_bytes(stream[at + 8 : at + 12], "little")
            yield at + 16 + 8 * count, min(at + 8 + length, len(stream))
        at += 8 + (length + 7 & ~7)
        if not libxc and kind == 1:
            libxc, at = True, at + 40
        elif libxc and kind in (0, 0xE):
            libxc = False
        elif not libxc and kind == 4:
            libxc = True
        elif not libxc and kind == 0:
            return


def with_zeros(stream: bytes) -> bytes:
    expected = bytearray(stream)
    for start, end in pages(stream):
        expected[start:end] = bytes(end - start)
    return bytes(expected)


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_records_timeline_and_verdict_are_those_of_the_original(one: Sample, copies: Callable[[Sample], Path]) -> None:
    copy = copies(one)
    assert copy.stat().st_size == one.unpacked().stat().st_size
    for arguments in (["records", "--json"], ["timeline", "--json"], ["verify", "--json"]):
        assert said(copy, *arguments) == said(one.unpacked(), *arguments)


@pytest.mark.parametrize("one", SAMPLES, ids=str)
def test_without_configuration_and_state_the_verdict_is_still_that_of_the_original(one: Sample, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    scrubbed(one.unpacked(), copy, configuration=True, state=True)
    assert said(copy, "verify", "--json") == said(one.unpacked(), "verify", "--json")


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.kind == "save" and "768M" not in one.name], ids=str)
def test_nothing_but_guest_memory_is_removed_from_a_save_file(one: Sample, copies: Callable[[Sample], Path]) -> None:
    assert copies(one).read_bytes() == with_zeros(one.unpacked().read_bytes())


@pytest.mark.skipif(
    shutil.which("tcpflow") is None and os.environ.get("CI") != "true", reason="tcpflow is not here (make tools)"
)
@pytest.mark.parametrize("one", CAPTURES, ids=str)
def test_tcpflow_takes_the_same_bytes_out_of_the_copy_but_for_guest_memory(
    one: Sample, copies: Callable[[Sample], Path], tmp_path: Path
) -> None:
    copy = copies(one)
    for name, path in ("old", one.unpacked()), ("new", copy):
        report = ["-X", str(tmp_path / "report.xml")]
        subprocess.run(["tcpflow", "-r", path, "-o", tmp_path / name, *report], check=True, capture_output=True)
    flows = sorted(os.listdir(tmp_path / "old"))
    assert flows == sorted(os.listdir(tmp_path / "new"))
    migrations = 0
    for flow in flows:
        old, new = (tmp_path / "old" / flow).read_bytes(), (tmp_path / "new" / flow).read_bytes()
        if b"LibxlFmt" in old[:8192]:
            migrations += 1
            assert hashlib.sha256(new).digest() == hashlib.sha256(with_zeros(old)).digest()
        elif old.startswith(b"xl migration"):
            assert new == old
        else:
            # Another protocol: what tells which one stays.
            assert new == old[:12] + bytes(len(old) - 12)
    assert migrations


@pytest.mark.skipif(
    shutil.which("tshark") is None and os.environ.get("CI") != "true", reason="tshark is not here (make tools)"
)
@pytest.mark.parametrize("one", CAPTURES, ids=str)
def test_tshark_sees_the_same_frames_and_the_same_checksums_right_and_wrong(
    one: Sample, copies: Callable[[Sample], Path]
) -> None:
    copy = copies(one)
    wanted = [word for field in SEEN for word in ("-e", field)]
    checked = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    seen = [
        subprocess.run(
            ["tshark", "-n", "-r", path, *checked, "-T", "fields", *wanted], check=True, capture_output=True
        ).stdout
        for path in (one.unpacked(), copy)
    ]
    assert seen[0].count(b"\n") > 1000
    assert seen[0] == seen[1]


@requires_corpus
def test_no_piece_of_a_page_is_anywhere_in_the_copy_of_a_capture_with_retransmissions(
    copies: Callable[[Sample], Path],
) -> None:
    one = sample("hvm-4.17-32M-mig-mtu1500.pcap")
    original, left = one.unpacked().read_bytes(), copies(one).read_bytes()
    chosen = random.Random(1)
    looked_for = 0
    while looked_for < 12:
        at = chosen.randrange(len(original) - 64)
        piece = original[at : at + 64]
        if len(set(piece)) > 24 and left[at : at + 64] != piece:
            looked_for += 1
            assert piece not in left


def test_a_copy_compresses_to_little_more_than_its_pfns(tmp_path: Path) -> None:
    (one,) = pcaps("save")
    copy = tmp_path / "copy.xlsave.xz"
    scrubbed(one.unpacked(), copy)
    assert copy.stat().st_size < one.unpacked().stat().st_size / 50
    assert len(lzma.decompress(copy.read_bytes())) == one.unpacked().stat().st_size
