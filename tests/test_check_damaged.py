"""Whatever is in a stream, checking it comes to an end with findings that can be shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_changes import changed
from tests.valid_streams import VALID, check, checkpointed, events_of, hvm, in_libxl
from xenmig.core.check.checker import KEPT_FINDINGS, Checker
from xenmig.core.check.rules import RULES
from xenmig.core.decode.stream import StreamDecoder

BASES = {
    **{name: make() for name, make in VALID.items()},
    "big endian": hvm(order=">"),
    "Remus": checkpointed(),
    "COLO": checkpointed(colo=True),
}


def assert_fit_to_show(checker: Checker, length: int) -> None:
    offsets = [finding.offset for finding in checker.findings]
    assert offsets == sorted(offsets)
    for finding in checker.findings:
        assert 0 <= finding.offset <= length
        assert finding.message.isprintable()
        assert finding.severity == RULES[finding.rule].severity
    kept = {rule: sum(finding.rule == rule for finding in checker.findings) for rule in RULES}
    assert max(kept.values()) <= KEPT_FINDINGS
    assert sum(checker.counts.values()) == len(checker.findings) + sum(checker.suppressed.values())
    assert checker.sound == (checker.counts["error"] == 0)


@pytest.mark.fuzz
@pytest.mark.parametrize("base", BASES)
@given(data=st.data())
def test_damaged_streams_are_checked_to_the_end(base: str, data: st.DataObject) -> None:
    stream = data.draw(changed(BASES[base]))
    assert_fit_to_show(check(stream), len(stream))


@pytest.mark.fuzz
@settings(max_examples=max(300, settings().max_examples))
@given(data=st.data())
def test_streams_with_holes_are_checked_to_the_end(data: st.DataObject) -> None:
    stream = data.draw(changed(in_libxl(hvm())).filter(bool))
    decoder = StreamDecoder("libxl")
    at = 0
    for fed, lost in data.draw(st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 5000)), max_size=3)):
        if at + fed + lost < len(stream):
            decoder.feed(stream, at, at + fed)
            decoder.hole(lost)
            at += fed + lost
    decoder.feed(stream, at, len(stream))
    decoder.end()
    checker = Checker()
    checker.take(decoder.events)
    checker.finish()
    assert_fit_to_show(checker, len(stream))


@pytest.mark.parametrize("base", BASES)
def test_a_stream_cut_anywhere_is_not_complete(base: str) -> None:
    stream = bytes(BASES[base])
    whole = check(stream)
    for end in {*range(0, len(stream), 97), *range(max(0, len(stream) - 40), len(stream))}:
        checker = check(stream[:end])
        assert not checker.complete
        if base not in ("Remus", "COLO"):
            assert not checker.sound
    assert whole.complete == (base not in ("Remus", "COLO"))


def test_events_may_come_in_any_batches() -> None:
    events = events_of(bytes(in_libxl(hvm()).without("static data end").repeated("emulator context")))
    together, single = Checker(), Checker()
    together.take(events)
    for event in events:
        single.take([event])
    together.finish()
    single.finish()
    assert together.counts == single.counts
    assert [repr(one) for one in together.findings] == [repr(one) for one in single.findings]
    assert len(together.findings) == 2
