"""Guest memory as the value of a field: a reference that reads on demand, or bytes that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scapy.fields import Field, RawVal

from xenmig.core.decode.pages import TYPE_SHIFT
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import PageType
from xenmig.scapy_layers.fields import StreamField
from xenmig.scapy_layers.regions import HeldRegion, Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scapy.packet import Packet

_WITH_DATA = frozenset(number for number, known in PageType.known.items() if known.facts["data"])
_COMPARED = 1 << 20


class Pages:
    """A run of bytes that is read when it is asked for; of guest memory, in pages of 4096.

    ``len()`` is in bytes, ``bytes()`` reads all of it, ``pages[i]`` reads page ``i``, and a slice reads bytes.
    Whatever reads raises :class:`~xenmig.scapy_layers.regions.GuestMemoryUnavailable` when the bytes cannot be had.
    """

    __slots__ = ("region",)

    region: Region

    def __init__(self, region: Region) -> None:
        self.region = region

    def __len__(self) -> int:
        return self.region.length

    def __bool__(self) -> bool:
        return self.region.length > 0

    def __bytes__(self) -> bytes:
        return self.region.read(0, self.region.length)

    def __getitem__(self, index: int | slice) -> bytes:
        if isinstance(index, slice):
            start, stop, step = index.indices(self.region.length)
            if step != 1:
                raise ValueError("guest memory is read in one piece: give a slice without a step")
            return self.region.read(start, max(0, stop - start))
        count = self.region.length // GUEST_PAGE_SIZE
        if index < 0:
            index += count
        if not 0 <= index < count:
            raise IndexError(f"page {index} of {count}")
        return self.region.read(index * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE)

    def __iter__(self) -> Iterator[bytes]:
        for index in range(self.region.length // GUEST_PAGE_SIZE):
            yield self[index]

    def copy(self) -> Pages:
        """Itself: a reference does not change."""
        return self

    def __deepcopy__(self, memo: object) -> Pages:
        return self

    def command(self, json: bool = False) -> Any:
        """What Scapy's ``command()`` and ``json()`` write: where the bytes are, not what they are."""
        if json:
            return {"path": self.region.path, "offset": self.region.offset, "length": self.region.length}
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (bytes, bytearray)):
            other = Pages(HeldRegion(bytes(other)))
        if not isinstance(other, Pages):
            return NotImplemented
        if len(self) != len(other):
            return False
        if self.region == other.region:
            return True
        return all(self[at : at + _COMPARED] == other[at : at + _COMPARED] for at in range(0, len(self), _COMPARED))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        region = self.region
        where = f" at {region.offset} of {region.path}" if region.path else ""
        return f"<{region.length} bytes{where}>"


class PagesField(StreamField, Field[Any, Any]):
    """Guest memory behind the pfns of field ``per``: left None, it is a zero page for each pfn that carries data."""

    def __init__(self, name: str, doc: str = "", *, per: str) -> None:
        self.doc = doc
        self.per = per
        super().__init__(name, None, "0s")

    def any2i(self, pkt: Packet | None, x: Any) -> Any:
        if isinstance(x, (bytes, bytearray, memoryview)):
            return Pages(HeldRegion(bytes(x)))
        if isinstance(x, (list, tuple)):
            return Pages(HeldRegion(b"".join(x)))
        return x

    def take(self, pkt: Packet, data: bytes, at: int, end: int) -> tuple[Any, int, bool]:
        return Pages(HeldRegion(memoryview(data)[at:end])), end, True

    def absent(self) -> Any:
        return Pages(HeldRegion(b""))

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        if val is None:
            return s + bytes(GUEST_PAGE_SIZE * pages_with_data(pkt.getfieldval(self.per)))
        return s + bytes(val)

    def i2len(self, pkt: Packet, x: Any) -> int:
        return GUEST_PAGE_SIZE * pages_with_data(pkt.getfieldval(self.per)) if x is None else len(x)

    def do_copy(self, x: Any) -> Any:
        return x

    def randval(self) -> Any:
        return None

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        if x is None and pkt is not None:
            return f"<{pages_with_data(pkt.getfieldval(self.per))} zero pages when built>"
        return super().i2repr(pkt, x)


def pages_with_data(words: Any) -> int:
    """How many of the pfn words have a page behind the array."""
    if words is None or isinstance(words, RawVal):
        return 0
    return sum(word >> TYPE_SHIFT in _WITH_DATA for word in words)
