"""The machinery of a push decoder: holding what is incomplete, passing over what is not wanted, running states.

A *state* is a method that takes a buffer, consumes the units that are complete in it and returns how far it came. When
it cannot consume anything it sets ``need`` to the bytes that the next unit takes, or another state, and returns where
it started.
"""

from __future__ import annotations

from xenmig.core.decode.damage import Unrecognised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from xenmig.core.decode.events import Event
    from xenmig.core.sources.packet import Packet

    State: TypeAlias = Callable[[bytes, int, int], int]

SHOWN_BYTES = 64
"Bytes of what is not understood that go into an event."
EVERYTHING = 1 << 62
"``skip`` of a decoder that wants nothing more."
PIECE = 64 << 10
"""Bytes that are joined at most to those held while a place is searched. Of longer units only the ends are traced to
packets."""


class PushDecoder:
    """Bytes in, states run, events out. See :class:`~xenmig.core.sources.consumer.Consumer`."""

    def __init__(self) -> None:
        self.skip = 0
        self.need = 1
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Event] = []
        # The last bytes delivered, when they are the beginning of a unit; never as many as ``need``.
        self._held = bytearray()
        # Where the bytes of the buffer came from, by absolute offset, in ascending order; empty when all of them came
        # from ``packet``, and in files.
        self._piece_offsets: list[int] = []
        self._piece_packets: list[Packet] = []
        # Absolute offset of index 0 of the buffer that a state is given.
        self._base = 0
        # No more bytes will follow those in the buffer.
        self._final = False
        # The state takes as many bytes as there are, not only ``need``.
        self._searching = False
        self._state: State = self._ignore
        self._after_showing: State = self._ignore
        self._shown_kind = ""
        self._shown_layer = ""
        self._shown_order = "<"

    def feed(self, data: bytes, start: int, end: int) -> None:
        """Consume ``data[start:end]``; what is incomplete is kept."""
        base = self.position - start
        self.position = base + end
        held = self._held
        while start < end:
            if not held:
                self._base = base
                start = self._run(data, start, end)
                if start < end:
                    self._remember(base + start)
                    held += data[start:end]
                return
            wanted = self.need - len(held)
            if wanted > end - start:
                if self.need <= PIECE:
                    self._remember(base + start)
                held += data[start:end]
                return
            # At least one, so that bytes are always consumed.
            count = min(end - start, PIECE) if self._searching else max(wanted, 1)
            self._remember(base + start)
            held += data[start : start + count]
            start += count
            self._run_held(base + start)

    def passed(self, count: int) -> None:
        """``count`` bytes of what may be skipped were passed over."""
        self.skip -= count
        self.position += count
        if not self.skip:
            self._passed_all()

    def _run(self, buffer: bytes, at: int, end: int) -> int:
        """Run states over ``buffer[at:end]``; returns where the first incomplete unit begins."""
        while at < end:
            if self.skip:
                count = end - at
                if self.skip > count:
                    self.skip -= count
                    return end
                at += self.skip
                self.skip = 0
                self._passed_all()
                continue
            state = self._state
            after = state(buffer, at, end)
            if after > at:
                at = after
            elif self._state == state:
                return at
        return end

    def _run_held(self, end: int) -> None:
        """Run states over the bytes held, which end at the absolute offset ``end``."""
        held = self._held
        unit = bytes(held)
        held.clear()
        self._base = end - len(unit)
        used = self._run(unit, 0, len(unit))
        if used < len(unit):
            held += unit[used:]
            self._forget(self._base + used)
        else:
            self._piece_offsets.clear()
            self._piece_packets.clear()

    def _flush(self) -> None:
        """No more bytes will follow those held: have a state that could still wait make of them what it can."""
        self._final = True
        if self._held:
            self._run_held(self.position)
        if self._state == self._showing and not self._held:
            self._base = self.position
            self._showing(b"", 0, 0)
            self._state(b"", 0, 0)
        self._final = False

    def _drop_held(self) -> None:
        self._held.clear()
        self._piece_offsets.clear()
        self._piece_packets.clear()

    def _start_of_held(self) -> int:
        return self.position - len(self._held)

    def _passed_all(self) -> None:
        """What was to be passed over has been."""

    # -- where bytes came from ------------------------------------------------------------------------------------

    def _remember(self, offset: int) -> None:
        packet = self.packet
        if packet is not None and (not self._piece_packets or self._piece_packets[-1] is not packet):
            self._piece_offsets.append(offset)
            self._piece_packets.append(packet)

    def _forget(self, offset: int) -> None:
        """Of the bytes before an offset nobody will ask any more."""
        if len(self._piece_offsets) > 1:
            from bisect import bisect_right

            place = bisect_right(self._piece_offsets, offset) - 1
            del self._piece_offsets[:place], self._piece_packets[:place]

    def _packet_at(self, offset: int) -> Packet | None:
        """The packet that brought the byte at an absolute offset of the buffer."""
        if not self._piece_offsets:
            return self.packet
        from bisect import bisect_right

        place = bisect_right(self._piece_offsets, offset) - 1
        return self._piece_packets[place] if place >= 0 else self.packet

    # -- what is not understood -----------------------------------------------------------------------------------

    def _show(self, kind: str, layer: str, after: State, order: str = "<") -> None:
        """Report the bytes from here on as unrecognised as soon as enough of them are there; go on with ``after``."""
        self._shown_kind, self._shown_layer, self._shown_order = kind, layer, order
        self._state, self._after_showing = self._showing, after
        self.need = SHOWN_BYTES

    def _showing(self, buffer: bytes, at: int, end: int) -> int:
        if end - at < SHOWN_BYTES and not self._final:
            self.need = SHOWN_BYTES
            return at
        offset = self._base + at
        shown = bytes(buffer[at : min(end, at + SHOWN_BYTES)])
        kind, layer, order = self._shown_kind, self._shown_layer, self._shown_order
        self.events.append(Unrecognised(kind, layer, offset, shown, self._packet_at(offset), order))
        self._state = self._after_showing
        return at

    def _ignore(self, _buffer: bytes, _at: int, end: int) -> int:
        """Nothing from here on can be decoded."""
        self.skip = EVERYTHING
        return end
