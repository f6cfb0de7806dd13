"""What is asked of single records: that they are as defined, and what no definition can say."""

from __future__ import annotations

from xenmig.core.check.conformance import conformance, fixed_bytes, length_fits
from xenmig.core.definitions import libxc, libxl
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE
from xenmig.core.definitions.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from xenmig.core.check.checker import Report
    from xenmig.core.check.conformance import Conforms
    from xenmig.core.check.libxc_order import LibxcOrder
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.record import Record, RecordRun
    from xenmig.core.definitions.structs import Problem

RULE_OF_PROBLEM = {
    "reserved": "reserved-not-zero",
    "value": "unknown-value",
    "length": "body-length",
    "count": "body-count",
}
"Kind of problem that a definition finds -> rule."
RECORD_HEADER = libxc.RecordHeader.size or 0

INSIDE = (
    libxc.X86PvVcpuBasic.record,
    libxc.X86PvVcpuExtended.record,
    libxc.X86PvVcpuXsave.record,
    libxc.X86PvVcpuMsrs.record,
    libxc.SharedInfo.record,
    libxc.HvmContext.record,
    libxc.HvmParams.record,
    libxc.X86MsrPolicy.record,
)
"""Bodies with a closer definition than their layer's, which finds all that the layer's does: where what is inside is
looked at, guest_state.py says what is wrong with those that have something inside."""
ZERO_CONTENT = bytes(8)
"As long as the head of the records that Xen 4.6 to 4.8 wrote without anything behind it."
ZERO_CONTENT_BODIES: tuple[type[Struct], ...] = (
    libxc.HvmParams,
    libxc.X86PvVcpuBasic,
    libxc.X86PvVcpuExtended,
    libxc.X86PvVcpuXsave,
    libxc.X86PvVcpuMsrs,
)
"Those records."

CONFORMS: dict[str, dict[int, Conforms]] = {libxl.LAYER: {}, libxc.LAYER: {}}
"The tests of the bodies that have come so far, in any stream."


class Bodies:
    """Looks at the bodies of the records of one stream."""

    __slots__ = ("legacy", "forward", "inside", "_report", "_order")

    legacy: bool
    "Whether the libxl header says that the stream was made from a legacy one."
    forward: bool
    "Whether this is the guest's own stream, and not what its receiver says."
    inside: bool
    "Whether what is inside bodies is looked at as well."

    def __init__(self, report: Report, order: LibxcOrder, *, forward: bool = True, inside: bool = False) -> None:
        self.legacy = False
        self.forward = forward
        self.inside = inside
        self._report = report
        self._order = order

    def record(self, event: Record) -> None:
        """Look at a record whose type is known and of which no bytes are missing."""
        layer, kind, body = event.layer, event.type, event.body
        if body is None:
            self._large(event)
            return
        found = CONFORMS[layer].get(kind)
        if found is None:
            found = CONFORMS[layer][kind] = conformance(Struct.records[layer][kind])
        if found(body, event.byteorder):
            special = self._SPECIAL.get((layer, kind))
            if special is not None:
                special(self, event, body)
            if layer == libxc.LAYER and len(body) > len(ZERO_CONTENT) and self._order.repeatable(kind):
                self._order.usual[kind] = found
            return
        content = len(body) > len(ZERO_CONTENT) or kind == libxc.HvmContext.record
        if self.inside and layer == libxc.LAYER and kind in INSIDE and content:
            return
        from xenmig.core.check.records import record_name

        decoded = Struct.records[layer][kind].decode(body, event.byteorder)
        what = record_name(layer, kind)
        for problem in decoded.problems:
            self.problem(problem, event, what, event.offset + RECORD_HEADER + problem.offset)

    def run_is_right(self, run: RecordRun) -> bool:
        """Whether all records of a run are right, and looking at their bodies settles all that there is to say of them.

        Each byte that a right body must have is compared with that of all the others by one slice.
        """
        layer, kind, length = run.layer, run.type, run.length
        if run.pfns is not None:
            return run.pfns.with_data == run.count and not run.pfns.bad_count and not run.reserved
        definition = Struct.records[layer].get(kind)
        if definition is None:
            return True
        if (layer, kind) in self._SPECIAL and (layer != libxc.LAYER or length <= len(ZERO_CONTENT)):
            return False
        fixed = fixed_bytes(definition, length, run.byteorder)
        if fixed is None:
            return False
        stride = RECORD_HEADER + length
        for offset, wanted in fixed.items():
            for place, byte in enumerate(wanted, RECORD_HEADER + offset):
                if run.data[place::stride] != bytes((byte,)) * run.count:
                    return False
        return True

    def problem(self, problem: Problem, event: Event, what: str, offset: int, rule: str = "") -> None:
        """Report what a definition found."""
        self._report(
            rule or RULE_OF_PROBLEM[problem.kind],
            event,
            problem.expected,
            problem.actual,
            offset,
            what=what,
            problem=problem.message,
        )

    def _large(self, event: Record) -> None:
        definition = Struct.records[event.layer][event.type]
        if not length_fits(definition, event.length):
            from xenmig.core.quantity import quantity

            problem = f"{quantity(event.length, 'byte')} long, which {definition.name} cannot be"
            self._report("body-length", event, definition.size, event.length, problem=problem)
        else:
            self._report("body-not-checked", event, None, event.length)

    # -- libxc ----------------------------------------------------------------------------------------------------

    def _pv_info(self, event: Record, body: bytes) -> None:
        info = libxc.X86PvInfo.decode(body, event.byteorder)
        width, levels = int(info.guest_width), int(info.pt_levels)
        if (width, levels) in PAIRS:
            self._order.width = width
        else:
            self._report("libxc-x86-pv-info-pair", event, width=width, levels=levels)

    def _p2m_frames(self, event: Record, body: bytes) -> None:
        start, end = libxc.X86PvP2mFrames.layout(event.byteorder).unpack_from(body)
        if start > end:
            self._report("libxc-p2m-frames-range", event, start=start, end=end)
        elif self._order.width:
            per_frame = GUEST_PAGE_SIZE // self._order.width
            frames = end // per_frame - start // per_frame + 1
            field = libxc.X86PvP2mFrames.field("p2m_pfns")
            expected = (field.offset or 0) + 8 * frames
            if expected != event.length:
                self._report("libxc-p2m-frames-length", event, expected, event.length, start=start, end=end)

    def _hvm_context(self, event: Record, body: bytes) -> None:
        # No Xen writes big endian streams, so nobody can say in which order their hvm_save images would be.
        from xenmig.core.definitions.shapes import CONTEXT_BEGINS

        usual = CONTEXT_BEGINS["<"]
        if not body.startswith((usual, CONTEXT_BEGINS[event.byteorder])):
            self._report("libxc-hvm-context-header", event, usual.hex(" "), body[: len(usual)].hex(" "))

    def _zero_content(self, event: Record, body: bytes) -> None:
        if len(body) == len(ZERO_CONTENT):
            self._report("zero-content", event)

    # -- libxl ----------------------------------------------------------------------------------------------------

    def _emulator(self, event: Record, body: bytes) -> None:
        number, index = libxl.EmulatorContext.layout(event.byteorder).unpack_from(body)
        if number == libxl.EmulatorId.UNKNOWN and not self.legacy:
            self._report("libxl-emulator-unknown", event)
        if index:
            self._report("libxl-emulator-index", event, 0, index)

    def _xenstore_data(self, event: Record, body: bytes) -> None:
        self._emulator(event, body)
        decoded = libxl.EmulatorXenstoreData.decode(body, event.byteorder)
        for key in decoded.xenstore_data[::2]:
            if not key or key.startswith(b"/"):
                self._report("libxl-xenstore-key", event, None, shown(key))
            else:
                parts = key.split(b"/")
                if len(parts) != 3 or parts[0] != b"physmap" or parts[2] not in PHYSMAP:
                    self._report("libxl-xenstore-physmap", event, None, shown(key))

    def _checkpoint_state(self, event: Record, body: bytes) -> None:
        state = libxl.CheckpointState.decode(body, event.byteorder).control_id
        if self.forward and state != libxl.CheckpointStateId.NEW:
            self._report("libxl-checkpoint-state-direction", event, 0, str(state))

    _SPECIAL: ClassVar[dict[tuple[str, int | None], Callable[[Bodies, Record, bytes], None]]] = {
        (libxc.LAYER, libxc.X86PvInfo.record): _pv_info,
        (libxc.LAYER, libxc.X86PvP2mFrames.record): _p2m_frames,
        (libxc.LAYER, libxc.HvmContext.record): _hvm_context,
        **dict.fromkeys([(libxc.LAYER, one.record) for one in ZERO_CONTENT_BODIES], _zero_content),
        (libxl.LAYER, libxl.EmulatorXenstoreData.record): _xenstore_data,
        (libxl.LAYER, libxl.EmulatorContext.record): _emulator,
        (libxl.LAYER, libxl.CheckpointState.record): _checkpoint_state,
    }
    "What no definition can say, by layer and type."


PAIRS = ((4, 3), (8, 4))
"guest_width and pt_levels that go together: xg_sr_restore_x86_pv.c, handle_x86_pv_info."
PHYSMAP = (b"start_addr", b"size", b"name")


TEXT_SHOWN = 64
"Bytes of a text from the stream that a message shows."


def shown(data: bytes) -> str:
    """Bytes from a stream as text that is safe to show: what is not printable ASCII is escaped."""
    return ascii(data[:TEXT_SHOWN].decode("latin-1"))
