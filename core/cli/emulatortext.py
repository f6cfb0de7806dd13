"""EMULATOR_CONTEXT: the sections of QEMU's state."""

from __future__ import annotations

from xenmig.core.cli.dump import SHOWN_OCTETS, dump
from xenmig.core.cli.escape import escaped
from xenmig.core.cli.structtext import field_lines
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.definitions.qemu import MAGIC, EmulatorContext, device_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenmig.core.cli.structtext import View
    from xenmig.core.definitions.qemu import DeviceState

DOUBT = (
    "Only QEMU knows where a device's data ends: ends without a footer are where the next header was found, and",
    "a section whose header was not recognised is counted as data of the one before it.",
)


def emulator_state(value: EmulatorContext) -> tuple[bytes, DeviceState]:
    """The emulator's own bytes, and what could be found in them."""
    fields = value.__dict__
    data = fields.get("magic", 0).to_bytes(4, "big") if "magic" in fields else b""
    if "version" in fields:
        data += value.version.to_bytes(4, "big")
    data += fields.get("sections", b"")
    return data, device_state(data)


def emulator_lines(value: EmulatorContext, view: View, indent: int) -> Iterator[str]:
    """Version, machine type and the devices in order."""
    margin = " " * indent
    yield from field_lines(value, view, indent, ("sections",))
    data, state = emulator_state(value)
    yield ""
    if value.__dict__.get("magic") != MAGIC:
        yield f"{margin}the state: {state.kind}, {count(len(data), 'byte')}"
        yield from dump(data, 0, len(data) if view.raw else SHOWN_OCTETS, indent + 2)
        return
    ended = "ends with the end mark" if state.complete else "does not end with the end mark"
    machine = f", machine {escaped(state.machine)}" if state.machine is not None else ""
    yield f"{margin}{state.kind} state of version {state.version}{machine}: {count(len(data), 'byte')}, {ended}"
    yield f"{margin}{count(len(state.sections), 'section')} found"
    rows = [["section", "device", "instance", "version", "data at", "bytes", ""]]
    for one in state.sections:
        kind = "" if one.type.name == "FULL" else str(one.type.name).lower()
        rows.append(
            [
                str(one.number),
                escaped(one.name),
                str(one.instance),
                str(one.version),
                f"0x{one.data:x}",
                f"{one.end - one.data:,}",
                " ".join(filter(None, (kind, "footer" if one.footer else ""))),
            ]
        )
    yield from aligned(rows, "><>>>>", indent=indent + 2)
    if not all(one.footer for one in state.sections):
        for line in DOUBT:
            yield f"{margin}{line}"
