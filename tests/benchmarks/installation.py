"""xenmig and verify-stream-v2 as their users have them: installed, byte-compiled, started by the same interpreter."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from tests import peer
from tests.corpus import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "core", "scapy_layers", "wireshark")
"What the package is made of; copied first, since building leaves files beside it."


class Installation:
    """A virtual environment with nothing but xenmig, and the peer beside it."""

    def __init__(self, folder: Path) -> None:
        """Install into ``folder`` what the repository holds now."""
        environment = folder / "venv"
        self.python = str(environment / "bin" / "python")
        self.command = str(environment / "bin" / "xenmig")
        self._install(environment, folder / "sources")
        self.peer = folder / "peer"
        "The peer's packages; its program lies in it too."
        self.peer_script = str(self.peer / "verify-stream-v2")
        self.peer_version = self._copy_peer()

    def _install(self, environment: Path, sources: Path) -> None:
        shutil.rmtree(sources, ignore_errors=True)
        sources.mkdir(parents=True)
        for name in BUILT_FROM:
            item = ROOT / name
            if item.is_dir():
                shutil.copytree(
                    item, sources / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
                )
            else:
                shutil.copy(item, sources / name)
        venv.create(environment, clear=True, with_pip=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        pip = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", str(sources)], env=clean, check=True)
        # Before Python 3.12 an environment begins with setuptools, whose .pth file runs code at every start.
        subprocess.run([*pip, "uninstall", "--yes", "setuptools"], env=clean, check=True, stderr=subprocess.DEVNULL)
        hooks = [str(hook) for hook in environment.glob("lib/*/site-packages/*.pth")]
        if hooks:
            raise AssertionError(f"every start of Python in this environment runs {hooks}")

    def _copy_peer(self) -> str:
        """Copy the peer to where its byte code may be written, as installing Debian's package does."""
        script = peer._script()
        shutil.rmtree(self.peer, ignore_errors=True)
        shutil.copytree(peer._library(script), self.peer, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        shutil.copy(script, self.peer_script)
        for module in self.peer.glob("xen/**/*.py"):
            py_compile.compile(str(module), doraise=False)
        return next((part for part in script.parts if part.startswith("xen-utils-")), "xen-utils")

    def verify(self, path: Path | str) -> tuple[str, ...]:
        """The command that verifies a stream or capture."""
        return (self.command, "verify", str(path))

    def timeline(self, path: Path | str, *options: str) -> tuple[str, ...]:
        """The command that shows a timeline."""
        return (self.command, "timeline", *options, str(path))

    def peer_verify(self, path: Path | str, format: str = "libxc") -> tuple[str, ...]:
        """The peer's command; without its warnings, and without reading site hooks of the caller's environment."""
        return (self.python, "-W", "ignore", self.peer_script, "-f", format, "-i", str(path))


def version(*command: str) -> str:
    """The first line that a tool says of its version, or that it is not here."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"{command[0]} is not here"
    return (done.stdout or done.stderr).partition("\n")[0].strip()


def machine() -> str:
    """The processors and the interpreter."""
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    name = sys.implementation.name
    return f"{os.cpu_count()} processors ({model}){load}; {name} {'.'.join(map(str, sys.version_info[:3]))}"
