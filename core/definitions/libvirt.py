"""The libvirt save file of the libxl driver: libvirt, src/libxl/libxl_conf.h, libxlSavefileHeader."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, value
from xenmig.core.definitions.fields import array, octets, text, u32
from xenmig.core.definitions.structs import Struct

LAYER = "libvirt"
MAGIC = b"libvirt-xml\n \0 \r"


class Version(Enumeration):
    """LIBXL_SAVE_VERSION."""

    LEGACY = value(1, "a legacy libxc stream follows")
    STREAMv2 = value(2, "a libxl stream follows")


class Header(Struct, layer=LAYER, name="save_header", source="libxl_conf.h, libxlSavefileHeader"):
    """First 64 bytes of a libvirt save file, in the byte order of the sender."""

    magic: bytes = octets("identifies the file", count=16, must=MAGIC)
    version: Version = u32("what follows the XML", values=Version)
    xmlLen: int = u32("length of the domain XML with its NUL", unit="bytes")
    unused: list[int] = array(u32(must=0, hex=True), "zero", count=10)


class DomainXml(Struct, layer=LAYER, name="domain_xml", source="libxl_driver.c, libxlDoDomainSave"):
    """The guest's configuration between header and stream."""

    xml: bytes = text("libvirt's domain XML with its NUL")
