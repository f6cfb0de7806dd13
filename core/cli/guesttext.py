"""The guest on one line."""

from __future__ import annotations

from xenmig.core.cli.escape import escaped, shortened
from xenmig.core.cli.units import count, kibibytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.guest import Guest


def guest_text(guest: Guest) -> str:
    """Kind, name, processors, memory and uuid, as far as they are known."""
    kind = guest.description
    named = f"{kind if kind != 'unknown' else ''} {shortened(guest.name)}".strip()
    parts = [named] if named else []
    if guest.vcpus is not None:
        parts.append(count(guest.vcpus, "vcpu"))
    if guest.memory is not None:
        parts.append(kibibytes(guest.memory))
    if guest.maximum is not None and guest.maximum != guest.memory:
        parts.append(f"at most {kibibytes(guest.maximum)}")
    if guest.uuid:
        parts.append(f"uuid {shortened(guest.uuid)}")
    if guest.problem:
        parts.append(escaped(guest.problem))
    return ", ".join(parts) or "not known"
