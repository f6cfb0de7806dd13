"""A progress bar on the terminal for inputs that take longer than a second."""

from __future__ import annotations

import sys
from _thread import allocate_lock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from xenmig.core.sources.input import Input

PATIENCE = 1.0
"Seconds before a bar appears."
INTERVAL = 0.2
"Seconds between two looks at the input."


class Progress:
    """Shows how far an input has been read, while the ``with`` block lasts.

    It looks at the input from a thread of its own, so that reading costs nothing more. There is none when the standard
    error is no terminal, when results go to the same terminal while reading, or when tqdm is not installed.
    ``threading`` is not used because importing it takes longer than verifying a save file does.
    """

    __slots__ = ("_input", "_running", "_finished")

    def __init__(self, input: Input, *, streaming: bool = False) -> None:
        """``streaming`` says that results are printed while the input is being read."""
        self._input = input
        self._running = allocate_lock()
        self._finished = allocate_lock()
        if sys.stderr is None or not sys.stderr.isatty() or (streaming and sys.stdout.isatty()):
            return
        self._running.acquire()
        self._finished.acquire()
        start_new_thread(self._show, ())

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._running.locked():
            self._running.release()
            self._finished.acquire()

    def _show(self) -> None:
        try:
            if not self._running.acquire(timeout=PATIENCE):
                self._bar()
        finally:
            self._finished.release()

    def _bar(self) -> None:
        try:
            from tqdm import tqdm  # type: ignore[import-untyped]
        except ImportError:
            return
        source = self._input
        with tqdm(total=source.size, unit="B", unit_scale=True, leave=False, file=sys.stderr) as bar:
            while True:
                bar.update(source.offset - bar.n)
                if self._running.acquire(timeout=INTERVAL):
                    return
