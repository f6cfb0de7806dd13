"""Rules of COLO's back channel."""

from __future__ import annotations

from xenmig.core.check.rule import ERROR, WARNING, Rule

RULES = (
    Rule(
        "colo-order",
        ERROR,
        title="the COLO receiver says something out of order",
        message="the receiver says {said} where {instead} must come",
        reason="The sender waits for one answer at a time and fails the checkpoint when it reads another.",
        source="libxl_colo_save.c; libxl_colo_restore.c; xg_sr_save.c, colo_merge_secondary_dirty_bitmap",
        receivers="COLO senders",
    ),
    Rule(
        "colo-dirty-list-header",
        WARNING,
        title="list of dirty pfns with eight bytes too many",
        message="{what}: the header has {actual:byte} instead of {expected}: eight zero bytes, which are no field,"
        " stand in front of the pfns",
        reason="Receivers since Xen 4.18 write a pointer with the header; a sender takes it for the first pfn, leaves"
        " the last pfn unread and loses its place.",
        source="xg_sr_restore.c, send_checkpoint_dirty_pfn_list; xg_sr_save.c, colo_merge_secondary_dirty_bitmap",
        receivers="COLO senders, by their source: none was tried",
    ),
)
