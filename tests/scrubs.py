"""Scrubbing in the test's own process, and streams whose guest memory can be told from everything else."""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import TYPE_CHECKING

from tests import valid_streams
from xenmig.core.scrub.keeping import Choice
from xenmig.core.scrub.scrubbing import scrub
from xenmig.core.scrub.target import Target

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from xenmig.core.scrub.scrubbing import Summary
    from xenmig.core.sources.input import Input

SECRET = random.Random(1).randbytes(4096)
"A page of guest memory."
WINDOW = 6
"So many bytes in a row are no coincidence."
STEP = 3


def no_progress(_: Input) -> nullcontext[None]:
    return nullcontext()


def scrubbed(path: Path, output: Path, *, configuration: bool = False, state: bool = False) -> Summary:
    """Write the copy of ``path`` to ``output``."""
    with (target := Target(str(output), str(path), force=True)):
        return scrub(str(path), target, Choice(configuration=configuration, state=state), no_progress)


def copy_of(data: bytes, folder: Path, *, configuration: bool = False, state: bool = False) -> bytes:
    """What becomes of a file that holds ``data``."""
    (folder / "in").write_bytes(data)
    scrubbed(folder / "in", folder / "out", configuration=configuration, state=state)
    return (folder / "out").read_bytes()


def secrets_in(data: bytes) -> list[int]:
    """Where in the page bytes stand that are in ``data``, too: every run of eight is found."""
    return [at for at in range(0, len(SECRET) - WINDOW + 1, STEP) if SECRET[at : at + WINDOW] in data]


def use_secret_pages(patch: pytest.MonkeyPatch) -> None:
    """Have the streams that tests make hold ``SECRET`` as guest memory."""
    patch.setattr(valid_streams, "PAGE", SECRET)
