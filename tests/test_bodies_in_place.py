"""Bodies seen in place hold what decoding them brings to light, and where nothing is said of them, nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bodies import every_sample, real_streams
from tests.guests import Guest
from xenmig.core.check.guest_state import GuestState
from xenmig.core.definitions import bodies, shaping, view
from xenmig.core.definitions.guest import Guest as Known
from xenmig.core.definitions.shapes import BODIES
from xenmig.core.definitions.structs import Struct

if TYPE_CHECKING:
    from tests.corpus import Sample

HVM_CONTEXT = 0x09


def seen(record: int, width: int | None, data: bytes) -> Any:
    return view.context(data) if record == HVM_CONTEXT else view.body(record, width, data)


def same(found: Any, decoded: Any) -> None:
    """Every field of a struct has the same value in both."""
    for field in decoded.fields:
        compare(getattr(found, field.name), getattr(decoded, field.name))


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
