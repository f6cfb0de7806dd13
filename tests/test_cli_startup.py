"""What the plain commands import: start-up is much of their run time, so slow modules must stay out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.command import conversation
from tests.streams import guest

if TYPE_CHECKING:
    from pathlib import Path

SLOW = {"argparse", "re", "enum", "typing", "json", "dataclasses", "collections", "contextlib", "functools", "inspect"}
SLOW |= {"pathlib", "logging", "threading", "shutil", "tempfile", "datetime", "socket", "tqdm", "subprocess", "asyncio"}
# An interpreter may bring some of these by itself, for example when the package is installed for development.
PROGRAM = """
import sys
before = set(sys.modules)
from xenmig.core.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(" ".join(sorted(set(sys.modules) - before)))
sys.exit(code)
"""


def imported(*arguments: str | Path) -> set[str]:
    """The modules that a run of the command imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0
    return set(done.stderr.split())


@pytest.mark.parametrize("kind", ["HVM", "PV"])
def test_verifying_a_save_file_imports_nothing_slow(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest(kind=kind, iterations=(3000, 20), per_batch=1024).data)
    modules = imported("verify", path)
    assert "xenmig.core.cli.verify" in modules
    assert not modules & SLOW


@pytest.mark.parametrize("kind", ["HVM", "PV"])
def test_the_timeline_of_a_capture_imports_nothing_slow(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(conversation(guest(kind=kind, iterations=(3000, 20), per_batch=1024).data))
    modules = imported("timeline", path)
    assert "xenmig.core.cli.timeline" in modules
    assert not modules & SLOW


def test_verifying_a_file_does_not_load_the_code_for_captures(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest().data)
    modules = imported("verify", path)
    assert not {name for name in modules if name.endswith(("reassembly", "sources.capture", "conversation", "resync"))}


def test_only_the_command_that_runs_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(conversation(guest().data))
    modules = imported("timeline", path)
    assert "xenmig.core.cli.timeline" in modules
    assert not modules & {"xenmig.core.cli.show", "xenmig.core.cli.extract", "xenmig.core.cli.verify", "tqdm"}
