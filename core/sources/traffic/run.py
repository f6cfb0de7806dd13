"""A run: segments of one direction that differ in nothing but their place, and acknowledgments that just go on."""

from __future__ import annotations

from xenmig.core.sources.connection import reverse_key
from xenmig.core.sources.traffic.flow import PAUSE
from xenmig.core.sources.traffic.traffic import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

PSH = 0x08 << 16
"As the last 64 bits that a layout compares hold it."
_CLOSING = 0x07 << 16
_NEVER = 1 << 62
_UNKNOWN_SHIFT = 48
_SECOND = 1_000_000_000


Looks: TypeAlias = "tuple[bytes, bytes, int, int, bytes, bytes, int, int, int, int]"
"""Of segments: the first three things that Layout.compare reads apart from the sequence number, with PSH, and how many
bytes of payload they have. Of acknowledgments: the first two, the sequence number, and data offset with flags. And of
the receiver: the shift of its windows and its maximum segment size."""
NO_LOOKS: Looks = (b"", b"", 0, 0, b"", b"", 0, 0, 0, 0)

State: TypeAlias = "tuple[int, int, int, int, int, int, int, int, int]"
"""Sequence numbers: the next one; the last one acknowledged; the one up to which segments leave room in the window for
another; the one whose acknowledgment ends the timing of a round trip; the one from which on the next is timed. And
times: second and fraction of the last frame, and the fractions at which a distance to it becomes a wait, and the bin
ends."""
NO_STATE: State = (-1, 0, 0, 0, 0, -1, 0, 0, 0)
"No frame continues this."


class Run:
    """What the frames of a run have in common. Wherever it counts, :meth:`Traffic.segment` would count the same."""

    __slots__ = ("traffic", "flow", "_looks", "_base", "_wire", "_ack_wire", "_second", "_scale")

    traffic: Traffic
    flow: Flow
    "The direction of the segments."

    def __init__(
        self, traffic: Traffic, flow: Flow, front: bytes, key: bytes, tail: int, length: int, wire: int
    ) -> None:
        """A run that begins with the segment of ``length`` payload bytes that has these bytes: see Layout.compare."""
        self.traffic = traffic
        self.flow = flow
        self._looks = (front, key, tail | PSH, length, b"", reverse_key(key), -1, 0)
        self._wire = wire
        self._ack_wire = 0
        self._base = 0
        self._second = self._scale = 0

    @property
    def looks(self) -> Looks:
        """What the next frames have to look like."""
        flow = self.flow
        # On an unknown scale, every window but zero has room.
        return *self._looks, flow.shift if flow.shift >= 0 else _UNKNOWN_SHIFT, flow.mss

    def continued(self, front: bytes, tail: int, length: int, wire: int) -> None:
        """Another segment of the direction came: those that follow may look like this one."""
        self._looks = (front, self._looks[1], tail | PSH, length, *self._looks[4:])
        self._wire = wire

    def acknowledged(self, front: bytes, sequence: int, tail: int, wire: int) -> None:
        """A segment without payload came the other way: it shows what acknowledgments look like."""
        plain = not tail & _CLOSING
        self._looks = (*self._looks[:4], front, self._looks[5], sequence if plain else -1, tail >> 16 & 0xFFFF)
        self._ack_wire = wire

    @property
    def goes_on(self) -> bool:
        """Whether the next segments may be counted at once: nothing is unusual in either direction."""
        flow = self.flow
        peer = flow.peer
        return (
            flow.steady
            and not self._looks[2] & _CLOSING
            and (
                peer.first_payload < 0
                or (
                    peer.next == peer.received
                    and peer.recover < 0
                    and not peer.doubt
                    and (peer.edge < 0 or peer.edge - peer.next >= peer.mss)
                )
            )
        )

    def state(self, scale: int) -> State:
        """What the next frames are compared with: see State. ``scale`` is that of the fractions in heads of frames."""
        if not self.goes_on:
            return NO_STATE
        flow = self.flow
        next = flow.next & 0xFFFFFFFF
        # Places less this are sequence numbers until these wrap; the frames then are no longer those of the run.
        self._base = base = flow.next - next
        timed, timing = flow.timed_end - base, _NEVER
        if flow.timed_end < 0:
            timed, timing = _NEVER, flow.timed_next - base
        second, nanoseconds = divmod(self.traffic.time, _SECOND)
        self._scale = scale
        self._second = begin = second * _SECOND
        stop = (self.traffic.series.end - begin) // scale
        until = min((flow.since + PAUSE - begin) // scale, stop)
        limit = flow.edge - flow.mss - base if flow.edge >= 0 else _NEVER
        places = (next, flow.received - base, limit, timed, timing)
        return *places, second, nanoseconds // scale, until, stop

    def count(
        self,
        segments: int,
        sent: int,
        acks: int,
        acknowledged: int,
        next: int,
        received: int,
        peak: int,
        widest: int,
        window: int,
    ) -> None:
        """Count segments up to ``next`` and acknowledgments up to ``received`` that continued the run.

        ``sent`` and ``acknowledged`` say when the last of each came: fractions of the second that :meth:`state` gave.
        ``peak`` is the most bytes in flight when an acknowledgment came; ``widest`` and ``window`` are the widest and
        the last window.
        """
        traffic = self.traffic
        flow = self.flow
        peer = flow.peer
        series = traffic.series
        time = 0
        if segments:
            time = self._second + sent * self._scale
            size, wire = segments * self._looks[3], segments * self._wire
            flow.frames += segments
            flow.wire_bytes += wire
            flow.segments += segments
            flow.payload_bytes += size
            flow.last_payload = time
            flow.next = next + self._base
            if peer.first_payload >= 0:
                peer.answered = time
            column = flow.side * len(COLUMNS)
            series.columns[column][series.index] += size
            series.columns[column + 1][series.index] += wire
        if acks:
            flow.acknowledged_time = self._second + acknowledged * self._scale
            time = max(time, flow.acknowledged_time)
            wire = acks * self._ack_wire
            peer.frames += acks
            peer.wire_bytes += wire
            flow.acknowledgments += acks
            flow.duplicates = 0
            flow.received = received + self._base
            flow.peak = max(flow.peak, peak)
            flow.open_window(widest, max(flow.shift, 0))
            flow.open_window(window, max(flow.shift, 0))
            series.columns[peer.side * len(COLUMNS) + 1][series.index] += wire
        # Nothing of this was a wait.
        flow.sending += time - flow.since
        flow.since = traffic.time = time
