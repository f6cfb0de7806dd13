"""xenmig as an extension of Scapy, as an installed package is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.corpus import ROOT
from xenmig import __version__

if TYPE_CHECKING:
    from pathlib import Path

METADATA = f"""Metadata-Version: 2.4
Name: xenmig
Version: {__version__}
License-Expression: GPL-2.0-or-later
"""


def scapy(folder: Path, program: str) -> str:
    """What a program prints in a process of its own, in which xenmig is installed."""
    installed = folder / f"xenmig-{__version__}.dist-info"
    installed.mkdir(exist_ok=True)
    (installed / "METADATA").write_text(METADATA)
    (installed / "top_level.txt").write_text("xenmig\n")
    paths = [str(folder), str(ROOT / "src")]
    begin = f"import sys; sys.path[:0] = {paths!r}\nfrom scapy.all import *\nconf.interactive = False\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + program], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installed_package_loads_as_an_extension(tmp_path: Path) -> None:
    printed = scapy(
        tmp_path,
        "conf.exts.load('xenmig'); load_contrib('xenmig')\n"
        "print(conf.exts.exts[0].name, conf.exts.exts[0].version)\n"
        "print(len(bytes(LibxcX86TscInfo(khz=5))), MigrationReader.__name__)",
    )
    assert printed.splitlines() == [f"xenmig {__version__}", "32 MigrationReader"]


def test_classes_exist_once_however_they_are_loaded(tmp_path: Path) -> None:
    printed = scapy(
        tmp_path,
        "from xenmig.scapy_layers.layers import LibxcEnd as imported\n"
        "conf.exts.load('xenmig'); load_contrib('xenmig'); load_contrib('xenmig')\n"
        "import scapy.contrib.xenmig as contrib\n"
        "print(LibxcEnd is imported, contrib.LibxcEnd is imported)\n"
        "print(sum(layer.__name__ == 'LibxcEnd' for layer in conf.layers))",
    )
    assert printed.splitlines() == ["True True", "1"]


def test_explore_shows_the_classes_of_the_extension(tmp_path: Path) -> None:
    printed = scapy(tmp_path, "conf.exts.load('xenmig')\nexplore('xenmig')")
    assert "LibxcPageData" in printed
    assert "libxc PAGE_DATA" in printed


def test_nothing_is_bound_to_tcp_before_somebody_asks(tmp_path: Path) -> None:
    printed = scapy(
        tmp_path,
        "before = list(TCP.payload_guess)\n"
        "conf.exts.load('xenmig'); load_contrib('xenmig')\n"
        "print(TCP.payload_guess == before)\n"
        "bind(8002)\n"
        "print(len(TCP.payload_guess) - len(before))",
    )
    assert printed.splitlines() == ["True", "2"]


@pytest.mark.parametrize("module", ["xenmig", "xenmig.core.decode.reading", "xenmig.core.cli.main"])
def test_scapy_is_not_imported_by_anything_else(module: str) -> None:
    program = f"import sys, {module}; print([name for name in sys.modules if name.startswith('scapy')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert done.stdout.strip() == "[]"


def test_the_shell_opens_with_everything_loaded_and_the_path_read(tmp_path: Path) -> None:
    printed = scapy(
        tmp_path,
        "from xenmig.scapy_layers import shell\n"
        "from xenmig.scapy_layers.recipe import Recipe\n"
        "Recipe(pages=8).write('x.xlsave')\n"
        "names = shell.session('x.xlsave')\n"
        "print(names['reader'], len(names['stream']), names['LibxcEnd'].__name__)\n"
        "print(shell.greeting(names))\n"
        "print(shell.greeting(shell.session()))",
    )
    lines = printed.splitlines()
    assert lines[0] == "<MigrationReader x.xlsave: stream> 16 LibxcEnd"
    assert len(lines) == 1 + 3 + 3
    assert "x.xlsave: 16 packets" in lines[1]
    assert all(len(line) <= 120 for line in lines)


def test_the_shell_greets_and_runs_what_is_typed(tmp_path: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n"
    program += "from xenmig.scapy_layers import shell; sys.exit(shell.run())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="print('typed', len(stream), type(IP()/TCP()).__name__, LibxcEnd.__name__)\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "typed 16 IP LibxcEnd" in done.stdout
    assert done.stdout.count("made from a Recipe: 16 packets") == 1


def test_what_the_greeting_proposes_works(tmp_path: Path) -> None:
    printed = scapy(
        tmp_path,
        "from xenmig.scapy_layers import shell\n"
        "import re\n"
        "names = shell.session()\n"
        "for proposed in re.findall(r'(?:stream|write_capture)[.\\[(][^:]*?\\)(?:\\.\\w+\\([^)]*\\))?(?=,|$|\\n)',"
        " shell.greeting(names)):\n"
        "    eval(proposed, names)\n"
        "    print(proposed)",
    )
    assert "write_capture" in printed
    assert "stream.first(" in printed
    assert (tmp_path / "x.xlsave").stat().st_size > 8 * 4096
    assert (tmp_path / "x.pcap").stat().st_size > 8 * 4096
