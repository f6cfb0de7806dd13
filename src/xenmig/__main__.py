"""``python -m xenmig``: the command where its script is not on the path."""

from xenmig.core.cli.main import script

script()
