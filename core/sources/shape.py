"""The shape of a capture's usual frame: all headers of a plain TCP segment read by one Struct."""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SWITCH = 8
"A new shape is used after this many frames that had it and not the old one."
_UNREACHABLE = 1 << 24
"Larger than any frame."


class Shape:
    """Where everything lies in frames whose headers have the usual lengths."""

    __slots__ = ("identity", "size", "compare", "read", "usual")

    identity: tuple[int, int, bytes]
    "IP version, offset of the IP header, link bytes."
    size: int
    "How many captured bytes a frame must have for the two functions."
    compare: Callable[[bytes, int], tuple[Any, ...]]
    """Reads from a window and the start of a frame: the bytes of the link header that say what follows, the bytes of
    the IP header in front of and behind the identification (for IPv6 b"" is behind), the key (addresses and ports),
    sequence number, data offset, flags. What changes from one segment to the next is either last or left out."""
    read: Callable[[bytes, int], tuple[Any, ...]]
    """Reads the same as: the link bytes, the first byte of the IP header, the IP length field, the IPv4 fragment
    field (b"" for IPv6), protocol, key, sequence number, data offset, flags."""
    usual: tuple[bytes, int, int, int, int]
    """The link bytes; the first byte of an IP header without options; how many bytes of IP header the length field
    counts; and the distances from the start of the frame to what the length field counts and to the TCP header."""

    def __init__(self, version: int, offset: int, link_start: int, link: bytes) -> None:
        """For IP headers ``offset`` bytes into the frame, announced by the bytes ``link`` at ``link_start``."""
        self.identity = (version, offset, link)
        before = f">{link_start}x{len(link)}s{offset - link_start - len(link)}x"
        if version == 4:
            layout = Struct(before + "BxH2xHxB2x12sI4xBB")
            self.compare = Struct(before + "4s2x4s2x12sI4xBB").unpack_from
            self.usual = (link, 0x45, 20, offset, offset + 20)
        else:
            layout = Struct(before + "B3xH0sBx36sI4xBB")
            self.compare = Struct(before + "8s0s36sI4xBB").unpack_from
            self.usual = (link, 0x60, 0, offset + 40, offset + 40)
        self.read = layout.unpack_from
        self.size = layout.size


class Habit:
    """Learns which shape most frames have."""

    __slots__ = ("shape", "_candidate", "_count")

    shape: Shape
    "One that fits no frame until there was one with plain headers."

    def __init__(self) -> None:
        self.shape = Shape(4, _UNREACHABLE, 0, b"")
        self._candidate = self.shape.identity
        # The first one that comes is as good as any.
        self._count = _SWITCH

    def met(self, version: int, offset: int, link_start: int, link: bytes) -> None:
        """A frame with plain headers came that the present shape does not fit, or that is unusual in another way."""
        identity = (version, offset, link)
        if self.shape.identity == identity:
            self._count = 0
            return
        self._count += 1
        if self._candidate != identity and self._count <= _SWITCH:
            self._count = 1
        self._candidate = identity
        if self._count >= _SWITCH:
            self.shape = Shape(version, offset, link_start, link)
            self._count = 0
