"""A running ``xenmig timeline --follow`` whose input a test writes piece by piece."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from tests.command import COMMAND

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 60.0
"Seconds after which a test gives up."


class Following:
    """The command with a pipe as its standard input; its output is collected while it runs."""

    def __init__(self, *arguments: str, path: str = "-") -> None:
        self._process = subprocess.Popen(
            [*COMMAND, "timeline", "--follow", *arguments, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._out = bytearray()
        self._err = bytearray()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._threads = [
            threading.Thread(target=_collect, args=(file.fileno(), into))
            for file, into in ((self._process.stdout, self._out), (self._process.stderr, self._err))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Following:  # noqa: PYI034 - typing has Self since Python 3.11 only
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for file in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert file is not None
            try:
                file.close()
            except BrokenPipeError:
                pass

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.decode()

    @property
    def err(self) -> str:
        """What it has printed to the standard error so far."""
        return self._err.decode()

    def write(self, data: bytes) -> None:
        """Give it more."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def says(self, text: str) -> str:
        """Wait until ``text`` has been printed; returns all that was."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.out:
            assert time.monotonic() < deadline, f"{text!r} did not come: {self.out}{self.err}"
            time.sleep(0.01)
        return self.out

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal, by default that of Ctrl-C."""
        self._process.send_signal(number)

    def end(self) -> int:
        """End the input; returns the exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        code = self._process.wait(PATIENCE)
        for thread in self._threads:
            thread.join()
        return code


def _collect(fd: int, into: bytearray) -> None:
    while data := os.read(fd, 1 << 16):
        into += data
