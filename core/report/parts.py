"""The kinds of spans as the report shows them: grouped, each group with one colour in every plot and table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis import spans

if TYPE_CHECKING:
    from xenmig.core.analysis.spans import Span

ROLES = {
    "setup": "connection and headers",
    "live": "memory, guest running",
    "suspend": "suspending the guest",
    "stop": "memory, guest paused",
    "state": "processors and devices",
    "handover": "hand-over",
}
"What the spans of a group do, by the role of their colour, in the order in which they come."

_ROLES = {
    spans.CONNECTION: "setup",
    spans.PREAMBLE: "setup",
    spans.STATIC_DATA: "setup",
    spans.PRECOPY: "live",
    spans.SUSPEND: "suspend",
    spans.STOP_AND_COPY: "stop",
    spans.NON_LIVE: "stop",
    spans.VERIFY: "stop",
    spans.CHECKPOINT: "stop",
    spans.STATE: "state",
    spans.EMULATOR: "state",
    spans.END: "handover",
    spans.HANDOVER: "handover",
    spans.CLOSE: "setup",
}


def role(span: Span) -> str:
    """The role of the span's colour: a key of ROLES."""
    return _ROLES.get(span.kind, "setup")
