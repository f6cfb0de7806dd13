"""Real captures and save files: those in pcaps/, and the larger corpus beside the repository when it is there.

Files are stored compressed; :meth:`Sample.unpacked` decompresses one into a folder under the system's temporary folder
the first time that it is asked for.
"""

from __future__ import annotations

import getpass
import lzma
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = Path(__file__).resolve().parent.parent
"The repository."
PCAPS = ROOT / "pcaps"
"The samples that are part of the repository: copies without guest memory."
CORPUS = Path(os.environ.get("XENMIG_CORPUS") or ROOT.parent / "shared" / "corpus")
"The larger corpus, which may be missing."

_OPENERS: dict[str, Callable[[Path], io.BufferedIOBase]] = {".xz": lzma.LZMAFile, ".zst": zstd.ZstdFile}

requires_corpus = pytest.mark.skipif(
    not CORPUS.is_dir() and os.environ.get("CI") != "true",
    reason=f"the corpus is not at {CORPUS}; set XENMIG_CORPUS to where it is",
)
"For tests that need the larger corpus. Continuous integration has it, so there its absence is a failure."


class Sample:
    """One real file, stored compressed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        'The name without what the compression adds, for example "pvh-4.17-8M-1vcpu-savec.xlsave".'
        self.kind = {".pcap": "capture", ".xlsave": "save"}[Path(self.name).suffix]
        '"capture" or "save".'

    def __repr__(self) -> str:
        return self.name

    def unpacked(self) -> Path:
        """The decompressed file. It is shared: nobody may write to it."""
        status = self.path.stat()
        cache = Path(tempfile.gettempdir()) / f"xenmig-samples-{getpass.getuser()}"
        cache.mkdir(mode=0o700, exist_ok=True)
        # Another version of the sample is another file.
        target = cache / f"{status.st_size:x}-{status.st_mtime_ns:x}-{self.name}"
        if not target.exists():
            with (
                _OPENERS[self.path.suffix](self.path) as packed,
                tempfile.NamedTemporaryFile(dir=cache, delete=False) as unpacked,
            ):
                shutil.copyfileobj(packed, unpacked, 1 << 20)
            # Tests may run side by side: the name appears when the contents are whole.
            os.replace(unpacked.name, target)
        return target


def pcaps(kind: str | None = None) -> list[Sample]:
    """The samples in the repository, all or only those of one kind."""
    return _samples(PCAPS, kind)


def corpus(kind: str | None = None) -> list[Sample]:
    """The samples in the corpus, all or only those of one kind; none when the corpus is not there."""
    return _samples(CORPUS, kind)


def samples(kind: str | None = None) -> list[Sample]:
    """Every real file once: as it was made where the corpus is there, else without guest memory, from pcaps/."""
    return list({one.name: one for one in pcaps(kind) + corpus(kind)}.values())


def sample(name: str) -> Sample:
    """The sample of that name, from the corpus or else from pcaps/; FileNotFoundError when neither has it."""
    for found in samples():
        if found.name == name:
            return found
    raise FileNotFoundError(f"{name} is neither in {PCAPS} nor in {CORPUS}; set XENMIG_CORPUS to where the corpus is")


def _samples(folder: Path, kind: str | None) -> list[Sample]:
    if not folder.is_dir():
        return []
    found = [Sample(path) for path in sorted(folder.iterdir()) if path.suffix in _OPENERS]
    return [one for one in found if kind in (None, one.kind)]
