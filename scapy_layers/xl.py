# Generated from core/definitions/xl.py by xenmig.scapy_layers.generate; do not edit.
"""The xl save file and the conversation of ``xl migrate``: tools/xl/xl.h, xl_saverestore.c and xl_migrate.c."""

from __future__ import annotations

from xenmig.core.definitions import xl as xl_definitions
from xenmig.scapy_layers.fields import FlagWord, Number, Octets, Text
from xenmig.scapy_layers.headers import WrappedPacket, XlWrapper


class XlSave(XlWrapper):
    """First 48 bytes of an xl save file and of what ``xl migrate`` sends, in the byte order of the sender.

    Source: xl.h, struct save_file_header.
    magic: identifies the file
    byteorder: 0x01020304 in the sender's byte order
    mandatory_flags: what a receiver must understand
    optional_flags: what a receiver may ignore; none is defined
    optional_data_len: how many bytes of optional data follow (bytes)
    """

    name = "xl save header"
    layer = "xl"
    definition = "xl.Header"
    size = 48
    fields_desc = [
        Octets("magic", b"Xen saved domain, xl format\n \x00 \r", "identifies the file", size=32),
        Number("byteorder", 0x1020304, "u32", "0x01020304 in the sender's byte order", hexadecimal=True),
        FlagWord("mandatory_flags", 3, "u32", "what a receiver must understand", flags=xl_definitions.MandatoryFlags),
        Number("optional_flags", 0, "u32", "what a receiver may ignore; none is defined", hexadecimal=True),
        Number(
            "optional_data_len",
            None,
            "u32",
            "how many bytes of optional data follow",
            unit="bytes",
            counts="payload",
        ),
    ]


class XlOptionalData(WrappedPacket):
    """The guest's configuration between header and stream.

    Source: xl_saverestore.c, save_domain_core_writeconfig.
    config_len: length of the configuration with its NUL (bytes)
    config: configuration: JSON of libxl_domain_config since Xen 4.5
    rest: whatever else; no release writes any
    """

    name = "xl optional data"
    layer = "xl"
    definition = "xl.OptionalData"
    fields_desc = [
        Number("config_len", None, "u32", "length of the configuration with its NUL", unit="bytes", counts="config"),
        Text("config", b"", "configuration: JSON of libxl_domain_config since Xen 4.5", length="config_len"),
        Octets("rest", b"", "whatever else; no release writes any"),
    ]
