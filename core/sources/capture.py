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
from xenmig.core.sources.segment import segment
from xenmig.core.sources.shape import Habit

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
        "_habit",
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
        self._habit = Habit()
        self._plain = plain
        self._meters: Meters | None = None
        if metered:
            from xenmig.core.sources.traffic.meters import Meters

            self._meters = Meters(self._scale, self._reassembler.tracking.find, plain=plain)

    def __iter__(self) -> Iterator[tuple[Direction, list[Any]]]:
        reassembler = self._reassembler
        while (frames := self._reader.frames()) is not None:
            if self.first is None:
                self.first = self._packet(1, frames.heads[0])
            if frames.link_type not in NAMES:
                self._unknown(frames)
            elif self._plain:
                self._each(frames)
            else:
                self._scan(frames)
            if self._meters is not None:
                self._meters.take(frames, self.frames)
            self.frames += len(frames.heads)
            self.last = self._packet(self.frames, frames.heads[-1])
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

    def _packet(self, frame: int, head: Head, wire_bytes: int = 0) -> Packet:
        return Packet(frame, head[0] * 1_000_000_000 + head[1] * self._scale, wire_bytes)

    def _scan(self, frames: Frames) -> None:
        """Take all frames of a window: those of bulk data at once, the usual ones quickly, the others by _frame.

        This is the loop that decides how fast a capture is read, and the only code that runs for the segments that lie
        in guest memory. Whatever is said here about a frame, _frame would say as well. There are three ways:

        1. *The run.* Most segments have the headers of the one before them, down to the length, and the sequence
           number that follows. When the consumer would rather skip them, all there is to do is to count them; the
           direction learns of it by _catch_up when the run is over.
        2. *The usual frame.* One Struct fits all its headers (see Shape), it is neither SYN nor FIN nor RST, and
           nothing is waiting in its connection. It is the next segment, or it has no payload.
        3. *Anything else*, and whatever is delivered to a consumer, is left to functions.
        """
        habit = self._habit
        steady = self._reassembler.steady
        deliver = self._reassembler.deliver
        window = frames.window
        frame = self.frames
        shape = habit.shape
        least, compare, unpack = shape.size, shape.compare, shape.read
        usual_link, usual_version, overhead, reach, before = shape.usual

        # The run: headers that its segments share, sequence number that goes on with it (-1 if there is no run), bytes
        # that its consumer would skip, captured bytes that a frame needs, bytes on the wire and payload bytes of each
        # segment, and how many segments there were that the direction has not been told about, and the last of these.
        running: Direction | None = None
        run_link = run_front = run_behind = run_key = b""
        run_offset = run_room = run_captured = run_wire = run_length = run_count = run_frame = 0
        run_next = -1
        run_head = (0, 0, 0, 0)

        for start, head in zip(frames.starts, frames.heads, strict=True):
            frame += 1
            captured = head[2]
            if captured >= least:
                link, front, behind, key, sequence, offset, flags = compare(window, start)
                if (
                    sequence == run_next
                    and key == run_key
                    and front == run_front
                    and behind == run_behind
                    and link == run_link
                    and offset == run_offset
                    and not flags & 7
                    and captured >= run_captured
                    and head[3] == run_wire
                    and run_room > run_length
                ):
                    run_next = (sequence + run_length) & 0xFFFFFFFF
                    run_room -= run_length
                    run_count += 1
                    run_frame = frame
                    run_head = head
                    continue

                link, version, total, fragment, protocol, key, sequence, offset, flags = unpack(window, start)
                if (
                    protocol == 6
                    and version == usual_version
                    and link == usual_link
                    # Not a fragment; may or may not be fragmented on its way. IPv6 has b"" here.
                    and (fragment == 0x4000 or not fragment)
                    # Neither FIN nor SYN nor RST, and a data offset of 20 bytes or more.
                    and not flags & 7
                    and offset >= 0x50
                    and total + reach <= captured
                    and key in steady
                ):
                    direction = steady[key]
                    header = offset >> 2 & 60
                    length = total - overhead - header
                    # A frame without payload does not end a run, but what it has counted must not come before it.
                    if run_count and running is not None and (length or direction is running):
                        _catch_up(running, run_next, run_length, run_wire, run_count, run_frame, run_head)
                        run_count = 0
                    if length == 0:
                        direction.last_frame = frame
                        direction.last_head = head
                        direction.wire_bytes += head[3]
                        continue
                    if length > 0 and sequence == direction.next:
                        direction.next = run_next = (sequence + length) & 0xFFFFFFFF
                        direction.segments += 1
                        direction.payload_frame = frame
                        direction.payload_head = head
                        direction.wire_bytes = direction.payload_wire_bytes = direction.wire_bytes + head[3]
                        consumer = direction.consumer
                        if consumer.skip > length:
                            consumer.skip = run_room = consumer.skip - length
                            consumer.position += length
                            running = direction
                            run_link = link
                            run_front = front
                            run_behind = behind
                            run_key = key
                            run_offset = offset
                            run_captured = total + reach
                            run_wire = head[3]
                            run_length = length
                            continue
                        run_next = -1
                        packet = self._packet(frame, head, direction.wire_bytes)
                        if direction.first_payload is None:
                            direction.first_payload = packet
                        payload = start + before + header
                        deliver(direction, window, payload, payload + length, packet)
                        continue

            if run_count and running is not None:
                _catch_up(running, run_next, run_length, run_wire, run_count, run_frame, run_head)
                run_count = 0
            run_next = -1
            self._frame(frames, start, head, frame)
            if habit.shape is not shape:
                shape = habit.shape
                least, compare, unpack = shape.size, shape.compare, shape.read
                usual_link, usual_version, overhead, reach, before = shape.usual

        if run_count and running is not None:
            _catch_up(running, run_next, run_length, run_wire, run_count, run_frame, run_head)

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
            self._habit.met(version, position - start, link_start - start, data[link_start:link_end])
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
            count=len(frames.heads),
        )


def _catch_up(direction: Direction, next: int, length: int, wire: int, count: int, frame: int, head: Head) -> None:
    """Tell a direction that ``count`` segments of ``length`` bytes, ``wire`` with all their headers, were passed over,
    up to the frame given.
    """
    direction.next = next
    direction.segments += count
    direction.payload_frame = frame
    direction.payload_head = head
    direction.wire_bytes = direction.payload_wire_bytes = direction.wire_bytes + count * wire
    consumer = direction.consumer
    consumer.skip -= count * length
    consumer.position += count * length


def _reader(input: Input, notices: Notices) -> FrameReader:
    first = input.peek(4)
    if first == MAGIC:
        return PcapngReader(input, notices)
    if first in MAGICS:
        return PcapReader(input, notices)
    raise UnreadableInput(
        input.name, f"is no capture: it begins with {first.hex(' ') or 'nothing'}, and pcap and pcapng files do not"
    )
