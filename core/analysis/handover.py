"""How far the two ends have come with handing the guest over, and who may run it: xl_migrate.c.

``migrate_domain`` and ``migrate_receive`` talk like this, and each knows of the guest what the last word told it:

    receiver  banner           it waits
    sender    the stream       the guest runs at the source, then is paused
    receiver  ready            its copy is there, paused
    sender    permission       the point of no return: the sender never resumes the guest by itself after this
    receiver  report, status   0: its copy runs. Else it destroys its copy, and
    receiver  given back       the sender resumes the guest
"""

from __future__ import annotations

from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.xl import BANNER, GIVEN_BACK, LAYER, PERMISSION, READY, REPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration
    from xenmig.core.decode.events import Message
    from xenmig.core.sources.connection import Direction

STATUS = "status"
STEPS = (BANNER.name, READY.name, PERMISSION.name, REPORT.name, STATUS, GIVEN_BACK.name)
"The messages, in the only order in which xl says them."


class Owner:
    """Which host may run the guest."""

    __slots__ = ("name", "reason")

    name: str
    '"source", "destination", "undefined" (neither side can know) or "unknown" (the input does not show it).'
    reason: str
    "Why, as a sentence."

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason


class Handover:
    """The last that each side was heard to say."""

    __slots__ = ("state", "sent", "received", "closed_first", "closed_by", "disorder")

    state: str
    """How far it came: "file" (no conversation), "one-way" (a connection on which nothing comes back, as libvirt's),
    "checkpointing" (Remus, COLO), or for ``xl migrate`` "connected", "sending", "sent", "ready", "permitted",
    "reported", "running", "failed", "given back"."""
    sent: str
    "The sender's last complete message: of the conversation, or of the stream; empty when there is none."
    received: str
    "The receiver's; empty when it said nothing, or nothing was captured of it."
    closed_first: str | None
    '"sender" or "receiver": who sent the first FIN or RST; None when nobody did as far as the capture goes.'
    closed_by: str | None
    '"FIN" or "RST".'
    disorder: list[str]
    "Messages that come before those which they answer, as sentences."

    def __init__(self, migration: Migration) -> None:
        self.state = _state(migration)
        self.sent = _sent(migration)
        self.received = _received(migration)
        self.closed_first = self.closed_by = None
        direction = migration.stream.direction
        first = direction.connection.closed_first if direction is not None else None
        if first is not None:
            self.closed_first = "sender" if first is direction else "receiver"
            self.closed_by = "RST" if first.rst is not None and first.fin is None else "FIN"
        self.disorder = _disorder(migration)


def owner(migration: Migration) -> Owner:
    """Which host owns the guest when the input ends."""
    if not migration.captured:
        return Owner("unknown", "a stream file does not say what became of the guest")
    state = _state(migration)
    if state == "running":
        return Owner("destination", "the receiver reported that the guest runs")
    if state == "given back":
        return Owner("source", "the receiver could not start the guest and gave it back")
    if state == "checkpointing":
        return _checkpointed(migration)
    if PERMISSION.name in migration.messages:
        return _permitted(migration, state)
    if migration.holes and state != "one-way" and (migration.ended or migration.status is not None):
        return Owner("unknown", "bytes are missing from the capture where the permission may have been")
    if state == "one-way":
        return _one_way(migration)
    if migration.status is not None:
        return Owner("source", "the sender did not give its permission, and the receiver destroys its copy then")
    if closed(migration):
        return Owner("source", "the connection ended without the sender's permission to unpause the guest")
    return Owner("source", "the sender has not given its permission to unpause the guest when the capture ends")


def closed(migration: Migration) -> bool:
    """Whether the end of the sender's direction was captured."""
    direction = migration.stream.direction
    if direction is None:
        return False
    return any(packet is not None for packet in (direction.fin, direction.rst, direction.peer.rst))


def who_closed(migration: Migration) -> str:
    """Who sent the first FIN or RST, as the subject of a sentence."""
    found = Handover(migration)
    if found.closed_first is None:
        return "somebody"
    return f"the {found.closed_first}{' (by RST)' if found.closed_by == 'RST' else ''}"


def _state(migration: Migration) -> str:
    messages = migration.messages
    if not migration.captured:
        return "file"
    if GIVEN_BACK.name in messages and migration.status != 0:
        return "given back"
    if migration.status is not None:
        return "failed" if migration.status else "running"
    if migration.epochs.found:
        return "checkpointing"
    for name, state in ((REPORT.name, "reported"), (PERMISSION.name, "permitted"), (READY.name, "ready")):
        if name in messages:
            return state
    if BANNER.name not in messages and LAYER not in migration.layers and not _answers(migration):
        return "one-way"
    if migration.ended:
        return "sent"
    return "sending" if migration.layers else "connected"


def _permitted(migration: Migration, state: str) -> Owner:
    """The permission was sent, and no status 0 was seen."""
    if not _answers(migration):
        return Owner("unknown", "the receiver's side of the connection was not captured")
    missing = "report" if state != "failed" else "word that gives the guest back"
    if migration.answer_holes:
        return Owner("unknown", f"bytes are missing from the capture where the receiver's {missing} may have been")
    if state == "failed":
        if closed(migration):
            return Owner("undefined", "the receiver could not start the guest and did not give it back")
        return Owner(
            "undefined",
            "the receiver could not start the guest, and the capture ends before it has destroyed its copy and given"
            " the guest back",
        )
    if closed(migration):
        return Owner("undefined", "the permission was sent, and the connection ended without the receiver's report")
    return Owner("undefined", "the permission was sent, and the capture ends before the receiver's report")


def _one_way(migration: Migration) -> Owner:
    if migration.ended:
        return Owner("unknown", "ownership passes outside this connection (libvirt: in its RPC)")
    if closed(migration) and not migration.iterations.paused and not migration.holes and not migration.joined:
        return Owner("source", "the stream ended before the guest's state was sent")
    return Owner("unknown", "the stream is incomplete, and what the toolstacks did then does not show in it")


def _checkpointed(migration: Migration) -> Owner:
    """Remus and COLO: xl_migrate.c, migrate_receive, "If we are here, it means that the sender has crashed"."""
    epochs = migration.epochs
    if not epochs.complete:
        if migration.holes or migration.joined:
            return Owner("unknown", "bytes are missing from the capture where a checkpoint may have become complete")
        return Owner("source", "no checkpoint is complete, so the receiver has nothing to go on from")
    if not closed(migration):
        return Owner(
            "source",
            "the guest runs at the source while checkpoints come; the receiver would go on from the last complete one"
            " if the connection broke",
        )
    return Owner(
        "undefined",
        "checkpointed: when the connection breaks, the receiver goes on from the last checkpoint, and so does the"
        " sender from where it is, unless it is stopped",
    )


def _answers(migration: Migration) -> int:
    """How many bytes of the receiver's direction were captured."""
    direction: Direction | None = migration.stream.direction
    return direction.peer.length if direction is not None else 0


def _sent(migration: Migration) -> str:
    if PERMISSION.name in migration.messages:
        return PERMISSION.name
    if migration.ended:
        return "END of the stream"
    last = migration.last_record
    if last is not None:
        known = Struct.records[last.layer].get(last.type)
        return f"record {last.index} ({known.name if known is not None else f'type 0x{last.type:08x}'})"
    return "headers" if migration.layers else ""


def _received(migration: Migration) -> str:
    said = [name for name in STEPS if name != PERMISSION.name and name in migration.messages]
    if not said:
        return ""
    status = migration.status
    return said[-1] if said[-1] != STATUS else f"status {status}"


def _disorder(migration: Migration) -> list[str]:
    """What was captured in an order that no conversation has."""
    messages: list[Message] = [migration.messages[name] for name in STEPS if name in migration.messages]
    found = []
    for before, after in zip(messages, messages[1:], strict=False):
        if before.first is not None and after.first is not None and after.first.frame < before.first.frame:
            found.append(f"{after.name} was captured before {before.name}")
    ready = migration.messages.get(READY.name)
    first = ready.first if ready is not None else None
    end = migration.phases.end if migration.ended else None
    if first is not None and end is not None and first.frame < end.frame:
        found.append(f"{READY.name} was captured before the stream's END")
    return found
