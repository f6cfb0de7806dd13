"""Lists the rules that streams are held to: what each says, why, who says so, and who refuses what breaks it.

RULE is the id of one rule, as verify prints it; without it all are listed.
"""

from __future__ import annotations

import sys

from xenmig.core.check.rule import SEVERITIES
from xenmig.core.check.rules import RULES
from xenmig.core.cli.escape import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from xenmig.core.check.rule import Rule

KEYS = ("id", "severity", "title", "reason", "source", "receivers")
"What is said of a rule; the keys of the JSON."
UNKNOWN = 2


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rule", metavar="RULE", nargs="*", help="only the rules of these ids")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each rule, one on a line")
    parser.add_argument("--severity", choices=SEVERITIES, help="only rules of this severity")


def run(options: Namespace) -> int:
    """Run the command with parsed options."""
    for name in options.rule:
        if name not in RULES:
            sys.stderr.write(f"xenmig: there is no rule {escaped(name)}; `xenmig rules` lists them\n")
            return UNKNOWN
    wanted = [RULES[name] for name in options.rule] or list(RULES.values())
    for rule in wanted:
        if options.severity in (None, rule.severity):
            _print(rule, json=options.json)
    return 0


def _print(rule: Rule, *, json: bool) -> None:
    if json:
        from json import dumps

        sys.stdout.write(dumps({key: getattr(rule, key) for key in KEYS}) + "\n")
        return
    sys.stdout.write(
        f"{rule.id} ({rule.severity}): {rule.title}\n"
        f"  why      {rule.reason}\n"
        f"  source   {rule.source}\n"
        f"  refused  {rule.receivers}\n\n"
    )
