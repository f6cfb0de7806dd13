"""What was measured of the connections in a capture, in a form that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.captures import BytesInput, Everything
from xenmig.core.sources.capture import Capture

if TYPE_CHECKING:
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

_INSIDE = ("peer", "waits", "unseen")


def measure(data: bytes, *, plain: bool = False, piece: int = 1 << 30) -> list[Traffic | None]:
    """Measure every connection of a capture file: by runs or, if ``plain``, segment by segment."""
    capture = Capture(BytesInput(data, piece), Everything(), plain=plain, metered=True)
    for _ in capture:
        pass
    return [connection.traffic for connection in capture.connections]


def flow_facts(flow: Flow) -> dict[str, Any]:
    """All that a direction says of itself."""
    facts = {name: getattr(flow, name) for name in flow.__slots__ if name not in _INSIDE}
    unseen = flow.unseen
    return facts | {"waits": sorted(flow.waits), "unseen": (unseen.gaps, unseen.acknowledged, unseen.unanswered)}


def facts(traffic: Traffic | None) -> list[Any]:
    """All that a connection's traffic says of itself."""
    assert traffic is not None
    series = traffic.series
    columns = [list(column) for column in series.columns]
    return [*map(flow_facts, traffic.flows), traffic.split, traffic.time, series.begin, series.width, columns]
