"""IP datagrams: where the transport header starts and where the payload ends (RFC 791, RFC 8200)."""

from __future__ import annotations

TCP = 6
FRAGMENT = -1
MALFORMED = -2

_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))
"Hop-by-hop, routing, destination options, mobility, HIP, Shim6: all give their length in units of 8 bytes."
_FRAGMENT_HEADER = 44
_AUTHENTICATION = 51


class Datagram:
    """What an IP header says, as positions in the window."""

    __slots__ = ("protocol", "start", "end", "addresses", "plain")

    protocol: int
    "Of the transport header; FRAGMENT or MALFORMED when there is none to be found."
    start: int
    "Where the transport header starts."
    end: int
    "Where the datagram ends, perhaps beyond the captured bytes. Padding of the frame comes after it."
    addresses: bytes
    "Source and destination, 8 or 32 bytes."
    plain: bool
    "Whether the header is the shortest of its version: no options, no extension headers."

    def __init__(
        self, protocol: int, start: int = 0, end: int = 0, addresses: bytes = b"", plain: bool = False
    ) -> None:
        self.protocol = protocol
        self.start = start
        self.end = end
        self.addresses = addresses
        self.plain = plain


def datagram(version: int, data: bytes, start: int, end: int, wire_end: int) -> Datagram:
    """Read the IP header at ``start``.

    The captured part of the frame ends at ``end``; ``wire_end`` is where the frame would end had it been captured
    whole. A length of 0, as segmentation offload and BIG TCP leave it, means all of the frame.
    """
    return _ipv4(data, start, end, wire_end) if version == 4 else _ipv6(data, start, end, wire_end)


def header_end(version: int, data: bytes, start: int) -> int:
    """Where the fixed header and the options of the IP datagram at ``start`` end; extension headers come behind."""
    return start + ((data[start] & 0x0F) * 4 if version == 4 else 40)


def _ipv4(data: bytes, start: int, end: int, wire_end: int) -> Datagram:
    if start + 20 > end or data[start] >> 4 != 4:
        return Datagram(MALFORMED)
    header = (data[start] & 0x0F) * 4
    total = data[start + 2] << 8 | data[start + 3]
    if header < 20 or (total and total < header):
        return Datagram(MALFORMED)
    # More fragments to come, or not the first.
    if (data[start + 6] << 8 | data[start + 7]) & 0x3FFF:
        return Datagram(FRAGMENT)
    return Datagram(
        data[start + 9],
        start + header,
        start + total if total else wire_end,
        data[start + 12 : start + 20],
        header == 20,
    )


def _ipv6(data: bytes, start: int, end: int, wire_end: int) -> Datagram:
    if start + 40 > end or data[start] >> 4 != 6:
        return Datagram(MALFORMED)
    payload = data[start + 4] << 8 | data[start + 5]
    protocol = data[start + 6]
    position = start + 40
    finish = position + payload if payload else wire_end
    while protocol in _EXTENSIONS or protocol == _AUTHENTICATION:
        if position + 2 > end:
            return Datagram(MALFORMED)
        units = data[position + 1]
        length = (units + 2) * 4 if protocol == _AUTHENTICATION else (units + 1) * 8
        protocol = data[position]
        position += length
    if protocol == _FRAGMENT_HEADER:
        return Datagram(FRAGMENT)
    return Datagram(protocol, position, finish, data[start + 8 : start + 40], position == start + 40)
