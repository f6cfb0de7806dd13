"""A rule: what streams are held to, why, and who says so."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ERROR = "error"
"It breaks the stream's specification, or a real receiver refuses it."
WARNING = "warning"
"It is allowed, but no known sender writes it."
NOTE = "note"
"Worth knowing."
SEVERITIES = (ERROR, WARNING, NOTE)


class Counted(int):
    """A number in a message: ``{actual:byte}`` is "1 byte" or "20 bytes", other formats are those of numbers."""

    def __format__(self, wanted: str) -> str:
        if len(wanted) > 1 and wanted.isalpha():
            from xenmig.core.quantity import quantity

            return quantity(self, wanted)
        return int.__format__(self, wanted)


class Rule:
    """One rule, as data: the command, Scapy and Wireshark show the same id and the same words."""

    __slots__ = ("id", "severity", "title", "message", "reason", "source", "receivers")

    id: str
    "Stable name in lower case with hyphens."
    severity: str
    "One of ``SEVERITIES``."
    title: str
    "The rule in a few words, for lists."
    message: str
    "Template of a finding's message; names in braces are filled in, see :class:`Counted`."
    reason: str
    "Why it matters, or what probably happened."
    source: str
    "Section, header or function that the rule comes from."
    receivers: str
    'Which receivers refuse a stream that breaks the rule: "all", "none", or releases and circumstances in words.'

    def __init__(
        self, id: str, severity: str, title: str, message: str, reason: str, source: str, receivers: str
    ) -> None:
        self.id = id
        self.severity = severity
        self.title = title
        self.message = message
        self.reason = reason
        self.source = source
        self.receivers = receivers

    def told(self, words: Mapping[str, Any]) -> str:
        """The message of a finding with these words in place of the names."""
        return self.message.format_map(
            {name: Counted(word) if type(word) is int else word for name, word in words.items()}
        )

    def __repr__(self) -> str:
        return f"Rule({self.id!r}, {self.severity!r})"
