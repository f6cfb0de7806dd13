"""``xenmig timeline --follow`` as a log: what has come is told while the rest is still being written."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.command import COMMAND, STEP, Result, conversation, xenmig
from tests.corpus import CORPUS, Sample, corpus, pcaps, requires_corpus, sample
from tests.following import Following
from tests.streams import PAGE_DATA, StreamBuilder, checkpointed, guest

if TYPE_CHECKING:
    from pathlib import Path

BUILT = guest(iterations=(1500, 60, 20), per_batch=1024)
STREAM = BUILT.data
CAPTURE = conversation(STREAM)
SAMPLES = corpus() or pcaps()


def lines_of(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def up_to(place: int) -> int:
    """Where in CAPTURE the frame ends that holds this offset of the stream."""
    at, seen = 24, 0
    while at < len(CAPTURE):
        (length,) = struct.unpack_from("<I", CAPTURE, at + 8)
        at += 16 + length
        # The sender's segments are the long ones.
        seen += length - 66 if length > 1000 else 0
        if seen > place:
            return int(at)
    raise AssertionError("the stream is shorter than that")


def test_a_migration_is_told_while_it_runs() -> None:
    with Following() as following:
        following.says("following standard input: waiting for a migration\n")
        following.write(CAPTURE[:24])
        following.says("following standard input: waiting for a migration\n")
        inside = up_to(BUILT.at(PAGE_DATA).offset + 100_000)
        following.write(CAPTURE[24:inside])
        following.says("banner: the receiver waits for the guest\n")
        out = following.says("iteration 0 begins")
        assert "iteration 0 ended" not in out
        after = up_to(BUILT.at(PAGE_DATA, number=2).offset + 100)
        following.write(CAPTURE[inside:after])
        out = following.says("iteration 0 ended: 1,500 pfns, 1,500 pages, 6.2 MB")
        assert "iteration 0 begins" in out
        assert "over:" not in out
        following.write(CAPTURE[after:])
        following.says("status 0 (SUCCESS): the guest runs on the destination\n")
        # The connection is closed, and nobody has ended the input.
        out = following.says("over: completed; owner: destination; downtime ")
        assert "outcome" not in out
        assert following.end() == 0
        assert "ended: the input ended\n\nstandard input: migration 1, " in following.out
        assert following.err == ""


def test_seconds_are_those_of_the_packets() -> None:
    data = bytearray(CAPTURE)
    at, number = 24, 0
    while at < len(data):
        struct.pack_into("<II", data, at, 1_700_000_000 + number // 20, 50_000 * (number % 20))
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        number += 1
    result = xenmig("timeline", "--follow", "--json", "-", input=bytes(data))
    ticks = [line for line in lines_of(result.out) if line["event"] == "tick"]
    assert [tick["time"] for tick in ticks] == list(range(1_700_000_001, 1_700_000_001 + len(ticks)))
    assert len(ticks) == (number - 1) // 20
    positions = [tick["bytes"] for tick in ticks]
    assert positions == sorted(positions)
    assert {tick["stage"] for tick in ticks} >= {"memory"}


def test_a_record_that_is_passing_by_shows_how_far_it_is() -> None:
    place = BUILT.at(PAGE_DATA).offset
    frames = [CAPTURE[: up_to(place + 1_000_000)]]
    late = bytearray(CAPTURE[len(frames[0]) :])
    struct.pack_into("<I", late, 0, struct.unpack_from("<I", late, 0)[0] + 2)
    with Following("--json") as following:
        following.write(frames[0] + bytes(late[: 16 + struct.unpack_from("<I", late, 8)[0]]))
        (tick,) = [json.loads(line) for line in following.says('"tick"').splitlines() if '"tick"' in line]
    assert tick["record"]["name"] == "PAGE_DATA"
    assert 1_000_000 < tick["record"]["done"] < 1_100_000
    assert tick["record"]["length"] == BUILT.at(PAGE_DATA).end - place
    assert tick["iteration"] == 0
    assert tick["pfns"] == 1024
    assert tick["pages"] == (tick["record"]["done"] - 16 - 8 * 1024) // 4096
    assert tick["left"] == {
        "least_pages": 0, "most_pages": None, "pfns": 0xFF000 - 1024, "bytes": None, "seconds": None,
        "basis": "the least that an HVM guest has", "estimated": False,
    }  # fmt: skip


def piped(path: Path, *arguments: str) -> Result:
    """``timeline`` of a file as fast as a pipe gives it."""
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        done = subprocess.run(
            [*COMMAND, "timeline", *arguments, "-"], stdin=cat.stdout, capture_output=True, check=False, timeout=120
        )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("found", SAMPLES, ids=repr)
def test_it_ends_with_what_timeline_says(found: Sample) -> None:
    path = found.unpacked()
    plain = piped(path)
    followed = piped(path, "--follow")
    assert (followed.code, followed.err) == (plain.code, plain.err)
    assert followed.out.endswith("ended: the input ended\n\n" + plain.out)


@pytest.mark.parametrize("found", [one for one in pcaps("capture") if "-8M-" in one.name], ids=repr)
def test_its_last_object_is_what_timeline_says(found: Sample) -> None:
    path = found.unpacked()
    last = piped(path, "--follow", "--json").lines[-1]
    assert (last.pop("event"), last.pop("ended_by")) == ("timeline", "the input ended")
    assert last == piped(path, "--json").json


@requires_corpus
def test_the_iterations_are_those_of_the_senders_own_progress_lines() -> None:
    found = sample("hvm-4.17-32M-mig-vvv-progress.pcap")
    log = (CORPUS / "logs" / "hvm-4.17-32M-mig-vvv-progress.send.log").read_text(errors="replace")
    # The pass while the guest is paused goes by the number of the one before it.
    expected = [int(of) for done, of in re.findall(r"Frames iteration \d+: (\d+)/(\d+)", log) if done == of]
    result = xenmig("timeline", "--follow", "--json", "-", input=found.unpacked().read_bytes())
    events = lines_of(result.out)
    ended = [(event["iteration"], event["pfns"]) for event in events if event["event"] == "iteration-ended"]
    assert ended == list(enumerate(expected))
    assert len(expected) == 6
    begun = [event["iteration"] for event in events if event["event"] == "iteration-begun"]
    assert begun == [index for index, _ in ended]


@pytest.mark.parametrize("name", ["hvm-4.17-32M-mig-mtu1500.pcap", "pvh-4.20-8M-1vcpu-mig-failed-guest-died.pcap"])
@requires_corpus
def test_a_replay_at_full_speed_says_what_was_said_live(name: str) -> None:
    data = sample(name).unpacked().read_bytes()
    at_once = xenmig("timeline", "--follow", "--json", "-", input=data).lines
    with Following("--json") as following:
        for at in range(0, len(data), 20_011):
            following.write(data[at : at + 20_011])
        following.end()
        piecemeal = lines_of(following.out)
    told = [line for line in piecemeal if line["event"] != "quiet"]
    assert told == [line for line in at_once if line["event"] != "quiet"]


def test_pages_that_come_again_are_told_apart_while_their_record_passes_by() -> None:
    stream = guest(iterations=(600, 500), per_batch=1024)
    place = stream.at(PAGE_DATA, number=1).offset
    # Of the second pass, 100 pages are at pfns that the first one did not have.
    words = struct.pack("<500Q", *range(100, 500), *range(900, 1000))
    data = stream.replaced(place + 16, words)
    capture = bytearray(conversation(data))
    cut = 24
    while sum(len(frame) - 66 for frame in frames_of(bytes(capture[:cut]))[4:]) < place + 1_900_000:
        cut += 16 + struct.unpack_from("<I", capture, cut + 8)[0]
    while cut < len(capture):
        struct.pack_into("<I", capture, cut, struct.unpack_from("<I", capture, cut)[0] + 2)
        cut += 16 + struct.unpack_from("<I", capture, cut + 8)[0]
    result = xenmig("timeline", "--follow", "--json", "-", input=bytes(capture))
    tick = next(line for line in result.lines if line["event"] == "tick")
    assert (tick["iteration"], tick["pfns"]) == (1, 500)
    assert 440 < tick["pages"] < 480
    assert tick["again"] == 400
    assert tick["all_pages"] == 600 + tick["pages"]
    assert tick["all_again"] == 400
    assert (tick["left"]["least_pages"], tick["left"]["most_pages"]) == (500 - tick["pages"], 500 - tick["pages"])
    ended = [line for line in result.lines if line["event"] == "iteration-ended"]
    assert [(line["first_sent"], line["again"]) for line in ended] == [(600, 0), (100, 400)]


def test_a_stream_file_has_the_times_of_its_arrival() -> None:
    with Following("--json") as following:
        half = BUILT.at(PAGE_DATA).offset + 500_000
        following.write(STREAM[:half])
        following.says('"iteration-begun"')
        out = following.says('"tick"')
        begins = next(line for line in lines_of(out) if line["event"] == "migration")
        assert begins["times"] == "arrival"
        following.write(STREAM[half:])
        assert following.end() == 0
        last = lines_of(following.out)[-1]
    assert last["event"] == "timeline"
    (migration,) = last["migrations"]
    assert migration["began"] is None
    assert migration["downtime"] is None


def test_ctrl_c_prints_what_is_known_and_ends_with_130() -> None:
    with Following() as following:
        following.write(CAPTURE[: up_to(BUILT.at(PAGE_DATA, number=2).offset + 100)])
        following.says("iteration 0 ended")
        following.interrupt()
        assert following.ended() == 130
        assert "ended: interrupted\n\nstandard input: migration 1" in following.out
        assert re.search(r"outcome +cut off: the capture ends inside record", following.out)


@pytest.mark.parametrize("place", [100_000, 5_000_000])
def test_a_record_that_is_cut_off_is_told_once(place: int) -> None:
    result = xenmig("timeline", "--follow", "--json", "-", input=STREAM[: BUILT.at(PAGE_DATA).offset + place])
    (migration,) = result.lines[-1]["migrations"]
    begun = [line["iteration"] for line in result.lines if line["event"] == "iteration-begun"]
    assert begun == [iteration["index"] for iteration in migration["iterations"]] == [0]


def test_ctrl_c_before_there_is_anything_ends_with_130_too() -> None:
    for data in b"", CAPTURE[:24], CAPTURE[:500]:
        with Following() as following:
            following.says("following")
            following.write(data)
            following.interrupt()
            assert following.ended() == 130
            assert following.err.startswith("xenmig: standard input: ")
            assert "Traceback" not in following.err


def test_sigterm_does_the_same_and_is_told_apart() -> None:
    with Following("--json") as following:
        following.write(CAPTURE[: up_to(BUILT.at(PAGE_DATA, number=2).offset + 100)])
        following.says('"iteration-ended"')
        following.interrupt(signal.SIGTERM)
        assert following.ended() == 143
        assert lines_of(following.out)[-1]["ended_by"] == "terminated"


def test_a_capture_file_is_followed_until_its_migration_is_over(tmp_path: Path) -> None:
    path = tmp_path / "growing.pcap"
    half = up_to(BUILT.at(PAGE_DATA, number=1).offset + 100)
    path.write_bytes(CAPTURE[:half])
    with Following(path=str(path)) as following:
        following.says("iteration 0 begins")
        with path.open("ab") as file:
            file.write(CAPTURE[half:])
        assert following.ended() == 0
        out = following.out
    assert "ended: the migration is over, and the file has not grown for 2.000 s\n" in out
    assert out.endswith(xenmig("timeline", path).out)


def test_a_stream_file_is_followed_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "growing.xlsave"
    half = BUILT.at(PAGE_DATA, number=1).offset + 10_000
    path.write_bytes(STREAM[:half])
    with Following(path=str(path)) as following:
        following.says("times are those of arrival here")
        following.says("of 1,500 pfns")
        with path.open("ab") as file:
            file.write(STREAM[half:])
        assert following.ended() == 0
        assert following.out.endswith(xenmig("timeline", path).out)


def test_a_fifo_is_waited_at_before_and_after_somebody_writes(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with Following(path=str(path)) as following:
        following.says("waiting for a migration")
        time.sleep(0.3)
        with path.open("wb") as file:
            file.write(CAPTURE)
        assert following.ended() == 0
        assert "over: completed" in following.out
    with Following(path=str(path)) as following:
        following.says("waiting for a migration")
        following.interrupt()
        assert following.ended() == 130


def test_a_packet_out_of_all_time_does_not_end_the_seconds() -> None:
    data = bytearray(CAPTURE)
    at, number = 24, 0
    while at < len(data):
        seconds = 1_700_000_000 + number // 20 if number != 10 else 4_000_000_000
        struct.pack_into("<II", data, at, seconds, 50_000 * (number % 20))
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        number += 1
    ticks = [line["time"] for line in xenmig("timeline", "--follow", "--json", "-", input=bytes(data)).lines
             if line["event"] == "tick"]  # fmt: skip
    assert len([time for time in ticks if time < 2_000_000_000]) >= 3


def test_a_compressed_file_ends_where_it_ends() -> None:
    (found,) = [one for one in pcaps("capture") if "4.17-8M" in one.name]
    result = xenmig("timeline", "--follow", found.path)
    assert result.code == 0
    assert result.out.endswith("ended: the input ended\n\n" + xenmig("timeline", found.path).out)


def test_other_traffic_is_passed_over_and_migrations_side_by_side_are_told_apart() -> None:
    first, second = (
        conversation(STREAM, port=40000),
        conversation(guest(iterations=(300, 20), per_batch=1024).data, port=40001),
    )
    other = Talk(ports=(50000, 80)).open()
    for _ in range(50):
        other.send(other.client, b"GET / HTTP/1.0\r\n\r\n")
    packets: list[bytes] = []
    queues = [frames_of(first), frames_of(second), [ethernet(packet) for packet in other.packets]]
    while any(queues):
        packets += [queue.pop(0) for queue in queues if queue]
    result = xenmig("timeline", "--follow", "--json", "-", input=pcap(packets, step=STEP))
    assert result.code == 0
    events = result.lines
    for number, pages in (1, [1500, 60, 20]), (2, [300, 20]):
        ended = [
            event["pages"]
            for event in events
            if event["event"] == "iteration-ended" and event["migration"] == number
        ]  # fmt: skip
        assert ended == pages
    assert {event.get("migration") for event in events} == {None, 1, 2}
    assert [event["outcome"] for event in events if event["event"] == "over"] == ["completed", "completed"]


def frames_of(capture: bytes) -> list[bytes]:
    at, frames = 24, []
    while at < len(capture):
        length = struct.unpack_from("<I", capture, at + 8)[0]
        frames.append(capture[at + 16 : at + 16 + length])
        at += 16 + length
    return frames


def test_a_capture_without_a_migration_is_refused_as_without_follow() -> None:
    other = Talk(ports=(50000, 80)).open()
    other.send(other.client, b"GET / HTTP/1.0\r\n\r\n")
    data = pcap([ethernet(packet) for packet in other.packets])
    plain = xenmig("timeline", "-", input=data)
    followed = xenmig("timeline", "--follow", "-", input=data)
    assert (followed.code, followed.err) == (plain.code, plain.err) == (2, plain.err)


def test_a_connection_that_hides_what_is_inside_is_named_while_it_is_waited_for() -> None:
    talk = Talk(ports=(50000, 22)).open()
    talk.send(talk.client, b"SSH-2.0-OpenSSH_9.2\r\n")
    data = pcap([ethernet(packet) for packet in talk.packets])
    with Following() as following:
        following.write(data)
        following.says("10.0.0.1:50000 and 10.0.0.2:22: SSH, which hides what is inside\n")
        assert following.end() == 2


def test_options_of_the_timeline_hold_for_its_end() -> None:
    plain = xenmig("timeline", "--convergence", "--bandwidth", "1Gbit", "-", input=CAPTURE)
    assert plain.out != xenmig("timeline", "-", input=CAPTURE).out
    followed = xenmig("timeline", "--follow", "--convergence", "--bandwidth", "1Gbit", "-", input=CAPTURE)
    assert followed.out.endswith(plain.out)


def test_errors_and_holes_are_told() -> None:
    data = bytearray(STREAM)
    # The reserved word of the first PAGE_DATA.
    data[BUILT.at(PAGE_DATA).offset + 12] = 1
    result = xenmig("timeline", "--follow", "--json", "-", input=conversation(bytes(data), lost=[40]))
    events = result.lines
    (finding,) = [event for event in events if event["event"] == "finding"]
    assert (finding["rule"], finding["offset"]) == ("reserved-not-zero", BUILT.at(PAGE_DATA).offset + 12)
    (hole,) = [event for event in events if event["event"] == "hole"]
    assert hole["missing"] == 60_000


def test_thousands_of_iterations_do_not_become_thousands_of_lines() -> None:
    many = guest(iterations=(1,) * 3000, per_batch=1).data
    result = xenmig("timeline", "--follow", "--json", "-", input=conversation(many))
    events = [event["event"] for event in result.lines]
    assert events.count("iteration-begun") + events.count("iteration-ended") < 1000
    left_out = sum(event["number"] for event in result.lines if event["event"] == "left-out")
    assert left_out + events.count("iteration-begun") + events.count("iteration-ended") == 6000
    assert events.count("message") == 5


def test_checkpoints_are_counted() -> None:
    result = xenmig("timeline", "--follow", "--json", "-", input=conversation(checkpointed(3).data, said=["banner"]))
    assert [event["checkpoint"] for event in result.lines if event["event"] == "checkpoint"] == [1, 2, 3]


def test_text_from_a_stream_stays_on_its_line() -> None:
    config = json.dumps({"c_info": {"name": "\x1b[2Jevil\nname"}}).encode() + b"\0"
    rest = guest("libxl", iterations=(10, 10)).data
    hostile = StreamBuilder().xl(config).raw(rest).data
    out = xenmig("timeline", "--follow", "-", input=conversation(hostile)).out
    assert "\x1b" not in out
    assert "\\x1b[2Jevil\\nname" in out


def test_a_closed_output_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, "timeline", "--follow", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        try:
            os.write(process.stdin.fileno(), CAPTURE[:300_000])
        except BrokenPipeError:
            # It may have ended before it was given all of that.
            pass
        assert process.wait(60) == 141
        assert process.stderr.read() == b""
