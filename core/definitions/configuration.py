"""What a guest's configuration says of it: the JSON of xl (tools/libs/light/libxl_types.idl, libxl_domain_config) and
libvirt's domain XML (libvirt, docs/formatdomain).

All texts come from whoever made the stream: whoever shows them escapes them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HIDDEN = "(hidden)"
"Stands for a password that was not asked for."
SECRETS = ("passwd", "password", "secret", "passwd_file")
"Keys in JSON and attributes in XML whose values are passwords."
DEPTH_MAX = 64
"Nesting beyond which XML is no domain XML and JSON is not looked at: real configurations have less than ten levels."


class Device:
    """A device of the guest."""

    __slots__ = ("kind", "words")

    kind: str
    'For example "disk" or "nic".'
    words: dict[str, str]
    "What the configuration says of it: names of settings and their values, in its order."

    def __init__(self, kind: str, words: dict[str, str]) -> None:
        self.kind = kind
        self.words = words

    def __repr__(self) -> str:
        return f"Device({self.kind!r}, {self.words!r})"


class GuestConfiguration:
    """A guest as its configuration describes it. What the configuration does not say is None or empty."""

    __slots__ = ("format", "type", "name", "uuid", "memory", "max_memory", "vcpus", "max_vcpus", "devices", "problem")

    format: str
    '"xl JSON", "libvirt XML", or empty when there is none.'
    type: str | None
    '"hvm", "pv" or "pvh".'
    name: str | None
    uuid: str | None
    memory: int | None
    "Memory that the guest shall have, in KiB."
    max_memory: int | None
    "Memory that it may have, in KiB."
    vcpus: int | None
    "Vcpus that are online at the start."
    max_vcpus: int | None
    devices: list[Device]
    problem: str
    "Why the configuration could not be read, or empty."

    def __init__(self, format: str) -> None:
        self.format = format
        self.type = None
        self.name = None
        self.uuid = None
        self.memory = None
        self.max_memory = None
        self.vcpus = None
        self.max_vcpus = None
        self.devices = []
        self.problem = ""


JSON_DEVICES = {
    "disks": "disk",
    "nics": "nic",
    "pcidevs": "pci",
    "rdms": "rdm",
    "dtdevs": "dtdev",
    "vfbs": "vfb",
    "vkbs": "vkb",
    "virtios": "virtio",
    "vtpms": "vtpm",
    "p9s": "p9",
    "pvcallsifs": "pvcalls",
    "vdispls": "vdispl",
    "vsnds": "vsnd",
    "channels": "channel",
    "usbctrls": "usbctrl",
    "usbdevs": "usbdev",
}
"Lists of devices in libxl_domain_config, and what is in them."
JSON_DISPLAYS = ("vnc", "spice", "sdl")


def parsed_json(config: bytes) -> dict[str, Any] | None:
    """The configuration of an xl stream as Python sees it; None when it is not a JSON object."""
    text = config.rstrip(b"\0").decode("utf-8", "replace")
    value = _scanned(text.strip(" \t\n\r"))
    if value is None:
        import json

        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


class _Plain:
    """How JSON is read where nothing special is asked for: the attributes that the scanner looks for."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def _scanned(text: str) -> Any:
    """What CPython's own scanner makes of JSON; None where it is not there, or not happy.

    It is the one that the module json uses, but importing that takes longer than checking a HVM_CONTEXT.
    """
    try:
        from _json import make_scanner

        # The scanner takes anything with those attributes.
        value, end = make_scanner(_Plain)(text, 0)  # type: ignore[arg-type]
    except (ImportError, ValueError, RecursionError, StopIteration, TypeError, SystemError):
        # Where it wants to complain it needs json.decoder, and fails with SystemError while that is not there.
        return None
    return value if end == len(text) else None


def without_secrets(value: Any, levels: int = DEPTH_MAX) -> Any:
    """A copy of parsed JSON in which every password is ``HIDDEN``; empty ones stay, as they say that there is none.

    What is nested deeper than ``levels`` is left out: None is there instead.
    """
    if not isinstance(value, (dict, list)):
        return value
    if not levels:
        return None
    below = levels - 1
    if isinstance(value, dict):
        return {key: HIDDEN if key in SECRETS and one else without_secrets(one, below) for key, one in value.items()}
    return [without_secrets(one, below) for one in value]


def from_json(config: bytes, *, secrets: bool = False) -> GuestConfiguration:
    """Read the configuration of an xl stream (``OptionalData.config``); passwords only where ``secrets`` asks for them.

    Never raises for what the bytes hold: ``problem`` says what is wrong with them.
    """
    found = GuestConfiguration("xl JSON")
    value = parsed_json(config)
    if value is None:
        found.problem = "the configuration is not a JSON object" if config.strip(b"\0") else "there is no configuration"
        return found
    if not secrets:
        value = without_secrets(value)
    create, build = _mapping(value.get("c_info")), _mapping(value.get("b_info"))
    found.type = _text(create.get("type"))
    found.name = _text(create.get("name"))
    found.uuid = _text(create.get("uuid"))
    found.memory = _number(build.get("target_memkb"))
    found.max_memory = _number(build.get("max_memkb"))
    found.max_vcpus = _number(build.get("max_vcpus"))
    online = build.get("avail_vcpus")
    found.vcpus = len(online) if isinstance(online, list) else None
    for key, kind in JSON_DEVICES.items():
        listed = value.get(key)
        for one in listed if isinstance(listed, list) else ():
            found.devices.append(Device(kind, _words(_mapping(one))))
    hvm = _mapping(build.get("type.hvm"))
    vga = _mapping(hvm.get("vga"))
    if vga.get("kind"):
        found.devices.append(Device("vga", _words(vga)))
    for display in JSON_DISPLAYS:
        settings = _mapping(hvm.get(display))
        if settings and settings.get("enable") != "False":
            found.devices.append(Device(display, _words(settings)))
    return found


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    """What libxl's unsigned types hold: at most 64 bits."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64 else None


def _words(value: dict[str, Any]) -> dict[str, str]:
    return {key: str(one) for key, one in value.items() if isinstance(one, str | int | float)}


XML_DEVICES = {
    "disk": "disk",
    "interface": "nic",
    "graphics": "graphics",
    "video": "video",
    "serial": "serial",
    "console": "console",
    "channel": "channel",
    "hostdev": "hostdev",
    "controller": "controller",
    "input": "input",
    "sound": "sound",
}
"Elements in <devices>, and what they are."
UNITS = {"b": 1, "bytes": 1, "KB": 1000, "k": 1 << 10, "KiB": 1 << 10, "MB": 10**6, "M": 1 << 20, "MiB": 1 << 20}
UNITS |= {"GB": 10**9, "G": 1 << 30, "GiB": 1 << 30, "TB": 10**12, "T": 1 << 40, "TiB": 1 << 40}
"Units of libvirt's memory elements, in bytes; without one it is KiB."
TEXT_MAX = 4096
"Characters of an element's text after which no more are kept; names are shorter."


def from_xml(config: bytes, *, secrets: bool = False) -> GuestConfiguration:
    """Read libvirt's domain XML (``DomainXml.xml``); passwords only where ``secrets`` asks for them.

    Never raises for what the bytes hold: ``problem`` says what is wrong with them. Entities are refused: domain XML has
    none, and expanding them can take any amount of memory.
    """
    from xml.parsers import expat

    found = GuestConfiguration("libvirt XML")
    reader = _DomainReader(found, secrets=secrets)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(config.rstrip(b"\0"), True)
    except (expat.ExpatError, NotDomainXml, ValueError) as error:
        found.problem = f"the configuration is not domain XML: {error}"
    return found


class NotDomainXml(Exception):
    """What well-formed XML has that domain XML has not."""


class _DomainReader:
    """Takes the elements of domain XML one after another."""

    def __init__(self, found: GuestConfiguration, *, secrets: bool) -> None:
        self.found = found
        self.secrets = secrets
        self.path: list[str] = []
        self.attributes: dict[str, str] = {}
        self.words = ""

    def entity(self, *_: Any) -> None:
        raise NotDomainXml("it declares entities")

    def start(self, element: str, attributes: dict[str, str]) -> None:
        if not self.path and element != "domain":
            raise NotDomainXml(f"its root is {element[:64]!r}")
        if len(self.path) >= DEPTH_MAX:
            raise NotDomainXml(f"its elements are nested more than {DEPTH_MAX} deep")
        self.path.append(element)
        self.attributes = attributes
        self.words = ""
        if self.path[1:2] != ["devices"] or len(self.path) < 3 or self.path[2] not in XML_DEVICES:
            return
        if len(self.path) == 3:
            self.found.devices.append(Device(XML_DEVICES[element], {}))
        below = "/".join(self.path[3:])
        for name, value in attributes.items():
            hidden = name in SECRETS and value and not self.secrets
            self.found.devices[-1].words[f"{below}@{name}" if below else name] = HIDDEN if hidden else value

    def text(self, data: str) -> None:
        if len(self.words) < TEXT_MAX:
            self.words += data

    def end(self, _: str) -> None:
        path, found, words = self.path[1:], self.found, self.words.strip()
        if path == ["name"]:
            found.name = words
        elif path == ["uuid"]:
            found.uuid = words
        elif path == ["os", "type"]:
            # libvirt's PVH guests say xenpvh, its PV guests linux or xen.
            found.type = {"xen": "pv", "linux": "pv", "xenpvh": "pvh"}.get(words, words)
        elif path == ["memory"]:
            found.max_memory = self._kib(words)
        elif path == ["currentMemory"]:
            found.memory = self._kib(words)
        elif path == ["vcpu"]:
            found.max_vcpus = _decimal(words)
            found.vcpus = _decimal(self.attributes.get("current", words))
        self.path.pop()
        self.words = ""

    def _kib(self, words: str) -> int | None:
        number, unit = _decimal(words), UNITS.get(self.attributes.get("unit", "KiB"))
        return None if number is None or unit is None else number * unit // 1024


def _decimal(words: str) -> int | None:
    return _number(int(words)) if words.isdecimal() else None
