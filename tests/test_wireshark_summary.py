"""The table of records and iterations that tshark prints at the end, and that the Tools menu shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests import streams
from tests.corpus import sample
from tests.migrations import Migrations, segments
from tests.tshark import every_tshark
from xenmig.core.analysis.iterations import Iterations
from xenmig.core.decode.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

ITERATION = re.compile(r"^ +(\d+)  ([a-z ]+?) +(\d+) +(\d+) +(\d+) +(\d+)   (\d+)-", re.MULTILINE)


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
def test_a_capture_without_a_migration_says_so(tshark: Tshark, tmp_path: Path) -> None:
    path = Migrations().add(segments(b"GET / HTTP/1.0" * 20)).write(tmp_path / "other.pcap")
    assert "No Xen migration stream was found." in tshark.run("-q", "-r", path, "-X", "lua_script1:tap")


@every_tshark
@pytest.mark.parametrize("name", ["pvh-4.17-8M-1vcpu-mig-mtu65536.pcap", "hvm-4.17-16M-2vcpu-libvirt.pcap"])
def test_its_iterations_are_those_of_the_core(tshark: Tshark, name: str) -> None:
    path = sample(name).unpacked()
    iterations = Iterations()
    for stream, events in Reading(str(path)):
        if stream.role == "sender":
            iterations.take(events)
    said = tshark.run("-q", "-r", path, "-X", "lua_script1:tap", "-o", "tcp.reassemble_out_of_order:TRUE")
    found = [[int(number) for number in row[:1] + row[2:6]] for row in ITERATION.findall(said)]
    expected = [[one.index, one.records, one.pfns, one.pages, one.bytes] for one in iterations.found]
    assert len(expected) > 1
    assert found == expected
