"""How far the core looks, waits and keeps, and where headers have their fields: numbers that the runtime must share."""

from __future__ import annotations

from xenmig.core.check import bodies, framing, libxl_order
from xenmig.core.decode import conversation, recognise, records, resync
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.definitions import chain, libvirt, libxc, libxl, xl
from xenmig.wireshark.rows import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.wireshark.literals import Plain

HEADERS = (xl.Header, libvirt.Header, libxl.Header, libxc.ImageHeader, libxc.DomainHeader)


def limit_facts() -> dict[str, Plain]:
    """Fields of the Lua table ``definitions``."""
    return {
        "record_header": records.RECORD_HEADER,
        "page_data_head": records.PAGE_DATA_HEAD,
        "pfn_size": records.PFN_SIZE,
        "optional": libxc.OPTIONAL,
        "header_at": {key_of(header): {field.name: field.offset for field in header.fields} for header in HEADERS},
        "xl_byteorder": xl.BYTEORDER.to_bytes(4, "big"),
        "limits": {
            "kept": KEPT_BODY,
            "unpassable_type": records.UNPASSABLE_TYPE,
            "unpassable_length": records.PFN_PIECE,
            "convincing": resync.CONVINCING_COUNT,
            "longest_anchor": resync.LONGEST_ANCHOR,
            "chain_entries": chain.ENTRIES_MAX,
            "noise": conversation.NOISE,
            "least_cut": recognise.LEAST_CUT,
            "emulators": libxl_order.EMULATORS_MAX,
            "data_shown": framing.DATA_SHOWN,
            "message_shown": framing.MESSAGE_SHOWN,
            "text_shown": bodies.TEXT_SHOWN,
        },
    }
