"""What pyproject.toml cannot say: how the command is installed depends on the system.

The script that pip writes for an entry point imports ``re`` (pip before 25.1, which is what Python up to 3.13 brings), and
that takes longer than verifying a 1 GiB stream. So a script of our own is installed, except on Windows, which needs the
program that pip makes of an entry point.
"""

import os

from setuptools import setup

if os.name == "nt":
    setup(entry_points={"console_scripts": ["xenmig = xenmig.core.cli.main:script"]})
else:
    setup(scripts=["src/bin/xenmig"])
