"""TCP segments of a migration, before they become frames: cut, lost, swapped, sent twice."""

from __future__ import annotations

from itertools import cycle
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIN = 0x01
SYN = 0x02
PUSH = 0x08
ACK = 0x10


class Segment:
    """One TCP segment; ``forth`` is the direction of the guest's stream."""

    __slots__ = ("forth", "sequence", "acknowledgment", "flags", "payload")

    forth: bool
    sequence: int
    acknowledgment: int
    flags: int
    payload: bytes

    def __init__(self, forth: bool, sequence: int, acknowledgment: int, flags: int, payload: bytes) -> None:
        self.forth = forth
        self.sequence = sequence
        self.acknowledgment = acknowledgment
        self.flags = flags
        self.payload = payload

    def __repr__(self) -> str:
        arrow = ">" if self.forth else "<"
        return f"<Segment {arrow} {self.sequence} +{len(self.payload)} flags 0x{self.flags:02x}>"


def cut(pieces: Iterable[bytes], sizes: Iterable[int]) -> Iterator[bytes]:
    """The bytes of ``pieces`` in payloads of these sizes, over and over; in memory of one piece."""
    wanted = cycle(sizes)
    size = next(wanted)
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        at = 0
        while length + len(piece) - at >= size:
            taken = size - length
            held.append(piece[at : at + taken])
            yield held[0] if len(held) == 1 else b"".join(held)
            at += taken
            held, length = [], 0
            size = next(wanted)
        if at < len(piece):
            held.append(piece[at:])
            length += len(piece) - at
    if held:
        yield b"".join(held)


class Conversation:
    """Turns what two ends say into segments, with a handshake, acknowledgments and an orderly end."""

    __slots__ = ("sequences", "acknowledge_every", "_unacknowledged")

    def __init__(self, sequence: int, peer_sequence: int, acknowledge_every: int) -> None:
        self.sequences = {True: sequence & 0xFFFFFFFF, False: peer_sequence & 0xFFFFFFFF}
        self.acknowledge_every = acknowledge_every
        self._unacknowledged = 0

    def open(self) -> Iterator[Segment]:
        """The three segments of the handshake."""
        yield self._segment(True, SYN, b"", acknowledged=False)
        yield self._segment(False, SYN | ACK, b"")
        yield self._segment(True, ACK, b"")

    def say(self, forth: bool, payloads: Iterable[bytes]) -> Iterator[Segment]:
        """Segments with these payloads, and the other side's acknowledgments of them."""
        for payload in payloads:
            yield self._segment(forth, ACK | PUSH, payload)
            self._unacknowledged += 1
            if self.acknowledge_every and self._unacknowledged >= self.acknowledge_every:
                self._unacknowledged = 0
                yield self._segment(not forth, ACK, b"")

    def close(self) -> Iterator[Segment]:
        """Both FINs, the sender's first."""
        yield self._segment(True, FIN | ACK, b"")
        yield self._segment(False, FIN | ACK, b"")
        yield self._segment(True, ACK, b"")

    def _segment(self, forth: bool, flags: int, payload: bytes, *, acknowledged: bool = True) -> Segment:
        sequence = self.sequences[forth]
        self.sequences[forth] = (sequence + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return Segment(forth, sequence, self.sequences[not forth] if acknowledged else 0, flags, payload)


class Network:
    """What happens to segments with payload on their way into a capture.

    Probabilities between 0 and 1, or sets of numbers: segments with payload are counted from 0 over both directions.
    """

    __slots__ = ("lost", "late", "swapped", "twice", "_random", "_number", "_waiting")

    def __init__(
        self,
        *,
        lost: float | Iterable[int] = 0,
        late: float | Iterable[int] = 0,
        swapped: float | Iterable[int] = 0,
        twice: float | Iterable[int] = 0,
        seed: int = 1,
    ) -> None:
        """``lost`` segments are missing from the capture for good, though the receiver had them; ``late`` ones were
        lost on the way, and come again after some others; ``swapped`` ones change places with the next one; of
        those ``twice`` there, the second is a retransmission that was not needed.
        """
        self.lost = _chooser(lost)
        self.late = _chooser(late)
        self.swapped = _chooser(swapped)
        self.twice = _chooser(twice)
        self._random = Random(seed)  # noqa: S311  # a recipe, not a secret
        self._number = 0
        self._waiting: list[tuple[int, Segment]] = []

    def __call__(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        held: Segment | None = None
        for segment in segments:
            self._acknowledge(segment, held)
            if not segment.payload:
                # A FIN that overtakes late data would end the connection for some readers.
                if segment.flags & FIN:
                    yield from self._flush()
                    if held is not None:
                        yield held
                        held = None
                yield segment
                continue
            number = self._number
            self._number += 1
            yield from self._due(number)
            if self._is(self.lost, number):
                continue
            if self._is(self.late, number):
                self._waiting.append((number + 3 + self._random.randrange(4), segment))
                continue
            if held is None and self._is(self.swapped, number):
                held = segment
                continue
            yield segment
            if self._is(self.twice, number):
                yield segment
            if held is not None:
                yield held
                held = None
        if held is not None:
            yield held
        yield from self._flush()

    def _acknowledge(self, segment: Segment, held: Segment | None) -> None:
        """Have a segment acknowledge only what has arrived: up to the first one that is still on its way."""
        for missing in (*[waiting for _, waiting in self._waiting], *([held] if held is not None else [])):
            if missing.forth != segment.forth:
                segment.acknowledgment = missing.sequence
                return

    def _due(self, number: int) -> Iterator[Segment]:
        while self._waiting and self._waiting[0][0] <= number:
            yield self._waiting.pop(0)[1]

    def _flush(self) -> Iterator[Segment]:
        while self._waiting:
            yield self._waiting.pop(0)[1]

    def _is(self, chosen: float | frozenset[int], number: int) -> bool:
        if isinstance(chosen, frozenset):
            return number in chosen
        return chosen > 0 and self._random.random() < chosen


def _chooser(chosen: float | Iterable[int]) -> float | frozenset[int]:
    if isinstance(chosen, (int, float)):
        if not 0 <= chosen <= 1:
            raise ValueError(f"a probability lies between 0 and 1, {chosen} does not; give a set of segment numbers")
        return chosen
    return frozenset(chosen)
