"""Whole guests to break one thing of: the records that describe an HVM and a PV guest, and nothing wrong with them."""

from __future__ import annotations

import json
from struct import pack
from typing import TYPE_CHECKING, Any

from tests.bodies import entry
from xenmig.core.check.guest_state import GuestState
from xenmig.core.check.rules import RULES
from xenmig.core.decode.events import Header, Page
from xenmig.core.decode.page_contents import TABLES, WITHOUT_DATA
from xenmig.core.decode.pages import PFN_MASK, PfnArray
from xenmig.core.decode.record import PageData, Record
from xenmig.core.definitions import libxc, xl
from xenmig.core.definitions.fields import SCALARS, Field
from xenmig.core.definitions.hvm_context import ENTRIES
from xenmig.core.definitions.typecodes import Typecode
from xenmig.core.definitions.vcpu import X86PvVcpuBasic64

if TYPE_CHECKING:
    from xenmig.core.decode.events import Event
    from xenmig.core.definitions.structs import Struct

NONE = 0xFFFFFFFF
TSC_INFO = libxc.X86TscInfo.record


def put(definition: type[Struct], data: bytes, **values: int | bytes) -> bytes:
    """``data`` with fields of ``definition`` set; names with dots lead into structs, with [n] to items of arrays."""
    changed = bytearray(data)
    for path, value in values.items():
        offset, kind = place(definition, path.replace("__", "."))
        raw = value if isinstance(value, bytes) else pack("<" + SCALARS[kind][0], value)
        changed[offset : offset + len(raw)] = raw
    return bytes(changed)


def place(definition: type[Struct], path: str) -> tuple[int, str]:
    """Offset and kind of a field."""
    name, _, rest = path.partition(".")
    offset = 0
    for field in definition.fields:
        if field.name == name:
            break
        assert field.size is not None
        offset += field.size
    else:
        raise KeyError(path)
    of = field.of
    if not rest:
        return offset, of.kind if isinstance(of, Field) else field.kind
    assert isinstance(of, type)
    inner, kind = place(of, rest)
    return offset + inner, kind


def leaf(number: int, subleaf: int = NONE, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    return pack("<6I", number, subleaf, a, b, c, d)


CPUID = [
    leaf(0, NONE, 0xD, 0x68747541, 0x444D4163, 0x69746E65),
    leaf(1, NONE, 0x800F12),
    leaf(7, 0, 0),
    leaf(0xD, 0, 7, 0, 832),
    leaf(0xD, 1, 4),
    leaf(0xD, 2, 256, 576),
    leaf(0x80000000, NONE, 0x80000008),
    leaf(0x80000008, NONE, 40),
]


def xsave(xcr0: int = 7, accum: int = 7, used: int = 7, size: int = 832) -> bytes:
    area = bytearray(size)
    area[512:520] = pack("<Q", used)
    return pack("<QQ", xcr0, accum) + bytes(area)


def blank(code: int) -> bytes:
    size = ENTRIES[code].size
    assert size is not None
    return bytes(size)


def hvm_entries() -> dict[tuple[int, int], bytes]:
    """The entries of an HVM guest with two vcpus, of which one runs."""
    found = {(int(code), 0): blank(code) for code in Typecode.known if code not in (0, 15, 16, 17, 20)}
    one = ENTRIES
    found[1, 0] = put(one[1], blank(1), magic=0x54381286, version=1, cpuid=0x800F12, gtsc_khz=1000)
    found[2, 0] = put(one[2], blank(2), cr0=0x10, flags=1)
    found[3, 0] = put(one[3], blank(3), modes=0x40)
    found[3, 1] = blank(3)
    found[5, 0] = put(one[5], blank(5), apic_base_msr=0xFEE00900, timer_divisor=2)
    pit = bytearray(blank(10))
    for channel in range(3):
        pit[16 * channel + 15] = 1
    found[10, 0] = bytes(pit)
    found[14, 0] = put(one[14], blank(14), msr_pat_cr=0x0007040600070406, msr_mtrr_cap=0x508, msr_mtrr_def_type=0xC06)
    found[16, 0] = pack("<Q", 7) + xsave()
    found[20, 0] = pack("<IIIIQ", 1, 0xDEAD, 0x48, 0, 1)
    for code in (5, 6, 14, 18, 19):
        found[code, 1] = found[code, 0]
    return found


class Guest:
    """The records of a guest; tests change one of them and look at what is found."""

    def __init__(self, *, hvm: bool, release: tuple[int, int] = (4, 17)) -> None:
        self.hvm = hvm
        self.release = release
        self.config: dict[str, Any] | bytes = {
            "c_info": {"type": "hvm" if hvm else "pv", "name": "guest"},
            "b_info": {"max_vcpus": 2 if hvm else 1},
        }
        self.cpuid = list(CPUID)
        self.msr_policy = [(0xCE, 0, 1 << 31), (0x10A, 0, 0)]
        self.tsc = pack("<IIQII", 0, 1000, 5, 1, 0)
        self.entries = hvm_entries()
        self.order: list[tuple[int, int]] = []
        "Where the entries are not to be in ascending order."
        self.tail = entry(0, 0, b"")
        self.params = [(1, 0x3FC), (33, 8)]
        self.p2m = (0, 1023, [5, 6])
        self.shared = put_shared(max_pfn=1024)
        self.basic = put(
            X86PvVcpuBasic64, bytes(5176), flags=0x3D, cr3=7 << 12, cr1=8 << 12 | 1, user_regs__rdx=9, gdt_ents=16
        )
        self.extended = pack("<IIII", 0, 0, 0, 64) + bytes(56)
        self.xsave = pack("<II", 0, 0) + xsave()
        self.msrs: list[tuple[int, int]] = [(0x48, 1)]
        self.width = 8
        self.types = {} if hvm else {7: 0xC, 8: 0xC, 12: 3, 13: 2, 14: 1}
        "Page types of the pages that are no ordinary ones."
        self.batches: list[bytes] = []
        "The arrays of the PAGE_DATA; empty for one with 1024 pfns."
        self.pages = {
            7: table({0: 12}),
            8: table({}),
            9: start_info(10, 11),
            12: table({1: 13, 0: 13}),
            13: table({5: 14}),
        }
        self.pages[14] = table({0: 15, 1: 1023})
        "What is in the pages that are looked into; they come with the last batch that has them."
        self.deep = False
        "Whether they are looked into."
        self.more: list[tuple[int, bytes]] = []
        "Records that come before END."
        self.libxl: list[tuple[int, bytes]] = []
        "Records of the libxl stream that come behind."

    def context(self) -> bytes:
        """The body of HVM_CONTEXT."""
        keys = self.order or sorted(self.entries)
        return b"".join(entry(code, instance, self.entries[code, instance]) for code, instance in keys) + self.tail

    def records(self) -> list[tuple[int, bytes]]:
        """Types and bodies of the libxc records."""
        start, end, frames = self.p2m
        policy = [(0x11, b"".join(self.cpuid)), (0x12, b"".join(pack("<IIQ", *one) for one in self.msr_policy))]
        if self.hvm:
            params = pack("<II", len(self.params), 0) + b"".join(pack("<QQ", *one) for one in self.params)
            body = [(0x08, self.tsc), (0x09, self.context()), (0x0A, params)]
            return [*policy, (0x10, b""), *body, *self.more, (0, b"")]
        msrs = pack("<II", 0, 0) + b"".join(pack("<IIQ", index, 0, value) for index, value in self.msrs)
        p2m = pack("<II", start, end) + pack(f"<{len(frames)}Q", *frames)
        vcpu = [(0x04, self.basic), (0x05, self.extended), (0x06, self.xsave), (0x0C, msrs if self.msrs else b"")]
        head = [
            (0x02, pack("<BBHI", self.width, 4 if self.width == 8 else 3, 0, 0)),
            *policy,
            (0x10, b""),
            (0x03, p2m),
            (0x08, self.tsc),
        ]
        return [*head, (0x07, self.shared), *[one for one in vcpu if one[1]], *self.more, (0, b"")]

    def found(self) -> dict[str, list[str]]:
        """The rules that this guest breaks, and the messages."""
        broken: dict[str, list[str]] = {}

        def report(
            rule: str, event: Event, expected: Any = None, actual: Any = None, at: int | None = None, **words: Any
        ) -> None:
            words.setdefault("what", "it")
            broken.setdefault(rule, []).append(RULES[rule].message.format(expected=expected, actual=actual, **words))
            assert at is None or at >= event.offset

        GuestState(report, deep=self.deep).take(self.events())
        return broken

    def events(self) -> list[Event]:
        """Headers and records as a decoder gives them."""
        events: list[Event] = []
        if self.config:
            text = self.config if isinstance(self.config, bytes) else json.dumps(self.config).encode() + b"\0"
            data = xl.OptionalData.decode(pack("<I", len(text)) + text)
            events.append(Header("xl", 48, 4 + len(text), data, "<"))
        image = pack(">QIIHHI", libxc.MARKER, libxc.ID, 3, 0, 0, 0)
        events.append(Header("libxc", 100, 24, libxc.ImageHeader.decode(image), "<"))
        domain = pack("<IHHII", 2 if self.hvm else 1, 12, 0, *self.release)
        events.append(Header("libxc", 124, 16, libxc.DomainHeader.decode(domain), "<"))
        offset = 140
        for index, (kind, body) in enumerate(self.records()):
            if kind == TSC_INFO:
                usual = pack("<1024Q", *(pfn | self.types.get(pfn, 0) << 60 for pfn in range(1024)))
                for words in self.batches or [usual]:
                    pfns = PfnArray(words, "<")
                    length = 8 + len(words) + 4096 * pfns.with_data
                    if self.deep:
                        events += self.looked_into(index, offset, pfns)
                    events.append(PageData(index, offset, length, b"", "<", pfns.count, 0, pfns))
                    offset += 8 + length
            events.append(Record(index, "libxc", kind, offset, len(body), body, bytes(-len(body) % 8), "<"))
            offset += 8 + len(body)
        for kind, body in self.libxl:
            events.append(Record(len(events), "libxl", kind, offset, len(body), body, bytes(-len(body) % 8), "<"))
            offset += 8 + len(body)
        return events

    def looked_into(self, index: int, offset: int, pfns: PfnArray) -> list[Event]:
        """The events of the pages of a batch that are worth a look."""
        pages: list[Event] = []
        at = offset + 16 + 8 * pfns.count
        for number in pfns.numbers():
            pfn, kind = number & PFN_MASK, libxc.PageType(number >> 60)
            data = self.pages.get(pfn, bytes(4096))
            if kind in TABLES or data.startswith(b"xen-"):
                pages.append(Page(at, index, pfn, kind, data))
            at += 4096 * (kind not in WITHOUT_DATA)
        return pages


def table(links: dict[int, int], flags: int = 0x67) -> bytes:
    """A page table: pfns by index."""
    return b"".join(pack("<Q", links[index] << 12 | flags if index in links else 0) for index in range(512))


def start_info(store: int, console: int, magic: bytes = b"xen-3.0-x86_64") -> bytes:
    """The start_info page of a 64-bit guest."""
    return magic.ljust(56, b"\0") + pack("<QQQ", store, 0, console) + bytes(4016)


def put_shared(**values: int) -> bytes:
    from xenmig.core.definitions.shared_info import SharedInfo64

    return put(SharedInfo64, bytes(4096), **values)
