# Generated from core/definitions/qemu.py by xenmig.scapy_layers.generate; do not edit.
"""QEMU's state of the devices, as far as a reader can know it: QEMU, migration/savevm.c and docs/devel/migration.

The state is a row of sections, one for each device. A section says its name, instance and version and then holds the
device's data *without its length*: only the QEMU that wrote it knows where the data ends. What is found here is
therefore found by looking for the next header, and :class:`Section` says how sure that is. A footer behind each section
makes it sure; Xen's machine types switch footers and the configuration section off.
"""

from __future__ import annotations

from xenmig.core.definitions import libxl as libxl_definitions
from xenmig.core.definitions import qemu as qemu_definitions
from xenmig.scapy_layers.fields import Named, Number, Octets, Present, Text
from xenmig.scapy_layers.packets import StructPacket


class EmulatorContext(StructPacket):
    """The emulator's own save file.

    Source: libxl-migration-stream, EMULATOR_CONTEXT; QEMU, migration/savevm.c.
    Guests: HVM.
    emulator_id: which emulator
    index: which of several emulators; 0
    magic: QEVM where it is QEMU's state
    version: version of QEMU's format; 3
    sections: sections, whose ends only QEMU knows
    """

    name = "qemu emulator context"
    definition = "qemu.EmulatorContext"
    fields_desc = [
        Named("emulator_id", 0, "u32", "which emulator", values=libxl_definitions.EmulatorId),
        Number("index", 0, "u32", "which of several emulators; 0"),
        Number("magic", 0, "u32", "QEVM where it is QEMU's state", big=True, hexadecimal=True),
        Present(
            Number("version", 0, "u32", "version of QEMU's format; 3", big=True),
            "magic",
            18446744073709551615,
            1363498573,
        ),
        Octets("sections", b"", "sections, whose ends only QEMU knows"),
    ]


class SectionHeader(StructPacket):
    """In front of a device's data.

    Source: QEMU, migration/savevm.c, save_section_header.
    type: kind of section
    section_id: number of the section, ascending; those that are not needed are left out
    length: length of the name (bytes)
    idstr: name of the device, behind its address on the bus
    instance_id: which of several devices of that name
    version_id: version of the data
    """

    name = "qemu section header"
    definition = "qemu.SectionHeader"
    fields_desc = [
        Named("type", 0, "u8", "kind of section", values=qemu_definitions.SectionType),
        Number(
            "section_id",
            0,
            "u32",
            "number of the section, ascending; those that are not needed are left out",
            big=True,
        ),
        Number("length", None, "u8", "length of the name", unit="bytes", counts="idstr"),
        Text("idstr", b"", "name of the device, behind its address on the bus", length="length"),
        Number("instance_id", 0, "u32", "which of several devices of that name", big=True),
        Number("version_id", 0, "u32", "version of the data", big=True),
    ]
