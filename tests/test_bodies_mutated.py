"""Bodies that are broken at random: decoding them never raises, never hangs and keeps what it makes bounded."""

from __future__ import annotations

import copy
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bodies import END, HEADER, HVM, HVM_VIRIDIAN, PV, PVH, entry, every_sample, real_stream, real_streams
from tests.corpus import Sample, requires_corpus
from xenmig.core.definitions import bodies, configuration, libxc, qemu, xsave
from xenmig.core.definitions.cpu_policy import CpuPolicy
from xenmig.core.definitions.guest import Guest
from xenmig.core.definitions.hvm_context import ENTRIES, HvmContext
from xenmig.core.definitions.structs import Struct

pytestmark = pytest.mark.fuzz

KINDS = [(layer, record) for layer in ("libxc", "libxl") for record in Struct.records[layer]]


def walk(value: Struct) -> int:
    """Look at everything that was decoded, as printing it does; how much that is."""
    seen = len(repr(value)) + sum(len(problem.message) for problem in value.problems)
    for field in value.fields:
        found = value.__dict__.get(field.name)
        for one in found if isinstance(found, list) else [found]:
            inner = getattr(one, "value", one)
            if isinstance(inner, Struct):
                seen += walk(inner)
            else:
                seen += len(str(one)) if isinstance(one, int) else 0
    return seen


def decoded(layer: str, record: int, data: bytes, guest: Guest) -> Any:
    value = bodies.decode(layer, record, data, guest)
    assert value is not None
    walk(value)
    return value


@given(st.sampled_from(KINDS), st.binary(max_size=6000), st.sampled_from([None, 4, 8]))
def test_any_bytes_are_decoded_as_any_body(kind: tuple[str, int], data: bytes, width: int | None) -> None:
    guest = Guest()
    guest.guest_width = width
    decoded(*kind, data, guest)


@given(
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, 3), st.integers(0, 1100), st.integers(-9, 40)), max_size=12)
)
def test_any_chain_is_walked_to_its_end(parts: list[tuple[int, int, int, int]]) -> None:
    data = b"".join(
        entry(code, instance, b"\1" * length, max(0, length + wrong)) for code, instance, length, wrong in parts
    )
    context = decoded("libxc", 0x09, HEADER + data + END, Guest())
    offsets = [one.offset for one in context.entries]
    assert offsets == sorted(set(offsets))


@given(st.data())
def test_the_chain_is_found_again_wherever_one_length_is_broken(data: st.DataObject) -> None:
    codes = [1, *sorted(data.draw(st.lists(st.sampled_from([2, 3, 5, 6, 8, 10, 11, 12, 14, 18, 19]), min_size=3)))]
    broken = data.draw(st.integers(0, len(codes) - 3))
    announced = data.draw(st.integers(0, 1 << 32 - 1))
    chain = b""
    for number, code in enumerate(codes):
        size = ENTRIES[code].size or 0
        chain += entry(code, 0, b"\x5a" * size, announced if number == broken else size)
    context = HvmContext.decode(chain + END)
    found = [int(one.descriptor.typecode) for one in context.entries]
    # Nothing behind the entry is lost, unless its length leads to a real entry further on.
    assert found[: broken + 1] == codes[: broken + 1]
    assert found[-1] == 0
    if len(found) == len(codes) + 1:
        assert found[:-1] == codes
    else:
        assert found[broken + 1 :] == [*codes, 0][-len(found) + broken + 1 :]


@requires_corpus
@pytest.mark.parametrize("name", [HVM, HVM_VIRIDIAN, PV, PVH])
def test_real_bodies_with_bytes_changed_are_decoded(name: str) -> None:
    stream = real_stream(name)
    guest = copy.copy(stream.guest)
    dice = random.Random(name)
    for body in stream.bodies:
        for _ in range(150 if body.data else 1):
            data = bytearray(body.data)
            for _ in range(dice.choice((1, 1, 2, 8))):
                if data:
                    data[dice.randrange(len(data))] = dice.choice((0, 1, 0xFF, dice.randrange(256)))
            cut = dice.choice((len(data), len(data), dice.randrange(len(data) + 1)))
            value = decoded(body.layer, body.type, bytes(data[:cut]), guest)
            if body.type == 0x06:
                xsave.components(bytes(data[24:cut]), 0xFFFF, 7, guest.leaves)
            if isinstance(value, libxc.X86CpuidPolicy):
                policy = CpuPolicy(value.__dict__.get("leaves", []))
                assert policy.columns
                assert isinstance(policy.features, list)
                assert list(policy.described()) or not policy.leaves
                assert isinstance(policy.caches, list)
                assert policy.brand is not None
            if (body.layer, body.type) == ("libxl", 3):
                qemu.device_state(bytes(data[8:cut]))


@given(st.binary(max_size=3000))
def test_any_bytes_are_taken_for_device_state(data: bytes) -> None:
    found = qemu.device_state(b"QEVM\0\0\0\3" + data)
    assert all(one.data <= one.end <= len(data) + 8 for one in found.sections)


@given(st.binary(max_size=300) | st.text(alphabet='{}[]":,0 ac_infob', max_size=300).map(str.encode))
def test_any_bytes_are_taken_for_a_configuration(data: bytes) -> None:
    for read in (configuration.from_json, configuration.from_xml):
        assert read(data).problem or data


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3000), st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 3)))
def test_any_cpuid_places_components_within_the_area(
    xcr0: int, area: bytes, places: list[tuple[int, int, int]]
) -> None:
    leaves = [libxc.CpuidLeaf(leaf=0xD, subleaf=sub % 66, a=a, b=b, c=0, d=0) for sub, a, b in places]
    for one in xsave.components(area, xcr0, xcr0, leaves):
        assert one.value is None or one.place.offset + one.place.size <= len(area)


@pytest.mark.parametrize(
    "data",
    [
        HEADER + entry(8, 0, bytes(8)) * 100_000,
        HEADER + entry(2, 0, b"", 77) + bytes(1 << 20),
        HEADER + entry(2, 0, b"", 0xFFFFFFF0) + b"\x05\0\0\0\x20\0\0\0" * 100_000,
        HEADER + entry(20, 0, b"\xff" * 8) + END,
    ],
)
def test_memory_is_bounded_whatever_lengths_say(data: bytes) -> None:
    tracemalloc.start()
    context = HvmContext.decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert context.entries
    assert peak < 64 << 20


@requires_corpus
@pytest.mark.parametrize("one", every_sample(), ids=str)
def test_no_definition_finds_fault_with_a_real_stream(one: Sample) -> None:
    streams = real_streams(one)
    assert streams
    assert [body.value.problems for stream in streams for body in stream.bodies if body.value.problems] == []
