"""The guest, as the stream's headers and the configuration in front of the stream describe it."""

from __future__ import annotations

from xenmig.core.definitions import libxc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.decode.events import Header
    from xenmig.core.decode.record import Record


LARGEST_CONFIGURATION = 256 << 10
"Bytes of configuration that are parsed: what JSON says in one byte may take fifty in memory. Real ones have a few KiB."


class Guest:
    """Facts about the guest; what is not known is empty or None. All text is untrusted."""

    __slots__ = ("kind", "type", "name", "uuid", "vcpus", "memory", "maximum", "xen", "converted", "pfns", "problem")

    kind: str
    '"HVM" or "PV" by the libxc domain header (PVH guests say HVM there), else "unknown".'
    type: str
    'By the configuration: "hvm", "pv", "pvh" or whatever it says.'
    name: str
    uuid: str
    vcpus: int | None
    memory: int | None
    "Memory that the guest is to have, in KiB."
    maximum: int | None
    "Memory that it may have at most, in KiB."
    xen: str
    'Release of the sender\'s Xen, for example "4.17"; empty when the stream does not say.'
    converted: bool
    "Whether the stream was converted from a legacy one; ``xen`` is then empty."
    pfns: int | None
    "How many pfns the sender walks in a pass over all of memory: by X86_PV_P2M_FRAMES, which only PV guests have."
    problem: str
    "Why the configuration could not be read; empty when it could, or when there is none."

    def __init__(self) -> None:
        self.kind = "unknown"
        self.type = ""
        self.name = ""
        self.uuid = ""
        self.vcpus = None
        self.memory = None
        self.maximum = None
        self.xen = ""
        self.converted = False
        self.pfns = None
        self.problem = ""

    @property
    def description(self) -> str:
        """The kind in the words of people: "PVH" where only the configuration tells it from HVM."""
        if self.kind == "HVM" and self.type == "pvh":
            return "PVH"
        if self.kind == "unknown" and self.type in ("hvm", "pv", "pvh"):
            return self.type.upper()
        return self.kind

    def take(self, header: Header) -> None:
        """Learn from one header of the stream."""
        value = header.value
        name = value.name
        if name == libxc.DomainHeader.name:
            self._domain_header(value)
        elif name == "optional_data":
            text = getattr(value, "config", None)
            if text and self._is_readable(text):
                self._from_json(text)
        elif name == "domain_xml":
            text = getattr(value, "xml", None)
            if text and self._is_readable(text):
                self._from_xml(text)

    def take_frames(self, record: Record) -> None:
        """Learn from X86_PV_P2M_FRAMES."""
        if record.body is not None and len(record.body) >= 8:
            end = libxc.X86PvP2mFrames.decode(record.body, record.byteorder).p2m_end_pfn
            self.pfns = int(end) + 1

    def _is_readable(self, text: bytes) -> bool:
        if len(text) > LARGEST_CONFIGURATION:
            self.problem = f"a configuration of {len(text):,} bytes is not read"
            return False
        return True

    def _domain_header(self, value: Any) -> None:
        kind = value.type
        self.kind = {libxc.DomainType.X86_PV: "PV", libxc.DomainType.X86_HVM: "HVM"}.get(kind, "unknown")
        if value.xen_major:
            self.xen = f"{value.xen_major}.{value.xen_minor}"
        elif value.xen_major == 0:
            self.converted = True

    def _from_json(self, text: bytes) -> None:
        """xl: libxl_domain_config as JSON, libxl_types.idl."""
        import json

        try:
            config = json.loads(text.rstrip(b"\0"))
        except (ValueError, RecursionError) as error:
            self.problem = f"the configuration is not JSON: {error}"
            return
        created, built = _object(config, "c_info"), _object(config, "b_info")
        self.name = _text(created.get("name"))
        self.uuid = _text(created.get("uuid"))
        self.type = _text(created.get("type"))
        self.vcpus = _number(built.get("max_vcpus"))
        self.memory = _number(built.get("target_memkb"))
        self.maximum = _number(built.get("max_memkb"))

    def _from_xml(self, text: bytes) -> None:
        """libvirt: domain XML."""
        # Entities can make a few bytes of XML into gigabytes of text, and libvirt never writes any.
        if b"<!" in text.replace(b"<!--", b""):
            self.problem = "the domain XML declares entities or a document type: not read"
            return
        from xml.parsers import expat

        found: dict[str, str] = {}
        path: list[str] = []
        attributes: dict[str, dict[str, str]] = {}

        def start(name: str, given: dict[str, str]) -> None:
            path.append(name)
            if len(path) <= 2:
                attributes.setdefault(name, given)

        def end(_: str) -> None:
            path.pop()

        def characters(data: str) -> None:
            if len(path) == 2 and len(found.get(path[1], "")) < 4096:
                found[path[1]] = found.get(path[1], "") + data

        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = characters
        try:
            parser.Parse(text.rstrip(b"\0"), True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            self.problem = f"the domain XML is not well-formed: {error}"
        self.name = found.get("name", "").strip()
        self.uuid = found.get("uuid", "").strip()
        self.vcpus = _digits(found.get("vcpu", ""))
        self.maximum = _kibibytes(found.get("memory", ""), attributes.get("memory", {}).get("unit", "KiB"))
        self.memory = _kibibytes(found.get("currentMemory", ""), attributes.get("currentMemory", {}).get("unit", "KiB"))


def _object(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64 else None


def _digits(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


# libvirt, docs/formatdomain: units of memory; bare letters are powers of two.
_UNITS = {"b": 1, "bytes": 1, "KB": 1000, "k": 1024, "KiB": 1024, "MB": 10**6, "M": 1 << 20, "MiB": 1 << 20}
_UNITS |= {"GB": 10**9, "G": 1 << 30, "GiB": 1 << 30, "TB": 10**12, "T": 1 << 40, "TiB": 1 << 40}


def _kibibytes(text: str, unit: str) -> int | None:
    number = _digits(text)
    return None if number is None or unit not in _UNITS else number * _UNITS[unit] // 1024
