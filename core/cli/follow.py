"""``xenmig timeline --follow``: shows what comes of an input that is still being written, and how it ended."""

from __future__ import annotations

import signal
import sys

from xenmig.core.cli.follower import Follower
from xenmig.core.cli.timeline import code, facts, print_timeline
from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from types import FrameType
    from typing import Any

    from xenmig.core.cli.follower import View


def follow(options: Namespace) -> int:
    """Follow the path of the timeline command's options to its end; returns the exit code."""
    view = _view(json=options.json)
    follower = Follower(view)
    before = _catch(follower)
    try:
        try:
            reading = follower.read(options.path)
        finally:
            view.end()
        if follower.stopped:
            follower.ended_by = "interrupted" if follower.stopped == signal.SIGINT else "terminated"
        if options.json:
            from json import dumps

            all_of_it = facts(reading, follower.timeline, follower.checkers, options.bandwidth)
            last: dict[str, Any] = {"event": "timeline", "ended_by": follower.ended_by, **all_of_it}
            sys.stdout.write(dumps(last) + "\n")
            result = code(reading, follower.timeline)
        else:
            sys.stdout.write(f"ended: {follower.ended_by}\n\n")
            result = print_timeline(
                reading,
                follower.timeline,
                follower.checkers,
                convergence=options.convergence,
                bandwidth=options.bandwidth,
            )
    except UnreadableInput as error:
        if not follower.stopped:
            raise
        sys.stdout.flush()
        if sys.stderr is not None:
            from xenmig.core.cli.escape import escaped

            sys.stderr.write(f"xenmig: {escaped(str(error))}\n")
        result = 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    # As a shell reports a program that the signal has killed.
    return 128 + follower.stopped if follower.stopped else result


def _view(*, json: bool) -> View:
    if json:
        from xenmig.core.cli.followlog import JsonView

        return JsonView()
    from xenmig.core.cli.terminal import is_capable

    if is_capable(sys.stdout):
        from xenmig.core.cli.followscreen import ScreenView

        return ScreenView()
    from xenmig.core.cli.followlog import LogView

    return LogView()


def _catch(follower: Follower) -> dict[int, Any]:
    """Have Ctrl-C and SIGTERM end the input, so that what is known is told; the second one ends the program."""
    before: dict[int, Any] = {}

    def stop(number: int, _: FrameType | None) -> None:
        follower.stopped = number
        signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number) or signal.SIG_DFL
        if handler is not signal.SIG_IGN:
            before[number] = handler
            signal.signal(number, stop)
    return before
