"""What stays of the body of a record that is no guest memory.

What a definition covers stays and the rest does not: a length that is wrong may have made guest memory part of a body.
Where the state of devices and vcpus is to be removed as well, those of its fields stay that are no data of the guest:
flags, modes, numbers of vcpus, lengths, and frame numbers, which the stream gives away anyway. With these it is as
sound as it was: the rules of :mod:`xenmig.core.check` ask for nothing else.
"""

from __future__ import annotations

from xenmig.core.decode.pages import PFN_MASK
from xenmig.core.definitions import libxc, libxl, msrs, qemu, vcpu
from xenmig.core.definitions.bodies import BODIES
from xenmig.core.definitions.hvm_context import HvmContext, HvmSaveDescriptor, HvmSaveHeader
from xenmig.core.definitions.interrupt_controllers import HvmHwLapic
from xenmig.core.definitions.shared_info import SharedInfo32, SharedInfo64
from xenmig.core.definitions.structs import Struct
from xenmig.core.definitions.timers import HvmHwPitChannel
from xenmig.core.scrub.extent import extents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from xenmig.core.scrub.extent import Extent

    Part: TypeAlias = tuple[int, int, bytes | None]
    "Start and end in the body, and what takes the place of the bytes there; None where they stay."

STATE = {
    libxc.LAYER: frozenset(
        one.record
        for one in (
            libxc.HvmContext,
            libxc.SharedInfo,
            libxc.X86PvVcpuBasic,
            libxc.X86PvVcpuExtended,
            libxc.X86PvVcpuXsave,
            libxc.X86PvVcpuMsrs,
        )
    ),
    libxl.LAYER: frozenset((libxl.EmulatorContext.record,)),
}
"Records that hold the state of devices and vcpus."
OPAQUE = {
    libxc.LAYER: frozenset((libxc.Toolstack.record, libxc.CheckpointDirtyPfnList.record)),
    libxl.LAYER: frozenset[int | None](),
}
"""Records whose bodies are not kept: nothing is known of the one, and the other is never part of a sender's stream, so
that what stands there is something else."""

WHOLE = (HvmSaveDescriptor, HvmSaveHeader)
"Structs that say what the state is, and are none themselves."
VCPU = ("vcpu_id",)
SHAPE: dict[type[Struct], tuple[str, ...]] = {
    HvmHwPitChannel: ("rw_mode", "bcd", "gate"),
    HvmHwLapic: ("timer_divisor",),
    msrs.HvmMsr: ("count",),
    msrs.X86PvVcpuMsrs: VCPU,
    vcpu.X86PvVcpuBasic64: (*VCPU, "cr1", "cr3", "gdt_frames", "gdt_ents"),
    vcpu.X86PvVcpuBasic32: (*VCPU, "cr3", "gdt_frames", "gdt_ents"),
    vcpu.X86PvVcpuExtended: (*VCPU, "vcpu", "struct_size"),
    vcpu.X86PvVcpuXsave: VCPU,
    qemu.EmulatorContext: ("index", "magic", "version"),
    libxc.X86PvVcpuBasic: VCPU,
    libxc.X86PvVcpuExtended: VCPU,
    libxc.X86PvVcpuXsave: VCPU,
    libxc.X86PvVcpuMsrs: VCPU,
    SharedInfo64: ("max_pfn",),
    SharedInfo32: ("max_pfn",),
}
"Numbers that are no data of the guest, though nothing in their definitions says so."
START_INFO = {vcpu.UserRegs64: "rdx", vcpu.UserRegs32: "edx"}
"The register that holds the pfn of the start_info page in vcpu 0."
NOT_ZERO = {msrs.HvmOneMsr: "val", msrs.XenDomctlVcpuMsr: "value"}
"Numbers for which a sender leaves out the zero: they become 1."


LEAVES = ((0, 0x100), (0x40000000, 0x40001000), (0x80000000, 0x80000100))
"Where CPUID has leaves: basic ones, those of hypervisors, and extended ones."


def plausible(layer: str, record: int, value: Struct, length: int) -> bool:
    """Whether a body of ``length`` bytes is what its type says, or guest memory behind a header that is wrong.

    Of most records the length alone tells. Those that may have many lengths must read as what they are.
    """
    kind = type(value)
    if record in OPAQUE[layer] or not kind.accepts(length):
        return False
    if (layer, record) in BODIES and kind is Struct.records[layer][record]:
        # None of the closer definitions has such a length.
        return False
    if isinstance(value, HvmContext):
        entries = value.__dict__.get("entries")
        first = entries[0].value if entries else None
        return isinstance(first, HvmSaveHeader) and not first.problems
    if any(problem.kind in ("length", "count") for problem in value.problems):
        return False
    if isinstance(value, libxc.X86PvP2mFrames):
        return max(value.p2m_pfns, default=0) <= PFN_MASK
    if isinstance(value, libxc.X86CpuidPolicy):
        return all(any(first <= leaf.leaf < end for first, end in LEAVES) for leaf in value.leaves)
    if isinstance(value, libxl.EmulatorXenstoreData):
        return all(word.isascii() and word.decode("ascii").isprintable() for word in value.xenstore_data)
    if isinstance(value, qemu.EmulatorContext):
        return value.__dict__.get("version") is not None
    if isinstance(value, vcpu.X86PvVcpuXsave):
        return not value.problems
    # Reserved fields, and numbers that are names.
    return len(value.problems) <= max(1, length // PROBLEM_EVERY)


PROBLEM_EVERY = 256
"Bytes in which guest memory breaks more than one rule of a definition."


def parts(layer: str, record: int, value: Struct, length: int, byteorder: str, *, state: bool) -> Iterator[Part]:
    """What is kept or replaced of a body of ``length`` bytes, decoded as closely as is known, in ascending order.

    ``state`` says that the state of devices and vcpus goes. Bytes in no part become zero.
    """
    removed = state and record in STATE[layer]
    for extent in extents(value, 0, length):
        if isinstance(value, qemu.EmulatorContext) and extent.name == "sections":
            yield from _emulator(value, extent, headers_only=removed)
        elif not removed or _is_shape(extent) or _is_start_info(value, extent):
            yield extent.start, extent.end, None
        elif extent.name == NOT_ZERO.get(type(extent.owner)):
            order = "little" if byteorder == "<" else "big"
            yield extent.start, extent.end, (1).to_bytes(extent.end - extent.start, order)  # type: ignore[arg-type]


def _is_shape(extent: Extent) -> bool:
    """Whether a field says how the state is laid out or which mode something is in."""
    field, owner = extent.field, extent.owner
    named = field.values is not None or field.flags is not None or field.must is not None or bool(field.bits)
    return named or isinstance(owner, WHOLE) or extent.name in SHAPE.get(type(owner), ())


def _is_start_info(value: Struct, extent: Extent) -> bool:
    return extent.name == START_INFO.get(type(extent.owner)) and value.__dict__.get("vcpu_id") == 0


def _emulator(value: qemu.EmulatorContext, extent: Extent, *, headers_only: bool) -> Iterator[Part]:
    """QEMU's state: all of it, or only the headers of its sections."""
    if not headers_only:
        yield extent.start, extent.end, None
        return
    head = value.field("magic").offset or 0
    data = value.magic.to_bytes(4, "big") + value.version.to_bytes(4, "big") + value.sections
    found = qemu.device_state(data)
    at = extent.start
    for section in found.sections:
        # The configuration section stands in front of the first device.
        yield (at if section is found.sections[0] else head + section.offset), head + section.data, None
        if section.footer:
            yield head + section.end, head + section.end + FOOTER, None


FOOTER = 5
"Bytes of a section's footer: its type and the number of the section."
