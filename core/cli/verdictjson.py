"""The verdict of ``verify`` on an input as JSON."""

from __future__ import annotations

import json

from xenmig.core.cli.values import as_json as value_as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from xenmig.core.check.finding import Finding
    from xenmig.core.cli.verify import Checked
    from xenmig.core.decode.reading import Reading
    from xenmig.core.sources.errors import UnreadableInput

_LAYERS = ("xl", "libvirt", "libxl", "libxc")


def as_json(reading: Reading, found: Sequence[Checked]) -> str:
    """The verdict on one input as a JSON object."""
    sound = all(one.checker.sound for one in found)
    return json.dumps(
        {
            "input": reading.name,
            "kind": reading.kind,
            "verdict": "sound" if sound else "error",
            "streams": [_stream(one) for one in found],
            "notices": reading.notices,
        }
    )


def unreadable(path: str, error: UnreadableInput) -> str:
    """The same for an input that cannot be read."""
    name = "standard input" if path == "-" else path
    return json.dumps(
        {"input": name, "kind": None, "verdict": "unreadable", "streams": [], "notices": [], "reason": error.reason}
    )


def _stream(one: Checked) -> dict[str, Any]:
    stream, checker = one.stream, one.checker
    direction = stream.direction
    return {
        "stream": stream.number,
        "role": stream.role,
        "layers": sorted(one.layers, key=_LAYERS.index),
        "source": str(direction.source) if direction is not None else None,
        "destination": str(direction.destination) if direction is not None else None,
        "complete": checker.complete,
        "bytes": stream.decoder.position,
        "records": one.records,
        "counts": checker.counts,
        "findings": [_finding_as_json(finding) for finding in checker.findings],
        "suppressed": checker.suppressed,
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "offset": finding.offset,
        "record": finding.record,
        "frame": finding.frame,
        "layer": finding.layer,
        "expected": _plain(finding.expected),
        "actual": _plain(finding.actual),
    }


def _plain(value: Any) -> Any:
    """What a rule expected or found, as JSON: bytes as hexadecimal text, numbers without their names."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value_as_json(value)
