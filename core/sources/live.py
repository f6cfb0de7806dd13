"""Inputs that are still being written: a pipe with somebody at work behind it, and a file that grows.

Both give what has come instead of waiting for more, let a watcher look on while nothing comes, and tell by their
``offset`` how far they are even in the middle of a long skip.
"""

from __future__ import annotations

import os
from time import monotonic, sleep

from xenmig.core.quantity import quantity
from xenmig.core.sources.pipe import PipeInput
from xenmig.core.sources.watcher import INTERVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.watcher import Watcher

_PIECE = 1 << 20
"Most bytes that are passed over between two looks: what a pipe holds."


class LivePipe(PipeInput):
    """A pipe that a watcher looks at while it is empty."""

    __slots__ = ("_watcher", "_poll", "_ended")

    def __init__(self, fd: int, name: str, watcher: Watcher, owned: bool = True) -> None:
        from select import POLLIN, poll

        super().__init__(fd, name, owned)
        self._watcher = watcher
        self._poll = poll()
        self._poll.register(fd, POLLIN)
        self._ended = False

    def skip(self, count: int) -> int:
        passed = 0
        while passed < count and self._ready():
            # There is something, so this waits for no more than the writer needs to write the rest of a piece.
            there = super().skip(min(count - passed, self._there()))
            if not there:
                break
            passed += there
        return passed

    def _fill(self, count: int) -> int:
        return super()._fill(count) if self._ready() else 0

    def _ready(self) -> bool:
        """Wait until there is something to read, or the end; False when the watcher has had enough."""
        if self._ended:
            return False
        begun = monotonic()
        idle = 0.0
        while self._watcher.look(idle):
            # The first time only asks: of a pipe that is never empty nobody waits.
            if self._poll.poll(INTERVAL * 1000 if idle else 0):
                return True
            idle = max(monotonic() - begun, 1e-9)
        self._ended = True
        return False

    def _there(self) -> int:
        """How many bytes can be passed over without waiting; at least one, for the end may be what there is."""
        if self._ahead:
            return len(self._ahead)
        try:
            from array import array
            from fcntl import ioctl
            from termios import FIONREAD

            number = array("i", [0])
            ioctl(self._fd, FIONREAD, number)
        except (ImportError, OSError):
            return 1
        return max(1, min(number[0], _PIECE))


class GrowingFile:
    """An :class:`~xenmig.core.sources.input.Input` over a file whose end is not its last."""

    __slots__ = ("name", "offset", "size", "notice", "whole", "_fd", "_start", "_owned", "_watcher", "_ended")

    name: str
    offset: int
    size: None
    notice: str | None
    whole: bool
    "Whether the file is to be taken for one that is all there."

    def __init__(self, fd: int, name: str, start: int, watcher: Watcher, owned: bool = True) -> None:
        """``start`` is the position of the first byte to read; ``owned`` says whether close() closes ``fd``."""
        self.name = name
        self.offset = 0
        self.size = None
        self.notice = None
        self.whole = False
        self._fd = fd
        self._start = start
        self._owned = owned
        self._watcher = watcher
        self._ended = False

    def peek(self, count: int) -> bytes:
        self._wait(count)
        return self._read(count)

    def read(self, count: int) -> bytes:
        data = self._read(count) if self._wait(1) else b""
        self.offset += len(data)
        return data

    def skip(self, count: int) -> int:
        passed = 0
        while passed < count and (there := self._wait(1)):
            # However much there is, nobody waits for an addition.
            step = min(there, count - passed)
            self.offset += step
            passed += step
        return passed

    def close(self) -> None:
        if self._owned and self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _wait(self, count: int) -> int:
        """How many bytes there are behind ``offset``: at least ``count``, or what there is at the end."""
        begun = monotonic()
        idle = 0.0
        before = -1
        while True:
            there = self._there()
            if there != before:
                begun, idle = monotonic(), 0.0
            before = there
            if self._ended or there < 0 or not self._watcher.look(idle):
                self._ended = True
                return max(0, there)
            if there >= count or self.whole:
                return there
            sleep(INTERVAL)
            idle = monotonic() - begun

    def _there(self) -> int:
        try:
            there = os.fstat(self._fd).st_size - self._start - self.offset
        except OSError as error:
            self.notice = f"reading failed at byte {self.offset}: {error.strerror}"
            return -1
        if there < 0:
            read = quantity(self.offset, "byte")
            self.notice = f"the file was made shorter than the {read} that had been read of it"
        return there

    def _read(self, count: int) -> bytes:
        try:
            return os.pread(self._fd, count, self._start + self.offset)
        except OSError as error:
            self.notice = f"reading failed at byte {self.offset}: {error.strerror}"
            return b""


if TYPE_CHECKING:
    _pipe: type[Input] = LivePipe
    _file: type[Input] = GrowingFile
