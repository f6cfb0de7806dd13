"""The parser half of the dissector under plain Lua, of the oldest and of the newest version that Wireshark embeds."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.tshark import DISSECTOR, ROOT

FOLDER = ROOT / "tests" / "lua"
TESTS = sorted(FOLDER.glob("test_*.lua"))


@pytest.mark.parametrize("lua", ["lua5.2", "lua5.4"])
@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.stem)
def test_the_parser_under_plain_lua(lua: str, test: object) -> None:
    if shutil.which(lua) is None:
        pytest.skip(f"{lua} is not installed")
    done = subprocess.run([lua, str(test), str(DISSECTOR), str(FOLDER)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"checks passed, 0 failed" in done.stdout


def test_there_are_tests_in_lua() -> None:
    assert len(TESTS) >= 4
