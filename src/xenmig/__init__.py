"""Reads Xen libxl and libxc migration streams from save files and packet captures."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"


def scapy_ext(scapy_ext: Any) -> None:
    """Introduce this package to Scapy.

    Scapy calls this for ``conf.exts.load("xenmig")`` and for an installation named in ``conf.load_extensions``;
    ``scapy_ext`` is its ``scapy.config.ScapyExt``, on which the name and version are set.
    """
    scapy_ext.config("xenmig", __version__)
