"""The parts of a migration in the order of the stream, each with the colour that it has in every plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xenmig.core.analysis.phases import EMULATOR, ENDING, STATE
from xenmig.core.definitions.xl import TEXTS, MigrationError

if TYPE_CHECKING:
    from xenmig.core.analysis.iterations import Iteration
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.analysis.phases import Phase
    from xenmig.core.decode.events import Message
    from xenmig.core.sources.packet import Packet

ROLES = {
    "setup": "headers and static data",
    "live": "memory while the guest runs",
    "suspend": "suspending the guest",
    "stop": "memory while it is paused",
    "state": "state of processors and devices",
    "handover": "hand-over",
}
"What the parts do, by the role of their colour, in the order in which they come."
_ITERATIONS = {"precopy": "live"}
_PHASES = {STATE: "state", EMULATOR: "state", ENDING: "handover"}


class Part(NamedTuple):
    """One part."""

    name: str
    role: str
    "A key of ROLES; empty for a message."
    first: Packet | None
    last: Packet | None
    bytes: int | None = None
    pfns: int | None = None
    pages: int | None = None

    @property
    def seconds(self) -> float | None:
        """From its first byte to its last; None in a file."""
        return (self.last.time - self.first.time) / 1e9 if self.first is not None and self.last is not None else None


def parts(migration: Migration) -> list[Part]:
    """Phases, iterations and messages."""
    phases = migration.phases
    iterations = migration.iterations
    after = [_phase(phase) for phase in phases.found if phase is not phases.headers]
    found = [_phase(phases.headers)] if phases.headers.bytes else []
    for iteration in iterations.found:
        found.append(_iteration(iteration))
        if iteration is iterations.last_pass:
            found += after
            after = []
    found += after
    said = [_message(message) for message in migration.messages.values() if message.last is not None]
    for one in said:
        at = 0
        while at < len(found) and _frame(found[at]) <= _frame(one):
            at += 1
        found.insert(at, one)
    return found


def _frame(part: Part) -> int:
    return part.last.frame if part.last is not None else 0


def _phase(phase: Phase) -> Part:
    return Part(phase.name, _PHASES.get(phase.name, "setup"), phase.first, phase.last, phase.bytes)


def _iteration(iteration: Iteration) -> Part:
    return Part(
        f"iteration {iteration.index}: {iteration.kind}",
        _ITERATIONS.get(iteration.kind, "stop"),
        iteration.first,
        iteration.last,
        iteration.bytes,
        iteration.pfns,
        iteration.pages,
    )


def _message(message: Message) -> Part:
    text = next((text.doc for text in TEXTS if text.name == message.name), "")
    name = f"{message.name}: {text}" if text else message.name
    if message.status is not None:
        status = MigrationError(message.status)
        name = f"status {status}" + (f": {status.doc}" if status.doc else "")
    return Part(name, "", None, message.last)
