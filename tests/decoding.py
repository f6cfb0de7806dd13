"""Running a decoder over bytes in every way that a source may, and looking at what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xenmig.core.decode.conversation import ConversationDecoder
from xenmig.core.decode.events import Header, Message
from xenmig.core.decode.pages import PfnArray
from xenmig.core.decode.record import Record
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.definitions.structs import Struct
from xenmig.core.sources.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from tests.streams import Piece
    from xenmig.core.decode.events import Event

Decoder = StreamDecoder | ConversationDecoder
PACKET = 100
"Bytes in each of the packets that ``deliver`` pretends."


def deliver(
    decoder: Decoder,
    data: bytes,
    *,
    holes: Sequence[tuple[int, int]] = (),
    random: Random | None = None,
    step: int = 0,
    packets: bool = False,
) -> list[Event]:
    """All events of ``data``, delivered whole, in pieces of ``step`` bytes, or at random in pieces and passed over.

    ``holes`` are ranges (start, end) that are missing; with ``packets`` every 100 bytes are a packet.
    """
    events: list[Event] = []
    at = 0
    ranges = [*holes, (len(data), len(data))]
    for start, end in ranges:
        while at < start:
            count = start - at
            if packets:
                count = min(count, PACKET - at % PACKET)
                decoder.packet = Packet(at // PACKET + 1, 0)
            if random is not None:
                count = min(count, random.choice([1, 2, 3, 7, 8, 16, 100, 1000, 5000, 1 << 20]))
            elif step:
                count = min(count, step)
            if random is not None and decoder.skip and random.random() < 0.5:
                count = min(count, decoder.skip)
                decoder.passed(count)
            else:
                before = random.randrange(3) if random is not None else 0
                decoder.feed(b"?" * before + data[at : at + count] + b"!", before, before + count)
            at += count
            assert decoder.position == at
            assert decoder.skip >= 0
            assert len(decoder._held) < decoder.need or not decoder._held
            events += decoder.events
            decoder.events = []
        if end > start:
            decoder.packet = Packet(end // PACKET + 1, 0) if packets else None
            decoder.hole(end - start)
            at = end
    decoder.end()
    return events + decoder.events


def decoded(data: bytes, start: str = "", *, joined: bool = False, **how: Any) -> list[Event]:
    """All events of a stream."""
    return deliver(StreamDecoder(start, joined=joined), data, **how)


def listened(data: bytes, *, joined: bool = False, **how: Any) -> list[Event]:
    """All events of what a receiver says."""
    return deliver(ConversationDecoder(joined=joined), data, **how)


def keys(events: Iterable[Event]) -> list[tuple[str, str, int, int]]:
    """Headers, records and messages as ``Piece.key`` has them."""
    found: list[tuple[str, str, int, int]] = []
    for event in events:
        if isinstance(event, Header):
            found.append(("header", event.layer, -1, event.offset))
        elif isinstance(event, Record):
            found.append(("record", event.layer, event.type, event.offset))
        elif isinstance(event, Message):
            found.append((event.name, "xl", -1, event.offset))
    return found


def wanted(pieces: Iterable[Piece]) -> list[tuple[str, str, int, int]]:
    return [piece.key for piece in pieces]


def others(events: Iterable[Event]) -> list[Event]:
    """The events that ``keys`` does not show."""
    return [event for event in events if not isinstance(event, (Header, Record, Message))]


def only(events: Iterable[Event], kind: type[Any]) -> Any:
    """The only event of a kind."""
    found = [event for event in events if type(event) is kind]
    assert len(found) == 1, f"{len(found)} events of kind {kind.__name__}"
    return found[0]


def described(value: Any) -> Any:
    """Everything that an event says, as plain data that can be compared."""
    if isinstance(value, Packet):
        return value.frame
    if isinstance(value, Struct):
        return repr(value), repr(value.problems)
    if isinstance(value, (list, tuple)):
        return [described(one) for one in value]
    if isinstance(value, PfnArray):
        return value.count, value.with_data, value.first, value.last, value.words, value.bad_count, described(value.bad)
    names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    if names and not isinstance(value, (str, bytes, int)):
        return type(value).__name__, [(name, described(getattr(value, name))) for name in names]
    return value
