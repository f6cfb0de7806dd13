"""TCP segments as they were captured (RFC 9293)."""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.frames import Head
    from xenmig.core.sources.ip import Datagram

FIN = 0x01
SYN = 0x02
RST = 0x04
ACK = 0x10

_HEADER = Struct(">4sIIBB")


class Segment:
    """One segment, with its payload as positions in the window."""

    # fmt: off
    __slots__ = (
        "key", "sequence", "acknowledgment", "flags", "data", "start", "end", "length", "frame", "head", "wire_bytes",
    )
    # fmt: on

    key: bytes
    "Source address, destination address, source port, destination port: 12 or 36 bytes in wire order."
    sequence: int
    acknowledgment: int
    flags: int
    data: bytes
    start: int
    "Where in ``data`` the payload starts."
    end: int
    "Where the captured part of the payload ends."
    length: int
    "Payload bytes that were on the wire: more than ``end - start`` when the capture cut them off."
    frame: int
    head: Head
    wire_bytes: int
    "Those of its direction with this segment's frame; 0 until its direction is known."

    def __init__(
        self,
        key: bytes,
        sequence: int,
        acknowledgment: int,
        flags: int,
        data: bytes,
        start: int,
        end: int,
        length: int,
        frame: int,
        head: Head,
    ) -> None:
        self.key = key
        self.sequence = sequence
        self.acknowledgment = acknowledgment
        self.flags = flags
        self.data = data
        self.start = start
        self.end = end
        self.length = length
        self.frame = frame
        self.head = head
        self.wire_bytes = 0


def segment(data: bytes, ip: Datagram, end: int, frame: int, head: Head) -> Segment | None:
    """Read the TCP header in ``ip``; None when it is malformed or was not captured.

    ``end`` is where the captured part of the frame ends. Options may be cut off, the fixed header may not.
    """
    start = ip.start
    if start + 14 > end or start + 20 > ip.end:
        return None
    ports, sequence, acknowledgment, offset, flags = _HEADER.unpack_from(data, start)
    header = offset >> 2 & 0x3C
    payload = start + header
    if header < 20 or payload > ip.end:
        return None
    finish = min(end, ip.end)
    return Segment(
        ip.addresses + ports,
        sequence,
        acknowledgment,
        flags,
        data,
        min(payload, finish),
        finish,
        ip.end - payload,
        frame,
        head,
    )
