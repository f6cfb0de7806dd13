"""Puts the dissector where Wireshark finds it.

Wireshark itself says where its folders are (``tshark -G folders``); where it cannot be asked, its documented defaults
hold. Everything here returns text for people, and raises ``OSError`` when a file cannot be written or removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from xenmig.wireshark.generate import HERE, TARGET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = TARGET.name
PROFILE = "Xen migration"
"Name of the configuration profile with colouring rules, filter buttons and I/O graphs."
PROFILE_FILES = HERE / "profile"


class Folders:
    """Where Wireshark looks for plugins and configuration."""

    __slots__ = ("plugins", "configuration", "asked")

    plugins: Path
    "For Lua scripts: the personal folder; for root, who has none since Wireshark 4.4, that of the whole machine."
    configuration: Path
    "The personal one."
    asked: str
    "The program that said so; empty when none could be asked."

    def __init__(self, plugins: Path, configuration: Path, asked: str = "") -> None:
        self.plugins = plugins
        self.configuration = configuration
        self.asked = asked


def folders(programs: tuple[str, ...] = ("tshark", "wireshark")) -> Folders:
    """Ask the first of ``programs`` that is there, or go by the platform."""
    for name in programs:
        program = which(name)
        said = _ask(program) if program else {}
        plugins = said.get("Global Lua Plugins" if _root() else "Personal Lua Plugins")
        configuration = said.get("Personal configuration")
        if plugins and configuration:
            return Folders(Path(plugins), Path(configuration), program)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "Wireshark"
        return Folders(base / "plugins", base)
    home = Path.home()
    configuration_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return Folders(home / ".local" / "lib" / "wireshark" / "plugins", configuration_home / "wireshark")


def which(name: str) -> str:
    """Where a program of Wireshark's is, beyond the search path where installers do not extend it; "" when nowhere."""
    found = shutil.which(name)
    if found:
        return found
    usual = {
        "darwin": Path("/Applications/Wireshark.app/Contents/MacOS"),
        "win32": Path(os.environ.get("PROGRAMFILES", r"C:\Program Files")) / "Wireshark",
    }.get(sys.platform)
    return shutil.which(name, path=str(usual)) or "" if usual else ""


def path() -> str:
    """Where :func:`install` puts the dissector."""
    return str(folders().plugins / NAME)


def install() -> str:
    """Copy the dissector, and the profile, to where Wireshark finds them."""
    where = folders()
    target = where.plugins / NAME
    text = TARGET.read_bytes()
    had = target.read_bytes() if target.exists() else None
    if had != text:
        _write(target, text)
    state = "installed" if had is None else "already up to date" if had == text else "updated"
    lines = [f"{state}: {target}"]
    profile = where.configuration / "profiles" / PROFILE
    for source in sorted(PROFILE_FILES.iterdir()):
        kept = profile / source.name
        # What the user has changed since is the user's.
        if not kept.exists():
            _write(kept, source.read_bytes())
    lines.append(f'profile with colours, filter buttons and graphs: "{PROFILE}" (Edit > Configuration Profiles)')
    if where.asked:
        lines.append(f"asked {where.asked}; a Wireshark that is running finds it after Analyze > Reload Lua Plugins")
    else:
        lines.append("neither tshark nor wireshark was found: this is the folder that its documentation names")
    return "\n".join(lines)


def remove() -> str:
    """Take away what :func:`install` has put there."""
    where = folders()
    target = where.plugins / NAME
    lines = []
    if target.exists():
        target.unlink()
        lines.append(f"removed: {target}")
    else:
        lines.append(f"not installed: {target}")
    profile = where.configuration / "profiles" / PROFILE
    for source in sorted(PROFILE_FILES.iterdir()):
        kept = profile / source.name
        if kept.exists() and kept.read_bytes() == source.read_bytes():
            kept.unlink()
    if profile.is_dir():
        if any(profile.iterdir()):
            lines.append(f"left because it was changed: {profile}")
        else:
            profile.rmdir()
    return "\n".join(lines)


def _root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _ask(program: str) -> Mapping[str, str]:
    """What ``-G folders`` says: name -> folder; nothing when it fails."""
    try:
        done = subprocess.run([program, "-G", "folders"], capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return {}
    said: dict[str, str] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        name, _, folder = line.partition(":")
        said.setdefault(name.strip(), folder.strip())
    return said


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + ".new")
    unfinished.write_bytes(data)
    # Wireshark never sees half a file.
    os.replace(unfinished, target)
