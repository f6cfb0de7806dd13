"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from scapy.config import conf

from tests.corpus import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_ONLY_FIRST_FAILURE


def test_the_walk_through_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.symlink(ROOT / "pcaps", tmp_path / "pcaps")
    command = tmp_path / "xenmig"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(ROOT / 'src')!r}]\n"
        "from xenmig.core.cli.main import script\nscript()\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(conf, "interactive", False)
    from scapy.layers.inet import TCP

    before = list(TCP.payload_guess)
    try:
        result = doctest.testfile(str(ROOT / "docs" / "scapy.md"), module_relative=False, optionflags=FLAGS)
    finally:
        TCP.payload_guess[:] = before
    assert result.failed == 0
    assert result.attempted > 40


def test_the_campaign_in_scapys_own_style_passes(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "scapy.tools.UTscapy",
        "-t",
        str(ROOT / "tests" / "xenmig.uts"),
        "-f",
        "text",
        "-N",
    ]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "FAILED=0" in printed
    assert "PASSED=0" not in printed
