"""Run commands and print what they took: one line of wall seconds, CPU seconds, peak KiB and exit status.

A process of its own and as small as Python gets, started with ``-I -S``: the kernel's record of a child's peak memory
begins with what its parent occupied. Arguments are the commands; ``--then`` is between steps, ``--into`` between the
two sides of a pipe. Of a pipe only the reading side's CPU time and memory count.
"""

from __future__ import annotations

import os
import sys
import time

THEN = "--then"
INTO = "--into"


def split(words: list[str], separator: str) -> list[list[str]]:
    """The words between the separators."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def start(command: list[str], source: int | None, target: int | None) -> int:
    """Start a command with these as its standard input and output, else the null device; its process number."""
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
    for number, descriptor, flags in ((0, source, os.O_RDONLY), (1, target, os.O_WRONLY)):
        if descriptor is None:
            actions.append((os.POSIX_SPAWN_OPEN, number, os.devnull, flags, 0))
        else:
            actions.append((os.POSIX_SPAWN_DUP2, descriptor, number))
    return os.posix_spawnp(command[0], command, os.environ, file_actions=actions)


def measure(steps: list[list[list[str]]]) -> tuple[float, float, int, int]:
    """Wall seconds, CPU seconds, peak KiB and exit status: the first that is not 0 ends it."""
    cpu, peak = 0.0, 0
    begun = time.perf_counter()
    for pipeline in steps:
        writer = 0
        source = target = None
        if len(pipeline) > 1:
            source, target = os.pipe()
            writer = start(pipeline[0], None, target)
            os.close(target)
        reader = start(pipeline[-1], source, None)
        if source is not None:
            os.close(source)
        _, status, usage = os.wait4(reader, 0)
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
        if writer:
            os.waitpid(writer, 0)
        if status:
            return time.perf_counter() - begun, cpu, peak, os.waitstatus_to_exitcode(status)
    return time.perf_counter() - begun, cpu, peak, 0


if __name__ == "__main__":
    print(*measure([split(step, INTO) for step in split(sys.argv[1:], THEN)]))
