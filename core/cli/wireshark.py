"""Puts the dissector for Wireshark and tshark where they find it, says where that is, or takes it away again.

`tshark -X lua_script:FILE` loads it without installing; `path --file` says which FILE.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=("install", "path", "remove"), help="what to do")
    parser.add_argument("--file", action="store_true", help="path: that of the file which comes with xenmig")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    from xenmig.wireshark import install
    from xenmig.wireshark.generate import TARGET

    if options.action == "install":
        said = install.install()
    elif options.action == "remove":
        said = install.remove()
    else:
        said = str(TARGET) if options.file else install.path()
    sys.stdout.write(said + "\n")
    return 0
