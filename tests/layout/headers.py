"""Asking a C compiler where the members of Xen's structs lie, without running what it compiles.

The program is compiled to assembler only: each answer is a line that inline assembler put there, so that 32-bit answers
need neither a 32-bit C library nor a processor that runs them.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

INCLUDE = Path(os.environ.get("XEN_INCLUDE") or "/usr/include/xen")
"Xen's public headers, as Debian's libxen-dev installs them."

PROLOGUE = """
#include <stdint.h>
#include <stddef.h>
#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/hvm/save.h>
#include <xen/hvm/params.h>
#include <xen/domctl.h>
#include <xen/foreign/x86_32.h>
#include <xen/foreign/x86_64.h>
#define ANSWER(name, number) __asm__ volatile ("\\n=== " name " %c0 ===\\n" : : "i" ((unsigned long)(number)))
void answers(void)
{
"""

requires_headers = pytest.mark.skipif(
    os.environ.get("CI") != "true"
    and (shutil.which("gcc") is None or not (INCLUDE / "foreign" / "x86_64.h").is_file()),
    reason=f"no gcc, or no Xen headers at {INCLUDE}: apt-get install gcc libxen-dev",
)
"For tests that need compiler and headers. Continuous integration has them, so there their absence is a failure."


@functools.cache
def ask(questions: tuple[tuple[str, str], ...], bits: int) -> dict[str, int]:
    """The values of C expressions, by name. ``bits`` is 64 or 32."""
    lines = [f'    ANSWER("{name}", {expression});' for name, expression in questions]
    program = PROLOGUE + "\n".join(lines) + "\n}\n"
    command = ["gcc", f"-m{bits}", "-std=gnu11", "-ffreestanding", "-w", "-S", "-O1", "-o", "-", "-x", "c", "-"]
    command[1:1] = ["-I", str(INCLUDE.parent)]
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = {}
    for line in done.stdout.splitlines():
        if line.startswith("=== "):
            _, name, number, _ = line.split(" ")
            answers[name] = int(number)
    assert len(answers) == len(questions)
    return answers
