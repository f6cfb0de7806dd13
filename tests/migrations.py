"""Captures of migrations made to order: streams in segments of any size, with any accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.captures import ACK, FIN, RST, Talk, ethernet, pcap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MSS = 1448
CLOSED = FIN_OF_SENDER, FIN_WITH_DATA, RST_OF_SENDER, RST_OF_RECEIVER = (
    "FIN",
    "FIN with data",
    "RST of the sender",
    "RST of the receiver",
)
"How a connection may end."


def segments(data: bytes, size: int = MSS) -> list[tuple[int, bytes]]:
    """A stream cut into segments: offset and bytes of each."""
    return [(at, data[at : at + size]) for at in range(0, len(data), size)]


def cut_at(data: bytes, *places: int) -> list[tuple[int, bytes]]:
    """A stream cut at these offsets and nowhere else."""
    bounds = [0, *places, len(data)]
    return [(first, data[first:last]) for first, last in zip(bounds, bounds[1:], strict=False) if last > first]


class Migrations:
    """A capture that holds one migration after another, each in a connection of its own."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._port = 40000

    def add(
        self,
        sent: Iterable[tuple[int, bytes]],
        answered: bytes = b"",
        *,
        start: int = 1000,
        handshake: bool = True,
        to: int = 49152,
        closed: str = "",
    ) -> Migrations:
        """A migration whose sender's segments are ``sent``, in that order; the receiver's banner comes first.

        ``closed`` is one of ``CLOSED``, or nothing where the capture ends before the connection does.
        """
        sent = list(sent)
        self._port += 1
        talk = Talk(ports=(self._port, to), start=(start, 9000))
        if handshake:
            talk.open()
        first = talk.client.sequence
        if answered:
            talk.send(talk.server, answered)
        end = max((offset + len(data) for offset, data in sent), default=0)
        for offset, data in sent:
            last = closed == FIN_WITH_DATA and offset + len(data) == end
            talk.at(talk.client, (first + offset) & 0xFFFFFFFF, data, ACK | FIN if last else ACK)
        talk.client.sequence = (first + end) & 0xFFFFFFFF
        if closed == FIN_OF_SENDER:
            talk.send(talk.client, b"", ACK | FIN)
        if closed in (FIN_OF_SENDER, FIN_WITH_DATA):
            talk.client.sequence += 1
            talk.send(talk.server, b"", ACK | FIN)
        elif closed:
            talk.send(talk.client if closed == RST_OF_SENDER else talk.server, b"", RST)
        self.frames += [ethernet(packet) for packet in talk.packets]
        return self

    def write(self, path: Path, change: Callable[[list[bytes]], list[bytes]] | None = None) -> Path:
        """Write the capture to ``path``, which is returned."""
        frames = change(self.frames) if change else self.frames
        path.write_bytes(pcap(frames))
        return path
