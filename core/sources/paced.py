"""Frames in pieces that end at points in packet time, so that what is said there does not depend on what else came."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.frames import FrameReader, Frames, Head, Lead
    from xenmig.core.sources.watcher import Watcher

_LONG = 1 << 16
"Bytes of frames that are not walked over only to learn how late it is."
_TAIL = 1 << 13
"Bytes at the end among which there are some records, if the frames are of the usual size."
_LEAST = 3
"Records that follow one another and are no coincidence."


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
            # Most windows come before the next point, and go on whole.
            if frames is None or self._latest(frames) < self._watcher.due:
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

    def _latest(self, frames: Frames) -> int:
        """The time of the latest frame: of a long window, of those at its end, which are found without walking to them.

        The bytes of a time that change slowly are looked for from the end. Where records follow one another from there
        on, the last of them is the last of all. What one frame in the middle says, later than these, does not count.
        """
        lead, window, limit = frames.lead, frames.window, frames.limit
        if lead is None or limit - frames.position < _LONG:
            return self._time(max(frames.heads))
        offset = lead.before + 1
        first = frames.position + offset
        at = window.rfind(window[first : first + 3], first, limit - _TAIL) - offset
        found: list[Head] = []
        while (record := frames.record(at)) is not None:
            found.append(record[0])
            at = record[2]
        return self._time(max(found if len(found) >= _LEAST else frames.heads))

    def _time(self, head: Head) -> int:
        return head[0] * 1_000_000_000 + head[1] * self.scale
