"""What the decoder says about a stream: small objects, in stream order.

Every event has an *address*: ``offset`` is the absolute position of its first byte in the file or in its TCP
direction, ``first`` and ``last`` say where that byte and the last byte came from (a :class:`Packet` of a capture;
``None`` for a file). Unknown is a value: a record whose type nobody knows is a :class:`Record` like any other.
Truncated is a state: :class:`Truncated` says what is missing. Nothing here is an exception.

These are plain classes and not dataclasses because importing ``dataclasses`` takes longer than verifying a 1 GiB
stream does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from xenmig.core.decode.damage import Hole, Resynchronised, Trailing, Truncated, Unrecognised
    from xenmig.core.decode.record import BatchRun, Record, RecordRun
    from xenmig.core.definitions.libxc import PageType
    from xenmig.core.definitions.structs import Struct
    from xenmig.core.sources.packet import Packet


class Header:
    """Fires when a layer's fixed header, or the configuration behind it, is complete."""

    __slots__ = ("layer", "offset", "length", "value", "byteorder", "first", "last")

    layer: str
    'The layer that the header belongs to: "xl", "libvirt", "libxl" or "libxc".'
    offset: int
    "Absolute position of the first byte."
    length: int
    "Size in bytes."
    value: Struct
    "The decoded header, for example a libxc ``ImageHeader``."
    byteorder: str
    '"<" or ">": how the fields that are in stream order were read.'
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        layer: str,
        offset: int,
        length: int,
        value: Struct,
        byteorder: str,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.layer = layer
        self.offset = offset
        self.length = length
        self.value = value
        self.byteorder = byteorder
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"Header({self.layer!r}, offset={self.offset}, {self.value!r})"


class Message:
    """Fires when one of the texts that the two ends of ``xl migrate`` exchange has passed by.

    The status byte after the report is a message of its own, with ``status`` set.
    """

    __slots__ = ("name", "offset", "length", "status", "first", "last")

    name: str
    'The name in ``definitions/xl.py``: "banner", "ready", "permission", "report", "given back"; or "status".'
    offset: int
    length: int
    status: int | None
    "For the status byte: its value, 0 for success, else a negated libxl error; otherwise None."
    first: Packet | None
    last: Packet | None

    def __init__(
        self,
        name: str,
        offset: int,
        length: int,
        status: int | None = None,
        first: Packet | None = None,
        last: Packet | None = None,
    ) -> None:
        self.name = name
        self.offset = offset
        self.length = length
        self.status = status
        self.first = first
        self.last = last

    def __repr__(self) -> str:
        return f"Message({self.name!r}, offset={self.offset}, status={self.status})"


class Page:
    """Fires, for a consumer that asked for it, when a page of guest memory has come that is worth a look."""

    __slots__ = ("offset", "record", "pfn", "type", "data", "first")

    offset: int
    "Absolute position of the page's first byte."
    record: int
    "Number of the PAGE_DATA record that brings it; its own event follows."
    pfn: int
    type: PageType
    data: bytes
    "4096 bytes."
    first: Packet | None

    def __init__(
        self, offset: int, record: int, pfn: int, type: PageType, data: bytes, first: Packet | None = None
    ) -> None:
        self.offset = offset
        self.record = record
        self.pfn = pfn
        self.type = type
        self.data = data
        self.first = first


class Complete:
    """Fires when the outermost layer has come to its proper END."""

    __slots__ = ("offset", "last")

    offset: int
    "The position after END's padding."
    last: Packet | None

    def __init__(self, offset: int, last: Packet | None = None) -> None:
        self.offset = offset
        self.last = last


if TYPE_CHECKING:
    Event: TypeAlias = (
        Header
        | Record
        | RecordRun
        | BatchRun
        | Page
        | Message
        | Unrecognised
        | Hole
        | Resynchronised
        | Trailing
        | Truncated
        | Complete
    )
