"""What became of a migration: xl_migrate.c, migrate_domain and migrate_receive."""

from __future__ import annotations

from xenmig.core.analysis.handover import closed, who_closed
from xenmig.core.definitions.xl import BANNER, PERMISSION, READY, MigrationError
from xenmig.core.quantity import be, quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.migration import Migration

COMPLETED = "completed"


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


def _unfinished(migration: Migration) -> str:
    where = _where(migration)
    if migration.iterations.checkpoints:
        complete = migration.epochs.complete
        after = f"{where}, after {complete} complete checkpoint{'' if complete == 1 else 's'}"
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
    missing = ""
    if truncated.missing is not None:
        missing = f", of which {quantity(truncated.missing, 'byte', ',')} {be(truncated.missing)} missing"
    if truncated.available and truncated.partial is not None:
        place = f"inside record {truncated.partial.index} ({truncated.what}{missing})"
    elif truncated.available:
        place = f"inside the {truncated.layer} {truncated.what}{missing}"
    else:
        place = "between two records"
    passes = len(iterations.live)
    if iterations.checkpoints:
        return place
    if passes and not iterations.paused and migration.captured:
        return f"{place}, after {quantity(passes, 'live iteration')} and before the guest's state"
    if not iterations.found:
        return f"{place}, before any guest memory"
    return f"{place} of {truncated.layer}" if place.startswith("between") else place


def _progress(migration: Migration) -> str:
    if PERMISSION.name in migration.messages:
        return "after the sender's permission and before the receiver's report"
    if READY.name in migration.messages:
        return "before the sender's permission"
    return "after the stream's END, before the receiver says that it is ready"
