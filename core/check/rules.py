"""Every rule, in the order in which ``xenmig rules`` lists them.

Loaded with the first finding: a sound stream needs no rule's words. ``receivers`` is what real hosts with Xen 4.17 and
4.20 did with a stream that breaks the rule, and where none was tried, what their source says.
"""

from __future__ import annotations

from xenmig.core.check import (
    colo_rules,
    framing_rules,
    hvm_context_rules,
    libxc_rules,
    libxl_rules,
    memory_rules,
    policy_rules,
    pv_rules,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.rule import Rule

_MODULES = (
    framing_rules,
    colo_rules,
    libxl_rules,
    libxc_rules,
    memory_rules,
    policy_rules,
    hvm_context_rules,
    pv_rules,
)
RULES: dict[str, Rule] = {rule.id: rule for module in _MODULES for rule in module.RULES}
"All rules by id."
