"""The Wireshark dissector for Xen migration streams, its generator, its installer, and pyshark with it loaded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any


def open_capture(path: str | os.PathLike[str], **arguments: Any) -> Any:
    """A ``pyshark.FileCapture`` with the dissector loaded: see :func:`xenmig.wireshark.door.open_capture`."""
    from xenmig.wireshark import door

    return door.open_capture(path, **arguments)
