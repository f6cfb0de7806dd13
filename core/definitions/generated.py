"""Files that are made from the definitions: writing them, and saying when they are out of date."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str, arguments: list[str]) -> int:
    """Write the file, or with ``--check`` compare it; returns the exit code."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    checking = "--check" in arguments
    if not checking:
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{'out of date' if checking else 'written'}: {path}\n")
    return 1 if checking else 0
