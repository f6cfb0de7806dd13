"""Deciding which directions of which connections are worth decoding, by their first bytes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.consumer import Consumer
    from xenmig.core.sources.packet import Packet

    class ConsumerFactory(Protocol):
        """Chooses what consumes a direction of a connection."""

        def __call__(
            self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
        ) -> Consumer | NeedMore | None:
            """A consumer for ``direction``; None when it is of no interest; NEED_MORE when it is too early to say.

            ``prefix`` holds the first 1 to 64 bytes, as many as have come: the factory is asked as soon as there is
            one and, after NEED_MORE, again whenever there are more, so it never waits for bytes that a short
            conversation does not send. NEED_MORE to 64 bytes, or when nothing comes any more, counts as None.
            ``from_start`` is False when the direction's beginning was not captured: ``prefix`` then begins anywhere.
            """


PREFIX = 64
"Most bytes of a direction that a factory is shown."


_ALL = 1 << 59


class NeedMore:
    """The answer of a factory that cannot tell from so few bytes."""

    __slots__ = ()


NEED_MORE = NeedMore()


class Uninterested:
    """The consumer of a direction that nobody wants: it would rather skip everything."""

    __slots__ = ("skip", "need", "position", "packet", "events")

    def __init__(self, position: int = 0) -> None:
        self.skip = _ALL
        self.need = 0
        self.position = position
        self.packet: Packet | None = None
        self.events: list[Any] = []

    def feed(self, data: bytes, start: int, end: int) -> None:  # noqa: ARG002 (the protocol's arguments)
        self.position += end - start

    def passed(self, count: int) -> None:
        self.skip = _ALL
        self.position += count

    def hole(self, count: int) -> None:
        self.position += count

    def end(self) -> None:
        pass


class Undecided:
    """The consumer of a direction whose first bytes have not told yet what it is.

    It puts the factory's choice in its own place and hands on what it has collected.
    """

    __slots__ = (
        "skip",
        "need",
        "position",
        "packet",
        "events",
        "_factory",
        "_direction",
        "_prefix",
        "_pieces",
        "_lost",
    )

    def __init__(self, factory: ConsumerFactory, direction: Direction) -> None:
        self.skip = 0
        self.need = 1
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Any] = []
        self._factory = factory
        self._direction = direction
        self._prefix = b""
        self._pieces: tuple[tuple[Packet | None, bytes], ...] = ()
        self._lost = 0

    def feed(self, data: bytes, start: int, end: int) -> None:
        direction = self._direction
        self.position += end - start
        prefix = self._prefix + data[start : min(end, start + PREFIX - len(self._prefix))]
        choice = self._factory(direction.connection, direction, prefix, direction.from_start and not self._lost)
        if isinstance(choice, NeedMore):
            if len(prefix) < PREFIX:
                self._prefix = prefix
                self._pieces += ((self.packet, data[start:end]),)
                return
            choice = None
        if choice is None:
            direction.consumer = Uninterested(self.position)
            return
        direction.decided(choice)
        if self._lost:
            choice.packet = self._pieces[0][0] if self._pieces else self.packet
            choice.hole(self._lost)
        for packet, piece in self._pieces:
            choice.packet = packet
            choice.feed(piece, 0, len(piece))
        choice.packet = self.packet
        choice.feed(data, start, end)

    def passed(self, count: int) -> None:
        self.position += count

    def hole(self, count: int) -> None:
        # What came before the hole was not enough to tell, and what comes after it does not continue it.
        self.position += count
        self._lost = self.position
        self._prefix = b""
        self._pieces = ()

    def end(self) -> None:
        self._pieces = ()
