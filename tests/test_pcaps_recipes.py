"""Every sample in pcaps/ has a recipe beside it, which says how to make it and what it is then."""

from __future__ import annotations

import filecmp
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.corpus import PCAPS, pcaps, requires_corpus, sample
from tests.scrubs import scrubbed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus import Sample


def test_there_are_captures_and_save_files_and_nothing_without_a_recipe() -> None:
    assert pcaps("capture")
    assert pcaps("save")
    recipes = {path.stem for path in PCAPS.glob("*.md")} - {"README"}
    assert {one.name.rpartition(".")[0] for one in pcaps()} == recipes


@pytest.mark.parametrize("one", pcaps(), ids=str)
def test_a_recipe_names_its_sample_and_the_right_checksum(one: Sample) -> None:
    recipe = (PCAPS / f"{one.name.rpartition('.')[0]}.md").read_text()
    assert recipe.startswith(f"# {one.name}\n")
    for heading in "## Recipe", "## What it proves":
        assert heading in recipe
    with one.unpacked().open("rb") as unpacked:
        digest = hashlib.sha256()
        while piece := unpacked.read(1 << 20):
            digest.update(piece)
    checksums = re.findall(r"`([0-9a-f]{64})`", recipe)
    assert (len(checksums), checksums[0]) == (2, digest.hexdigest())


@requires_corpus
@pytest.mark.parametrize("one", pcaps(), ids=str)
def test_a_sample_is_what_its_recipe_makes_of_the_original(one: Sample, tmp_path: Path) -> None:
    recipe = (PCAPS / f"{one.name.rpartition('.')[0]}.md").read_text()
    assert f"    xenmig scrub ORIGINAL {one.name}\n" in recipe
    original = sample(one.name).unpacked()
    assert re.findall(r"`([0-9a-f]{64})`", recipe)[1] == hashlib.sha256(original.read_bytes()).hexdigest()
    scrubbed(original, tmp_path / one.name)
    assert filecmp.cmp(tmp_path / one.name, one.unpacked(), shallow=False)


def test_the_samples_stay_small() -> None:
    assert sum(one.path.stat().st_size for one in pcaps()) < 4 << 20
    assert max(one.path.stat().st_size for one in pcaps()) < 1 << 20
