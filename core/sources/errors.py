"""The one exception of this package that users meet."""

from __future__ import annotations


class UnreadableInput(Exception):
    """Raised when an input cannot be opened, or cannot be read as what it claims to be, at all."""

    path: str
    'The path as given, or a name such as "standard input".'
    reason: str
    "Why, and what probably helps, in one line."

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
