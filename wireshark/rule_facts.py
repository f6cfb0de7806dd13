"""What the runtime needs to hold streams to the rules: their words, and the tables by which core/check goes."""

from __future__ import annotations

from xenmig.core.check import (
    back_channel,
    bodies,
    framing,
    hvm_context_rules,
    libxc_order,
    libxl_order,
    memory_rules,
    policy_rules,
    pv_rules,
)
from xenmig.core.check.rules import RULES
from xenmig.core.definitions import libvirt, libxc, libxl, shapes, xl
from xenmig.core.definitions.structs import Struct
from xenmig.core.sources import reassembly
from xenmig.wireshark.inside_facts import inside_facts, numbered
from xenmig.wireshark.page_facts import page_facts
from xenmig.wireshark.pv_facts import pv_facts
from xenmig.wireshark.rows import accepted, key_of, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from xenmig.wireshark.literals import Plain
    from xenmig.wireshark.rows import Rows

END_RULES = ("stream-truncated", "checkpointed-stream-ended", "capture-ended", "conversation-ended")
"""Rules about how a direction ends. A FIN or RST shows that it does. Where the capture has none no packet was the last,
and what breaks these is said only in the table that the Tools menu shows and that tshark prints."""
INSIDE = (hvm_context_rules, memory_rules, policy_rules, pv_rules)
"""Rules that compare what several records, fields or pages say. The dissector holds streams to those of ``PORTED``, and
of ``DEEP`` where that is asked for."""
BY_DEFINITION = ("hvm-context-typecode", "hvm-context-chain", "hvm-context-tail")
"Of the rules over what is inside bodies those that the definitions decide."
CHAIN = (
    "hvm-context-order",
    "hvm-context-instance",
    "hvm-context-length-release",
    "hvm-context-vcpus",
    "hvm-context-vcpu-unknown",
    "hvm-context-devices",
    "hvm-cpu-fpu",
    "hvm-context-viridian",
)
"Those of runtime/hvm_context_rules.lua and viridian_rules.lua."
ENTRY = (
    "hvm-cpu-control",
    "hvm-cpu-cache",
    "hvm-cpu-cr3",
    "hvm-cpu-cr4",
    "hvm-cpu-event",
    "hvm-header-cpuid",
    "hvm-pic",
    "hvm-pci-link",
    "hvm-pit",
    "hvm-pit-mode",
    "hvm-hpet-reserved",
    "hvm-lapic-base",
    "hvm-lapic-state",
    "hvm-mtrr-count",
    "hvm-mtrr-type",
)
"Those of runtime/hvm_entry_rules.lua and hvm_cpu_rules.lua."
XSAVE = ("hvm-xsave-mask", "xsave-length", "xsave-components", "xsave-policy")
"Those of runtime/xsave_rules.lua."
EMULATOR = ("hvm-emulator-missing", "hvm-emulator-differs")
"Those of runtime/emulator_rules.lua."
MEMORY = tuple(rule.id for rule in memory_rules.RULES)
"Those of runtime/memory_rules.lua."
POLICY = tuple(rule.id for rule in policy_rules.RULES)
"Those of runtime/param_rules.lua, tsc_rules.lua, cpu_policy_rules.lua and configuration_rules.lua."
MSR = ("msr-index", "msr-value")
"Those of runtime/msr_rules.lua."
PV_MEMORY = ("pv-p2m-start", "pv-p2m-frame", "pv-p2m-shared", "pv-shared-info-max-pfn", "pv-shared-info-unstable")
"Those of runtime/pv_memory_rules.lua."
PV_VCPU = (
    "pv-vcpu-missing",
    "pv-vcpu-order",
    "pv-vcpu-pfn",
    "pv-vcpu-cr1",
    "pv-vcpu-gdt",
    "pv-vcpu-registers",
    "pv-vcpu-flags",
    "pv-vcpu-extended-id",
    "pv-vcpu-extended-size",
    "pv-vcpu-extended",
    "pv-vcpu-fpu",
)
"Those of runtime/pv_vcpu_rules.lua."
PV_PAGES = ("pv-page-missing", "pv-page-type", "pv-pinned-root")
"Those of runtime/pv_page_rules.lua."
PORTED = (*BY_DEFINITION, *CHAIN, *ENTRY, *XSAVE, *EMULATOR, *MEMORY, *POLICY, *MSR, *PV_MEMORY, *PV_VCPU, *PV_PAGES)
"What the runtime implements of ``INSIDE``."
SHOWN = tuple(
    rule
    for rule in RULES
    if rule not in END_RULES
    and (rule in PORTED or not any(rule == one.id for module in INSIDE for one in module.RULES))
)
"The rules that are expert information."

DEEP = tuple(rule.id for rule in pv_rules.RULES if rule.id.startswith(("page-table-", "pv-start-info")))
"Those of runtime/page_tables.lua: telling them takes a preference, as it takes an option of verify."

HEADER_NAMES = {
    libxl.Header: "libxl header",
    libxc.ImageHeader: "libxc image header",
    libxc.DomainHeader: "libxc domain header",
}
"What findings call the headers of libxl and libxc: core/check/framing.py."


def _list(numbers: Iterable[int | None]) -> list[int]:
    return [number for number in numbers if number is not None]


def _release(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def rule_facts(rows: Rows) -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``; ``rows`` collects the enumerations."""
    records = {layer: Struct.records[layer] for layer in (libxl.LAYER, libxc.LAYER)}
    return {
        "rules": {
            id: {
                "severity": RULES[id].severity,
                "title": RULES[id].title,
                "message": RULES[id].message,
            }
            for id in (*SHOWN, *DEEP, *END_RULES)
        },
        "rule_of_problem": dict(bodies.RULE_OF_PROBLEM),
        "header_names": {key_of(definition): name for definition, name in HEADER_NAMES.items()},
        "header_rules": {
            "magic": dict.fromkeys(framing.MAGIC, True),
            "legacy": int(libxl.Options.LEGACY),
            "stream_v2": int(xl.MandatoryFlags.STREAMv2),
            "libvirt_legacy": int(libvirt.Version.LEGACY),
            "libvirt_stream_v2": int(libvirt.Version.STREAMv2),
            "libxl_big_endian": int(libxl.Options.BIG_ENDIAN),
            "libxc_big_endian": int(libxc.ImageOptions.BIG_ENDIAN),
            "known_versions": " and ".join(str(version) for version in libxc_order.VERSIONS),
        },
        "libxc_order": {
            "versions": numbered(libxc_order.VERSIONS),
            "version_2_since": _release(libxc_order.VERSION_2_SINCE),
            "version_3_since": _release(libxc_order.VERSION_3_SINCE),
            "guest_types": {int(libxc.DomainType.X86_PV): "PV", int(libxc.DomainType.X86_HVM): "HVM"},
            "guests": {
                number: dict.fromkeys(body.guests, True) for number, body in sorted(records[libxc.LAYER].items())
            },
            "of_version_3": numbered(
                number
                for number, body in sorted(records[libxc.LAYER].items())
                if body.since == libxc_order.VERSION_3_SINCE
            ),
            "once": numbered(libxc_order.ONCE),
            "repeated": {number: rule for number, rule in libxc_order.REPEATED.items() if number is not None},
            "policies": _list(libxc_order.POLICIES),
            "vcpu": _list(libxc_order.VCPU),
        },
        "closing": {"rst_window": reassembly.RST_WINDOW},
        "libxl_order": {"emulators": numbered(libxl_order.EMULATORS), "named": libxl_order.NAMED},
        "back_channel": {
            "first": int(back_channel.FIRST),
            "list": back_channel.LIST,
            "follows": dict(back_channel.FOLLOWS),
        },
        "body_rules": {
            "pairs": dict(bodies.PAIRS),
            "p2m_pfns_at": libxc.X86PvP2mFrames.field("p2m_pfns").offset,
            "hvm_header": [shapes.CONTEXT_BEGINS[order] for order in ("<", ">")],
            "zero_content": [body.record for body in bodies.ZERO_CONTENT_BODIES],
            "zero_content_length": len(bodies.ZERO_CONTENT),
            "physmap": {name.decode(): True for name in bodies.PHYSMAP},
            "checkpoint_state": name_of(libxl.CheckpointStateId),
            "page_data_reserved": libxc.PageData.field("reserved1").name,
        },
        "accepts": {
            layer: {number: accepted(body) for number, body in sorted(found.items())}
            for layer, found in records.items()
        },
        **inside_facts(rows),
        **pv_facts(rows),
        **page_facts(),
    }
