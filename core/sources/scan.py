"""The fast walk over the frames of a capture: the only code that runs for segments that lie in guest memory."""

from __future__ import annotations

from xenmig.core.sources.packet import Packet
from xenmig.core.sources.repetition import Repetition, alike, allowed, ascending
from xenmig.core.sources.shape import Habit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from xenmig.core.sources.connection import Direction
    from xenmig.core.sources.frames import Frames, Head, Lead, Record
    from xenmig.core.sources.reassembly import Reassembler
    from xenmig.core.sources.shape import Shape

    Other: TypeAlias = Callable[[Frames, int, Head, int], object]
    "Takes any frame: where it starts in the window, its head, its number."

_NO_END = bytes(flags for flags in range(256) if not flags & 7)
"TCP flags without FIN, SYN and RST."
_SURE = 4
"After so many groups of one size in a row, more of them are looked for, which pays from about twenty groups on."
_LONG = 32
"The same for segments without anything in between, of which each is a group."
_LONGEST = 12
"Segments in a group at most: with more, few groups are in a window."
_SETBACK = 32
"Groups to wait for when looking for more of them was in vain."


class Scan:
    """Takes frames: those of bulk data many at once, the usual ones quickly, others by a function.

    Whatever is done here for a frame, that function would do as well. There are four ways:

    1. *The repetition.* A sender of bulk data and its receiver fall into a rhythm: so many segments, one
       acknowledgment, all of them as long as those before. When a few such groups have passed one by one, all groups
       like them that follow in the window are found by comparing columns (see repetition.py), and are counted.
    2. *The run.* Most segments have the headers of the one before them, down to the length, and the sequence number
       that follows. When the consumer would rather skip them, all there is to do is to count them; the direction
       learns of it by _tell_run when the run is over, or whenever it matters. So it is with acknowledgments.
    3. *The usual frame.* One Struct fits all its headers (see Shape), it is neither SYN nor FIN nor RST, and nothing is
       waiting in its connection. It is the next segment, or it has no payload.
    4. *Anything else*, and whatever is delivered to a consumer, is left to functions.
    """

    __slots__ = ("_reassembler", "_other", "_scale", "_shape", "_run", "_acks", "_group_size", "habit")

    habit: Habit

    def __init__(self, reassembler: Reassembler, lead: Lead, scale: int, other: Other) -> None:
        """``lead`` and ``scale`` are those of the reader of the frames."""
        self.habit = Habit(lead)
        self._reassembler = reassembler
        self._other = other
        self._scale = scale
        # How the last window ended: its shape, and what went on there.
        self._shape = self.habit.shape
        self._run = self._acks = _NOTHING
        self._group_size = 0

    def take(self, frames: Frames, frame: int) -> None:
        """Take ``frames``, the last one before which was number ``frame``."""
        habit = self.habit
        steady = self._reassembler.steady
        deliver = self._reassembler.deliver
        window, limit, position, record = frames.window, frames.limit, frames.position, frames.record
        shape = habit.shape
        least, compare, read = shape.size, shape.compare, shape.read
        usual_link, usual_version, overhead, reach, before = shape.usual
        begun = frame
        # Where the record of the last frame starts that was looked at by itself.
        at = position

        # The run: headers that its segments share, the sequence number that goes on with it, how many bytes a record
        # and its payload have, how many more segments may be passed over (0 if there is no run), how many might when
        # the direction was told, and the last segment.
        run = self._run if shape is self._shape and steady.get(self._run.key) is self._run.direction else _NOTHING
        running, run_length, run_size = run.direction, run.length, run.size
        run_block, run_front, run_behind, run_key, run_offset = run.headers
        run_next = run_left = run_at = run_frame = 0
        if running is not None:
            run_next = running.next
            run_left = max(0, running.consumer.skip - 1) // run_length
        run_told = run_left
        # The same for frames without payload of another direction; they have no limit, so they are counted upwards.
        acks = self._acks if run_left and steady.get(self._acks.key) is self._acks.direction else _NOTHING
        acting, ack_size = acks.direction, acks.size
        ack_block, ack_front, ack_behind, ack_key, ack_offset = acks.headers
        ack_count = ack_at = ack_frame = 0
        # The group, which is segments of the run and then one such frame: where it began (-1 when another frame may
        # have been in it), how many bytes the last one had, and how many there were of this size; below 0 after a
        # setback. What has repeated before is believed to go on doing so.
        group_at, group_size = -1, self._group_size
        groups = _SURE - 1 if group_size else 0
        # Where the run was at its last multiple of _LONG.
        segments_at = 0

        while True:
            if run_left and position + least <= limit:
                block, front, behind, key, sequence, offset, flags = compare(window, position)
                if (
                    sequence == run_next
                    and front == run_front
                    and key == run_key
                    and behind == run_behind
                    and block == run_block
                    and offset == run_offset
                    and not flags & 7
                    and position + run_size <= limit
                ):
                    frame += 1
                    run_next = (sequence + run_length) & 0xFFFFFFFF
                    run_left -= 1
                    run_at = position
                    run_frame = frame
                    position += run_size
                    if run_left % _LONG:
                        continue
                    # Have all since the last time we were here come back to back?
                    if position - segments_at == _LONG * run_size:
                        segments = Repetition(run_at, run_size, 1, 0)
                        more = _groups(shape, window, limit, segments, run_next, run_length, run_left)
                        frame += more
                        run_next = (run_next + more * run_length) & 0xFFFFFFFF
                        run_left -= more
                        run_at += more * run_size
                        run_frame = frame
                        position += more * run_size
                    segments_at = position
                    continue
                if (
                    front == ack_front
                    and key == ack_key
                    and behind == ack_behind
                    and block == ack_block
                    and offset == ack_offset
                    and not flags & 7
                    and position + ack_size <= limit
                ):
                    frame += 1
                    ack_count += 1
                    ack_at = position
                    ack_frame = frame
                    position += ack_size
                    if group_at < 0:
                        group_at = position
                        continue
                    if position - group_at != group_size:
                        group_size = position - group_at
                        groups = min(groups, 0)
                        group_at = position
                        continue
                    groups += 1
                    if groups >= _SURE:
                        number, rest = divmod(group_size - ack_size, run_size)
                        more = 0
                        if not rest and 0 < number <= _LONGEST:
                            group = Repetition(group_at, run_size, number, ack_size)
                            more = _groups(shape, window, limit, group, run_next, run_length, run_left)
                        if more:
                            # The one that has passed frame by frame is alike as well.
                            group.count = more + 1
                            frames.repetitions.append(group)
                            frame += more * (number + 1)
                            run_next = (run_next + more * number * run_length) & 0xFFFFFFFF
                            run_left -= more * number
                            position += more * group_size
                            ack_count += more
                            ack_at = position - ack_size
                            ack_frame = frame
                            run_at = ack_at - run_size
                            run_frame = frame - 1
                        groups = _SURE - 1 if more > _SURE else -_SETBACK
                    group_at = position
                    continue

            found = record(position)
            if found is None:
                break
            at = position
            head, start, position = found
            frame += 1
            group_at = -1
            if ack_count and acting is not None:
                _tell_acks(acting, ack_count, ack_frame, record(ack_at))
                ack_count = 0
            captured = head[2]
            if start + captured - at >= least:
                link, version, total, fragment, protocol, key, sequence, offset, flags = read(window, at)
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
                    # A frame without payload does not end a run, but what its direction has sent must not come later.
                    if run_told != run_left and running is not None and (length or direction is running):
                        _tell_run(running, run_next, run_length, run_told - run_left, run_frame, record(run_at))
                        run_told = run_left
                    if length == 0:
                        if run_left and direction is not running:
                            acting = direction
                            ack_block, ack_front, ack_behind, ack_key, _, ack_offset, _ = compare(window, at)
                            ack_size = position - at
                        direction.last_frame = frame
                        direction.last_head = head
                        direction.wire_bytes += head[3]
                        continue
                    run_told = run_left = 0
                    if length > 0 and sequence == direction.next:
                        direction.next = run_next = (sequence + length) & 0xFFFFFFFF
                        direction.segments += 1
                        direction.payload_frame = frame
                        direction.payload_head = head
                        direction.wire_bytes = direction.payload_wire_bytes = direction.wire_bytes + head[3]
                        consumer = direction.consumer
                        if consumer.skip > length:
                            room = consumer.skip - length
                            consumer.skip = room
                            consumer.position += length
                            # Where sizes change all the time, a run is not worth its preparation.
                            if direction is running and position - at == run_size:
                                if direction is acting:
                                    ack_key = b""
                                run_block, run_front, run_behind, run_key, _, run_offset, _ = compare(window, at)
                                run_length = length
                                # Something must be left to skip: the last bytes of it are the consumer's business.
                                run_told = run_left = (room - 1) // length
                            running = direction
                            run_size = position - at
                            continue
                        packet = Packet(frame, head[0] * 1_000_000_000 + head[1] * self._scale, direction.wire_bytes)
                        if direction.first_payload is None:
                            direction.first_payload = packet
                        payload = start + before + header
                        deliver(direction, window, payload, payload + length, packet)
                        continue

            if run_told != run_left and running is not None:
                _tell_run(running, run_next, run_length, run_told - run_left, run_frame, record(run_at))
            run_told = run_left = 0
            # The direction may become unsteady.
            ack_key = b""
            self._other(frames, start, head, frame)
            if habit.shape is not shape:
                shape = habit.shape
                least, compare, read = shape.size, shape.compare, shape.read
                usual_link, usual_version, overhead, reach, before = shape.usual

        if run_told != run_left and running is not None:
            _tell_run(running, run_next, run_length, run_told - run_left, run_frame, record(run_at))
        if ack_count and acting is not None:
            _tell_acks(acting, ack_count, ack_frame, record(ack_at))
        last = record(max(at, run_at, ack_at))
        if last is not None:
            frames.walked(frame - begun, last[0], position)
        self._shape, self._run, self._acks, self._group_size = shape, _NOTHING, _NOTHING, 0
        if run_left and running is not None:
            self._run = _Like(running, (run_block, run_front, run_behind, run_key, run_offset), run_size, run_length)
            if acting is not None and ack_key:
                self._acks = _Like(acting, (ack_block, ack_front, ack_behind, ack_key, ack_offset), ack_size)
                self._group_size = group_size if groups == _SURE - 1 else 0


class _Like:
    """What frames of one direction look like that follow one another."""

    __slots__ = ("direction", "headers", "size", "length")

    direction: Direction | None
    "None if there are no such frames."
    headers: tuple[bytes, bytes, bytes, bytes, int]
    "What :attr:`Shape.compare` reads of them, without sequence number and flags."
    size: int
    "Bytes of a record."
    length: int
    "Bytes of payload in it."

    def __init__(
        self, direction: Direction | None, headers: tuple[bytes, bytes, bytes, bytes, int], size: int, length: int = 0
    ) -> None:
        self.direction = direction
        self.headers = headers
        self.size = size
        self.length = length

    @property
    def key(self) -> bytes:
        """Addresses and ports, in wire order."""
        return self.headers[3]


_NOTHING = _Like(None, (b"", b"", b"", b"", 0), 0)


def _groups(shape: Shape, window: bytes, limit: int, like: Repetition, next: int, length: int, most: int) -> int:
    """How many groups follow behind the one at ``like.at`` that are like it, before ``limit``.

    Segments have ``length`` bytes of payload. The next one expected has the sequence number ``next``, and no more than
    ``most`` may be passed over.
    """
    at, whole, segments = like.at, like.size, like.segments
    count = min((limit - at) // whole, most // segments + 1)
    for number in range(segments + (like.rest > 0)):
        start = at + number * like.each
        count = alike(window, start, whole, count, shape.constant)
        count = allowed(window, start + shape.flags, whole, count, _NO_END)
        if count <= _SURE:
            return 0
    count -= 1
    for number in range(segments):
        start = at + whole + number * like.each + shape.sequence
        first = (next + number * length) & 0xFFFFFFFF
        count = ascending(window, start, whole, count, first, segments * length)
    return count


def _tell_run(direction: Direction, next: int, length: int, count: int, frame: int, last: Record | None) -> None:
    """Tell a direction that ``count`` segments of ``length`` bytes were passed over, up to the frame given."""
    assert last is not None
    head = last[0]
    direction.next = next
    direction.segments += count
    direction.payload_frame = frame
    direction.payload_head = head
    # All have the lengths of the last one.
    direction.wire_bytes = direction.payload_wire_bytes = direction.wire_bytes + count * head[3]
    consumer = direction.consumer
    consumer.skip -= count * length
    consumer.position += count * length


def _tell_acks(direction: Direction, count: int, frame: int, last: Record | None) -> None:
    """Tell a direction of ``count`` frames without payload, up to the frame given."""
    assert last is not None
    direction.last_frame = frame
    direction.last_head = last[0]
    direction.wire_bytes += count * last[0][3]
