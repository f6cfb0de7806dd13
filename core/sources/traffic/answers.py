"""Acknowledgments that come while a run of segments goes on."""

from __future__ import annotations


class Answers:
    """Acknowledgments that continued a run and have not been counted yet."""

    __slots__ = ("count", "time", "received", "peak", "widest", "window", "farthest")

    count: int
    time: int
    "When the last of them came: a fraction of the second that :meth:`Run.state` gave."
    received: int
    "The sequence number that the last one named, without wrapping."
    peak: int
    "Most bytes in flight when one of them came."
    widest: int
    "The widest window, as in the header."
    window: int
    "The last one."
    farthest: int
    "The sequence number, without wrapping, to which a window reached the farthest; means nothing on an unknown scale."

    def __init__(self) -> None:
        self.count = self.time = self.received = self.peak = self.widest = self.window = self.farthest = 0
