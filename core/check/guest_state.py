"""Rules over what is inside the records: processors, devices, parameters, CPU policy.

Nothing here is loaded before the first record that has something to say. What one record says and another must agree
with is kept in a :class:`GuestState`, which takes memory for the guest's vcpus, and a byte for each pfn that comes.
"""

from __future__ import annotations

from xenmig.core.check.bodies import INSIDE, PAIRS, RULE_OF_PROBLEM, ZERO_CONTENT
from xenmig.core.check.subjects import subject_of
from xenmig.core.decode.damage import Hole, Resynchronised
from xenmig.core.decode.events import Header, Page
from xenmig.core.decode.record import PageData, Record, RecordRun
from xenmig.core.definitions import libxc, view, xl
from xenmig.core.definitions.guest import Guest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from xenmig.core.check.checker import Report
    from xenmig.core.check.emulator import Emulator
    from xenmig.core.check.memory import Memory
    from xenmig.core.check.page_tables import PageTables
    from xenmig.core.check.subjects import Subject
    from xenmig.core.decode.events import Event
    from xenmig.core.decode.record import BatchRun
    from xenmig.core.definitions.configuration import GuestConfiguration
    from xenmig.core.definitions.cpuid_leaves import CpuidLeaves
    from xenmig.core.definitions.structs import Struct


RECORD_HEADER = libxc.RecordHeader.size or 0
CHECKPOINT = libxc.Checkpoint.record
PAGE_DATA = libxc.PageData.record
END = libxc.End.record
X86_CPUID_POLICY, HVM_CONTEXT = libxc.X86CpuidPolicy.record, libxc.HvmContext.record


class GuestState:
    """What has been said of the guest so far, and the rules over it. One for each stream."""

    __slots__ = (
        "guest",
        "release",
        "converted",
        "policy",
        "policy_msrs",
        "configuration",
        "config_event",
        "params",
        "params_event",
        "context",
        "vcpus",
        "end_pfn",
        "p2m_frames",
        "whole",
        "memory",
        "pages",
        "emulated",
        "_emulator",
        "_deep",
        "_report",
    )

    guest: Guest
    release: tuple[int, int]
    "Release of the sender's Xen; (0, 0) when the stream was converted or its header was not seen."
    converted: bool
    "Whether the stream was made from a legacy one."
    policy: CpuidLeaves | None
    "The CPU policy, from the record that brings CPUID."
    policy_msrs: dict[int, int]
    configuration: GuestConfiguration | None
    "The configuration in front of the stream, where it can be read."
    config_event: Header | None
    params: dict[int, int] | None
    "HVM_PARAMS of this checkpoint by index; None until they come."
    params_event: Record | None
    "The last record that brought some."
    context: tuple[Record, Any] | None
    "HVM_CONTEXT of this checkpoint."
    vcpus: dict[int, dict[str, Any]]
    "PV vcpus of this checkpoint by number: what their records held."
    end_pfn: int | None
    "Last pfn of a PV guest, from X86_PV_P2M_FRAMES."
    p2m_frames: tuple[Record, list[int]] | None
    "The pfns of the pages with the physical-to-machine table, and the last record that brought some."
    whole: bool
    "Whether everything since the headers was seen, so that what did not come is missing."

    memory: Memory | None
    "What has come of the guest's memory; None before the first PAGE_DATA."
    pages: PageTables | None
    "What was in its page tables; None where nobody looks into pages."
    emulated: bool
    "Whether the last HVM_CONTEXT has emulated devices, as those of PVH guests have not."

    def __init__(self, report: Report, *, deep: bool = False) -> None:
        """``deep`` says that pages will come: see :class:`~xenmig.core.decode.page_contents.PageContentsDecoder`."""
        self._report = report
        self._deep = deep
        self.configuration = None
        self.config_event = None
        self._emulator: Emulator | None = None
        self.whole = False
        self._begin()

    def _begin(self) -> None:
        self.guest = Guest()
        self.release = (0, 0)
        self.converted = False
        self.policy = None
        self.policy_msrs = {}
        self.end_pfn = None
        self.p2m_frames = None
        self.memory = None
        self.pages = None
        self.emulated = False
        if self._deep:
            from xenmig.core.check.page_tables import PageTables

            self.pages = PageTables(self)
        self._checkpoint()

    def _checkpoint(self) -> None:
        self.params = None
        self.params_event = None
        self.context = None
        self.vcpus = {}

    # -- events ---------------------------------------------------------------------------------------------------

    def take(self, events: list[Event]) -> None:
        """Take the next events of the stream."""
        for event in events:
            if type(event) is PageData:
                self.page_data(event)
            elif type(event) is Record:
                self.record(event)
            else:
                self.other(event)

    def other(self, event: Event) -> None:
        """Take what is neither a record nor a run of them."""
        if isinstance(event, Page):
            if self.pages is not None:
                self.pages.page(event)
        elif isinstance(event, Header):
            self.header(event)
        elif isinstance(event, Resynchronised) or (isinstance(event, Hole) and event.record is None):
            self.gap()

    def pages_run(self, run: RecordRun) -> None:
        """Take many batches of one page each."""
        self._memory().run(run)

    def batch_run(self, run: BatchRun) -> bool:
        """Take many full batches; False, and nothing is taken, where each of them needs a look."""
        return self._memory().batch_run(run)

    def header(self, event: Header) -> None:
        """Take any layer's header or configuration."""
        value = event.value
        if isinstance(value, libxc.ImageHeader):
            self._begin()
        elif isinstance(value, libxc.DomainHeader):
            self.guest.take(value)
            fields = value.__dict__
            self.converted = not fields.get("xen_major")
            self.release = (0, 0) if self.converted else (value.xen_major, fields.get("xen_minor") or 0)
            self.whole = True
            if self.configuration is not None:
                from xenmig.core.check import guest_configuration

                guest_configuration.check_type(Telling(self, event))
        elif isinstance(value, xl.OptionalData):
            from xenmig.core.check import guest_configuration

            guest_configuration.check_json(Telling(self, event), value)

    def gap(self) -> None:
        """Part of the stream was not seen."""
        self.whole = False
        if self.memory is not None:
            self.memory.gap()

    def page_data(self, event: PageData) -> None:
        """Take a batch of guest memory."""
        (self.memory or self._memory()).page_data(event)
        if self.pages is not None:
            self.pages.page_data(event)

    def _memory(self) -> Memory:
        memory = self.memory
        if memory is None:
            from xenmig.core.check.memory import Memory

            memory = self.memory = Memory(self)
        return memory

    def record(self, event: Record) -> None:
        """Take any record but a PAGE_DATA; those with bytes missing are passed over."""
        kind, body = event.type, event.body
        if event.layer != libxc.LAYER:
            self._libxl(event)
            return
        if kind in (CHECKPOINT, END):
            self._complete(event)
            return
        if body is None or event.missing:
            self.whole = False
            if kind == PAGE_DATA and self.memory is not None:
                # Which pages it brings was not seen.
                self.memory.gap()
            return
        if kind == libxc.X86PvInfo.record:
            info = libxc.X86PvInfo.decode(body, event.byteorder)
            if (info.guest_width, info.pt_levels) in PAIRS:
                self.guest.take(info)
            return
        subject = subject_of(kind) if len(body) > len(ZERO_CONTENT) or kind == HVM_CONTEXT else None
        if subject is None:
            return
        order = event.byteorder
        if order != "<":
            from xenmig.core.definitions.bodies import order_of

            order = order_of(event.layer, kind, body, order)
        if order == "<" and self._glance(event, subject, body):
            return
        from xenmig.core.definitions import bodies

        value = bodies.decode(event.layer, kind, body, self.guest, event.byteorder)
        assert value is not None
        telling = Telling(self, event)
        if kind in INSIDE and kind != HVM_CONTEXT:
            telling.problems(value)
        subject(telling, value)

    def _glance(self, event: Record, subject: Subject, body: bytes) -> bool:
        """Whether a body is as defined and breaks no rule, found out without decoding it.

        Most are, and what decoding them takes, and naming what is in them, is then left out. The rules are the same:
        they see the numbers in place, and the first that has something to say ends the glance.
        """
        kind = event.type
        width = self.guest.guest_width
        value: Any = view.context(body) if kind == HVM_CONTEXT else view.body(kind, width, body)
        if value is None:
            return False
        if kind == X86_CPUID_POLICY:
            self.guest.leaves = value.leaves
        try:
            subject(Glance(self, event), value)
        except Doubt:
            return False
        return True

    def _libxl(self, event: Record) -> None:
        if self._emulator is None:
            from xenmig.core.check.emulator import Emulator

            self._emulator = Emulator(self)
        self._emulator.record(event, Telling(self, event))

    def settled(self, run: RecordRun) -> bool:
        """Whether the records of a run that have been looked at speak for all the others.

        They do where nobody looks into such records, and where all are the same octets.
        """
        if run.layer != libxc.LAYER or subject_of(run.type) is None:
            return True
        size = RECORD_HEADER + run.length
        return run.data[size:] == run.data[:-size]

    def _complete(self, event: Record) -> None:
        """All records of a checkpoint, or of the stream, have come."""
        telling = Telling(self, event)
        if self.memory is not None:
            self.memory.complete(event)
            if self.params is not None:
                from xenmig.core.check import params

                params.complete(telling)
        if self.context is not None:
            from xenmig.core.check import hvm_context

            hvm_context.complete(telling)
        if self.guest.hvm is False and (self.vcpus or event.type == END):
            from xenmig.core.check import pv_vcpu

            pv_vcpu.complete(telling)
            if self.pages is not None:
                self.pages.complete(event)
        self._checkpoint()

    def report(
        self, rule: str, event: Header | Record | Page, expected: Any, actual: Any, at: int, problem: str
    ) -> None:
        """Pass a finding on."""
        words = {"problem": problem}
        if isinstance(event, Header):
            words["what"] = f"{event.layer} {event.value.name}"
        elif isinstance(event, Page):
            words["what"] = "a page"
        self._report(rule, event, expected, actual, at, **words)


class Telling:
    """The rules' way to say what they found in one record or header."""

    __slots__ = ("state", "event", "base")

    state: GuestState
    event: Header | Record
    base: int
    "Absolute position of the first byte of the body."

    def __init__(self, state: GuestState, event: Header | Record) -> None:
        self.state = state
        self.event = event
        self.base = event.offset + (0 if isinstance(event, Header) else RECORD_HEADER)

    def tell(self, rule: str, problem: str, offset: int = 0, expected: Any = None, actual: Any = None) -> None:
        """Report that ``rule`` is broken ``offset`` bytes into the body."""
        self.state.report(rule, self.event, expected, actual, self.base + offset, problem)

    def about(self, event: Header | Record) -> Telling:
        """The same about an earlier record or header."""
        return Telling(self.state, event)

    def problems(self, value: Struct) -> None:
        """Report what the definition found."""
        for problem in value.problems:
            self.tell(RULE_OF_PROBLEM[problem.kind], problem.message, problem.offset, problem.expected, problem.actual)

    def sure(self) -> None:
        """Called before anything is done that only words for people need."""


class Doubt(Exception):
    """A rule has something to say of what was only glanced at."""


class Glance(Telling):
    """Stands for a :class:`Telling` while nothing has been decoded, and there are no words."""

    __slots__ = ()

    def tell(
        self,
        rule: str,  # noqa: ARG002 - the rule is applied again to what is decoded, and tells then
        problem: str,  # noqa: ARG002
        offset: int = 0,  # noqa: ARG002
        expected: Any = None,  # noqa: ARG002
        actual: Any = None,  # noqa: ARG002
    ) -> NoReturn:
        """Raise Doubt."""
        raise Doubt

    def sure(self) -> NoReturn:
        """Raise Doubt."""
        raise Doubt
