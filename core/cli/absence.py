"""What to say of an input that holds nothing to decode."""

from __future__ import annotations

from xenmig.core.decode.reading import HOW_TO_SEE
from xenmig.core.decode.recognise import DESCRIPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.reading import Reading
    from xenmig.core.sources.connection import Connection

ONLY_RECEIVER = "holds only what a receiver says: the guest's own stream is not there"

_MOST_NAMED = 3


def nothing_found(reading: Reading) -> str:
    """Why there is no migration in the capture, and what to do about it, in one line."""
    capture = reading.capture
    if capture is None:
        return "holds no stream"
    # A connection that was cut off has its reason here.
    cut = [str(notice) for notice in capture.notices if notice.kind in ("cut", "damaged")]
    snapped = [str(notice) for notice in capture.notices if notice.kind == "snaplen"]
    also = f"; {'; '.join(cut)}" if cut else ""
    if not capture.frames:
        return f"the capture holds no frames{also}"
    number = capture.connection_count
    frames = f"{capture.frames:,} frame{'' if capture.frames == 1 else 's'}"
    if not number:
        others = "; ".join(str(notice) for notice in capture.notices)
        return f"no migration in this capture: no TCP connection in {frames}{'; ' + others if others else ''}"
    connections = f"{number:,} TCP connection{'' if number == 1 else 's'}"
    if snapped and not reading.opaque:
        return f"no migration in this capture: {connections} in {frames}; {snapped[0]}{also}"
    if not reading.opaque:
        return (
            f"no migration in this capture: {connections} in {frames}, none of them begins as a migration stream does;"
            f" {HOW_TO_SEE}{also}"
        )
    named: dict[str, list[Connection]] = {}
    for connection, kind in reading.opaque:
        named.setdefault(kind, []).append(connection)
    parts = []
    for kind, found in named.items():
        ends = [f"{one.directions[0].source} and {one.directions[0].destination}" for one in found[:_MOST_NAMED]]
        unnamed = reading.opaque_counts[kind] - _MOST_NAMED
        more = f", and {unnamed:,} more" if unnamed > 0 else ""
        parts.append(f"{DESCRIPTIONS[kind]} (between {', '.join(ends)}{more})")
    return f"no migration in this capture: {connections} in {frames}; {'; '.join(parts)}; {HOW_TO_SEE}{also}"


def legacy_stream(layer: str) -> str:
    """What to say of a legacy stream behind the header of ``layer``."""
    return (
        f"the {layer} header is followed by a legacy (version 1) stream, written by Xen 4.5 and earlier, which xenmig"
        " does not decode; Xen's convert-legacy-stream turns it into one that can be read"
    )
