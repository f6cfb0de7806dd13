"""QEMU's state of the devices, as far as a reader can know it: QEMU, migration/savevm.c and docs/devel/migration.

The state is a row of sections, one for each device. A section says its name, instance and version and then holds the
device's data *without its length*: only the QEMU that wrote it knows where the data ends. What is found here is
therefore found by looking for the next header, and :class:`Section` says how sure that is. A footer behind each section
makes it sure; Xen's machine types switch footers and the configuration section off.
"""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, value
from xenmig.core.definitions.fields import equals, octets, text, u8, u32
from xenmig.core.definitions.libxl import EmulatorId
from xenmig.core.definitions.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = 0x5145564D
"``QEVM``."
SOURCE = "QEMU, migration/savevm.c"

SIGNATURES = {
    b"DeviceModelRecord0002": "record of a device model in a legacy stream, written for upstream QEMU",
    b"QemuDeviceModelRecord": "record of a device model in a legacy stream, written for qemu-traditional",
    b"RemusDeviceModelState": "record of a device model in a legacy Remus stream",
}
"What Xen put in front of an emulator's state before Xen 4.6: tools/libxl/libxl_dom.c; never in a native stream."


class SectionType(Enumeration, digits=2):
    """migration/savevm.h, QEMU_VM_*."""

    EOF = value(0x00, "end of the state")
    START = value(0x01, "first part of a device that comes in parts")
    PART = value(0x02, "another part")
    END = value(0x03, "last part")
    FULL = value(0x04, "a device")
    SUBSECTION = value(0x05, "more of a device")
    VMDESCRIPTION = value(0x06, "description of the state, in JSON")
    CONFIGURATION = value(0x07, "machine type")
    COMMAND = value(0x08, "command")
    FOOTER = value(0x7E, "end of a section")


class EmulatorContext(
    Struct, guests=("HVM",), source="libxl-migration-stream, EMULATOR_CONTEXT; QEMU, migration/savevm.c"
):
    """The emulator's own save file."""

    emulator_id: EmulatorId = u32("which emulator", values=EmulatorId)
    index: int = u32("which of several emulators; 0")
    magic: int = u32("QEVM where it is QEMU's state", hex=True, big=True)
    version: int = u32("version of QEMU's format; 3", big=True, when=equals("magic", MAGIC))
    sections: bytes = octets("sections, whose ends only QEMU knows")


class SectionHeader(Struct, source=SOURCE + ", save_section_header"):
    """In front of a device's data."""

    type: SectionType = u8("kind of section", values=SectionType)
    section_id: int = u32("number of the section, ascending; those that are not needed are left out", big=True)
    length: int = u8("length of the name", unit="bytes")
    idstr: bytes = text("name of the device, behind its address on the bus", count="length")
    instance_id: int = u32("which of several devices of that name", big=True)
    version_id: int = u32("version of the data", big=True)


class Section:
    """A device in QEMU's state."""

    __slots__ = ("offset", "type", "number", "name", "instance", "version", "data", "end", "footer")

    offset: int
    "Of the header, from the beginning of the emulator's state (its QEVM)."
    type: SectionType
    "FULL, or START for a device in parts."
    number: int
    name: str
    "For example ``0000:00:01.1/ide``."
    instance: int
    version: int
    data: int
    "Where the device's data begins."
    end: int
    "Where it ends as far as can be told: at its footer, else where the next header was found."
    footer: bool
    "Whether a footer ends it, which makes its end sure. Without one, sections that were not found are part of it."

    def __init__(self, offset: int, number: int, name: str, instance: int, version: int, data: int) -> None:
        self.offset = offset
        self.type = SectionType.FULL
        self.number = number
        self.name = name
        self.instance = instance
        self.version = version
        self.data = data
        self.end = data
        self.footer = False

    def __repr__(self) -> str:
        return f"Section({self.number}, {self.name!r}, instance={self.instance}, version={self.version})"


class DeviceState:
    """What could be found in an emulator's state."""

    __slots__ = ("kind", "version", "machine", "sections", "complete")

    kind: str
    '"QEMU", the meaning of one of ``SIGNATURES``, or "unknown".'
    version: int | None
    "Version of QEMU's format."
    machine: str | None
    "Machine type, where the configuration section gives it."
    sections: list[Section]
    complete: bool
    "Whether the last byte is the end mark; a device's data may end in the same byte."

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.version = None
        self.machine = None
        self.sections = []
        self.complete = False


NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/+@,() ")
"Characters of the names of devices."
NUMBER_MAX = 1 << 16
"More sections than any machine has."
VERSION_MAX = 1 << 10
SECTIONS_MAX = 4096
HEADER = 8


def device_state(data: bytes) -> DeviceState:
    """Look for the sections of an emulator's state (``EMULATOR_CONTEXT.emulator_ctx``).

    A header is believed when its number is higher than the one before it, its name reads like one, and instance and
    version are small. Device data can look like that; and a section whose number or name does not look like that is
    taken for data of the section before it.
    """
    for signature, meaning in SIGNATURES.items():
        if data.startswith(signature):
            return DeviceState(meaning)
    if data[:4] != MAGIC.to_bytes(4, "big"):
        return DeviceState("unknown")
    found = DeviceState("QEMU")
    found.version = int.from_bytes(data[4:8], "big") if len(data) >= HEADER else None
    found.complete = len(data) > HEADER and data[-1] == SectionType.EOF
    position = HEADER
    if data[position : position + 1] == b"\x07":
        length = int.from_bytes(data[position + 1 : position + 5], "big")
        if length <= 255:
            found.machine = data[position + 5 : position + 5 + length].decode("latin-1")
            position += 5 + length
    last = -1
    for offset in _candidates(data, position):
        section = _section(data, offset) if offset >= position else None
        if section is None or section.number <= last:
            continue
        if found.sections:
            _close(found.sections[-1], data, offset)
        found.sections.append(section)
        position, last = section.data, section.number
        if len(found.sections) == SECTIONS_MAX:
            break
    if found.sections:
        _close(found.sections[-1], data, len(data) - found.complete)
    return found


def _close(section: Section, data: bytes, end: int) -> None:
    footer = b"\x7e" + section.number.to_bytes(4, "big")
    section.footer = data[max(section.data, end - 5) : end] == footer
    section.end = end - 5 if section.footer else end


def _candidates(data: bytes, position: int) -> Iterator[int]:
    """Where a header may begin, ascending: a type, and a number below 65536, which begins with two bytes of zeros."""
    full, start = data.find(b"\x04\0\0", position), data.find(b"\x01\0\0", position)
    while full >= 0 or start >= 0:
        if start < 0 or 0 <= full < start:
            yield full
            full = data.find(b"\x04\0\0", full + 1)
        else:
            yield start
            start = data.find(b"\x01\0\0", start + 1)


def _section(data: bytes, offset: int) -> Section | None:
    """The header at ``offset``, or None where it does not look like one."""
    if offset + 6 > len(data):
        return None
    number = int.from_bytes(data[offset + 1 : offset + 5], "big")
    after = offset + 6 + data[offset + 5]
    name = data[offset + 6 : after]
    if number >= NUMBER_MAX or len(name) < 2 or after + 8 > len(data) or not NAME.issuperset(name):
        return None
    instance = int.from_bytes(data[after : after + 4], "big")
    version = int.from_bytes(data[after + 4 : after + 8], "big")
    if instance >= NUMBER_MAX or version >= VERSION_MAX:
        return None
    section = Section(offset, number, name.decode("ascii"), instance, version, after + 8)
    section.type = SectionType(data[offset])
    return section
