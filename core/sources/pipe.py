"""Pipes, FIFOs, sockets and terminals: bytes that come once and cannot be sought."""

from __future__ import annotations

import os

from xenmig.core.sources.ahead import LookingAhead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.input import Input

_CAPACITY = 1 << 20
"What an unprivileged process may ask for by default: /proc/sys/fs/pipe-max-size."
_SPLICE_FROM = 1 << 16
"Shorter skips are read and dropped: opening the way through the null device does not pay for them."
_DROP = 1 << 18
"How much is read at a time when bytes have to be read in order to be dropped."


class PipeInput(LookingAhead):
    """An :class:`~xenmig.core.sources.input.Input` over a descriptor that cannot seek.

    Long skips are spliced into the null device, where the system offers that, so that guest memory is never copied
    into this process.
    """

    __slots__ = ("_fd", "_owned", "_null", "_room")

    def __init__(self, fd: int, name: str, owned: bool = True) -> None:
        """``owned`` says whether close() closes ``fd``."""
        super().__init__(name)
        self._fd = fd
        self._owned = owned
        self._null = -1
        self._room = memoryview(bytearray())
        try:
            from fcntl import F_SETPIPE_SZ, fcntl

            fcntl(fd, F_SETPIPE_SZ, _CAPACITY)
        except (ImportError, OSError):
            # Not a pipe, not Linux, or the user's allowance is used up: only speed is lost.
            pass

    def skip(self, count: int) -> int:
        passed = min(count, len(self._ahead))
        self._ahead = self._ahead[passed:]
        if count - passed >= _SPLICE_FROM and hasattr(os, "splice"):
            passed += self._splice(count - passed)
        while passed < count:
            dropped = self._fill(min(count - passed, _DROP))
            if not dropped:
                break
            passed += dropped
        self.offset += passed
        return passed

    def close(self) -> None:
        if self._null >= 0:
            os.close(self._null)
        if self._owned and self._fd >= 0:
            os.close(self._fd)
        self._fd = self._null = -1

    def _more(self, count: int) -> bytes:
        """Up to ``count`` bytes, in an object that was made for no more than came.

        A pipe gives any number of bytes, mostly far fewer than are asked for: they come into one room that is kept.
        """
        there = self._fill(count)
        return bytes(self._room[:there])

    def _fill(self, count: int) -> int:
        """Put up to ``count`` bytes into the room that is kept for them; returns how many came."""
        if len(self._room) < count:
            self._room = memoryview(bytearray(count))
        while True:
            try:
                return os.readv(self._fd, (self._room[:count],))
            except BlockingIOError:
                # Whoever shares this pipe made it non-blocking; setting it back would surprise them.
                from select import POLLIN, poll

                waiting = poll()
                waiting.register(self._fd, POLLIN)
                waiting.poll()
            except OSError as error:
                self.notice = f"reading failed at byte {self.offset}: {error.strerror}"
                return 0

    def _splice(self, count: int) -> int:
        """Move up to ``count`` bytes into the null device; fewer, even 0, when that is not possible."""
        passed = 0
        try:
            if self._null < 0:
                self._null = os.open(os.devnull, os.O_WRONLY)
            while passed < count:
                # One call may not move more than the size of a C int.
                moved = os.splice(self._fd, self._null, min(count - passed, 1 << 30))
                if not moved:
                    break
                passed += moved
        except OSError:
            # A socket or a terminal, or no null device: what is left is read and dropped.
            pass
        return passed


if TYPE_CHECKING:
    _: type[Input] = PipeInput
