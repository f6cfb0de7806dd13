"""A followed migration as a log: a line for each second and event, or a JSON object."""

from __future__ import annotations

import json
import sys

from xenmig.core.analysis.network import NETWORK, NOTHING, RECEIVER, SENDER
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.momenttext import clock, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.analysis.moment import Moment
    from xenmig.core.cli.follower import Overview, View
    from xenmig.core.cli.happenings import Happening


class _Log:
    """What both have in common: lines come as they are, and are handed on when nothing else is to be done."""

    def look(self, idle: float) -> bool:
        if not idle:
            sys.stdout.flush()
        return False

    def show(self, overview: Overview) -> None:
        """A log is not drawn."""

    def end(self) -> None:
        pass


class LogView(_Log):
    """Lines for people."""

    def __init__(self) -> None:
        self._day = ""

    def begin(self, name: str) -> None:
        sys.stdout.write(f"following {escaped(name)}: waiting for a migration\n")
        sys.stdout.flush()

    def happened(self, number: int | None, happening: Happening) -> None:
        self._line(happening.time, number, happening.text)

    def tick(self, number: int, moment: Moment) -> None:
        self._line(moment.time, number, summary(moment))

    def _line(self, time: int, number: int | None, text: str) -> None:
        day, stamp = clock(time)
        if day != self._day:
            self._day = day
            sys.stdout.write(f"times are UTC, {day}\n")
        who = "" if number is None else f"migration {number}  "
        sys.stdout.write(f"{stamp}  {who}{text}\n")


class JsonView(_Log):
    """JSON Lines: an object for each second and event."""

    def begin(self, name: str) -> None:
        _write({"event": "waiting", "input": name})
        sys.stdout.flush()

    def happened(self, number: int | None, happening: Happening) -> None:
        head = {"event": happening.name, "time": happening.time / 1e9, "migration": number, "text": happening.text}
        _write(head | happening.facts)

    def tick(self, number: int, moment: Moment) -> None:
        passing, left, stop = moment.passing, moment.left, moment.stop
        _write(
            {
                "event": "tick",
                "time": moment.time / 1e9,
                "migration": number,
                "stage": moment.stage,
                "bytes": moment.bytes,
                "rate": moment.rate,
                "average_rate": moment.average,
                "iteration": moment.iteration,
                "kind": moment.kind or None,
                "between": moment.between,
                "pfns": moment.pfns,
                "pages": moment.pages,
                "again": moment.again,
                "all_pages": moment.all_pages,
                "all_again": moment.all_again,
                "paused": moment.paused,
                "dirty_rate": moment.dirty_rate,
                "record": None
                if passing is None
                else {"name": passing.name, "done": passing.done, "length": passing.length},
                "left": None
                if left is None
                else {
                    "least_pages": left.least,
                    "most_pages": left.most,
                    "pfns": left.pfns,
                    "bytes": left.bytes,
                    "seconds": left.seconds,
                    "basis": left.basis,
                    "estimated": left.estimated,
                },
                "held_up": None
                if moment.limits is None
                else {name: moment.limits.share(name) for name in (SENDER, RECEIVER, NETWORK, NOTHING)},
                "retransmitted": moment.retransmitted,
                "stop": None
                if stop is None
                else {"name": stop.name, "earliest": stop.earliest, "latest": stop.latest, "text": stop.text},
            }
        )


def _write(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


if TYPE_CHECKING:
    _log: type[View] = LogView
    _json: type[View] = JsonView
