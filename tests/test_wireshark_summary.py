"""The table of records and iterations that tshark prints at the end, and that the Tools menu shows."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.command import xenmig
from tests.corpus import sample
from tests.migrations import Migrations, cut_at, segments
from tests.tshark import every_tshark
from tests.valid_streams import checkpointed, hvm, in_libvirt, in_libxl, in_xl, pv
from xenmig.core.analysis.timeline import Timeline
from xenmig.core.decode.reading import Reading
from xenmig.wireshark.rule_facts import END_RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

ITERATION = re.compile(r"^ +(\d+) ([a-z-]+) +(\d+) +(\d+) +(\d+) +(\d+)  (\d+)-(\d+)$", re.MULTILINE)
SAMPLES = (
    "pvh-4.17-8M-1vcpu-mig-mtu65536.pcap",
    "pvh-4.20-8M-1vcpu-mig-failed-guest-died.pcap",
    "hvm-4.17-16M-2vcpu-libvirt.pcap",
    "hvm-4.17-32M-remus-mtu65536.pcap",
)


@every_tshark
@pytest.mark.parametrize("way", [("-X", "lua_script1:tap"), ("-o", "xenmig.summary:TRUE")])
def test_the_summary_lists_records_and_iterations(tshark: Tshark, way: tuple[str, str], tmp_path: Path) -> None:
    data = streams.guest(permission=True).data
    path = Migrations().add(segments(data), streams.answers(3).data).write(tmp_path / "migration.pcap")
    said = tshark.run("-q", "-r", path, *way)
    assert "Migration 1, tcp.stream 0, sender" in said
    assert "Migration 1, tcp.stream 0, receiver" in said
    assert said.count(" PAGE_DATA ") == 3
    assert "X86_TSC_INFO" in said
    assert "status in frame" in said


@every_tshark
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("web-1", "web-1"),
        ("web 1", "web 1"),
        ("\x1b[31mred\n", "'\\x1b[31mred\\n'"),
        ("L\u00e4rm", "'L\\xc3\\xa4rm'"),
        ("x" * 500, "x" * 80),
    ],
)
def test_the_guest_is_named(tshark: Tshark, name: str, shown: str, tmp_path: Path) -> None:
    config = {"c_info": {"type": "hvm", "name": name, "uuid": "4c24318d"}, "b_info": {"max_vcpus": (1 << 64) - 1}}
    data = bytes(in_xl(in_libxl(hvm()), config=json.dumps(config, ensure_ascii=False).encode() + b"\0"))
    path = Migrations().add(segments(data)).write(tmp_path / "named.pcap")
    ((found,),) = tshark.fields(path, ["xenmig.guest"], "-Y", "xenmig.guest")
    # Some releases write a backslash twice here.
    assert found.replace("\\\\", "\\") == shown
    said = tshark.run("-q", "-r", path, "-X", "lua_script1:tap")
    assert re.search(
        rf"^  guest: HVM {re.escape(shown)}, \d+ vcpus, from Xen 4\.17\n  uuid: 4c24318d$", said, re.MULTILINE
    )


@every_tshark
def test_a_guest_of_which_nothing_is_known_is_not_named(tshark: Tshark, tmp_path: Path) -> None:
    path = Migrations().add(segments(bytes(in_xl(in_libxl(hvm()), config=b"{}\0"))[:60])).write(tmp_path / "none.pcap")
    assert "guest:" not in tshark.run("-q", "-r", path, "-X", "lua_script1:tap")


@every_tshark
def test_a_capture_without_a_migration_says_so(tshark: Tshark, tmp_path: Path) -> None:
    path = Migrations().add(segments(b"GET / HTTP/1.0" * 20)).write(tmp_path / "other.pcap")
    assert "No Xen migration stream was found." in tshark.run("-q", "-r", path, "-X", "lua_script1:tap")


@every_tshark
@pytest.mark.parametrize("name", SAMPLES)
def test_its_iterations_are_those_of_the_core(tshark: Tshark, name: str) -> None:
    path = sample(name).unpacked()
    timeline = Timeline()
    for stream, events in Reading(str(path)):
        timeline.take(stream, events)
    timeline.finish()
    (migration,) = timeline.migrations
    said = tshark.run("-q", "-r", path, "-X", "lua_script1:tap", "-o", "tcp.reassemble_out_of_order:TRUE")
    expected = [
        (one.index, one.kind, one.records, one.pfns, one.pages, one.bytes, one.first.frame, one.last.frame)
        for one in migration.iterations.found
        if one.first and one.last
    ]
    assert len(expected) > 1
    assert ITERATION.findall(said) == [tuple(str(one) for one in row) for row in expected]


@every_tshark
def test_how_a_stream_ended_is_told_in_the_words_of_verify(tshark: Tshark, tmp_path: Path) -> None:
    capture = Migrations()
    for stream in (in_xl(in_libxl(hvm())), in_libvirt(in_libxl(hvm())), pv(), checkpointed()):
        data = bytes(stream)
        pieces = [stream.offset(name) for name, _ in stream.pieces[1:]]
        for place in {*pieces, *(piece + 5 for piece in pieces), *(piece + 21 for piece in pieces), len(data)}:
            capture.add(segments(data[:place]))
    lost = bytes(hvm())
    begin = hvm().offset("hvm params")
    first, _, last = cut_at(lost, begin, begin + 12)
    path = capture.add([first, last]).write(tmp_path / "cut.pcap")
    said = tshark.run("-q", "-r", path, "-X", "lua_script1:tap")
    found = re.findall(r"^  (\w+): ([\w-]+): (.*)$", said, re.MULTILINE)
    expected = [
        (one["severity"], one["rule"], one["message"])
        for stream in xenmig("verify", "--json", path).json["streams"]
        for one in stream["findings"]
        if one["rule"] in END_RULES
    ]
    assert {rule for _, rule, _ in expected} == {"stream-truncated", "checkpointed-stream-ended", "capture-ended"}
    assert found == expected


@every_tshark
def test_the_second_of_two_passes_knows_which_pass_was_the_last(tshark: Tshark, tmp_path: Path) -> None:
    data = streams.guest(iterations=(1030, 30, 20), per_batch=1024).data
    path = Migrations().add(segments(data, 4000)).write(tmp_path / "live.pcap")
    wanted = ["xenmig.iteration", "xenmig.phase"]
    memory = ("-Y", "xenmig.libxc.page_data.page && !xenmig.libxc.record.type")
    known = {tuple(row) for row in tshark.fields(path, wanted, *memory, "-2")}
    assert known == {("0", "precopy"), ("1", "precopy"), ("2", "stop-and-copy")}
    # Nobody can know while the pass goes on.
    assert {tuple(row) for row in tshark.fields(path, wanted, *memory)} == {(number, "memory") for number in "012"}
