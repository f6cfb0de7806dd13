"""``xenmig timeline --follow`` on a terminal: drawn in place, and the terminal is given back whatever happens.

What is on the screen is the opinion of pyte, a terminal in memory.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING

import pyte
import pytest

from tests.captures import pcap
from tests.command import COMMAND, conversation, xenmig
from tests.streams import PAGE_DATA, StreamBuilder, guest
from tests.test_follow_log import CAPTURE, STREAM, frames_of, up_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., "Screen"]

PATIENCE = 60.0
"Seconds after which a test gives up."
ENTER = b"\x1b[?1049h"
LEAVE = b"\x1b[?1049l"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
HOME = b"\x1b[H"
BOLD = b"\x1b[1m"
BUILT = guest(iterations=(1500, 60, 20), per_batch=1024)


class Screen:
    """The command with a pipe as its input and a terminal for everything else."""

    def __init__(self, columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None) -> None:
        reading, self._writing = os.pipe()
        self.display = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.display)
        self.raw = b""
        self.code: int | None = None
        environment = {**os.environ, "TERM": "xterm", "PYTHONWARNINGS": "ignore", **(environment or {})}
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            os.dup2(reading, 0)
            os.close(self._writing)
            # Nothing may be drawn before the size is set.
            while struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))[0] != rows:
                time.sleep(0.001)
            os.execve(COMMAND[0], [*COMMAND, "timeline", "--follow", "-"], environment)
        os.close(reading)
        self.resize(columns, rows, tell=False)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Change the window's size; the kernel tells the command."""
        self.display.resize(rows, columns)
        if tell:
            self.display.reset()
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def write(self, data: bytes) -> None:
        """Give it more of the capture."""
        while data:
            # The command must not wait for somebody to look at its screen.
            self.look(0)
            data = data[os.write(self._writing, data[: 1 << 15]) :]

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._terminal, key)

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self._pid, number)

    def look(self, seconds: float) -> bool:
        """Take what is drawn within a while; False at the end."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:
            # EIO: nobody has the other side open any more.
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def shows(self, text: str) -> list[str]:
        """Wait until ``text`` is on the screen; returns its lines."""
        deadline = time.monotonic() + PATIENCE
        while not any(text in line for line in self.display.display):
            assert time.monotonic() < deadline, f"{text!r} is not on the screen: {self.display.display}"
            assert self.look(0.05), f"{text!r} was not on the screen: {self.display.display}"
        return list(self.display.display)

    def end(self) -> int:
        """End the input; returns the exit code."""
        os.close(self._writing)
        self._writing = -1
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.look(0.1):
            assert time.monotonic() < deadline
        self.code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self.code

    def close(self) -> None:
        """Leave nothing behind."""
        if self.code is None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)
        if self._writing >= 0:
            os.close(self._writing)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command on a terminal."""
    started: list[Screen] = []

    def new(columns: int = 80, rows: int = 24, environment: dict[str, str] | None = None) -> Screen:
        started.append(Screen(columns, rows, environment))
        return started[-1]

    yield new
    for screen in started:
        screen.close()


def inside(number: int = 0) -> int:
    """Where in CAPTURE the first pages of a PAGE_DATA have passed."""
    return up_to(BUILT.at(PAGE_DATA, number=number).offset + 100_000)


def test_the_screen_shows_where_the_migration_is(start: Start) -> None:
    screen = start()
    screen.shows("waiting for the first bytes")
    screen.write(CAPTURE[:24])
    screen.write(CAPTURE[24 : inside()])
    # What is drawn comes in pieces: each is waited for.
    screen.shows("iteration 0: precopy; PAGE_DATA, ")
    screen.shows("1,024 pfns")
    screen.shows("  stop      after iteration 4 (SPP_MAX_ITERATIONS), or earlier")
    shown = screen.shows("iteration 0 begins")
    assert re.fullmatch(r"xenmig  standard input: capture, \d+ frames, .* (nothing for \d+ s|[\d:]{8} UTC)", shown[0])
    assert screen.display.cursor.hidden
    screen.write(CAPTURE[inside() : inside(2)])
    screen.shows("1,500  1,500      0  6.2 MB")
    screen.shows("now       iteration 1")
    screen.write(CAPTURE[inside(2) :])
    screen.shows("outcome   completed")
    screen.shows("verdict   sound")
    assert screen.end() == 0


def test_the_terminal_is_given_back_before_the_timeline_is_printed(start: Start) -> None:
    screen = start()
    screen.write(CAPTURE)
    assert screen.end() == 0
    assert screen.raw.count(ENTER) == screen.raw.count(LEAVE) == 1
    assert screen.raw.count(HIDDEN) == screen.raw.count(SHOWN) == 1
    after = screen.raw.partition(LEAVE)[2].decode()
    # On a terminal long lines are wrapped.
    assert after.split() == ["ended:", "the", "input", "ended", *xenmig("timeline", "-", input=CAPTURE).out.split()]
    assert not screen.display.cursor.hidden


def test_a_smaller_window_is_drawn_anew(start: Start) -> None:
    screen = start(100, 30)
    screen.write(CAPTURE[: inside(2)])
    screen.shows("iteration 1")
    for columns, rows in (60, 12), (132, 40), (20, 5):
        screen.resize(columns, rows)
        shown = screen.shows("xenmig")
        assert len(shown) == rows
        assert all(len(line) == columns for line in shown)
        if rows > 10:
            screen.shows("now       iteration 1")
    screen.press(b"\x03")
    assert screen.ended() == 130


def test_ctrl_c_gives_the_terminal_back_and_prints_what_is_known(start: Start) -> None:
    screen = start()
    screen.write(CAPTURE[: inside(2)])
    screen.shows("iteration 1")
    screen.press(b"\x03")
    assert screen.ended() == 130
    assert screen.raw.count(LEAVE) == 1
    after = screen.raw.partition(LEAVE)[2]
    assert after.startswith(b"ended: interrupted\r\n\r\nstandard input: migration 1, ")
    assert b"cut off: the capture ends inside record" in after


def test_a_signal_and_a_stop_give_it_back_too(start: Start) -> None:
    screen = start()
    screen.write(CAPTURE[: inside()])
    screen.shows("iteration 0")
    # Nobody is there to continue a process of a session of its own, so the kernel lets it go on at once.
    screen.signal(signal.SIGTSTP)
    deadline = time.monotonic() + PATIENCE
    while screen.raw.count(ENTER) < 2:
        assert time.monotonic() < deadline
        screen.look(0.05)
    assert screen.raw.count(LEAVE) == 1
    screen.signal(signal.SIGTERM)
    assert screen.ended() == 143
    assert screen.raw.count(LEAVE) == 2
    assert screen.raw.rindex(SHOWN) > screen.raw.rindex(HIDDEN)


def test_it_is_drawn_ten_times_a_second_at_most_and_only_when_something_changed(start: Start) -> None:
    screen = start()
    screen.shows("waiting")
    frames = frames_of(CAPTURE)
    whole = pcap(frames)
    screen.write(whole[:24])
    before, begun = screen.raw.count(HOME), time.monotonic()
    at = 24
    for frame in frames[:60]:
        screen.write(whole[at : at + 16 + len(frame)])
        at += 16 + len(frame)
        time.sleep(0.02)
    screen.look(0.2)
    assert 2 <= screen.raw.count(HOME) - before <= 10 * (time.monotonic() - begun) + 2
    screen.shows("nothing for 1 s")
    drawn, idle = screen.raw.count(HOME), time.monotonic()
    while time.monotonic() < idle + 1.5:
        screen.look(0.1)
    # The seconds go on, and nothing else does.
    assert 1 <= screen.raw.count(HOME) - drawn <= 3


def test_no_color_leaves_only_positions(start: Start) -> None:
    for environment, bold in ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True):
        screen = start(environment=environment)
        screen.write(CAPTURE)
        assert screen.end() == 0
        assert (BOLD in screen.raw) is bold


def test_a_dumb_terminal_gets_lines(start: Start) -> None:
    screen = start(environment={"TERM": "dumb"})
    screen.write(CAPTURE)
    assert screen.end() == 0
    assert b"\x1b" not in screen.raw
    assert b"migration 1  iteration 0 begins\r\n" in screen.raw


def test_several_migrations_share_the_screen(start: Start) -> None:
    one, two = frames_of(conversation(STREAM, port=40000)), frames_of(conversation(STREAM, port=40001))
    mixed = [frame for pair in zip(one[:90], two[:90], strict=True) for frame in pair]
    screen = start()
    screen.write(pcap(mixed))
    screen.shows("migration 1  10.0.0.1:40000")
    screen.shows("migration 2  10.0.0.1:40001")
    assert screen.end() == 0


def test_text_from_a_stream_cannot_draw(start: Start) -> None:
    config = b'{"c_info": {"name": "\\u001b[2J\\u001b[31m\\u202eevil"}}\0'
    hostile = StreamBuilder().xl(config).raw(guest("libxl", iterations=(10, 10)).data).data
    screen = start()
    screen.write(conversation(hostile))
    screen.shows("evil")
    assert screen.end() == 0
    assert b"\x1b[2J" not in screen.raw
    assert b"\x1b[31m" not in screen.raw
    assert "\u202e".encode() not in screen.raw
