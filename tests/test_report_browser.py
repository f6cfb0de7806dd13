"""The report's page as a browser has it: nothing asked of the network, nothing in the console, text that is text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chromium import Chromium, requires_chromium
from tests.corpus import samples
from tests.reports import report_of
from tests.test_report_page import NAMES, report_of_guest, where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.corpus import Sample

pytestmark = requires_chromium

OVERLAPS = """
(() => {
  const found = [];
  for (const svg of document.querySelectorAll(".plot svg")) {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) continue;
    const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
    texts.forEach(([text, box], place) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) found.push(`${text} leaves its plot`);
      for (const [other, second] of texts.slice(place + 1))
        if (box.left < second.right - 1 && second.left < box.right - 1 &&
            box.top < second.bottom - 2 && second.top < box.bottom - 2) found.push(`${text} over ${other}`);
    });
  }
  return found;
})()
"""
"Labels of the plots that are shown which lie over each other or leave their plot."

CONTRASTS = """
(() => {
  const channels = colour => colour.match(/[0-9.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (channels(colour)[3] !== 0) return channels(colour);
    }
  };
  const low = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("svg, legend")) continue;
    const pair = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort();
    if ((Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5) low.add(texts.currentNode.data.trim());
  }
  return [...low];
})()
"""
"Texts outside the plots whose contrast is below what WCAG 2, 1.4.3, asks for."


ENLARGED = """
(() => {
  const large = {"start (s)": "9999.123456", "end (s)": "9999.123456", "pfns": "33,554,432", "pages": "33,554,432",
    "sent again": "33,554,432", "bytes": "137,438,953,472", "on the wire": "139,438,953,472",
    "throughput": "1,234.5 MB/s", "sent": "283,672/s", "dirtied": "283,672/s",
    "frames": "<span>12345678-</span><span>12345699</span>"};
  const table = document.querySelector("details.timeline table");
  const names = [...table.querySelectorAll("thead th")].map(cell => cell.textContent);
  for (const row of table.tBodies[0].rows)
    [...row.cells].forEach((cell, at) => { if (names[at] in large) cell.innerHTML = large[names[at]]; });
})()
"""
"Puts numbers as of a guest of 128 GiB into the table of phases."
SCROLLS = "(box => box.scrollWidth > box.clientWidth)(document.querySelector('details.timeline .scroll'))"
"Whether the table of phases is wider than its box."


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    found = Chromium(tmp_path_factory.mktemp("chromium"))
    yield found
    found.close()


@pytest.mark.parametrize("sample", samples(), ids=where)
def test_a_page_asks_for_nothing_and_draws_without_overlaps(sample: Sample, browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_of(sample), encoding="utf-8")
    for width, dark in ((1280, False), (420, True)):
        browser.open(path, width=width, dark=dark)
        assert browser.requests == [path.as_uri()]
        assert browser.complaints == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate(OVERLAPS) == []
        assert browser.evaluate(CONTRASTS) == []


@pytest.mark.parametrize("dark", [False, True])
def test_the_table_of_phases_fits_a_window_and_scrolls_in_its_own_box_on_a_telephone(
    dark: bool, browser: Chromium, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_of_guest("guest"), encoding="utf-8")
    for width in (1280, 420):
        browser.open(path, width=width, dark=dark)
        browser.evaluate(ENLARGED)
        assert browser.evaluate("document.querySelector('details.timeline td.frames').textContent").endswith("699")
        assert browser.evaluate(SCROLLS) is (width == 420)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_text_is_shown_and_not_obeyed(browser: Chromium, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{number}.html"
        path.write_text(report_of_guest(name), encoding="utf-8")
        browser.open(path, width=420)
        assert browser.requests == [path.as_uri()]
        assert browser.complaints == []
        assert browser.evaluate("document.querySelectorAll('script, img, svg[onload], [onerror]').length") == 0
        assert browser.evaluate("document.documentElement.scrollWidth") <= 420
        heading = browser.evaluate("document.querySelector('h1').textContent")
        assert heading == browser.evaluate("document.title")
        if name.isprintable() and len(name) < 200:
            assert heading == f"Migration of {name}"


def test_the_page_follows_the_system_and_the_reader(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report_of_guest(NAMES[0]), encoding="utf-8")
    ground = "getComputedStyle(document.body).backgroundColor"
    label = "getComputedStyle(document.querySelector('.plot text')).fill"
    browser.open(path)
    light = browser.evaluate(ground), browser.evaluate(label)
    browser.open(path, dark=True)
    dark = browser.evaluate(ground), browser.evaluate(label)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    browser.evaluate("document.querySelector('#theme-light').click()")
    assert (browser.evaluate(ground), browser.evaluate(label)) == light
    browser.evaluate("document.querySelector('#theme-dark').click()")
    assert (browser.evaluate(ground), browser.evaluate(label)) == dark
    assert browser.complaints == []


def test_the_browser_would_have_told(browser: Chromium, tmp_path: Path) -> None:
    """What the tests above rely on: complaints and requests are seen."""
    path = tmp_path / "page.html"
    path.write_text("<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\"><script>1</script>")
    browser.open(path)
    assert any("Content Security Policy" in one for one in browser.complaints)
    path.write_text("<img src='nowhere.png'><script>throw new Error('thrown')</script>")
    browser.open(path)
    assert any("thrown" in one for one in browser.complaints)
    assert (tmp_path / "nowhere.png").as_uri() in browser.requests
