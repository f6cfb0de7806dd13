"""Whatever is in a stream, following it comes to its end, and every line and every screen can be shown."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.command import conversation
from tests.stream_changes import changed
from tests.valid_streams import checkpointed, hvm, in_libxl, in_xl, pv
from xenmig.core.cli import momenttext
from xenmig.core.cli.follower import Follower
from xenmig.core.cli.followlog import JsonView
from xenmig.core.cli.followscreen import screen
from xenmig.core.sources.errors import UnreadableInput

if TYPE_CHECKING:
    from xenmig.core.analysis.moment import Moment
    from xenmig.core.cli.follower import Overview
    from xenmig.core.cli.happenings import Happening

BASES = (in_xl(in_libxl(hvm())), in_libxl(pv()), checkpointed())
SIZES = ((80, 24), (20, 3), (250, 80))


class Everything(JsonView):
    """All views in one, which look whenever they may."""

    def __init__(self) -> None:
        self.recent: list[str] = []

    def look(self, idle: float) -> bool:
        return True

    def show(self, overview: Overview) -> None:
        for columns, rows in SIZES:
            for line, _ in screen("input", overview, self.recent, columns, rows):
                assert line.isprintable()

    def happened(self, number: int | None, happening: Happening) -> None:
        super().happened(number, happening)
        assert happening.text.isprintable()
        self.recent.append(happening.text)

    def tick(self, number: int, moment: Moment) -> None:
        super().tick(number, moment)
        assert momenttext.summary(moment).isprintable()


class Impatient(Follower):
    """Ends at the end of a file as it is."""

    def look(self, idle: float) -> bool:
        super().look(idle)
        return not idle


@pytest.mark.fuzz
@given(data=st.data())
def test_damaged_streams_are_followed_to_the_end(data: st.DataObject) -> None:
    stream = data.draw(changed(data.draw(st.sampled_from(BASES))))
    lost = data.draw(st.lists(st.integers(4, 12), max_size=2))
    captured = data.draw(st.booleans())
    follow(conversation(stream, lost=lost) if captured else stream)


def follow(data: bytes) -> None:
    fd = os.memfd_create("input")
    try:
        os.write(fd, data)
        with contextlib.redirect_stdout(io.StringIO()):
            Impatient(Everything()).read(f"/proc/self/fd/{fd}")
    except UnreadableInput:
        # What is left of it begins as nothing that is known.
        pass
    finally:
        os.close(fd)
