"""Scrubbing: one pass that finds out what stays, and a second one that copies.

In between there is one range of positions for each record. What the second pass meets and the first has not judged
becomes zero, so that nothing gets through by being overlooked: not what an input has grown by meanwhile, either.
"""

from __future__ import annotations

from xenmig.core.decode.reading import Reading
from xenmig.core.decode.recognise import LONGEST, recognise
from xenmig.core.scrub.frame import scrubbed
from xenmig.core.scrub.keeping import Keeping
from xenmig.core.scrub.kept import Kept
from xenmig.core.scrub.locating import LocatingCapture
from xenmig.core.scrub.seen import REMEMBERED, Seen
from xenmig.core.sources.open import open_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from xenmig.core.decode.conversation import ConversationDecoder
    from xenmig.core.decode.stream import StreamDecoder
    from xenmig.core.scrub.container import Container
    from xenmig.core.scrub.keeping import Choice
    from xenmig.core.scrub.target import Target
    from xenmig.core.sources.capture import Capture
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.frames import Frames, Head
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.interest import ConsumerFactory, NeedMore
    from xenmig.core.sources.segment import Segment
    from xenmig.core.sources.watcher import Watcher

    Shower: TypeAlias = Callable[[Input], AbstractContextManager[None]]
    "Shows how far an input has been read."

_PIECE = 1 << 18


class Summary:
    """What was done."""

    # fmt: off
    __slots__ = (
        "kind", "streams", "records", "memory", "size", "removed", "frames", "connections", "other_connections",
        "incomplete", "unread", "notices",
    )
    # fmt: on

    kind: str
    '"stream" or "capture".'
    streams: int
    "Streams that were decoded, those of receivers included."
    records: int
    memory: int
    "Bytes of guest memory that their PAGE_DATA records announce."
    size: int
    "Bytes of the stream, or of the captured frames."
    removed: int
    "How many of these were not zero and are now, or are something else."
    frames: int | None
    connections: int | None
    "TCP connections in the capture."
    other_connections: int | None
    "Those of them in which there is no migration: their payload is gone."
    incomplete: int
    "Streams whose end was not seen, or in which the place was lost: what could not be read in them is gone."
    unread: bool
    "Whether this is a capture that could not be read to its end."
    notices: list[str]

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.streams = 0
        self.records = 0
        self.memory = 0
        self.size = 0
        self.removed = 0
        self.frames = None
        self.connections = None
        self.other_connections = None
        self.incomplete = 0
        self.unread = False
        self.notices = []

    def copied(self, old: bytes, new: bytes) -> None:
        """Count bytes that were copied, and how they have become."""
        self.size += len(old)
        if old != new:
            # Where bytes differ, their exclusive or is not zero.
            differences = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
            self.removed += len(old) - differences.to_bytes(len(old), "little").count(0)


class _Judging(Reading):
    """The first pass: learns of each direction how much of its beginning told what it is."""

    def __init__(self, path: str) -> None:
        self.told: dict[tuple[int, int], int] = {}
        super().__init__(path)

    def _consumer(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> StreamDecoder | ConversationDecoder | NeedMore | None:
        found = super()._consumer(connection, direction, prefix, from_start)
        if found is None:
            kind = recognise(prefix)
            if kind and len(self.told) < MOST_TOLD:
                least = next(size for size in range(1, LONGEST + 1) if recognise(prefix[:size]) == kind)
                self.told[_key(direction)] = least
        return found


MOST_TOLD = 4096
"Directions of other connections whose kind can still be told from the copy."


class _Copying(Reading):
    """The second pass over a capture: the same connections, and every frame shown to the copy."""

    def __init__(self, path: str, kept: dict[tuple[int, int], Kept], container: Container, summary: Summary) -> None:
        self.copy = kept, container, summary
        super().__init__(path)

    def _capture(self, watcher: Watcher | None, *, metered: bool) -> Capture:
        del watcher, metered
        return _CopyingCapture(self.input, self._consumer, *self.copy)


class _CopyingCapture(LocatingCapture):
    """Copies each frame."""

    __slots__ = ("_kept", "_seen", "_container", "_summary")

    def __init__(
        self,
        input: Input,
        factory: ConsumerFactory,
        kept: dict[tuple[int, int], Kept],
        container: Container,
        summary: Summary,
    ) -> None:
        super().__init__(input, factory)
        self._kept = kept
        self._seen = {key: Seen(REMEMBERED // len(kept)) for key in kept}
        self._container = container
        self._summary = summary

    def shown(
        self,
        frames: Frames,
        start: int,
        head: Head,
        segment: Segment | None,
        direction: Direction | None,
        position: int,
    ) -> None:
        data = frames.window
        end = start + head[2]
        payload = b""
        if segment is not None:
            key = _key(direction) if direction is not None else None
            if key in self._kept:
                payload = self._kept[key].part(data, segment.start, segment.end, position)
                payload = self._seen[key].agreed(position, payload)
            else:
                payload = bytes(segment.end - segment.start)
        new = scrubbed(frames.link_type, data, start, end, max(head[2], head[3]), segment, payload)
        self._summary.copied(data[start:end], new)
        self._container.frame(new)


def scrub(path: str, target: Target, choice: Choice, progress: Shower) -> Summary:
    """Write what is at ``path``, a save file, stream or capture that can be read twice, to ``target`` without guest
    memory.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` for what is neither a stream nor a capture, and OSError
    when writing fails.
    """
    reading = _Judging(path)
    try:
        summary = Summary(reading.kind)
        with progress(reading.input):
            kept = _judged(reading, choice, summary)
        if reading.capture is not None:
            capture = reading.capture
            summary.frames = capture.frames
            summary.connections = capture.connection_count
            known = {stream.connection.id for stream in reading.streams if stream.connection is not None}
            summary.other_connections = capture.connection_count - len(known)
        summary.unread = reading.unread
        summary.notices = reading.notices
    finally:
        reading.close()
    if reading.kind == "stream":
        _copy_stream(path, kept.get((0, 0)) or Kept(), target, summary, progress)
    else:
        _copy_capture(path, kept, target, summary, progress)
    return summary


def _judged(reading: _Judging, choice: Choice, summary: Summary) -> dict[tuple[int, int], Kept]:
    """The first pass: what stays of each direction, or of the one stream, which is (0, 0)."""
    from xenmig.core.decode.damage import Resynchronised, Trailing, Unrecognised
    from xenmig.core.decode.events import Complete

    kept: dict[tuple[int, int], Kept] = {}
    keeping: dict[int, Keeping] = {}
    complete: set[int] = set()
    broken: set[int] = set()
    for stream, events in reading:
        number = stream.number
        judge = keeping.get(number)
        if judge is None:
            key = (0, 0) if stream.direction is None else _key(stream.direction)
            kept[key] = Kept()
            judge = keeping[number] = Keeping(kept[key], choice)
        judge.take(events)
        for event in events:
            if isinstance(event, Complete):
                complete.add(number)
            elif isinstance(event, Unrecognised | Resynchronised | Trailing):
                broken.add(number)
    for judge in keeping.values():
        judge.finish()
        summary.records += judge.records
        summary.memory += judge.memory
    summary.streams = len(keeping)
    senders = {stream.number for stream in reading.streams if stream.role == "sender"}
    summary.incomplete = len(senders - complete | broken)
    for key, size in reading.told.items():
        kept[key] = Kept()
        kept[key].keep(0, size)
    return kept


def _copy_stream(path: str, kept: Kept, target: Target, summary: Summary, progress: Shower) -> None:
    input = open_input(path)
    try:
        with progress(input):
            at = 0
            while data := input.read(_PIECE):
                new = kept.part(data, 0, len(data), at)
                summary.copied(data, new)
                if new.count(0) == len(new):
                    target.zeros(len(new))
                else:
                    target.write(new)
                at += len(data)
    finally:
        input.close()


def _copy_capture(
    path: str, kept: dict[tuple[int, int], Kept], target: Target, summary: Summary, progress: Shower
) -> None:
    from xenmig.core.scrub.container import container

    beside = open_input(path)
    try:
        copy = container(beside, target)
        reading = _Copying(path, kept, copy, summary)
        try:
            with progress(reading.input):
                for _ in reading:
                    pass
            copy.finish()
        finally:
            reading.close()
    finally:
        beside.close()


def _key(direction: Direction) -> tuple[int, int]:
    """What tells a direction from all others of the capture, in both passes."""
    return direction.connection.id, int(direction is direction.connection.directions[1])
