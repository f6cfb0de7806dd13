"""Following an input that is still being written: who looks on, and when."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Watcher(Protocol):
        """Looks on while an input is read.

        Whenever a source calls it, all that came before has been dealt with: the consumers' positions are up to date.
        """

        due: int
        "Packet time in nanoseconds: before the first frame at or after it is taken, a capture calls ``reached``."

        def look(self, idle: float) -> bool:
            """Called before more is asked for, and about every ``INTERVAL`` while nothing comes, which it has not for
            ``idle`` seconds. False ends the input here.
            """

        def reached(self, time: int) -> None:
            """The next frame has a time, in nanoseconds, at or after ``due``; set that to a later one than ``time``."""


INTERVAL = 0.1
"Seconds between two looks while nothing comes."
