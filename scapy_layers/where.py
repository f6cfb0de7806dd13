"""Where a packet was found."""

from __future__ import annotations

from typing import Any


class Where:
    """The address of a header, record or message in a file or capture."""

    __slots__ = (
        "stream",
        "record",
        "offset",
        "length",
        "missing",
        "complete",
        "frame",
        "last_frame",
        "last_time",
        "source",
        "destination",
    )

    stream: int
    "Number of the stream in the input, from 1."
    record: int | None
    "Number of the record in its stream, from 0; None for headers and messages."
    offset: int
    "Position of the first byte in the file or TCP direction."
    length: int
    "Bytes that it takes there, its padding included."
    missing: int
    "How many of these the capture does not hold."
    complete: bool
    "False for the record in which the input ends."
    frame: int | None
    "Frame with the first byte, counted from 1 as Wireshark does; None in a file."
    last_frame: int | None
    "Frame with the last byte."
    last_time: Any
    "Its time, exact, in seconds since 1970 as Scapy's EDecimal; the packet's own ``time`` is that of the first byte."
    source: str
    "Address and port of who sent it; empty in a file."
    destination: str

    def __init__(self, stream: int, record: int | None, offset: int, length: int) -> None:
        self.stream = stream
        self.record = record
        self.offset = offset
        self.length = length
        self.missing = 0
        self.complete = True
        self.frame = None
        self.last_frame = None
        self.last_time = None
        self.source = ""
        self.destination = ""

    def __repr__(self) -> str:
        parts = [f"stream {self.stream}"]
        if self.record is not None:
            parts.append(f"record {self.record}")
        parts.append(f"offset {self.offset}")
        if self.frame is not None:
            frames = str(self.frame) if self.frame == self.last_frame else f"{self.frame} to {self.last_frame}"
            parts.append(f"frame {frames}")
        if self.source:
            parts.append(f"{self.source} > {self.destination}")
        if self.missing:
            parts.append(f"{self.missing} bytes missing")
        if not self.complete:
            parts.append("cut off")
        return f"<{', '.join(parts)}>"
