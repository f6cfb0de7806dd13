"""Counting a stream's records and pages with nothing but offsets: what the analysis must come to as well.

It is for whole streams, little endian, as real ones are; of a stream that is cut, the last record counts as far as it
goes.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

PAGE_DATA, END, CHECKPOINT = 1, 0, 0xE
CHECKPOINT_END = 4


class Counted(NamedTuple):
    """What there is in a stream."""

    records: int
    "Complete ones of libxl and libxc, LIBXC_CONTEXT included."
    batches: int
    "Complete PAGE_DATA."
    announced: int
    pages: Counter[int]
    "How often each pfn came with a page."
    checkpoints: int
    "CHECKPOINT_END records."


def walk(path: Path, start: int = 0) -> Counted:
    """Walk the stream that begins at ``start`` in a file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _walk(data, start)


def _walk(data: mmap.mmap, start: int) -> Counted:
    at = data.find(b"\xff" * 8 + b"XENF", start) + 40
    # LIBXC_CONTEXT stands in front of it.
    records, batches, announced, checkpoints, inner = 1, 0, 0, 0, True
    pages: Counter[int] = Counter()
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        whole = at + 8 + (length + 7 & ~7) <= len(data)
        if inner and kind == PAGE_DATA and at + 16 <= len(data):
            (count,) = struct.unpack_from("<I", data, at + 8)
            there = min(count, (len(data) - at - 16) // 8)
            words = struct.unpack_from(f"<{there}Q", data, at + 16)
            pfns = [word & (1 << 52) - 1 for word in words if word >> 60 < 0xD]
            pages.update(pfns[: max(0, len(data) - at - 16 - 8 * count) // 4096])
            announced += there
            batches += whole
        if not whole:
            break
        records += 1
        at += 8 + (length + 7 & ~7)
        if inner:
            inner = kind not in (END, CHECKPOINT)
        elif kind == CHECKPOINT_END:
            checkpoints += 1
            inner = True
        elif kind == END:
            break
    return Counted(records, batches, announced, pages, checkpoints)
