"""What became of a migration, and which host owns the guest now: xl_migrate.c, migrate_domain and migrate_receive."""

from __future__ import annotations

from xenmig.core.definitions.xl import BANNER, GIVEN_BACK, PERMISSION, READY, MigrationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration

COMPLETED = "completed"


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


def outcome(migration: Migration) -> str:
    """What became of the migration: "completed", "failed: ..." or "cut off: ..."."""
    status = migration.status
    if status == 0:
        return COMPLETED
    if status is not None:
        return f"failed: the receiver could not start the guest, its status is {MigrationError(status)}"
    if not migration.ended:
        return _unfinished(migration)
    if BANNER.name not in migration.messages:
        return COMPLETED
    if not closed(migration):
        return f"cut off: the capture ends {_progress(migration)}"
    if PERMISSION.name in migration.messages:
        return "failed: the connection ended after the sender had given its permission, before the receiver reported"
    if READY.name in migration.messages:
        return "failed: the receiver was ready, but the sender did not give its permission"
    return "failed: the stream was sent completely, but the receiver never said that it was ready"


def owner(migration: Migration) -> Owner:
    """Which host owns the guest when the input ends."""
    if not migration.captured:
        return Owner("unknown", "a stream file does not say what became of the guest")
    messages = migration.messages
    status = migration.status
    if status == 0:
        return Owner("destination", "the receiver reported that the guest runs")
    if GIVEN_BACK.name in messages:
        return Owner("source", "the receiver could not start the guest and gave it back")
    if status is not None:
        return Owner("undefined", "the receiver could not start the guest and did not give it back")
    if migration.iterations.checkpoints:
        return Owner(
            "undefined",
            "checkpointed: when the connection breaks, the receiver goes on from the last checkpoint, and so does the"
            " sender from where it is, unless it is stopped",
        )
    if BANNER.name in messages:
        if PERMISSION.name not in messages:
            if migration.holes and migration.ended:
                return Owner("unknown", "bytes are missing from the capture where the permission may have been")
            if closed(migration):
                return Owner("source", "the connection ended without the sender's permission to unpause the guest")
            return Owner("source", "the sender has not given its permission to unpause the guest when the capture ends")
        if not closed(migration):
            return Owner("undefined", "the permission was sent, and the capture ends before the receiver's report")
        return Owner("undefined", "the permission was sent, and the connection ended without the receiver's report")
    if PERMISSION.name in messages:
        return Owner("unknown", "the receiver's side of the connection was not captured")
    if migration.ended:
        return Owner("unknown", "ownership passes outside this connection (libvirt: in its RPC)")
    if closed(migration) and not migration.iterations.paused:
        return Owner("source", "the stream ended before the guest's state was sent")
    return Owner("unknown", "the stream is incomplete, and what the toolstacks did then does not show in it")


def closed(migration: Migration) -> bool:
    """Whether the end of the sender's direction was captured."""
    direction = migration.stream.direction
    if direction is None:
        return False
    return any(packet is not None for packet in (direction.fin, direction.rst, direction.peer.rst))


def who_closed(migration: Migration) -> str:
    """Who sent the first FIN or RST, as the subject of a sentence."""
    direction = migration.stream.direction
    if direction is None or direction.connection.closed_first is None:
        return "somebody"
    first = direction.connection.closed_first
    name = "the sender" if first is direction else "the receiver"
    return f"{name} (by RST)" if first.rst is not None and first.fin is None else name


def _unfinished(migration: Migration) -> str:
    where = _where(migration)
    checkpoints = migration.iterations.checkpoints
    if checkpoints:
        after = f"{where}, after {checkpoints} complete checkpoint{'s' if checkpoints > 1 else ''}"
        how = f"{who_closed(migration)} closed the connection" if closed(migration) else _ending(migration)
        return f"cut off: {how} {after}"
    if not migration.captured:
        return f"cut off: the file ends {where}"
    if not closed(migration):
        return f"cut off: the capture ends {where}"
    return f"failed: {who_closed(migration)} closed the connection {where}"


def _ending(migration: Migration) -> str:
    return "the capture ends" if migration.captured else "the file ends"


def _where(migration: Migration) -> str:
    """Where the stream breaks off, relative to records and to what is still to come."""
    truncated = migration.truncated
    if truncated is None:
        return "where nothing is understood any more" if migration.unrecognised else "before its end"
    iterations = migration.iterations
    if truncated.available and truncated.partial is not None:
        missing = "" if truncated.missing is None else f", {truncated.missing:,} bytes of which are missing"
        place = f"inside record {truncated.partial.index} ({truncated.what}{missing})"
    elif truncated.available:
        missing = "" if truncated.missing is None else f", {truncated.missing:,} bytes of which are missing"
        place = f"inside the {truncated.layer} {truncated.what}{missing}"
    else:
        place = "between two records"
    passes = len(iterations.live)
    if iterations.checkpoints:
        return place
    if passes and not iterations.paused and migration.captured:
        count = f"{passes} live iteration{'s' if passes > 1 else ''}"
        return f"{place}, after {count} and before the guest's state"
    if not iterations.found:
        return f"{place}, before any guest memory"
    return f"{place} of {truncated.layer}" if place.startswith("between") else place


def _progress(migration: Migration) -> str:
    if PERMISSION.name in migration.messages:
        return "after the sender's permission and before the receiver's report"
    if READY.name in migration.messages:
        return "before the sender's permission"
    return "after the stream's END, before the receiver says that it is ready"
