"""A terminal that is drawn on: the alternate screen, given back whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any, TextIO

# ECMA-48 and xterm's control sequences: what every terminal of today knows.
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"Alternate screen, no cursor, no line wrapping."
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_HOME = "\x1b[H"
_CLEAR_LINE = "\x1b[K"
_CLEAR_BELOW = "\x1b[J"
_BOLD = "\x1b[1m"
_PLAIN = "\x1b[m"


def is_capable(output: TextIO) -> bool:
    """Whether ``output`` is a terminal that can be drawn on."""
    return output.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


class Terminal:
    """Draws lines over those drawn before. ``leave`` gives the terminal back, and so does Ctrl-Z until ``fg``."""

    def __init__(self) -> None:
        self._out = sys.stdout
        self._bold = not os.environ.get("NO_COLOR")
        self._drawn: list[tuple[str, bool]] = []
        self._resized = False
        self._entered = False
        self._before: dict[int, Any] = {}

    def enter(self) -> None:
        """Take the terminal."""
        for number, handler in (
            (signal.SIGWINCH, self._on_resize),
            (signal.SIGTSTP, self._on_stop),
        ):
            # None stands for a handler that was not set by Python.
            self._before[number] = signal.signal(number, handler) or signal.SIG_DFL
        self._show()

    def leave(self) -> None:
        """Give it back. May be called twice."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        self._hide()

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            # Of the output itself: COLUMNS, which shutil believes, may be older than the window's last change.
            found = os.get_terminal_size(self._out.fileno())
        except OSError:
            found = shutil.get_terminal_size()
        return (found.columns or 80, found.lines or 24)

    def draw(self, lines: Sequence[tuple[str, bool]]) -> None:
        """Show ``lines``, each with whether it is a heading; nothing is written when they are shown already."""
        columns, rows = self.size()
        shown = [(text[:columns], heading) for text, heading in lines[:rows]]
        if shown == self._drawn and not self._resized:
            return
        self._drawn, self._resized = shown, False
        parts = [_HOME]
        for number, (text, heading) in enumerate(shown):
            bold = heading and self._bold
            # Cleared first: behind a full line the cursor stands on its last character.
            parts.append(("\r\n" if number else "") + _CLEAR_LINE + (f"{_BOLD}{text}{_PLAIN}" if bold else text))
        parts.append("\r\n" + _CLEAR_BELOW if len(shown) < rows else "")
        self._write("".join(parts))

    def _show(self) -> None:
        self._entered = True
        self._drawn = []
        self._write(_ENTER)

    def _hide(self) -> None:
        if self._entered:
            self._entered = False
            self._write(_LEAVE)

    def _write(self, text: str) -> None:
        # Past the buffer of sys.stdout, which a signal's handler must not touch: it may be in use.
        data = text.encode(self._out.encoding or "ascii", "backslashreplace")
        while data:
            data = data[os.write(self._out.fileno(), data) :]

    def _on_resize(self, _number: int, _frame: FrameType | None) -> None:
        self._resized = True

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._hide()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # Here it stands still until somebody has it go on.
        signal.signal(signal.SIGTSTP, self._on_stop)
        self._show()
