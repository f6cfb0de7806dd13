"""Real streams are sound: an error or a warning on one of them would be a false alarm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.corpus import Sample, corpus, pcaps
from xenmig.core.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator


def findings(found: Any) -> Iterator[dict[str, Any]]:
    """Everything with a severity, wherever it stands in the answer."""
    if isinstance(found, dict):
        if "severity" in found:
            yield found
        for one in found.values():
            yield from findings(one)
    elif isinstance(found, list):
        for one in found:
            yield from findings(one)


@pytest.mark.parametrize("deep", [[], ["--deep"]], ids=["", "deep"])
@pytest.mark.parametrize("one", pcaps() + corpus(), ids=lambda one: f"{one.path.parent.name}-{one.name}")
def test_no_real_stream_has_an_error_or_a_warning(
    one: Sample, deep: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["verify", "--json", *deep, str(one.unpacked())])
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [(finding["severity"], finding["rule"]) for finding in findings(printed) if finding["severity"] != "note"]
    # The guest that rebooted instead of suspending leaves a stream without an end.
    died = "failed-guest-died" in one.name
    assert found == ([("error", "stream-truncated")] if died else [])
    assert code == int(died)
    assert printed
