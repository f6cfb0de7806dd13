# Generated from core/definitions/libvirt.py by xenmig.scapy_layers.generate; do not edit.
"""The libvirt save file of the libxl driver: libvirt, src/libxl/libxl_conf.h, libxlSavefileHeader."""

from __future__ import annotations

from xenmig.core.definitions import libvirt as libvirt_definitions
from xenmig.scapy_layers.fields import Named, Number, Octets, Text
from xenmig.scapy_layers.headers import LibvirtWrapper, WrappedPacket
from xenmig.scapy_layers.lists import Numbers


class LibvirtSave(LibvirtWrapper):
    """First 64 bytes of a libvirt save file, in the byte order of the sender.

    Source: libxl_conf.h, libxlSavefileHeader.
    magic: identifies the file
    version: what follows the XML
    xmlLen: length of the domain XML with its NUL (bytes)
    unused: zero
    """

    name = "libvirt save header"
    layer = "libvirt"
    definition = "libvirt.Header"
    size = 64
    fields_desc = [
        Octets("magic", b"libvirt-xml\n \x00 \r", "identifies the file", size=16),
        Named("version", 2, "u32", "what follows the XML", values=libvirt_definitions.Version),
        Number("xmlLen", None, "u32", "length of the domain XML with its NUL", unit="bytes", counts="payload"),
        Numbers("unused", "u32", "zero", count=10, hexadecimal=True),
    ]


class LibvirtDomainXml(WrappedPacket):
    """The guest's configuration between header and stream.

    Source: libxl_driver.c, libxlDoDomainSave.
    xml: libvirt's domain XML with its NUL
    """

    name = "libvirt domain xml"
    layer = "libvirt"
    definition = "libvirt.DomainXml"
    fields_desc = [
        Text("xml", b"", "libvirt's domain XML with its NUL"),
    ]
