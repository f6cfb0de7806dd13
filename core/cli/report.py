"""Writes one page about a capture or stream, to look at in a browser: a summary, plots, findings and records.

The page is one file that opens offline and holds no guest memory. Needs matplotlib and Jinja: pip install
'xenmig[report]'.
"""

from __future__ import annotations

from xenmig.core.sources.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="save file or capture; - is the standard input")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="where to write the page")
    parser.add_argument("--plots", metavar="DIR", help="write each plot into a file of its own, too")
    parser.add_argument("--format", choices=("svg", "png"), default="svg", help="of those files (default: svg)")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    try:
        from xenmig.core.report import writing
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("matplotlib", "jinja2", "markupsafe"):
            raise
        raise UnreadableInput(missing, "is not installed: pip install 'xenmig[report]'") from None
    return writing.write(options.path, options.output, options.plots, options.format)
