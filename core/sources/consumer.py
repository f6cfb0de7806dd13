"""The contract between a source of bytes and what consumes them, the same for files, pipes and TCP."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from xenmig.core.sources.packet import Packet

    class Consumer(Protocol):
        """Takes one contiguous run of bytes, in order, and turns it into events.

        The source may, instead of delivering them, pass over up to ``skip`` bytes: it calls :meth:`passed` with their
        number. That is how guest memory is never copied: a file source seeks, a pipe splices, the TCP reassembler
        subtracts. ``passed(n)`` with ``n <= skip`` costs next to nothing, so a source in a hurry may subtract from
        ``skip`` and add to ``position`` itself as long as ``skip`` stays above 0.
        """

        skip: int
        "How many of the next bytes need not be delivered."
        need: int
        "How many contiguous bytes would let the consumer go on: a hint for the size of the next read, never a demand."
        position: int
        "Absolute offset of the next byte expected."
        packet: Packet | None
        "Set by the source before feed(), passed(), hole() and end(): where the bytes come from. Files leave it None."
        events: list[Any]
        """What has been found and not been taken yet; the source takes the list and leaves an empty one. What an event
        is, a source does not know."""

        def feed(self, data: bytes, start: int, end: int) -> None:
            """Consume ``data[start:end]``, all of it; what is incomplete is kept (a few KiB at the most)."""

        def passed(self, count: int) -> None:
            """``count`` bytes, at most ``skip``, were passed over without being delivered."""

        def hole(self, count: int) -> None:
            """``count`` bytes are missing: they will never come."""

        def end(self) -> None:
            """No more bytes will come."""

    class Walker(Consumer, Protocol):
        """A consumer that can take much of a file by a look at places that only it knows how to find."""

        def walk(self, read_into: Callable[[bytearray, int], int], end: int) -> bool:
            """Called where what was to be skipped has been: take what follows, up to a point where nothing is held.

            ``read_into(buffer, offset)`` fills the buffer with what stands at an offset and returns how many bytes that
            were, 0 when they cannot be read; the file is ``end`` bytes long. False when nothing was taken: whatever
            follows is to be fed. When something was, ``position`` is behind it, and what it was is in ``events``.
            """
