"""``xenmig report``: which files it writes, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.command import COMMAND, conversation, xenmig
from tests.reports import parsed, report
from tests.streams import guest
from xenmig.core.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

STREAM = guest(iterations=(100, 60, 20), per_batch=1024).data
CAPTURE = conversation(STREAM)
NO_CAPTURE_OF_XEN = conversation(b"GET / HTTP/1.1\r\n\r\n" * 100, said=())


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.pcap"
    path.write_bytes(CAPTURE)
    return path


def test_the_page_goes_where_it_is_asked_to(capture: Path, tmp_path: Path) -> None:
    result = xenmig("report", capture, "-o", tmp_path / "report.html")
    assert (result.code, result.out, result.err) == (0, "", "")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    parsed(page)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["capture.pcap", "report.html"]
    piped = xenmig("report", "-", "-o", "-", input=CAPTURE)
    assert (piped.code, piped.err) == (0, "")
    assert "Migration of guest" in piped.out


def test_a_home_that_cannot_be_written_to_and_a_broken_configuration_of_matplotlib_do_not_matter(
    capture: Path, tmp_path: Path
) -> None:
    (tmp_path / "matplotlibrc").write_text("axes.grid: no boolean\n")
    environment = {**os.environ, "HOME": "/proc/nowhere", "MATPLOTLIBRC": str(tmp_path)}
    command = [*COMMAND, "report", str(capture), "-o", str(tmp_path / "report.html")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_what_is_not_installed_is_named_with_the_way_to_install_it(missing: str, capture: Path, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from xenmig.core.cli.main import script; script()"
    command = [sys.executable, "-c", code, "report", str(capture), "-o", str(tmp_path / "report.html")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"xenmig: {missing}: is not installed: pip install 'xenmig[report]'\n"
    assert not (tmp_path / "report.html").exists()


def test_no_other_command_imports_what_only_the_report_needs(capture: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = sys.modules['jinja2'] = sys.modules['numpy'] = None;"
    code += "from xenmig.core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    for command in ("info", "verify", "records", "timeline"):
        done = subprocess.run(
            [sys.executable, "-c", code, command, capture], capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_the_input_is_never_written_over(link: object, capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = capture
    if callable(link):
        output = capture.with_name("link")
        link(capture, output)
    assert main(["report", str(capture), "-o", str(output)]) == 2
    assert "is the input" in capsys.readouterr().err
    assert capture.read_bytes() == CAPTURE
    with capture.open("rb") as piped:
        done = subprocess.run([*COMMAND, "report", "-", "-o", output], stdin=piped, capture_output=True, check=False)
    assert done.returncode == 2
    assert capture.read_bytes() == CAPTURE


def test_an_interrupted_run_leaves_the_old_page_and_nothing_else(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "report.html").write_text("the old page")

    def interrupt(source: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.MonkeyPatch.context() as patched:
        # The command drops its output then, which is not wanted of the test's own.
        patched.setattr("xenmig.core.cli.main._drop_output", lambda: None)
        assert main(["report", str(capture), "-o", str(folder / "report.html")]) == 130
    assert [one.name for one in folder.iterdir()] == ["report.html"]
    assert (folder / "report.html").read_text() == "the old page"


def test_a_page_that_cannot_be_written_is_a_line_and_no_traceback(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command drops its output then, which is not wanted of the test's own.
    monkeypatch.setattr("xenmig.core.cli.main._drop_output", lambda: None)
    for output, reason in ((tmp_path / "nowhere" / "report.html", "No such file"), (tmp_path, "Is a directory")):
        assert main(["report", str(capture), "-o", str(output)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert reason in error


def test_an_input_without_a_migration_makes_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for data, said in ((NO_CAPTURE_OF_XEN, "no migration"), (b"hello" * 100, "neither"), (b"", "")):
        path = tmp_path / "input"
        path.write_bytes(data)
        assert main(["report", str(path), "-o", str(tmp_path / "report.html")]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
        assert [one.name for one in tmp_path.iterdir()] == ["input"]


def test_a_capture_that_is_cut_inside_a_packet_makes_a_page_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(CAPTURE[:-7])
    root = parsed(report(path, tmp_path / "report.html", code=2))
    (notice,) = root.all("p", "notice")
    assert "the capture file ends inside this frame" in notice.text


@pytest.mark.parametrize("format", ["svg", "png"])
def test_each_plot_is_a_file_on_request(format: str, capture: Path, tmp_path: Path) -> None:
    root = parsed(report(capture, tmp_path / "report.html", "--plots", str(tmp_path / "plots"), "--format", format))
    files = sorted((tmp_path / "plots").iterdir())
    assert len(files) == len(list(root.all("figure")))
    assert "migration-1-iterations." + format in [one.name for one in files]
    for file in files:
        data = file.read_bytes()
        if format == "png":
            assert data.startswith(b"\x89PNG\r\n\x1a\n")
        else:
            assert ET.fromstring(data).tag == "{http://www.w3.org/2000/svg}svg"
