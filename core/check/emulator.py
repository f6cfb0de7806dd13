"""Rules over the device model's records, which need to know what devices the guest has: libxl_stream_write.c."""

from __future__ import annotations

from xenmig.core.definitions import libxl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import GuestState, Telling
    from xenmig.core.decode.record import Record

XENSTORE_DATA, CONTEXT = libxl.EmulatorXenstoreData.record, libxl.EmulatorContext.record
LAST = (libxl.End.record, libxl.CheckpointEnd.record)


class Emulator:
    """What has come of the device model in this checkpoint."""

    __slots__ = ("ids", "_state")

    ids: dict[int, int | None]
    "The emulator that each type of record names; None where that was not seen."

    def __init__(self, state: GuestState) -> None:
        self._state = state
        self.ids = {}

    def record(self, event: Record, telling: Telling) -> None:
        """Take a libxl record."""
        kind, body = event.type, event.body
        if kind in LAST:
            self._complete(telling)
            self.ids = {}
        elif kind in (XENSTORE_DATA, CONTEXT):
            order = "little" if event.byteorder == "<" else "big"
            known = body is not None and len(body) >= 4 and not event.missing
            self.ids[kind] = int.from_bytes((body or b"")[:4], order) if known else None  # type: ignore[arg-type]
            first, second = self.ids.get(XENSTORE_DATA or 0), self.ids.get(CONTEXT or 0)
            if first is not None and second is not None and first != second:
                problem = f"EMULATOR_XENSTORE_DATA is of emulator {first}, EMULATOR_CONTEXT of {second}"
                telling.tell("hvm-emulator-differs", problem, 0, first, second)

    def _complete(self, telling: Telling) -> None:
        state = self._state
        if state.emulated and state.whole and not state.converted and CONTEXT not in self.ids:
            telling.tell("hvm-emulator-missing", "the guest has emulated devices, and there is no EMULATOR_CONTEXT")
