"""What the options of a SYN say."""

from __future__ import annotations

DEFAULT_MSS = 536
"Of an end whose SYN names none (RFC 9293, section 3.7.1)."
MOST_SHIFT = 14
"Larger shift counts are to be taken for this one (RFC 7323, section 2.3)."

_END = 0
_NO_OPERATION = 1
_MAXIMUM_SEGMENT_SIZE = 2
_WINDOW_SCALE = 3


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
