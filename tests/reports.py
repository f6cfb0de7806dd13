"""Reports made in this process, and their pages taken apart without a browser."""

from __future__ import annotations

import functools
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from xenmig.core.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.corpus import Sample

VOID = {"meta", "input", "br"}
"HTML elements that have no end tag."


def report(path: Path, output: Path, *options: str, code: int = 0) -> str:
    """Make a report of ``path`` and return its page."""
    assert main(["report", str(path), "-o", str(output), *options]) == code
    return output.read_text(encoding="utf-8")


def report_of(sample: Sample) -> str:
    """The page about a sample, which several tests look at."""
    return _report_of(sample.unpacked())


@functools.cache
def _report_of(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return report(path, Path(folder) / "report.html")


class Element:
    """An element of a page."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        """All text in it, white space folded."""
        pieces = (child if isinstance(child, str) else child.text for child in self.children)
        return " ".join("".join(pieces).split())

    def all(self, tag: str, of_class: str = "") -> Iterator[Element]:
        """The elements of that name inside it, in document order."""
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and of_class in (child.attributes.get("class") or ""):
                    yield child
                yield from child.all(tag, of_class)


class Parser(HTMLParser):
    """Builds the tree of a page, and fails where tags do not match or an attribute comes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"{tag} has an attribute twice: {attrs}"
        element = Element(tag, attributes)
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> where </{self._open[-1].tag}> should stand"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def parsed(page: str) -> Element:
    """The page as a tree; fails when it is not well-formed."""
    parser = Parser()
    parser.feed(page)
    parser.close()
    assert parser._open == [parser.root], [element.tag for element in parser._open]
    return parser.root
