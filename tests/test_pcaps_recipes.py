"""Every sample in pcaps/ has a recipe beside it, which names it and its checksum."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.corpus import PCAPS, pcaps

if TYPE_CHECKING:
    from tests.corpus import Sample


def test_there_are_captures_and_save_files_and_nothing_without_a_recipe() -> None:
    assert pcaps("capture")
    assert pcaps("save")
    recipes = {path.stem for path in PCAPS.glob("*.md")} - {"README"}
    assert {sample.name.rpartition(".")[0] for sample in pcaps()} == recipes


@pytest.mark.parametrize("sample", pcaps(), ids=str)
def test_a_recipe_names_its_sample_and_the_right_checksum(sample: Sample) -> None:
    recipe = (PCAPS / f"{sample.name.rpartition('.')[0]}.md").read_text()
    assert recipe.startswith(f"# {sample.name}\n")
    for heading in "## Recipe", "## What it proves":
        assert heading in recipe
    with sample.unpacked().open("rb") as unpacked:
        digest = hashlib.sha256()
        while piece := unpacked.read(1 << 20):
            digest.update(piece)
    assert re.findall(r"`([0-9a-f]{64})`", recipe) == [digest.hexdigest()]


def test_the_samples_stay_small() -> None:
    assert sum(sample.path.stat().st_size for sample in pcaps()) < 4 << 20
