"""Vector registers: the legacy region of an XSAVE area and the components behind it."""

from __future__ import annotations

from xenmig.core.cli.registertext import flag_lines, register_lines
from xenmig.core.cli.structtext import field_lines
from xenmig.core.cli.table import aligned
from xenmig.core.cli.units import count
from xenmig.core.definitions.xsave import Fxsave, XmmRegister, components
from xenmig.core.definitions.xsave_area import HEADER_BYTES, LEGACY_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from xenmig.core.cli.structtext import View
    from xenmig.core.definitions.guest import Guest
    from xenmig.core.definitions.structs import Struct
    from xenmig.core.definitions.xsave import Component


def fxsave_lines(value: Fxsave, _: View, indent: int) -> Iterator[str]:
    """The x87 and SSE registers; those that are zero are counted only."""
    fields = value.__dict__
    yield from register_lines(value, ("fcw", "fsw", "ftw", "fop", "fip", "fdp", "mxcsr", "mxcsr_mask"), indent)
    yield from flag_lines(value, ("fsw", "mxcsr"), indent)
    if "fip_width" in fields:
        yield f"{' ' * indent}fip_width {value.fip_width}: {value.fip_width.doc}"
    rows = [
        [f"st{at}", f"{one.sign_exponent:04x} {one.significand:016x}"]
        for at, one in enumerate(fields.get("st", ()))
        if one.sign_exponent or one.significand
    ]
    rows += [
        [f"xmm{at}", f"{one.high:016x} {one.low:016x}"]
        for at, one in enumerate(fields.get("xmm", ()))
        if one.high or one.low
    ]
    yield from aligned(rows, indent=indent)
    yield f"{' ' * indent}{'the others of ' if rows else ''}st0 to st7 and xmm0 to xmm15 are zero"


def components_of(value: Struct, guest: Guest | None, byteorder: str) -> list[Component]:
    """The components of an area, which lie where the CPU policy of the ``guest`` says."""
    fields = value.__dict__
    behind = fields.get("components")
    if behind is None or "xstate_bv" not in fields:
        return []
    area = bytes(LEGACY_BYTES + HEADER_BYTES) + behind
    leaves = guest.leaves if guest is not None else ()
    return components(area, int(fields["xcr0_accum"]), int(fields["xstate_bv"]), leaves, byteorder)


def area_lines(value: Struct, view: View, indent: int) -> Iterator[str]:
    """What X86_PV_VCPU_XSAVE and an entry CPU_XSAVE have in common: masks, legacy region, header, components."""
    margin = " " * indent
    fields = value.__dict__
    yield from flag_lines(value, ("xfeature_mask", "xcr0", "xcr0_accum", "xstate_bv"), indent)
    if fields.get("xcomp_bv"):
        yield f"{margin}xcomp_bv {fields['xcomp_bv']:016x}"
    legacy = fields.get("fpu_sse")
    if legacy is None:
        yield f"{margin}no state is saved"
        return
    yield f"{margin}legacy region"
    yield from fxsave_lines(legacy, view, indent + 2)
    behind = fields.get("components")
    if behind is None or "xstate_bv" not in fields:
        return
    found = components_of(value, view.guest, view.byteorder)
    if behind and not found:
        yield f"{margin}{count(len(behind), 'byte')} of components; nothing says where they lie"
    for one in found:
        state = "" if one.in_use else ", in its initial state"
        yield f"{margin}{one.name}: {count(one.place.size, 'byte')} at {one.place.offset:,}{state}"
        if one.value is None:
            yield f"{margin}  not decoded"
        elif one.in_use:
            yield from _component(one.value, view, indent + 2)


def _component(value: Struct, view: View, indent: int) -> Iterator[str]:
    vectors = [(field.name, items) for field, items in value.items() if _holds_vectors(items)]
    for name, items in vectors:
        rows = [
            [f"{name}[{at}]", f"{one.high:016x} {one.low:016x}"] for at, one in enumerate(items) if one.high or one.low
        ]
        yield from aligned(rows, indent=indent)
        if len(rows) < len(items):
            yield f"{' ' * indent}{'the other' if rows else 'all'} {len(items) - len(rows)} of {name} are zero"
    if not vectors:
        yield from field_lines(value, view, indent)


def _holds_vectors(items: Any) -> bool:
    return isinstance(items, list) and bool(items) and isinstance(items[0], XmmRegister)
