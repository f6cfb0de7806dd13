"""A capture of a migration at full-size Ethernet segments, written packet by packet."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.captures import ACK, PSH, START, SYN, Host, ethernet, ip, tcp
from xenmig.core.definitions import xl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tests.benchmarks.streams import Chunk

SEGMENT = 1448
"Payload of a segment: Ethernet's 1500 bytes less IP, TCP and the time stamp option."
OPTIONS = bytes((1, 1, 8, 10)) + bytes(8)
"Two NOPs and a TCP time stamp, as Linux sends them."
OPENING = bytes((2, 4)) + (1460).to_bytes(2, "big") + bytes((4, 2, 8, 10)) + bytes(8) + bytes((1, 3, 3, 7))
"""Of a SYN: maximum segment size, selective acknowledgments, time stamp, and windows in units of 128 bytes, as Linux
sends them."""
OPENING = bytes((2, 4, 0x05, 0xB4, 4, 2, 8, 10)) + bytes(8) + bytes((1, 3, 3, 7))
"Of a SYN, as Linux sends them: maximum segment size 1460, SACK permitted, time stamp, window scale 7."
WINDOW = 24_576
"As in the headers: 3 MiB, what Linux's receivers announce when they keep up."
STEP = 12_000
"Nanoseconds between frames: about 1 Gbit/s."
SOURCE = ("10.0.0.1", 40000)
DESTINATION = ("10.0.0.2", 8002)
FLOW = "010.000.000.001.40000-010.000.000.002.08002"
"What tcpflow calls the file with the sender's bytes."


class Writer:
    """Writes one TCP connection as a pcap file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frames = 0
        # Sequence numbers pass 2**32 on the way.
        self.source = Host(*SOURCE, sequence=0xF8000000)
        self.destination = Host(*DESTINATION, sequence=9000)
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))

    def send(self, sender: Host, data: bytes = b"", flags: int = ACK) -> None:
        """The next segment of ``sender``."""
        receiver = self.destination if sender is self.source else self.source
        options, window = (OPENING, 65_535) if flags & SYN else (OPTIONS, WINDOW)
        segment = tcp(sender, receiver, sender.sequence, receiver.sequence, flags, data, options, window)
        frame = ethernet(ip(sender, receiver, segment))
        seconds, fraction = divmod(START + self._frames * STEP, 1_000_000_000)
        self._file.write(struct.pack("<IIII", seconds, fraction // 1000, len(frame), len(frame)) + frame)
        self._frames += 1
        sender.sequence += len(data) + (flags & 1) + (flags >> 1 & 1)


def write(path: Path, chunks: Iterable[Chunk]) -> None:
    """Write what ``xl migrate`` makes: ``chunks`` from the sender, an acknowledgment every two segments."""
    with path.open("wb", 1 << 20) as file:
        writer = Writer(file)
        source, destination = writer.source, writer.destination
        writer.send(source, flags=SYN)
        writer.send(destination, flags=SYN | ACK)
        writer.send(source)
        writer.send(destination, xl.BANNER.data, PSH | ACK)
        for number, data in enumerate(segments(chunks)):
            writer.send(source, data)
            if number % 2:
                writer.send(destination)
        writer.send(destination, xl.READY.data, PSH | ACK)
        writer.send(source, xl.PERMISSION.data, PSH | ACK)
        writer.send(destination, xl.REPORT.data, PSH | ACK)
        writer.send(destination, b"\0", PSH | ACK)
        for host in (source, destination):
            writer.send(host, flags=ACK | 1)
        writer.send(source)


def segments(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """The stream cut into segments, all but the last of full size."""
    rest = b""
    for chunk in chunks:
        data = rest + (bytes(chunk) if isinstance(chunk, int) else chunk)
        whole = len(data) - len(data) % SEGMENT
        for at in range(0, whole, SEGMENT):
            yield data[at : at + SEGMENT]
        rest = data[whole:]
    if rest:
        yield rest
