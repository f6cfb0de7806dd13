"""The traffic of one connection: both directions, its handshake, and the bytes over time."""

from __future__ import annotations

from xenmig.core.sources.segment import ACK, SYN
from xenmig.core.sources.traffic.flow import Flow, unwrapped
from xenmig.core.sources.traffic.options import opening_options
from xenmig.core.sources.traffic.series import Series

COLUMNS = ("payload", "wire")
"Columns of each direction in ``series``, first those of direction 0: new bytes of payload, and bytes on the wire."


class Traffic:
    """What is measured of one connection while it lasts, and known when it is over."""

    __slots__ = ("key", "flows", "series", "time", "syn_time", "answer_time", "split", "_opener", "_shifts")

    key: bytes
    "Of direction 0: source address, destination address, source port, destination port."
    flows: tuple[Flow, Flow]
    series: Series
    time: int
    "When its last frame came, in nanoseconds since 1970; never earlier than that of a frame before."
    split: tuple[int, int] | None
    """How the first round trip divides at the place of capture, in nanoseconds: from the SYN to its answer, which is
    the way to the side that was called and back, and from there to the acknowledgment, which is the way to the side
    that opened the connection and back. None when the handshake was not captured."""

    def __init__(self, key: bytes, time: int) -> None:
        forth, back = Flow(0), Flow(1)
        forth.peer = back
        back.peer = forth
        self.key = key
        self.flows = (forth, back)
        self.series = Series(time, 2 * len(COLUMNS))
        self.time = time
        self.split = None
        self.syn_time = -1
        self.answer_time = -1
        self._opener: Flow | None = None
        # By side: the shift that its SYN offered, -1 for none, -2 as long as its SYN has not been seen.
        self._shifts = [-2, -2]

    @property
    def opener(self) -> Flow | None:
        """The direction of the side that opened the connection; None when that was not captured."""
        return self._opener

    @property
    def payload_bytes(self) -> int:
        """Bytes of payload in both directions."""
        return self.flows[0].payload_bytes + self.flows[1].payload_bytes

    def opens_again(self, flow: Flow, sequence: int) -> bool:
        """Whether a SYN of this sequence number does not belong here: the ports are used for another connection."""
        return flow.start >= 0 and (flow.start - 1 - sequence) & 0xFFFFFFFF != 0

    def segment(
        self,
        flow: Flow,
        sequence: int,
        acknowledgment: int,
        flags: int,
        window: int,
        length: int,
        time: int,
        wire: int,
        options: bytes = b"",
    ) -> None:
        """Any segment: its header's fields, bytes of payload, time, bytes on the wire, and the options of a SYN."""
        if time < self.time:
            time = self.time
        self.time = time
        peer = flow.peer
        flow.frames += 1
        flow.wire_bytes += wire
        series = self.series
        if time >= series.end:
            series.move(time)
        column = flow.side * len(COLUMNS)
        series.columns[column + 1][series.index] += wire
        if flags & SYN:
            self._synchronise(flow, sequence, flags, window, options, time)
            sequence = (sequence + 1) & 0xFFFFFFFF
        before = flow.next
        known = flow.start >= 0
        place = unwrapped(sequence, before) if known else sequence
        new = again = False
        if length:
            new = not known or place + length > before
            # What fills a gap, or was there before: a byte just in front of the next is a keep-alive.
            again = known and place < before and (length > 1 or place < before - 1)
        flow.pass_time(time, new=new and not again, again=again, spoken=False)
        peer.pass_time(time, new=False, again=False, spoken=length > 0)
        if flags & ACK:
            if flags & SYN:
                peer.acknowledged = True
            else:
                peer.acknowledge(
                    acknowledgment, window, length, flags, expected=not known or place == before, time=time
                )
                if self.answer_time >= 0 and flow is self._opener:
                    self._shake(time)
        series.columns[column][series.index] += flow.carry(sequence, length, flags, time)

    def _synchronise(self, flow: Flow, sequence: int, flags: int, window: int, options: bytes, time: int) -> None:
        peer = flow.peer
        start = (sequence + 1) & 0xFFFFFFFF
        if flow.start < 0:
            flow.begin(start)
        peer.mss, shift = opening_options(options)
        self._shifts[flow.side] = shift
        if flags & ACK:
            self._opener = peer
            if self.syn_time >= 0:
                self.answer_time = time
        elif self.answer_time < 0:
            self._opener = flow
            self.syn_time = time
        # Windows are shifted only if both sides have offered it (RFC 7323, section 2.2).
        theirs = self._shifts[peer.side]
        if -1 in (shift, theirs):
            flow.shift = peer.shift = 0
        elif theirs >= 0:
            flow.shift, peer.shift = theirs, shift
        # The window of a SYN itself is never shifted.
        peer.open_window(window, 0)
        # Nor is it one that a later segment updates.
        peer.raw_window = -1

    def _shake(self, time: int) -> None:
        """The handshake's third segment: now both parts of the round trip are known."""
        if self._opener is not None:
            self.split = (self.answer_time - self.syn_time, time - self.answer_time)
            self._opener.near = self.split[1]
            self._opener.peer.near = self.split[0]
        self.answer_time = -1

    def finish(self, time: int) -> None:
        """No more frames come; ``time`` is that of the capture's last."""
        for flow in self.flows:
            flow.finish(max(time, self.time))
