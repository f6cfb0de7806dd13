"""What somebody with ten seconds wants to know of a migration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xenmig.core.analysis.downtime import downtime, why_unknown
from xenmig.core.analysis.handover import owner
from xenmig.core.analysis.network import network
from xenmig.core.analysis.outcome import COMPLETED, outcome
from xenmig.core.cli.info import completeness
from xenmig.core.cli.networktext import bottleneck
from xenmig.core.cli.units import amount, duration, rate
from xenmig.core.cli.verdict import verdict

if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.report.subject import Subject

GOOD, WARNING, BAD, PLAIN = "good", "warning", "bad", "plain"


class Answer(NamedTuple):
    """A question's answer: a word or a number to see from afar, and a sentence."""

    question: str
    answer: str
    text: str
    tone: str = PLAIN
    '"good", "warning", "bad" or "plain".'


def answers(subject: Subject) -> list[Answer]:
    """The answers in the order in which people ask."""
    migration = subject.migration
    if not migration.captured:
        # A file knows nothing of times, of the network, and of what became of the guest.
        return [_result(migration), _stream(subject), _amount(migration)]
    first = [_result(migration), _pause(migration), _owner(migration), _stream(subject)]
    return [*first, _network(migration), _amount(migration)]


def _result(migration: Migration) -> Answer:
    found = outcome(migration)
    what, _, why = found.partition(": ")
    question = "Did it work?"
    if not migration.captured:
        question = "Is it all there?"
        what, why = ("complete", "from the first byte to END") if found == COMPLETED else ("cut off", why)
    tone = GOOD if found == COMPLETED else BAD
    return Answer(question, what.capitalize(), why, tone)


def _pause(migration: Migration) -> Answer:
    question = "How long was the guest paused?"
    found = downtime(migration)
    if found is None:
        return Answer(question, "Not known", why_unknown(migration))
    longest = max(found.steps, key=lambda step: step.seconds, default=None)
    texts = [f"most of it, {duration(longest.seconds)}: {longest.name}"] if longest is not None else []
    if found.upper is None:
        texts = [f"from {duration(found.lower)} on", *texts, found.upper_reason]
        return Answer(question, f"At least {_about(found.lower)}", "; ".join(texts))
    texts.insert(0, f"{duration(found.lower)} to {duration(found.upper)}")
    lower, upper = _about(found.lower), _about(found.upper)
    if lower == upper:
        return Answer(question, upper, "; ".join(texts))
    number, unit = lower.split(" ", 1)
    # "12.0 to 12.1 s": the unit once.
    return Answer(question, f"{number if upper.endswith(f' {unit}') else lower} to {upper}", "; ".join(texts))


def _about(seconds: float) -> str:
    """A time span as one says it."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:#.3g} s" if abs(seconds) < 100 else duration(seconds)


def _owner(migration: Migration) -> Answer:
    found = owner(migration)
    tone = {"undefined": BAD, "unknown": PLAIN}.get(found.name, GOOD)
    return Answer("Who owns the guest now?", found.name.capitalize(), found.reason, tone)


def _stream(subject: Subject) -> Answer:
    counts = subject.counts
    what, _, numbers = verdict(counts, subject.complete).partition(": ")
    tone = BAD if counts["error"] else WARNING if counts["warning"] or not subject.complete else GOOD
    text = "; ".join(filter(None, (numbers, completeness(subject.migration))))
    return Answer("Is the stream sound?", what.capitalize(), text, tone)


def _network(migration: Migration) -> Answer:
    question = "What held it up?"
    found = network(migration)
    if found is None:
        return Answer(question, "Not known", "the traffic of this connection was not measured")
    # "the sender: why; where", or "not known; where".
    who, *why = re.split(": |; ", bottleneck(found), maxsplit=1)
    return Answer(question, who.capitalize(), "".join(why))


def _amount(migration: Migration) -> Answer:
    question = "How much was sent?" if migration.captured else "How large is it?"
    answer = amount(migration.bytes)
    if migration.first is None or migration.last is None:
        return Answer(question, answer, "a stream file has bytes and no times")
    seconds = (migration.last.time - migration.first.time) / 1e9
    speed = rate(migration.bytes, seconds)
    texts = [f"in {duration(seconds)}" + (f", {speed} on average" if speed else "")]
    ratio = migration.memory.ratio
    if ratio is not None and migration.memory.again:
        texts.append(f"{ratio:.2f} pages sent for each page of the guest")
    return Answer(question, answer, "; ".join(texts))
