"""Finding the place again after it was lost: anchors that random bytes and guest memory do not look like.

A guest's memory may itself hold a Xen stream, so an anchor is taken only when everything about it fits. PAGE_DATA is
the main one: its length follows from its count and its types. Loaded only when a place is lost.
"""

from __future__ import annotations

import re
from struct import Struct as Layout

from xenmig.core.decode.pages import PfnArray
from xenmig.core.definitions import libxc, xl
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.shapes import CONTEXT_BEGINS
from xenmig.core.definitions.structs import Struct
from xenmig.core.quantity import quantity

CONVINCING_COUNT = 16
"A PAGE_DATA of this many pfns is believed by itself; a smaller one needs a plausible record behind it."

_WORDS = Layout("<IIII").unpack_from
_HEAD = libxc.RecordHeader.layout("<").unpack_from

# Little endian only: no Xen writes the other.
_PAGE_DATA = re.compile(rb"\x01\0\0\0.{3}[\0-\x08].[\0-\x04]\0\0\0\0\0\0", re.DOTALL)

_MARKS: tuple[tuple[bytes, int, bytes, str, str, str], ...] = (
    (
        CONTEXT_BEGINS["<"],
        8,
        rb"\x09\0\0\0.{3}[\0-\x07]",
        "libxc",
        "record",
        "HVM_CONTEXT with Xen's magic number",
    ),
    (
        b"\x08\0\0\0\x18\0\0\0",
        0,
        rb".{8}[\0-\x03]\0\0\0.{16}\0\0\0\0(?:\x09\0\0\0.{3}[\0-\x07]|\x07\0\0\0\0\x10\0\0)",
        "libxc",
        "record",
        "X86_TSC_INFO with the record that must follow it",
    ),
    # QEMU's save file: migration/savevm.c, QEMU_VM_FILE_MAGIC and version.
    (
        b"QEVM\0\0\0",
        16,
        rb"\x03\0\0\0.{3}[\0-\x07][\0-\x02]\0\0\0\0\0\0\0QEVM\0\0\0[\x02\x03]",
        "libxl",
        "record",
        "EMULATOR_CONTEXT with QEMU's magic number",
    ),
    (
        b"\xff\xffXENF\0\0\0",
        6,
        rb"\xff{8}XENF\0\0\0[\x02\x03]\0{8}[\x01\x02]\0\0\0\x0c\0",
        "libxc",
        "header",
        "libxc image header and domain header",
    ),
    (
        b"LibxlFmt\0\0\0\x02\0\0\0",
        0,
        rb".{15}[\0\x02]\x01\0\0\0\0\0\0\0",
        "libxl",
        "header",
        "libxl header and LIBXC_CONTEXT",
    ),
    (xl.PERMISSION.data, 0, b"", "xl", "permission", "the sender's permission to unpause"),
)
"""Bytes that are rare enough to look for, how far into the anchor they stand, the pattern of the whole anchor, and what
it then is: layer, kind and evidence.
"""
_PATTERNS = [re.compile(pattern, re.DOTALL) for _, _, pattern, *_ in _MARKS]
LONGEST_ANCHOR = 64
"No anchor's pattern looks at more bytes than this."


class Anchor:
    """What a search came to."""

    __slots__ = ("at", "need", "layer", "what", "evidence")

    at: int
    "Index in the buffer: of the anchor, of a candidate that needs more bytes, or of the bytes to search again later."
    need: int
    "Bytes from ``at`` on that would settle it; 0 when it is settled."
    layer: str
    "The layer that the anchor belongs to, empty when none was found."
    what: str
    '"record", "header" or "permission".'
    evidence: str

    def __init__(self, at: int, need: int = 0, layer: str = "", what: str = "", evidence: str = "") -> None:
        self.at = at
        self.need = need
        self.layer = layer
        self.what = what
        self.evidence = evidence


def find_anchor(buffer: bytes, start: int, end: int, *, final: bool = False, headers: bool = True) -> Anchor:
    """Search ``buffer[start:end]`` for the first anchor.

    ``final`` says that no more bytes will come, ``headers`` whether headers of libxl and libxc may come at all.
    """
    # Of what begins closer to the end, a longer anchor that begins earlier may not be complete yet.
    last = end if final else max(start, end - LONGEST_ANCHOR + 1)
    marked = _marked(buffer, start, end, last, headers)
    limit = last if marked is None else marked.at
    at = start
    while True:
        match = _PAGE_DATA.search(buffer, at, end)
        if match is None or match.start() >= limit:
            break
        at = match.start()
        found = _page_data(buffer, at, end, final)
        if found is not None:
            return found
        at += 1
    return marked or Anchor(last)


def _marked(buffer: bytes, start: int, end: int, last: int, headers: bool) -> Anchor | None:
    """The first anchor other than PAGE_DATA that begins before ``last``."""
    best: Anchor | None = None
    for (mark, before, _, layer, what, evidence), pattern in zip(_MARKS, _PATTERNS, strict=True):
        if what == "header" and not headers:
            continue
        at = buffer.find(mark, start + before, min(end, last + before + len(mark)))
        while 0 <= at < last + before:
            if pattern.match(buffer, at - before, end):
                best = Anchor(at - before, 0, layer, what, evidence)
                last = at - before
                break
            at = buffer.find(mark, at + 1, min(end, last + before + len(mark)))
    return best


def _page_data(buffer: bytes, at: int, end: int, final: bool) -> Anchor | None:
    """Whether a PAGE_DATA record begins at ``at``; None when not."""
    _, length, count, _ = _WORDS(buffer, at)
    if not 1 <= count <= libxc.MAX_BATCH_SIZE or length < 8 + 8 * count:
        return None
    pages, odd = divmod(length - 8 - 8 * count, GUEST_PAGE_SIZE)
    if odd or pages > count:
        return None
    words_at = at + 16
    if words_at + 8 * count > end and not final:
        return Anchor(at, 16 + 8 * count)
    # Where no more bytes will come, a part of a large array is judged; what is left of it may be pages or not.
    there = min(count, (end - words_at) >> 3)
    left = count - there
    pfns = PfnArray(buffer[words_at : words_at + 8 * there], "<")
    if pfns.bad_count or not pages - left <= pfns.with_data <= pages:
        return None
    if left and count < CONVINCING_COUNT:
        return None
    numbers = pfns.pfns()
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        return None
    if left:
        return Anchor(
            at, 0, "libxc", "record", f"PAGE_DATA of {quantity(count, 'pfn')} whose length fits, {there} of them there"
        )
    if count >= CONVINCING_COUNT:
        return Anchor(at, 0, "libxc", "record", f"PAGE_DATA of {quantity(count, 'ascending pfn')} whose length fits")
    following = at + 8 + length
    if following + 8 <= end:
        kind, next_length = _HEAD(buffer, following)
        if _plausible(kind, next_length, pages > 0):
            return Anchor(
                at, 0, "libxc", "record", f"PAGE_DATA of {quantity(count, 'pfn')} with a plausible record behind it"
            )
        return None
    if not final:
        return Anchor(at, 8 + length + 8)
    return Anchor(
        at, 0, "libxc", "record", f"PAGE_DATA of {quantity(count, 'ascending pfn')} whose length fits, cut short"
    )


def _plausible(kind: int, length: int, pages: bool) -> bool:
    """Whether a record header behind a PAGE_DATA looks like one. Zeros (END) prove little: only behind ``pages``."""
    if kind == libxc.PageData.record:
        return 16 <= length <= libxc.REC_LENGTH_MAX
    body = Struct.records["libxc"].get(kind)
    if body is None:
        return False
    if kind == libxc.End.record:
        return pages and length == 0
    return length == body.size if body.size is not None else 0 < length <= libxc.REC_LENGTH_MAX
