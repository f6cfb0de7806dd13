"""What the dissector costs tshark: CPU time and memory, beside tshark that takes the same packets for plain data.

    python -m tests.benchmarks.wireshark [MEGABYTES] [--huge]

Makes captures of ``MEGABYTES`` (300) of PAGE_DATA in segments of 1448 bytes and of 64 KB in a temporary folder, and
with ``--huge`` sends a stream of 4.7 GB through a pipe and counts the records that are found in it.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.tshark import DISSECTOR, Tshark, versions
from xenmig.core.definitions import libxc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

BATCH = 1024
RUNS = 3
PORT = 49152


def stream(size: int) -> Iterator[bytes]:
    """A libxc stream of at least ``size`` bytes, a record at a time."""
    yield struct.pack(">QIIHHI", libxc.MARKER, libxc.ID, 3, 0, 0, 0) + struct.pack("<IHHII", 2, 12, 0, 4, 17)
    pages = bytes(range(1, 251)) * 17
    pages = (pages[:4096]) * BATCH
    for number in range(size // len(pages) + 1):
        first = number * BATCH
        words = struct.pack(f"<{BATCH}Q", *range(first, first + BATCH))
        yield struct.pack("<IIII", 1, 8 + len(words) + len(pages), BATCH, 0) + words + pages
    yield bytes(8)


def write(out: BinaryIO, size: int, mss: int) -> int:
    """Write a capture of such a stream, acknowledged every two segments; returns the number of records."""
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    link = bytes(12) + b"\x08\x00"
    addresses = bytes((10, 0, 0, 1, 10, 0, 0, 2)), bytes((10, 0, 0, 2, 10, 0, 0, 1))
    sequence, records, count = 0, 0, 0

    def frame(back: bool, payload: bytes | memoryview, flags: int = 0x10) -> None:
        nonlocal count
        length = 40 + len(payload)
        ports = (PORT, 40000) if back else (40000, PORT)
        here, there = sequence & 0xFFFFFFFF, int(flags == 0x10)
        numbers = (there, here) if back else (here, there)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 1, 0x4000, 64, 6, 0) + addresses[back]
        tcp = struct.pack(">HHIIBBHHH", *ports, *numbers, 0x50, flags, 60000, 0, 0)
        seconds, fraction = divmod(count * 10, 1_000_000)
        out.write(struct.pack("<IIII", 1_700_000_000 + seconds, fraction, 14 + length, 14 + length))
        out.write(link + ip + tcp)
        out.write(payload)
        count += 1

    for back, flags in ((False, 0x02), (True, 0x12), (False, 0x10)):
        frame(back, b"", flags)
        sequence = 1
    rest = b""
    for piece in stream(size):
        records += len(piece) > 40
        data = memoryview(rest + piece)
        whole = len(data) // mss * mss
        for at in range(0, whole, mss):
            frame(False, data[at : at + mss])
            sequence += mss
            if mss > 9000 or count % 3 == 2:
                frame(True, b"")
        rest = bytes(data[whole:])
    frame(False, rest)
    return records


def cost(tshark: Tshark, path: Path, *arguments: str) -> tuple[float, float]:
    """The least CPU seconds of some runs, and MB of memory."""
    seconds, memory = [], []
    environment = {**os.environ, **tshark.environment, "HOME": "/nonexistent"}
    for _ in range(RUNS):
        done = subprocess.run(
            ["/usr/bin/time", "-f", "%U %S %M", *tshark.command, "-n", "-r", str(path), *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
        )
        user, system, kilobytes = re.findall(rb"([\d.]+) ([\d.]+) (\d+)\n$", done.stderr)[0]
        seconds.append(float(user) + float(system))
        memory.append(int(kilobytes) / 1000)
    return min(seconds), min(memory)


def compare(tshark: Tshark, path: Path, name: str) -> None:
    """Print one line."""
    plain, plain_memory = cost(tshark, path, "-d", f"tcp.port=={PORT},data")
    with_it, memory = cost(tshark, path, "-X", f"lua_script:{DISSECTOR}")
    print(
        f"{tshark!r:14} {name:12} {plain:6.2f} s {with_it:6.2f} s  x {with_it / plain:4.2f}"
        f"   {plain_memory:6.0f} MB {memory:6.0f} MB  x {memory / plain_memory:4.2f}",
        flush=True,
    )


def huge(tshark: Tshark) -> None:
    """Count the records of a stream of more than 4 GiB."""
    reader, writer = os.pipe()
    command = [*tshark.command, "-n", "-r", "-", "-X", f"lua_script:{DISSECTOR}", "-T", "fields"]
    command += ["-Y", "xenmig.libxc.record.type", "-e", "xenmig.libxc.record.type"]
    environment = {**os.environ, **tshark.environment}
    process = subprocess.Popen(
        command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(reader)
    found: list[bytes] = []
    assert process.stdout is not None
    output = process.stdout
    listening = threading.Thread(target=lambda: found.append(output.read()))
    listening.start()
    with os.fdopen(writer, "wb") as out:
        records = write(out, 4_700_000_000, 65_160)
    listening.join()
    process.wait()
    print(f"{tshark!r:14} 4.7 GB: {found[0].count(b'0x00000001')} of {records} PAGE_DATA records", flush=True)


def main(arguments: list[str]) -> None:
    """Measure every tshark that is there."""
    sizes = [int(one) for one in arguments if one.isdigit()] or [300]
    with tempfile.TemporaryDirectory(prefix="xenmig-benchmark-") as folder:
        for name, mss in (("1448 bytes", 1448), ("64 KB", 65_160)):
            path = Path(folder) / f"{mss}.pcap"
            with path.open("wb") as out:
                write(out, sizes[0] * 1_000_000, mss)
            for tshark in versions():
                compare(tshark, path, name)
    if "--huge" in arguments:
        for tshark in versions():
            huge(tshark)


if __name__ == "__main__":
    main(sys.argv[1:])
