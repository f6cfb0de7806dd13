"""Where the TCP header's fields lie in frames whose headers have the usual lengths, and what a SYN's options say."""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_UNREACHABLE = 1 << 24
"Larger than any frame."
_SWITCH = 8
"A layout is used after this many frames that had it and not the old one."

DEFAULT_MSS = 536
"Of an end whose SYN names none (RFC 9293, section 3.7.1)."
MOST_SHIFT = 14
"Larger shift counts are to be taken for this one (RFC 7323, section 2.3)."

_END = 0
_NO_OPERATION = 1
_MAXIMUM_SEGMENT_SIZE = 2
_WINDOW_SCALE = 3


class Layout:
    """The place of everything in an IP header without options behind a certain link header."""

    __slots__ = ("identity", "size", "compare", "read", "usual")

    identity: tuple[int, int, bytes]
    "IP version, offset of the IP header, and the bytes of the link header that say what follows."
    size: int
    "Captured bytes that a frame must have for the two functions."
    compare: Callable[[bytes, int], tuple[bytes, bytes, int, int]]
    """Reads from a window and the start of a frame what segments of one run share, and how they go on: the link bytes
    with the beginning of the IP header up to its length; addresses and ports; sequence number; and in one number of
    64 bits acknowledgment number, data offset, flags and window."""
    read: Callable[[bytes, int], tuple[Any, ...]]
    """Reads the link bytes, the first byte of the IP header, the IP length field, the IPv4 fragment field (b"" for
    IPv6), protocol, addresses and ports, sequence number, acknowledgment number, data offset, flags, window."""
    usual: tuple[bytes, int, int, int]
    """The link bytes; the first byte of an IP header without options; how many bytes of IP header the length field
    counts; how many bytes of the frame lie in front of what it counts."""

    def __init__(self, version: int, offset: int, link_start: int, link: bytes) -> None:
        """For IP headers ``offset`` bytes into the frame, announced by the bytes ``link`` at ``link_start``."""
        self.identity = (version, offset, link)
        between = offset - link_start - len(link)
        before = f">{link_start}x{len(link)}s{between}x"
        if version == 4:
            layout = Struct(before + "BxH2xHxB2x12sIIBBH")
            self.compare = Struct(f">{link_start}x{offset + 4 - link_start}s8x12sIQ").unpack_from
            self.usual = (link, 0x45, 20, offset)
        else:
            layout = Struct(before + "B3xH0sBx36sIIBBH")
            self.compare = Struct(f">{link_start}x{offset + 6 - link_start}s2x36sIQ").unpack_from
            self.usual = (link, 0x60, 0, offset + 40)
        self.read = layout.unpack_from
        self.size = layout.size


class Layouts:
    """Learns which layout most frames have."""

    __slots__ = ("layout", "_candidate", "_count")

    layout: Layout
    "One that fits no frame until there was one with plain headers."

    def __init__(self) -> None:
        self.layout = Layout(4, _UNREACHABLE, 0, b"")
        self._candidate = self.layout.identity
        # The first one that comes is as good as any.
        self._count = _SWITCH

    def met(self, version: int, offset: int, link_start: int, link: bytes) -> None:
        """A frame with plain headers came that the present layout does not fit."""
        identity = (version, offset, link)
        if self.layout.identity == identity:
            self._count = 0
            return
        self._count = self._count + 1 if identity == self._candidate or self._count >= _SWITCH else 1
        self._candidate = identity
        if self._count >= _SWITCH:
            self.layout = Layout(version, offset, link_start, link)
            self._count = 0


def opening_options(options: bytes) -> tuple[int, int]:
    """Maximum segment size and window shift that the options of a SYN name; ``DEFAULT_MSS`` and -1 where they do not.

    Reading stops at the first option that is malformed (RFC 9293, section 3.1; RFC 7323, section 2.2).
    """
    size, shift = DEFAULT_MSS, -1
    at = 0
    while at < len(options) and (kind := options[at]) != _END:
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = options[at + 1] if at + 1 < len(options) else 0
        if length < 2 or at + length > len(options):
            break
        if kind == _MAXIMUM_SEGMENT_SIZE and length == 4:
            size = max(1, options[at + 2] << 8 | options[at + 3])
        elif kind == _WINDOW_SCALE and length == 3:
            shift = min(options[at + 2], MOST_SHIFT)
        at += length
    return size, shift
