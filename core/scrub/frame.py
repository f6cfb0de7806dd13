"""A frame of a capture with zeros in place of what is not known to be harmless.

The headers of the link layer, of IP and of TCP stay, and so does what the stream in the segment keeps. The payload of
other protocols and of other connections goes, as do fragments, trailers and whatever cannot be read.
"""

from __future__ import annotations

from xenmig.core.scrub.checksum import TCP, TRANSPORTS, UDP, pseudo_sum, renewed
from xenmig.core.sources.ip import FRAGMENT, MALFORMED, datagram, header_end
from xenmig.core.sources.link import network, payload_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.ip import Datagram
    from xenmig.core.sources.segment import Segment


def scrubbed(
    link_type: int, data: bytes, start: int, end: int, wire: int, segment: Segment | None, new: bytes
) -> bytes:
    """What becomes of the frame ``data[start:end]``, which had ``wire`` bytes on the wire.

    ``segment`` is the TCP segment in it, None where there is none that can be read; ``new`` takes the place of the
    captured part of its payload.
    """
    version, position, _, _ = network(link_type, data, start, end)
    if not version:
        return _cut(data, start, payload_start(link_type, data, start, end), end)
    ip = datagram(version, data, position, end, start + wire)
    if ip.protocol == MALFORMED:
        return _cut(data, start, position, end)
    if ip.protocol == FRAGMENT:
        return _cut(data, start, header_end(version, data, position), end)
    transport = TRANSPORTS.get(ip.protocol)
    last = min(ip.end, end)
    if transport is None or (ip.protocol == TCP and segment is None):
        return _cut(data, start, ip.start, end)
    complete = ip.start + transport.header <= last
    if segment is not None:
        payload = segment.start
        if not complete:
            return _cut(data, start, payload, end)
    elif complete:
        payload = ip.start + transport.header
        new = bytes(last - payload)
    else:
        return _cut(data, start, ip.start, end)
    header = data[ip.start : payload]
    if new != data[payload:last]:
        header = _with_checksum(ip, header, data[payload:last], new, whole=ip.end <= end)
    return b"".join((data[start : ip.start], header, new, bytes(end - last)))


def _cut(data: bytes, start: int, after: int, end: int) -> bytes:
    """The frame with zeros from ``after`` on."""
    after = min(after, end)
    return data[start:after] + bytes(end - after)


def _with_checksum(ip: Datagram, header: bytes, old: bytes, new: bytes, *, whole: bool) -> bytes:
    """The transport header with a checksum for ``new`` instead of ``old`` behind it."""
    transport = TRANSPORTS[ip.protocol]
    at = transport.checksum
    # RFC 768: 0 says that there is no checksum.
    if ip.protocol == UDP and header[at : at + 2] == b"\0\0":
        return header
    rest = pseudo_sum(ip.addresses, ip.protocol, ip.end - ip.start) if transport.pseudo else 0
    checksum = renewed(header + old, header + new, at, rest, whole=whole)
    return header[:at] + checksum + header[at + 2 :]
