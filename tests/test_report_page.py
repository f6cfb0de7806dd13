"""The page that ``xenmig report`` writes: one well-formed file, with nothing in it that runs or loads."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.command import conversation
from tests.corpus import corpus, pcaps, requires_corpus
from tests.reports import parsed, report
from tests.streams import CONFIG, PAGE_DATA, VARIETIES, StreamBuilder, guest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus import Sample
    from tests.reports import Element

LARGEST = 1_000_000
"Characters that a page of a real capture may have; the largest here is a tenth of it."

NAMES = (
    "<script>document.title = 'run'</script>",
    '"><img src=x onerror="document.title = \'run\'">',
    "</style></title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% for i in range(9) %}&lt;b&gt;&amp;amp;",
    "\x1b[31m\x00\x07\x7f\x9b",
    "\u202egnp.exe\u2066\u200f",
    "\ud800",
    "x" * 100_000,
    "`javascript:alert(1)`' onmouseover='alert(1)",
)
"Names that a guest may have."


def named(name: str) -> bytes:
    """A capture of the migration of a guest of that name."""
    built = guest(iterations=(100, 60, 20), per_batch=1024).data
    config = json.dumps({"c_info": {"name": name, "uuid": name, "type": name}}).encode() + b"\0"
    head = StreamBuilder().xl(config).data
    return conversation(head + built[len(StreamBuilder().xl().data) :])


def assert_harmless(page: str) -> Element:
    """Nothing in the page runs, loads or presents itself from elsewhere; returns its tree."""
    root = parsed(page)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "article", "figure",
        "figcaption", "fieldset", "legend", "label", "input", "span", "p", "h1", "h2", "h3", "h4", "ul", "li", "dl",
        "dt", "dd", "div", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "code", "bdi", "nav", "a",
        "svg", "g", "path", "text", "use", "defs", "clippath", "rect", "desc", "tspan",
    }  # fmt: skip
    pending = list(root.children)
    while pending:
        element = pending.pop()
        if isinstance(element, str):
            continue
        pending += element.children
        assert element.tag in allowed
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert name not in ("src", "style", "srcset", "action", "formaction", "ping", "data")
            if name == "href":
                assert (value or "").startswith("#")
    assert not re.search(r"url\((?!#)|@import|image-set", page)
    (style,) = root.all("style")
    digest = base64.b64encode(hashlib.sha256("".join(map(str, style.children)).encode()).digest()).decode()
    policies = [one.attributes["content"] for one in root.all("meta") if "http-equiv" in one.attributes]
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]
    return root


@pytest.mark.parametrize("sample", pcaps(), ids=repr)
def test_every_sample_makes_a_page(sample: Sample, tmp_path: Path) -> None:
    page = report(sample.unpacked(), tmp_path / "report.html")
    assert len(page) < LARGEST
    root = assert_harmless(page)
    assert list(root.all("svg"))
    names = [
        one.attributes["id"]
        for tag in ("title", "desc", "clippath", "path")
        for one in root.all(tag)
        if "id" in one.attributes
    ]
    assert len(names) == len(set(names))


@requires_corpus
def test_every_file_of_the_corpus_makes_a_page(tmp_path: Path) -> None:
    for sample in corpus():
        page = report(sample.path, tmp_path / "report.html")
        assert len(page) < LARGEST, sample
        assert_harmless(page)


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_kind_of_stream_makes_a_page(variety: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(VARIETIES[variety].data)
    root = assert_harmless(report(path, tmp_path / "report.html"))
    assert "no times" in root.text


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_text_from_a_stream_stays_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(named(name))
    page = report(path, tmp_path / "report.html")
    assert_harmless(page)
    assert len(page) < 200_000
    assert page.replace("\n", "").isprintable()


def test_the_title_says_whose_migration_it_is(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(named("<b>db & web</b>"))
    root = parsed(report(path, tmp_path / "report.html"))
    (heading,) = root.all("h1")
    assert heading.text == "Migration of <b>db & web</b>"


def test_the_same_input_makes_the_same_page(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(named("twice"))
    assert report(path, tmp_path / "one.html") == report(path, tmp_path / "two.html")


def test_a_page_holds_no_guest_memory(tmp_path: Path) -> None:
    built = StreamBuilder().xl(CONFIG).libxl().record(1).libxc().static_data(3)
    built.pages(range(3), fill=b"SECRET-of-the-guest")
    built.hvm_state().record(0).back_to_libxl().record(0)
    memory = built.at(PAGE_DATA).offset + 1000
    # Cut, and shifted so that guest memory stands where a record should.
    for number, data in enumerate((built.data, built.data[:-9000], built.data[:memory] + built.data[memory + 24 :])):
        path = tmp_path / f"stream-{number}"
        path.write_bytes(data)
        page = report(path, tmp_path / "report.html")
        for secret in (b"SECRET", b"guestSEC"):
            for shown in (secret.decode(), secret.hex(), secret.hex(" "), base64.b64encode(secret).decode()[:8]):
                assert shown not in page
