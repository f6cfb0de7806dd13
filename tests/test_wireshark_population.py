"""Which pages of a guest have come, and of what types: the dissector knows what the core knows."""

from __future__ import annotations

import shutil
import subprocess
from struct import pack
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tshark import DISSECTOR, ROOT
from xenmig.core.check.population import Population
from xenmig.core.decode.pages import TYPE_BYTES_WITHOUT_DATA, PfnArray
from xenmig.core.decode.pfn_rows import in_a_row
from xenmig.core.definitions.libxc import PageType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    Step: TypeAlias = tuple[str, list[int]]
    'Order and words of an array, or "ask" and pfns.'

DRIVER = ROOT / "tests" / "lua" / "population.lua"
LARGE = 16
"More pfns than a first pass brings here."
TYPES = sorted(PageType.known)
WITH_DATA = [kind for kind in TYPES if kind << 4 not in TYPE_BYTES_WITHOUT_DATA]


def arrays() -> SearchStrategy[list[Step]]:
    """A first pass, later ones, questions at any time."""
    kinds = st.sampled_from([0, 0, 0, PageType.XTAB, PageType.XTAB, *TYPES])
    pfns = st.integers(0, LARGE)
    orders = st.sampled_from("<<<>")
    question = st.lists(pfns, max_size=6).map(lambda asked: [("ask", asked)])

    def typed(found: tuple[str, list[int], list[int]]) -> list[Step]:
        order, numbers, types = found
        return [(order, [pfn | types[at % len(types)] << 60 for at, pfn in enumerate(numbers)])]

    types = st.lists(kinds, min_size=1, max_size=5)
    loose = st.tuples(orders, st.lists(pfns, min_size=1, max_size=8), types).map(typed)
    ascending = st.tuples(orders, st.sets(pfns, min_size=1, max_size=8).map(sorted), types).map(typed)

    def first_pass(sizes: list[int]) -> SearchStrategy[list[Step]]:
        rows = [range(sum(sizes[:at]), sum(sizes[: at + 1])) for at in range(len(sizes))]
        batches = [st.tuples(orders, st.just(list(row)), types).map(typed) for row in rows]
        return st.tuples(*batches).map(lambda found: [step for one in found for step in one])

    first = st.lists(st.integers(1, 6), max_size=4).flatmap(first_pass)
    later = st.lists(st.one_of(loose, ascending, question), max_size=8)
    return st.tuples(first, later).map(lambda found: [*found[0], *[step for one in found[1] for step in one]])


def told(population: Population, pfns: list[int]) -> str:
    """What the core knows."""
    if not population.whole:
        return "0"
    known = " ".join(f"{int(population.populated(pfn))}:{int(population.type(pfn))}" for pfn in pfns)
    there = " ".join(str(kind) for kind in WITH_DATA if population.has(kind))
    return f"1\t{known}\t{int(population.ordinary(pfns))}\t{population.count}\t{there}"


@pytest.fixture(scope="module", params=["lua5.2", "lua5.4"])
def lua(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The dissector in plain Lua, which is asked one guest after another."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    command = [request.param, str(DRIVER), str(DISSECTOR)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0


@settings(max_examples=500, deadline=None)
@given(steps=arrays())
def test_the_dissector_knows_the_pages_that_the_core_knows(lua: subprocess.Popen[str], steps: list[Step]) -> None:
    assert lua.stdin is not None
    assert lua.stdout is not None
    population, expected, lines = Population(whole=True), [], ["new"]
    for step, numbers in [*steps, ("ask", list(range(LARGE + 2)))]:
        if step == "ask":
            lines.append(f"ask {' '.join(map(str, numbers))}")
            expected.append(told(population, numbers))
        else:
            words = pack(f"{step}{len(numbers)}Q", *numbers)
            lines.append(f"take {step} {words.hex()}")
            found = PfnArray(words, step)
            population.take(found, row=in_a_row(found))
    lua.stdin.write("\n".join(lines) + "\n")
    lua.stdin.flush()
    assert [lua.stdout.readline().removesuffix("\n") for _ in expected] == expected
