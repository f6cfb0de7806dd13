"""The xl save file and the conversation of ``xl migrate``: tools/xl/xl.h, xl_saverestore.c and xl_migrate.c."""

from __future__ import annotations

from xenmig.core.definitions.enumerations import Enumeration, Flags, flag, value
from xenmig.core.definitions.fields import octets, text, u32
from xenmig.core.definitions.structs import Struct

LAYER = "xl"
MAGIC = b"Xen saved domain, xl format\n \0 \r"
BYTEORDER = 0x01020304


class MandatoryFlags(Flags, digits=8):
    """xl.h, XL_MANDATORY_FLAG_*; a receiver refuses bits that it does not know."""

    JSON = flag(0, "the configuration is JSON (Xen 4.5 and later)")
    STREAMv2 = flag(1, "a libxl stream follows (Xen 4.6 and later), else a legacy libxc stream")


class Header(Struct, layer=LAYER, name="save_header", source="xl.h, struct save_file_header"):
    """First 48 bytes of an xl save file and of what ``xl migrate`` sends, in the byte order of the sender."""

    magic: bytes = octets("identifies the file", count=32, must=MAGIC)
    byteorder: int = u32("0x01020304 in the sender's byte order", must=BYTEORDER, hex=True)
    mandatory_flags: MandatoryFlags = u32("what a receiver must understand", flags=MandatoryFlags)
    optional_flags: int = u32("what a receiver may ignore; none is defined", hex=True)
    optional_data_len: int = u32("how many bytes of optional data follow", unit="bytes")


class OptionalData(Struct, layer=LAYER, name="optional_data", source="xl_saverestore.c, save_domain_core_writeconfig"):
    """The guest's configuration between header and stream."""

    config_len: int = u32("length of the configuration with its NUL", unit="bytes")
    config: bytes = text("configuration: JSON of libxl_domain_config since Xen 4.5", count="config_len")
    rest: bytes = octets("whatever else; no release writes any")


class MigrationError(Enumeration):
    """The status byte of the receiver: 0, or a libxl error with its sign dropped. libxl_types.idl, libxl_error."""

    SUCCESS = value(0, "the guest runs on the destination")
    NONSPECIFIC = value(1)
    VERSION = value(2)
    FAIL = value(3, "renaming or unpausing the guest failed")
    NI = value(4)
    NOMEM = value(5)
    INVAL = value(6)
    BADFAIL = value(7)
    GUEST_TIMEDOUT = value(8)
    TIMEDOUT = value(9)
    NOPARAVIRT = value(10)
    NOT_READY = value(11)
    OSEVENT_REG_FAIL = value(12)
    BUFFERFULL = value(13)
    UNKNOWN_CHILD = value(14)
    LOCK_FAIL = value(15)
    JSON_CONFIG_EMPTY = value(16)
    DEVICE_EXISTS = value(17)
    CHECKPOINT_DEVOPS_DOES_NOT_MATCH = value(18)
    CHECKPOINT_DEVICE_NOT_SUPPORTED = value(19)
    VNUMA_CONFIG_INVALID = value(20)
    DOMAIN_NOTFOUND = value(21)
    ABORTED = value(22)
    NOTFOUND = value(23)
    DOMAIN_DESTROYED = value(24)
    FEATURE_REMOVED = value(25)
    PROTOCOL_ERROR_QMP = value(26)
    UNKNOWN_QMP_ERROR = value(27)
    QMP_GENERIC_ERROR = value(28)
    QMP_COMMAND_NOT_FOUND = value(29)
    QMP_DEVICE_NOT_ACTIVE = value(30)
    QMP_DEVICE_NOT_FOUND = value(31)
    QEMU_API = value(32)
    NO_PERMISSION = value(255, "the sender's permission did not arrive, or was something else")


class MigrationText:
    """One of the fixed texts of the conversation. They are sent without a length."""

    __slots__ = ("name", "data", "to_receiver", "doc")

    name: str
    data: bytes
    "The bytes on the wire, the NUL at the end included where xl sends it."
    to_receiver: bool
    "Whether the sender of the guest says it."
    doc: str
    "What it means that the text has passed."

    def __init__(self, name: str, data: bytes, to_receiver: bool, doc: str) -> None:
        self.name = name
        self.data = data
        self.to_receiver = to_receiver
        self.doc = doc


# xl sends the banner without its NUL and the others with it: sizeof(x) - 1 once, sizeof(x) three times.
BANNER = MigrationText(
    "banner", b"xl migration receiver ready, send binary domain data.\n", False, "the receiver waits for the guest"
)
READY = MigrationText(
    "ready", b"domain received, ready to unpause\0", False, "the receiver has restored the guest and holds it paused"
)
PERMISSION = MigrationText(
    "permission",
    b"domain is yours, you are cleared to unpause\0",
    True,
    "the sender gives the guest away",
)
REPORT = MigrationText(
    "report", b"my copy unpause results are as follows\0", False, "the receiver's status byte follows"
)
GIVEN_BACK = MigrationText(
    "given back",
    PERMISSION.data,
    False,
    "the receiver could not unpause the guest and gives it back",
)
TEXTS = (BANNER, READY, PERMISSION, REPORT, GIVEN_BACK)
"All texts, in the order in which they pass."
