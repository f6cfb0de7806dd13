"""Where one pass over memory ends and the next begins."""

from __future__ import annotations

from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.decode.record import PageData


class Batches:
    """Tells for each PAGE_DATA of a stream whether it begins a new pass.

    ``send_dirty_pages`` (xg_sr_save.c) walks the pfns upward in every pass, in batches of 1024 and a smaller one at its
    end. So a pfn that is not above the one before begins a new pass, and so does what follows a batch that is not full.
    """

    __slots__ = ("_highest", "_full")

    def __init__(self) -> None:
        self._highest = -1
        self._full = False

    def would_begin(self, record: PageData) -> bool:
        """Whether ``record``, which may still be passing by, is the first of a pass."""
        pfns = record.pfns
        return not self._full or (pfns.count > 0 and pfns.first <= self._highest)

    def begins(self, record: PageData) -> bool:
        """Whether ``record``, the next one, is the first of a pass."""
        begins = self.would_begin(record)
        pfns = record.pfns
        if pfns.count:
            self._highest = pfns.last
        self._full = record.count >= MAX_BATCH_SIZE
        return begins

    @property
    def open(self) -> bool:
        """Whether the pass may go on: its last batch was full."""
        return self._full

    def end(self) -> None:
        """Other records follow: the pass is over."""
        self._full = False


def available(record: PageData, there: int) -> tuple[int, int]:
    """How many pfns and whole pages there are in the first ``there`` bytes of a record that has not come completely."""
    behind = there - 16
    pages = max(0, behind - 8 * record.listed) // GUEST_PAGE_SIZE
    return min(record.listed, max(0, behind) // 8), min(record.pages, pages)
