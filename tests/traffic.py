"""Connections with times made to order, and what was measured of connections in a form that can be compared."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from tests.captures import ACK, FIN, START, SYN, BytesInput, Everything, Host, Recorder, ethernet, ip, tcp
from xenmig.core.sources.capture import Capture

if TYPE_CHECKING:
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

SIZE = 1000
"Bytes of a segment."
_INSIDE = ("peer", "waits", "unseen")


def measure(data: bytes, *, plain: bool = False, piece: int = 1 << 30) -> list[Traffic | None]:
    """Measure every connection of a capture file: by runs and groups or, if ``plain``, segment by segment."""
    # Groups are found where the bytes in them are passed over.
    consumers = Everything(lambda: Recorder(every=1, over=1 << 40))
    capture = Capture(BytesInput(data, piece), consumers, plain=plain, metered=True)
    for _ in capture:
        pass
    return [connection.traffic for connection in capture.connections]


def flow_facts(flow: Flow) -> dict[str, Any]:
    """All that a direction says of itself."""
    facts = {name: getattr(flow, name) for name in flow.__slots__ if name not in _INSIDE}
    unseen = flow.unseen
    return facts | {"waits": sorted(flow.waits), "unseen": (unseen.gaps, unseen.acknowledged, unseen.unanswered)}


def facts(traffic: Traffic | None) -> list[Any]:
    """All that a connection's traffic says of itself."""
    assert traffic is not None
    series = traffic.series
    columns = [list(column) for column in series.columns]
    return [*map(flow_facts, traffic.flows), traffic.split, traffic.time, series.begin, series.width, columns]


class TimedTalk:
    """A connection whose packets come at times that are given, each so many nanoseconds after the one before."""

    def __init__(
        self,
        *,
        client: str = "10.0.0.1",
        server: str = "10.0.0.2",
        shift: int | None = 0,
        near: int = 10_000,
        far: int = 10_000,
        window: int = 64_000,
        handshake: bool = True,
    ) -> None:
        """``near`` and ``far`` are the round trips from the place of capture to the client and to the server."""
        self.client, self.server = Host(client, 40000), Host(server, 8002, 9000)
        self.time = 0
        self.window = window
        self.packets: list[tuple[int, bytes]] = []
        options = b"\x02\x04\x03\xe8" + (b"" if shift is None else bytes((1, 3, 3, shift)))
        if handshake:
            for host, wait, flags in ((self.client, 0, SYN), (self.server, far, SYN | ACK)):
                self._put(host, host.sequence, wait, b"", flags, options)
                host.sequence += 1
            self._put(self.client, self.client.sequence, near, b"", ACK)
        self.first = self.client.sequence

    def _put(self, sender: Host, sequence: int, wait: int, data: bytes, flags: int, options: bytes = b"") -> None:
        self.time += wait
        receiver = self.server if sender is self.client else self.client
        window = self.window if sender is self.server else 64_000
        segment = tcp(sender, receiver, sequence, receiver.sequence, flags, data, options, window)
        self.packets.append((self.time, ip(sender, receiver, segment)))

    def send(
        self, wait: int, *, at: int | None = None, size: int = SIZE, data: bytes = b"", captured: bool = True
    ) -> TimedTalk:
        """The client's next segment, of ``data`` or zeros, or the one ``at`` a distance from its first byte."""
        data = data or bytes(size)
        if at is None:
            sequence = self.client.sequence
            self.client.sequence += len(data)
        else:
            sequence = self.first + at
        self._put(self.client, sequence, wait, data, ACK)
        if not captured:
            self.packets.pop()
        return self

    def ack(self, wait: int, *, upto: int | None = None) -> TimedTalk:
        """The server acknowledges everything, or the first bytes up to a place."""
        segment = tcp(
            self.server, self.client, self.server.sequence,
            self.client.sequence if upto is None else self.first + upto, ACK, b"", b"", self.window,
        )  # fmt: skip
        self.time += wait
        self.packets.append((self.time, ip(self.server, self.client, segment)))
        return self

    def say(self, wait: int, data: bytes = bytes(10)) -> TimedTalk:
        """The server sends something."""
        self._put(self.server, self.server.sequence, wait, data, ACK)
        self.server.sequence += len(data)
        return self

    def close(self, wait: int) -> TimedTalk:
        """The client's FIN, and its acknowledgment."""
        self._put(self.client, self.client.sequence, wait, b"", ACK | FIN)
        self.client.sequence += 1
        return self.ack(10_000)

    def capture(self) -> bytes:
        """The capture file."""
        out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
        for time, packet in self.packets:
            frame = ethernet(packet)
            out.append(struct.pack("<IIII", *divmod(START + time, 1_000_000_000), len(frame), len(frame)) + frame)
        return b"".join(out)

    def measured(self) -> Traffic:
        """What is measured of it."""
        (traffic,) = measure(self.capture())
        assert traffic is not None
        return traffic

    def flow(self) -> Flow:
        """The client's direction."""
        return self.measured().flows[0]
