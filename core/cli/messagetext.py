"""What sender and receiver of ``xl migrate`` say, in words."""

from __future__ import annotations

from xenmig.core.definitions.xl import TEXTS, MigrationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.events import Message


def message_text(message: Message) -> str:
    """The name of a message and what it means that it has passed."""
    if message.status is not None:
        status = MigrationError(message.status)
        return f"status {status}" + (f": {status.doc}" if status.doc else "")
    text = next((text for text in TEXTS if text.name == message.name), None)
    return f"{message.name}: {text.doc}" if text is not None else message.name
