"""Captures made to order: packets of every link layer, written as pcap or pcapng, and TCP with its accidents."""

from __future__ import annotations

import random
import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING

from xenmig.core.sources.capture import Capture
from xenmig.core.sources.interest import NEED_MORE, NeedMore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.packet import Packet

KEY = bytes([10, 0, 0, 1, 10, 0, 0, 2, 0x9C, 0x40, 0x1F, 0x42])
"What tells the direction from A, port 40000, to B, port 8002, from all others."

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1_700_000_000_000_000_000
"Time of the first frame, in nanoseconds; every frame comes a millisecond after the one before."


class BytesInput:
    """An Input over bytes; ``pieces`` limits how many bytes each read() gives, as a pipe would."""

    def __init__(self, data: bytes, piece: int = 1 << 30) -> None:
        self.name = "capture under test"
        self.offset = 0
        self.size: int | None = len(data)
        self.notice: str | None = None
        self.largest_read = 0
        self._data = data
        self._piece = piece

    def peek(self, count: int) -> bytes:
        return self._data[self.offset : self.offset + count]

    def read(self, count: int) -> bytes:
        assert count > 0
        self.largest_read = max(self.largest_read, count)
        data = self._data[self.offset : self.offset + min(count, self._piece)]
        self.offset += len(data)
        return data

    def skip(self, count: int) -> int:
        there = min(count, len(self._data) - self.offset)
        self.offset += there
        return there

    def close(self) -> None:
        pass


class Recorder:
    """A consumer that keeps everything: bytes in ``data`` with holes as zeros, and where the holes are."""

    def __init__(self, *, every: int = 0, over: int = 0) -> None:
        """After each ``every`` bytes delivered, ``over`` bytes are asked to be skipped."""
        self.skip = 0
        self.need = 1
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Event] = []
        self.data = bytearray()
        self.holes: list[tuple[int, int]] = []
        self.frames: list[int] = []
        self.wire_bytes: list[int] = []
        self.ended = False
        self._every = every
        self._over = over
        self._passing = False

    @property
    def skipped(self) -> int:
        """How many bytes were passed over, by whatever means."""
        return self.position - len(self.data)

    def feed(self, data: bytes, start: int, end: int) -> None:
        assert not self.ended
        assert start < end <= len(data)
        assert not self.skip, "bytes were delivered that the consumer would rather have skipped"
        assert not self._passing, "the last bytes to skip were taken away without a word"
        assert self.packet is not None
        self.frames.append(self.packet.frame)
        self.wire_bytes.append(self.packet.wire_bytes)
        self.data += data[start:end]
        self.position += end - start
        if self._every:
            self.skip = self._over
            self._passing = self._over > 0

    def passed(self, count: int) -> None:
        assert 0 < count <= self.skip
        self.skip -= count
        self.position += count
        self._passing = self.skip > 0

    def hole(self, count: int) -> None:
        assert not self.ended
        assert count > 0
        self.holes.append((self.position, count))
        self.data += bytes(count)
        self.position += count
        self.skip = max(0, self.skip - count)
        self._passing = self.skip > 0

    def end(self) -> None:
        assert not self.ended
        self.ended = True


class Everything:
    """A factory that gives every direction a Recorder."""

    def __init__(self, make: Callable[[], Recorder] = Recorder, wanted: int = 1) -> None:
        """``wanted`` is how many bytes it takes to be sure."""
        self.asked: list[tuple[int, bytes, bool]] = []
        self.make = make
        self._wanted = wanted

    def __call__(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> Consumer | NeedMore | None:
        self.asked.append((connection.id, prefix, from_start))
        if len(prefix) < self._wanted:
            return NEED_MORE
        return self.make()


def nothing(connection: Connection, direction: Direction, prefix: bytes, from_start: bool) -> Consumer | None:
    """A factory that wants nothing."""
    return None


def read(data: bytes, factory: Everything | None = None, *, plain: bool = False, piece: int = 1 << 30) -> Capture:
    """Make the pass over a capture file and return what is known then."""
    capture = Capture(BytesInput(data, piece), factory or Everything(), plain=plain)
    for _ in capture:
        pass
    return capture


def recorder(direction: Direction) -> Recorder:
    """The Recorder of a direction."""
    consumer = direction.consumer
    assert isinstance(consumer, Recorder)
    return consumer


def streams(capture: Capture) -> list[bytes]:
    """The bytes of all directions that had any, in the order of their connections."""
    return [
        bytes(recorder(direction).data)
        for connection in capture.connections
        for direction in connection.directions
        if direction.of_interest
    ]


def summary(capture: Capture) -> list[object]:
    """Everything that a pass found out, to be compared with another pass."""
    found: list[object] = [capture.frames, capture.connection_count, [str(notice) for notice in capture.notices]]
    for connection in capture.connections:
        found += [connection.id, repr(connection), connection.first.frame, connection.last.frame, connection.last.time]
        found.append(connection.closed_first and repr(connection.closed_first))
        for one in connection.directions:
            found += [
                (one.segments, one.retransmitted, one.retransmitted_bytes, one.out_of_order, one.keep_alives),
                (one.holes, one.missing, one.length, one.ended, one.from_start, one.wire_bytes),
                [packet and repr(packet) for packet in (one.first_payload, one.last_payload, one.last)],
                [packet and repr(packet) for packet in (one.fin, one.rst)],
            ]
            if one.of_interest:
                kept = recorder(one)
                found += [bytes(kept.data), kept.holes, kept.frames, kept.wire_bytes, kept.skipped]
    return found


class Host:
    """One end of a TCP connection."""

    def __init__(self, address: str, port: int, sequence: int = 1000) -> None:
        self.address = ip_address(address)
        self.port = port
        self.sequence = sequence
        "Sequence number of the next byte that it sends."


A = "10.0.0.1"
B = "10.0.0.2"


class Talk:
    """A TCP connection that writes down its packets, as IP datagrams."""

    def __init__(
        self,
        client: str = A,
        server: str = B,
        ports: tuple[int, int] = (40000, 8002),
        start: tuple[int, int] = (1000, 9000),
    ) -> None:
        self.client = Host(client, ports[0], start[0])
        self.server = Host(server, ports[1], start[1])
        self.packets: list[bytes] = []

    def open(self, *, data: bytes = b"") -> Talk:
        """The handshake, with ``data`` in the SYN."""
        self.send(self.client, data, SYN)
        self.client.sequence += 1
        self.send(self.server, b"", SYN | ACK)
        self.server.sequence += 1
        self.send(self.client, b"")
        return self

    def send(self, sender: Host, data: bytes, flags: int = ACK) -> bytes:
        """The next bytes of ``sender``."""
        packet = self.at(sender, sender.sequence, data, flags)
        sender.sequence += len(data)
        return packet

    def at(self, sender: Host, sequence: int, data: bytes, flags: int = ACK, ack: int | None = None) -> bytes:
        """A segment at any sequence number."""
        receiver = self.server if sender is self.client else self.client
        acknowledgment = receiver.sequence if ack is None else ack
        packet = ip(sender, receiver, tcp(sender, receiver, sequence, acknowledgment, flags, data))
        self.packets.append(packet)
        return packet

    def close(self) -> Talk:
        """Both sides say goodbye."""
        for host in (self.client, self.server):
            self.send(host, b"", FIN | ACK)
            host.sequence += 1
        self.send(self.client, b"")
        return self


def tcp(
    sender: Host,
    receiver: Host,
    sequence: int,
    acknowledgment: int,
    flags: int,
    data: bytes,
    options: bytes = b"",
    window: int = 512,
) -> bytes:
    """A TCP segment."""
    header = struct.pack(
        ">HHIIBBHHH",
        sender.port,
        receiver.port,
        sequence & 0xFFFFFFFF,
        acknowledgment & 0xFFFFFFFF,
        (5 + len(options) // 4) << 4,
        flags,
        window,
        0,
        0,
    )
    return header + options + data


def ip(
    sender: Host,
    receiver: Host,
    payload: bytes,
    *,
    options: bytes = b"",
    fragment: int = 0x4000,
    total: int | None = None,
) -> bytes:
    """An IP datagram of the addresses' version; for IPv6, ``options`` are extension headers, type 0 first."""
    if sender.address.version == 6:
        length = len(options) + len(payload) if total is None else total
        header = struct.pack(">IHBB", 0x60000000, length, 0 if options else 6, 64)
        return header + sender.address.packed + receiver.address.packed + options + payload
    length = 20 + len(options) + len(payload) if total is None else total
    header = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, length, 7, fragment, 64, 6, 0)
    return header + sender.address.packed + receiver.address.packed + options + payload


def ethernet(packet: bytes, *tags: int, pad: bool = True) -> bytes:
    """An Ethernet frame, with VLAN tags of these types outside in, padded to the least size."""
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    header = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + b"".join(struct.pack(">HH", tag, 100) for tag in tags) + kind
    frame = header + packet
    return frame + b"\xee" * (60 - len(frame)) if pad else frame


def cooked(packet: bytes) -> bytes:
    """A Linux cooked frame, version 1."""
    return struct.pack(">HHH8sH", 0, 1, 6, b"\x02" * 8, 0x86DD if packet[0] >> 4 == 6 else 0x0800) + packet


def cooked2(packet: bytes) -> bytes:
    """A Linux cooked frame, version 2."""
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return struct.pack(">HHIHBB8s", kind, 0, 3, 1, 4, 6, b"\x02" * 8) + packet


def pcap(
    frames: Iterable[bytes],
    *,
    link_type: int = 1,
    order: str = "<",
    nanoseconds: bool = False,
    snaplen: int = 262144,
    step: int = 1_000_000,
) -> bytes:
    """A pcap file of these frames, ``step`` nanoseconds apart."""
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link_type)]
    for number, frame in enumerate(frames):
        seconds, fraction = divmod(START + number * step, 1_000_000_000)
        kept = frame[:snaplen]
        fraction = fraction if nanoseconds else fraction // 1000
        out.append(struct.pack(order + "IIII", seconds, fraction, len(kept), len(frame)) + kept)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    """A Section Header Block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(
    link_type: int = 1, order: str = "<", *, tsresol: int | None = None, tsoffset: int | None = None
) -> bytes:
    """An Interface Description Block."""
    options = b""
    if tsresol is not None:
        options += struct.pack(order + "HHB3x", 9, 1, tsresol)
    if tsoffset is not None:
        options += struct.pack(order + "HHq", 14, 8, tsoffset)
    if options:
        options += bytes(4)
    return block(1, struct.pack(order + "HHI", link_type, 0, 0) + options, order)


def enhanced(frame: bytes, ticks: int, number: int = 0, order: str = "<", *, wire: int | None = None) -> bytes:
    """An Enhanced Packet Block."""
    length = len(frame) if wire is None else wire
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), length)
    return block(6, head + frame + bytes(-len(frame) % 4) + struct.pack(order + "HHI", 2, 4, 0) + bytes(4), order)


def obsolete(frame: bytes, ticks: int, number: int = 0, order: str = "<") -> bytes:
    """An obsolete Packet Block."""
    head = struct.pack(order + "HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(2, head + frame, order)


def simple(frame: bytes, order: str = "<") -> bytes:
    """A Simple Packet Block."""
    return block(3, struct.pack(order + "I", len(frame)) + frame, order)


def pcapng(frames: Iterable[bytes], link_type: int = 1, order: str = "<") -> bytes:
    """A pcapng file of these frames, with microseconds."""
    blocks = [section(order), interface(link_type, order)]
    blocks += [enhanced(frame, (START + n * 1_000_000) // 1000, 0, order) for n, frame in enumerate(frames)]
    return b"".join(blocks)


def both_ways(talk: Talk, factory: Everything | None = None, *, step: int = 1_000_000) -> Capture:
    """Read a conversation by the fast loop, and make sure that the general way says the same."""
    data = pcap([ethernet(packet) for packet in talk.packets], step=step, nanoseconds=True)
    capture = read(data, factory)
    assert summary(read(data, factory and Everything(factory.make), plain=True)) == summary(capture)
    return capture


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def lossy(lost: set[int], *, segments: int = 60, acks: bool = True, size: int = 100) -> tuple[Talk, bytes]:
    """A conversation of which some segments were not captured; each is acknowledged at once."""
    talk = Talk().open()
    data = noise(segments * size)
    for number in range(segments):
        talk.send(talk.client, data[number * size : (number + 1) * size])
        if number in lost:
            talk.packets.pop()
        if acks:
            talk.send(talk.server, b"")
    return talk, data
