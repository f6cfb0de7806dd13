"""Rules over which guest memory comes, and in which order."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests.guests import Guest
from xenmig.core.check.checker import Checker
from xenmig.core.decode.record import PageData, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.check.finding import Finding
    from xenmig.core.decode.events import Event

    Change = Callable[[Guest], object]

PAGE_DATA = 1


def batch(*words: int) -> bytes:
    """The array of a PAGE_DATA."""
    return pack(f"<{len(words)}Q", *words)


def memory(*batches: bytes) -> Change:
    """What comes of the guest's memory."""
    return lambda guest: setattr(guest, "batches", list(batches))


FULL = batch(*range(1024))
PV_FULL = batch(*(pfn | (0xC << 60 if pfn in (7, 8) else 0) for pfn in range(1024)))
MEMORY: list[tuple[str, bool, Change]] = [
    ("page-data-batch", True, memory(batch(*range(1025)))),
    ("page-data-order", True, memory(FULL, batch(7, 5))),
    ("page-data-order", True, memory(FULL, batch(7, 7))),
    ("page-data-pfn-range", False, memory(PV_FULL, batch(20, 1024))),
    ("page-data-type-guest", True, memory(batch(0, 1 | 1 << 60, *range(2, 1024)))),
    ("page-data-xalloc", True, memory(batch(0, 1 | 0xE << 60, *range(2, 1024)))),
    ("page-data-xalloc", False, memory(PV_FULL[:8] + batch(1 | 0xE << 60) + PV_FULL[16:])),
    ("page-data-level", False, lambda guest: guest.__dict__.update(width=4, batches=[batch(4 << 60, *range(1, 1024))])),
    ("memory-gap", True, memory(batch(*range(1, 1024)))),
    ("memory-gap", True, memory(FULL, batch(1025))),
    ("memory-gap", True, memory(batch(*range(512), *range(513, 1024)))),
    ("memory-gap", False, memory(PV_FULL[:-8])),
]


@pytest.mark.parametrize(
    ("rule", "hvm", "change"), MEMORY, ids=[f"{number}-{one[0]}" for number, one in enumerate(MEMORY)]
)
def test_one_change_to_memory_breaks_one_rule(rule: str, hvm: bool, change: Change) -> None:
    guest = Guest(hvm=hvm)
    change(guest)
    found = guest.found()
    # The rest of this guest is laid out for 64 bits.
    other = {"body-length", "pv-shared-info-max-pfn", "pv-pinned-root"}
    consequences = other if guest.width == 4 else set()
    assert set(found) - consequences == {rule}, found


@pytest.mark.parametrize(
    ("hvm", "batches"),
    [
        (True, [FULL, batch(3, 5, 900), batch(2)]),
        (True, [batch(*(pfn | 0xF << 60 for pfn in range(1024))), batch(*range(1024, 1100)), batch(0x3FC)]),
        (True, [batch(*range(1023), 1023 | 0xD << 60)]),
        (False, [PV_FULL, batch(7 | 0xB << 60, 20 | 0xF << 60), batch(7 | 4 << 60)]),
    ],
)
def test_memory_that_real_senders_write_is_let_pass(hvm: bool, batches: list[bytes]) -> None:
    guest = Guest(hvm=hvm)
    guest.batches = batches
    assert guest.found() == {}


def test_memory_of_a_converted_stream_may_come_in_any_order() -> None:
    guest = Guest(hvm=True, release=(0, 1))
    guest.batches = [batch(9, 3 | 0xE << 60)]
    assert guest.found() == {}


def checked(events: list[Event]) -> list[Finding]:
    checker = Checker("libxc")
    checker.take(events)
    return checker.findings


def test_pages_that_a_capture_lacks_have_come_all_the_same() -> None:
    guest = Guest(hvm=True)
    guest.batches = [FULL, batch(7, 5)]
    events = guest.events()
    for event in events:
        if isinstance(event, PageData):
            event.missing = 4096
    assert [finding.rule for finding in checked(events)] == ["page-data-order"]


def test_an_array_that_is_not_all_there_breaks_no_rule() -> None:
    guest = Guest(hvm=True)
    guest.batches = [batch(7, 5)]
    events = guest.events()
    for event in events:
        if isinstance(event, PageData):
            event.count, event.missing = 3, 4096
    assert not checked(events)


def test_memory_goes_on_somewhere_behind_a_batch_whose_pfns_were_not_seen() -> None:
    guest = Guest(hvm=True)
    guest.batches = [FULL, batch(*range(2048, 2060))]
    events = guest.events()
    assert [finding.rule for finding in checked(events)] == ["memory-gap"]
    second = [place for place, event in enumerate(events) if isinstance(event, PageData)][1]
    cut = Record(4, "libxc", PAGE_DATA, events[second].offset - 64, 48, None, b"", "<", 48)
    assert not checked([*events[:second], cut, *events[second:]])
