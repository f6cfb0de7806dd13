"""The shape of a capture's usual frame: what the file puts in front and all headers of a TCP segment in one Struct."""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from xenmig.core.sources.frames import Lead

_SWITCH = 8
"A new shape is used after this many frames that had it and not the old one."
_UNREACHABLE = 1 << 24
"Larger than any frame."


class Shape:
    """Where everything lies in frames whose headers have the usual lengths, from the start of the frame's record."""

    __slots__ = ("identity", "size", "compare", "read", "usual", "constant", "flags", "sequence")

    identity: tuple[int, int, bytes]
    "IP version, offset of the IP header in the frame, link bytes."
    size: int
    "How many bytes the record must have for the two functions."
    compare: Callable[[bytes, int], tuple[Any, ...]]
    """Reads from a window and the start of a record: the bytes in front of the time; those from behind the time up to
    the identification in the IP header (lengths, link header, IP length); those behind the identification (for IPv6
    all of these are in front and b"" is behind); the key (addresses and ports), sequence number, data offset, flags.
    What changes from one segment to the next is either last or left out."""
    read: Callable[[bytes, int], tuple[Any, ...]]
    """Reads the same as: the link bytes, the first byte of the IP header, the IP length field, the IPv4 fragment
    field (b"" for IPv6), protocol, key, sequence number, data offset, flags."""
    usual: tuple[bytes, int, int, int, int]
    """The link bytes; the first byte of an IP header without options; how many bytes of IP header the length field
    counts; and the distances from the start of the frame to what the length field counts and to the TCP header."""
    constant: tuple[int, ...]
    """Offsets from the start of the record of the bytes that segments of one run have in common: the lengths, what says
    which protocol follows, the key, the data offset. The ports come first, they tell most frames from others."""
    flags: int
    "Offset of the TCP flags."
    sequence: int
    "Offset of the sequence number."

    def __init__(self, version: int, offset: int, link_start: int, link: bytes, lead: Lead) -> None:
        """For IP headers ``offset`` bytes into the frame, announced by the bytes ``link`` at ``link_start``, in records
        that begin with ``lead``.
        """
        self.identity = (version, offset, link)
        before = f">{lead.size + link_start}x{len(link)}s{offset - link_start - len(link)}x"
        ip = lead.size + offset
        if version == 4:
            layout = Struct(before + "BxH2xHxB2x12sI4xBB")
            compare = f">{lead.before}s8x{lead.after + offset + 4}s2x4s2x12sI4xBB"
            self.usual = (link, 0x45, 20, offset, offset + 20)
            # Version and header length, total length, fragment, protocol, addresses and ports.
            within: tuple[range, ...] = (
                range(ip, ip + 1),
                range(ip + 2, ip + 4),
                range(ip + 6, ip + 8),
                range(ip + 9, ip + 10),
            )
            tcp = ip + 20
            key = range(ip + 12, tcp + 4)
        else:
            layout = Struct(before + "B3xH0sBx36sI4xBB")
            compare = f">{lead.before}s8x{lead.after + offset + 8}s0s36sI4xBB"
            self.usual = (link, 0x60, 0, offset + 40, offset + 40)
            # Version, payload length and next header, addresses and ports.
            within = (range(ip, ip + 1), range(ip + 4, ip + 7))
            tcp = ip + 40
            key = range(ip + 8, tcp + 4)
        self.compare = Struct(compare).unpack_from
        self.read = layout.unpack_from
        self.size = layout.size
        self.sequence = tcp + 4
        self.flags = tcp + 13
        start = lead.size + link_start
        around = (range(lead.before), range(lead.before + 8, lead.size), range(start, start + len(link)))
        self.constant = (*reversed(key), *(at for each in (*around, *within) for at in each), tcp + 12)


class Habit:
    """Learns which shape most frames have."""

    __slots__ = ("shape", "_lead", "_candidate", "_count")

    shape: Shape
    "One that fits no frame until there was one with plain headers."

    def __init__(self, lead: Lead) -> None:
        """``lead`` is what all frames of the capture begin with."""
        self._lead = lead
        self.shape = Shape(4, 0, 0, b"", lead)
        self.shape.identity = (0, 0, b"")
        self.shape.size = _UNREACHABLE
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
            self.shape = Shape(version, offset, link_start, link, self._lead)
            self._count = 0
