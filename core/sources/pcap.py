"""The classic capture file format (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
from struct import Struct

from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.frames import LARGEST_FRAME, Frames, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.frames import Head
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


class PcapReader:
    """Reads the frames of a pcap file of either byte order, with time stamps in microseconds or nanoseconds.

    Raises :class:`UnreadableInput` when the file header is not all there.
    """

    __slots__ = ("scale", "_window", "_notices", "_link_type", "_head", "_frame")

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
        # The upper half of the field holds the length of the frame check sequence (section 4).
        self._link_type: int = Struct(order + "20xI").unpack_from(window.data, start)[0] & 0xFFFF
        self._head = Struct(order + "IIII")
        self._frame = 0
        window.position += FILE_HEADER

    def frames(self) -> Frames | None:
        window = self._window
        unpack = self._head.unpack_from
        starts: list[int] = []
        heads: list[Head] = []
        while True:
            data = window.data
            position = window.position
            size = len(data)
            missing = 0
            try:
                while True:
                    head = unpack(data, position)
                    start = position + RECORD_HEADER
                    position = start + head[2]
                    if position > size:
                        missing = position - size
                        position = start - RECORD_HEADER
                        break
                    starts.append(start)
                    heads.append(head)
            # Raised by the last header of each window only; cheaper than comparing before each.
            except struct.error:
                missing = RECORD_HEADER - (size - position)
            window.position = position
            if starts:
                self._frame += len(starts)
                return Frames(data, self._link_type, starts, heads)
            if missing > LARGEST_FRAME:
                self._damaged(missing + window.available - RECORD_HEADER)
                return None
            if not window.more(missing):
                self._end()
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
