"""Copying what a capture file holds beside its frames: headers, and the other blocks of pcapng.

A container is told what each frame becomes, in order, and copies everything up to it. The reader of the capture has
decided what a frame is before.
"""

from __future__ import annotations

from struct import Struct

from xenmig.core.sources.frames import LARGEST_FRAME, Window
from xenmig.core.sources.pcap import FILE_HEADER, MAGICS, RECORD_HEADER
from xenmig.core.sources.pcapng import (
    ENHANCED_PACKET,
    INTERFACE,
    LARGEST_BLOCK,
    MAGIC,
    OBSOLETE_PACKET,
    ORDERS,
    PACKET_HEADER,
    SECTION_HEADER,
    SIMPLE_PACKET,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from xenmig.core.scrub.target import Target
    from xenmig.core.sources.input import Input

    class Container(Protocol):
        """One format of capture files."""

        def frame(self, data: bytes) -> None:
            """The next frame is to hold ``data``, as many bytes as it has."""

        def finish(self) -> None:
            """There are no more frames: copy what is left."""


BLOCK_HEADER = 8
TRAILER = 4
SIMPLE_HEADER = 12
KEPT_BLOCK = 1 << 16
"Larger blocks that hold no frame become zeros."
STATISTICS = 5
JOURNAL = 9
NO_ENTRY = b"__REALTIME_TIMESTAMP=0\n"
"In place of an entry of systemd's journal: Wireshark refuses a file in which one has no time."
OPTIONS_AT = {SECTION_HEADER: 24, INTERFACE: 16, STATISTICS: 20}
"Where the options of the blocks begin whose contents stay: pcapng sections 4.1, 4.2 and 4.6."
END_OF_OPTIONS = 0
KEPT_OPTIONS = {
    SECTION_HEADER: frozenset((END_OF_OPTIONS, 2, 3, 4)),
    INTERFACE: frozenset((END_OF_OPTIONS, *range(2, 18))),
    STATISTICS: frozenset((END_OF_OPTIONS, *range(2, 9))),
    ENHANCED_PACKET: frozenset((END_OF_OPTIONS, 2, 4, 5, 6)),
}
"""Options whose values stay: not comments (1), nor hashes and verdicts of packets (3, 7), nor custom ones or such as
the document does not know."""


def container(input: Input, target: Target) -> Container:
    """The container for the capture file in ``input``, which has been found readable."""
    return PcapngContainer(input, target) if input.peek(4) == MAGIC else PcapContainer(input, target)


class PcapContainer:
    """A file header, and a header in front of each frame."""

    __slots__ = ("_window", "_target", "_captured")

    def __init__(self, input: Input, target: Target) -> None:
        self._window = Window(input)
        self._target = target
        self._window.ensure(FILE_HEADER)
        header = _take(self._window, FILE_HEADER)
        order, _ = MAGICS[header[:4]]
        self._captured = Struct(order + "8xI4x")
        target.write(header)

    def frame(self, data: bytes) -> None:
        window = self._window
        window.ensure(RECORD_HEADER)
        self._target.write(_take(window, RECORD_HEADER))
        self._target.write(data)
        window.pass_over(len(data))

    def finish(self) -> None:
        """Keep the header of a frame that is cut off, so that it is seen to be; leave out what is damaged."""
        window = self._window
        if not window.ensure(RECORD_HEADER):
            self._target.zeros(window.available)
            return
        (captured,) = self._captured.unpack_from(window.data, window.position)
        if captured <= LARGEST_FRAME:
            self._target.write(_take(window, RECORD_HEADER))
            self._target.zeros(window.pass_over(captured))


class PcapngContainer:
    """Blocks. Those that hold no frame keep type and length; of their contents only what is known to be harmless.

    Sections, interfaces and statistics stay, and so do those of their options that are in ``KEPT_OPTIONS``. Of names
    that were resolved, secrets for decryption, journals of systemd, custom blocks and unknown ones, the contents become
    zeros.
    """

    __slots__ = ("_window", "_target", "_order")

    def __init__(self, input: Input, target: Target) -> None:
        self._window = Window(input)
        self._target = target
        self._order = "<"

    def frame(self, data: bytes) -> None:
        while True:
            kind, total = self._head()
            if kind in (ENHANCED_PACKET, OBSOLETE_PACKET, SIMPLE_PACKET):
                break
            self._block(kind, total)
        self._window.ensure(total)
        block = _take(self._window, total)
        head = SIMPLE_HEADER if kind == SIMPLE_PACKET else PACKET_HEADER
        behind = head + (len(data) + 3 & ~3)
        options = bytes(len(block) - behind - TRAILER)
        if kind != SIMPLE_PACKET:
            options = self._options(ENHANCED_PACKET, block[behind:-TRAILER])
        padding = bytes(behind - head - len(data))
        self._target.write(b"".join((block[:head], data, padding, options, block[-TRAILER:])))

    def finish(self) -> None:
        """Copy the other blocks behind the last frame; a block that is cut off stays so, damage is left out."""
        while self._window.ensure(BLOCK_HEADER):
            kind, total = self._head()
            if total < BLOCK_HEADER + TRAILER or total & 3:
                return
            packet = kind in (ENHANCED_PACKET, OBSOLETE_PACKET, SIMPLE_PACKET)
            if packet and (total > LARGEST_BLOCK or self._window.ensure(total)):
                return
            self._block(kind, total)
        self._target.zeros(self._window.available)

    def _head(self) -> tuple[int, int]:
        window = self._window
        window.ensure(BLOCK_HEADER + TRAILER)
        if window.data.startswith(MAGIC, window.position):
            mark = window.data[window.position + BLOCK_HEADER : window.position + BLOCK_HEADER + 4]
            if mark not in ORDERS:
                return SECTION_HEADER, 0
            self._order = ORDERS[mark]
        kind, total = Struct(self._order + "II").unpack_from(window.data, window.position)
        return kind, total

    def _block(self, kind: int, total: int) -> None:
        """Copy a block without a frame, or what there is of one that is cut off."""
        window, target = self._window, self._target
        at = OPTIONS_AT.get(kind, 0)
        if at and at + TRAILER <= total <= KEPT_BLOCK and window.ensure(total):
            block = _take(window, total)
            target.write(block[:at] + self._options(kind, block[at:-TRAILER]) + block[-TRAILER:])
            return
        target.write(_take(window, BLOCK_HEADER))
        there = window.pass_over(total - BLOCK_HEADER)
        if there < total - BLOCK_HEADER:
            target.zeros(there)
            return
        begin = NO_ENTRY if kind == JOURNAL and there >= len(NO_ENTRY) + TRAILER else b""
        target.write(begin)
        target.zeros(there - TRAILER - len(begin))
        target.write(Struct(self._order + "I").pack(total))

    def _options(self, kind: int, data: bytes) -> bytes:
        """Options of a block of that kind, with zeros for the values of those that may hold anything."""
        header = Struct(self._order + "HH")
        result = bytearray(len(data))
        at = 0
        while at + header.size <= len(data):
            code, length = header.unpack_from(data, at)
            after = at + header.size + length
            if after > len(data):
                break
            end = after if code in KEPT_OPTIONS[kind] else at + header.size
            result[at:end] = data[at:end]
            if code == END_OF_OPTIONS:
                break
            at += header.size + (length + 3 & ~3)
        return bytes(result)


def _take(window: Window, count: int) -> bytes:
    """The next bytes, which are in memory, as far as there are any."""
    data = window.data[window.position : window.position + count]
    window.position += len(data)
    return data
