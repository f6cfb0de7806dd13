"""Frames looked at in any order, as Wireshark's window does, show what they show in the order of the capture."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests import streams
from tests.migrations import Migrations, segments
from tests.sharkd import ask, program, shown
from tests.test_wireshark_pages import captured as guests_with_pages
from tests.test_wireshark_passes import doubled, holed, whole
from tests.tshark import every_tshark

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

ALL_IN_ORDER = ("frames", {"filter": "xenmig"})
"Looks at every frame in the order of the capture."
NOT_YET = "earlier frames of the migration were not looked at yet"


@pytest.fixture(autouse=True)
def sharkd(tshark: Tshark) -> None:
    """A sharkd of the same release."""
    if not program(tshark):
        pytest.skip(f"there is no sharkd beside {tshark}")


def look(number: int) -> tuple[str, dict[str, Any]]:
    """The request for everything that one frame shows."""
    return "frame", {"frame": number, "proto": True, "columns": True}


def seen(answer: dict[str, Any]) -> tuple[str, list[str]]:
    """A frame's info column, and its part of the tree."""
    return answer["col"][-1], shown(answer["tree"])


@every_tshark
@pytest.mark.parametrize("accident", [whole, holed, doubled])
def test_any_order_shows_what_the_order_of_the_capture_shows(tshark: Tshark, accident: object, tmp_path: Path) -> None:
    assert callable(accident)
    path = accident(Migrations()).write(tmp_path / "any.pcap")
    (listed,) = ask(tshark, path, ALL_IN_ORDER)
    numbers = [row["num"] for row in listed]
    assert len(numbers) > 1000
    columns = {row["num"]: row["c"][-1] for row in listed}
    chosen = random.Random(11).sample(numbers, 300)
    _, *in_order = ask(tshark, path, ALL_IN_ORDER, *map(look, sorted(chosen)))
    expected = dict(zip(sorted(chosen), map(seen, in_order), strict=True))
    _, *in_any_order = ask(tshark, path, ALL_IN_ORDER, *map(look, chosen))
    assert dict(zip(chosen, map(seen, in_any_order), strict=True)) == expected
    assert {number: words for number, (words, _) in expected.items()} == {number: columns[number] for number in chosen}
    assert all(words and NOT_YET not in words for words, _ in expected.values())


@every_tshark
def test_what_is_found_in_pages_does_not_depend_on_the_order(tshark: Tshark, tmp_path: Path) -> None:
    path = guests_with_pages().write(tmp_path / "pages.pcap")
    begin = (("setconf", {"name": "xenmig.deep", "value": "TRUE"}), ("load", {"file": str(path)}), ALL_IN_ORDER)
    _, _, listed = ask(tshark, path, *begin)
    chosen = random.Random(12).sample([row["num"] for row in listed], 300)
    _, _, _, *in_order = ask(tshark, path, *begin, *map(look, sorted(chosen)))
    expected = dict(zip(sorted(chosen), map(seen, in_order), strict=True))
    _, _, _, *in_any_order = ask(tshark, path, *begin, *map(look, chosen))
    assert dict(zip(chosen, map(seen, in_any_order), strict=True)) == expected
    assert sum("a page: pfn" in label for _, labels in expected.values() for label in labels) > 20


@every_tshark
def test_a_frame_says_so_when_those_before_it_were_not_looked_at(tshark: Tshark, tmp_path: Path) -> None:
    # sharkd reads a file without making fields, as the first of two passes does: nothing is known then.
    path = Migrations().add(segments(streams.guest().data)).write(tmp_path / "early.pcap")
    early, first, again, _, late = ask(tshark, path, look(9), look(4), look(9), ALL_IN_ORDER, look(9))
    assert NOT_YET in early["col"][-1]
    assert any(label.startswith("Hint: apply a display filter") for label in shown(early["tree"]))
    assert "libxl header" in first["col"][-1]
    assert NOT_YET in again["col"][-1]
    assert "PAGE_DATA" in late["col"][-1]


@every_tshark
def test_frames_in_order_need_no_filter(tshark: Tshark, tmp_path: Path) -> None:
    path = Migrations().add(segments(streams.guest().data)).write(tmp_path / "order.pcap")
    (rows,) = ask(tshark, path, ("frames", {}))
    assert sum(row["c"][4] == "XenMig" for row in rows) > 10
    assert not any(NOT_YET in row["c"][-1] for row in rows)
