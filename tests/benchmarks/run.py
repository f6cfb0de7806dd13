"""Measure speed and memory beside verify-stream-v2, tcpflow and tshark, and say which marks are reached.

Inputs are made once and kept in a folder under the system's temporary folder: about 4 GB. They are in the page cache
when it matters, since every case runs once before it counts. All cases of an item take turns, so what else the machine
does hits all of them alike; compare within an item only.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.installation import Installation, machine, version
from tests.benchmarks.items import ITEMS, Bench
from tests.benchmarks.measuring import MeasurementFailed, by_label
from tests.benchmarks.verdict import memory, ratios
from tests.peer import PeerMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.items import Item
    from tests.benchmarks.verdict import Verdict

CONDITIONS = """\
xenmig is installed with `pip install .` into an environment of its own without site hooks, byte-compiled, and started
by its console script; verify-stream-v2 is byte-compiled too and runs on the same interpreter. It cannot read a pipe
itself (it opens its input unbuffered and takes the first short read for the end), so in pipes its verifiers read
buffered standard input. tshark runs without its THRIFT heuristic, which takes guest memory for THRIFT and then needs
minutes. The capture is an `xl migrate` without segments lost or out of order, acknowledged every two segments."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 for a missed mark with ``--strict``, 2 when nothing can be measured."""
    options = parse(arguments)
    folder = options.folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.scapy:
        # Only here: nothing else that is measured has Scapy, and loading it takes longer than most of that.
        from tests.benchmarks import scapy

        sizes = ["--stream", "64", "--capture", "20", "--frames", "2000"] if options.quick else []
        return scapy.main(["--folder", str(folder / "scapy"), *sizes])
    try:
        installation = Installation(folder)
        tools = {
            "machine": machine(),
            "peer": installation.peer_version,
            "tshark": version("tshark", "--version"),
            "tcpflow": version("tcpflow", "--version"),
        }
        if not options.json:
            print("; ".join(tools.values()), CONDITIONS, "", sep="\n")
        bench = Bench(folder, installation, quick=options.quick, repeats=options.repeats)
        items = []
        for item in bench.items(options.only):
            items.append(item)
            if not options.json:
                print(table(item), flush=True)
    except (MeasurementFailed, PeerMissing) as error:
        print(f"cannot be measured: {error}", file=sys.stderr)
        return 2
    verdicts = [verdict for item in items for verdict in ratios(item)]
    of_memory = memory(items)
    if of_memory is not None:
        verdicts.append(of_memory)
    missed = sum(not verdict.reached for verdict in verdicts)
    if options.json:
        json.dump(as_json(tools, items, verdicts), sys.stdout, indent=1)
        print()
    else:
        print("marks:", *verdicts, f"{missed} of {len(verdicts)} marks missed", sep="\n")
        if options.quick:
            print("the inputs were small (--quick): the marks are meant for large ones")
        print("MigrationReader beside Scapy's own readers: python -m tests.benchmarks.run --scapy")
    return 1 if missed and options.strict else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small inputs: does it run at all?")
    parser.add_argument(
        "--only", action="append", default=[], choices=list(ITEMS), metavar="NAME", help=f"only {', '.join(ITEMS)}"
    )
    parser.add_argument("--scapy", action="store_true", help="instead, measure MigrationReader beside Scapy's readers")
    parser.add_argument("--repeats", type=int, default=5, help="how often each case runs and counts (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a mark is missed")
    default = Path(tempfile.gettempdir()) / f"xenmig-benchmarks-{getpass.getuser()}"
    parser.add_argument("--folder", type=Path, default=default, help="where inputs are kept (default: %(default)s)")
    return parser.parse_args(arguments)


def table(item: Item) -> str:
    """One item for people; the last column says how many times as long as the first case another took."""
    first = item.series[0].wall
    lines = [item.work, f"  {'':32}{'median':>12}{'least':>12}{'CPU':>12}{'peak':>10}{'times':>9}"]
    for series in item.series:
        peak = f"{series.peak / 1024:.1f} MiB" if series.peak else "-"
        times = f"{series.wall / first:.2f}"
        wall, least, cpu = (f"{seconds * 1000:.1f} ms" for seconds in (series.wall, series.least, series.cpu))
        lines.append(f"  {series.label:32}{wall:>12}{least:>12}{cpu:>12}{peak:>10}{times:>9}")
    return "\n".join(lines) + "\n"


def as_json(tools: dict[str, str], items: Sequence[Item], verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Everything, with seconds and KiB."""
    return {
        "tools": tools,
        "items": [
            {
                "name": item.name,
                "work": item.work,
                "cases": {
                    label: [sample._asdict() for sample in series.samples]
                    for label, series in by_label(item.series).items()
                },
            }
            for item in items
        ],
        "marks": [
            {name: getattr(verdict, name) for name in ("item", "mark", "wanted", "measured", "cpu", "reached")}
            for verdict in verdicts
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
