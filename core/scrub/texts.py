"""Configurations without what tells whose guest it is: passwords, names, paths, addresses.

The result is as long as the text, so that everything behind it keeps its place, and as well-formed as it was. What is
not known to be harmless is replaced: every text but the words of a few settings.
"""

from __future__ import annotations

import re

from xenmig.core.definitions.configuration import SECRETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# tools/libs/light/libxl_types.idl: enumerations, and libxl_defbool as libxl_defbool_gen_json writes it.
JSON_WORDS = frozenset((b"True", b"False", b"<default>", b"<unknown>"))
JSON_SETTINGS = frozenset(
    (
        b"type", b"hap", b"oos", b"device_model_version", b"passthrough", b"tsc_mode", b"timer_mode", b"bios", b"kind",
        b"hdtype", b"format", b"backend", b"nictype", b"sched", b"claim_mode", b"boot", b"on_poweroff", b"on_reboot",
        b"on_watchdog", b"on_crash", b"on_soft_reset", b"altp2m", b"gic_version", b"vuart", b"tee", b"vendor_device",
        b"checkpointed_stream", b"vdev", b"policy", b"strategy", b"viridian_enable", b"viridian_disable", b"model",
        b"specification", b"transport", b"grant_usage", b"trusted", b"serial",
    )
)  # fmt: skip
"Settings whose values are words of libxl."
XML_ELEMENTS = frozenset(
    (b"type", b"memory", b"currentMemory", b"maxMemory", b"vcpu", b"on_poweroff", b"on_reboot", b"on_crash")
)
"Elements of domain XML (libvirt, docs/formatdomain) whose text is a number or a word of libvirt."
XML_ATTRIBUTES = frozenset(
    (
        b"type", b"unit", b"arch", b"machine", b"mode", b"bus", b"model", b"device", b"current", b"offset", b"domain",
        b"slot", b"function", b"controller", b"index", b"port", b"autoport", b"heads", b"vram", b"primary", b"policy",
        b"placement", b"fallback", b"feature", b"state", b"adjustment", b"basis", b"tickpolicy", b"present", b"dev",
    )
)  # fmt: skip
"Attributes whose values are numbers or words of libvirt; a path or a name among them is replaced all the same."

_JSON = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)
_JSON_REST = re.compile(rb"(?:[\s{}\[\],:0-9.eE+-]|true|false|null)*\0*")
_XML = re.compile(rb"""<!--(.*?)-->|<!\[CDATA\[(.*?)\]\]>|<((?:[^<>"']|"[^"]*"|'[^']*')*)>""", re.DOTALL)
_XML_ATTRIBUTE = re.compile(rb"""([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')""")
_XML_TAG = re.compile(rb"""/?[\w:.-]+(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?""")
_XML_NAME = re.compile(rb"/?\s*([^\s/>]*)")
_WORD = re.compile(rb"[A-Za-z0-9_.<>\- ]*")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGIT = re.compile(rb"[0-9a-fA-F]")
_SECRETS = frozenset(name.encode() for name in SECRETS)
_HIDDEN = re.compile(rb"[^/\s\0]")


def is_text(data: bytes) -> bool:
    """Whether these bytes, NULs at their end left out, are text as a configuration is: no control characters in it."""
    try:
        text = data.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter >= " " or letter in "\n\r\t" for letter in text)


def hidden(text: bytes, setting: bytes = b"") -> bytes:
    """As many bytes that say nothing. Addresses of network cards and UUIDs stay such, paths stay paths."""
    if setting in _SECRETS:
        return b"x" * len(text)
    if _HEXADECIMAL.fullmatch(text):
        return _DIGIT.sub(b"0", text)
    return _HIDDEN.sub(b"x", text)


def hidden_json(text: bytes) -> bytes:
    """The configuration in front of an xl stream; what is no JSON is hidden altogether."""
    if not _JSON_REST.fullmatch(_JSON.sub(b"", text)):
        return hidden(text)
    setting = b""

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal setting
        word, colon = match[1], match[2]
        if colon is not None:
            setting = word
            return match[0]
        harmless = word in JSON_WORDS or (setting in JSON_SETTINGS and _WORD.fullmatch(word))
        return match[0] if harmless else b'"' + hidden(word, setting) + b'"'

    return _JSON.sub(replace, text)


def hidden_xml(text: bytes) -> bytes:
    """Libvirt's domain XML."""
    result = bytearray()
    element = b""
    at = 0
    for tag in _XML.finditer(text):
        result += _hidden_content(element, text[at : tag.start()])
        comment, data, inside = tag.groups()
        if comment is not None:
            result += b"<!--" + hidden(comment) + b"-->"
        elif data is not None:
            result += b"<![CDATA[" + hidden(data) + b"]]>"
        elif _XML_TAG.fullmatch(inside):
            name = _XML_NAME.match(inside)
            element = name[1] if name and not inside.startswith(b"/") else b""
            result += b"<" + _XML_ATTRIBUTE.sub(_hidden_attribute, inside) + b">"
        else:
            # Whatever it is, domain XML has none.
            result += b"<" + hidden(inside) + b">"
        at = tag.end()
    result += _hidden_content(b"", text[at:])
    return bytes(result)


def _hidden_content(element: bytes, text: bytes) -> bytes:
    return text if element in XML_ELEMENTS and _WORD.fullmatch(text.strip()) else hidden(text)


def _hidden_attribute(match: re.Match[bytes]) -> bytes:
    value = match[3][1:-1]
    if match[1] in XML_ATTRIBUTES and _WORD.fullmatch(value):
        return match[0]
    return match[1] + match[2] + match[3][:1] + hidden(value, match[1]) + match[3][-1:]


def hidden_xenstore(text: bytes) -> bytes:
    """Keys and values of EMULATOR_XENSTORE_DATA: places and sizes of a video card's memory stay, names do not."""
    strings = text.split(b"\0")
    for place, one in enumerate(strings):
        if place % 2:
            key = strings[place - 1]
            if not key.endswith((b"/start_addr", b"/size")):
                strings[place] = hidden(one)
        elif not one.startswith(b"physmap/"):
            strings[place] = hidden(one)
    return b"\0".join(strings)


CONFIGURATIONS: dict[str, Callable[[bytes], bytes]] = {"config": hidden_json, "xml": hidden_xml}
"Fields that hold a configuration, of the xl and of the libvirt layer."
