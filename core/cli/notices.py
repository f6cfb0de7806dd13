"""What is to be said about the input itself, beside the result."""

from __future__ import annotations

import sys

from xenmig.core.cli.escape import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.reading import Reading


def print_notices(reading: Reading) -> None:
    """Write the notices to the standard error, after what has been printed so far."""
    notices = reading.notices
    if not notices or sys.stderr is None:
        return
    sys.stdout.flush()
    for notice in notices:
        sys.stderr.write(f"xenmig: {escaped(reading.name)}: {escaped(notice)}\n")


def code_of(reading: Reading) -> int:
    """The exit code when nothing else is wrong: 2 for a capture that could not be read to its end, as tshark has it."""
    return 2 if reading.unread else 0
