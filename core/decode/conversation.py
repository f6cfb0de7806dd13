"""The receiver's side of ``xl migrate``: texts, a status byte, and for COLO the records of the back channel."""

from __future__ import annotations

from xenmig.core.decode.damage import Hole, Truncated, Unrecognised
from xenmig.core.decode.events import Message
from xenmig.core.decode.push import SHOWN_BYTES, PushDecoder
from xenmig.core.decode.record import DirtyPfnList, Record
from xenmig.core.definitions import libxc, libxl, xl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.consumer import Consumer

NOISE = 4096
"Bytes that are searched for the next text when something else stands where one must stand: a greeting, or an error."
KEPT_LIST = 4 << 20
"A list of dirty pfns up to this many bytes is handed over."

_TEXTS = (xl.BANNER, xl.READY, xl.REPORT, xl.GIVEN_BACK)
_LONGEST = max(len(text.data) for text in _TEXTS)
_HEAD = libxl.RecordHeader.layout("<").unpack_from
_STATE = libxl.CheckpointState.record
_LIST = libxc.CheckpointDirtyPfnList.record
_RECORD_STARTS = tuple(kind.to_bytes(4, "little") for kind in (_STATE or 0, _LIST or 0))
_STATE_HEADER = _RECORD_STARTS[0] + (libxl.CheckpointState.size or 0).to_bytes(4, "little")
_STATE_SIZE = 16
_LONG_HEADER = 8
"Zeros between header and pfns of a list that Xen 4.18 or later writes."


class ConversationDecoder(PushDecoder):
    """Decodes what the receiver says. See :class:`~xenmig.core.sources.consumer.Consumer`.

    The conversation has no frame that says how long it goes on: with Remus nothing follows the banner, and a receiver
    that fails says nothing more. An end of input between two messages is therefore a clean end.
    """

    def __init__(self, *, joined: bool = False) -> None:
        """``joined`` says that the beginning was missed: records may then come without the banner in front of them."""
        super().__init__()
        self.index = 0
        "Number of the next record."
        self.need = len(xl.BANNER.data)
        self._begun = joined
        self._reported = False
        self._state = self._listen
        # A list that is too large to keep, while it passes by.
        self._pending: DirtyPfnList | None = None

    def hole(self, count: int) -> None:
        """``count`` bytes are missing: what is being said there is lost, what follows is listened to."""
        self._flush()
        pending = self._pending
        offset = self.position
        self.position += count
        self._drop_held()
        if pending is not None and count <= self.skip:
            self.events.append(Hole(offset, count, pending.index, self.packet))
            pending.missing += count
            self.skip -= count
            return
        self.events.append(Hole(offset, count, None, self.packet))
        if self._state == self._ignore:
            return
        if pending is not None:
            pending.missing += self.skip
            pending.last = self.packet
            self.events.append(pending)
            self.index += 1
            self._pending = None
        self.skip = 0
        # Whatever is missing, the banner may have been in it.
        self._begun = True
        self._state, self.need = self._listen, 1

    def end(self) -> None:
        """No more bytes will come: say what is unfinished."""
        self._flush()
        pending = self._pending
        if pending is not None and self.skip:
            available = self.position - pending.offset
            self.events.append(
                Truncated(
                    "libxc", pending.offset, libxc.CheckpointDirtyPfnList.name, available, self.skip, pending,
                    pending.first, self.packet,
                )
            )  # fmt: skip
        elif self._state == self._status:
            self.events.append(Truncated("xl", self.position, "status", 0, 1, None, None, self.packet))
        elif self._held:
            layer, what, size = self._unfinished(bytes(self._held))
            start, there = self._start_of_held(), len(self._held)
            first = self._packet_at(start)
            self.events.append(Truncated(layer, start, what, there, size - there, None, first, self.packet))

    def _unfinished(self, held: bytes) -> tuple[str, str, int]:
        """What begins with the bytes held: its layer, its name and its size."""
        if held.startswith(_RECORD_STARTS):
            if len(held) < 8:
                return "libxl" if held.startswith(_RECORD_STARTS[0]) else "libxc", "record header", 8
            kind, length = _HEAD(held, 0)
            if kind == _STATE:
                return "libxl", libxl.CheckpointState.name, _STATE_SIZE
            extra = _LONG_HEADER if len(held) > 8 + length else 0
            return "libxc", libxc.CheckpointDirtyPfnList.name, 8 + extra + length
        # Two texts begin with the same word; one of them comes after the status only.
        for text in reversed(_TEXTS) if self._reported else _TEXTS:
            if text.data.startswith(held):
                return "xl", text.name, len(text.data)
        return "libxl", "record header", 8

    # -- states ---------------------------------------------------------------------------------------------------

    def _listen(self, buffer: bytes, at: int, end: int) -> int:
        """A text or a record, whichever stands here."""
        here = bytes(buffer[at : min(end, at + _LONGEST)])
        for text in _TEXTS:
            size = len(text.data)
            if here.startswith(text.data):
                self._message(text.name, at, size)
                self._begun = True
                self._state, self.need = (self._status if text is xl.REPORT else self._listen), 1
                return at + size
            if text.data.startswith(here):
                self.need = size
                return at
        if self._begun:
            if here.startswith(_RECORD_STARTS):
                return self._record(buffer, at, end)
            if any(start.startswith(here) for start in _RECORD_STARTS):
                self.need = 8
                return at
        self._state = self._noise
        return at

    def _status(self, buffer: bytes, at: int, _end: int) -> int:
        self._message("status", at, 1, buffer[at])
        self._reported = True
        self._state, self.need = self._listen, 1
        return at + 1

    def _message(self, name: str, at: int, size: int, status: int | None = None) -> None:
        offset = self._base + at
        first, last = self._packet_at(offset), self._packet_at(offset + size - 1)
        self.events.append(Message(name, offset, size, status, first, last))

    def _noise(self, buffer: bytes, at: int, end: int) -> int:
        """Something else stands here: go on with the next text if it is not far."""
        wanted = NOISE + _LONGEST
        if end - at < wanted and not self._final:
            places = [buffer.find(text.data, at, end) for text in _TEXTS]
            if max(places) < 0:
                self.need = wanted
                return at
        limit = min(end, at + wanted)
        found = [place for place in (buffer.find(text.data, at, limit) for text in _TEXTS) if place >= 0]
        after = min(found) if found else end
        offset = self._base + at
        shown = bytes(buffer[at : min(after, at + SHOWN_BYTES)])
        self.events.append(Unrecognised("message", "xl", offset, shown, self._packet_at(offset)))
        self._state, self.need = (self._listen if found else self._ignore), 1
        return after

    # -- the back channel of COLO ---------------------------------------------------------------------------------

    def _record(self, buffer: bytes, at: int, end: int) -> int:
        if end - at < 8:
            self.need = 8
            return at
        kind, length = _HEAD(buffer, at)
        if kind == _STATE and length == libxl.CheckpointState.size:
            if end - at < _STATE_SIZE:
                self.need = _STATE_SIZE
                return at
            offset = self._base + at
            body, padding = bytes(buffer[at + 8 : at + 12]), bytes(buffer[at + 12 : at + 16])
            first, last = self._packet_at(offset), self._packet_at(offset + _STATE_SIZE - 1)
            self.events.append(Record(self.index, "libxl", kind, offset, length, body, padding, "<", 0, first, last))
            self.index += 1
            return at + _STATE_SIZE
        if kind == _LIST and length <= libxc.REC_LENGTH_MAX and not length % 8:
            return self._dirty_list(buffer, at, end, length)
        self._state = self._noise
        return at

    def _dirty_list(self, buffer: bytes, at: int, end: int, length: int) -> int:
        """A list of dirty pfns, behind a header of 8 bytes or of 16.

        xg_sr_restore.c, send_checkpoint_dirty_pfn_list: since Xen 4.18 the header is written with a pointer behind it,
        which is NULL. The length is the same, so what follows decides: a CHECKPOINT_STATE does.
        """
        if length > KEPT_LIST:
            offset = self._base + at
            first = self._packet_at(offset)
            self._pending = DirtyPfnList(self.index, offset, length, None, b"", 0, first, None)
            self.skip = length
            self._state, self.need = self._list_end, _LONG_HEADER + len(_STATE_HEADER)
            return at + 8
        extra = b""
        body_at = at + 8
        looked_at = body_at + length + _LONG_HEADER + len(_STATE_HEADER)
        # A first pfn that is not 0 is no NULL pointer.
        if buffer[body_at : body_at + 8].strip(b"\0") == b"":
            plain = buffer[body_at + length : body_at + length + len(_STATE_HEADER)]
            if end < looked_at and not self._final and plain != _STATE_HEADER:
                self.need = looked_at - at
                return at
            extra = self._extra(buffer, body_at, length, end)
        body_end = body_at + len(extra) + length
        if body_end > end:
            self.need = body_end - at
            return at
        offset = self._base + at
        body = bytes(buffer[body_at + len(extra) : body_end])
        first, last = self._packet_at(offset), self._packet_at(self._base + body_end - 1)
        self.events.append(DirtyPfnList(self.index, offset, length, body, extra, 0, first, last))
        self.index += 1
        return body_end

    @staticmethod
    def _extra(buffer: bytes, body_at: int, length: int, end: int) -> bytes:
        """The bytes behind a header that belong to it, as what follows the list says."""
        shortest = body_at + length
        longest = shortest + _LONG_HEADER
        zeros = bytes(buffer[body_at : body_at + _LONG_HEADER])
        if buffer.startswith(_STATE_HEADER, shortest) or len(zeros) < _LONG_HEADER:
            return b""
        follows = bytes(buffer[longest : longest + len(_STATE_HEADER)])
        # At the end of input the rest of the header must do, and nothing at all if the list ends right there.
        return zeros if longest <= end and _STATE_HEADER.startswith(follows) else b""

    def _list_end(self, buffer: bytes, at: int, end: int) -> int:
        """What follows a list that was too large to keep: eight bytes of it when its header was the longer one."""
        pending = self._pending
        assert pending is not None
        wanted = _LONG_HEADER + len(_STATE_HEADER)
        plain = buffer.startswith(_STATE_HEADER, at)
        if end - at < wanted and not plain and not self._final:
            self.need = wanted
            return at
        long = (
            not plain
            and end - at >= _LONG_HEADER
            and _STATE_HEADER.startswith(bytes(buffer[at + _LONG_HEADER : min(end, at + wanted)]))
        )
        pending.header_end = bytes(_LONG_HEADER) if long else b""
        pending.last = self._packet_at(self._base + at - 1)
        self._pending = None
        self.events.append(pending)
        self.index += 1
        self._state, self.need = self._listen, 1
        return at + _LONG_HEADER if long else at


if TYPE_CHECKING:
    _: type[Consumer] = ConversationDecoder
