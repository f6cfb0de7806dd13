"""The classic capture file format (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

from struct import Struct

from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.frames import LARGEST_FRAME, Frames, Lead, Window
from xenmig.core.sources.repetition import steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.frames import Head, Record
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.notice import Notices

MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"First four bytes: byte order of the file, and nanoseconds in a unit of its time stamps (section 4)."

FILE_HEADER = 24
RECORD_HEADER = 16


class _PcapFrames(Frames):
    __slots__ = ("order", "unpack")

    lead = Lead(0, 8)

    order: str
    "Of bytes: that of the file."
    unpack: Callable[[bytes, int], Head]
    "Reads a record's header."

    def record(self, position: int) -> Record | None:
        start = position + RECORD_HEADER
        if start > self.limit:
            return None
        head = self.unpack(self.window, position)
        after = start + head[2]
        return (head, start, after) if after <= self.limit else None

    def steady(self, position: int, size: int, count: int, second: int, pause: int) -> int:
        window, unpack = self.window, self.unpack
        # Between two frames of one second, fractions ascend, or it shows that they do not.
        while count and unpack(window, position + (count - 1) * size)[0] != second:
            count //= 2
        if not count or unpack(window, position)[0] != second:
            return 0
        return steady(window, position + 4, size, count, "little" if self.order == "<" else "big", pause)

    def part(self, first: int, behind: int) -> Frames:
        starts = self.starts
        limit = starts[behind] - RECORD_HEADER if behind < len(starts) else self.end
        frames = _PcapFrames(self.window, self.link_type, starts[first] - RECORD_HEADER, limit)
        frames.order, frames.unpack = self.order, self.unpack
        return frames

    def _walk(self, starts: list[int], heads: list[Head]) -> int:
        window, unpack, limit = self.window, self.unpack, self.limit
        position = self.position
        last = limit - RECORD_HEADER
        while position <= last:
            head = unpack(window, position)
            start = position + RECORD_HEADER
            after = start + head[2]
            if after > limit:
                break
            starts.append(start)
            heads.append(head)
            position = after
        return position


class PcapReader:
    """Reads the frames of a pcap file of either byte order, with time stamps in microseconds or nanoseconds.

    Raises :class:`UnreadableInput` when the file header is not all there.
    """

    __slots__ = ("scale", "_window", "_notices", "_link_type", "_order", "_head", "_frame", "_before")

    lead = _PcapFrames.lead
    scale: int

    def __init__(self, input: Input, notices: Notices) -> None:
        self._notices = notices
        self._window = window = Window(input)
        if not window.ensure(FILE_HEADER):
            raise UnreadableInput(
                input.name, f"the pcap file header is cut short: {window.available} of {FILE_HEADER} bytes are there"
            )
        start = window.position
        order, self.scale = MAGICS[window.data[start : start + 4]]
        self._order = order
        # The upper half of the field holds the length of the frame check sequence (section 4).
        self._link_type: int = Struct(order + "20xI").unpack_from(window.data, start)[0] & 0xFFFF
        self._head = Struct(order + "IIII")
        self._frame = 0
        self._before: Frames | None = None
        window.position += FILE_HEADER

    def frames(self) -> Frames | None:
        window = self._window
        before = self._before
        if before is not None:
            self._frame += before.count
            window.position = before.end
            self._before = before = None
        while True:
            missing = RECORD_HEADER - window.available
            if missing <= 0:
                head = self._head.unpack_from(window.data, window.position)
                missing += head[2]
                if missing <= 0:
                    frames = _PcapFrames(window.data, self._link_type, window.position, len(window.data))
                    frames.order, frames.unpack = self._order, self._head.unpack_from
                    self._before = frames
                    return frames
                if head[2] > LARGEST_FRAME:
                    self._damaged(head[2])
                    break
            if not window.more(missing):
                self._end()
                break
        self._before = None
        return None

    def _damaged(self, captured: int) -> None:
        self._notices.add(
            "damaged",
            f"reading stops here: a frame header claims {captured} captured bytes, more than any capture program"
            " writes, so the file is damaged or is not only a pcap file",
            frame=self._frame + 1,
            offset=self._window.offset,
        )

    def _end(self) -> None:
        window = self._window
        if window.available:
            self._notices.add(
                "cut",
                "the capture file ends inside this frame, which is left out: the capture program was stopped hard,"
                " or the copy is not complete",
                frame=self._frame + 1,
                offset=window.offset,
            )
