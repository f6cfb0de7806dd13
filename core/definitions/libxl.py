"""The libxl migration stream: docs/specs/libxl-migration-stream.pandoc, revision 2; libxl_sr_stream_format.h."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import octets, strings, u32, u64
from xenmig.core.definitions.structs import Struct

LAYER = "libxl"
IDENT = 0x4C6962786C466D74
"``LibxlFmt``."


class Options(Flags, digits=8):
    """libxl-migration-stream, Header, options; bits 2 to 31 are reserved."""

    BIG_ENDIAN = flag(0, "the records are big endian; no receiver takes that")
    LEGACY = flag(1, "converted from a legacy (version 1) stream")


class EmulatorId(Enumeration, digits=8):
    """libxl-migration-stream, Emulator records, emulator_id."""

    UNKNOWN = value(0, "not known: written by the converter of legacy streams")
    QEMU_TRADITIONAL = value(1, "qemu-traditional, until Xen 4.20")
    QEMU_UPSTREAM = value(2, "upstream QEMU")


class CheckpointStateId(Enumeration, digits=8):
    """libxl-migration-stream, CHECKPOINT_STATE, control_id."""

    NEW = value(0, "the primary starts another checkpoint")
    SVM_SUSPENDED = value(1, "the secondary VM is suspended")
    SVM_READY = value(2, "the secondary VM's state is loaded")
    SVM_RESUMED = value(3, "the secondary VM runs")


class Header(Struct, layer=LAYER, source="libxl-migration-stream, Header"):
    """First 16 bytes of a libxl stream, big endian whatever follows."""

    ident: int = u64("identifies the stream: LibxlFmt", must=IDENT, big=True, hex=True)
    version: int = u32("version of the stream format", must=2, big=True)
    options: Options = u32("byte order and origin", flags=Options, big=True)


class End(Struct, record=0x00, layer=LAYER, source="libxl-migration-stream, END"):
    """The stream is over."""


class LibxcContext(Struct, record=0x01, layer=LAYER, source="libxl-migration-stream, LIBXC_CONTEXT"):
    """A complete libxc stream follows this record and is not counted in its length."""


class EmulatorXenstoreData(
    Struct, record=0x02, layer=LAYER, guests=("HVM",), source="libxl-migration-stream, EMULATOR_XENSTORE_DATA"
):
    """Keys below the device model's directory in xenstore and their values; only physmap entries are ever written."""

    emulator_id: EmulatorId = u32("which emulator", values=EmulatorId)
    index: int = u32("which of several emulators; 0")
    xenstore_data: list[bytes] = strings("key, value, key, value, ..., each ended by a NUL; keys are relative")


class EmulatorContext(
    Struct, record=0x03, layer=LAYER, guests=("HVM",), source="libxl-migration-stream, EMULATOR_CONTEXT"
):
    """The emulator's own save file."""

    emulator_id: EmulatorId = u32("which emulator", values=EmulatorId)
    index: int = u32("which of several emulators; 0")
    emulator_ctx: bytes = octets("the emulator's state, opaque to libxl; upstream QEMU's begins with QEVM")


class CheckpointEnd(Struct, record=0x04, layer=LAYER, source="libxl-migration-stream, CHECKPOINT_END"):
    """The libxl records of one checkpoint are complete; libxc records follow without headers."""


class CheckpointState(
    Struct, record=0x05, layer=LAYER, since="4.7", guests=("HVM",), source="libxl-migration-stream, CHECKPOINT_STATE"
):
    """COLO: what the two ends tell each other between checkpoints.

    The body has 4 bytes: the 8 of the document's drawing include the padding.
    """

    control_id: CheckpointStateId = u32("what happens", values=CheckpointStateId)


class RecordType(Enumeration, digits=8):
    """libxl-migration-stream, Records: the numbers and names of the bodies above.

    Bit 31 marks what a receiver may ignore by the document; Xen's own refuses it all the same.
    """

    known = Struct.record_values(LAYER)


class RecordHeader(Struct, layer=LAYER, source="libxl-migration-stream, Record"):
    """In front of every record; the body is padded with zeros to a multiple of 8 octets."""

    type: RecordType = u32("what the body is", values=RecordType)
    length: int = u32("length of the body without padding", unit="bytes")
