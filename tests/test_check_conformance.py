"""The quick test of a body agrees with decoding it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.valid_streams import VALID, events_of
from xenmig.core.check.conformance import conformance, length_fits
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.structs import Struct

DEFINITIONS = [
    body
    for layer in (libxc.LAYER, libxl.LAYER)
    for body in Struct.records[layer].values()
    # Its pages are not in a body: the checker looks at them by count, types and length.
    if body is not libxc.PageData
]
REAL = {
    (event.layer, event.type): event.body
    for make in VALID.values()
    for event in events_of(bytes(make()))
    if type(event) is Record and event.body is not None
}


def bodies(definition: type[Struct]) -> st.SearchStrategy[bytes]:
    """Right bodies, right bodies with some bytes changed, and what has nothing to do with the definition."""
    real = REAL.get((definition.layer, definition.record or 0), bytes(definition.size or 8))[:256]
    zeros = bytes(len(real))
    changed = st.tuples(
        st.sampled_from([real, zeros]),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), max_size=3),
        st.integers(-9, 24),
    ).map(lambda drawn: change(*drawn))
    return st.one_of(changed, st.binary(max_size=64))


def change(body: bytes, values: list[tuple[int, int]], longer: int) -> bytes:
    """The body with some bytes set to other values, then cut or made longer."""
    data = bytearray(body)
    for at, value in values:
        if at < len(data):
            data[at] = value
    return bytes(data[:longer]) if longer < 0 else bytes(data) + bytes(longer)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: f"{definition.layer} {definition.name}")
@given(data=st.data(), order=st.sampled_from("<>"))
def test_quick_test_and_decoding_agree(definition: type[Struct], data: st.DataObject, order: str) -> None:
    body = data.draw(bodies(definition))
    assert conformance(definition)(body, order) == (not definition.decode(body, order).problems)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: f"{definition.layer} {definition.name}")
@given(data=st.data())
def test_the_length_of_a_right_body_always_fits(definition: type[Struct], data: st.DataObject) -> None:
    body = data.draw(bodies(definition))
    if conformance(definition)(body, "<"):
        assert length_fits(definition, len(body))


def test_there_are_right_bodies_of_almost_every_record() -> None:
    right = [one for one in DEFINITIONS if conformance(one)(REAL.get((one.layer, one.record or 0), b"?" * 999), "<")]
    assert len(right) >= len(DEFINITIONS) - 5


@pytest.mark.parametrize(
    ("definition", "length", "fits"),
    [
        (libxc.End, 0, True),
        (libxc.End, 8, False),
        (libxc.SharedInfo, 4096, True),
        (libxc.SharedInfo, 4104, False),
        (libxc.X86CpuidPolicy, 0, False),
        (libxc.X86CpuidPolicy, 48, True),
        (libxc.X86CpuidPolicy, 49, False),
        (libxc.HvmContext, 0, False),
        (libxc.HvmContext, 1, True),
        (libxc.X86PvVcpuBasic, 7, False),
        (libxc.X86PvVcpuBasic, 8, True),
    ],
)
def test_lengths_follow_from_the_definition(definition: type[Struct], length: int, fits: bool) -> None:
    assert length_fits(definition, length) is fits


def test_reserved_fields_and_values_are_looked_at() -> None:
    conforms = conformance(libxc.X86TscInfo)
    assert conforms(struct.pack("<IIQII", 0, 1, 2, 3, 0), "<")
    assert not conforms(struct.pack("<IIQII", 0, 1, 2, 3, 1), "<")
    assert not conforms(struct.pack("<IIQII", 9, 1, 2, 3, 0), "<")
    assert not conforms(struct.pack("<IIQII", 1, 1, 2, 3, 0), ">")
    counted = conformance(libxc.HvmParams)
    assert counted(struct.pack("<IIQQ", 1, 0, 1, 1), "<")
    assert not counted(struct.pack("<IIQQ", 2, 0, 1, 1), "<")
