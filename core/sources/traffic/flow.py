"""What one direction of a TCP connection went through: its segments, what they waited for, and what was lost."""

from __future__ import annotations

from bisect import insort

from xenmig.core.sources.segment import FIN, RST
from xenmig.core.sources.traffic.options import DEFAULT_MSS
from xenmig.core.sources.traffic.unseen import Unseen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

PAUSE = 100_000
"""Nanoseconds. Shorter distances between two segments are part of sending: network cards and schedulers make them."""
OVERTAKEN = 3_000_000
"""Nanoseconds. Missing bytes that come sooner than this were overtaken on the way, later ones sent again (Wireshark
draws the line there too)."""
FAST_ACKS = 2
"Duplicate acknowledgments after which the bytes they ask for count as sent again because of them (Wireshark)."
FAST_TIME = 20_000_000
"Nanoseconds after the last of these in which that must happen (Wireshark)."
TIMEOUT = 200_000_000
"Nanoseconds of silence before a retransmission that make it one of the timer: Linux's shortest (TCP_RTO_MIN)."
TIMED_EVERY = 1 << 16
TIMED_PART = 16
"""The round trip is timed of one segment at a time: of one in as many bytes as this, and of one in this part of what
was sent before, so that some forty are timed of a small transfer and some hundred of a large one."""
MOST_WAITS = 64
"The longest waits are kept one by one."

SENDING: Final = "sending"
IN_FLIGHT: Final = "in flight"
RECOVERY: Final = "recovery"
WINDOW: Final = "window"
ANSWER: Final = "answer"
IDLE: Final = "idle"

_M = 0xFFFFFFFF
_HALF = 1 << 31


def unwrapped(sequence: int, near: int) -> int:
    """The place that a sequence number stands for: the one closest to the place ``near``."""
    return near + ((sequence - near + _HALF) & _M) - _HALF


class Flow:
    """One direction of a connection, as the bytes captured between its two ends show it.

    What its receiver does about it is counted here as well: acknowledgments and windows of the *receiver* that concern
    *this* direction's bytes. Bytes are places: sequence numbers that do not wrap. Times are nanoseconds.

    The transfer time is the time from the first byte of payload to the last one that came or was waited for. Every bit
    of it counts as one of six:

    * ``sending``: segments follow one another, or new ones while earlier ones are on their way;
    * ``in_flight``: waiting for acknowledgments, with room in the window;
    * ``recovery``: from the loss of a segment, or the silence that ends with its retransmission, to the acknowledgment
      of all that had been sent by then;
    * ``window``: the receiver's window has no room for a full segment;
    * ``answer``: all is acknowledged, and the other side spoke before this one went on;
    * ``idle``: all is acknowledged and there is room: the sender has nothing to send.

    Of the last two, the time in which the sender could not know yet (``near``) is ``in_flight``.
    """

    # fmt: off
    __slots__ = (
        "peer", "side", "frames", "wire_bytes", "segments", "payload_bytes", "retransmitted", "retransmitted_bytes",
        "spurious", "spurious_bytes", "fast", "timeouts", "out_of_order", "late_bytes", "resent_unseen",
        "resent_unseen_bytes", "jumps", "keep_alives", "window_probes", "duplicate_acks", "window_updates",
        "acknowledgments", "overtaken_acks", "zero_windows", "zero_window_time", "window_full", "unseen_acks",
        "unseen", "peak", "largest_window", "round_trips", "round_trip", "round_trip_least", "round_trip_most",
        "waits", "sending", "in_flight", "recovery", "window", "answer", "idle", "silence", "first_payload",
        "last_payload", "start", "next", "fin", "received", "acknowledged", "edge", "farthest", "raw_window", "shift",
        "mss", "full", "near", "since", "recover", "doubt", "duplicates", "acknowledged_time", "answered", "zero_since",
        "timed_end", "timed_at", "timed_next", "least_wait",
    )
    # fmt: on

    peer: Flow
    side: int
    "0 for the direction of the connection's first packet, 1 for the other."
    frames: int
    "Frames of this direction, with payload or without."
    wire_bytes: int
    "Bytes of these frames on the wire, link headers and padding included."
    segments: int
    "Segments with payload."
    payload_bytes: int
    "Bytes in them, those that came again included."
    retransmitted: int
    "Segments with at least one byte that had been captured before, keep-alives excepted."
    retransmitted_bytes: int
    "Bytes that had been captured before."
    spurious: int
    "Those of ``retransmitted`` that the receiver had acknowledged completely."
    spurious_bytes: int
    fast: int
    "Retransmissions and late segments that came upon duplicate acknowledgments: see ``FAST_ACKS`` and ``FAST_TIME``."
    timeouts: int
    "Those that came after a silence of ``TIMEOUT`` with bytes in flight."
    out_of_order: int
    "Segments with new bytes only that were captured after later bytes."
    late_bytes: int
    "New bytes that were captured after later bytes."
    resent_unseen: int
    "Those of ``out_of_order`` that were sent again, by their times: the first copy was lost before it was captured."
    resent_unseen_bytes: int
    jumps: int
    "Segments in front of which at least one byte was missing when they came."
    keep_alives: int
    "Segments of at most one byte just in front of the next one expected."
    window_probes: int
    "Keep-alives, and segments of one byte, sent to a window of zero."
    duplicate_acks: int
    "Segments without payload with which the receiver said again the same acknowledgment and window."
    window_updates: int
    "The same with another window."
    acknowledgments: int
    "Segments by which the receiver acknowledged something new."
    overtaken_acks: int
    "Segments of the receiver that acknowledge less than one captured before."
    zero_windows: int
    "Segments that announced a window of zero."
    zero_window_time: int
    "From the first segment that announced it to the one that opened the window again, or to the end."
    window_full: int
    "Segments that ended exactly where the window did."
    unseen_acks: int
    "Acknowledgments of bytes behind all that had been captured."
    unseen: Unseen
    "Bytes that were never captured. Complete after :meth:`finish`."
    peak: int
    "Most bytes in flight when an acknowledgment came."
    largest_window: int
    "Largest window that the receiver announced, in bytes; meaningless as long as ``shift`` is -1."
    round_trips: int
    "How many round trips were timed, from the place of capture to the receiver and back."
    round_trip: float
    "Smoothed over them (RFC 6298, section 2)."
    round_trip_least: int
    round_trip_most: int
    waits: list[tuple[int, int, int, str]]
    "The longest waits, the shortest of them first: duration, end, place, and what it counts as."
    silence: int
    "From the acknowledgment of the last byte to the end of the capture, or of the measurement: in no one's account."
    first_payload: int
    "When it came; -1 without any."
    last_payload: int

    start: int
    "The first place known; -1 while it is not known."
    next: int
    "The place behind the last one that was captured or acknowledged."
    fin: int
    "The place of the FIN; -1 before it comes."
    received: int
    "The place up to which the receiver has acknowledged."
    acknowledged: bool
    "Whether an acknowledgment was captured: without one, nothing can be said about waits."
    edge: int
    "The place up to which the window reaches; -1 when that is not known."
    farthest: int
    "The farthest that it has reached."
    raw_window: int
    "The receiver's last window as in the header; -1 before the first."
    shift: int
    """By how many bits the receiver's windows are shifted; -1 when that is not known, because a SYN was not captured or
    the sender went beyond the window that it would mean."""
    mss: int
    "Maximum segment size that the receiver announced; without options, see ``DEFAULT_MSS``."
    full: int
    """Bytes of a full segment: the maximum segment size, but no more than half of the largest window. Linux sends no
    larger ones (tcp_bound_to_half_wnd), and on loopback the maximum segment size is as large as a window."""
    near: int
    "Time from the place of capture to the sender and back, by the handshake; 0 when it is not known."
    since: int
    "Up to when time is accounted for."
    recover: int
    "The place whose acknowledgment ends recovery; -1 outside of it."
    doubt: int
    "Time since bytes were missing: recovery if they are sent again, and nothing if only the capture lacks them."
    answered: int
    "When the other side last spoke."

    def __init__(self, side: int) -> None:
        self.side = side
        self.frames = self.wire_bytes = self.segments = self.payload_bytes = 0
        self.retransmitted = self.retransmitted_bytes = self.spurious = self.spurious_bytes = 0
        self.fast = self.timeouts = self.out_of_order = self.late_bytes = 0
        self.resent_unseen = self.resent_unseen_bytes = self.jumps = self.keep_alives = self.window_probes = 0
        self.duplicate_acks = self.window_updates = self.acknowledgments = self.overtaken_acks = 0
        self.zero_windows = self.zero_window_time = self.window_full = self.unseen_acks = 0
        self.unseen = Unseen()
        self.peak = self.largest_window = self.round_trips = 0
        self.round_trip = 0.0
        self.round_trip_least = self.round_trip_most = 0
        self.waits = []
        self.sending = self.in_flight = self.recovery = self.window = self.answer = self.idle = self.silence = 0
        self.first_payload = self.last_payload = -1
        self.start = self.next = self.fin = self.received = -1
        self.acknowledged = False
        self.edge = self.farthest = self.raw_window = self.shift = -1
        self.mss = self.full = DEFAULT_MSS
        self.near = self.since = self.doubt = 0
        self.recover = -1
        self.duplicates = self.acknowledged_time = self.answered = 0
        self.zero_since = self.timed_end = -1
        self.timed_at = self.timed_next = self.least_wait = 0

    @property
    def transfer_time(self) -> int:
        """Nanoseconds that are accounted for."""
        return self.sending + self.in_flight + self.recovery + self.window + self.answer + self.idle

    @property
    def steady(self) -> bool:
        """Whether segments and acknowledgments just go on, so that a run of them may be counted at once."""
        return (
            self.acknowledged
            and self.fin < 0
            and self.recover < 0
            and not self.doubt
            and not self.unseen.waiting(self.received)
            and self.raw_window > 0
            and (self.edge < 0 or (self.full == self.mss and self.edge - self.next >= self.full))
        )

    def begin(self, place: int) -> None:
        """The first place becomes known: by a SYN, by payload, or by an acknowledgment."""
        self.start = self.next = self.received = self.timed_next = place

    def carry(self, sequence: int, length: int, flags: int, time: int) -> int:
        """A segment of this direction, without SYN; its acknowledgment is the peer's to :meth:`acknowledge`.

        Time up to it must have been accounted for; see :meth:`pass_time`. Returns how many of its bytes are new.
        """
        if self.start < 0:
            if not length:
                return 0
            self.begin(sequence)
        place = unwrapped(sequence, self.next)
        if length <= 1 and place == self.next - 1 and not flags & (FIN | RST):
            self.keep_alives += 1
            self.window_probes += self.raw_window == 0
            return 0
        if length == 1 and place == self.next and self.raw_window == 0:
            # Not accepted as long as the window is closed: the byte comes again.
            self.window_probes += 1
            return 0
        end = place + length
        fresh = self._payload(place, end, length, time) if length else 0
        if flags & FIN and end >= self.next:
            self.next = end + 1
            self.fin = end
        return fresh

    def _payload(self, place: int, end: int, length: int, time: int) -> int:
        self.segments += 1
        self.payload_bytes += length
        if self.first_payload < 0:
            self.first_payload = self.since = time
        self.last_payload = time
        self.window_full += end == self.edge
        expected = self.next
        if place < expected:
            fresh = self._again(place, end, length, time)
            if end > expected:
                self.next = end
                fresh += end - expected
            return fresh
        if place > expected:
            self.jumps += 1
            self.unseen.add(expected, place, time, self.received)
        self.next = end
        if end > self.farthest and self.edge >= 0:
            self._disbelieve()
        if self.timed_end < 0 and place >= self.timed_next:
            self.time_segment(place, length, time)
        return length

    def time_segment(self, place: int, length: int, time: int) -> None:
        """Time the round trip of the segment that came now."""
        end = place + length
        self.timed_end = end
        self.timed_at = time
        self.timed_next = end + max(TIMED_EVERY, (end - self.start) // TIMED_PART)

    def _disbelieve(self) -> None:
        """The sender went beyond the window: what its SYN and the receiver's say about the shift cannot be so."""
        self.shift = self.edge = -1
        self.sending += self.window
        self.window = 0
        self.waits = [wait for wait in self.waits if wait[3] is not WINDOW]

    def _again(self, place: int, end: int, length: int, time: int) -> int:
        """Bytes at places that had been passed: sent again, overtaken, or captured in another order.

        Returns how many of them had not been captured before.
        """
        fresh, missed = self.unseen.fill(place, end)
        old = min(end, self.next) - place - fresh
        spurious = end <= self.received
        overtaken = fresh and not old and time - missed < OVERTAKEN
        if old > 0:
            self.retransmitted += 1
            self.retransmitted_bytes += old
            if spurious:
                self.spurious += 1
                self.spurious_bytes += length
        else:
            self.out_of_order += 1
            if not overtaken:
                self.resent_unseen += 1
                self.resent_unseen_bytes += fresh
        self.late_bytes += fresh
        if fresh and self.doubt:
            self.recovery += self.doubt
            self.doubt = 0
        # A round trip cannot be told from two copies (Karn's algorithm, RFC 6298, section 3).
        if self.timed_end > place:
            self.timed_end = -1
        if overtaken or spurious:
            return fresh
        if self.duplicates >= FAST_ACKS and place == self.received and time - self.acknowledged_time < FAST_TIME:
            self.fast += 1
        self.recover = max(self.recover, self.next)
        return fresh

    def acknowledge(
        self, acknowledgment: int, window: int, length: int, flags: int, *, expected: bool, time: int
    ) -> None:
        """A segment of the *other* direction: how far this one has been received, and how far it may go on.

        ``length`` and ``flags`` are the segment's; ``expected`` says whether it is the next one there.
        """
        if self.start < 0:
            self.begin(acknowledgment)
        place = unwrapped(acknowledgment, self.received)
        self.acknowledged = True
        plain = not length and not flags & (FIN | RST)
        if place > self.received:
            self._advance(place, time)
        elif place == self.received and plain and window and self.raw_window >= 0:
            if window != self.raw_window:
                self.window_updates += 1
            elif expected:
                self.duplicate_acks += 1
                self.duplicates += 1
                self.acknowledged_time = time
        elif place < self.received:
            # Its window does not count (RFC 9293, section 3.10.7.4).
            self.overtaken_acks += 1
            return
        if not flags & (FIN | RST):
            if not window:
                self.zero_windows += 1
                if self.zero_since < 0:
                    self.zero_since = time
            elif self.zero_since >= 0:
                self.zero_window_time += time - self.zero_since
                self.zero_since = -1
        self.open_window(window, max(self.shift, 0))

    def open_window(self, window: int, shift: int) -> None:
        """The receiver's window, as in the header, from the place on that it has acknowledged."""
        self.raw_window = window
        size = window << shift
        if size > self.largest_window:
            self.widen(size)
        # Zero is zero on every scale.
        self.edge = self.received + size if self.shift >= 0 or not window else -1
        if self.edge > self.farthest:
            self.farthest = self.edge

    def widen(self, size: int) -> None:
        """A window of so many bytes was announced."""
        if size > self.largest_window:
            self.largest_window = size
            self.full = min(self.mss, max(size // 2, 1))

    def _advance(self, place: int, time: int) -> None:
        flight = self.next - self.received
        if flight > self.peak:
            self.peak = flight
        if place > self.next:
            self.unseen_acks += 1
            self.unseen.add(self.next, place, time, self.received)
            self.next = place
        self.received = place
        self.acknowledgments += 1
        self.duplicates = 0
        self.acknowledged_time = time
        if self.doubt and not self.unseen.waiting(place):
            # The receiver has them: it is the capture that lacks them.
            self.sending += self.doubt
            self.doubt = 0
        if place >= self.recover:
            self.recover = -1
        if 0 <= self.timed_end <= place:
            self.timed(time)

    def timed(self, now: int) -> None:
        """The segment whose round trip is timed is acknowledged."""
        time = now - self.timed_at
        self.timed_end = -1
        if self.round_trips:
            self.round_trip += (time - self.round_trip) / 8
            self.round_trip_least = min(self.round_trip_least, time)
            self.round_trip_most = max(self.round_trip_most, time)
        else:
            self.round_trip = float(time)
            self.round_trip_least = self.round_trip_most = time
        self.round_trips += 1

    def pass_time(self, time: int, *, new: bool, again: bool, spoken: bool) -> None:
        """Account for the time up to the next segment of the connection, before that segment changes anything.

        It is one of this direction with ``new`` payload or with payload sent ``again``, or it is one in which the other
        side has ``spoken``, or none of these.
        """
        elapsed = time - self.since
        if self.first_payload < 0 or elapsed <= 0 or 0 <= self.fin <= self.received:
            return
        if self.edge >= 0 and self.edge - self.next < self.full:
            self._count(WINDOW, elapsed, time)
        elif self.recover >= 0:
            self._count(RECOVERY, elapsed, time)
        elif self.next > self.received:
            if self.unseen.waiting(self.received):
                self.doubt += elapsed
            elif again:
                self.timeouts += elapsed >= TIMEOUT
                self._count(RECOVERY, elapsed, time)
            elif new or elapsed < PAUSE:
                self.sending += elapsed
            else:
                self._count(IN_FLIGHT, elapsed, time)
        elif again:
            self._count(RECOVERY, elapsed, time)
        elif new:
            self._rested(time)
        else:
            if spoken:
                self.answered = time
            return
        self.since = time

    def _rested(self, time: int) -> None:
        """All had been acknowledged since ``since``, and now comes more."""
        rested = time - self.since
        if rested < PAUSE:
            self.sending += rested
            return
        if self.answered > self.since:
            self._count(ANSWER, self.answered - self.since, self.answered)
            rested = time - self.answered
        known = min(rested, self.near)
        if known:
            self._count(IN_FLIGHT, known, time)
        if rested > known:
            self._count(IDLE, rested - known, time)

    def _count(self, kind: str, duration: int, end: int) -> None:
        if kind is WINDOW:
            self.window += duration
        elif kind is RECOVERY:
            self.recovery += duration
        elif kind is IN_FLIGHT:
            self.in_flight += duration
        elif kind is ANSWER:
            self.answer += duration
        else:
            self.idle += duration
        if duration > self.least_wait:
            wait = (duration, end, self.next, kind)
            insort(self.waits, wait)
            if len(self.waits) > MOST_WAITS:
                del self.waits[0]
                self.least_wait = self.waits[0][0]

    def finish(self, time: int) -> None:
        """The connection or the capture is over."""
        if self.zero_since >= 0:
            self.zero_window_time += max(0, time - self.zero_since)
            self.zero_since = -1
        if self.first_payload >= 0 and time > self.since:
            done = 0 <= self.fin <= self.received
            if not done and (
                self.next > self.received or self.recover >= 0 or (self.edge >= 0 and self.edge - self.next < self.full)
            ):
                self.pass_time(time, new=False, again=False, spoken=False)
            else:
                self.silence = time - self.since
        self.recovery += self.doubt
        self.doubt = 0
        self.unseen.finish(self.received)
