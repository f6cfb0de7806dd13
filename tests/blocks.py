"""A toy format that drives inputs the way a migration stream does: small headers, and bodies to pass over.

A block is two little-endian 32-bit numbers, ``kept`` and ``passed``, then ``kept`` bytes that its reader wants and
``passed`` bytes that it does not. The format ends anywhere between two blocks.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from xenmig.core.decode.damage import Truncated
from xenmig.core.decode.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

HEADER = struct.Struct("<II")


def block(kept: bytes, passed: int) -> bytes:
    """One block whose passed bytes look like headers, so that reading them as such would show."""
    return HEADER.pack(len(kept), passed) + kept + (HEADER.pack(3, 1) * (passed // 8 + 1))[:passed]


class BlockConsumer:
    """A Consumer for the toy format. Every block becomes a Record; an unfinished one a Truncated."""

    def __init__(self) -> None:
        self.skip = 0
        self.need = HEADER.size
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Event] = []
        self.delivered = 0
        self._held = b""
        self._start = 0
        self._count = 0

    def feed(self, data: bytes, start: int, end: int) -> None:
        assert 0 <= start < end <= len(data), "a source never feeds nothing"
        self.delivered += end - start
        self.position += end - start
        held = self._held + data[start:end]
        while held:
            dropped = min(self.skip, len(held))
            self.skip -= dropped
            held = held[dropped:]
            if dropped and not self.skip:
                self._start = self.position - len(held)
            if self.skip or len(held) < HEADER.size:
                break
            kept, passed = HEADER.unpack_from(held)
            if len(held) < HEADER.size + kept:
                break
            body = held[HEADER.size : HEADER.size + kept]
            self.events.append(Record(self._count, "toy", 0, self._start, kept + passed, body, b"", "<"))
            self._count += 1
            held = held[HEADER.size + kept :]
            self._start = self.position - len(held)
            self.skip = passed
        self._held = held
        self.need = HEADER.size
        if len(held) >= HEADER.size:
            self.need += HEADER.unpack_from(held)[0] - len(held)

    def passed(self, count: int) -> None:
        assert 0 < count <= self.skip, "a source passes over no more than it may"
        self.skip -= count
        self.position += count
        self._start = self.position

    def hole(self, count: int) -> None:
        raise AssertionError("files and pipes have no holes")

    def end(self) -> None:
        if self.skip:
            self.events.append(Truncated("toy", self.position, "block", 0, self.skip))
        elif self._held:
            self.events.append(Truncated("toy", self._start, "block", len(self._held), None))


def described(events: Iterable[Event]) -> list[tuple[object, ...]]:
    """Events as plain values, to compare."""
    result: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, Record):
            result.append(("block", event.index, event.offset, event.length, event.body))
        else:
            assert isinstance(event, Truncated)
            result.append(("truncated", event.offset, event.available, event.missing))
    return result


def expected(stream: bytes) -> list[tuple[object, ...]]:
    """What a reader of ``stream`` must find, worked out without a consumer."""
    result: list[tuple[object, ...]] = []
    offset = 0
    while offset < len(stream):
        left = len(stream) - offset
        if left < HEADER.size:
            return [*result, ("truncated", offset, left, None)]
        kept, passed = HEADER.unpack_from(stream, offset)
        body = stream[offset + HEADER.size : offset + HEADER.size + kept]
        if len(body) < kept:
            return [*result, ("truncated", offset, left, None)]
        result.append(("block", len(result), offset, kept + passed, body))
        missing = HEADER.size + kept + passed - left
        if missing > 0:
            return [*result, ("truncated", len(stream), 0, missing)]
        offset += HEADER.size + kept + passed
    return result


def mixed_stream() -> bytes:
    """About 1.2 MiB with what decides how an input is read: tiny blocks, page-sized ones, and long jumps."""
    blocks = [block(b"head", 0)]
    blocks += [block(bytes([index % 251]) * 16, 0) for index in range(3000)]
    blocks += [block(b"p" * 16, 4096) for _ in range(40)]
    blocks += [block(b"jump" * 2052, 200_000) for _ in range(4)]
    blocks += [block(b"tail", 65536), block(b"", 65537), block(b"", 0), block(b"x" * 20_000, 5), block(b"end", 0)]
    return b"".join(blocks)
