"""Chains of typed entries: walking them, and finding the next entry after one whose length is broken.

Each entry is a descriptor (its type first, the ``length`` of its data among the rest) and that data. Nothing but the
length says where the next entry begins, so one wrong length would lose everything behind it. What the definitions know
about the lengths of each type tells a descriptor from other bytes, and the walk goes on at the next one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.definitions.fields import Field
    from xenmig.core.definitions.structs import Struct

ENTRIES_MAX = 16384
"Entries that are decoded of one chain; a guest with 128 vcpus, the most that Xen allows, has fewer than 1500."


class Walk:
    """The shape of a chain: where its entries begin and end, without their contents."""

    __slots__ = ("entries", "data", "end", "size", "_unpack", "_length_at", "_lost")

    def __init__(self, field: Field, data: bytes, byteorder: str, end: int) -> None:
        """Look at the chain ``field`` in ``data``, which ends at ``end``."""
        descriptor = field.of
        assert isinstance(descriptor, type)
        assert descriptor.size
        self.entries = field.entries
        self.data = data
        self.end = end
        self.size = descriptor.size
        self._unpack = descriptor.layout(byteorder).unpack_from
        self._length_at = [one.name for one in descriptor.fields].index("length")
        self._lost = False

    def next(self, position: int) -> tuple[int, int, bool]:
        """Where the data of the entry at ``position`` ends, where the next entry begins, and whether it was looked for.

        The two positions are the same unless bytes in between belong to no entry.
        """
        data_at = position + self.size
        kind, length = self._head(position)
        announced = data_at + length
        fits = self._fits(kind, length)
        leads_on = self._leads_on(announced) if kind else announced == self.end
        if not (self._lost or (fits and leads_on)):
            for other in self._lengths(kind):
                if self._plausible(data_at + other):
                    return data_at + other, data_at + other, True
        believed = self._lost or leads_on or (kind != 0 and fits and self._begins(announced))
        if not believed:
            found = self._search(data_at)
            if found is not None:
                return min(announced, found), found, True
            # A later search would go over the same bytes and find nothing again.
            self._lost = True
        stop = min(announced, self.end)
        return stop, stop, False

    def _head(self, position: int) -> tuple[int, int]:
        values = self._unpack(self.data, position)
        return values[0], values[self._length_at]

    def _fits(self, kind: int, length: int) -> bool:
        """Whether an entry of that type may have that length."""
        known = self.entries.get(kind)
        return known is not None and known.accepts(length)

    def _plausible(self, position: int) -> bool:
        """Whether a descriptor of a known type with a known length, or the end of the chain, stands there."""
        if position + self.size > self.end:
            return False
        if position + self.size == self.end:
            return not any(self.data[position : self.end])
        kind, length = self._head(position)
        return kind != 0 and self._fits(kind, length) and position + self.size + length <= self.end

    def _leads_on(self, position: int) -> bool:
        """Whether the walk goes on there beyond doubt."""
        # A chain may end without its last entry; that is said elsewhere.
        if position == self.end or self._plausible(position):
            return True
        if position + self.size > self.end:
            return False
        # Types that nobody knows, and lengths that nobody knows, are believed where they lead to something known.
        following, length = self._head(position)
        return following != 0 and self._plausible(position + self.size + length)

    def _begins(self, position: int) -> bool:
        """Whether an entry of a known type seems to begin there, broken as it may be."""
        if position + self.size > self.end:
            return position < self.end
        kind, length = self._head(position)
        return kind in self.entries and (kind != 0 or length == 0)

    def _lengths(self, kind: int) -> list[int]:
        """The lengths that entries of that type are known to have; the shortest first, which loses nothing."""
        known = self.entries.get(kind)
        if known is None or not kind:
            return []
        return sorted({*known.lengths, *known.layouts, *([known.size] if known.size else [])})

    def _search(self, position: int) -> int | None:
        """The next place from ``position`` on where one plausible entry follows another.

        The end of the chain is no such place: it looks like any zeros.
        """
        for candidate in range(position, self.end - self.size):
            if self._plausible(candidate):
                after = candidate + self.size + self._head(candidate)[1]
                if after == self.end or self._plausible(after):
                    return candidate
        return None


def accepts(cls: type[Struct], length: int) -> bool:
    """Whether data of ``length`` bytes may be a ``cls``: see :meth:`Struct.accepts`."""
    if cls.lengths:
        return length in cls.lengths
    if cls.size is not None:
        return length == cls.size
    fixed, item = 0, 1
    for field in cls.fields:
        if field.size is not None and field.when is None:
            fixed += field.size
        elif field.kind == "array" and field.of is not None:
            item = field.of.size or 1
            fixed += field.minimum * item
    return length >= fixed and (length - fixed) % item == 0
