"""The capture file format of Wireshark and newer capture programs (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

from struct import Struct

from xenmig.core.quantity import quantity
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.frames import LARGEST_FRAME, Frames, Lead, Listed, Window
from xenmig.core.sources.repetition import alike, steady

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.sources.frames import Head, Record
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.notice import Notices

MAGIC = b"\n\r\r\n"
"Type of a Section Header Block, the same in both byte orders (section 4.1)."

ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
SECTION_HEADER = 0x0A0D0D0A
INTERFACE = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6

_SECOND = 1_000_000_000
PACKET_HEADER = 28
LARGEST_BLOCK = LARGEST_FRAME + (1 << 20)
"Room for a packet's options; larger blocks are passed over unless they are needed."
_LARGEST_DESCRIPTION = 1 << 16
_MOST_INTERFACES = 4096
_KNOWN_WITHOUT_FRAMES = frozenset((4, 5, 7, 8, 9, 10, 0xBAD, 0x40000BAD))
"Name resolution, statistics, journal, decryption secrets and custom blocks: nothing is lost by passing over them."


class Interface:
    """What an Interface Description Block says (section 4.2)."""

    __slots__ = ("link_type", "snaplen", "multiplier", "divisor", "offset")

    link_type: int
    snaplen: int
    "Most bytes captured of a frame; 0 means no limit."
    multiplier: int
    divisor: int
    "A time stamp times ``multiplier`` divided by ``divisor`` is nanoseconds (if_tsresol)."
    offset: int
    "Nanoseconds to add to every time stamp (if_tsoffset)."

    def __init__(self, link_type: int, snaplen: int) -> None:
        self.link_type = link_type
        self.snaplen = snaplen
        self.multiplier = 1000
        self.divisor = 1
        self.offset = 0

    def time(self, ticks: int) -> int:
        """A time stamp in nanoseconds."""
        ticks *= self.multiplier
        return (ticks if self.divisor == 1 else ticks // self.divisor) + self.offset


_UNKNOWN = Interface(-1, 0)


class _PcapngFrames(Frames):
    """Frames in Enhanced Packet Blocks (section 4.3) of interfaces with one link type."""

    __slots__ = ("order", "unpack", "interfaces")

    lead = Lead(12, 8)

    order: str
    "Of bytes: that of the section."
    unpack: Callable[[bytes, int], tuple[int, ...]]
    "Reads a block's header."
    interfaces: list[Interface]

    def record(self, position: int) -> Record | None:
        if position + PACKET_HEADER > self.limit:
            return None
        kind, total, number, high, low, captured, wire = self.unpack(self.window, position)
        after = position + total
        if kind != ENHANCED_PACKET or after > self.limit or captured + 32 > total or total & 3:
            return None
        if number >= len(self.interfaces) or self.interfaces[number].link_type != self.link_type:
            return None
        time = self.interfaces[number].time(high << 32 | low)
        return (0, time, captured, wire), position + PACKET_HEADER, after

    def steady(self, position: int, size: int, count: int, second: int, pause: int) -> int:
        del second  # always 0 here
        interface = self.interfaces[self.unpack(self.window, position)[2]] if count else _UNKNOWN
        if interface.divisor == 1:
            # Of one interface, and with the upper half of the time alike.
            count = alike(self.window, position, size, count, range(8, 16))
            most = -(-pause // interface.multiplier)
            return steady(self.window, position + 16, size, count, "little" if self.order == "<" else "big", most)
        before = -1
        for number in range(count):
            record = self.record(position + number * size)
            if record is None:
                return number
            time = record[0][1]
            if number and not 0 <= time - before < pause:
                return number
            before = time
        return count

    def part(self, first: int, behind: int) -> Frames:
        starts = self.starts
        limit = starts[behind] - PACKET_HEADER if behind < len(starts) else self.end
        frames = _PcapngFrames(self.window, self.link_type, starts[first] - PACKET_HEADER, limit)
        frames.order, frames.unpack, frames.interfaces = self.order, self.unpack, self.interfaces
        return frames

    def _walk(self, starts: list[int], heads: list[Head]) -> int:
        window, unpack, limit, interfaces = self.window, self.unpack, self.limit, self.interfaces
        position = self.position
        last = limit - PACKET_HEADER
        known = -1
        while position <= last:
            kind, total, number, high, low, captured, wire = unpack(window, position)
            after = position + total
            if kind != ENHANCED_PACKET or after > limit or captured + 32 > total or total & 3:
                break
            if number != known:
                if number >= len(interfaces) or interfaces[number].link_type != self.link_type:
                    break
                known = number
                time = interfaces[number].time
            starts.append(position + PACKET_HEADER)
            heads.append((0, time(high << 32 | low), captured, wire))
            position = after
        return position


class PcapngReader:
    """Reads the frames of a pcapng file: several sections and interfaces, either byte order.

    Raises :class:`UnreadableInput` when the first block is not all there.
    """

    __slots__ = ("scale", "_window", "_notices", "_order", "_packet", "_interfaces", "_frame", "_time", "_before")

    lead = _PcapngFrames.lead
    scale: int
    "1: heads hold all of the time in their fraction, because resolution is a matter of the interface here."

    def __init__(self, input: Input, notices: Notices) -> None:
        self.scale = 1
        self._notices = notices
        self._window = Window(input)
        self._order = ""
        self._packet = Struct("<7I")
        self._interfaces: list[Interface] = []
        self._frame = 0
        self._time = 0
        self._before: Frames | None = None
        if not self._section():
            raise UnreadableInput(
                input.name, "begins like a pcapng file, but the section header is cut short or names no byte order"
            )

    def frames(self) -> Frames | None:
        window = self._window
        before = self._before
        if before is not None:
            self._frame += before.count
            self._time = before.last[1]
            window.position = before.end
            self._before = before = None
        while True:
            frames = self._usual()
            if frames is not None:
                self._before = frames
                return frames
            single = self._block()
            if single is None:
                return None
            if single.count:
                self._frame += 1
                return single

    def _usual(self) -> Frames | None:
        """Frames in Enhanced Packet Blocks, if the window's position is at one."""
        window = self._window
        if window.available < PACKET_HEADER:
            return None
        number = self._packet.unpack_from(window.data, window.position)[2]
        if number >= len(self._interfaces):
            return None
        link_type = self._interfaces[number].link_type
        frames = _PcapngFrames(window.data, link_type, window.position, len(window.data))
        frames.order, frames.unpack, frames.interfaces = self._order, self._packet.unpack_from, self._interfaces
        return frames if frames.record(window.position) is not None else None

    def _block(self) -> Frames | None:
        """Deal with the block at the window's position whatever it is; no frames if it holds none, None at the end."""
        window = self._window
        nothing = Listed(window.data, -1, [], [], 0)
        if not window.available and not window.more(1):
            return None
        if not window.ensure(12):
            return self._cut()
        if window.data.startswith(MAGIC, window.position):
            return nothing if self._section() else self._damaged("a section header that names no byte order")
        kind, total = Struct(self._order + "II").unpack_from(window.data, window.position)
        if total < 12 or total & 3:
            return self._damaged(f"a block of type 0x{kind:08x} that claims a length of {quantity(total, 'byte')}")
        if kind in (ENHANCED_PACKET, OBSOLETE_PACKET, SIMPLE_PACKET):
            return self._packet_block(kind, total)
        if kind == INTERFACE:
            return nothing if self._interface_block(total) else None
        if kind not in _KNOWN_WITHOUT_FRAMES:
            self._notices.add(
                "unknown block", f"a block of unknown type 0x{kind:08x} is passed over", offset=window.offset
            )
        if window.pass_over(total) < total:
            return self._cut()
        return nothing

    def _section(self) -> bool:
        window = self._window
        if not window.ensure(12):
            return False
        order = ORDERS.get(window.data[window.position + 8 : window.position + 12])
        if order is None:
            return False
        (total,) = Struct(order + "I").unpack_from(window.data, window.position + 4)
        if total < 28 or total & 3:
            return False
        self._order = order
        self._packet = Struct(order + "7I")
        self._interfaces = []
        if window.pass_over(total) < total:
            self._cut()
        return True

    def _interface_block(self, total: int) -> bool:
        window = self._window
        if total < 20:
            self._damaged(f"an interface description of {total} bytes")
            return False
        if not window.ensure(min(total, _LARGEST_DESCRIPTION)):
            self._cut()
            return False
        position = window.position
        link_type, snaplen = Struct(self._order + "H2xI").unpack_from(window.data, position + 8)
        interface = Interface(link_type, snaplen)
        self._options(interface, position + 16, position + min(total, _LARGEST_DESCRIPTION) - 4)
        if len(self._interfaces) < _MOST_INTERFACES:
            self._interfaces.append(interface)
        else:
            self._notices.add(
                "interfaces",
                f"only the first {_MOST_INTERFACES} interfaces of a section are used",
                offset=window.offset,
            )
        if window.pass_over(total) < total:
            self._cut()
            return False
        return True

    def _options(self, interface: Interface, position: int, end: int) -> None:
        data = self._window.data
        header = Struct(self._order + "HH")
        while position + 4 <= end:
            code, length = header.unpack_from(data, position)
            position += 4
            if code == 0 or position + length > end:
                return
            if code == 9 and length == 1:
                resolution = data[position]
                exponent = resolution & 0x7F
                units = 2**exponent if resolution & 0x80 else 10**exponent
                if _SECOND % units:
                    interface.multiplier, interface.divisor = _SECOND, units
                else:
                    interface.multiplier, interface.divisor = _SECOND // units, 1
            elif code == 14 and length == 8:
                (seconds,) = Struct(self._order + "q").unpack_from(data, position)
                interface.offset = seconds * _SECOND
            position += (length + 3) & ~3

    def _packet_block(self, kind: int, total: int) -> Frames | None:
        window = self._window
        if total > LARGEST_BLOCK:
            return self._damaged(f"a packet block that claims a length of {total} bytes")
        if not window.ensure(total):
            return self._cut()
        data = window.data
        position = window.position
        if kind == SIMPLE_PACKET:
            interface = self._interface(0)
            (wire,) = Struct(self._order + "I").unpack_from(data, position + 8)
            start = position + 12
            captured = min(wire, total - 16, interface.snaplen or wire)
            time = self._time
            self._notices.add(
                "no time stamp",
                "a Simple Packet Block has no time stamp; the frame gets the time of the frame before it",
                frame=self._frame + 1,
            )
        else:
            if total < 32:
                return self._damaged(f"a packet block of {total} bytes")
            layout = self._order + ("8xIIIII" if kind == ENHANCED_PACKET else "8xH2xIIII")
            number, high, low, captured, wire = Struct(layout).unpack_from(data, position)
            interface = self._interface(number)
            start = position + PACKET_HEADER
            if captured + 32 > total:
                return self._damaged(f"a packet block of {total} bytes that claims to hold {captured} captured bytes")
            time = interface.time(high << 32 | low)
        self._time = time
        window.position += total
        return Listed(data, interface.link_type, [start], [(0, time, captured, wire)], window.position)

    def _interface(self, number: int) -> Interface:
        if number < len(self._interfaces):
            return self._interfaces[number]
        self._notices.add(
            "unknown interface",
            "a packet names an interface that its section does not describe, so its link type is not known",
            frame=self._frame + 1,
        )
        return _UNKNOWN

    def _damaged(self, what: str) -> Frames | None:
        self._notices.add(
            "damaged",
            f"reading stops here at {what}: the file is damaged",
            frame=self._frame + 1,
            offset=self._window.offset,
        )
        return None

    def _cut(self) -> Frames | None:
        self._notices.add(
            "cut",
            "the capture file ends inside this block, which is left out: the capture program was stopped hard,"
            " or the copy is not complete",
            frame=self._frame + 1,
            offset=self._window.offset,
        )
        return None
