"""Records: a type, a length, a body and padding to a multiple of 8 bytes.

libxc-migration-stream and libxl-migration-stream, Records: both layers share the frame and the type numbers, so which
layer a record belongs to is a matter of its class.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from scapy.fields import RawVal

from xenmig.core.decode.pages import PFN_MASK, TYPE_SHIFT
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.scapy_layers.fields import Named, Number, Octets
from xenmig.scapy_layers.packets import MigrationPacket
from xenmig.scapy_layers.pages import Pages, pages_with_data

if TYPE_CHECKING:
    from scapy.packet import Packet

    from xenmig.core.definitions.structs import Struct

HEADER = 8
"Bytes of the type and the length."
_LENGTH_AT = 4


class RecordLength(Number):
    """The length of the body; left None, it is computed."""

    def __init__(self) -> None:
        super().__init__("length", None, "u32", "length of the body without padding", unit="bytes", counts="body")

    def count(self, pkt: Packet) -> int:
        # Record.self_build puts the right number in: the body is not known before it has been built.
        return 0


class Padding(Octets):
    """The bytes after the body; left None, they are zeros up to a multiple of 8."""

    def __init__(self) -> None:
        super().__init__("padding", None, "zeros up to a multiple of 8 bytes")


class Rest(Octets):
    """Bytes of the body behind its last field, which a sound record does not have."""

    def __init__(self) -> None:
        super().__init__("rest", b"", "what the body holds behind its last field: nothing, in a sound record")


class Record(MigrationPacket):
    """A record of libxl or libxc.

    ``length`` and ``padding`` are computed when they are None; given, they are built as they are, right or wrong.
    """

    classes: ClassVar[dict[tuple[str, int], type[Record]]] = {}
    "The class of each known record, by layer and type."
    record: ClassVar[int | None] = None
    "The type number that stands for the class, or None for a generic one."

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        number = cls.__dict__.get("record")
        if number is not None:
            Record.classes[cls.layer, number] = cls

    def extent(self, s: bytes) -> tuple[int, int]:
        if len(s) < HEADER:
            return len(s), len(s)
        length = int.from_bytes(s[_LENGTH_AT:HEADER], "little" if self.endian == "<" else "big")
        end = HEADER + length
        return min(end, len(s)), min(end + (-length & 7), len(s))

    def finish(self, own: bytes, at: int, end: int) -> int:
        if "rest" in self.fieldtype:
            # Where a field was not all there, what there was of it.
            self.fields["rest"] += own[at:end]
        self.fields["padding"] = own[end:]
        return len(own)

    def self_build(self) -> bytes:
        built = super().self_build()
        if self.raw_packet_cache is not None:
            return built
        padding = self.getfieldval("padding")
        length = len(built) - HEADER - (len(bytes(padding)) if padding is not None else 0)
        pieces = [built]
        if self.getfieldval("length") is None and length >= 0:
            head = length.to_bytes(4, "little" if self.order() == "<" else "big")
            pieces = [built[:_LENGTH_AT], head, built[HEADER:]]
        if padding is None:
            pieces.append(bytes(-length & 7))
        return b"".join(pieces)

    def decoded(self) -> Struct:
        data = self.self_build()[:HEADER] if self.record is None else self.body_bytes()
        return self.struct().decode(data, self.order())  # type: ignore[no-any-return]

    def body_bytes(self) -> bytes:
        """The body as it is built, without header and padding."""
        built = self.self_build()
        padding = self.getfieldval("padding")
        length = self.getfieldval("length")
        if isinstance(length, int):
            return built[HEADER : HEADER + length]
        if padding is not None:
            return built[HEADER : len(built) - len(bytes(padding))]
        # Both are computed, so the length that has been put in is the right one.
        length = int.from_bytes(built[_LENGTH_AT:HEADER], "little" if self.order() == "<" else "big")
        return built[HEADER : HEADER + length]

    def detail(self, guest_width: int | None = None) -> MigrationPacket | None:
        """The whole body in full detail, as a packet of its own; None where no more is known than the record shows.

        An HVM_CONTEXT becomes its chain of entries, an X86_PV_VCPU_BASIC the registers. ``guest_width`` is 4 or 8, for
        bodies whose layout depends on it and whose length does not say. :meth:`set_detail` puts a changed one back.
        """
        from xenmig.core.definitions.bodies import BODIES, order_of

        number = self.record if self.record is not None else -1
        known = BODIES.get((self.layer, number))
        body = self.body_bytes()
        found = known.choose(guest_width, len(body)) if known is not None else None
        if found is None:
            return None
        made = class_for(found)(endian=order_of(self.layer, number, body, self.order()))
        # Scapy takes a packet that is made from no bytes for one with default values, and does not dissect it.
        made.dissect(body)
        return made

    def set_detail(self, packet: MigrationPacket) -> None:
        """Make ``packet``, as :meth:`detail` gives it, the record's body; length and padding are computed anew."""
        body = packet.build()
        head = self.getfieldval("type").to_bytes(4, "little" if self.order() == "<" else "big")
        length = len(body).to_bytes(4, "little" if self.order() == "<" else "big")
        made = type(self)(head + length + body, endian=self.order())
        self.fields = made.fields
        self.raw_packet_cache = None
        self.raw_packet_cache_fields = None
        del self.length
        del self.padding

    @property
    def type_name(self) -> str:
        """What the documents call the record, for example ``X86_TSC_INFO``; "unknown" for a type nobody knows."""
        number = self.getfieldval("type")
        values = libxl.RecordType if self.layer == "libxl" else libxc.RecordType
        name = values(int(number)).name if isinstance(number, int) else None
        return name or "unknown"

    def mysummary(self) -> str:
        number = self.getfieldval("type")
        shown = f"0x{number:08x}" if isinstance(number, int) else str(number)
        return f"{self.layer} {self.type_name}" if self.type_name != "unknown" else f"{self.layer} record {shown}"

    @classmethod
    def class_of(cls, s: bytes, endian: str) -> type[Record]:
        """The class for the record that begins with ``s``; the generic one where the type is not known."""
        number = int.from_bytes(s[:_LENGTH_AT], "little" if endian == "<" else "big")
        return Record.classes.get((cls.layer, number), cls)


class LibxlRecord(Record):
    """A record of libxl of a type that nobody knows; called with bytes, it makes a packet of the class for their type.

    libxl-migration-stream, Records.
    """

    name = "libxl record"
    layer = "libxl"
    definition = "libxl.RecordHeader"
    fields_desc = [
        Named("type", 0xFFFFFFFF, "u32", "what the body is", values=libxl.RecordType),
        RecordLength(),
        Octets("body", b"", "the body, of which nothing is known"),
        Padding(),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: Any = None, *args: Any, **keywords: Any) -> type[Packet]:
        """The class for the record that begins with ``_pkt``."""
        return _dispatch(cls, _pkt, keywords)


class LibxcRecord(Record):
    """A record of libxc of a type that nobody knows; called with bytes, it makes a packet of the class for their type.

    libxc-migration-stream, Records.
    """

    name = "libxc record"
    layer = "libxc"
    definition = "libxc.RecordHeader"
    fields_desc = [
        Named("type", 0xFFFFFFFF, "u32", "what the body is", values=libxc.RecordType),
        RecordLength(),
        Octets("body", b"", "the body, of which nothing is known"),
        Padding(),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: Any = None, *args: Any, **keywords: Any) -> type[Packet]:
        """The class for the record that begins with ``_pkt``."""
        return _dispatch(cls, _pkt, keywords)


class PageRecord(LibxcRecord):
    """Base of PAGE_DATA: what can be done with pfns and the pages behind them."""

    def pfn_list(self) -> list[int]:
        """The pfns alone, without their types."""
        return [word & PFN_MASK for word in self._words()]

    def page_types(self) -> dict[int, int]:
        """How many pfns there are of each page type: type (0 to 15) -> pfns."""
        counted: dict[int, int] = {}
        for word in self._words():
            counted[word >> TYPE_SHIFT] = counted.get(word >> TYPE_SHIFT, 0) + 1
        return counted

    def page(self, pfn: int) -> bytes | None:
        """The 4096 bytes of guest memory of a pfn, read now; None when its type carries no data.

        Raises KeyError when the record does not hold the pfn, and
        :class:`~xenmig.scapy_layers.regions.GuestMemoryUnavailable` when the page was passed over in a pipe, or is not
        in the file or capture.
        """
        index = 0
        for word in self._words():
            carries = pages_with_data((word,))
            if word & PFN_MASK == pfn:
                if not carries:
                    return None
                return self._page_at(index)
            index += carries
        raise KeyError(f"pfn 0x{pfn:x} is not in this record")

    def _words(self) -> Any:
        words = self.getfieldval("pfns")
        return () if words is None or isinstance(words, (RawVal, bytes)) else words

    def _page_at(self, index: int) -> bytes:
        held = self.getfieldval("page_data")
        if held is None:
            return bytes(GUEST_PAGE_SIZE)
        if isinstance(held, Pages):
            return held[index]
        return bytes(held)[index * GUEST_PAGE_SIZE : (index + 1) * GUEST_PAGE_SIZE]

    def mysummary(self) -> str:
        words = self._words()
        span = f" 0x{words[0] & PFN_MASK:x} to 0x{words[-1] & PFN_MASK:x}" if len(words) else ""
        return f"{self.layer} PAGE_DATA {len(words)} pfns{span}"


def class_for(definition: type[Struct]) -> type[MigrationPacket]:
    """The packet class that was generated from a definition."""
    module = definition.__module__.rpartition(".")[2]
    found: type[MigrationPacket] = getattr(import_module(f"xenmig.scapy_layers.{module}"), definition.__name__)
    return found


def _dispatch(cls: type[Record], s: Any, keywords: dict[str, Any]) -> type[Packet]:
    # A subclass inherits the hook, but Scapy only calls it for the class that has it in its own body.
    if not s or len(s) < HEADER:
        return cls
    endian = keywords.get("endian")
    if not endian:
        probe = cls.__new__(cls)
        MigrationPacket.__init__(probe, _underlayer=keywords.get("_underlayer"), _parent=keywords.get("_parent"))
        endian = probe.order()
    return cls.class_of(bytes(s[:HEADER]), endian)
