"""Verify one file over and over in one process, xenmig and verify-stream-v2 in turn; prints the seconds as JSON.

Arguments: the file, how many times. The peer's packages must be importable.
"""

from __future__ import annotations

import json
import sys
import time

from xen.migration.libxc import VerifyLibxc  # type: ignore[import-not-found]

from xenmig.core.check.checker import Checker
from xenmig.core.decode.reading import Reading


def ours(path: str) -> None:
    """Raises ValueError when the stream is not found sound and complete."""
    # As `xenmig verify` reads it, and checks it.
    reading = Reading(path, runs=True)
    checker = Checker(reading.kind)
    for _, events in reading:
        checker.take(events)
    checker.finish()
    reading.close()
    if not (checker.sound and checker.complete):
        raise ValueError(f"xenmig does not find {path} sound and complete")


def theirs(path: str) -> None:
    """Raises an exception of the peer's when it rejects the stream."""
    with open(path, "rb", 0) as file:
        VerifyLibxc(ignore, file.read).verify()


def ignore(message: str) -> None:
    """Take a message of the verifier."""


def main(path: str, repeats: int) -> None:
    """Print ``{"ours": [...], "theirs": [...]}``."""
    found: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(repeats + 1):
        for name, verify in (("ours", ours), ("theirs", theirs)):
            begun = time.perf_counter()
            verify(path)
            # The first round fills the caches.
            if number:
                found[name].append(time.perf_counter() - begun)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
