"""The page that ``xenmig report`` writes: one well-formed file, with nothing in it that runs or loads."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings, strategies

from tests.captures import pcap
from tests.command import conversation, xenmig
from tests.corpus import corpus, requires_corpus, samples
from tests.migrations import Migrations, segments
from tests.reports import parsed, report, report_of
from tests.streams import BANNER, CONFIG, PAGE_DATA, TSC_INFO, VARIETIES, StreamBuilder, checkpointed, guest
from xenmig.core.check.rules import RULES
from xenmig.core.cli.main import main
from xenmig.core.cli.units import duration
from xenmig.core.report import page as page_module
from xenmig.core.report.page import MOST_SPANS
from xenmig.core.report.records import MOST_ROWS

if TYPE_CHECKING:
    from tests.corpus import Sample
    from tests.reports import Element

LARGEST = 1_000_000
"Characters that a page of a real capture may have; the largest here has a quarter of that."

NAMES = (
    "<script>document.title = 'run'</script>\"><img src=x onerror=\"document.title = 'run'\">' onmouseover='alert(1)",
    "</style></title><svg onload=alert(1)>{{ 7 * 7 }}{% for i in range(9) %}&lt;b&gt;&amp;amp;",
    "\x1b[31m\x00\x07\x7f\x9b\u202egnp.exe\u2066\u200f\ud800",
    "x" * 30_000,
)
"Names that a guest may have."


def where(sample: Sample) -> str:
    return f"{sample.path.parent.name}-{sample.name}"


WHOLE = [
    conversation(guest(iterations=(20, 9, 2), per_batch=1024).data),
    conversation(guest(kind="PV", iterations=(20, 9, 2)).data, said=("banner", "ready")),
    conversation(checkpointed(4).data, said=("banner",)),
    guest("libvirt", iterations=(9,)).data,
]
"Captures, and a stream, of which something is to be damaged."


def named(name: str) -> bytes:
    """A capture of the migration of a guest of that name."""
    built = guest(iterations=(100, 60, 20), per_batch=1024).data
    config = json.dumps({"c_info": {"name": name, "uuid": name, "type": name}}).encode() + b"\0"
    head = StreamBuilder().xl(config).data
    return conversation(head + built[len(StreamBuilder().xl().data) :])


@functools.cache
def report_of_guest(name: str) -> str:
    """The page about the migration of a guest of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture"
        path.write_bytes(named(name))
        return report(path, Path(folder) / "report.html")


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


@pytest.mark.parametrize("sample", samples(), ids=where)
def test_every_sample_makes_a_page(sample: Sample) -> None:
    page = report_of(sample)
    assert len(page) < LARGEST
    root = assert_harmless(page)
    assert list(root.all("svg"))
    identified = (one for tag in ("title", "desc", "clippath", "path") for one in root.all(tag))
    names = [one.attributes["id"] for one in identified if "id" in one.attributes]
    assert len(names) == len(set(names))


@requires_corpus
def test_the_corpus_is_there() -> None:
    assert corpus()


@pytest.mark.parametrize(
    "variety",
    [
        "xl HVM live",
        "xl HVM verify",
        "xl PV version 2",
        "libvirt HVM big endian",
        "libxl PVH",
        "libxc HVM",
        "Remus",
        "COLO",
    ],
)
def test_every_kind_of_stream_makes_a_page(variety: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(VARIETIES[variety].data)
    root = assert_harmless(report(path, tmp_path / "report.html"))
    asked = [next(iter(answer.all("h3"))).text for answer in root.all("section", "answer")]
    assert asked == ["Is it all there?", "Is the stream sound?", "How large is it?"]
    assert "no times" in root.text
    assert "What the bytes of the stream are" in [figure.text for figure in root.all("h3")]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_text_from_a_stream_stays_text(name: str) -> None:
    page = report_of_guest(name)
    assert_harmless(page)
    assert len(page) < 100_000
    assert page.replace("\n", "").isprintable()


def test_the_title_says_whose_migration_it_is(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(named("<b>db & web</b>"))
    root = parsed(report(path, tmp_path / "report.html"))
    (heading,) = root.all("h1")
    assert heading.text == "Migration of <b>db & web</b>"


def test_the_same_input_makes_the_same_page(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(named(NAMES[0]))
    assert report(path, tmp_path / "report.html") == report_of_guest(NAMES[0])


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


def table(root: Element, of_class: str) -> list[dict[str, str]]:
    """The rows of a table by the heads of its columns."""
    (found,) = root.all("details", of_class)
    heads = [head.text for head in found.all("th")]
    body = next(iter(found.all("tbody")))
    return [dict(zip(heads, [cell.text for cell in row.all("td")], strict=False)) for row in body.all("tr")]


@pytest.mark.parametrize("sample", samples(), ids=where)
def test_its_numbers_are_those_of_the_timeline(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    root = parsed(report_of(sample))
    assert main(["timeline", "--json", str(sample.unpacked())]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["migrations"]
    answered = {one.text: value.text for one, value in zip(root.all("h3"), root.all("p", "value"), strict=False)}
    captured = facts["source"] is not None
    if captured:
        assert answered["Who owns the guest now?"].lower() == facts["owner"]
    rows = table(root, "timeline")
    spans = facts["spans"]
    if len(spans) > MOST_SPANS:
        spans = spans[: MOST_SPANS // 2] + spans[-MOST_SPANS // 2 :]
    for row, span in zip(rows, spans, strict=True):
        assert row["what"].startswith(span["name"])
        assert row["bytes"] == (f"{span['bytes']:,}" if span["bytes"] else "")
        pass_ = facts["iterations"][span["iteration"]] if span["iteration"] is not None else None
        if pass_ is not None:
            shown = [row[key] for key in ("pfns", "pages", "sent again")]
            assert shown == [f"{pass_[key]:,}" for key in ("pfns", "pages", "sent_again")]
        if captured:
            assert row["on the wire"] == ("" if span["wire_bytes"] is None else f"{span['wire_bytes']:,}")
            assert [row["start (s)"], row["end (s)"]] == [f"{span[key]:.6f}" for key in ("start", "end")]
            assert row["frames"] == "-".join(map(str, dict.fromkeys((span["first_frame"], span["last_frame"]))))
    assert f"{facts['bytes']:,} bytes, {facts['records']:,} records" in root.text
    paused = facts["downtime"]
    if paused is not None:
        assert duration(paused["lower"]) in next(iter(root.all("div", "answers"))).text
    for step in facts["downtime_steps"]:
        assert duration(step["seconds"]) in [text.text for text in root.all("text")]


def test_findings_say_what_where_why_and_who_refuses(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    built = guest()
    path.write_bytes(built.replaced(built.at(TSC_INFO).offset + 8, b"\x09"))
    root = parsed(report(path, tmp_path / "report.html"))
    (stream,) = xenmig("verify", "--json", path).json["streams"]
    (finding,) = stream["findings"]
    (shown,) = root.all("article")
    rule = RULES[finding["rule"]]
    for text in (rule.id, rule.severity, rule.reason, rule.source, rule.receivers, finding["message"]):
        assert " ".join(text.split()) in shown.text
    assert f"record {finding['record']}, offset 0x{finding['offset']:x}" in shown.text


def test_a_failed_migration_says_so_first(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(conversation(guest(iterations=(100, 60, 20), per_batch=1024).data, status=3, given_back=True))
    root = parsed(report(path, tmp_path / "report.html"))
    first = next(iter(root.all("section", "answer")))
    assert first.attributes["class"] == "answer bad"
    assert first.text.startswith("Did it work?Failedthe receiver could not start the guest, its status is 3 (FAIL)")


def test_each_migration_of_a_capture_has_its_part_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "SUBJECTS_IN_FULL", 2)
    found = Migrations()
    for number in range(3):
        data = guest(iterations=(9, 4, 1 + number)).data
        found.add(segments(data, 9000), start=1000 + number)
    root = assert_harmless(report(found.write(tmp_path / "capture"), tmp_path / "report.html"))
    assert [one.text for one in root.all("h1")] == ["3 migrations"]
    (overview,) = root.all("nav")
    assert len(list(overview.all("tr"))) == 4
    assert [one.attributes["href"] for one in overview.all("a")] == [
        f"#{one.attributes['id']}" for one in root.all("section", "migration")
    ]
    assert len(list(root.all("section", "migration"))) == 2


def test_a_page_stays_small_whatever_comes(tmp_path: Path) -> None:
    built = StreamBuilder().xl(CONFIG).libxl().record(1).libxc().static_data(3)
    for _ in range(3000):
        built.pages([5])
    for number in range(3000):
        built.record(0x80000077 + number, b"x" * 64)
    path = tmp_path / "stream"
    path.write_bytes(conversation(built.data))
    page = report(path, tmp_path / "report.html")
    assert len(page) < LARGEST
    root = assert_harmless(page)
    assert len(list(root.all("tr"))) < MOST_ROWS + MOST_SPANS + 100
    assert "more rows" in root.text


@pytest.mark.parametrize("step", [0, -(10**6), 10**15])
def test_times_may_stand_still_run_backwards_or_leap(step: int, tmp_path: Path) -> None:
    frames = Migrations().add(segments(guest(iterations=(100, 60, 20)).data, 9000), BANNER).frames
    path = tmp_path / "capture"
    path.write_bytes(pcap(frames, step=step))
    assert_harmless(report(path, tmp_path / "report.html"))


@pytest.mark.fuzz
@settings(max_examples=max(6, settings().max_examples // 16))
@given(data=strategies.data())
def test_whatever_is_damaged_the_page_is_well_formed_and_harmless(data: strategies.DataObject) -> None:
    whole = bytearray(data.draw(strategies.sampled_from(WHOLE)))
    for _ in range(data.draw(strategies.integers(1, 12))):
        whole[data.draw(strategies.integers(24, len(whole) - 1))] = data.draw(strategies.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "capture", Path(folder) / "report.html"
        path.write_bytes(whole[: data.draw(strategies.integers(len(whole) // 2, len(whole)))])
        # 2: nothing was found, or the capture is damaged.
        assert main(["report", str(path), "-o", str(output)]) in (0, 2)
        if output.exists():
            assert_harmless(output.read_text(encoding="utf-8"))
