"""The guest on one line."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped, shortened
from xenmig.core.cli.units import count, kibibytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.guest import Guest


def guest_text(guest: Guest) -> str:
    """Kind, name, processors, memory and uuid, as far as they are known."""
    kind, configuration = guest.description, guest.configuration
    named = f"{kind if kind != 'unknown' else ''} {shortened(configuration.name or '')}".strip()
    parts = [named] if named else []
    if configuration.max_vcpus is not None:
        parts.append(count(configuration.max_vcpus, "vcpu"))
    if configuration.memory is not None:
        parts.append(kibibytes(configuration.memory))
    if configuration.max_memory is not None and configuration.max_memory != configuration.memory:
        parts.append(f"at most {kibibytes(configuration.max_memory)}")
    if configuration.uuid:
        parts.append(f"uuid {shortened(configuration.uuid)}")
    if configuration.problem:
        parts.append(escaped(configuration.problem))
    return ", ".join(parts) or "not known"
