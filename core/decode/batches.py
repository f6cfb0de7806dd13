"""Reading full batches of a walk over memory at once: most of the file of a large guest consists of them.

Nothing in such a batch is a surprise but the types of its pages. So its head, the array included, is made ready, and
what stands in the file is compared with it as a whole, which takes less than looking at it. What is not as expected is
left to the decoder, which looks.
"""

from __future__ import annotations

from struct import Struct as Layout

from xenmig.core.decode.pages import PFN_MASK, TYPE_BYTES_WITH_DATA, TYPE_BYTES_WITHOUT_DATA
from xenmig.core.decode.pfn_rows import RowAhead
from xenmig.core.decode.record import BatchRun
from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.libxc import MAX_BATCH_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 128
"Batches in a run, of each of which the types are kept: 1 KiB."

RECORD_HEADER = libxc.RecordHeader.size or 0
LENGTH_AT = libxc.RecordHeader.field("length").offset or 0
LENGTH = Layout("<I").pack
ARRAY_AT = RECORD_HEADER + (libxc.PageData.field("pfns").offset or 0)
FULL = ARRAY_AT - RECORD_HEADER + MAX_BATCH_SIZE * ((libxc.PFN_WORD.size or 0) + GUEST_PAGE_SIZE)
"Length of a full batch in which each pfn has a page."
HEAD = Layout("<IIII").pack(libxc.PageData.record or 0, FULL, MAX_BATCH_SIZE, 0)
"What stands in front of the array of such a batch: type, length, count and the reserved word."
LENGTH_HERE = slice(LENGTH_AT, RECORD_HEADER)
TYPES_HERE = slice(ARRAY_AT + 7, None, 8)
"Where the bytes with the types are."


def batches_at(
    offset: int, end: int, read_into: Callable[[bytearray, int], int], index: int, first: int
) -> BatchRun | None:
    """The full batches in a row from ``offset`` on, little endian; None where there are none.

    The first of them would be record ``index`` and begin with pfn ``first``, a multiple of ``MAX_BATCH_SIZE``; the
    last one's pages lie before ``end``. :class:`~xenmig.core.sources.consumer.Walker` says what ``read_into`` does.
    """
    row = RowAhead(first, HEAD)
    expected = row.words
    # Into the same memory again and again: new memory for each batch would take a tenth more time.
    there = bytearray(len(expected))
    size = len(there)
    column, length = there[TYPES_HERE], FULL
    run = BatchRun(index, offset, first)
    at = offset
    highest = min(first + MOST * MAX_BATCH_SIZE, PFN_MASK + 1)
    for after in range(first + MAX_BATCH_SIZE, highest + 1, MAX_BATCH_SIZE):
        if read_into(there, at) != size:
            break
        if there != expected:
            # Its types may be others than those of the batch before, and with them its length.
            column = there[TYPES_HERE]
            without = column.translate(None, TYPE_BYTES_WITH_DATA)
            length = FULL - len(without) * GUEST_PAGE_SIZE
            expected[LENGTH_HERE] = LENGTH(length)
            expected[TYPES_HERE] = column
            if there != expected or without.translate(None, TYPE_BYTES_WITHOUT_DATA):
                break
            run.distinct.append(column)
        at += RECORD_HEADER + length
        if at > end:
            break
        run.columns.append(column)
        run.end = at
        row.move(after)
    return run if run.columns else None
