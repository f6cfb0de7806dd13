"""Runs: many records of one kind in one event say the same as the records one by one."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding import deliver
from tests.streams import END, HVM_PARAMS, STATIC_DATA_END, VCPU_MSRS, VERIFY, StreamBuilder
from xenmig.core.check.checker import Checker
from xenmig.core.decode.record import PageData, Record, RecordRun
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from xenmig.core.decode.events import Event

PARAMS = struct.pack("<IIQQ", 1, 0, 9, 1)
KINDS = {
    "parameters": (HVM_PARAMS, PARAMS),
    "parameters with a reserved field set": (HVM_PARAMS, struct.pack("<IIQQ", 1, 5, 9, 1)),
    "parameters that count wrong": (HVM_PARAMS, struct.pack("<IIQQ", 2, 0, 9, 1)),
    "parameters of another length": (HVM_PARAMS, struct.pack("<IIQQQQ", 2, 0, 9, 1, 12, 7)),
    "empty": (VERIFY, b""),
    "static data": (STATIC_DATA_END, b""),
    "vcpu": (VCPU_MSRS, struct.pack("<IIIIQ", 0, 0, 0x48, 0, 1)),
    "unknown, optional": (0x80000001, bytes(16)),
    "unknown": (0x77, bytes(8)),
    "padded": (0x80000001, bytes(13)),
}


def stream(kinds: list[tuple[str, int]]) -> bytes:
    """A bare libxc stream of the named kinds, each repeated; a number of pages stands for one-page PAGE_DATA."""
    built = StreamBuilder().libxc().record(STATIC_DATA_END)
    for kind, count in kinds:
        for number in range(count):
            if kind == "pages":
                built.pages([number])
            else:
                built.record(*KINDS[kind])
    return built.record(END).data


def one_by_one(events: list[Event]) -> list[Event]:
    singles: list[Event] = []
    for event in events:
        if isinstance(event, RecordRun):
            singles += [event.record(place) for place in range(event.count)]
        else:
            singles.append(event)
    return singles


def facts(events: list[Event]) -> list[object]:
    found: list[object] = []
    for event in events:
        if isinstance(event, PageData):
            found.append((event.index, event.offset, event.length, event.count, event.reserved, event.pfns.words))
        elif isinstance(event, Record):
            found.append((event.index, event.layer, event.type, event.offset, event.length, event.body, event.padding))
        else:
            found.append((type(event).__name__, event.offset if not isinstance(event, RecordRun) else None))
    return found


def verdict(events: list[Event]) -> tuple[object, ...]:
    checker = Checker("libxc")
    checker.take(events)
    checker.finish()
    kept = [(one.rule, one.offset, one.record, one.message) for one in checker.findings]
    return checker.counts, checker.suppressed, sorted(kept, key=repr)


many = st.lists(st.tuples(st.sampled_from([*KINDS, "pages"]), st.integers(0, 200)), max_size=4)


@given(many, st.integers(0, 1 << 30))
def test_a_run_stands_for_the_same_records_and_findings_however_it_is_delivered(
    kinds: list[tuple[str, int]], seed: int
) -> None:
    data = stream(kinds)
    plain = deliver(StreamDecoder("libxc"), data)
    runs = deliver(StreamDecoder("libxc", runs=True), data)
    pieces = deliver(StreamDecoder("libxc", runs=True), data, random=Random(seed))
    assert facts(one_by_one(runs)) == facts(plain)
    assert facts(one_by_one(pieces)) == facts(plain)
    assert verdict(runs) == verdict(plain)
    assert verdict(pieces) == verdict(plain)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "padded"] + ["pages"])
def test_many_records_of_one_kind_come_as_runs(kind: str) -> None:
    events = deliver(StreamDecoder("libxc", runs=True), stream([(kind, 150)]))
    runs = [event for event in events if isinstance(event, RecordRun)]
    assert sum(run.count for run in runs) > 140


def test_nobody_gets_runs_who_did_not_ask() -> None:
    events = deliver(StreamDecoder("libxc"), stream([("parameters", 150), ("pages", 150)]))
    assert not any(isinstance(event, RecordRun) for event in events)


def test_a_record_that_counts_pages_wrong_ends_a_run() -> None:
    good = stream([("pages", 100)])
    place = good.index(struct.pack("<IIII", 1, 4112, 1, 0), 50 * 4120)
    bad = good[: place + 8] + struct.pack("<I", 2) + good[place + 12 :]
    plain = deliver(StreamDecoder("libxc"), bad)
    runs = deliver(StreamDecoder("libxc", runs=True), bad)
    assert facts(one_by_one(runs)) == facts(plain)
    assert verdict(runs) == verdict(plain)
    assert not Checker("libxc").findings
    assert "page-data-length" in repr(verdict(runs))
