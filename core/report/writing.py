"""From a path to the files of a report. A file appears under its name when it is complete."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xenmig.core.cli.absence import ONLY_RECEIVER, legacy_stream, nothing_found
from xenmig.core.cli.notices import code_of, print_notices
from xenmig.core.cli.progress import Progress
from xenmig.core.decode.reading import Reading
from xenmig.core.report import svg
from xenmig.core.report.drawing import WIDE
from xenmig.core.report.page import SUBJECTS_IN_FULL, page
from xenmig.core.report.plots import plots_of
from xenmig.core.report.subject import Subjects
from xenmig.core.sources.errors import UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from xenmig.core.report.subject import Subject


def write(path: str, output: str, plots: str | None, format: str) -> int:
    """Read ``path`` and write the page, and with ``plots`` a file for each plot in it into that folder.

    Returns the exit code. Raises UnreadableInput when there is no migration, or when a file to be written is the input;
    OSError when one cannot be written.
    """
    with _output(output, path) as file:
        reading, found = _read(path)
        if plots is not None:
            os.makedirs(plots, exist_ok=True)
            for subject in found[:SUBJECTS_IN_FULL]:
                for plot in plots_of(subject.migration):
                    name = f"migration-{subject.migration.number}-{plot.name}.{format}"
                    with _output(os.path.join(plots, name), path) as picture:
                        picture.write(svg.file(plot, WIDE, format))
        file.write(page(reading, found).encode())
    print_notices(reading)
    return code_of(reading)


def _read(path: str) -> tuple[Reading, list[Subject]]:
    reading = Reading(path, metered=True)
    subjects = Subjects(reading)
    try:
        with Progress(reading.input):
            for stream, events in reading:
                subjects.take(stream, events)
    finally:
        reading.close()
    found = subjects.finish()
    if not found:
        raise UnreadableInput(reading.name, ONLY_RECEIVER if reading.streams else nothing_found(reading))
    if len(found) == 1 and found[0].migration.legacy:
        raise UnreadableInput(reading.name, legacy_stream(found[0].migration.legacy))
    return reading, found


@contextmanager
def _output(name: str, input: str) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when the block has ended well. "-" is the standard output."""
    if name == "-":
        yield sys.stdout.buffer
        return
    if _is_same(name, input):
        raise UnreadableInput(name, "is the input, and is not written over")
    if os.path.exists(name) and not os.path.isfile(name):
        # A pipe or a device.
        with open(name, "wb") as file:
            yield file
        return
    target = os.path.realpath(name)
    temporary = os.path.join(os.path.dirname(target), f".xenmig-{os.getpid()}-{os.path.basename(target)}"[:200])
    with open(temporary, "xb") as file:
        try:
            yield file
            file.flush()
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise


def _is_same(name: str, input: str) -> bool:
    try:
        return os.path.samestat(os.stat(name), os.fstat(0) if input == "-" else os.stat(input))
    except OSError:
        return False
