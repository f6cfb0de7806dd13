"""Bodies seen in place hold what decoding them brings to light, and where nothing is said of them, nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bodies import every_sample, real_streams
from tests.guests import Guest
from xenmig.core.check import cpu_policy
from xenmig.core.check.guest_state import GuestState
from xenmig.core.definitions import bodies, shaping, view
from xenmig.core.definitions.guest import Guest as Known
from xenmig.core.definitions.shapes import BODIES
from xenmig.core.definitions.structs import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus import Sample

HVM_CONTEXT = 0x09


def seen(record: int, width: int | None, data: bytes) -> Any:
    return view.context(data) if record == HVM_CONTEXT else view.body(record, width, data)


def same(found: Any, decoded: Any) -> None:
    """Every field of a struct has the same value in both."""
    for field in decoded.fields:
        items = getattr(decoded, field.name)
        compare(getattr(found, field.name), items)
        if isinstance(items, list) and items and isinstance(items[0], Struct):
            for names in numbers_of(items[0]):
                assert view.numbers(found, field.name, *names) == view.numbers(decoded, field.name, *names)


def numbers_of(decoded: Struct) -> Iterator[tuple[str, ...]]:
    """Where the numbers of a struct are: its own by name, those of structs in it by theirs, too."""
    for field, value in decoded.items():
        if isinstance(value, Struct):
            yield from ((field.name, *names) for names in numbers_of(value))
        elif isinstance(value, int):
            yield (field.name,)


def compare(found: Any, decoded: Any) -> None:
    if isinstance(decoded, Struct):
        same(found, decoded)
    elif isinstance(decoded, list):
        assert len(found) == len(decoded)
        for one, other in zip(found, decoded, strict=True):
            compare(one, other)
    else:
        assert found == decoded


def agree(record: int, width: int | None, data: bytes) -> bool:
    """What is seen in place is what is decoded, or nothing is seen; whether something is."""
    found = seen(record, width, data)
    if found is None:
        return False
    guest = Known()
    guest.guest_width = width
    decoded = bodies.decode("libxc", record, data, guest)
    assert decoded is not None
    assert decoded.problems == ()
    if record != HVM_CONTEXT:
        same(found, decoded)
        return True
    entries = decoded.__dict__["entries"]
    assert len(found.entries) == len(entries)
    for one, other in zip(found.entries, entries, strict=True):
        assert (one.offset, one.data) == (other.offset, other.data)
        for name in ("typecode", "instance", "length"):
            assert getattr(one.descriptor, name) == getattr(other.descriptor, name)
        same(one.value, other.value)
    return True


def test_the_shapes_are_up_to_date() -> None:
    assert shaping.PATH.read_text(encoding="utf-8") == shaping.text(), "run: make generate"
    assert shaping.text().startswith("# Generated from the definitions")
    assert shaping.main(["--check"]) == 0


@pytest.mark.parametrize("one", every_sample(), ids=str)
def test_real_bodies_are_seen_in_place_as_they_are_decoded(one: Sample) -> None:
    for stream in real_streams(one):
        for body in stream.bodies:
            if body.layer == "libxc" and (body.type in BODIES or body.type == HVM_CONTEXT):
                assert agree(body.type, stream.guest.guest_width, body.data), hex(body.type)


@pytest.mark.parametrize("hvm", [True, False])
def test_built_bodies_are_seen_in_place_as_they_are_decoded(hvm: bool) -> None:
    for record, data in Guest(hvm=hvm).records():
        if record in BODIES or record == HVM_CONTEXT:
            assert agree(record, 8, data), hex(record)


@st.composite
def change(draw: st.DrawFn) -> tuple[int, int, bytes, int]:
    """Which record, where in it, what is put there (one byte stands for a bit to turn), and what is cut off."""
    wrong = draw(st.sampled_from([bytes((1 << bit,)) for bit in range(8)]) | st.binary(min_size=2, max_size=8))
    return draw(st.integers(0, 99)), draw(st.integers(0, 1 << 16)), wrong, draw(st.sampled_from([0] * 6 + [1, 8, 600]))


def changed(guest: Guest, changes: list[tuple[int, int, bytes, int]]) -> list[tuple[int, bytes]]:
    """The records of a guest with some bytes changed."""
    records = guest.records()
    whole = [at for at, (_, body) in enumerate(records) if body]
    for which, where, wrong, cut in changes:
        at = whole[which % len(whole)]
        kind, body = records[at]
        if body:
            offset = where % len(body)
            put = wrong if len(wrong) > 1 else bytes((body[offset] ^ wrong[0],))
            body = body[:offset] + put + body[offset + len(put) :]
        records[at] = (kind, body[: max(len(body) - cut, 0)])
    return records


@given(st.booleans(), st.lists(change(), min_size=1, max_size=2))
@settings(max_examples=400)
def test_changed_bodies_are_seen_in_place_only_where_the_definition_finds_nothing(
    hvm: bool, changes: list[tuple[int, int, bytes, int]]
) -> None:
    for record, data in changed(Guest(hvm=hvm), changes):
        if record in BODIES or record == HVM_CONTEXT:
            agree(record, 8, data)


@given(st.booleans(), st.lists(change(), min_size=1, max_size=2))
@settings(max_examples=400)
def test_the_same_is_found_with_and_without_a_glance(hvm: bool, changes: list[tuple[int, int, bytes, int]]) -> None:
    guest = Guest(hvm=hvm)
    records = changed(guest, changes)
    guest.records = lambda: records  # type: ignore[method-assign]
    glanced = guest.found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuestState, "_glance", lambda *_: False)
        assert guest.found() == glanced


@pytest.mark.parametrize("hvm", [True, False])
def test_a_sound_guest_is_never_decoded(hvm: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "decode", None)
        assert Guest(hvm=hvm).found() == {}


class Told:
    """Takes what rules tell."""

    def __init__(self) -> None:
        self.found: list[tuple[object, ...]] = []

    def tell(self, *what: object) -> None:
        self.found.append(what)


class Leaf:
    def __init__(self, leaf: int, subleaf: int) -> None:
        self.leaf = leaf
        self.subleaf = subleaf


LEAF_PLACES = st.tuples(
    st.sampled_from([0, 1, 4, 7, 0xB, 0xD, 0xE, 0x40000000, 0x40000001, 0x80000000, 0x80000021, 0x80000022]),
    st.sampled_from([0, 1, 2, 5, 6, 62, 63, 0xFFFFFFFE, 0xFFFFFFFF]),
)


@given(st.lists(LEAF_PLACES, max_size=6), st.booleans())
def test_leaves_that_are_known_and_ascend_break_no_rule_that_looks_at_each(
    found: list[tuple[int, int]], ascending: bool
) -> None:
    ones: list[Any] = [Leaf(*one) for one in (sorted(found) if ascending else found)]
    at_once, singly = Told(), Told()
    cpu_policy._each(at_once, ones)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu_policy, "KNOWN", set())
        cpu_policy._each(singly, ones)  # type: ignore[arg-type]
    assert at_once.found == singly.found
