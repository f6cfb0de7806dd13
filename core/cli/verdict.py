"""What ``verify`` says of an input that is not simply sound."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped
from xenmig.core.cli.units import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from xenmig.core.check.finding import Finding
    from xenmig.core.cli.verify import Checked, Write
    from xenmig.core.decode.reading import Reading

MOST_SHOWN = 20
"Findings of one rule that are printed without -v."

_SEVERITIES = ("error", "warning", "note")


def verdict(counts: dict[str, int], complete: bool) -> str:
    """The verdict in a few words, with the numbers of findings by severity."""
    sound = not counts["error"]
    words = ("sound" if complete else "sound as far as it goes") if sound else "not sound"
    numbers = ", ".join(count(counts[severity], severity) for severity in _SEVERITIES if counts[severity])
    return f"{words}: {numbers}" if numbers else words


def print_text(reading: Reading, found: Sequence[Checked], write: Write, verbose: bool) -> None:
    """The verdict, the findings in stream order, and the notices about the input itself."""
    totals = {severity: sum(one.checker.counts[severity] for one in found) for severity in _SEVERITIES}
    complete = all(one.checker.complete for one in found if one.stream.role == "sender")
    head = f"{escaped(reading.name)}: {verdict(totals, complete)}"
    write(head, "error" if totals["error"] else "")
    for one in found:
        many = f"stream {one.stream.number}: " if reading.kind == "capture" else ""
        ends = f" ({_ends(one)})" if one.stream.direction is not None else ""
        whole = "" if one.checker.complete or one.stream.role == "receiver" else ", incomplete"
        write(f"  {many}{one.description}{whole}{ends}")
        shown: dict[str, int] = {}
        for finding in one.checker.findings:
            number = shown[finding.rule] = shown.get(finding.rule, 0) + 1
            if verbose or number <= MOST_SHOWN:
                _finding(finding, write, verbose)
        for rule, number in shown.items():
            left = one.checker.suppressed.get(rule, 0) + (0 if verbose else max(0, number - MOST_SHOWN))
            if left:
                listed = "" if verbose else f" (-v lists {number:,} of them)" if number > MOST_SHOWN else ""
                write(f"    and {left:,} more of {rule}{listed}")
    for notice in [] if reading.unread else reading.notices:
        write(f"  input: {escaped(notice)}")


def _finding(finding: Finding, write: Write, verbose: bool) -> None:
    where = [] if finding.record is None else [f"record {finding.record:,}"]
    where.append(f"offset 0x{finding.offset:x} ({finding.offset:,})")
    if finding.frame is not None:
        where.append(f"frame {finding.frame:,}")
    severity = finding.severity
    write(f"    {severity:8} {', '.join(where)}: {finding.rule}", severity)
    write(f"             {escaped(finding.message)}", severity)
    if not verbose:
        return
    from xenmig.core.check.rules import RULES

    rule = RULES.get(finding.rule)
    if rule is not None:
        write(f"             why: {rule.reason}", severity)
        write(f"             source: {rule.source}; refused by: {rule.receivers}", severity)


def _ends(one: Checked) -> str:
    direction = one.stream.direction
    return f"{direction.source} -> {direction.destination}" if direction is not None else ""
