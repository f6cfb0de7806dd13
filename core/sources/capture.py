"""One pass over a capture: frames in, events of the streams in its TCP connections out."""

from __future__ import annotations

from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.ip import FRAGMENT, MALFORMED, TCP, datagram
from xenmig.core.sources.link import NAMES, network
from xenmig.core.sources.notice import Notices
from xenmig.core.sources.packet import Packet
from xenmig.core.sources.pcap import MAGICS, PcapReader
from xenmig.core.sources.pcapng import MAGIC, PcapngReader
from xenmig.core.sources.reassembly import Reassembler
from xenmig.core.sources.scan import Scan
from xenmig.core.sources.segment import segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.frames import FrameReader, Frames, Head
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.interest import ConsumerFactory
    from xenmig.core.sources.notice import Notice
    from xenmig.core.sources.segment import Segment
    from xenmig.core.sources.traffic.meters import Meters
    from xenmig.core.sources.watcher import Watcher


def is_capture(first: bytes) -> bool:
    """Whether data beginning with ``first`` (4 bytes) is a capture that :class:`Capture` reads."""
    return first[:4] in MAGICS or first[:4] == MAGIC


class Capture:
    """The TCP connections of a pcap or pcapng input.

    Iterating makes the one pass that there is, and yields events as soon as the packets that complete them are read:
    lists that are never empty, each of one direction. Memory use does not depend on the input's size.
    """

    __slots__ = (
        "first",
        "last",
        "frames",
        "_reader",
        "_notices",
        "_reassembler",
        "_scan",
        "_plain",
        "_scale",
        "_meters",
    )

    first: Packet | None
    "The first frame, of whatever protocol."
    last: Packet | None
    "The last frame of the windows read so far."
    frames: int
    "How many frames have been read."

    def __init__(
        self,
        input: Input,
        factory: ConsumerFactory,
        *,
        plain: bool = False,
        watcher: Watcher | None = None,
        metered: bool = False,
    ) -> None:
        """Read the capture's header; ``plain`` has every frame parsed in the general way, which is slower.

        ``watcher`` is told of the points in packet time that it asks for. ``metered`` has the traffic of connections
        that are worth it measured: see :class:`~xenmig.core.sources.traffic.meters.Meters`.

        Raises :class:`~xenmig.core.sources.errors.UnreadableInput` when ``input`` does not begin as a capture does.
        """
        self.first = None
        self.last = None
        self.frames = 0
        self._notices = Notices()
        self._reader = _reader(input, self._notices)
        if watcher is not None:
            from xenmig.core.sources.paced import PacedReader

            self._reader = PacedReader(self._reader, watcher)
        self._scale = self._reader.scale
        self._reassembler = Reassembler(factory, self._scale, self._notices)
        self._scan = Scan(self._reassembler, self._reader.lead, self._scale, self._frame)
        self._plain = plain
        self._meters: Meters | None = None
        if metered:
            from xenmig.core.sources.traffic.meters import Meters

            self._meters = Meters(self._scale, self._scan.habit, self._reassembler.tracking.find, plain=plain)

    def __iter__(self) -> Iterator[tuple[Direction, list[Any]]]:
        reassembler = self._reassembler
        while True:
            frames = self._reader.frames()
            if frames is None:
                break
            if self.first is None:
                self.first = self._packet(1, frames.first)
            if frames.link_type not in NAMES:
                self._unknown(frames)
            elif self._plain or frames.lead is None:
                self._each(frames)
            else:
                self._scan.take(frames, self.frames)
            if self._meters is not None:
                self._meters.take(frames, self.frames)
            self.frames += frames.count
            self.last = self._packet(self.frames, frames.last)
            # The next window is to take the place of this one: see Window.more.
            del frames
            reassembler.tick(self.last.time)
            if reassembler.output:
                output = reassembler.output
                reassembler.output = []
                yield from output
        reassembler.finish()
        if self._meters is not None:
            self._meters.finish()
        output = reassembler.output
        reassembler.output = []
        yield from output

    @property
    def connections(self) -> list[Connection]:
        """The connections of which the factory wanted at least one direction."""
        return self._reassembler.tracking.of_interest()

    @property
    def connection_count(self) -> int:
        """How many TCP connections there were, of interest or not."""
        return self._reassembler.tracking.count

    @property
    def notices(self) -> list[Notice]:
        """What the user should know about the capture."""
        return self._notices.list()

    @property
    def unread(self) -> bool:
        """Whether the file ends inside a packet, or is damaged so that nothing behind that can be read."""
        return any(notice.kind in ("cut", "damaged") for notice in self.notices)

    def _packet(self, frame: int, head: Head) -> Packet:
        return Packet(frame, head[0] * 1_000_000_000 + head[1] * self._scale)

    def _each(self, frames: Frames) -> None:
        frame = self.frames
        for start, head in zip(frames.starts, frames.heads, strict=True):
            frame += 1
            self._frame(frames, start, head, frame)

    def _frame(self, frames: Frames, start: int, head: Head, frame: int) -> Segment | None:
        """Take any frame; returns the segment in it, if there is one."""
        data = frames.window
        captured = head[2]
        wire = max(captured, head[3])
        end = start + captured
        version, position, link_start, link_end = network(frames.link_type, data, start, end)
        if not version:
            self._notices.add("not IP", "frames that hold no IP datagram are not looked at", frame=frame)
            return None
        ip = datagram(version, data, position, end, start + wire)
        if ip.protocol != TCP:
            self._not_tcp(ip.protocol, frame)
            return None
        found = segment(data, ip, end, frame, head)
        if found is None:
            self._notices.add("malformed TCP", "the TCP header is damaged or was not captured", frame=frame)
            return None
        if found.length > found.end - found.start and captured < wire:
            self._notices.add(
                "snaplen",
                "the capture program kept only the beginning of the frame: payload is missing (tcpdump: use -s 0)",
                frame=frame,
            )
        if ip.plain:
            self._scan.habit.met(version, position - start, link_start - start, data[link_start:link_end])
        self._reassembler.segment(found)
        return found

    def _not_tcp(self, protocol: int, frame: int) -> None:
        if protocol == FRAGMENT:
            self._notices.add(
                "fragments", "IP fragments are not supported: what they carry counts as not captured", frame=frame
            )
        elif protocol == MALFORMED:
            self._notices.add("malformed IP", "the IP header is damaged or was not captured", frame=frame)
        else:
            self._notices.add("not TCP", "IP datagrams that hold no TCP are not looked at", frame=frame)

    def _unknown(self, frames: Frames) -> None:
        self._notices.add(
            "link type",
            f"frames of link type {frames.link_type} are not looked at; known are Ethernet, Linux cooked, raw IP and"
            " loopback"
            if frames.link_type >= 0
            else "frames of unknown link type are not looked at",
            frame=self.frames + 1,
            count=frames.count,
        )


def _reader(input: Input, notices: Notices) -> FrameReader:
    first = input.peek(4)
    if first == MAGIC:
        return PcapngReader(input, notices)
    if first in MAGICS:
        return PcapReader(input, notices)
    raise UnreadableInput(
        input.name, f"is no capture: it begins with {first.hex(' ') or 'nothing'}, and pcap and pcapng files do not"
    )
