"""What the runtime needs to look into pages of guest memory, as ``xenmig verify --deep`` does."""

from __future__ import annotations

from struct import calcsize

from xenmig.core.check import page_tables
from xenmig.core.check.population import LEVEL, PINNED
from xenmig.core.decode import page_contents
from xenmig.core.decode.records import PFN_PIECE
from xenmig.core.definitions import libxc
from xenmig.wireshark.inside_facts import numbered
from xenmig.wireshark.rows import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.wireshark.literals import Plain


def _xen_slots() -> dict[int, Plain]:
    """The entries that are Xen's: width of the guest -> level -> the first and the last."""
    found: dict[int, dict[int, Plain]] = {}
    for (width, level), slots in page_tables.XEN_SLOTS.items():
        found.setdefault(width, {})[level] = {"first": slots[0], "last": slots[-1]}
    return dict(found)


def _start_info() -> dict[int, Plain]:
    """Width of the guest -> size of a pfn, and where those of the two rings are."""
    return {
        width: {"size": calcsize(word), "xenstore": store, "console": console}
        for width, (word, store, console) in page_tables.START_INFO.items()
    }


def page_facts() -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``."""
    return {
        "page_contents": {
            "pv": int(libxc.DomainType.X86_PV),
            "most": PFN_PIECE,
            "tables": numbered(page_contents.TABLES),
            "magic": page_contents.MAGIC,
        },
        "page_tables": {
            "page_type": name_of(libxc.PageType),
            "levels": {number: number & LEVEL for number in sorted(page_contents.TABLES)},
            "present": page_tables.PRESENT,
            "large": page_tables.LARGE,
            "xen_slots": _xen_slots(),
            "pinned": PINNED,
            "level": LEVEL,
            "links_max": page_tables.LINKS_MAX,
            "table_cost": page_tables.TABLE_COST,
            "start_info": _start_info(),
            "start_infos_max": page_tables.START_INFOS_MAX,
        },
    }
