"""Frames in pieces that end at points in packet time, so that what is said there does not depend on what else came."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.frames import FrameReader, Frames, Head, Lead
    from xenmig.core.sources.watcher import Watcher


class PacedReader:
    """The frames of another reader; a watcher is called before the first one at or after the time that it names."""

    __slots__ = ("lead", "scale", "_reader", "_watcher", "_frames", "_place")

    lead: Lead
    scale: int

    def __init__(self, reader: FrameReader, watcher: Watcher) -> None:
        self.lead = reader.lead
        self.scale = reader.scale
        self._reader = reader
        self._watcher = watcher
        # What is left of the last frames read: those from a place on.
        self._frames: Frames | None = None
        self._place = 0

    def frames(self) -> Frames | None:
        frames = self._frames
        if frames is None:
            frames = self._reader.frames()
            # Most windows come before the next point: one comparison, and they go on whole.
            if frames is None or self._time(max(frames.heads)) < self._watcher.due:
                return frames
            self._frames, self._place = frames, 0
        heads, start = frames.heads, self._place
        time = self._time(heads[start])
        if time >= self._watcher.due:
            self._watcher.reached(time)
        due = self._watcher.due
        end = start + 1
        while end < len(heads) and self._time(heads[end]) < due:
            end += 1
        self._place = end
        if end == len(heads):
            self._frames = None
        return frames.part(start, end)

    def _time(self, head: Head) -> int:
        return head[0] * 1_000_000_000 + head[1] * self.scale
