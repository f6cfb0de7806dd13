"""Counts read well when there is one: "1 byte", never "1 bytes"."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import conversation, xenmig
from tests.streams import READY, guest
from xenmig.core.check.rules import RULES
from xenmig.core.quantity import be, quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

CORE = Path(__file__).parent.parent / "core"
NOUNS = (
    "acknowledgments|bits|bytes|channels|checkpoints|components|connections|directions|duplicates|entries|frames|items|iterations|leaves|lines"
    "|migrations|pages|passes|pfns|ranges|records|rows|sections|segments|streams|threads|times|types|vcpus|ways"
)
PLURAL = re.compile(rf" (?:[a-z-]+ )?({NOUNS})\b")
NEVER_ONE = {
    "core/analysis/guest.py: len(text)": "more than LARGEST_CONFIGURATION",
    "core/check/cpu_policy.py: len(leaves)": "more than LEAVES_MAX",
    "core/check/hvm_context.py: bits": "at least 32",
    "core/check/hvm_context.py: data.msr_mtrr_cap & 255": "more than 8",
    "core/check/memory.py: event.count": "more than MAX_BATCH_SIZE",
    "core/definitions/decoding.py: path": "a name",
    "core/definitions/reference.py: ', '.join((str(length) for length in layout.lengths))": "a list",
    "core/report/page.py: len(subjects)": "another title says that there is one",
    "core/report/summary.py: ratio": "a fraction",
    "core/cli/timelinetext.py: memory.ratio": "a fraction",
    "core/sources/connection.py: self.length": "for developers",
    "core/cli/extracting.py: count": "for developers",
    "core/sources/notice.py: self.count": "said when there are several",
    "core/sources/pcap.py: captured": "more than any capture program writes",
    "core/sources/pcapng.py: total": "at least 12",
    "core/sources/pcapng.py: captured": "more than the block has room for",
    "core/cli/values.py: len(text)": "more than are shown",
}
"Numbers in front of a plural that are never one, and why."


def plurals(path: Path) -> Iterator[str]:
    """The numbers that the texts of a module put in front of a plural."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for number, text in zip(node.values, node.values[1:], strict=False):
            if not isinstance(number, ast.FormattedValue) or not isinstance(text, ast.Constant):
                continue
            shown = ast.unparse(number.value)
            # Constants, and what is itself made of words, are no counts that may be one.
            words = re.match(r"(count|quantity|be|_many)\(", shown) or re.search(r"\b[A-Z][A-Z_]+$", shown)
            if PLURAL.match(str(text.value)) and not words:
                yield f"{path.relative_to(CORE.parent)}: {shown}"


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "byte", "0 bytes"),
        (1, "byte", "1 byte"),
        (2, "dirty page", "2 dirty pages"),
        (1, "dirty page", "1 dirty page"),
        (1, "entry", "1 entry"),
        (3, "CPUID leaf", "3 CPUID leaves"),
        (1540, "entry", "1540 entries"),
    ],
)
def test_a_noun_goes_with_its_number(number: int, noun: str, text: str) -> None:
    assert quantity(number, noun) == text


def test_large_numbers_are_grouped_on_request_and_the_verb_goes_with_the_number() -> None:
    assert quantity(1_540_000, "page", ",") == "1,540,000 pages"
    assert [be(number) for number in (0, 1, 2)] == ["are", "is", "are"]


def test_no_text_puts_a_number_that_may_be_one_in_front_of_a_plural() -> None:
    found = {one for path in sorted(CORE.rglob("*.py")) for one in plurals(path)}
    assert found - set(NEVER_ONE) == set()
    assert set(NEVER_ONE) - found == set(), "is no longer there"


def test_messages_of_rules_count_by_a_noun_that_goes_with_the_number() -> None:
    assert not [
        rule.id for rule in RULES.values() if re.search(rf"{{(?!what)\w+}} ([a-z]+ )?({NOUNS})\b", rule.message)
    ]
    rule = RULES["trailing-data"]
    words = {"expected": None, "data": "00"}
    assert rule.told({**words, "actual": 1}).startswith("1 byte after the stream's END")
    assert rule.told({**words, "actual": 20}).startswith("20 bytes after the stream's END")


def test_a_migration_of_one_page_and_one_record_is_told_in_the_singular(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(guest(iterations=(5, 1, 1), per_batch=1024).data))
    out = xenmig("timeline", "--convergence", path).out + xenmig("show", path, "0").out
    assert "1 dirty page, fewer than" in out
    assert not re.search(rf"(?<![\d.,])1 ([a-z]+ )?({NOUNS})\b(?! \.\.\.)", out)
    path.write_bytes(READY[:1])
    assert "1 bytes" not in xenmig("verify", path).out + xenmig("verify", path).err
