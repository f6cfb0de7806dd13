"""What a check found, and where."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Finding:
    """One place where a stream is not as it should be, or is worth knowing about."""

    __slots__ = ("rule", "severity", "message", "offset", "record", "frame", "layer", "expected", "actual")

    rule: str
    "Id of the rule: a key of ``rules.RULES``."
    severity: str
    '"error", "warning" or "note", as the rule has it.'
    message: str
    "What was found and what it probably means, in one or two sentences."
    offset: int
    "Absolute position of the byte, field or record that it is about."
    record: int | None
    "Number of the record in its stream, from 0; None where it is about no record."
    frame: int | None
    "Frame of the capture that holds the first byte of the record or header; None in a file."
    layer: str
    'Layer that the rule was applied to: "xl", "libvirt", "libxl" or "libxc"; empty when there is none.'
    expected: Any
    "What should stand there, where that is one value (a number, bytes, or a tuple of those allowed), else None."
    actual: Any
    "What stands there, where that is one value, else None."

    def __init__(
        self,
        rule: str,
        severity: str,
        message: str,
        offset: int,
        record: int | None = None,
        frame: int | None = None,
        layer: str = "",
        expected: Any = None,
        actual: Any = None,
    ) -> None:
        self.rule = rule
        self.severity = severity
        self.message = message
        self.offset = offset
        self.record = record
        self.frame = frame
        self.layer = layer
        self.expected = expected
        self.actual = actual

    def __repr__(self) -> str:
        return f"Finding({self.rule!r}, {self.severity!r}, offset={self.offset}, {self.message!r})"
