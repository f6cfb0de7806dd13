"""The progress bar: on a terminal, after a while, and never in the way."""

from __future__ import annotations

import io
import sys
import time

import pytest

from tests.captures import BytesInput
from xenmig.core.cli import progress
from xenmig.core.cli.progress import Progress


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def __init__(self, *, terminal: bool = True) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    monkeypatch.setattr(progress, "INTERVAL", 0.01)


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool = True, streaming: bool = False, wait: bool = True) -> str:
    """What is written to the standard error while an input is read."""
    error = Terminal(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", error)
    monkeypatch.setattr(sys, "stdout", Terminal())
    source = BytesInput(bytes(1000))
    with Progress(source, streaming=streaming):
        source.read(500)
        deadline = time.monotonic() + (60 if wait else 0.3)
        while "%" not in error.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    return error.getvalue()


def test_a_bar_appears_on_a_terminal_and_is_cleared_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    output = shown(monkeypatch)
    assert "%|" in output
    assert output.endswith("\r")
    assert output.split("\r")[-2].strip() == ""


def test_there_is_none_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, terminal=False, wait=False) == ""


def test_there_is_none_between_results_on_the_same_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, streaming=True, wait=False) == ""


def test_there_is_none_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert shown(monkeypatch, wait=False) == ""


def test_a_short_reading_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    assert shown(monkeypatch, wait=False) == ""
