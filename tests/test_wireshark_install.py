"""Putting the dissector where Wireshark finds it, and opening captures with pyshark."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.migrations import Migrations, segments
from tests.tshark import DISSECTOR, NOT_ROOT, ROOT, every_tshark
from xenmig.wireshark import install
from xenmig.wireshark.facts import PHASES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

PROFILE = ROOT / "wireshark" / "profile"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a user who is not root."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    data = streams.guest(permission=True).data
    return Migrations().add(segments(data), streams.answers(3).data).write(tmp_path / "migration.pcap")


@pytest.fixture
def wrapper(tshark: Tshark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One program named tshark: a tshark of another release is several words and an environment."""
    program = tmp_path / "programs" / "tshark"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec " + " ".join(tshark.command) + ' "$@"\n')
    program.chmod(0o755)
    for name, setting in tshark.environment.items():
        monkeypatch.setenv(name, setting)
    return program


def test_installing_updating_and_removing_leave_nothing_behind(home: Path) -> None:
    assert install.install().startswith("installed: ")
    target = home / ".local" / "lib" / "wireshark" / "plugins" / "xenmig.lua"
    assert str(target) == install.path()
    assert target.read_bytes() == DISSECTOR.read_bytes()
    assert install.install().startswith("already up to date: ")
    target.write_text("-- an older one\n")
    assert install.install().startswith("updated: ")
    assert target.read_bytes() == DISSECTOR.read_bytes()
    assert install.remove().startswith("removed: ")
    assert install.remove().startswith("not installed: ")
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_profile_that_the_user_changed_stays(home: Path) -> None:
    install.install()
    colours = install.folders().configuration / "profiles" / install.PROFILE / "colorfilters"
    colours.write_text("# mine\n")
    install.install()
    assert colours.read_text() == "# mine\n"
    assert "left because it was changed" in install.remove()
    assert colours.exists()


def test_without_wireshark_the_documented_folder_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert install.path() == str(home / ".local" / "lib" / "wireshark" / "plugins" / "xenmig.lua")
    assert "neither tshark nor wireshark was found" in install.install()


def test_root_installs_for_the_whole_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program = tmp_path / "tshark"
    said = (f"Personal configuration: {tmp_path}/own", f"Global Lua Plugins: {tmp_path}/all")
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in said))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install.path() == str(tmp_path / "all" / "xenmig.lua")


@every_tshark
def test_an_installed_dissector_may_be_loaded_by_hand_as_well(tshark: Tshark, capture: Path, tmp_path: Path) -> None:
    second = tmp_path / "again.lua"
    shutil.copy(DISSECTOR, second)
    twice = tshark.run("-r", capture, "-X", f"lua_script:{second}", "-Y", "xenmig", "-O", "xenmig")
    assert twice == tshark.run("-r", capture, "-Y", "xenmig", "-O", "xenmig")


@every_tshark
@pytest.mark.parametrize("name", ["colorfilters", "dfilter_buttons"])
def test_every_filter_of_the_profile_is_understood(tshark: Tshark, name: str, capture: Path) -> None:
    lines = [line for line in (PROFILE / name).read_text().splitlines() if not line.startswith("#")]
    column = {"colorfilters": ("@", 2), "dfilter_buttons": ('","', 2)}[name]
    for line in lines:
        expression = line.split(column[0])[column[1]]
        assert "xenmig" in expression
        expression = expression.replace(r"\x22", '"')
        assert set(re.findall('xenmig.phase == "(.*?)"', expression)) <= set(PHASES.values())
        tshark.run("-r", capture, "-Y", expression)


@every_tshark
def test_the_fields_of_the_graphs_are_there(tshark: Tshark, capture: Path) -> None:
    lines = [line for line in (PROFILE / "io_graphs").read_text().splitlines() if not line.startswith("#")]
    fields = [line.split('","')[6] for line in lines]
    named = [field for field in fields if field]
    assert len(named) >= 3
    rows = tshark.fields(capture, named, "-Y", "xenmig.libxc.page_data.pages")
    assert rows
    assert all(all(row) for row in rows)


@every_tshark
def test_an_installed_dissector_prints_the_table_for_any_user(
    tshark: Tshark, capture: Path, home: Path, wrapper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    assert f"asked {wrapper}" in install.install()
    said = tshark.run_installed(home, "-q", "-r", capture, "-o", "xenmig.summary:TRUE", by=NOT_ROOT)
    assert "Migration 1, tcp.stream 0, sender" in said
    assert said.count(" PAGE_DATA ") == 3
    counted = tshark.run_installed(home, "-q", "-r", capture, "-z", "expert,xenmig", by=NOT_ROOT)
    assert "the receiver reports that it could not start the guest: 3 (FAIL)" in counted


@every_tshark
def test_what_root_installs_is_loaded_for_root(
    tshark: Tshark, capture: Path, tmp_path: Path, wrapper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this takes root, and the right to mount")
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    folder = install.folders().plugins
    assert install.folders().asked == str(wrapper)
    # Another folder is laid over the machine's, for this one process: nothing is installed for anybody else.
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copy(DISSECTOR, mine)
    script = f"mount --bind '{mine}' '{folder}' && exec \"$@\""
    by = ["unshare", "--mount", "sh", "-c", script, "sh"]
    said = tshark.run_installed(tmp_path, "-q", "-r", capture, "-o", "xenmig.summary:TRUE", by=by)
    assert "Migration 1, tcp.stream 0, sender" in said


def test_each_platform_has_its_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("APPDATA", str(home / "AppData" / "Roaming"))
    found = {}
    for platform in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        where = install.folders()
        assert not where.asked
        found[platform] = [str(path.relative_to(home)) for path in (where.plugins, where.configuration)]
        assert install.install().startswith("installed: ")
        assert install.remove().startswith("removed: ")
    # Wireshark User's Guide, appendix B.
    assert found == {
        "linux": [".local/lib/wireshark/plugins", ".config/wireshark"],
        "darwin": [".local/lib/wireshark/plugins", ".config/wireshark"],
        "win32": ["AppData/Roaming/Wireshark/plugins", "AppData/Roaming/Wireshark"],
    }


PYSHARK = """
import sys
from xenmig.wireshark import open_capture
for _ in range(3):
    with open_capture(sys.argv[1], tshark_path=sys.argv[2], display_filter="xenmig.libxc.x86_tsc_info") as packets:
        for packet in packets:
            print(packet.xenmig.libxc_x86_tsc_info_khz)
"""


@every_tshark
@pytest.mark.parametrize(
    "by", [(), NOT_ROOT] if NOT_ROOT else [()], ids=lambda by: "a-user" if by else "whoever-runs-this"
)
def test_pyshark_opens_captures_with_the_dissector_loaded(
    tshark: Tshark, by: tuple[str, ...], capture: Path, wrapper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyshark")
    monkeypatch.setenv("HOME", str(tmp_path))
    # In a process of its own: the event loop that pyshark leaves behind writes to a closed descriptor at each SIGCHLD.
    done = subprocess.run(
        [*by, sys.executable, "-c", PYSHARK, capture, wrapper], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Lua" not in done.stderr
    assert len(set(done.stdout.split())) == 1
    assert [int(frequency) > 0 for frequency in done.stdout.split()] == [True] * 3
