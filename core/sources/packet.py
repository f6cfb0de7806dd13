"""Where in a capture a byte came from."""

from __future__ import annotations


class Packet:
    """One frame of a capture: the address of the bytes in it."""

    __slots__ = ("frame", "time", "wire_bytes")

    frame: int
    "The frame's number, from 1, as Wireshark counts."
    time: int
    "Nanoseconds since 1970-01-01 00:00 UTC."
    wire_bytes: int
    """What its direction of a connection had put on the wire when this frame was over: bytes of whole frames, as
    :attr:`~xenmig.core.sources.connection.Direction.wire_bytes` counts them. The difference between two packets is
    what was sent in between. 0 for a packet that was asked for without a direction."""

    def __init__(self, frame: int, time: int, wire_bytes: int = 0) -> None:
        self.frame = frame
        self.time = time
        self.wire_bytes = wire_bytes

    def __repr__(self) -> str:
        return f"Packet(frame={self.frame}, time={self.time}, wire_bytes={self.wire_bytes})"
