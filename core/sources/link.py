"""Link layers: where in a frame the IP datagram starts (www.tcpdump.org/linktypes.html)."""

from __future__ import annotations

ETHERNET = 1
NULL = 0
LOOP = 108
LINUX_SLL = 113
LINUX_SLL2 = 276
IPV4 = 228
IPV6 = 229
RAW = frozenset((12, 14, 101))
"LINKTYPE_RAW is 101; files hold DLT_RAW too, which is 14 on OpenBSD and 12 elsewhere."

NAMES = {
    NULL: "NULL",
    ETHERNET: "EN10MB",
    12: "RAW",
    14: "RAW",
    101: "RAW",
    LOOP: "LOOP",
    LINUX_SLL: "LINUX_SLL",
    IPV4: "IPV4",
    IPV6: "IPV6",
    LINUX_SLL2: "LINUX_SLL2",
}
"Link types that are understood."

_VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100, 0x9200))
_FAMILIES = {2: 4, 10: 6, 24: 6, 28: 6, 30: 6}
"AF_INET everywhere; AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, macOS."

_HEADERS = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}
"Where in the header the type of what it carries lies, and how long the header is."

NOT_IP = (0, 0, 0, 0)


def network(link_type: int, data: bytes, start: int, end: int) -> tuple[int, int, int, int]:
    """What the frame ``data[start:end]`` carries.

    Returns the IP version, the position of the IP header, and the bounds of those bytes of the link header that say
    so; or NOT_IP, whose version is 0, for other protocols and for frames too short to tell.
    """
    if link_type in _HEADERS:
        field, size = _HEADERS[link_type]
        return _ethertype(data, start + field, start + size, end)
    if link_type in RAW:
        version = data[start] >> 4 if start < end else 0
        return (version, start, start, start) if version in (4, 6) else NOT_IP
    if link_type == IPV4:
        return 4, start, start, start
    if link_type == IPV6:
        return 6, start, start, start
    if link_type in (NULL, LOOP) and start + 4 <= end:
        # NULL has the byte order of the machine that captured, whatever the file's; families are below 65536.
        family = int.from_bytes(data[start : start + 4], "big")
        if link_type == NULL and family >= 1 << 16:
            family = int.from_bytes(data[start : start + 4], "little")
        version = _FAMILIES.get(family, 0)
        return (version, start + 4, start, start + 4) if version else NOT_IP
    return NOT_IP


def payload_start(link_type: int, data: bytes, start: int, end: int) -> int:
    """Where the header of the frame ``data[start:end]`` ends, whatever protocol comes behind it.

    Of an unknown link type nothing is taken for a header.
    """
    if link_type in _HEADERS:
        field, size = _HEADERS[link_type]
        position = start + size
        field += start
        while position <= end and data[field] << 8 | data[field + 1] in _VLAN_TAGS:
            field = position + 2
            position += 4
        return min(position, end)
    return min(start + 4, end) if link_type in (NULL, LOOP) else start


def _ethertype(data: bytes, field: int, position: int, end: int) -> tuple[int, int, int, int]:
    first = field
    if position > end:
        return NOT_IP
    protocol = data[field] << 8 | data[field + 1]
    while protocol in _VLAN_TAGS:
        # After a tag of two bytes comes the type of what follows; for Ethernet and SLL it is next to the first type.
        field = position + 2
        position += 4
        if position > end:
            return NOT_IP
        protocol = data[field] << 8 | data[field + 1]
    if protocol == 0x0800:
        return 4, position, first, field + 2
    if protocol == 0x86DD:
        return 6, position, first, field + 2
    return NOT_IP
