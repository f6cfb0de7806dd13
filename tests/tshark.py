"""The tsharks that the dissector is tried on: the machine's own, and those that ``make wireshark-versions`` has made.

``python -m tests.tshark`` says which are there.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
DISSECTOR = ROOT / "wireshark" / "xenmig.lua"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenmig" / "wireshark"
"Where wireshark/versions.sh puts other releases."
RELEASES = ("trixie", "sid")
NOT_ROOT = ("unshare", "--user") if os.geteuid() == 0 else ()
"Runs a program with root's files but not as root, whose Wireshark loads no scripts of users from 4.4 on."
TIMEOUT = 240
"Seconds after which a run counts as hanging."

# What tshark says of the user it runs as is no concern of the tests.
_HARMLESS = re.compile(r"Running as user|^$|^ \*\* \(tshark|cut short in the middle|^\d+ packets? captured")


class Tshark:
    """One tshark. Tests get it by the fixture ``tshark``."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        said = self._run(["--version"]).stdout.decode()
        match = re.search(r"\(Wireshark\) (\d+)\.(\d+)\.(\d+)", said)
        assert match, f"{name}: what is this? {said[:200]}"
        self.version = (int(match[1]), int(match[2]), int(match[3]))

    def __repr__(self) -> str:
        return f"{self.name}-{'.'.join(str(number) for number in self.version)}"

    def run(self, *arguments: str | Path, dissector: bool = True, data: bytes | None = None) -> str:
        """Run with the dissector loaded; what was printed. Fails on a crash and on any sign of a Lua error."""
        script = ["-X", f"lua_script:{DISSECTOR}"] if dissector else []
        return self._checked(self._run(["-n", *script, *(str(argument) for argument in arguments)], data))

    def run_installed(self, home: Path, *arguments: str | Path, by: Sequence[str] = ()) -> str:
        """Run with what is installed below ``home``, by way of another program; fails as :meth:`run` does."""
        environment = {**os.environ, **self.environment, "HOME": str(home), "XDG_CONFIG_HOME": f"{home}/.config"}
        command = [*by, *self.command, "-n", *map(str, arguments)]
        return self._checked(
            subprocess.run(command, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
        )

    def _checked(self, done: subprocess.CompletedProcess[bytes]) -> str:
        errors = done.stderr.decode(errors="replace")
        output = done.stdout.decode(errors="replace")
        assert done.returncode in (0, 2), f"{self} ended with {done.returncode}: {errors[-2000:]}"
        unexpected = [line for line in errors.splitlines() if not _HARMLESS.search(line)]
        assert not unexpected, f"{self} said: {unexpected[:10]}"
        for sign in ("Lua Error", "_ws.lua.error", "Dissector bug", "stack traceback"):
            assert sign not in output, f"{self}: {sign} in {_around(output, sign)}"
        return output

    def fields(self, path: Path, fields: list[str], *arguments: str) -> list[list[str]]:
        """One row for each packet that ``arguments`` let through, with all values of each field between commas."""
        wanted = [word for field in fields for word in ("-e", field)]
        output = self.run("-r", path, "-T", "fields", "-E", "occurrence=a", *wanted, *arguments)
        return [line.split("\t") for line in output.splitlines()]

    def packets(self, path: Path, *arguments: str) -> Iterator[tuple[int, list[ET.Element]]]:
        """Frame number and xenmig's items of every packet that has any, from PDML."""
        output = self.run("-r", path, "-T", "pdml", *arguments)
        for packet in ET.fromstring(output).iter("packet"):
            number = packet.find("proto[@name='geninfo']/field[@name='num']")
            found = packet.findall("proto[@name='xenmig']")
            if found and number is not None:
                yield int(number.attrib["show"]), found

    def _run(self, arguments: list[str], data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        # No preferences or plugins of the user's, nor of an earlier test.
        with tempfile.TemporaryDirectory(prefix="xenmig-tshark-") as home:
            environment = {**os.environ, **self.environment, "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config"}
            return subprocess.run(
                [*self.command, *arguments],
                input=data or b"",
                env=environment,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )


def _around(output: str, sign: str) -> str:
    at = output.index(sign)
    return output[max(0, at - 500) : at + 500]


@cache
def versions() -> list[Tshark]:
    """Every tshark that is there."""
    found = []
    own = which("tshark")
    if own:
        found.append(Tshark("own", [own], {}))
    for release in RELEASES:
        root = CACHE / release
        libraries = next(iter(sorted(root.glob("usr/lib/*/libwireshark.so*"))), None)
        loader = root / "lib64" / "ld-linux-x86-64.so.2"
        if libraries is None or not loader.exists():
            continue
        # Started from outside with the loader and libraries of its own release, it sees the same files as the tests.
        command = [str(loader), "--library-path", str(libraries.parent), str(root / "usr" / "bin" / "tshark")]
        found.append(Tshark(release, command, {"WIRESHARK_DATA_DIR": str(root / "usr" / "share" / "wireshark")}))
    return found


every_tshark = pytest.mark.parametrize(
    "tshark", versions() or [pytest.param(None, marks=pytest.mark.skip(reason="tshark is not installed"))], ids=repr
)
"Runs a test with each tshark that is there."


if __name__ == "__main__":
    for one in versions():
        print(one)
