"""Memory that comes in passes and checkpoints, whole and with losses: findings are those of `xenmig verify`."""

from __future__ import annotations

from functools import cache
from random import Random
from struct import pack
from typing import TYPE_CHECKING

from tests.guests import Guest
from tests.migrations import Migrations
from tests.test_bodies_memory import PAGE_DATA
from tests.test_bodies_rules import QEMU
from tests.test_wireshark_holes import sent, without_places
from tests.test_wireshark_inside import shown, verified
from tests.tshark import every_tshark
from tests.valid_streams import Pieces, domain_header, image_header, in_libxl, record
from xenmig.core.check.memory import HVM_TYPES
from xenmig.core.decode.pages import TYPE_BYTES_WITHOUT_DATA
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.hvm_params import Index
from xenmig.core.definitions.libxc import PageType
from xenmig.wireshark.rule_facts import SHOWN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

STREAMS = 50
MOST = 24
"Pages of a guest: few, so that each comes more than once."
ONCE = (0x02, 0x11, 0x12, 0x10, 0x03)
"Records in front of memory, which come once."


def page_data(words: list[int], order: str = "<") -> bytes:
    """A PAGE_DATA of pages of zeros."""
    pages = sum((word >> 60) << 4 not in TYPE_BYTES_WITHOUT_DATA for word in words)
    return record(PAGE_DATA, pack(f"{order}II{len(words)}Q", len(words), 0, *words) + bytes(4096 * pages))


class Sent:
    """A guest, and what its sender does."""

    def __init__(self, source: Random) -> None:
        self.source = source
        self.guest = Guest(hvm=source.random() < 0.5, release=source.choice([(4, 17), (4, 17), (4, 6), (0, 1)]))
        self.pages = source.randint(8, MOST)
        usual = [0, 0, 0, 0, PageType.XTAB]
        kinds = sorted(HVM_TYPES - {0xE}) if self.guest.hvm else sorted(PageType.known)
        self.kinds = [*usual, *kinds] if source.random() < 0.5 else usual
        self._describe()

    def _describe(self) -> None:
        """Let records name pages that come, and now and then some that do not."""
        source, guest = self.source, self.guest
        guest.params = [(int(index), self._pfn()) for index in (Index.STORE_PFN, Index.CONSOLE_PFN)]
        if source.random() < 0.3:
            guest.params.append((int(Index.VIRIDIAN), 1))
        guest.p2m = (0, self.pages - 1, [self._pfn(), self._pfn()])

    def _pfn(self) -> int:
        return self.source.choice((5, 6, 7, 8, 9, self.source.randint(0, self.pages)))

    def first_pass(self) -> list[bytes]:
        """Every pfn in a row, most times."""
        source, batches, pfn = self.source, [], 0
        while pfn < self.pages:
            size = min(source.randint(1, 12), self.pages - pfn)
            kinds = self.kinds if source.random() < 0.7 else [source.choice(self.kinds)]
            batches.append([at | source.choice(kinds) << 60 for at in range(pfn, pfn + size)])
            pfn += size + source.choice([0] * 40 + [1])
        if source.random() < 0.1:
            source.shuffle(batches)
        return [page_data(batch) for batch in batches]

    def later_passes(self) -> list[bytes]:
        """Some of the pages again, now and then one that lies behind them."""
        source, batches = self.source, []
        for _ in range(source.randint(0, 4)):
            pfns = sorted(source.sample(range(self.pages + source.choice([0] * 9 + [2])), source.randint(1, 6)))
            if source.random() < 0.1:
                pfns += pfns[:2]
            batches.append(page_data([pfn | source.choice(self.kinds) << 60 for pfn in pfns]))
        return batches

    def state(self) -> list[bytes]:
        """What follows memory, in another order at times, and not always all of it."""
        source = self.source
        records = [one for one in self.guest.records()[:-1] if one[0] not in ONCE]
        if source.random() < 0.2:
            source.shuffle(records)
        if source.random() < 0.2:
            records.pop(source.randrange(len(records)))
        return [record(*one) for one in records]

    def stream(self) -> bytes:
        """The whole stream, with checkpoints or none."""
        hvm, source = self.guest.hvm, self.source
        pieces = [image_header(), domain_header(2 if hvm else 1, self.guest.release)]
        pieces += [record(*one) for one in self.guest.records() if one[0] in ONCE]
        pieces += self.first_pass() + self.later_passes()
        emulator = [record(libxl.EmulatorContext.record or 0, QEMU)] if hvm else []
        for _ in range(source.choice((0, 0, 1, 2, 5))):
            pieces += [*self.state(), record(libxc.Checkpoint.record or 0), *emulator]
            pieces += [record(libxl.CheckpointEnd.record or 0), *self.later_passes()]
            if source.random() < 0.3:
                self._describe()
        pieces += [*self.state(), record(libxc.End.record or 0), *emulator]
        return bytes(in_libxl(Pieces(*[("", piece) for piece in pieces]), emulator=False))


def holes(data: bytes, source: Random) -> list[tuple[int, int]]:
    """Where bytes are missing in some streams."""
    found = []
    for _ in range(source.choice((0, 0, 0, 0, 1, 2))):
        begin = source.randrange(100, len(data))
        found.append((begin, min(begin + source.choice((1, 20, 3000, 9000)), len(data) - 1)))
    return sorted(found)


@cache
def captured() -> Migrations:
    """So many guests, one connection each."""
    capture, source = Migrations(), Random(11)
    for _ in range(STREAMS):
        data = Sent(source).stream()
        capture.add(sent(data, holes(data, source)))
    return capture


@every_tshark
def test_findings_about_memory_in_passes_are_those_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    path = captured().write(tmp_path / "memory.pcap")
    expected = without_places(verified(path, SHOWN))
    assert without_places(shown(path, SHOWN, tshark)) == expected
    told = {one[0] for found in expected.values() for one in found}
    assert told >= {"hvm-param-page", "hvm-context-viridian", "memory-gap", "pv-page-missing", "pv-page-type"}
