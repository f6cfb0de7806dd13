"""The command ``rules``, and ``verify`` where it looks inside the bodies."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.bodies import HVM, PV, PVH
from tests.command import xenmig
from tests.corpus import requires_corpus, sample
from xenmig.core.check.rules import RULES

if TYPE_CHECKING:
    from pathlib import Path


def test_every_rule_is_listed_with_its_reason_and_source() -> None:
    out = xenmig("rules").out
    assert len(RULES) > 50
    for rule in RULES.values():
        assert f"{rule.id} ({rule.severity}): {rule.title}\n" in out
        assert f"  why      {rule.reason}\n  source   {rule.source}\n  refused  {rule.receivers}\n" in out


def test_json_has_an_object_for_every_rule() -> None:
    lines = xenmig("rules", "--json").lines
    assert [one["id"] for one in lines] == list(RULES)
    assert all(set(one) == {"id", "severity", "title", "reason", "source", "receivers"} for one in lines)
    assert {one["severity"] for one in lines} == {"error", "warning", "note"}


def test_one_rule_can_be_asked_for() -> None:
    lines = xenmig("rules", "--json", "body-length").lines
    assert [one["id"] for one in lines] == ["body-length"]


def test_rules_of_one_severity_can_be_asked_for() -> None:
    lines = xenmig("rules", "--json", "--severity", "note").lines
    assert {one["severity"] for one in lines} == {"note"}


def test_a_rule_that_does_not_exist_is_refused() -> None:
    result = xenmig("rules", "no-such\x1brule")
    assert result.code == 2
    assert "there is no rule no-such\\x1brule" in result.err
    assert not result.out


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A real stream in whose HVM_CONTEXT one bit of the header's version is wrong."""
    data = bytearray(sample(PVH).unpacked().read_bytes())
    version = data.index(struct.pack("<HHIII", 1, 0, 24, 0x54381286, 1)) + 12
    data[version] ^= 2
    path = tmp_path / "stream"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", [PVH, PV, HVM])
@requires_corpus
def test_real_streams_are_sound_inside(name: str) -> None:
    result = xenmig("verify", "--json", sample(name).unpacked())
    assert result.code == 0
    assert [one["findings"] for one in result.json["streams"]] == [[]]


@requires_corpus
def test_verify_looks_inside_bodies_unless_only_the_framing_is_asked_for(broken: Path) -> None:
    assert xenmig("verify", "--framing", broken).code == 0
    result = xenmig("verify", "--json", broken)
    assert result.code == 1
    (stream,) = result.json["streams"]
    assert len(stream["findings"]) == 1
    assert "version" in stream["findings"][0]["message"]


@requires_corpus
def test_verify_explains_the_rules_of_bodies_when_verbose(broken: Path) -> None:
    result = xenmig("verify", "-v", broken)
    assert result.code == 1
    assert "why: " in result.out


def test_the_help_of_verify_says_what_framing_leaves_out() -> None:
    out = " ".join(xenmig("verify", "--help").out.split())
    assert "--framing check only what verify-stream-v2 looks at" in out
