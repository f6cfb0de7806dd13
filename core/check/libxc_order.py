"""The order and number of the records of a libxc stream: libxc-migration-stream, Layout, and what Xen's code adds."""

from __future__ import annotations

from xenmig.core.definitions import libxc
from xenmig.core.definitions.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar

    from xenmig.core.check.checker import Report
    from xenmig.core.check.conformance import Conforms
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.record import Record

END = libxc.End.record
PAGE_DATA = libxc.PageData.record
X86_PV_INFO = libxc.X86PvInfo.record
P2M_FRAMES = libxc.X86PvP2mFrames.record
SHARED_INFO = libxc.SharedInfo.record
TSC_INFO = libxc.X86TscInfo.record
HVM_CONTEXT = libxc.HvmContext.record
HVM_PARAMS = libxc.HvmParams.record
TOOLSTACK = libxc.Toolstack.record
VERIFY = libxc.Verify.record
CHECKPOINT = libxc.Checkpoint.record
DIRTY_PFN_LIST = libxc.CheckpointDirtyPfnList.record
STATIC_DATA_END = libxc.StaticDataEnd.record
POLICIES = (libxc.X86CpuidPolicy.record, libxc.X86MsrPolicy.record)
VCPU = (
    libxc.X86PvVcpuBasic.record,
    libxc.X86PvVcpuExtended.record,
    libxc.X86PvVcpuXsave.record,
    libxc.X86PvVcpuMsrs.record,
)
BODIES = Struct.records[libxc.LAYER]
VERSIONS = (2, 3)
"Versions of the format that receivers take: xg_sr_restore.c, read_headers."
VERSION_2_SINCE = "4.6"
"The release that wrote version 2 first."
VERSION_3_SINCE = libxc.StaticDataEnd.since
"The release that wrote version 3 first: 4.14."
# Once in a stream; everything else comes anew with each checkpoint.
ONCE = (X86_PV_INFO, P2M_FRAMES, STATIC_DATA_END, *POLICIES)
REPEATED = {
    X86_PV_INFO: "libxc-x86-pv-info-repeated",
    P2M_FRAMES: "libxc-p2m-frames-repeated",
    STATIC_DATA_END: "libxc-static-data-end-repeated",
    POLICIES[0]: "libxc-policy-repeated",
    POLICIES[1]: "libxc-policy-repeated",
    TSC_INFO: "libxc-tsc-info-repeated",
    SHARED_INFO: "libxc-shared-info-repeated",
    HVM_CONTEXT: "libxc-hvm-context-repeated",
    HVM_PARAMS: "libxc-hvm-params-repeated",
    VERIFY: "libxc-verify-repeated",
}
"The rule that a second one breaks."


class LibxcOrder:
    """What has come so far in one libxc stream, and what may not come any more."""

    __slots__ = (
        "memory_open",
        "version",
        "guest",
        "converted",
        "width",
        "whole",
        "checkpoints",
        "last_checkpoint",
        "ended",
        "usual",
        "_report",
        "_stream",
        "_checkpoint",
        "_told",
    )

    memory_open: bool
    "Whether the next PAGE_DATA needs no look at its place."
    version: int
    "Version of the format; 0 when the header was not seen."
    guest: str
    '"PV", "HVM" or empty when not known.'
    converted: bool
    "Whether the stream was made from a legacy one, by a converter that keeps to an order of its own."
    width: int
    "Octets in a word of a PV guest, 4 or 8; 0 when not known."
    whole: bool
    "Whether everything since the headers was seen, so that what did not come is missing."
    checkpoints: int
    "How many CHECKPOINT records have come."
    last_checkpoint: int
    "Where the last of them ends."
    ended: bool
    "Whether END has come."
    usual: dict[int, Conforms]
    "Types of which, until a checkpoint or a gap, any number may come: only their bodies need a look."

    def __init__(self, report: Report) -> None:
        self._report = report
        self.usual = {}
        self.start(0)
        self.whole = False

    def start(self, version: int) -> None:
        """Begin a stream, with its image header."""
        self.version = version
        self.guest = ""
        self.converted = False
        self.whole = True
        self.width = 0
        self.checkpoints = 0
        self.last_checkpoint = 0
        self.ended = False
        self.usual.clear()
        self.memory_open = False
        self._stream: set[int | None] = set()
        self._checkpoint: set[int | None] = set()
        self._told: set[str] = set()

    def domain(self, event: Event, header: libxc.DomainHeader) -> None:
        """Take the domain header."""
        self.guest = {libxc.DomainType.X86_PV: "PV", libxc.DomainType.X86_HVM: "HVM"}.get(header.type, "")
        self.converted = header.xen_major == 0
        release = (header.xen_major, header.xen_minor)
        first, since = (tuple(map(int, text.split("."))) for text in (VERSION_2_SINCE, VERSION_3_SINCE))
        if release >= first and self.version in VERSIONS and (self.version == 3) != (release >= since):
            text = f"{header.xen_major}.{header.xen_minor}"
            self._report("libxc-version-release", event, version=self.version, release=text)

    def gap(self) -> None:
        """Records may have been missed: nothing is missing from now on, and everything may come again."""
        self.whole = False
        self.memory_open = False
        self.usual.clear()
        self._checkpoint.clear()

    def repeatable(self, kind: int) -> bool:
        """Whether more records of a type that has just come without a finding may follow it."""
        if kind in VCPU:
            return SHARED_INFO in self._checkpoint or not self.whole or self.converted
        return kind == HVM_PARAMS and self.converted

    def page_data(self, event: Record) -> None:
        """Take a PAGE_DATA while ``memory_open`` is false."""
        self._checkpoint.add(PAGE_DATA)
        self._static_data(event)
        if self.guest == "PV" and P2M_FRAMES not in self._stream:
            self._missing("libxc-p2m-frames-missing", event)
        if TSC_INFO in self._checkpoint and not self.converted:
            self._report("libxc-page-data-late", event)
            return
        self.memory_open = True

    def record(self, event: Record) -> None:
        """Take any other record whose type is known."""
        kind = event.type
        definition = BODIES[kind]
        if self.guest and self.guest not in definition.guests and kind != DIRTY_PFN_LIST:
            self._report("libxc-record-guest", event, guest=f"x86 {self.guest}")
            return
        if definition.since == VERSION_3_SINCE and 0 < self.version < 3:
            self._report("libxc-record-version", event, version=self.version)
        seen = self._stream if kind in ONCE else self._checkpoint
        if kind in seen:
            # The converter of legacy streams writes two HVM_PARAMS.
            if kind in REPEATED and not (kind == HVM_PARAMS and self.converted):
                self._report(REPEATED[kind], event)
        elif kind in self._FIRST:
            self._FIRST[kind](self, event)
        seen.add(kind)
        if kind in self._EACH:
            self._EACH[kind](self, event)

    # -- by type --------------------------------------------------------------------------------------------------

    def _policy(self, event: Record) -> None:
        if STATIC_DATA_END in self._stream:
            self._report("libxc-policy-late", event)

    def _static_data_end(self, event: Record) -> None:
        if self.whole and not self.converted and self.version == 3:
            for policy in POLICIES:
                if policy not in self._stream and policy is not None:
                    self._report("libxc-policy-missing", event, missing=policy, name=BODIES[policy].name)

    def _p2m_frames(self, event: Record) -> None:
        self._static_data(event)
        self._pv_info(event)

    def _tsc_info(self, _event: Record) -> None:
        self.memory_open = self.memory_open and self.converted

    def _verify(self, event: Record) -> None:
        place = ""
        if TSC_INFO in self._checkpoint:
            place = "after X86_TSC_INFO"
        elif PAGE_DATA not in self._checkpoint and self.whole:
            place = "before any memory"
        if place:
            self._report("libxc-verify-place", event, place=place)

    def _vcpu(self, event: Record) -> None:
        if SHARED_INFO not in self._checkpoint and self.whole and not self.converted:
            self._report("libxc-vcpu-early", event)

    def _toolstack(self, event: Record) -> None:
        self._report("libxc-toolstack", event, actual=event.length)

    def _dirty_pfn_list(self, event: Record) -> None:
        self._report("libxc-dirty-pfn-list-forward", event, actual=event.length)

    def _checkpoint_record(self, event: Record) -> None:
        self._end_of_checkpoint(event)
        self.checkpoints += 1
        self.last_checkpoint = event.offset + 8 + event.length + len(event.padding)
        self._checkpoint.clear()
        self.usual.clear()
        self.memory_open = False

    def _end(self, event: Record) -> None:
        self.ended = True
        self._static_data(event)
        self._pv_info(event)
        # Xen 4.6 ended a checkpointed stream that failed with END, straight after a CHECKPOINT.
        if not (self.checkpoints and self._checkpoint <= {END}):
            self._end_of_checkpoint(event)

    # -- what must have come --------------------------------------------------------------------------------------

    def _end_of_checkpoint(self, event: Record) -> None:
        if not self.whole:
            return
        if self.guest == "HVM" and HVM_CONTEXT not in self._checkpoint:
            self._report("libxc-hvm-context-missing", event)
        if self.guest == "PV" and SHARED_INFO not in self._checkpoint:
            self._report("libxc-shared-info-missing", event)
        if TSC_INFO not in self._checkpoint and not self.converted:
            self._report("libxc-tsc-info-missing", event)

    def _static_data(self, event: Record) -> None:
        if self.version >= 3 and STATIC_DATA_END not in self._stream:
            self._missing("libxc-static-data-end-missing", event)

    def _pv_info(self, event: Record) -> None:
        if self.guest == "PV" and X86_PV_INFO not in self._stream:
            self._missing("libxc-x86-pv-info-missing", event)

    def _missing(self, rule: str, event: Record) -> None:
        """Say once in a stream that something is missing."""
        if self.whole and rule not in self._told:
            self._told.add(rule)
            self._report(rule, event)

    # -- by type, as a table -----------------------------------------------------------------------------------------

    _FIRST: ClassVar[dict[int | None, Callable[[LibxcOrder, Record], None]]] = {
        POLICIES[0]: _policy,
        POLICIES[1]: _policy,
        STATIC_DATA_END: _static_data_end,
        P2M_FRAMES: _p2m_frames,
        SHARED_INFO: _pv_info,
        TSC_INFO: _tsc_info,
        VERIFY: _verify,
    }
    "What to look at when the first record of a type comes."
    _EACH: ClassVar[dict[int | None, Callable[[LibxcOrder, Record], None]]] = {
        **dict.fromkeys(VCPU, _vcpu),
        TOOLSTACK: _toolstack,
        DIRTY_PFN_LIST: _dirty_pfn_list,
        CHECKPOINT: _checkpoint_record,
        END: _end,
    }
    "When any of a type does."
