"""Measure MigrationReader beside what Scapy itself has for the same work. Run: ``python -m tests.benchmarks.scapy``.

Each case is a process of its own, so that its peak memory is its own. Scapy's ways are measured on a piece of the input
(``--frames``) and scaled, since all of it takes them minutes; the reader always reads everything.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1 << 20
FIRST_PAGE_DATA = b"\x01\0\0\0\x08\x20\x40\0"
"Type and length of a PAGE_DATA with 1024 pages."
PAGES_PER_MEBIBYTE = 256


def make(folder: Path, stream_mebibytes: int, capture_megabytes: int) -> tuple[Path, Path]:
    """The inputs, made with the builder when they are not there yet: a PV save file and an HVM ``xl migrate``."""
    from xenmig.scapy_layers.capture import write_capture
    from xenmig.scapy_layers.recipe import Recipe

    save = folder / f"{stream_mebibytes}.xlsave"
    capture = folder / f"{capture_megabytes}.pcap"
    if not save.exists():
        Recipe("PV", pages=stream_mebibytes * PAGES_PER_MEBIBYTE).write(str(save))
    if not capture.exists():
        # A segment of 1448 bytes takes 1536 in the capture: headers, and its share of an acknowledgment.
        pages = capture_megabytes * 1_000_000 * 1448 // 1536 // 4096
        write_capture(str(capture), Recipe("HVM", pages=pages, iterations=1), late=0.001, twice=0.001)
    return save, capture


def reader(path: str, frames: int) -> int:
    """All packets of a file or capture by MigrationReader."""
    from xenmig.scapy_layers.reader import MigrationReader

    return sum(1 for _ in MigrationReader(path))


def one_page(path: str, frames: int) -> int:
    """One page of guest memory in the middle of the input."""
    from xenmig.scapy_layers.layers import LibxcPageData
    from xenmig.scapy_layers.reader import MigrationReader

    records: list[Any] = list(MigrationReader(path).find(LibxcPageData))
    record = records[len(records) // 2]
    begun = time.perf_counter()
    assert record.page(record.pfn_list()[0]) is not None
    sys.stderr.write(f"{time.perf_counter() - begun}")
    return 1


def obvious(path: str, frames: int) -> int:
    """A stream's records by Scapy's own fields: a list of numbers for the pfns, a string for the pages."""
    from scapy.config import conf
    from scapy.fields import FieldListField, LEIntField, LELongField, StrLenField
    from scapy.packet import Packet

    class PageData(Packet):
        fields_desc = [  # noqa: RUF012  # as Scapy has it
            LEIntField("type", 1),
            LEIntField("length", 0),
            LEIntField("count", 0),
            LEIntField("reserved1", 0),
            FieldListField("pfns", [], LELongField("pfn", 0), count_from=lambda pkt: pkt.count, max_count=1024),
            StrLenField("page_data", b"", length_from=lambda pkt: pkt.length - 8 - 8 * pkt.count),
        ]

        def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
            return b"", s

    conf.max_list_count = 1024
    records = 0
    with open(path, "rb") as file:
        start = file.read(1 << 16)
        file.seek(start.index(FIRST_PAGE_DATA))
        while (head := file.read(8))[:4] == FIRST_PAGE_DATA[:4] and records < frames:
            PageData(head + file.read(int.from_bytes(head[4:], "little")))
            records += 1
    return records


def pcap_reader(path: str, frames: int) -> int:
    """The frames of a capture by Scapy's PcapReader: dissected down to TCP, not reassembled."""
    from scapy.utils import PcapReader

    with PcapReader(beginning(path, frames)) as packets:
        return sum(1 for _ in packets)


def tcp_session(path: str, frames: int) -> int:
    """A capture by Scapy's TCPSession, which calls our ``tcp_reassemble``."""
    from scapy.sendrecv import sniff
    from scapy.sessions import TCPSession

    from xenmig.scapy_layers.session import bind

    bind(8002)
    sniff(offline=beginning(path, frames), session=TCPSession, store=False)
    return frames


def beginning(path: str, frames: int) -> str:
    """The first frames of a capture as a capture of their own."""
    target = f"{path}.{frames}"
    if not os.path.exists(target):
        with open(path, "rb") as source, open(target, "wb") as file:
            file.write(source.read(24))
            for _ in range(frames):
                head = source.read(16)
                file.write(head + source.read(int.from_bytes(head[8:12], "little")))
    return target


CASES: dict[str, tuple[Callable[[str, int], int], str, bool]] = {
    "MigrationReader, stream": (reader, "save", False),
    "Scapy's fields, stream": (obvious, "save", True),
    "MigrationReader, capture": (reader, "capture", False),
    "PcapReader, capture": (pcap_reader, "capture", True),
    "TCPSession, capture": (tcp_session, "capture", True),
    "one page of a stream": (one_page, "save", False),
    "one page of a capture": (one_page, "capture", False),
}


def peak() -> int:
    """The most memory that this process has held, in KiB.

    Not by getrusage() where it can be helped: on Linux its record begins with what the parent occupied.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(name: str, path: Path, frames: int) -> dict[str, Any]:
    """One case in a process of its own: how many items, seconds, KiB at most."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.scapy",
        "--case",
        name,
        "--path",
        str(path),
        "--frames",
        str(frames),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if done.stderr:
        found["seconds"] = float(done.stderr.split()[-1])
    return found


def total(path: Path, kind: str) -> int:
    """How many items a whole input has: frames of a capture, PAGE_DATA records of a stream."""
    if kind == "save":
        return max(1, path.stat().st_size // (4 * MEBIBYTE))
    from scapy.utils import RawPcapReader

    with RawPcapReader(str(path)) as frames:
        return sum(1 for _ in frames)


def main(arguments: list[str]) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", type=int, default=1024, metavar="MIB", help="size of the stream (1024)")
    parser.add_argument("--capture", type=int, default=300, metavar="MB", help="size of the capture (300)")
    parser.add_argument("--frames", type=int, default=10_000, help="frames of the capture for Scapy's own ways (10000)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "xenmig-benchmark-scapy")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.case:
        work = CASES[options.case][0]
        # Starting Scapy takes half a second, whoever is measured.
        importlib.import_module("xenmig.scapy_layers.all")
        before = peak()
        begun = time.perf_counter()
        items = work(options.path, options.frames)
        seconds = time.perf_counter() - begun
        print(json.dumps({"items": items, "seconds": seconds, "before": before, "peak": peak()}))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    save, capture = make(options.folder, options.stream, options.capture)
    inputs = {"save": save, "capture": capture}
    sizes = f"stream {save.stat().st_size >> 20} MiB, capture {capture.stat().st_size >> 20} MiB"
    print(f"{os.cpu_count()} processors; {sizes}")
    base: dict[str, float] = {}
    for name, (work, kind, scaled) in CASES.items():
        path = inputs[kind]
        limit = min(options.frames, 8) if work is obvious else options.frames
        found = run(name, path, limit)
        seconds = found["seconds"]
        if scaled:
            seconds *= total(path, kind) / found["items"]
        if work is reader:
            base[kind] = seconds
        ratio = f"{seconds / base[kind]:8.1f}x" if scaled else f"{'':9}"
        each = 1_000_000 * found["seconds"] / found["items"]
        memory = f"{found['peak'] / 1024:6.1f} MiB, {(found['peak'] - found['before']) / 1024:5.1f} over Scapy itself"
        print(f"{name:26} {seconds:9.3f} s {ratio} {each:9.0f} us each {memory}{'  (time scaled)' if scaled else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
