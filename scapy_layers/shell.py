"""``xenmig scapy [PATH]``: Scapy's shell with everything loaded and the path opened."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from scapy.config import conf
from scapy.main import interact

from xenmig.scapy_layers import all as everything
from xenmig.scapy_layers.reader import MigrationReader

if TYPE_CHECKING:
    from xenmig.scapy_layers.stream import MigrationStream

READ_AT_ONCE = 20_000
"Packets up to which the shell holds the input as a list; of a larger input, only the reader."


def run(path: str | None = None) -> int:
    """Open the shell; returns the exit code when it is left.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when ``path`` is neither a stream nor a capture.
    """
    names = session(path)
    # Scapy's own shell has no place for a greeting (its banner is one line then), and IPython's would show it twice.
    conf.fancy_banner = False
    sys.stdout.write(greeting(names) + "\n")
    interact(mydict=names, argv=["xenmig"], loglevel=logging.ERROR)
    return 0


def session(path: str | None = None) -> dict[str, Any]:
    """What is there when the shell opens: all of Scapy's names and ours, ``reader`` and ``stream``."""
    names = {name: getattr(everything, name) for name in everything.__all__}
    if path is None:
        names["stream"] = everything.Recipe().stream()
        return names
    reader = MigrationReader(path)
    if reader.pipe:
        # A pipe passes once, so that what is not kept now is gone.
        names["stream"] = reader.read_all(READ_AT_ONCE)
        return names
    names["reader"] = reader
    names["stream"] = reader.read_all(READ_AT_ONCE)
    return names


def greeting(names: dict[str, Any]) -> str:
    """Three lines that say what is there and what to try."""
    stream: MigrationStream = names["stream"]
    number = next((i for i, packet in enumerate(stream) if getattr(packet, "type_name", "") == "X86_TSC_INFO"), 0)
    if "reader" in names:
        what = f"`stream` and `reader` are {os.path.basename(names['reader'].path)}"
    else:
        what = f"`stream` is {stream.name or 'a stream'}, made from a Recipe"
    return "\n".join(
        [
            f"{what}: {len(stream)} packets. Look: stream.summary(), stream[{number}].show()",
            'Find: stream.first("PAGE_DATA").page(0), stream.find("X86_TSC_INFO"), stream.first("HVM_PARAMS").detail()',
            'Change: stream.changed("X86_TSC_INFO", khz=1).write("x.xlsave"), write_capture("x.pcap", stream)',
        ]
    )
