"""From a path to the events of every stream in it: the one door for the command, Scapy and whoever imports xenmig."""

from __future__ import annotations

from xenmig.core.decode.recognise import DESCRIPTIONS, LONGEST, STREAMS, recognise, recognise_file
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

HOW_TO_SEE = (
    "capture the migration in the clear instead: xl migrate -s '' with a command that connects to the other host, or "
    "libvirt's tcp transport (README, section on capturing)"
)

CLEAR_WHEN_JOINED = ("tls", "ssh", "libvirt rpc", "xapi http")


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
    "Connections that are named and not decoded, with what they are: a key of ``recognise.DESCRIPTIONS``."
    capture: Capture | None

    def __init__(self, path: str, start: str = "", *, runs: bool = False) -> None:
        """Open ``path`` ("-" is standard input); ``start`` names the outermost layer where it must not be guessed.

        ``runs`` asks for a :class:`~xenmig.core.decode.events.RecordRun` where many records are of one kind.
        """
        self._runs = runs
        self.input: Input = open_input(path)
        self.name = self.input.name
        self.size = self.input.size
        self.streams = []
        self.opaque = []
        self.capture = None
        self.kind = "stream"
        self._joined: dict[int, Stream] = {}
        self._start = start
        if start:
            return
        first = self.input.peek(LONGEST)
        kind = recognise(first)
        if kind in STREAMS:
            self._start = kind or ""
            return
        from xenmig.core.sources.capture import Capture, is_capture

        if is_capture(first):
            self.kind = "capture"
            self.capture = Capture(self.input, self._consumer)
        elif kind == "xl receiver":
            self._start = kind
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
        notice = getattr(self.input, "notice", None)
        if notice:
            notices.append(notice)
        return notices

    def close(self) -> None:
        """Give back the descriptor."""
        self.input.close()

    def _single(self) -> Stream:
        if self._start == "xl receiver":
            from xenmig.core.decode.conversation import ConversationDecoder

            return Stream(1, self._start, "receiver", ConversationDecoder())
        return Stream(1, self._start, "sender", StreamDecoder(self._start, runs=self._runs))

    def _capture_events(self, capture: Capture) -> Iterator[tuple[Stream, list[Event]]]:
        from xenmig.core.decode.events import Resynchronised

        by_direction: dict[Direction, Stream] = {}
        for direction, events in capture:
            stream = by_direction.get(direction)
            if stream is None:
                stream = self._joined.get(id(direction)) or self._stream_of(direction)
                if stream.kind == "joined" and not stream.number:
                    # Any traffic may be joined in the middle; it is a migration only when a record turns up in it.
                    if not any(type(event) is Resynchronised for event in events):
                        continue
                    stream.number = len(self.streams) + 1
                    self.streams.append(stream)
                by_direction[direction] = stream
            yield stream, events

    def _stream_of(self, direction: Direction) -> Stream:
        for stream in self.streams:
            if stream.direction is direction:
                return stream
        raise AssertionError("events of a direction without a stream")

    def _consumer(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> StreamDecoder | ConversationDecoder | NeedMore | None:
        """Choose what decodes a direction of a connection; see sources/interest.py."""
        from xenmig.core.decode.conversation import ConversationDecoder
        from xenmig.core.sources.interest import NEED_MORE

        kind = recognise(prefix)
        if kind is None:
            return NEED_MORE
        decoder: StreamDecoder | ConversationDecoder
        if kind in STREAMS:
            decoder = StreamDecoder(kind, runs=self._runs)
            role = "sender"
        elif kind == "xl receiver":
            decoder = ConversationDecoder()
            role = "receiver"
        elif kind:
            if all(known is not connection for known, _ in self.opaque):
                self.opaque.append((connection, kind))
            return None
        elif from_start:
            return None
        else:
            decoder = StreamDecoder(joined=True, runs=self._runs)
            self._joined[id(direction)] = Stream(0, "joined", "sender", decoder, connection, direction)
            return decoder
        self.streams.append(Stream(len(self.streams) + 1, kind, role, decoder, connection, direction))
        return decoder


def what_it_is_instead(first: bytes) -> str:
    """A sentence on an input that is neither a stream nor a capture, from its first bytes."""
    kind = recognise_file(first)
    if kind in ("tls", "ssh"):
        return f"{DESCRIPTIONS[kind]}; {HOW_TO_SEE}"
    if kind:
        return f"neither a migration stream nor a capture: {DESCRIPTIONS[kind]}"
    shown = first[:16].hex(" ")
    return f"neither a migration stream nor a capture: begins with {shown}"
