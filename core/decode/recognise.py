"""What a file, or one direction of a TCP connection, is by its first bytes."""

from __future__ import annotations

from xenmig.core.definitions import libvirt, libxc, libxl, xl

# What is decoded has its magic number in its layer's definition. The others belong to formats that are named and not
# decoded: xapi's suspend_image.ml, xend, qemu's savevm.c, SSH's first bytes.
MAGIC = (
    (xl.MAGIC, "xl"),
    (libvirt.MAGIC, "libvirt"),
    (libxl.IDENT.to_bytes(8, "big"), "libxl"),
    (libxc.MARKER.to_bytes(8, "big") + libxc.ID.to_bytes(4, "big"), "libxc"),
    (xl.BANNER.data, "xl receiver"),
    (xl.READY.data, "xl receiver"),
    (xl.REPORT.data, "xl receiver"),
    (b"XenSavedDomv2-\n", "xapi"),
    (b"XenSavedDomain\n", "xapi legacy"),
    (b"LinuxGuestRecord", "xend"),
    (b"QEVM", "qemu"),
    (b"SSH-", "ssh"),
    (b"PUT /services/xenops/", "xapi http"),
    (b"POST /services/xenops", "xapi http"),
    (b"\x7fELF", "elf"),
)
_OTHER_CAPTURES = (b"\xa1\xb2\xcd\x34", b"\x34\xcd\xb2\xa1", b"snoop\0\0\0")
"Kuznetsov's pcap, both byte orders, and snoop: Wireshark's wiretap/libpcap.h and snoop.c."

LONGEST = max(len(magic) for magic, _ in MAGIC)
"Bytes that settle the question in every case."

LEAST_CUT = 4
"Bytes of a magic number that are believed when a file holds no more than these."

STREAMS = ("xl", "libvirt", "libxl", "libxc")
"What the stream decoder decodes."

DESCRIPTIONS = {
    "xl": "xl save file",
    "libvirt": "libvirt save file",
    "libxl": "libxl stream",
    "libxc": "libxc stream",
    "xl receiver": "the receiver's side of an xl migrate conversation",
    "xapi": "XenServer/XCP-ng suspend image, which xenmig does not decode",
    "xapi legacy": "legacy (version 1) XenServer suspend image, which xenmig does not decode",
    "xend": "xend save file with a legacy (version 1) stream, which xenmig does not decode",
    "qemu": "bare QEMU device state",
    "ssh": "SSH, which hides what is inside",
    "tls": "TLS, which hides what is inside",
    "xapi http": "XAPI migration request",
    "libvirt rpc": "libvirt RPC",
    "elf": "ELF file: perhaps a core made by xl dump-core, which is no migration stream",
    "legacy": "legacy (version 1) libxc stream, Xen 4.5 and earlier, which xenmig does not decode",
    "capture": "a capture in a format that xenmig does not read: convert it with `editcap -F pcapng IN OUT`",
    "text": "text file",
}


def recognise(prefix: bytes) -> str | None:
    """What begins with these bytes, as a key of ``DESCRIPTIONS``; "" when nothing known does; None when more bytes are
    needed to tell (never with ``LONGEST`` bytes or more).
    """
    for magic, kind in MAGIC:
        if prefix.startswith(magic):
            return kind
    for magic, _ in MAGIC:
        if len(prefix) < len(magic) and magic.startswith(prefix):
            return None
    if len(prefix) < 12:
        return _by_shape(prefix, ("tls",)) or None if len(prefix) >= 5 else None
    return _by_shape(prefix, ("tls", "libvirt rpc"))


def recognise_cut(prefix: bytes) -> str | None:
    """What the whole of a file is the beginning of, when it ends inside the magic number of a stream; else None."""
    if len(prefix) >= LEAST_CUT:
        for magic, kind in MAGIC:
            if kind in STREAMS and len(prefix) < len(magic) and magic.startswith(prefix):
                return kind
    return None


def recognise_file(prefix: bytes) -> str:
    """The same for the beginning of a whole file, where formats without a magic number can be told as well."""
    kind = recognise(prefix)
    if kind:
        return kind
    if prefix.startswith(_OTHER_CAPTURES):
        return "capture"
    # Legacy streams begin with the p2m size, 4 or 8 bytes: xc_domain_save.c of Xen 4.5; 64-bit PV has all ones behind.
    if len(prefix) >= 24:
        low = int.from_bytes(prefix[:4], "little")
        marked = prefix[8:16] == b"\xff" * 8 or prefix[4:8] == b"\xff" * 4
        # A toolstack of 32 bits goes on with a batch of 1 to 1024 pages, or with a negative number for something else.
        following = int.from_bytes(prefix[4:8], "little", signed=True)
        if 0x100 <= low <= 0x10000000 and (marked or -32 <= following <= 1024):
            return "legacy"
    if prefix and not prefix.translate(None, bytes(range(32, 127)) + b"\t\n\r"):
        return "text"
    return ""


def _by_shape(prefix: bytes, kinds: tuple[str, ...]) -> str:
    # RFC 8446, section 5.1: content type 20 to 23, version 3.x, and at most 2^14 + 256 bytes in a record.
    looks_like_tls = 20 <= prefix[0] <= 23 and prefix[1] == 3 and prefix[2] <= 4
    if "tls" in kinds and looks_like_tls and int.from_bytes(prefix[3:5], "big") <= 0x4100:
        return "tls"
    # libvirt, virnetprotocol.x: length, program, version 1; the programs that libvirtd offers begin with 0x2000808.
    if "libvirt rpc" in kinds and prefix[8:12] == b"\0\0\0\1":
        program = prefix[4:8]
        if program[:3] == b"\x20\0\x80" or program == b"keep":
            return "libvirt rpc"
    return ""
