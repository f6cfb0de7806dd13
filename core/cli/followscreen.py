"""A followed migration on a terminal: one screen that is drawn again and again."""

from __future__ import annotations

from textwrap import wrap
from time import monotonic

from xenmig.core.analysis.handover import owner
from xenmig.core.analysis.live import is_over, waits_for
from xenmig.core.analysis.moment import pass_bytes
from xenmig.core.analysis.outcome import outcome
from xenmig.core.cli import momenttext
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.guesttext import guest_text
from xenmig.core.cli.table import aligned
from xenmig.core.cli.terminal import Terminal
from xenmig.core.cli.timelinetext import downtime_text
from xenmig.core.cli.units import amount, count, duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.moment import Moment
    from xenmig.core.cli.follower import Overview, Shown, View
    from xenmig.core.cli.happenings import Happening

INTERVAL = 0.1
"Seconds between two drawings."
_KEPT = 50
"Happenings that are kept for the bottom of the screen."
_LABEL = 10
_BAR = 30
_LEAST_ROWS = 3
"Lines that are left to the happenings."
_SHORT_ROWS = 10
"Lines that a migration takes which is not the only one, and what is below it."
_MOST_OVER = 5
"Migrations that are over of which a line is shown."


Line = tuple[str, bool]
"A line and whether it is a heading."


class ScreenView:
    """Draws at most ten times a second, and only what has changed."""

    def __init__(self) -> None:
        self._terminal = Terminal()
        self._name = ""
        self._drawn_at = 0.0
        self._recent: list[str] = []

    def begin(self, name: str) -> None:
        self._name = name
        self._terminal.enter()

    def happened(self, number: int | None, happening: Happening) -> None:
        stamp = momenttext.clock(happening.time)[1]
        who = "" if number is None else f"{number}: "
        self._recent.append(f"{stamp} {who}{happening.text}")
        del self._recent[:-_KEPT]

    def tick(self, number: int, moment: Moment) -> None:
        """The screen has a clock of its own."""

    def look(self, idle: float) -> bool:  # noqa: ARG002 - the terminal is drawn as often while nothing comes
        now = monotonic()
        if now < self._drawn_at + INTERVAL:
            return False
        self._drawn_at = now
        return True

    def show(self, overview: Overview) -> None:
        columns, rows = self._terminal.size()
        self._terminal.draw(screen(self._name, overview, self._recent, columns, rows))

    def end(self) -> None:
        self._terminal.leave()


def screen(name: str, overview: Overview, recent: list[str], columns: int, rows: int) -> list[Line]:
    """All lines, as many as there is room for."""
    lines: list[Line] = [(_title(name, overview, columns), True)]
    lines += [("", False)]
    if not overview.migrations:
        lines += [(f"  {_waiting(overview)}", False)]
    running = [one for one in overview.migrations if not is_over(one.migration)]
    over = [one for one in overview.migrations if is_over(one.migration)]
    # What runs is shown first, and the newest of what is over.
    shown = running or over[-1:]
    for place, one in enumerate(shown):
        if place and len(lines) > rows - _SHORT_ROWS:
            lines += [(f"and {count(len(shown) - place, 'more migration')}", False), ("", False)]
            break
        lines += [*_block(one, columns, alone=len(shown) == 1), ("", False)]
    rest = over if running else over[:-1]
    if rest:
        lines += [(_outcome(one.migration), False) for one in rest[-_MOST_OVER:]]
        lines.append(("", False))
    if len(shown) == 1:
        table = [*_table(shown[0].migration, shown[0].moment, rows - len(lines) - 1 - _LEAST_ROWS)]
        lines += [(line, False) for line in table]
        lines += [("", False)] if table else []
    room = rows - len(lines)
    if room > 0:
        lines += [(line, False) for line in recent[-room:]]
    return lines


def _title(name: str, overview: Overview, columns: int) -> str:
    reading = overview.reading
    what = f"xenmig  {escaped(name)}"
    if reading is not None:
        what += f": {reading.kind}"
        if reading.capture is not None:
            what += f", {count(reading.capture.frames, 'frame')}"
        what += f", {amount(reading.input.offset)}"
    clock = f"{momenttext.clock(overview.now)[1][:8]} UTC" if overview.now else ""
    if overview.idle >= 1:
        clock = f"nothing for {overview.idle:.0f} s"
    return f"{what}{clock:>{max(len(clock) + 2, columns - len(what))}}"


def _waiting(overview: Overview) -> str:
    reading = overview.reading
    if reading is None:
        return "waiting for the first bytes"
    if reading.capture is None:
        return "waiting for the stream to go on"
    number = reading.capture.connection_count
    return f"waiting for a migration; {count(number, 'TCP connection')} so far, none of them is one"


def _block(one: Shown, columns: int, *, alone: bool) -> Iterator[Line]:
    migration, moment = one.migration, one.moment
    ends = f"  {migration.source} -> {migration.destination}" if migration.captured else ""
    yield f"migration {migration.number}{ends}", True
    rows = [("guest", guest_text(migration.guest))] if alone else []
    if is_over(migration):
        owned = owner(migration)
        rows += [("outcome", outcome(migration)), ("owner", f"{owned.name}: {owned.reason}")]
        rows.append(("downtime", downtime_text(migration)))
    else:
        rows += _running(migration, moment) if alone else _shortly(migration, moment)
    if one.verdict:
        rows.append(("verdict", one.verdict))
    for label, text in rows:
        yield from _row(label, text, columns)


def _running(migration: Migration, moment: Moment) -> Iterator[tuple[str, str]]:
    """All that is known of a migration that runs: labels and texts."""
    yield "now", _now(migration, moment)
    if bar := _bar(moment):
        yield "", bar
    if moment.paused is not None:
        yield "paused", f"{duration(moment.paused)} since the last byte sent while the guest ran"
    yield "rate", _rates(moment)
    if held := momenttext.network(moment):
        yield "held up", held
    if moment.stage == "memory" and not moment.between:
        all_of_it = f"; in all {moment.all_pages:,} ({moment.all_again:,} again)" if moment.iteration else ""
        yield "sent", momenttext.sent(moment) + all_of_it
        if moment.dirty_rate is None:
            yield "dirty", "not known before iteration 2, how fast pages become dirty"
        else:
            yield "dirty", momenttext.dirty(moment.dirty_rate)
        if moment.left is not None:
            yield "left", momenttext.left(moment.left)
    if moment.stop is not None:
        name = f"{moment.stop.name} " if moment.stop.name != "unknown" else ""
        yield "stop", name + moment.stop.text


def _shortly(migration: Migration, moment: Moment) -> Iterator[tuple[str, str]]:
    """What there is room for when several migrations run."""
    now = _now(migration, moment)
    if moment.paused is not None:
        now += f"; paused for {duration(moment.paused)}"
    yield "now", now
    if bar := _bar(moment):
        yield "", bar
    yield "rate", _rates(moment)
    if moment.left is not None:
        yield "left", momenttext.left(moment.left)
    if moment.stop is not None and not moment.stop.is_over:
        yield "stop", momenttext.stop_shortly(moment.stop)


def _bar(moment: Moment) -> str:
    share = _share(moment)
    if share is None:
        return ""
    done = round(share * _BAR)
    return f"[{'#' * done}{'.' * (_BAR - done)}] {momenttext.percent(share)} of the pass"


def _rates(moment: Moment) -> str:
    rates = [amount(moment.bytes)]
    if moment.rate is not None:
        rates.append(momenttext.speed(moment.rate))
    if moment.average is not None:
        rates.append(f"{momenttext.speed(moment.average)} on average")
    return ", ".join(rates)


def _now(migration: Migration, moment: Moment) -> str:
    if moment.stage == "hand-over":
        return f"hand-over; to come: {waits_for(migration)}"
    parts = [momenttext.place(moment), momenttext.passing(moment)]
    return "; ".join(part for part in parts if part)


def _share(moment: Moment) -> float | None:
    """How much of the pass is done, by bytes where not every pfn has a page."""
    left = moment.left
    if left is None or (left.most is None and left.pfns is None):
        return None
    if left.bytes is None:
        return moment.pfns / (moment.pfns + left.pfns) if left.pfns and moment.pfns else 0.0
    done = pass_bytes(moment.pages, moment.pfns)
    return done / (done + left.bytes) if done else 0.0


def _row(label: str, text: str, columns: int) -> Iterator[Line]:
    for number, part in enumerate(wrap(text, max(20, columns - _LABEL - 2)) or [""]):
        yield f"  {label if not number else '':{_LABEL}}{part}", False


def _outcome(migration: Migration) -> str:
    return f"migration {migration.number}: {outcome(migration)}; owner: {owner(migration).name}"


def _table(migration: Migration, moment: Moment, room: int) -> Iterator[str]:
    """The last iterations that have ended, with a head."""
    if room < 2:
        return
    running = moment.iteration if moment.stage == "memory" and not moment.between else None
    shown = [iteration for iteration in migration.iterations.found[-room:] if iteration.index != running][1 - room :]
    if not shown:
        return
    rows = [["iteration", "pfns", "pages", "again", "bytes", "time", "speed", "dirty/s"]]
    rows += [_cells(iteration) for iteration in shown]
    yield from aligned(rows, "<>>>>>>>")


def _cells(iteration: Iteration) -> list[str]:
    seconds = iteration.seconds
    return [
        str(iteration.index),
        f"{iteration.pfns:,}",
        f"{iteration.pages:,}",
        f"{iteration.again:,}",
        amount(iteration.bytes),
        duration(seconds) if seconds is not None else "",
        momenttext.speed(iteration.bytes / seconds) if seconds else "",
        f"{iteration.dirty_rate:,.0f}" if iteration.dirty_rate is not None else "",
    ]


if TYPE_CHECKING:
    _: type[View] = ScreenView
