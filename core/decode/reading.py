"""From a path to the events of every stream in it: the one door for the command, Scapy and whoever imports xenmig."""

from __future__ import annotations

from xenmig.core.decode.recognise import DESCRIPTIONS, LONGEST, STREAMS, recognise, recognise_cut, recognise_file
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.open import open_input
from xenmig.core.sources.stream import drive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.decode.conversation import ConversationDecoder
    from xenmig.core.decode.events import Event
    from xenmig.core.sources.capture import Capture
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.interest import NeedMore
    from xenmig.core.sources.watcher import Watcher

HOW_TO_SEE = (
    "capture the migration in the clear instead: xl migrate -s '' with a command that connects to the other host, or "
    "libvirt's tcp transport (README, section on capturing)"
)

MOST_STREAMS = 256
"Streams of a capture that are decoded; of those beyond it, their number is told."
MOST_SEARCHED = 128
"Directions whose beginning was missed and in which a record is looked for at the same time."
MOST_OPAQUE = 256
"Connections that are named though they are not decoded; of those beyond it, their number is told."


class Stream:
    """One run of bytes that is decoded: a file, or one direction of a connection."""

    __slots__ = ("number", "kind", "role", "decoder", "connection", "direction")

    number: int
    "From 1, in the order in which they appear."
    kind: str
    'What it began with: "xl", "libvirt", "libxl", "libxc", "xl receiver", or "joined" when its beginning was missed.'
    role: str
    '"sender" for the guest\'s own stream, "receiver" for what its receiver says.'
    decoder: StreamDecoder | ConversationDecoder
    connection: Connection | None
    direction: Direction | None

    def __init__(
        self,
        number: int,
        kind: str,
        role: str,
        decoder: StreamDecoder | ConversationDecoder,
        connection: Connection | None = None,
        direction: Direction | None = None,
    ) -> None:
        self.number = number
        self.kind = kind
        self.role = role
        self.decoder = decoder
        self.connection = connection
        self.direction = direction


class Reading:
    """One pass over a path. Iterating yields ``(stream, events)``; afterwards the attributes are complete.

    Raises :class:`~xenmig.core.sources.errors.UnreadableInput` for what cannot be opened, or is neither a stream nor a
    capture.
    """

    name: str
    "The path, or a name for standard input."
    kind: str
    '"stream" or "capture".'
    size: int | None
    "Size in bytes where it is known."
    streams: list[Stream]
    "Every stream found so far; those of connections joined mid-stream only once a record was found in them."
    opaque: list[tuple[Connection, str]]
    """Connections that are named and not decoded, with what they are: a key of ``recognise.DESCRIPTIONS``. The first
    ``MOST_OPAQUE`` of them."""
    opaque_counts: dict[str, int]
    "How many connections of each such kind there are."
    capture: Capture | None

    def __init__(
        self,
        path: str,
        start: str = "",
        *,
        runs: bool = False,
        deep: bool = False,
        watcher: Watcher | None = None,
        metered: bool = False,
    ) -> None:
        """Open ``path`` ("-" is standard input); ``start`` names the outermost layer where it must not be guessed.

        ``runs`` asks for a :class:`~xenmig.core.decode.record.RecordRun` where many records are of one kind, and in
        files for a :class:`~xenmig.core.decode.record.BatchRun` where full batches follow one another; ``deep`` instead
        for a :class:`~xenmig.core.decode.events.Page` for each page table of a PV guest, whose memory is read for it.
        ``watcher`` looks on while the input is read, and has it taken for one that is still written.
        ``metered`` has the traffic of each stream's connection measured, and of those that are named in ``opaque``.
        """
        self._runs = runs
        self._deep = deep
        self.input: Input = open_input(path, watcher)
        self.name = self.input.name
        self.size = self.input.size
        self.streams = []
        self.opaque = []
        self.opaque_counts = {}
        self.capture = None
        self.kind = "stream"
        self._by_direction: dict[Direction, Stream] = {}
        # Directions whose beginning was missed and in which no record has turned up yet.
        self._searched: list[Direction] = []
        self._left_out = 0
        self._start = start
        if start:
            return
        first = self.input.peek(LONGEST)
        kind = recognise(first)
        if kind in STREAMS:
            self._start = kind or ""
            return
        from xenmig.core.sources.capture import is_capture

        if is_capture(first):
            self.kind = "capture"
            self.capture = self._capture(watcher, metered=metered)
        elif kind == "xl receiver":
            self._start = kind
        elif cut := recognise_cut(first):
            self._start = cut
        else:
            self.input.close()
            raise UnreadableInput(self.name, what_it_is_instead(first))

    def __iter__(self) -> Iterator[tuple[Stream, list[Event]]]:
        if self.capture is not None:
            yield from self._capture_events(self.capture)
            return
        stream = self._single()
        self.streams.append(stream)
        for events in drive(self.input, stream.decoder):
            yield stream, events

    @property
    def notices(self) -> list[str]:
        """Sentences about the input itself: cut off, damaged, frames that were not understood."""
        notices = [str(notice) for notice in self.capture.notices] if self.capture is not None else []
        if self._left_out:
            from xenmig.core.quantity import quantity

            notices.append(
                f"too many streams at once: {quantity(self._left_out, 'direction', ',')} of connections not decoded"
            )
        notice = getattr(self.input, "notice", None)
        if notice:
            notices.append(notice)
        return notices

    @property
    def unread(self) -> bool:
        """Whether this is a capture that could not be read to its end."""
        return self.capture is not None and self.capture.unread

    def close(self) -> None:
        """Give back the descriptor."""
        self.input.close()

    def _capture(self, watcher: Watcher | None, *, metered: bool) -> Capture:
        from xenmig.core.sources.capture import Capture

        return Capture(self.input, self._consumer, watcher=watcher, metered=metered)

    def _single(self) -> Stream:
        if self._start == "xl receiver":
            from xenmig.core.decode.conversation import ConversationDecoder

            return Stream(1, self._start, "receiver", ConversationDecoder())
        return Stream(1, self._start, "sender", self._decoder(self._start))

    def _decoder(self, start: str, *, joined: bool = False) -> StreamDecoder:
        if self._deep:
            from xenmig.core.decode.page_contents import PageContentsDecoder

            return PageContentsDecoder(start, joined=joined)
        return StreamDecoder(start, joined=joined, runs=self._runs)

    def _capture_events(self, capture: Capture) -> Iterator[tuple[Stream, list[Event]]]:
        from xenmig.core.decode.damage import Resynchronised

        by_direction = self._by_direction
        for direction, events in capture:
            stream = by_direction.get(direction)
            if stream is None:
                # Any traffic may be joined in the middle; it is a migration only when a record turns up in it.
                if not any(type(event) is Resynchronised for event in events):
                    continue
                decoder = direction.consumer
                if not isinstance(decoder, StreamDecoder):
                    # Dropped for others before its events were taken.
                    continue
                stream = self._add("joined", "sender", decoder, direction)
            yield stream, events

    def _add(self, kind: str, role: str, decoder: StreamDecoder | ConversationDecoder, direction: Direction) -> Stream:
        stream = Stream(len(self.streams) + 1, kind, role, decoder, direction.connection, direction)
        self.streams.append(stream)
        self._by_direction[direction] = stream
        return stream

    def _room(self) -> bool:
        """Whether one more direction can be decoded; memory use must not depend on how many there are."""
        if len(self.streams) >= MOST_STREAMS:
            self._left_out += 1
            return False
        return True

    def _search(self, direction: Direction) -> None:
        """Look for records in ``direction``; of too many that are searched, the longest silent one is dropped."""
        from xenmig.core.sources.interest import Uninterested

        if len(self._searched) >= MOST_SEARCHED:
            found = self._by_direction
            self._searched = [one for one in self._searched if one not in found and _is_searched(one)]
        if len(self._searched) >= MOST_SEARCHED:
            quiet = min(self._searched, key=_last_payload)
            self._searched.remove(quiet)
            quiet.consumer = Uninterested(quiet.consumer.position)
            self._left_out += 1
        self._searched.append(direction)

    def _consumer(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> StreamDecoder | ConversationDecoder | NeedMore | None:
        """Choose what decodes a direction of a connection; see sources/interest.py."""
        from xenmig.core.decode.conversation import ConversationDecoder
        from xenmig.core.sources.interest import NEED_MORE

        kind = recognise(prefix)
        if kind is None:
            return NEED_MORE
        if kind in STREAMS or kind == "xl receiver":
            if not self._room():
                return None
            if kind == "xl receiver":
                conversation = ConversationDecoder()
                self._add(kind, "receiver", conversation, direction)
                return conversation
            decoder = self._decoder(kind)
            self._add(kind, "sender", decoder, direction)
            return decoder
        if kind:
            self._name(connection, direction, kind)
            return None
        if from_start or not self._room():
            return None
        self._search(direction)
        return self._decoder("", joined=True)

    def _name(self, connection: Connection, direction: Direction, kind: str) -> None:
        """Note once for both of its directions what a connection is that cannot be decoded."""
        from xenmig.core.sources.interest import Uninterested

        if any(known is connection for known, _ in self.opaque):
            return
        if len(self.opaque) < MOST_OPAQUE:
            self.opaque.append((connection, kind))
            connection.watched = True
        elif isinstance(direction.peer.consumer, Uninterested):
            # Its other direction has been named before.
            return
        self.opaque_counts[kind] = self.opaque_counts.get(kind, 0) + 1


def _is_searched(direction: Direction) -> bool:
    decoder = direction.consumer
    return isinstance(decoder, StreamDecoder) and decoder.searching and not direction.ended


def _last_payload(direction: Direction) -> int:
    return direction.payload_frame


def what_it_is_instead(first: bytes) -> str:
    """A sentence on an input that is neither a stream nor a capture, from its first bytes."""
    kind = recognise_file(first)
    if kind in ("tls", "ssh"):
        return f"{DESCRIPTIONS[kind]}; {HOW_TO_SEE}"
    if kind:
        return f"neither a migration stream nor a capture: {DESCRIPTIONS[kind]}"
    shown = first[:16].hex(" ")
    return f"neither a migration stream nor a capture: begins with {shown}"
