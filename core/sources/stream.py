"""Driving a consumer with the bytes of an input: reading what it needs, passing over what it does not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.input import Input

    Walk: TypeAlias = Callable[[Callable[[bytearray, int], int], int], bool]
    "The method of a :class:`~xenmig.core.sources.consumer.Walker`."

_SMALLEST = 16 + (8 << 10)
"""What a jump over guest memory leads to: a PAGE_DATA header with its array of 1024 pfns. Not more, since the next jump
begins right behind."""
_LARGEST = 1 << 18
_TOGETHER = 32
"Events of a file that are handed over together where each comes from a small piece and so cannot hold much."
_JUMP = 1 << 16
"A shorter jump says nothing about what follows: small records go on being small records."


def drive(input: Input, consumer: Consumer) -> Iterator[list[Any]]:
    """Feed ``consumer`` all of ``input`` and yield its events as they come, in lists that are never empty.

    Bytes that the consumer would rather skip are not read, except for those that lie in the piece just read. How much
    is read at once adapts: little after a jump, since the next jump is probably near, and more and more while the
    stream is contiguous. Memory use is bounded by the largest piece, 256 KiB.

    Behind a jump in a file, a :class:`~xenmig.core.sources.consumer.Walker` looks itself for what it can take.
    """
    read = input.read
    skip = input.skip
    feed = consumer.feed
    # Of inputs a file can, of consumers a Walker.
    read_into: Callable[[bytearray, int], int] | None = getattr(input, "read_into", None)
    walk: Walk | None = getattr(consumer, "walk", None)
    size = _SMALLEST
    # Whoever sends through a pipe may be at work: what has come is told at once. A file is all there.
    patience = 1 if input.size is None else _TOGETHER
    while True:
        need = consumer.need
        data = read(size if size >= need else min(need, _LARGEST))
        if not data:
            break
        feed(data, 0, len(data))
        wanted = consumer.skip
        there = skip(wanted) if wanted else 0
        if there:
            consumer.passed(there)
        if walk is not None and read_into is not None and input.size is not None and there == wanted > _JUMP:
            while walk(read_into, input.size):
                input.offset = consumer.position
                events = consumer.events
                consumer.events = []
                yield events
        events = consumer.events
        if events and (len(events) >= patience or len(data) > _SMALLEST):
            consumer.events = []
            yield events
        if there < wanted:
            break
        if wanted > _JUMP:
            size = _SMALLEST
        elif size < _LARGEST:
            size = min(2 * size, _LARGEST)
    consumer.end()
    if consumer.events:
        events = consumer.events
        consumer.events = []
        yield events
