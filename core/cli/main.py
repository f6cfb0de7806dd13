"""The entry point of ``xenmig``: from arguments to an exit code, whatever happens on the way.

``xenmig verify FILE`` takes not much longer than Python needs to start, so nothing is imported here that it does not
need, and its plain form goes past argparse, as that of ``xenmig timeline FILE`` does.
"""

from __future__ import annotations

import gc
import os
import sys

from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

SOUND = 0
ERRORS = 1
UNREADABLE = 2
FAULT = 70
"sysexits.h, EX_SOFTWARE: a fault of this program. Not 1, which says something about the input."
COLLECT_AFTER = (5_000, 3, 3)
"""Objects after which garbage is looked for, and how often until that is done among older ones. The packets of a
capture are in no cycle, and looking as often as Python does by itself took a fifth of a timeline's time on 300 MB.
Connections are: with 100,000 and 10, those of a flood that had been forgotten took 20 to 60 MiB more."""
INTERRUPTED = 130
"What shells report for SIGINT."
OUTPUT_CLOSED = 141
"What shells report for SIGPIPE."


def script() -> NoReturn:
    """Run the command as a process of its own.

    It ends without the interpreter's own clearing up, which takes longer than verifying a save file does and leaves
    nothing better behind: all files are closed or flushed by then.
    """
    code = main()
    for output in (sys.stdout, sys.stderr):
        try:
            if output is not None:
                output.flush()
        except OSError:
            pass
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code. ``arguments`` are those of the process when none are given."""
    argv = sys.argv[1:] if arguments is None else list(arguments)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    try:
        _tolerant()
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return OUTPUT_CLOSED
    except KeyboardInterrupt:
        _drop_output()
        return INTERRUPTED
    except UnreadableInput as error:
        return _say(str(error), UNREADABLE)
    except OSError as error:
        _drop_output()
        return _say(f"{error.filename or 'writing the output'}: {error.strerror or error}", UNREADABLE)
    except Exception:  # noqa: BLE001 - whatever it is, it is a fault and says nothing about the input
        import traceback

        traceback.print_exc()
        return _say("this is a fault of xenmig, whatever the input is: please report it with the lines above", FAULT)
    return code


def _run(argv: list[str]) -> int:
    gc.set_threshold(*COLLECT_AFTER)
    plain = len(argv) > 1 and all(path == "-" or path[:1] != "-" for path in argv)
    if plain and argv[0] == "verify":
        gc.disable()
        from xenmig.core.cli.verify import verify

        _collect_again()
        return verify(argv[1:])
    if plain and argv[0] == "timeline" and len(argv) == 2:
        gc.disable()
        from xenmig.core.cli.timeline import plain as timeline

        _collect_again()
        return timeline(argv[1])
    from xenmig.core.cli.commands import run

    return run(argv)


def _collect_again() -> None:
    """Look for garbage from now on; not in what was imported, which stays."""
    gc.freeze()
    gc.enable()


def _tolerant() -> None:
    """Let names that the terminal's character set lacks come out escaped instead of as an exception."""
    for output in (sys.stdout, sys.stderr):
        reconfigure = getattr(output, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _say(text: str, code: int) -> int:
    from xenmig.core.cli.escape import escaped

    try:
        sys.stdout.flush()
        if sys.stderr is not None:
            sys.stderr.write(f"xenmig: {escaped(text)}\n")
    except OSError:
        _drop_output()
    return code


def _drop_output() -> None:
    """Let the interpreter flush what is left into the null device, so that it has nothing to complain about."""
    null = os.open(os.devnull, os.O_WRONLY)
    for output in (sys.stdout, sys.stderr):
        try:
            if output is not None:
                output.flush()
        except (OSError, ValueError):
            os.dup2(null, output.fileno())
    os.close(null)
