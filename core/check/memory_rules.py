"""Rules of which guest memory comes, and in which order."""

from __future__ import annotations

from xenmig.core.check.rule import ERROR, NOTE, WARNING, Rule

RULES = (
    Rule(
        "page-data-batch",
        NOTE,
        title="large batch of pages",
        message="{what}: {problem}",
        reason="Another program than Xen's own wrote the stream.",
        source="xg_sr_common.h, MAX_BATCH_SIZE",
        receivers="none: 4.17 and 4.20 took it",
    ),
    Rule(
        "page-data-order",
        WARNING,
        title="pfns of a batch do not ascend",
        message="{what}: {problem}",
        reason="Senders walk through a bitmap of pages; bytes were damaged, or another program wrote the stream.",
        source="xg_sr_save.c, send_dirty_pages",
        receivers="none: 4.17 and 4.20 took it",
    ),
    Rule(
        "page-data-pfn-range",
        ERROR,
        title="page beyond the end of the guest's memory",
        message="{what}: {problem}",
        reason="Bytes were damaged, or the frames of the physical-to-machine table are another guest's.",
        source="xg_sr_restore_x86_pv.c, x86_pv_pfn_is_valid",
        receivers="all",
    ),
    Rule(
        "page-data-type-guest",
        WARNING,
        title="page type that the guest cannot have",
        message="{what}: {problem}",
        reason="Only PV guests have pages that Xen knows to be page tables.",
        source="xen/arch/x86/domctl.c, getpageframeinfo3",
        receivers="none: 4.17 and 4.20 took it",
    ),
    Rule(
        "page-data-xalloc",
        WARNING,
        title="page type of older releases",
        message="{what}: {problem}",
        reason="Only streams that were converted from a legacy one hold it.",
        source="xg_sr_save.c, write_batch",
        receivers="none",
    ),
    Rule(
        "page-data-level",
        ERROR,
        title="page table of a level that the guest does not have",
        message="{what}: {problem}",
        reason="X86_PV_INFO is another guest's, or bytes were damaged.",
        source="xg_sr_save_x86_pv.c, normalise_pagetable",
        receivers="all",
    ),
    Rule(
        "memory-gap",
        WARNING,
        title="part of the guest's memory never comes",
        message="{what}: {problem}",
        reason="The first pass over a guest's memory takes every pfn from 0 on; records were lost.",
        source="xg_sr_save.c, send_all_pages and send_memory_live",
        receivers="none: 4.17 and 4.20 took it, and the guest would find zeros there",
    ),
)
