"""What a frame shows follows from its position in the stream: not from when, or how often, it is looked at."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.migrations import Migrations, cut_at, segments
from tests.tshark import every_tshark

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

KIND = re.compile(r"\[Phase: (precopy|stop-and-copy|non-live)\]")
OUT_OF_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")


@cache
def _live() -> bytes:
    return streams.guest(iterations=(600, 90, 20), per_batch=256, permission=True).data


def whole(capture: Migrations) -> Migrations:
    data = _live()
    return (
        capture.add(segments(data), streams.answers().data)
        .add(segments(data, 30000), streams.answers(3).data)
        .add(segments(streams.checkpointed(colo=True).data, 31), streams.back_channel().data)
        .add(cut_at(streams.guest().data, 2, 50, 900))
    )


def holed(capture: Migrations) -> Migrations:
    chance = random.Random(7)
    for part in (0.02, 0.2):
        capture.add([one for one in segments(_live()) if chance.random() > part])
    return capture


def doubled(capture: Migrations) -> Migrations:
    chance = random.Random(8)
    return capture.add([one for one in segments(_live()) for _ in range(1 + (chance.random() < 0.05))])


def tree(tshark: Tshark, path: Path, *arguments: str) -> str:
    """The dissector's part of the tree, without what only later frames tell: kinds of passes, and where things end."""
    output = tshark.run("-r", path, "-O", "xenmig", "-Y", "xenmig", *arguments)
    output = KIND.sub("[Phase: memory]", output)
    lines = [line for line in output.splitlines() if "[Completed in frame" not in line]
    assert len(lines) > 1000
    return "\n".join(lines)


@every_tshark
@pytest.mark.parametrize("accident", [whole, holed, doubled])
def test_two_passes_show_what_one_shows(tshark: Tshark, accident: object, tmp_path: Path) -> None:
    assert callable(accident)
    path = accident(Migrations()).write(tmp_path / "passes.pcap")
    assert tree(tshark, path, "-2") == tree(tshark, path)


@every_tshark
def test_two_passes_without_a_filter_show_what_one_shows(tshark: Tshark, tmp_path: Path) -> None:
    path = holed(Migrations()).write(tmp_path / "passes.pcap")
    assert tshark.run("-r", path, "-O", "xenmig", "-2") == tshark.run("-r", path, "-O", "xenmig")


@every_tshark
@pytest.mark.parametrize("accident", [whole, doubled])
def test_reassembly_of_segments_out_of_order_changes_nothing_where_none_are(
    tshark: Tshark, accident: object, tmp_path: Path
) -> None:
    assert callable(accident)
    path = accident(Migrations()).write(tmp_path / "passes.pcap")
    assert tree(tshark, path, *OUT_OF_ORDER) == tree(tshark, path)
