"""Running the command as a user does, and captures of whole migrations to give it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from tests.captures import Talk, ethernet, pcap
from tests.streams import BANNER, PERMISSION, READY, REPORT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

COMMAND = (sys.executable, "-c", "from xenmig.core.cli.main import script; script()")
"What runs the command without its being installed."
SEGMENT = 60_000
STEP = 1_000_000
"Nanoseconds between two frames of a capture."


class Result(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def xenmig(*arguments: str | Path, input: bytes | None = None, fds: Sequence[int] = ()) -> Result:
    """Run the command to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=input, capture_output=True, check=False, pass_fds=fds, timeout=120
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def conversation(
    stream: bytes,
    *,
    said: Sequence[str] = ("banner", "ready", "permission", "report", "status"),
    status: int = 0,
    given_back: bool = False,
    close: bool = True,
    lost: Sequence[int] = (),
    port: int = 40000,
) -> bytes:
    """A capture of ``xl migrate``: ``stream`` without its permission, and those of the texts that are ``said``.

    The frames are ``STEP`` nanoseconds apart; those whose numbers (from 1) are in ``lost`` are left out.
    """
    talk = Talk(ports=(port, 8002)).open()
    if "banner" in said:
        talk.send(talk.server, BANNER)
    for at in range(0, len(stream), SEGMENT):
        talk.send(talk.client, stream[at : at + SEGMENT])
    for name, sender, text in (
        ("ready", talk.server, READY),
        ("permission", talk.client, PERMISSION),
        ("report", talk.server, REPORT),
        ("status", talk.server, bytes([status])),
    ):
        if name in said:
            talk.send(sender, text)
    if given_back:
        talk.send(talk.server, PERMISSION)
    if close:
        talk.close()
    frames = [ethernet(packet) for number, packet in enumerate(talk.packets, 1) if number not in lost]
    return pcap(frames, step=STEP)
