"""Consumers that write what passes into files instead of decoding it."""

from __future__ import annotations

import os

from xenmig.core.decode.damage import Resynchronised
from xenmig.core.decode.recognise import STREAMS, recognise
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.interest import NEED_MORE, PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.stream import StreamDecoder
    from xenmig.core.sources.connection import Connection, Direction
    from xenmig.core.sources.interest import NeedMore
    from xenmig.core.sources.packet import Packet

_GATHERED = 1 << 18
"Bytes that are gathered before they are written: segments are small."


class Written:
    """Writes one direction. See :class:`~xenmig.core.decode.consumer.Consumer`.

    The file grows under a temporary name. A stream whose beginning was missed is decoded beside that, to learn whether
    it is one.
    """

    # fmt: off
    __slots__ = (
        "skip", "need", "position", "packet", "events", "direction", "role", "kind", "path", "holes", "missing",
        "from_start", "wanted", "_file", "_temporary", "_gathered", "_decoder",
    )
    # fmt: on

    direction: Direction
    role: str
    '"sender", "receiver", or "other" for what is no part of a migration.'
    kind: str
    'What it begins with; "joined" when the beginning was missed.'
    path: str
    "The file's name in the end; empty while it is not known."
    holes: int
    missing: int
    "Bytes in the holes."
    from_start: bool
    "Whether the first byte of the file is the first that was sent."
    wanted: bool
    "Whether the direction belongs to a migration, or everything is wanted."

    def __init__(
        self, direction: Direction, role: str, kind: str, temporary: str, decoder: StreamDecoder | None, wanted: bool
    ) -> None:
        """Raises OSError when ``temporary`` cannot be made."""
        self.skip = 0
        self.need = 1
        self.position = 0
        self.packet: Packet | None = None
        self.events: list[Event] = []
        self.direction = direction
        self.role = role
        self.kind = kind
        self.path = ""
        self.holes = 0
        self.missing = 0
        self.from_start = direction.from_start
        self.wanted = wanted
        self._temporary = temporary
        self._file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        self._gathered = bytearray()
        self._decoder = decoder

    def feed(self, data: bytes, start: int, end: int) -> None:
        self.position += end - start
        self._gathered += data[start:end]
        if len(self._gathered) >= _GATHERED:
            self._flush()
        decoder = self._decoder
        if decoder is not None:
            decoder.feed(data, start, end)
            self._judge(decoder)

    def passed(self, count: int) -> None:
        raise AssertionError(f"{count} bytes were passed over, and none may be")

    def hole(self, count: int) -> None:
        self.holes += 1
        self.missing += count
        self.position += count
        self._flush()
        os.lseek(self._file, count, os.SEEK_CUR)
        if self._decoder is not None:
            self._decoder.hole(count)
            self._judge(self._decoder)

    def end(self) -> None:
        self._flush()
        if self._decoder is not None:
            self._decoder.end()
            self._judge(self._decoder)

    def keep(self, path: str) -> None:
        """Give the file its name. Raises OSError."""
        self._flush()
        os.ftruncate(self._file, self.position)
        os.close(self._file)
        self._file = -1
        os.replace(self._temporary, path)
        self.path = path

    def discard(self) -> None:
        """Remove the file if it has no name yet."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            os.unlink(self._temporary)

    def _flush(self) -> None:
        view = memoryview(self._gathered)
        done = 0
        while done < len(view):
            done += os.write(self._file, view[done:])
        view.release()
        self._gathered.clear()

    def _judge(self, decoder: StreamDecoder) -> None:
        """Look whether a record was found; one is enough."""
        if any(isinstance(event, Resynchronised) for event in decoder.events):
            self.wanted = True
            self._decoder = None
        decoder.events = []


class Extraction:
    """Chooses what is written and names the files."""

    def __init__(self, folder: str, *, everything: bool, force: bool) -> None:
        """``force`` says that files may be written over."""
        self._folder = folder
        self._everything = everything
        self._force = force
        self._all: list[Written] = []

    def consumer(
        self, connection: Connection, direction: Direction, prefix: bytes, from_start: bool
    ) -> Written | NeedMore | None:
        """A consumer for a direction; see ``sources/interest.py``."""
        del connection
        kind = recognise(prefix)
        if kind is None and len(prefix) < PREFIX:
            return NEED_MORE
        if kind in STREAMS:
            return self._begin(direction, "sender", kind or "", wanted=True)
        if kind == "xl receiver":
            return self._begin(direction, "receiver", kind, wanted=True)
        peer = next((one for one in self._all if one.direction is direction.peer), None)
        if peer is not None and peer.role == "sender" and peer.kind != "joined":
            return self._begin(direction, "receiver", "", wanted=True)
        if not from_start and not kind:
            from xenmig.core.decode.stream import StreamDecoder

            return self._begin(
                direction, "sender", "joined", wanted=self._everything, joined=StreamDecoder(joined=True)
            )
        if self._everything:
            return self._begin(direction, "other", kind or "", wanted=True)
        # What the receiver says may begin before the sender does.
        return None if kind or len(prefix) >= PREFIX else NEED_MORE

    def finish(self) -> list[Written]:
        """Name the files that are wanted. Raises UnreadableInput when one exists, OSError when writing fails."""
        kept = [one for one in self._all if self._is_wanted(one)]
        kept.sort(key=_order)
        paths = [os.path.join(self._folder, _name(one)) for one in kept]
        if not self._force:
            for path in paths:
                if os.path.lexists(path):
                    raise UnreadableInput(path, "exists already; --force writes over it")
        for one, path in zip(kept, paths, strict=True):
            one.keep(path)
        return kept

    def discard(self) -> None:
        """Remove what has no name yet."""
        for one in self._all:
            one.discard()

    def _is_wanted(self, one: Written) -> bool:
        if one.wanted:
            return True
        # The other direction of a connection that was joined in the middle and turned out to hold a migration.
        return any(other.direction is one.direction.peer and other.wanted for other in self._all)

    def _begin(
        self, direction: Direction, role: str, kind: str, *, wanted: bool, joined: StreamDecoder | None = None
    ) -> Written:
        temporary = os.path.join(self._folder, f".xenmig-{os.getpid()}-{len(self._all)}.part")
        one = Written(direction, role, kind, temporary, joined, wanted)
        self._all.append(one)
        return one


def _order(one: Written) -> tuple[int, str]:
    return one.direction.connection.id, {"sender": "0", "receiver": "1"}.get(one.role, "2")


_ENDINGS = {"xl": "xlsave", "libvirt": "libvirtsave", "libxl": "libxl", "libxc": "libxc"}


def _name(one: Written) -> str:
    """A name that sorts by connection and tells the ends: colons are not for every file system."""
    direction = one.direction
    source, destination = (
        f"{end.address.replace(':', '_')}.{end.port}" for end in (direction.source, direction.destination)
    )
    ending = _ENDINGS.get(one.kind, "bin")
    return f"connection-{direction.connection.id}-{one.role}-{source}-{destination}.{ending}"
