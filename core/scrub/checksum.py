"""The Internet checksum (RFC 1071) of transport headers whose payload changes."""

from __future__ import annotations


class Transport:
    """What a protocol's header says for this purpose."""

    __slots__ = ("header", "checksum", "pseudo")

    header: int
    "Bytes of the header that stay."
    checksum: int
    "Where in it the checksum lies; -1 if there is none."
    pseudo: bool
    "Whether addresses, protocol and length count (the pseudo-header: RFC 9293, RFC 768, RFC 4443)."

    def __init__(self, header: int, checksum: int, *, pseudo: bool) -> None:
        self.header = header
        self.checksum = checksum
        self.pseudo = pseudo


TCP, UDP = 6, 17
TRANSPORTS = {
    TCP: Transport(20, 16, pseudo=True),
    UDP: Transport(8, 6, pseudo=True),
    1: Transport(8, 2, pseudo=False),
    58: Transport(8, 2, pseudo=True),
}
"TCP, UDP, ICMP and ICMPv6. What an ICMP error quotes is payload."

_ONES = 0xFFFF


def word_sum(data: bytes) -> int:
    """The ones' complement sum of the 16-bit words of ``data``; 0 and 0xffff, which are the same in it, are both 0.

    A carry out of the upper end is added at the lower, so the sum is the remainder of the whole as one large number:
    2**16 is 1 modulo 0xffff.
    """
    number = int.from_bytes(data, "big")
    return (number << 8 if len(data) & 1 else number) % _ONES


def pseudo_sum(addresses: bytes, protocol: int, length: int) -> int:
    """The sum of the pseudo-header."""
    return (word_sum(addresses) + protocol + (length >> 16) + (length & _ONES)) % _ONES


def renewed(old: bytes, new: bytes, at: int, rest: int, *, whole: bool) -> bytes:
    """The checksum of ``new``, which takes the place of ``old``: both a transport header and what is behind it.

    ``at`` is where the checksum lies, ``rest`` the sum of the pseudo-header. ``whole`` says whether all bytes that
    count are in ``old``.

    A checksum that was right is right again. One that was wrong stays as it was, and is changed by one where it would
    now be right by accident; so do those that the network card was to fill in (checksum offload), which hold the sum of
    the pseudo-header. Of a frame that was not captured whole nobody knows: unless it holds 0 or that sum, its checksum
    is made right for a payload that goes on with zeros, so that nothing in it speaks of the bytes that went.
    """
    stored = old[at : at + 2]
    found = int.from_bytes(stored, "big")
    right = (word_sum(old) + rest) % _ONES == 0 if whole else found not in (0, rest)
    others = (word_sum(new) - int.from_bytes(new[at : at + 2], "big") + rest) % _ONES
    wanted = _ONES - others
    if right:
        return wanted.to_bytes(2, "big")
    if whole and found % _ONES == wanted % _ONES:
        return (found ^ 1).to_bytes(2, "big")
    return stored
