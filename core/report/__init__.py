"""The report: one page about a capture or stream, with plots. Needs the extra `report`: matplotlib and Jinja."""

from __future__ import annotations

import logging

# Matplotlib warns about its cache folder and about the user's configuration, which does not hold here.
logging.getLogger("matplotlib").setLevel(logging.ERROR)
