"""Small streams that are right, cut into named pieces, so that a test breaks exactly one of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests import sound
from xenmig.core.check.checker import Checker
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.definitions import libxc, libxl, xl

if TYPE_CHECKING:
    from collections.abc import Callable

    from xenmig.core.decode.events import Event

PAGE = bytes(range(256)) * 16
XTAB = 0xF << 60
L1TAB = 0x1 << 60
HVM_CONTEXT = sound.hvm_context()
XENSTORE = b"physmap/0/start_addr\0f0000000\0physmap/0/size\x00800000\0physmap/0/name\0vga.vram\0"


def record(type: int | None, body: bytes = b"", order: str = "<") -> bytes:
    """A record with its header and padding."""
    assert type is not None
    return struct.pack(order + "II", type, len(body)) + body + bytes(-len(body) % 8)


def page_data(*words: int, order: str = "<", without_data: tuple[int, ...] = (0xD, 0xE, 0xF)) -> bytes:
    """A PAGE_DATA record of these pfn words."""
    pages = sum(word >> 60 not in without_data for word in words)
    return record(1, struct.pack(f"{order}II{len(words)}Q", len(words), 0, *words) + PAGE * pages, order)


class Pieces:
    """A stream as a list of named pieces; every method gives another one."""

    def __init__(self, *pieces: tuple[str, bytes]) -> None:
        self.pieces = pieces

    def __bytes__(self) -> bytes:
        return b"".join(data for _, data in self.pieces)

    def __add__(self, other: Pieces) -> Pieces:
        return Pieces(*self.pieces, *other.pieces)

    def index(self, name: str) -> int:
        """Where the first piece of that name is in the list."""
        return [one for one, _ in self.pieces].index(name)

    def offset(self, name: str) -> int:
        """Where the first piece of that name begins in the stream."""
        return sum(len(data) for _, data in self.pieces[: self.index(name)])

    def data(self, name: str) -> bytes:
        """The bytes of the first piece of that name."""
        return self.pieces[self.index(name)][1]

    def without(self, name: str) -> Pieces:
        """The stream without its first piece of that name."""
        at = self.index(name)
        return Pieces(*self.pieces[:at], *self.pieces[at + 1 :])

    def replaced(self, name: str, data: bytes) -> Pieces:
        """The stream with other bytes in place of the first piece of that name."""
        at = self.index(name)
        return Pieces(*self.pieces[:at], (name, data), *self.pieces[at + 1 :])

    def patched(self, name: str, at: int, data: bytes) -> Pieces:
        """The stream with ``data`` written over the piece from ``at`` on."""
        old = self.data(name)
        return self.replaced(name, old[:at] + data + old[at + len(data) :])

    def inserted(self, data: bytes, before: str) -> Pieces:
        """The stream with another piece before the first of that name."""
        at = self.index(before)
        return Pieces(*self.pieces[:at], ("inserted", data), *self.pieces[at:])

    def repeated(self, name: str) -> Pieces:
        """The stream with the piece twice in a row."""
        return self.inserted(self.data(name), before=name)

    def moved(self, name: str, before: str) -> Pieces:
        """The stream with a piece moved in front of another one."""
        data = self.data(name)
        return self.without(name).inserted(data, before)


def image_header(version: int = 3, options: int = 0, order: str = "<") -> bytes:
    """The image header of libxc."""
    options |= order == ">"
    return struct.pack(">QIIHHI", libxc.MARKER, libxc.ID, version, options, 0, 0)


def domain_header(guest: int, release: tuple[int, int] = (4, 17), order: str = "<") -> bytes:
    """The domain header of libxc; ``guest`` is 1 for PV and 2 for HVM."""
    return struct.pack(order + "IHHII", guest, 12, 0, *release)


def static_data(order: str = "<") -> Pieces:
    """What version 3 says before memory."""
    return Pieces(
        ("cpuid policy", record(0x11, sound.cpuid_policy(order), order)),
        ("msr policy", record(0x12, sound.msr_policy(order), order)),
        ("static data end", record(0x10, b"", order)),
    )


def tsc_info(order: str = "<") -> bytes:
    """An X86_TSC_INFO record."""
    return record(0x08, sound.tsc_info(order), order)


def hvm_state(order: str = "<") -> Pieces:
    """What follows the memory of an HVM guest."""
    return Pieces(
        ("tsc info", tsc_info(order)),
        ("hvm context", record(0x09, HVM_CONTEXT, order)),
        ("hvm params", record(0x0A, sound.hvm_params(order), order)),
    )


def hvm(version: int = 3, release: tuple[int, int] | None = None, order: str = "<") -> Pieces:
    """A libxc stream of an HVM guest, as Xen writes it."""
    release = release or ((4, 17) if version == 3 else (4, 11))
    return (
        Pieces(
            ("image header", image_header(version, order=order)), ("domain header", domain_header(2, release, order))
        )
        + (static_data(order) if version == 3 else Pieces())
        + Pieces(
            ("page data", page_data(0, 1, XTAB | 2, order=order)),
            ("second page data", page_data(3, order=order)),
        )
        + hvm_state(order)
        + Pieces(("end", record(0, b"", order)))
    )


def pv(version: int = 3, width: int = 8, order: str = "<") -> Pieces:
    """A libxc stream of a PV guest of 4 pages, as Xen writes it."""
    release = (4, 17) if version == 3 else (4, 11)
    return (
        Pieces(
            ("image header", image_header(version, order=order)),
            ("domain header", domain_header(1, release, order)),
            ("pv info", record(0x02, struct.pack(order + "BBHI", width, 4 if width == 8 else 3, 0, 0), order)),
        )
        + (static_data(order) if version == 3 else Pieces())
        + Pieces(
            ("p2m frames", record(0x03, sound.p2m_frames(3, order), order)),
            ("page data", page_data(0, 1, sound.ROOT[width] | 2, 3, order=order)),
            ("tsc info", tsc_info(order)),
            ("shared info", record(0x07, sound.shared_info(width, 3, order), order)),
            ("vcpu basic", record(0x04, sound.vcpu_basic(width, order), order)),
            ("vcpu extended", record(0x05, sound.vcpu_extended(order), order)),
            ("vcpu xsave", record(0x06, sound.vcpu_xsave(), order)),
            ("vcpu msrs", record(0x0C, sound.vcpu_msrs(order), order)),
            ("end", record(0, b"", order)),
        )
    )


def converted(guest: int = 2) -> Pieces:
    """What convert-legacy-stream makes of a legacy stream: an order of its own, and no policies."""
    if guest == 2:
        state = hvm_state()
        return Pieces(
            ("image header", image_header(3)),
            ("domain header", domain_header(2, (0, 1))),
            ("static data end", record(0x10)),
            ("page data", page_data(0, 1, 3)),
            ("tsc info", state.data("tsc info")),
            ("second page data", page_data(2)),
            ("hvm params", state.data("hvm params")),
            ("more hvm params", state.data("hvm params")),
            ("hvm context", state.data("hvm context")),
            ("end", record(0)),
        )
    whole = pv()
    return (
        Pieces(*((name, data) for name, data in whole.pieces if not name.endswith("policy")))
        .replaced("domain header", domain_header(1, (0, 1)))
        .without("vcpu msrs")
        .moved("shared info", "end")
    )


def libxl_header(options: int = 0) -> bytes:
    """The header of libxl."""
    return struct.pack(">QII", libxl.IDENT, 2, options)


def emulator_context(emulator: int = 2, index: int = 0) -> bytes:
    """A libxl EMULATOR_CONTEXT record."""
    return record(3, struct.pack("<II", emulator, index) + b"QEVM\0\0\0\3 and so on")


def in_libxl(stream: Pieces, *, emulator: bool = True, xenstore: bytes | None = None) -> Pieces:
    """The same stream in a libxl stream."""
    pieces = [("libxl header", libxl_header()), ("libxc context", record(1))]
    after = []
    if xenstore is not None:
        after.append(("xenstore data", record(2, struct.pack("<II", 2, 0) + xenstore)))
    if emulator:
        after.append(("emulator context", emulator_context()))
    return Pieces(*pieces) + stream + Pieces(*after, ("libxl end", record(0)))


def checkpointed(*, rounds: int = 2, colo: bool = False, libxl: bool = True) -> Pieces:
    """A Remus or COLO stream of an HVM guest, which has no end."""
    memory = Pieces(("page data", page_data(0, 1, 2, 3)))
    each = hvm_state() + Pieces(("checkpoint", record(0x0E)))
    if libxl:
        each += Pieces(("emulator context", emulator_context()), ("checkpoint end", record(4)))
        if colo:
            each += Pieces(("checkpoint state", record(5, struct.pack("<I", 0))))
    stream = Pieces(*hvm().pieces[: hvm().index("page data")])
    if libxl:
        stream = Pieces(("libxl header", libxl_header()), ("libxc context", record(1))) + stream
    for _ in range(rounds):
        stream += memory + each
    return stream


def in_xl(stream: Pieces, *, flags: int = 3, config: bytes = b'{"c_info": {}}\0', rest: bytes = b"") -> Pieces:
    """The same stream in an xl save file."""
    data = struct.pack("<I", len(config)) + config + rest
    header = xl.MAGIC + struct.pack("<IIII", xl.BYTEORDER, flags, 0, len(data))
    return Pieces(("xl header", header), ("optional data", data)) + stream


def in_libvirt(stream: Pieces, *, version: int = 2, unused: int = 0) -> Pieces:
    """The same stream in a libvirt save file."""
    xml = b"<domain/>\0"
    header = b"libvirt-xml\n \0 \r" + struct.pack("<12I", version, len(xml), unused, *[0] * 9)
    return Pieces(("libvirt header", header), ("domain xml", xml)) + stream


def events_of(stream: bytes, start: str = "") -> list[Event]:
    """What the decoder says of a whole stream."""
    decoder = StreamDecoder(start)
    decoder.feed(stream, 0, len(stream))
    decoder.end()
    return decoder.events


def check(stream: bytes | Pieces, start: str = "", *, inside: bool = True) -> Checker:
    """A checker that has seen the whole stream; ``inside`` as for :class:`Checker`."""
    checker = Checker(inside=inside)
    checker.take(events_of(bytes(stream), start))
    checker.finish()
    return checker


def rules_broken(stream: bytes | Pieces, start: str = "") -> list[str]:
    """The rules of the findings of a stream, in stream order."""
    return [finding.rule for finding in check(stream, start).findings]


VALID: dict[str, Callable[[], Pieces]] = {
    "HVM": hvm,
    "HVM of Xen 4.11": lambda: hvm(2),
    "PV": pv,
    "32-bit PV": lambda: pv(width=4),
    "PV of Xen 4.11": lambda: pv(2),
    "converted HVM": converted,
    "converted PV": lambda: converted(1),
    "HVM in libxl": lambda: in_libxl(hvm(), xenstore=XENSTORE),
    "PV in libxl": lambda: in_libxl(pv(), emulator=False),
    "HVM in xl": lambda: in_xl(in_libxl(hvm())),
    "HVM in libvirt": lambda: in_libvirt(in_libxl(hvm())),
}
"Streams that are right and come to their END, each without a finding of any severity."
