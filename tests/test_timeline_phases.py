"""Phases from SYN to FIN: in order, without gaps in the bytes, with the times and wire bytes that tshark counts."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.captures import START, Talk, ethernet, pcap
from tests.command import SEGMENT, STEP, conversation, xenmig
from tests.corpus import Sample, corpus, requires_corpus, sample
from tests.streams import BANNER, PAGE_DATA, PERMISSION, checkpointed, guest
from tests.timelines import facts, migration, migrations
from xenmig.core.analysis.spans import spans

if TYPE_CHECKING:
    from pathlib import Path

    from xenmig.core.analysis.migration import Migration

BUILT = guest(iterations=(100, 60, 20), per_batch=1024)
STREAM = BUILT.data
KINDS = [
    "connection", "preamble", "preamble", "static data", "precopy", "precopy", "suspend", "stop-and-copy",
    "guest state", "device model state", "end", "hand-over", "hand-over", "hand-over", "close",
]  # fmt: skip
"Of a whole migration by xl."

requires_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def tshark(path: Path, *arguments: str) -> str:
    """What tshark prints, without its own reassembly and dissectors of payload, which cost most of its time."""
    quick = ("-o", "tcp.desegment_tcp_streams:FALSE", "--disable-protocol", "thrift", "--disable-protocol", "rpc")
    command = ["tshark", "-n", "-r", str(path), *quick, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


# -- built ------------------------------------------------------------------------------------------------------------


def test_a_whole_migration_has_every_phase_in_order(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", conversation(STREAM))["spans"]
    assert [one["kind"] for one in found] == KINDS
    assert [one["iteration"] for one in found if one["iteration"] is not None] == [0, 1, 2]


def test_phases_are_made_of_all_bytes_of_the_stream(tmp_path: Path) -> None:
    sent = [one for one in facts(tmp_path / "input", conversation(STREAM))["spans"] if one["name"] != "banner"]
    names = {"receiver gets ready", "receiver unpauses and reports"}
    assert sum(one["bytes"] for one in sent if one["name"] not in names) == len(STREAM) + len(PERMISSION)


def test_a_phase_lasts_from_its_first_byte_to_its_last(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", conversation(STREAM))["spans"]
    for one in found:
        assert one["duration"] == pytest.approx(one["last"] - one["first"], abs=1e-6)
        assert one["throughput"] is None or one["throughput"] == pytest.approx(one["bytes"] / one["duration"])
    # Frames: three for the handshake, the banner, then the stream.
    connection, banner = found[:2]
    assert connection["first"] == pytest.approx(START / 1e9)
    assert connection["duration"] == pytest.approx(3 * STEP / 1e9)
    assert (banner["bytes"], banner["first_frame"]) == (len(BANNER), 4)
    live = next(one for one in found if one["iteration"] == 1)
    begin, end = (
        5 + at // SEGMENT for at in (BUILT.at(PAGE_DATA, number=1).offset, BUILT.at(PAGE_DATA, number=1).end - 1)
    )
    assert (live["first_frame"], live["last_frame"]) == (begin, end)


def test_waits_of_the_hand_over_end_with_the_message_that_is_waited_for(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", conversation(STREAM))["spans"]
    ready, permission, report = (one for one in found if one["kind"] == "hand-over")
    end = next(one for one in found if one["kind"] == "end")
    assert ready["first"] == end["last"]
    assert permission["first"] == ready["last"]
    assert (permission["duration"], report["duration"]) == (pytest.approx(STEP / 1e9), pytest.approx(2 * STEP / 1e9))


def test_what_is_shared_by_two_phases_is_on_the_wire_once(tmp_path: Path) -> None:
    one = migration(tmp_path / "input", conversation(STREAM))
    assert_wire_adds_up(one)


def assert_wire_adds_up(found: Migration) -> None:
    direction = found.stream.direction
    assert direction is not None
    last = max(
        packet.wire_bytes for span in spans(found) if span.wire_bytes is not None for packet in [span.last] if packet
    )
    wired = sum(span.wire_bytes or 0 for span in spans(found))
    assert wired == last <= direction.wire_bytes
    # What is left are the acknowledgments of the hand-over and the FIN.
    assert direction.wire_bytes - last < 2000


def test_a_file_has_bytes_and_no_times(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", STREAM)["spans"]
    assert [one["kind"] for one in found] == [kind for kind in KINDS[2:11] if kind != "suspend"]
    assert sum(one["bytes"] for one in found) == len(STREAM)
    for one in found:
        assert {one[key] for key in ("first", "last", "start", "end", "duration", "throughput", "wire_bytes")} == {None}


@pytest.mark.parametrize("end", ["file", "capture"])
def test_of_a_migration_that_broke_off_there_is_what_came_before(end: str, tmp_path: Path) -> None:
    cut = STREAM[: BUILT.at(PAGE_DATA, number=1).offset + 5000]
    data = cut if end == "file" else conversation(cut, said=["banner"])
    found = facts(tmp_path / "input", data)["spans"]
    middle = ["preamble", "static data", "precopy", "precopy"]
    assert [one["kind"] for one in found] == (middle if end == "file" else ["connection", "preamble", *middle, "close"])


def test_a_capture_joined_in_the_middle_has_the_rest(tmp_path: Path) -> None:
    talk = Talk(ports=(40000, 8002))
    start = BUILT.at(PAGE_DATA, number=1).offset - 100
    for at in range(start, len(STREAM), SEGMENT):
        talk.send(talk.client, STREAM[at : at + SEGMENT])
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.packets]))["spans"]
    assert [one["kind"] for one in found] == [
        "precopy", "suspend", "stop-and-copy", "guest state", "device model state", "end",
    ]  # fmt: skip


def test_checkpoints_are_phases_of_their_own(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", checkpointed(3).data)["spans"]
    assert [one["epoch"] for one in found if one["kind"] == "checkpoint"] == [1, 2]
    assert sum(one["bytes"] for one in found) == len(checkpointed(3).data)


def test_a_long_list_of_checkpoints_is_shown_by_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(checkpointed(150).data)
    lines = xenmig("timeline", path).out.splitlines()
    assert len(lines) < 90
    (left_out,) = (int(match[1]) for match in (re.search(r"\.\.\. (\d+) more \.\.\.", line) for line in lines) if match)
    shown = [line for line in lines if re.match(r"^ +checkpoint \d+ ", line)]
    assert len(shown) + left_out == 149
    assert "checkpoint 149" in shown[-1]


# -- real captures ----------------------------------------------------------------------------------------------------


@requires_corpus
@requires_tshark
@pytest.mark.parametrize(
    "name", ["hvm-4.17-32M-mig-mtu65536", "pvh-4.17-8M-1vcpu-mig-mtu65536", "hvm-4.17-16M-2vcpu-libvirt"]
)
def test_bytes_and_times_of_a_real_capture_are_those_of_tshark(name: str) -> None:
    path = sample(f"{name}.pcap").unpacked()
    for found in migrations(path):
        assert_wire_adds_up(found)
        direction = found.stream.direction
        assert direction is not None
        sender, receiver = direction.source.port, direction.destination.port
        columns = f"io,stat,0,tcp.srcport=={sender},tcp.srcport=={receiver}"
        said = tshark(path, "-q", "-z", columns, "-z", f"conv,tcp,tcp.port=={sender}")
        _, forth, _, back = map(int, re.findall(r"\d+", said.split("<>")[1].partition("|")[2])[:4])
        assert (direction.wire_bytes, direction.peer.wire_bytes) == (forth, back)
        listed = spans(found)
        # Of the whole conversation, which begins with the SYN.
        start, duration = re.findall(r"<-> .* ([\d.]+) +([\d.]+)$", said, re.MULTILINE)[0]
        assert listed[0].start is not None
        assert listed[-1].end is not None
        assert (listed[-1].end - listed[0].start) / 1e9 <= float(duration) + 0.001
        assert float(start) == 0 or "libvirt" in name
        rows = tshark(
            path, "-Y", f"tcp.srcport == {sender} && tcp.dstport == {receiver}",
            "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch", "-e", "frame.len",
        ).split("\n")  # fmt: skip
        times, wire, total = {}, {}, 0
        for row in rows:
            if row:
                frame, time, length = row.split("\t")
                total += int(length)
                times[int(frame)] = float(time)
                wire[int(frame)] = total
        assert total == forth
        before = 0
        for span in listed:
            if span.wire_bytes is None:
                continue
            assert span.first is not None
            assert span.last is not None
            assert span.wire_bytes == max(wire[span.last.frame], before) - before
            before = max(wire[span.last.frame], before)
            assert span.last.time / 1e9 == pytest.approx(times[span.last.frame], abs=1e-6)
            if span.message is None:
                assert span.first.time / 1e9 == pytest.approx(times[span.first.frame], abs=1e-6)


@requires_corpus
@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is not installed")
@pytest.mark.parametrize("one", corpus("capture"), ids=repr)
def test_a_real_migration_lies_within_what_capinfos_says_of_the_file(one: Sample) -> None:
    said = subprocess.run(
        ["capinfos", "-T", "-M", "-r", "-S", "-a", "-e", "-c", str(one.unpacked())],
        capture_output=True,
        check=True,
        text=True,
    )
    _, frames, first, last = said.stdout.strip().split("\t")
    (found,) = (migration for migration in migrations(one.unpacked()))
    listed = [span for span in spans(found) if span.start is not None and span.end is not None]
    begin, end = min(span.start or 0 for span in listed), max(span.end or 0 for span in listed)
    assert float(first) - 1e-6 <= begin / 1e9 <= end / 1e9 <= float(last) + 1e-6
    assert max(span.last.frame for span in listed if span.last is not None) <= int(frames)
    if "libvirt" not in one.name:
        # Nothing but the migration was captured: SYN and last FIN are the first and last frame.
        assert begin / 1e9 == pytest.approx(float(first), abs=1e-6)
        assert end / 1e9 == pytest.approx(float(last), abs=1)


@requires_corpus
@pytest.mark.parametrize("one", corpus(), ids=repr)
def test_phases_of_a_real_stream_have_all_its_bytes(one: Sample) -> None:
    for found in migrations(one.unpacked()):
        own = [span for span in spans(found) if span.message is None or span.message.name == "permission"]
        cut = found.truncated.available if found.truncated is not None and found.truncated.partial is None else 0
        assert sum(span.bytes for span in own) + cut == found.bytes
        if found.captured:
            assert_wire_adds_up(found)
