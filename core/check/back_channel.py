"""The loop of COLO as its receiver tells it: what the secondary says on the back channel, and in which order.

libxl_colo_restore.c, and libxl_colo_save.c, which waits for each of these and gives up when another comes: SVM_READY,
SVM_RESUMED; then for every further checkpoint SVM_SUSPENDED, CHECKPOINT_DIRTY_PFN_LIST, SVM_READY, SVM_RESUMED.
"""

from __future__ import annotations

from xenmig.core.decode.record import DirtyPfnList
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.libxl import CheckpointStateId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.checker import Report
    from xenmig.core.decode.record import Record

FIRST = CheckpointStateId.SVM_READY
LIST = -1
"Stands for a CHECKPOINT_DIRTY_PFN_LIST among what CHECKPOINT_STATE says."
FOLLOWS = {
    int(CheckpointStateId.SVM_READY): int(CheckpointStateId.SVM_RESUMED),
    int(CheckpointStateId.SVM_RESUMED): int(CheckpointStateId.SVM_SUSPENDED),
    int(CheckpointStateId.SVM_SUSPENDED): LIST,
    LIST: int(CheckpointStateId.SVM_READY),
}
"What the receiver says -> what it says next."


class BackChannel:
    """Follows what one receiver says."""

    __slots__ = ("_report", "_next", "_told")

    def __init__(self, report: Report) -> None:
        self._report = report
        # None while it is not known what comes next.
        self._next: int | None = None
        self._told = False

    def begin(self) -> None:
        """The banner has passed: what follows is there from its beginning."""
        self._next = FIRST

    def gap(self) -> None:
        """Records may have been missed."""
        self._next = None

    def record(self, event: Record) -> None:
        """Take a record of a known type."""
        if isinstance(event, DirtyPfnList):
            found = LIST
            if event.header_end and not self._told:
                # Every list of such a receiver has it.
                self._told = True
                self._report("colo-dirty-list-header", event, 8, 8 + len(event.header_end))
        else:
            body = event.body
            if event.layer != libxl.LAYER or body is None or len(body) < 4:
                return
            found = int.from_bytes(body[:4], "little" if event.byteorder == "<" else "big")
        expected = self._next
        if expected is not None and found != expected:
            self._report("colo-order", event, None, None, said=_text(found), instead=_text(expected))
        self._next = FOLLOWS.get(found)


def _text(said: int) -> str:
    return libxc.CheckpointDirtyPfnList.name if said == LIST else str(CheckpointStateId(said))
