"""Timelines read in this process: the objects, and the same as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xenmig.core.analysis.timeline import Timeline
from xenmig.core.cli.migrationjson import migration_facts
from xenmig.core.decode.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from xenmig.core.analysis.migration import Migration


def migrations(path: Path) -> list[Migration]:
    """The migrations in a file."""
    reading = Reading(str(path))
    timeline = Timeline()
    for stream, events in reading:
        timeline.take(stream, events)
    reading.close()
    timeline.finish()
    return timeline.migrations


def migration(path: Path, data: bytes | None = None) -> Migration:
    """The one migration in a file, into which ``data`` is written before."""
    if data is not None:
        path.write_bytes(data)
    (found,) = migrations(path)
    return found


def facts(path: Path, data: bytes | None = None) -> dict[str, Any]:
    """The same as JSON has it."""
    return migration_facts(migration(path, data))
