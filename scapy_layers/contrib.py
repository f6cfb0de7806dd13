# SPDX-License-Identifier: GPL-2.0-or-later
# scapy.contrib.description = Xen migration streams (libxl, libxc)
# scapy.contrib.status = loads
"""What Scapy loads as ``scapy.contrib.xenmig``: ``conf.exts.load("xenmig")``, then ``load_contrib("xenmig")``.

Scapy executes this file under that other name. It defines nothing of its own, because a class defined here would exist
twice, and packets of the one would not be packets of the other.
"""

from __future__ import annotations

from scapy.config import conf

from xenmig.scapy_layers import layers
from xenmig.scapy_layers.all import *  # noqa: F403
from xenmig.scapy_layers.all import __all__ as __all__  # noqa: PLC0414

# explore() lists the classes that were defined in a module of this name.
conf.layers.ldict[__name__] = [getattr(layers, name) for name in layers.__all__]
