"""What every input of bytes can do, whether a file, a pipe or a decompressor."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Input(Protocol):
        """A run of bytes that is read once, from front to back, with cheap skipping.

        A file skips by adding to its offset, a pipe by splicing into the null device, a decompressor by dropping.
        None of the methods raises for what the bytes are or because no more can be had: the input then ends, and
        ``notice`` says why when it is not simply the end.
        """

        name: str
        'What to call it in messages: the path as given, or "standard input".'
        offset: int
        "How many bytes have been read or skipped so far."
        notice: str | None
        "One line for people when the input ended before its proper end (read error, cut or damaged compressed data)."

        @property
        def size(self) -> int | None:
            """Size in bytes where it is known beforehand, else None."""

        def peek(self, count: int) -> bytes:
            """The next ``count`` bytes without consuming them; fewer only at the end of input. ``count`` <= 65536."""

        def read(self, count: int) -> bytes:
            """At least one and at most ``count`` of the next bytes; empty only at the end of input."""

        def skip(self, count: int) -> int:
            """Pass over ``count`` bytes; returns how many there were (fewer only at the end of input)."""

        def close(self) -> None:
            """Give back the descriptor."""
