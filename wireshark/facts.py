"""What the runtime needs to know besides the structs: numbers, texts and magic numbers of the layers, and the rules."""

from __future__ import annotations

from xenmig.core.analysis import iterations, spans
from xenmig.core.decode.recognise import MAGIC, STREAMS
from xenmig.core.definitions import libvirt, libxc, libxl, xl
from xenmig.core.definitions.bodies import BODIES
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE, SCALARS
from xenmig.core.definitions.structs import Struct
from xenmig.wireshark.feature_facts import feature_facts
from xenmig.wireshark.limit_facts import limit_facts
from xenmig.wireshark.rows import Rows, accepted, key_of
from xenmig.wireshark.rule_facts import rule_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.wireshark.literals import Plain

HEADERS = (
    xl.Header,
    xl.OptionalData,
    libvirt.Header,
    libvirt.DomainXml,
    libxl.Header,
    libxl.RecordHeader,
    libxc.ImageHeader,
    libxc.DomainHeader,
    libxc.RecordHeader,
)
"What is not the body of a record."

PHASES = {
    "preamble": spans.PREAMBLE,
    "static_data": spans.STATIC_DATA,
    "memory": "memory",
    "precopy": spans.PRECOPY,
    "stop_and_copy": spans.STOP_AND_COPY,
    "non_live": spans.NON_LIVE,
    "verify": spans.VERIFY,
    "checkpoint": spans.CHECKPOINT,
    "state": spans.STATE,
    "emulator": spans.EMULATOR,
    "ending": spans.END,
    "hand_over": spans.HANDOVER,
}
"""Values of ``xenmig.phase``, as the timeline calls them, and "memory" for a pass of which nobody knows yet what it is.
The timeline's other phases are those in which no byte of the stream passes."""


def closest_key(layer: str, record: int, choice: int) -> str:
    """The key of a body that says more than the layer's: that of the layer, and which it is where others differ."""
    key = key_of(Struct.records[layer][record])
    # Fields of the same name have other sizes for a 32-bit guest.
    return f"{key}32" if choice == libxc.GuestWidth.BITS_32 else key


def _closest(rows: Rows, layer: str) -> dict[int, Plain]:
    """The bodies of a layer that say more than the layer does, and by what to choose among them."""
    found: dict[int, Plain] = {}
    for (of_layer, record), body in BODIES.items():
        if of_layer == layer:
            choices: dict[int, Plain] = {}
            for choice, definition in body.choices.items():
                table = rows.struct(definition, closest_key(layer, record, choice))
                table["accepts"] = accepted(definition)
                choices[int(choice)] = table
            found[record] = {"by": body.by or None, "choices": choices}
    return found


def facts(rows: Rows) -> dict[str, Plain]:
    """Everything, as the fields of the Lua table ``definitions``; ``rows`` collects the enumerations."""
    structs: dict[str, Plain] = {key_of(header): rows.struct(header) for header in HEADERS}
    records: dict[str, dict[int, type[Struct]]] = {layer: Struct.records[layer] for layer in ("libxl", "libxc")}
    for bodies in records.values():
        for body in bodies.values():
            structs[key_of(body)] = rows.struct(body)
    closest = {layer: _closest(rows, layer) for layer in records}
    status = rows.enumeration(xl.MigrationError)
    return {
        "scalars": {kind: size for kind, (_, size) in SCALARS.items()},
        "page_size": GUEST_PAGE_SIZE,
        "length_limit": libxc.REC_LENGTH_MAX,
        "largest_batch": libxc.MAX_BATCH_SIZE,
        "PAGE_DATA": libxc.PageData.record,
        "END": libxc.End.record,
        "magic": {
            "xl": xl.MAGIC,
            "libxl": libxl.IDENT.to_bytes(8, "big"),
            "image": libxc.MARKER.to_bytes(8, "big") + libxc.ID.to_bytes(4, "big"),
        },
        "magics": [
            {"bytes": magic, "layer": "receiver" if kind == "xl receiver" else kind}
            for magic, kind in MAGIC
            if kind in STREAMS or kind == "xl receiver"
        ],
        "header_sizes": {
            "xl": xl.Header.size,
            "libvirt": libvirt.Header.size,
            "libxl": libxl.Header.size,
            "image": libxc.ImageHeader.size,
            "domain": libxc.DomainHeader.size,
        },
        "texts": {"permission": xl.PERMISSION.data},
        "receiver_texts": [
            {
                "name": text.name,
                "bytes": text.data,
                "doc": text.doc,
                "phase": PHASES["preamble" if text is xl.BANNER else "hand_over"],
            }
            for text in xl.TEXTS
            if not text.to_receiver
        ],
        "text_docs": {text.name: text.doc for text in xl.TEXTS},
        "status": status,
        "page_types": {
            number: {"name": value.name, "doc": value.doc, "data": bool(value.facts["data"])}
            for number, value in sorted(libxc.PageType.known.items())
        },
        "phases": PHASES,
        "before_memory": {number: True for number in iterations.BEFORE_MEMORY if number is not None},
        "record_numbers": {
            layer: {body.name: number for number, body in bodies.items()} for layer, bodies in records.items()
        },
        "record_keys": {
            layer: {number: key_of(body) for number, body in sorted(bodies.items())}
            for layer, bodies in records.items()
        },
        "closest": closest,
        "order": list(structs),
        "structs": structs,
        **feature_facts(),
        **limit_facts(),
        **rule_facts(rows),
    }
