"""Writing to syslog as verify-stream-v2 does: lines about errors go to the standard error as well."""

from __future__ import annotations

import sys
from syslog import LOG_ERR, LOG_INFO, LOG_PID, openlog
from syslog import syslog as log

openlog("xenmig", LOG_PID)


def write(line: str, severity: str = "") -> None:
    """Log one line of the result."""
    log(LOG_ERR if severity == "error" else LOG_INFO, line.replace("\0", "\\x00"))
    if severity == "error" and sys.stderr is not None:
        sys.stderr.write(line + "\n")


def complain(text: str) -> None:
    """Log that an input cannot be read."""
    write(f"xenmig: {text}", "error")
