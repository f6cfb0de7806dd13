"""The bodies of one stream, decoded as closely as what came before them allows."""

from __future__ import annotations

from xenmig.core.decode.events import Header
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import bodies, libxc
from xenmig.core.definitions.guest import Guest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.events import Event
    from xenmig.core.definitions.structs import Struct

_NEEDED_LATER = (libxc.X86PvInfo.record, libxc.X86CpuidPolicy.record)


class Bodies:
    """Decodes the bodies of a stream; shows every event to :meth:`take` first, in order."""

    __slots__ = ("guest",)

    guest: Guest
    "What earlier records say that later ones need."

    def __init__(self) -> None:
        self.guest = Guest()

    def take(self, event: Event) -> None:
        """Remember what later bodies need of this event."""
        if isinstance(event, Header):
            if isinstance(event.value, libxc.ImageHeader):
                self.guest = Guest()
            self.guest.take(event.value)
        elif type(event) is Record and event.layer == libxc.LAYER and event.type in _NEEDED_LATER:
            self.decode(event)

    @staticmethod
    def order(record: Record) -> str:
        """The byte order in which the body of a record is read."""
        return bodies.order_of(record.layer, record.type, record.body or b"", record.byteorder)

    def decode(self, record: Record) -> Struct | None:
        """The body of a record; None when nobody defines it, when it was not kept, and for PAGE_DATA."""
        if record.body is None or isinstance(record, PageData):
            return None
        return bodies.decode(record.layer, record.type, record.body, self.guest, record.byteorder)
