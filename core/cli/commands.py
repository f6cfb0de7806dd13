"""The commands by name. Each is a module with ``add_arguments(parser)`` and ``run(options) -> exit code``."""

from __future__ import annotations

import sys

from xenmig import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "info": "what is it: layers, guest, Xen version, size; the migrations in a capture",
    "verify": "is it sound: what is wrong, where, and who refuses it",
    "records": "one line per record",
    "show": "one record in full",
    "timeline": "phases, iterations, downtime, and who owns the guest",
    "report": "one page to look at, with plots, that opens offline",
    "rules": "what verify checks: severity, reason, source, and who refuses what breaks it",
    "extract": "the streams out of a capture, byte for byte",
    "scrub": "a copy without the guest's memory, fit for a bug report",
    "wireshark": "install the dissector for Wireshark and tshark, say where it is, or remove it",
    "scapy": "an interactive session with the records as Scapy packets",
}
"The commands and what each answers, in the order of the help; a command is the module of the same name."

_HELP = """\
usage: xenmig COMMAND [OPTION...] PATH...

Reads Xen migration streams from save files and packet captures.

commands:
{commands}

PATH is a save file, a pcap or pcapng capture, or - for the standard input; compressed with gzip, xz, bzip2 or zstd if
you like. The bytes decide, not the name. `xenmig COMMAND --help` lists the options of a command.

options:
  -h, --help  show this help
  --version   show the version

exit codes:
  0    done; for verify: sound
  1    verify only: at least one error
  2    the input cannot be read as a stream or capture, holds no migration, or is a capture cut inside a packet (what
       was there is shown all the same); or the command line is wrong
  130  interrupted (timeline --follow prints what is known first)

examples:
  xenmig verify /var/lib/xen/save/guest.xlsave
  xenmig timeline migration.pcap
  tcpdump -i eth0 -s 0 -U -w - 'tcp port 49170' | xenmig timeline --follow -
  xenmig records --json guest.xlsave | jq .name
"""


def run(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; returns the exit code."""
    first = arguments[0] if arguments else ""
    if first in COMMANDS:
        return _run_command(first, arguments[1:])
    if first in ("-h", "--help", "help"):
        if len(arguments) > 1 and arguments[1] in COMMANDS:
            return _run_command(arguments[1], ["--help"])
        sys.stdout.write(_help())
        return 0
    if first in ("-V", "--version"):
        sys.stdout.write(f"xenmig {__version__}\n")
        return 0
    if not first:
        sys.stderr.write(_help())
        return 2
    from xenmig.core.cli.escape import escaped

    known = ", ".join(COMMANDS)
    what = "option" if first.startswith("-") else "command"
    sys.stderr.write(f"xenmig: there is no {what} {escaped(first)}; the commands are {known} (xenmig --help)\n")
    return 2


def _run_command(name: str, arguments: Sequence[str]) -> int:
    from argparse import ArgumentParser, RawDescriptionHelpFormatter
    from importlib import import_module

    module = import_module(f"xenmig.core.cli.{name}")
    parser = ArgumentParser(
        prog=f"xenmig {name}",
        description=module.__doc__,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as exit:
        # argparse has printed its help or its complaint.
        return exit.code if isinstance(exit.code, int) else 2
    code: int = module.run(options)
    return code


def _help() -> str:
    return _HELP.format(commands="\n".join(f"  {name:10}{summary}" for name, summary in COMMANDS.items()))
