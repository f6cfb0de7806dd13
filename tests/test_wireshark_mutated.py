"""Whatever a capture was turned into, the dissector says what it can and never fails.

``editcap -E`` changes bytes anywhere: in the headers of Ethernet, IP and TCP, and in the streams.
"""

from __future__ import annotations

import os
import re
import subprocess
from shutil import which
from struct import pack
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.guests import Guest
from tests.migrations import Migrations, cut_at, segments
from tests.test_wireshark_inside import every_control_bit, stream_of
from tests.tshark import ROOT, every_tshark
from tests.valid_streams import hvm, page_data, record
from xenmig.core.definitions import libxc
from xenmig.core.definitions.hvm_params import Index
from xenmig.core.definitions.libxc import PageType

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

HEADERS = 54
"Bytes of Ethernet, IP and TCP in front of the stream."
ROUNDS = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 1
"Each changes more than thirty migrations."
WAYS = (("-2",), ("-o", "tcp.reassemble_out_of_order:TRUE"), ("-o", "tcp.no_subdissector_on_error:FALSE"))


def whole() -> Migrations:
    """Every kind of stream, in small segments; the conversation of xl migrate, too."""
    capture = Migrations()
    for number, (name, built) in enumerate(streams.VARIETIES.items()):
        size = (700, 1448, 90)[number % 3]
        capture.add(segments(built.data, size), streams.answers(number % 4).data if "xl" in name else b"")
    return capture.add(segments(streams.checkpointed(colo=True).data), streams.back_channel().data)


def mutated(path: Path, seed: int, chance: float, skipped: int) -> Path:
    """A changed copy of a capture."""
    copy = path.with_name("mutated.pcap")
    change = ("-E", str(chance), "-o", str(skipped), "--seed", str(seed))
    subprocess.run(["editcap", "-F", "pcap", *change, path, copy], check=True, capture_output=True)
    return copy


def look_at(tshark: Tshark, path: Path, seed: int) -> None:
    """Show everything there is; a crash or a Lua error fails the test."""
    for number, skipped in enumerate((0, HEADERS)):
        copy = mutated(path, seed, (0.001, 0.02)[(seed + number) % 2], skipped)
        way = WAYS[(seed + number) % len(WAYS)]
        everything = ("-o", "xenmig.pfns:TRUE", "-o", "xenmig.deep:TRUE")
        shown = tshark.run("-r", copy, "-V", *everything, "-Y", "xenmig", *way)
        assert "Xen migration:" in shown
        assert "Migration 1, " in tshark.run("-q", "-r", copy, "-X", "lua_script1:tap", *way)


needs_editcap = pytest.mark.skipif(which("editcap") is None, reason="editcap, a part of Wireshark, is not installed")


@pytest.mark.fuzz
@every_tshark
@needs_editcap
def test_captures_with_changed_bytes_make_no_tshark_fail(tshark: Tshark, tmp_path: Path) -> None:
    path = whole().write(tmp_path / "whole.pcap")
    for seed in range(ROUNDS):
        look_at(tshark, path, seed + tshark.version[1])


@every_tshark
def test_every_field_whose_value_is_computed_is_shown(tshark: Tshark, tmp_path: Path) -> None:
    # A value of the wrong type ends Wireshark 4.6 on the spot, so each has to be seen once.
    source = (ROOT / "wireshark" / "runtime" / "fields.lua").read_text()
    plain = set(re.findall(r'^    plain\("([\w.]+)"', source, re.MULTILINE))
    of_pages = set(re.findall(r'^ +plain\(page \.\. "([\w.]+\w)"', source, re.MULTILINE))
    types = {f"types.{kind.name.lower()}" for kind in PageType.known.values()}
    wanted = plain | {f"libxc.page_data.{name}" for name in of_pages | types}
    wanted |= {f"libxc.page_data.pfns.{name}" for name in ("pfn", "reserved", "type")}
    assert len(wanted) > 30
    bare = [kind for kind, known in PageType.known.items() if not known.facts["data"]]
    every_type = page_data(*(kind << 60 | pfn for pfn, kind in enumerate(PageType.known)), without_data=tuple(bare))
    capture = whole().add(segments(bytes(hvm().replaced("page data", every_type)), 700))
    # A feature of the processor, and a parameter that says at the END that entries are missing from HVM_CONTEXT.
    policy = record(libxc.X86CpuidPolicy.record, pack("<6I", 1, 0xFFFFFFFF, 0, 0, 0, 1))
    viridian = record(libxc.HvmParams.record, pack("<IIQQ", 1, 0, Index.VIRIDIAN, 1))
    capture.add(segments(bytes(hvm().replaced("cpuid policy", policy).replaced("hvm params", viridian))))
    guest = Guest(hvm=True)
    every_control_bit(guest)
    capture.add(segments(stream_of(guest)))
    for piece, at, size in (("page data", 1000, 300), ("second page data", 1, 4096 + 30)):
        begin = hvm().offset(piece) + at
        first, _, last = cut_at(bytes(hvm()), begin, begin + size)
        capture.add([first, last])
    path = capture.write(tmp_path / "everything.pcap")
    shown = tshark.run("-r", path, "-T", "pdml", "-2", "-Y", "xenmig", "-o", "xenmig.pfns:TRUE")
    found = set(re.findall(r'name="xenmig\.([\w.]+)"', shown))
    assert wanted <= found, sorted(wanted - found)
