"""The page: everything in one file, nothing in it that runs, and text from a stream as text."""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from xenmig import __version__
from xenmig.core.analysis.spans import spans
from xenmig.core.cli.convergencetext import memory_rows
from xenmig.core.cli.escape import visible
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.info import layers_text
from xenmig.core.cli.messagetext import message_text
from xenmig.core.cli.timelinetext import timeline_rows
from xenmig.core.cli.units import count, rate, utc
from xenmig.core.cli.verdict import verdict
from xenmig.core.report import svg
from xenmig.core.report.drawing import NARROW, WIDE
from xenmig.core.report.palette import variables
from xenmig.core.report.parts import role
from xenmig.core.report.plots import plots_of
from xenmig.core.report.summary import answers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from xenmig.core.analysis.spans import Span
    from xenmig.core.decode.reading import Reading
    from xenmig.core.report.subject import Subject
    from xenmig.core.sources.packet import Packet


SUBJECTS_IN_FULL = 12
"Migrations that have plots and tables; of more there is a line each."
LONGEST_NAME = 240
"Characters of a guest's name that the title has."
MOST_SPANS = 240
"Spans that are listed of a migration: the first half and the last."


class Drawn(NamedTuple):
    """A plot as it stands in the page, once for each width."""

    title: str
    caption: str
    wide: Markup
    narrow: Markup


def page(reading: Reading, subjects: Sequence[Subject]) -> str:
    """The page about everything that was read."""
    styles = svg.Styles()
    drawn = {subject.migration.number: _drawn(subject, styles) for subject in subjects[:SUBJECTS_IN_FULL]}
    css = _file("style.css") + variables() + styles.text
    return (
        _environment()
        .from_string(_file("page.html.jinja"))
        .render(
            title=_title(subjects),
            # The page goes to people who have not got the reader's folders.
            name=os.path.basename(reading.name),
            kind=reading.kind,
            size=reading.size,
            notices=reading.notices,
            subjects=subjects,
            subjects_in_full=SUBJECTS_IN_FULL,
            most_spans=MOST_SPANS,
            plots=drawn,
            style=Markup(css),  # noqa: S704 - the report's own
            policy=_policy(css),
            version=__version__,
        )
    )


def _environment() -> Environment:
    """Whatever a template prints is escaped: markup by Jinja, and what would hide or reorder text by ``finalize``."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_finalize, trim_blocks=True)
    environment.filters.update(
        answers=answers,
        count=count,
        frames=_frames,
        guest=guest_text,
        hex=hex,
        layers=layers_text,
        message=message_text,
        number=_number,
        details=_details,
        per_second=_per_second,
        role=role,
        seconds=_seconds,
        spans=spans,
        throughput=_throughput,
        utc=utc,
    )
    return environment


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else visible(str(value))


def _policy(css: str) -> str:
    """What the page may load and run: the one style sheet that stands in it, and nothing else."""
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _drawn(subject: Subject, styles: svg.Styles) -> list[Drawn]:
    found = []
    for plot in plots_of(subject.migration):
        prefix = f"m{subject.migration.number}-{plot.name}"
        wide, narrow = (svg.inline(plot, width, f"{prefix}-{width.name}", styles) for width in (WIDE, NARROW))
        # ElementTree has escaped the text in them.
        found.append(Drawn(plot.title, plot.caption, Markup(wide), Markup(narrow)))  # noqa: S704
    return found


def _details(subject: Subject) -> list[tuple[str, str]]:
    """What the timeline says on a terminal, name and text."""
    migration = subject.migration
    rows = [*timeline_rows(migration, verdict(subject.counts, subject.complete))]
    return [*rows, *memory_rows(migration.memory)] if migration.memory.distinct else rows


def _title(subjects: Sequence[Subject]) -> str:
    if len(subjects) != 1:
        return f"{len(subjects)} migrations"
    migration = subjects[0].migration
    name = migration.guest.configuration.name or ""
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}..."
    return f"{'Migration' if migration.captured else 'Saved state'} of {name or 'a guest'}"


def _file(name: str) -> str:
    return files("xenmig.core.report").joinpath(name).read_text(encoding="utf-8")


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _per_second(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}/s"


def _frames(span: Span) -> list[int]:
    """The frames with its first and its last byte: two numbers, one where they are the same, none in a file."""
    return [*dict.fromkeys(packet.frame for packet in (span.first, span.last) if packet is not None)]


def _throughput(span: Span) -> str:
    return rate(span.bytes, span.seconds) if span.bytes and span.message is None else ""


def _seconds(subject: Subject, packet: Packet | None) -> str:
    """Seconds since the migration's first byte."""
    began = subject.migration.first
    return f"{(packet.time - began.time) / 1e9:.6f}" if packet is not None and began is not None else ""
