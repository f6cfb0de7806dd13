"""What is kept of a stream, and how bytes that come again are told from others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.captures import noise
from xenmig.core.scrub.kept import Kept
from xenmig.core.scrub.seen import Seen

DATA = noise(400)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=12), st.data())
def test_any_part_of_a_stream_is_the_part_of_what_becomes_of_the_whole(
    steps: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    kept = Kept()
    expected = bytearray(len(DATA))
    at = 0
    for gap, length, replaced in steps:
        at += gap + replaced
        end = min(at + length, len(DATA))
        if replaced and end > at:
            kept.put(at, b"!" * (end - at))
            expected[at:end] = b"!" * (end - at)
            # A replacement never touches what is kept.
            end += 1
        elif end > at:
            kept.keep(at, end)
            expected[at:end] = DATA[at:end]
        at = end
    start = data.draw(st.integers(0, len(DATA)))
    end = data.draw(st.integers(start, len(DATA)))
    assert kept.part(DATA, start, end, start) == bytes(expected[start:end])
    assert kept.part(b"??" + DATA, start + 2, end + 2, start) == bytes(expected[start:end])


def test_positions_outside_of_a_stream_are_zeros() -> None:
    kept = Kept()
    kept.keep(0, 10)
    assert kept.part(DATA, 0, 20, -5) == bytes(5) + DATA[5:15] + bytes(5)
    assert kept.part(DATA, 0, 5, -100) == bytes(5)
    assert kept.part(DATA, 0, 5, 1 << 40) == bytes(5)
    assert kept.part(DATA, 5, 5, 3) == b""


@given(st.lists(st.tuples(st.integers(0, 390), st.integers(1, 60)), max_size=30))
def test_bytes_that_come_again_are_kept(segments: list[tuple[int, int]]) -> None:
    seen = Seen()
    for start, length in segments:
        assert seen.agreed(start, DATA[start : start + length]) == DATA[start : start + length]


@given(st.lists(st.tuples(st.integers(0, 390), st.integers(1, 60), st.booleans()), max_size=30))
def test_of_other_bytes_at_the_same_place_none_is_kept(segments: list[tuple[int, int, bool]]) -> None:
    seen = Seen()
    first: dict[int, int] = {}
    for start, length, other in segments:
        source = bytes(byte ^ 0xFF for byte in DATA) if other else DATA
        result = seen.agreed(start, source[start : start + length])
        for place, byte in enumerate(result, start):
            known = first.setdefault(place, byte)
            assert byte in (known, 0)


def test_what_is_forgotten_is_not_kept_again() -> None:
    seen = Seen(100)
    for start in range(0, 400, 20):
        seen.agreed(start, DATA[start : start + 20])
    assert seen.agreed(0, DATA[:20]) == bytes(20)
    assert seen.agreed(360, DATA[360:400]) == DATA[360:400]
    half = seen.agreed(200, DATA[200:400])
    assert half.endswith(DATA[360:400])
    assert half.startswith(bytes(20))
