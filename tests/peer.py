"""Xen's own verify-stream-v2, as another opinion on the same bytes.

It is unpacked from Debian's or Ubuntu's xen-utils package into the user's cache folder; nothing of it is installed or
part of this repository. Its known faults are in the documentation of the tests that meet them.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import io
import os
import re
import subprocess
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Literal, TypeAlias

    Format: TypeAlias = Literal["libxc", "libxl", "xl"]

_WANTED = "xen-utils-4.17"
"Its verdicts on the corpus are known; any other one is better than none."


class Verdict(NamedTuple):
    """What the peer says of a stream."""

    accepted: bool
    error: str | None
    'The name of the exception that rejected it, for example "StreamError", or None.'
    message: str
    "The exception's text."


class PeerMissing(Exception):
    """verify-stream-v2 is not here and cannot be fetched."""


def run(stream: bytes | Path, format: Format, *options: str) -> tuple[int, str]:
    """What the program itself returns and prints (both outputs) for a stream or file. Raises PeerMissing."""
    script = _script()
    environment = {**os.environ, "PYTHONPATH": str(_library(script)), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.NamedTemporaryFile() as held:
        if isinstance(stream, bytes):
            held.write(stream)
            held.flush()
            stream = Path(held.name)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(script), "-f", format, "-i", str(stream), *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode, done.stdout.decode(errors="replace")


def judge(stream: bytes, format: Format) -> Verdict:
    """The same opinion from inside this process, fast enough for thousands of streams. Raises PeerMissing."""
    program = _program()
    source = io.BytesIO(stream)
    vars(program).update(fin=source, quiet=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inner = program.skip_xl_header() if format == "xl" else format
            verifier = program.VerifyLibxc if inner == "libxc" else program.VerifyLibxl
            verifier(_ignore, source.read).verify()
    except Exception as error:  # noqa: BLE001 - whatever it raises is a rejection
        return Verdict(False, type(error).__name__, str(error))
    return Verdict(True, None, "")


@cache
def available() -> bool:
    """Whether verify-stream-v2 is here or could be fetched just now."""
    try:
        _script()
    except PeerMissing:
        return False
    return True


def _ignore(_: str) -> None:
    """Take a message of the verifier."""


@cache
def _program() -> ModuleType:
    """The program as a module. Its package is called ``xen``, which nothing else here is."""
    script = _script()
    sys.path.insert(0, str(_library(script)))
    write, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader = importlib.machinery.SourceFileLoader("verify_stream_v2", str(script))
        spec = importlib.util.spec_from_loader(loader.name, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    finally:
        sys.path.pop(0)
        sys.dont_write_bytecode = write
    return module


def _library(script: Path) -> Path:
    """The folder with the package ``xen`` that belongs to the script."""
    for found in script.parent.parent.glob("lib/**/xen/migration/verify.py"):
        return found.parent.parent.parent
    raise PeerMissing(f"{script} is there, but not its package xen.migration")


@cache
def _script() -> Path:
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(cache_home) / "xenmig" / "peer"
    found = _unpacked(folder)
    if found is None:
        _fetch(folder)
        found = _unpacked(folder)
    if found is None:
        raise PeerMissing(f"the package was unpacked to {folder}, but verify-stream-v2 is not in it")
    return found


def _unpacked(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("*/usr/lib/xen-*/bin/verify-stream-v2"))), None)


def _fetch(folder: Path) -> None:
    """Fetch the package with apt and unpack it, without installing it."""
    try:
        listed = _output("apt-cache", "--names-only", "search", r"^xen-utils-4\.[0-9]+$")
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerMissing(f"verify-stream-v2 comes from Debian's package xen-utils-4.*: {error}") from error
    names = re.findall(r"^xen-utils-4\.\d+", listed, re.MULTILINE)
    if not names:
        raise PeerMissing("apt knows no package xen-utils-4.*; `apt-get update` may help")
    name = _WANTED if _WANTED in names else max(names, key=lambda each: int(each.rpartition(".")[2]))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        # apt drops its rights to a user who must be able to write there.
        os.chmod(work, 0o777)
        try:
            _output("apt-get", "download", name, folder=work)
            (package,) = Path(work).glob("*.deb")
            _output("dpkg", "-x", str(package), f"{work}/unpacked")
        except (OSError, subprocess.CalledProcessError) as error:
            raise PeerMissing(f"{name} cannot be fetched and unpacked: {error}") from error
        try:
            os.rename(f"{work}/unpacked", folder / name)
        except OSError:
            # Another run has been faster.
            if not (folder / name).is_dir():
                raise


def _output(*command: str, folder: str | None = None) -> str:
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout.decode()


requires_peer = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not available(),
    reason="verify-stream-v2 is not here: on Debian and Ubuntu the tests fetch it themselves, after `apt-get update`",
)
"For tests that need the peer. Continuous integration can fetch it, so there its absence is a failure."
