"""Rules over the configuration in front of a stream, and what the stream itself says of the guest."""

from __future__ import annotations

from xenmig.core.definitions.configuration import from_json
from xenmig.core.definitions.xl import MandatoryFlags
from xenmig.core.quantity import be, quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.check.guest_state import Telling
    from xenmig.core.definitions.xl import OptionalData

CONFIG_AT = 4
"Where the configuration begins, after its length."


def check_json(telling: Telling, data: OptionalData) -> None:
    """Read the configuration; say when it is none."""
    config = data.config
    if not config or len(config) < (data.config_len or 0):
        return
    found = from_json(config)
    if found.problem:
        telling.tell("xl-config-json", f"{found.problem} ({MandatoryFlags.JSON})", CONFIG_AT)
        return
    telling.state.configuration = found
    telling.state.config_event = telling.event  # type: ignore[assignment]


def check_type(telling: Telling) -> None:
    """The configuration and the domain header name the same kind of guest."""
    state = telling.state
    assert state.configuration is not None
    kind = state.configuration.type
    hvm = {"hvm": True, "pvh": True, "pv": False}.get(kind or "")
    if hvm is not None and state.guest.hvm is not None and hvm != state.guest.hvm:
        says = "x86 HVM" if state.guest.hvm else "x86 PV"
        telling.tell("config-guest-type", f"the configuration is of a {kind} guest, the domain header says {says}")


def check_emulated(telling: Telling, emulated: bool) -> None:
    """A guest with emulated devices is HVM, one without is PVH."""
    configuration = telling.state.configuration
    kind = configuration.type if configuration is not None else None
    if kind in ("hvm", "pvh") and (kind == "hvm") != emulated:
        there = "there are" if emulated else "there are no"
        problem = f"the configuration is of a {kind} guest, and {there} emulated devices"
        telling.tell("config-guest-type", problem)


def check_vcpus(telling: Telling, count: int, *, exact: bool) -> None:
    """The guest has as many vcpus as its configuration says; ``exact`` where all of them are saved."""
    configuration = telling.state.configuration
    most = configuration.max_vcpus if configuration is not None else None
    if most is not None and (count > most or (exact and count != most)):
        problem = f"there {be(count)} {quantity(count, 'vcpu')}, the configuration says {most}"
        telling.tell("config-vcpus", problem, 0, most, count)
