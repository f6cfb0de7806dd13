# Generated from core/definitions/libxl.py by xenmig.scapy_layers.generate; do not edit.
"""The libxl migration stream: docs/specs/libxl-migration-stream.pandoc, revision 2; libxl_sr_stream_format.h."""

from __future__ import annotations

from xenmig.core.definitions import libxl as libxl_definitions
from xenmig.scapy_layers.fields import FlagWord, Named, Number, Octets, Strings
from xenmig.scapy_layers.packets import HeaderPacket
from xenmig.scapy_layers.records import LibxlRecord, Padding, RecordLength, Rest


class LibxlHeader(HeaderPacket):
    """First 16 bytes of a libxl stream, big endian whatever follows.

    Source: libxl-migration-stream, Header.
    ident: identifies the stream: LibxlFmt
    version: version of the stream format
    options: byte order and origin
    """

    name = "libxl header"
    layer = "libxl"
    definition = "libxl.Header"
    size = 16
    fields_desc = [
        Number("ident", 0x4C6962786C466D74, "u64", "identifies the stream: LibxlFmt", big=True, hexadecimal=True),
        Number("version", 2, "u32", "version of the stream format", big=True),
        FlagWord("options", 0, "u32", "byte order and origin", flags=libxl_definitions.Options, big=True),
    ]


class LibxlEnd(LibxlRecord):
    """The stream is over.

    Source: libxl-migration-stream, END.
    """

    name = "libxl END"
    layer = "libxl"
    definition = "libxl.End"
    record = 0
    fields_desc = [
        Named("type", 0, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxlLibxcContext(LibxlRecord):
    """A complete libxc stream follows this record and is not counted in its length.

    Source: libxl-migration-stream, LIBXC_CONTEXT.
    """

    name = "libxl LIBXC_CONTEXT"
    layer = "libxl"
    definition = "libxl.LibxcContext"
    record = 1
    fields_desc = [
        Named("type", 1, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxlEmulatorXenstoreData(LibxlRecord):
    """Keys below the device model's directory in xenstore and their values; only physmap entries are ever written.

    Source: libxl-migration-stream, EMULATOR_XENSTORE_DATA.
    Guests: HVM.
    emulator_id: which emulator
    index: which of several emulators; 0
    xenstore_data: key, value, key, value, ..., each ended by a NUL; keys are relative
    """

    name = "libxl EMULATOR_XENSTORE_DATA"
    layer = "libxl"
    definition = "libxl.EmulatorXenstoreData"
    record = 2
    fields_desc = [
        Named("type", 2, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Named("emulator_id", 2, "u32", "which emulator", values=libxl_definitions.EmulatorId),
        Number("index", 0, "u32", "which of several emulators; 0"),
        Strings("xenstore_data", "key, value, key, value, ..., each ended by a NUL; keys are relative"),
        Rest(),
        Padding(),
    ]


class LibxlEmulatorContext(LibxlRecord):
    """The emulator's own save file.

    Source: libxl-migration-stream, EMULATOR_CONTEXT.
    Guests: HVM.
    emulator_id: which emulator
    index: which of several emulators; 0
    emulator_ctx: the emulator's state, opaque to libxl; upstream QEMU's begins with QEVM
    """

    name = "libxl EMULATOR_CONTEXT"
    layer = "libxl"
    definition = "libxl.EmulatorContext"
    record = 3
    fields_desc = [
        Named("type", 3, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Named("emulator_id", 2, "u32", "which emulator", values=libxl_definitions.EmulatorId),
        Number("index", 0, "u32", "which of several emulators; 0"),
        Octets("emulator_ctx", b"", "the emulator's state, opaque to libxl; upstream QEMU's begins with QEVM"),
        Rest(),
        Padding(),
    ]


class LibxlCheckpointEnd(LibxlRecord):
    """The libxl records of one checkpoint are complete; libxc records follow without headers.

    Source: libxl-migration-stream, CHECKPOINT_END.
    """

    name = "libxl CHECKPOINT_END"
    layer = "libxl"
    definition = "libxl.CheckpointEnd"
    record = 4
    fields_desc = [
        Named("type", 4, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Rest(),
        Padding(),
    ]


class LibxlCheckpointState(LibxlRecord):
    """COLO: what the two ends tell each other between checkpoints.

    The body has 4 bytes: the 8 of the document's drawing include the padding.

    Source: libxl-migration-stream, CHECKPOINT_STATE.
    Since Xen 4.7.
    Guests: HVM.
    control_id: what happens
    """

    name = "libxl CHECKPOINT_STATE"
    layer = "libxl"
    definition = "libxl.CheckpointState"
    record = 5
    fields_desc = [
        Named("type", 5, "u32", "what the body is", values=libxl_definitions.RecordType),
        RecordLength(),
        Named("control_id", 0, "u32", "what happens", values=libxl_definitions.CheckpointStateId),
        Rest(),
        Padding(),
    ]
