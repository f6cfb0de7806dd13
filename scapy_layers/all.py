"""Everything that an interactive session needs: ``from xenmig.scapy_layers.all import *``, after ``scapy.all``."""

from __future__ import annotations

from xenmig.scapy_layers import layers
from xenmig.scapy_layers.capture import CaptureRecipe, write_capture
from xenmig.scapy_layers.layers import *  # noqa: F403
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe
from xenmig.scapy_layers.regions import GuestMemoryUnavailable
from xenmig.scapy_layers.session import Migration, MigrationSession, bind
from xenmig.scapy_layers.stream import MigrationStream

__all__ = [  # noqa: PLE0604  # layers.__all__ is a list of strings
    *layers.__all__,
    "CaptureRecipe",
    "GuestMemoryUnavailable",
    "Migration",
    "MigrationReader",
    "MigrationSession",
    "MigrationStream",
    "Recipe",
    "bind",
    "write_capture",
]
