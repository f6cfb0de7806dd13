"""pyshark with the dissector loaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path

from xenmig.wireshark.generate import TARGET
from xenmig.wireshark.install import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOADS_FOR_NOBODY = (4, 4)
"Since this release Wireshark does not load scripts for root."
ENDS_WITHIN = 10
"Seconds that a tshark may take to end once it has closed its output."


def open_capture(path: str | os.PathLike[str], **arguments: Any) -> Any:
    """A ``pyshark.FileCapture`` of ``path`` in which Xen migrations are dissected.

    ``arguments`` are those of ``pyshark.FileCapture``; without a ``display_filter`` only packets of migrations are
    given (pyshark takes some milliseconds for each packet). Fields are those of the display filters, for example
    ``packet.xenmig.libxc_record_type``.

    Raises ImportError without pyshark, and RuntimeError where tshark is missing or will not load scripts for root.
    """
    tshark = str(arguments.pop("tshark_path", None) or which("tshark"))
    if not tshark:
        raise RuntimeError("tshark was not found: install it (Debian: apt install tshark), or pass tshark_path")
    folder = None
    if hasattr(os, "geteuid") and os.geteuid() == 0 and _version(tshark) >= LOADS_FOR_NOBODY:
        folder, tshark = _without_root(tshark)
    given = arguments.pop("custom_parameters", None) or []
    if isinstance(given, dict):
        given = [word for pair in given.items() for word in pair]
    arguments.setdefault("display_filter", "xenmig")
    arguments.setdefault("keep_packets", False)
    capture = _reaping()(
        str(path), tshark_path=tshark, custom_parameters=["-X", f"lua_script:{TARGET}", *given], **arguments
    )
    if folder is not None:
        weakref.finalize(capture, shutil.rmtree, folder, ignore_errors=True)
    return capture


def _reaping() -> Any:
    """``pyshark.FileCapture``, but waiting for a tshark that has said everything.

    pyshark 0.6 kills it as soon as it closes its output. Where it has just ended by itself, ``Popen.kill`` collects its
    exit status before asyncio does, which then makes up 255, and pyshark takes that for a crash.
    """
    import asyncio

    import pyshark

    class Capture(pyshark.FileCapture):  # type: ignore[misc]
        async def _cleanup_subprocess(self, process: Any) -> None:
            if self._eof_reached:
                try:
                    await asyncio.wait_for(process.wait(), ENDS_WITHIN)
                except asyncio.TimeoutError:
                    pass
            await super()._cleanup_subprocess(process)

    return Capture


def _version(tshark: str) -> tuple[int, int]:
    command = [tshark, "--version"]
    said = subprocess.run(command, capture_output=True, timeout=30, check=False).stdout.decode()  # noqa: S603
    match = re.search(r"(\d+)\.(\d+)\.\d+", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _without_root(tshark: str) -> tuple[str, str]:
    """A folder to be removed, and a program in it that runs tshark with root's files but not as root.

    In a user namespace of its own a process has no user number that means anything, and the same rights to files.
    """
    unshare = shutil.which("unshare")
    trial = [unshare or "", "--user", "true"]
    if not unshare or subprocess.run(trial, capture_output=True, check=False).returncode:  # noqa: S603
        raise RuntimeError(
            "tshark 4.4 and later load no scripts for root: run this as another user, or put a file init.lua with"
            " `run_user_scripts_when_superuser = true` into the folder that `tshark -G folders` calls Global Lua"
            " Plugins"
        )
    folder = tempfile.mkdtemp(prefix="xenmig-tshark-")
    program = Path(folder) / "tshark"
    program.write_text(f'#!/bin/sh\nexec {_quoted(unshare)} --user -- {_quoted(tshark)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder, str(program)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
