"""A figure as a file, and as an SVG element that is part of the page and takes its colours."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring, register_namespace, tostring

from xenmig.core.report.drawing import TIP, WIDE, style
from xenmig.core.report.palette import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from xenmig.core.report.drawing import Plot, Width

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_HREF = f"{_XLINK}href"
_NUMBER = re.compile(r"-?\d+\.\d+")
_SPACE = re.compile(r"\s+")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_FAMILY = re.compile(r"font-family: [^;]*; ?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
register_namespace("", _SVG.strip("{}"))
register_namespace("xlink", _XLINK.strip("{}"))
PNG_SCALE = 2
"Pixels of a PNG for each pixel of the page: sharp on dense screens and on paper."


class Styles:
    """Presentation of the elements of all plots in a page, as classes: the page's policy allows no style attributes."""

    __slots__ = ("_classes",)

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def name(self, declarations: str) -> str:
        """The class that stands for these declarations."""
        return self._classes.setdefault(declarations, f"d{len(self._classes)}")

    @property
    def text(self) -> str:
        """All classes as CSS."""
        return "".join(f".plot .{name}{{{declarations}}}" for declarations, name in self._classes.items())


def file(plot: Plot, width: Width, format: str) -> bytes:
    """The plot with its title, as the contents of a file on light ground; ``format`` is "svg" or "png"."""
    with style():
        drawn = plot.draw(width)
        drawn.suptitle(plot.title, x=0.006, ha="left", fontsize=14, fontweight="bold")
        if format == "svg":
            return tostring(_svg(drawn, plot.title))
        out = io.BytesIO()
        drawn.savefig(out, format=format, dpi=drawn.dpi * PNG_SCALE, metadata={"Title": plot.title})
    return out.getvalue()


def _svg(drawn: Figure, title: str) -> Element:
    """A figure as an SVG document, in which elements with a tip have it as their title."""
    out = io.BytesIO()
    drawn.savefig(out, format="svg", metadata={"Date": None, "Title": title})
    root = fromstring(out.getvalue())  # noqa: S314 - matplotlib wrote it
    for element in root.iter():
        text = element.get("id", "")
        if text.startswith(TIP):
            del element.attrib["id"]
            tip = Element(f"{_SVG}title")
            tip.text = text.removeprefix(TIP)
            element.insert(0, tip)
    return root


def inline(plot: Plot, width: Width, prefix: str, styles: Styles) -> str:
    """The plot as an ``svg`` element. ``prefix`` makes its ids unlike all others in the page."""
    with style():
        root = _svg(plot.draw(width), plot.title)
    _prune(root)
    for element in [root] if width is WIDE else [*root.iter()]:
        # Its own title is another; and where fingers point, nothing hovers.
        for title in element.findall(f"{_SVG}title"):
            element.remove(title)
    referenced = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _settle(element, referenced, prefix, styles)
    title, description = Element("title"), Element("desc")
    title.text, description.text = plot.title, plot.description
    title.set("id", f"{prefix}-title")
    description.set("id", f"{prefix}-desc")
    root[:0] = [title, description]
    box = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update(
        {
            "class": width.name,
            "viewBox": box,
            "role": "img",
            "aria-labelledby": f"{prefix}-title {prefix}-desc",
        }
    )
    return tostring(root, encoding="unicode")


def _prune(element: Element) -> None:
    """Take out what is for files: metadata, styles for the whole document, the white ground, empty groups."""
    for child in list(element):
        _prune(child)
        tag = child.tag.removeprefix(_SVG)
        ground = child.get("id") == "patch_1" and element.get("id") == "figure_1"
        if tag in ("metadata", "style") or ground or (tag in ("g", "defs") and not len(child)):
            element.remove(child)


def _references(element: Element) -> Iterator[str]:
    target = element.get(_HREF)
    if target:
        yield target.lstrip("#")
    for value in element.attrib.values():
        yield from _REFERENCE.findall(value)


def _settle(element: Element, referenced: set[str], prefix: str, styles: Styles) -> None:
    element.text = (element.text or "").strip() or None
    element.tail = None
    given = dict(element.attrib)
    element.attrib.clear()
    for name, value in given.items():
        if name == "id":
            if value in referenced:
                element.set("id", f"{prefix}-{value}")
        elif name == _HREF:
            element.set("href", f"#{prefix}-{value.lstrip('#')}")
        elif name == "style":
            # The page says which typeface.
            declarations = _FAMILY.sub("", _SPACE.sub(" ", _COLOUR.sub(_role, value)))
            declarations = _REFERENCE.sub(rf"url(#{prefix}-\1)", declarations)
            element.set("class", styles.name(declarations.replace(": ", ":").replace("; ", ";")))
        elif name == "transform" and value.startswith("rotate(-0 "):
            continue
        elif name in ("d", "x", "y", "width", "height", "points"):
            element.set(name, _SPACE.sub(" ", _NUMBER.sub(_rounded, value)).strip())
        else:
            element.set(name, _REFERENCE.sub(rf"url(#{prefix}-\1)", value))


def _role(match: re.Match[str]) -> str:
    role = ROLES.get(match.group())
    return f"var(--{role})" if role else match.group()


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match.group()):.1f}".removesuffix(".0")
