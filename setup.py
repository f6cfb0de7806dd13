"""What pyproject.toml cannot say: how the command is installed depends on the system.

The script that older pips write for an entry point (23.2 does, which Python 3.11 brings) imports ``re``, and that takes
longer than verifying a 1 GiB stream. So a script of our own is installed, except on Windows, which needs the program
that pip makes of an entry point.
"""

import os

from setuptools import setup

if os.name == "nt":
    setup(entry_points={"console_scripts": ["xenmig = xenmig.core.cli.main:script"]})
else:
    setup(scripts=["src/bin/xenmig"])
