"""Opens Scapy's interactive shell with the migration layers loaded, and with PATH read when one is named.

Needs Scapy: pip install 'xenmig[scapy]'.
"""

from __future__ import annotations

from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", nargs="?", help="save file or capture to look at")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    try:
        from xenmig.scapy_layers import shell
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "scapy":
            raise
        raise UnreadableInput("scapy", "is not installed: pip install 'xenmig[scapy]'") from None
    return shell.run(options.path)
