"""Streams to measure with, made the same way each time.

Streams are generated as chunks: bytes, or a number for that many bytes of guest memory that need not be there (a hole
in a sparse file, which reads as zeros). Memory use does not depend on the stream's size.
"""

from __future__ import annotations

import random
import struct
from functools import cache
from typing import TYPE_CHECKING

from tests import sound
from tests.corpus import sample
from xenmig.core.definitions import libxc, libxl, xl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    Chunk: TypeAlias = bytes | int

REAL = "pvh-4.17-8M-1vcpu-savec.xlsave"
"The sample that lends its records, all but guest memory."
PAGE = 4096
BATCH = libxc.MAX_BATCH_SIZE
"pfns in a PAGE_DATA, as Xen sends them."
PV_TYPES = (0x1, 0x2, 0x3, 0x4, 0x9, 0xA, 0xB, 0xC, 0xD, 0xF)
"Page tables, pinned page tables and the types without data that Xen writes."

XCR0 = 7
"x87, SSE and AVX."
XSAVE_AREA = 512 + 64 + 256
"Bytes of an XSAVE area with these, as a PV guest of a real stream has it."


@cache
def memory() -> bytes:
    """Guest memory for one batch: random, since real memory does not compress to nothing either."""
    return random.Random(1).randbytes(BATCH * PAGE)


def record(kind: int | None, body: bytes = b"") -> bytes:
    """A record with its padding."""
    assert kind is not None
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def libxc_headers(guest: int) -> bytes:
    """Image header and domain header, of a guest from Xen 4.17."""
    return struct.pack(">QIIHHI", libxc.MARKER, libxc.ID, 3, 0, 0, 0) + struct.pack("<IHHII", guest, 12, 0, 4, 17)


@cache
def real(kind: int | None) -> bytes:
    """The record of that type as it stands in a real save file of Xen 4.17."""
    data = sample(REAL).unpacked().read_bytes()
    at = data.index(libxc.MARKER.to_bytes(8, "big")) + (libxc.ImageHeader.size or 0) + (libxc.DomainHeader.size or 0)
    while at < len(data):
        found, length = struct.unpack_from("<II", data, at)
        after = at + 8 + (length + 7 & ~7)
        if found == kind:
            return data[at:after]
        at = after
    raise LookupError(f"{REAL} has no record of type {kind}")


def static_data() -> bytes:
    """What comes before memory."""
    return b"".join(map(real, (libxc.X86CpuidPolicy.record, libxc.X86MsrPolicy.record, libxc.StaticDataEnd.record)))


def page_data(pfns: Iterable[int], types: Iterable[int] | None = None, *, sparse: bool = False) -> Iterator[Chunk]:
    """One PAGE_DATA record; ``types`` gives each pfn's type, all normal pages without it."""
    words = list(pfns)
    with_data = len(words)
    if types is not None:
        kinds = list(types)
        with_data = sum(1 for kind in kinds if libxc.PageType.known[kind].facts["data"])
        words = [pfn | kind << 60 for pfn, kind in zip(words, kinds, strict=True)]
    length = 8 + 8 * len(words) + with_data * PAGE
    head = struct.pack("<IIII", libxc.PageData.record or 0, length, len(words), 0)
    yield head + struct.pack(f"<{len(words)}Q", *words)
    if sparse:
        yield with_data * PAGE
    elif with_data == BATCH:
        yield memory()
    else:
        yield memory()[: with_data * PAGE]


def hvm_tail() -> bytes:
    """What comes after the memory of an HVM guest; its rings lie lower than a real one's, whose memory has holes."""
    before = b"".join(map(real, (libxc.X86TscInfo.record, libxc.HvmContext.record)))
    return before + record(libxc.HvmParams.record, sound.hvm_params()) + real(libxc.End.record)


def hvm(pages: int, *, sparse: bool = False) -> Iterator[Chunk]:
    """A libxc stream of an HVM guest saved without running: all its memory once, in full batches."""
    yield libxc_headers(libxc.DomainType.X86_HVM) + static_data()
    for first in range(0, pages, BATCH):
        yield from page_data(range(first, min(first + BATCH, pages)), sparse=sparse)
    yield hvm_tail()


def pv(pages: int) -> Iterator[Chunk]:
    """A libxc stream of a PV guest: one page in 32 is a page table or has no data."""
    chance = random.Random(3)
    yield libxc_headers(libxc.DomainType.X86_PV) + static_data()
    yield record(libxc.X86PvInfo.record, struct.pack("<BBHI", 8, 4, 0, 0))
    yield record(libxc.X86PvP2mFrames.record, sound.p2m_frames(pages - 1))
    plain = 4 + pages // 512
    for first in range(0, pages, BATCH):
        pfns = range(first, min(first + BATCH, pages))
        types = [chance.choice(PV_TYPES) if chance.random() < 1 / 32 and pfn > plain else 0 for pfn in pfns]
        if not first:
            types[2] = sound.ROOT[8] >> 60
        yield from page_data(pfns, types)
    yield real(libxc.X86TscInfo.record)
    yield record(libxc.SharedInfo.record, sound.shared_info(8, pages - 1))
    yield record(libxc.X86PvVcpuBasic.record, sound.vcpu_basic())
    yield record(libxc.X86PvVcpuExtended.record, sound.vcpu_extended())
    yield record(libxc.X86PvVcpuXsave.record, struct.pack("<IIQQ", 0, 0, XCR0, XCR0) + bytes(XSAVE_AREA))
    yield record(libxc.X86PvVcpuMsrs.record, sound.vcpu_msrs())
    yield record(libxc.End.record)


def one_page(records: int) -> Iterator[Chunk]:
    """A libxc stream with one page in every PAGE_DATA."""
    yield libxc_headers(libxc.DomainType.X86_HVM) + static_data()
    for pfn in range(records):
        yield from page_data((pfn,))
    yield hvm_tail()


def tiny(records: int) -> Iterator[Chunk]:
    """A libxc stream of many HVM_PARAMS with one parameter each, and one page."""
    yield libxc_headers(libxc.DomainType.X86_HVM) + static_data()
    yield from page_data((0, 1, 2, 3))
    several = record(libxc.HvmParams.record, struct.pack("<IIQQ", 1, 0, 1, 3)) * 1000
    for _ in range(records // 1000):
        yield several
    yield hvm_tail()


def live(pages: int) -> Iterator[Chunk]:
    """What ``xl migrate`` sends: header, configuration, libxl around libxc; live iterations and stop-and-copy."""
    configuration = b'{"c_info":{"type":"pvh","name":"benchmark"},"b_info":{"max_memkb":262144}}\0'
    data = struct.pack("<I", len(configuration)) + configuration
    yield struct.pack("<32sIIII", xl.MAGIC, xl.BYTEORDER, 3, 0, len(data)) + data
    yield struct.pack(">QII", libxl.IDENT, 2, 0) + record(libxl.LibxcContext.record)
    yield libxc_headers(libxc.DomainType.X86_HVM) + static_data()
    for part in (1, 20, 400, 3000):
        # Every so many pages became dirty while the iteration before was sent.
        pfns = range(0, pages, part)
        for first in range(0, len(pfns), BATCH):
            yield from page_data(pfns[first : first + BATCH])
    yield hvm_tail()
    yield record(libxl.EmulatorContext.record, struct.pack("<II", 2, 0) + b"QEVM" + random.Random(4).randbytes(60_000))
    yield record(libxl.End.record)


def write(path: Path, chunks: Iterable[Chunk]) -> None:
    """Write a stream; where a chunk is a number, leave a hole in the file."""
    with path.open("wb", 1 << 20) as file:
        for chunk in chunks:
            if isinstance(chunk, int):
                file.seek(chunk, 1)
            else:
                file.write(chunk)
        file.truncate()
