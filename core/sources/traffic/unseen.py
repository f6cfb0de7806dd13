"""Bytes of a direction that lie between captured ones and have not been captured themselves."""

from __future__ import annotations

MOST_GAPS = 64
"Gaps that are remembered; of more, the oldest counts as never to be filled."


class Unseen:
    """Gaps in the captured bytes, by place, which is a sequence number that does not wrap."""

    __slots__ = ("gaps", "acknowledged", "unanswered")

    gaps: list[tuple[int, int, int]]
    "Where each begins and ends, ascending, and when it was noticed."
    acknowledged: int
    "Bytes of forgotten gaps that the receiver has acknowledged all the same."
    unanswered: int
    "Bytes of forgotten gaps that it has not acknowledged."

    def __init__(self) -> None:
        self.gaps = []
        self.acknowledged = 0
        self.unanswered = 0

    def add(self, start: int, end: int, time: int, received: int) -> None:
        """Segments from ``start`` to ``end``, behind all others, were passed over; ``received`` is acknowledged."""
        self.gaps.append((start, end, time))
        if len(self.gaps) > MOST_GAPS:
            self._forget(self.gaps.pop(0), received)

    def fill(self, start: int, end: int) -> tuple[int, int]:
        """These bytes came: how many of them had not been captured before, and when the first of them was missed."""
        fresh = 0
        missed = -1
        left: list[tuple[int, int, int]] = []
        for gap in self.gaps:
            first, last, time = gap
            if last <= start or first >= end:
                left.append(gap)
                continue
            fresh += min(last, end) - max(first, start)
            missed = time if missed < 0 else min(missed, time)
            if first < start:
                left.append((first, start, time))
            if end < last:
                left.append((end, last, time))
        if fresh:
            self.gaps = left
        return fresh, missed

    def waiting(self, received: int) -> bool:
        """Whether there is a gap that the receiver has not acknowledged, so that it may still be filled."""
        return bool(self.gaps) and self.gaps[-1][1] > received

    def finish(self, received: int) -> None:
        """Nothing more comes: ``acknowledged`` and ``unanswered`` are complete."""
        for gap in self.gaps:
            self._forget(gap, received)
        self.gaps = []

    def _forget(self, gap: tuple[int, int, int], received: int) -> None:
        start, end, _ = gap
        known = max(0, min(end, received) - start)
        self.acknowledged += known
        self.unanswered += end - start - known
