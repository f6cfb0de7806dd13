"""Reading a file, capture or pipe as packets, at any size in constant memory."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

from xenmig.core.decode.damage import Hole, Resynchronised, Truncated, Unrecognised
from xenmig.core.decode.reading import Reading
from xenmig.core.sources.file import FileInput
from xenmig.core.sources.pipe import PipeInput
from xenmig.scapy_layers.from_events import PacketMaker
from xenmig.scapy_layers.regions import CaptureRegion, CompressedRegion, FileRegion, GoneRegion
from xenmig.scapy_layers.selection import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from scapy.packet import Packet
    from typing_extensions import Self

    from xenmig.core.decode.events import Event
    from xenmig.core.decode.reading import Stream
    from xenmig.scapy_layers.regions import Region
    from xenmig.scapy_layers.stream import MigrationStream

MOST_NOTICES = 256
"How many sentences about the input are kept; later ones push out earlier ones."


class MigrationReader:
    """The packets of a save file, capture or pipe: headers, records and messages, in the order of the input.

    ``for packet in MigrationReader(path)`` reads once from front to back, and again from the front when it is begun
    again (a pipe can be read once). Each packet has its ``time`` (of its first byte, in a capture) and its address:
    ``packet.where`` has stream, offset, frame numbers, source and destination. Guest memory is passed over; the pages
    of a PAGE_DATA record are read when they are asked for, with ``packet.page(pfn)``.

    ``reader[5]``, ``reader[-1]``, ``reader[3:9]`` and ``len(reader)`` make a pass each. Raises
    :class:`~xenmig.core.sources.errors.UnreadableInput` for an input that is neither a stream nor a capture.
    """

    def __init__(self, path: str, start: str = "") -> None:
        """Open ``path`` ("-": the standard input); ``start`` names the outermost layer, if not by the first bytes."""
        self.path = str(path)
        self.start = start
        self.notices: deque[str] = deque(maxlen=MOST_NOTICES)
        "What the last pass has to say about the input: holes, what was not understood, where it ends too early."
        self.pipe = False
        "Whether the input can be read only once."
        self._length: int | None = None
        self._iterator: Iterator[Packet] | None = None
        # Opened now, so that a mistake in the path is told here; the first pass uses it.
        self._opened: Reading | None = self._open()
        self.kind = self._opened.kind
        '"stream" or "capture".'

    def _open(self) -> Reading:
        reading = Reading(self.path, self.start)
        self.pipe = isinstance(reading.input, PipeInput) or self.path == "-"
        return reading

    def __iter__(self) -> Iterator[Packet]:
        reading, self._opened = self._opened, None
        if reading is None:
            if self.pipe:
                raise TypeError(f"{self.path} is a pipe and can be read once: packets = list(MigrationReader(...))")
            reading = self._open()
        return self._packets(reading)

    def _packets(self, reading: Reading) -> Iterator[Packet]:
        self.notices.clear()
        makers: dict[int, PacketMaker] = {}
        try:
            for stream, events in reading:
                maker = makers.get(id(stream))
                if maker is None:
                    maker = makers[id(stream)] = PacketMaker(stream, self._region_of(reading, stream))
                for event in events:
                    packet = maker.packet(event)
                    if packet is not None:
                        yield packet
                    if isinstance(event, (Hole, Resynchronised, Truncated, Unrecognised)):
                        self.notices.append(_sentence(stream, event))
            for maker in makers.values():
                packet = maker.unfinished()
                if packet is not None:
                    yield packet
            self.notices.extend(reading.notices)
        finally:
            reading.close()

    def _region_of(self, reading: Reading, stream: Stream) -> Callable[[int, int], Region]:
        path = self.path
        connection = stream.connection
        if self.pipe:
            return lambda offset, length: GoneRegion(path, offset, length)
        if connection is not None:
            number = connection.id
            forth = stream.direction is connection.directions[0]
            return lambda offset, length: CaptureRegion(path, offset, length, number, forth)
        if isinstance(reading.input, FileInput):
            return lambda offset, length: FileRegion(path, offset, length)
        return lambda offset, length: CompressedRegion(path, offset, length)

    # -- as a sequence --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        """How many packets there are; counted once."""
        if self._length is None:
            self._length = sum(1 for _ in self)
        return self._length

    @overload
    def __getitem__(self, index: int) -> Packet: ...

    @overload
    def __getitem__(self, index: slice) -> list[Packet]: ...

    def __getitem__(self, index: int | slice) -> Packet | list[Packet]:
        if isinstance(index, slice):
            if (index.start or 0) >= 0 and (index.stop is None or index.stop >= 0) and (index.step or 1) > 0:
                return list(islice(iter(self), index.start, index.stop, index.step))
            return [self[one] for one in range(*index.indices(len(self)))]
        if index < 0:
            last: deque[Packet] = deque(self, maxlen=-index)
            if len(last) < -index:
                raise IndexError(f"there is no packet {index} in {self.path}")
            return last[0]
        for packet in islice(iter(self), index, index + 1):
            return packet
        raise IndexError(f"there is no packet {index} in {self.path}")

    # -- finding --------------------------------------------------------------------------------------------------

    def filter(self, condition: Callable[[Packet], Any]) -> Iterator[Packet]:
        """The packets of which ``condition`` is true."""
        return (packet for packet in self if condition(packet))

    def find(self, layer: type[Packet] | str | None = None, **fields: Any) -> Iterator[Packet]:
        """The packets of a class (or of its name, or of a record's name as in the documents) with these field values.

        ``reader.find(LibxcPageData)``, ``reader.find("X86_TSC_INFO")``, ``reader.find(LibxcX86TscInfo, mode=1)``.
        """
        return self.filter(lambda packet: matches(packet, layer, fields))

    def first(self, layer: type[Packet] | str | None = None, **fields: Any) -> Packet:
        """The first packet that :meth:`find` finds. Raises LookupError when there is none."""
        for packet in self.find(layer, **fields):
            return packet
        called = layer if isinstance(layer, str) else getattr(layer, "__name__", "packet")
        raise LookupError(f"{self.path} holds no {called} with these values")

    def page(self, pfn: int) -> bytes | None:
        """Guest memory of a pfn as the receiver ends up with it: from the last record that sends it.

        None when the pfn's type carries no data there. Raises KeyError when no record holds the pfn.
        """
        from xenmig.scapy_layers.records import PageRecord

        last: PageRecord | None = None
        for packet in self:
            if isinstance(packet, PageRecord) and pfn in packet.pfn_list():
                last = packet
        if last is None:
            raise KeyError(f"pfn 0x{pfn:x} is in no record of {self.path}")
        return last.page(pfn)

    # -- as Scapy's own readers -----------------------------------------------------------------------------------

    def read_packet(self) -> Packet:
        """The next packet. Raises EOFError at the end."""
        if self._iterator is None:
            self._iterator = iter(self)
        for packet in self._iterator:
            return packet
        self._iterator = None
        raise EOFError

    def read_all(self, count: int = -1) -> MigrationStream:
        """All packets, or the first ``count``, in a list that can be changed, shown and written.

        Guest memory is not read by this either.
        """
        from xenmig.scapy_layers.stream import MigrationStream

        return MigrationStream(islice(iter(self), None if count < 0 else count), name=self.path)

    def summary(self, count: int = 40) -> None:
        """Print a line for each of the first ``count`` packets, PAGE_DATA folded into runs."""
        self.read_all().summary(count)

    def close(self) -> None:
        """Give back the descriptor, if a pass was never begun."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MigrationReader {self.path}: {self.kind}>"


def _sentence(stream: Stream, event: Event) -> str:
    where = f"stream {stream.number}, offset {getattr(event, 'offset', 0)}"
    if isinstance(event, Hole):
        return f"{where}: {event.length} bytes were not captured"
    if isinstance(event, Resynchronised):
        return f"{where}: found the place again after {event.skipped} bytes: {event.evidence}"
    if isinstance(event, Truncated):
        missing = "" if event.missing is None else f", {event.missing} bytes are missing"
        return f"{where}: ends inside {event.layer} {event.what}{missing}"
    if isinstance(event, Unrecognised):
        return f"{where}: {event.kind} of {event.layer or 'the input'} not recognised: {event.data[:16].hex(' ')}"
    return where
