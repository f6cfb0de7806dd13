"""Where in a capture a byte came from."""

from __future__ import annotations


class Packet:
    """One frame of a capture: the address of the bytes in it."""

    __slots__ = ("frame", "time")

    frame: int
    "The frame's number, from 1, as Wireshark counts."
    time: int
    "Nanoseconds since 1970-01-01 00:00 UTC."

    def __init__(self, frame: int, time: int) -> None:
        self.frame = frame
        self.time = time

    def __repr__(self) -> str:
        return f"Packet(frame={self.frame}, time={self.time})"
