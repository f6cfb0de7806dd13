"""Reads Xen libxl and libxc migration streams from save files and packet captures."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"


def scapy_ext(scapy_ext: Any) -> None:
    """Introduce this package to Scapy.

    Scapy calls this for ``conf.exts.load("xenmig")`` and for an installation named in ``conf.load_extensions``;
    ``scapy_ext`` is its ``scapy.config.ScapyExt``. After it, ``load_contrib("xenmig")`` has everything.
    """
    from importlib.util import find_spec

    scapy_ext.config("xenmig", __version__)
    found = find_spec("xenmig.scapy_layers.contrib")
    if found is not None and found.origin:
        scapy_ext.register(name="xenmig", mode=scapy_ext.MODE.CONTRIB, path=found.origin)
