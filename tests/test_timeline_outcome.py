"""What became of a migration, who owns the guest, and how long it was paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.captures import START, Talk, ethernet, pcap
from tests.command import SEGMENT, STEP, conversation, xenmig
from tests.corpus import requires_corpus, sample
from tests.streams import BANNER, HVM_CONTEXT, PAGE_DATA, PERMISSION, READY, REPORT, checkpointed, guest

if TYPE_CHECKING:
    from pathlib import Path

BUILT = guest(iterations=(100, 60, 20), per_batch=1024)
STREAM = BUILT.data
LONG = guest(iterations=(300, 200, 100, 70, 60), per_batch=1024)
"Four passes while the guest was running, and stop-and-copy."
MEMORY_ONLY = STREAM[: BUILT.at(HVM_CONTEXT).offset - 32]
"Up to the end of the last pass."


def timeline(data: bytes, folder: Path) -> Any:
    """The one migration in a capture or stream."""
    path = folder / "input"
    path.write_bytes(data)
    result = xenmig("timeline", "--json", path)
    assert result.code == 0
    (found,) = result.json["migrations"]
    text = xenmig("timeline", path)
    assert text.code == 0
    assert found["outcome"] in text.out
    return found


def test_json_has_the_keys_that_scripts_rely_on(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM), tmp_path)
    assert {
        "guest", "xen", "complete", "bytes", "source", "destination", "outcome", "iterations", "downtime", "owner",
    } <= found.keys()  # fmt: skip
    assert (found["guest"], found["xen"], found["complete"]) == ("HVM", "4.17", True)
    assert found["bytes"] == len(STREAM) + len(PERMISSION)
    assert (found["source"], found["destination"]) == ("10.0.0.1:40000", "10.0.0.2:8002")
    for index, iteration in enumerate(found["iterations"]):
        assert {"index", "kind", "pfns", "pages", "bytes", "first", "last"} <= iteration.keys()
        assert iteration["index"] == index
    assert set(found["downtime"]) == {"lower", "upper"}


def test_a_completed_migration_belongs_to_the_destination(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM), tmp_path)
    assert (found["outcome"], found["owner"]) == ("completed", "destination")


def test_a_receiver_that_fails_and_gives_the_guest_back_leaves_it_to_the_source(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM, status=3, given_back=True), tmp_path)
    assert found["outcome"].startswith("failed: the receiver could not start the guest, its status is 3 (FAIL)")
    assert found["owner"] == "source"


def test_a_receiver_that_fails_and_says_nothing_more_leaves_the_owner_undefined(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM, status=3), tmp_path)
    assert (found["outcome"][:7], found["owner"]) == ("failed:", "undefined")


@pytest.mark.parametrize("close", [True, False])
def test_a_permission_without_a_report_leaves_the_owner_undefined(close: bool, tmp_path: Path) -> None:
    found = timeline(conversation(STREAM, said=["banner", "ready", "permission"], close=close), tmp_path)
    assert found["outcome"].startswith("failed:" if close else "cut off:")
    assert found["owner"] == "undefined"
    assert found["downtime"]["upper"] is None


@pytest.mark.parametrize("said", [["banner", "ready"], ["banner"]])
def test_without_the_permission_the_source_owns_the_guest(said: list[str], tmp_path: Path) -> None:
    found = timeline(conversation(STREAM, said=said), tmp_path)
    assert found["outcome"].startswith("failed:")
    assert found["owner"] == "source"


def test_a_connection_closed_in_the_middle_is_a_failure_that_says_where(tmp_path: Path) -> None:
    cut = STREAM[: BUILT.at(PAGE_DATA, number=1).offset + 5000]
    found = timeline(conversation(cut, said=["banner"]), tmp_path)
    assert found["outcome"].startswith("failed: the sender closed the connection inside record 5 (PAGE_DATA, ")
    assert "before the guest's state" in found["outcome"]
    assert (found["owner"], found["downtime"], found["complete"]) == ("source", None, False)


def test_a_capture_that_ends_early_is_cut_off(tmp_path: Path) -> None:
    found = timeline(conversation(MEMORY_ONLY, said=["banner"], close=False), tmp_path)
    assert found["outcome"].startswith("cut off: the capture ends")
    assert [one["kind"] for one in found["iterations"]] == ["precopy"] * 3


def test_a_stream_file_has_neither_owner_nor_times(tmp_path: Path) -> None:
    found = timeline(STREAM, tmp_path)
    assert (found["outcome"], found["owner"], found["downtime"]) == ("completed", "unknown", None)
    assert "no times" in found["downtime_reason"]
    assert "no times" in xenmig("timeline", tmp_path / "input").out


def test_a_cut_file_is_cut_off(tmp_path: Path) -> None:
    found = timeline(STREAM[:-1], tmp_path)
    assert found["outcome"].startswith("cut off: the file ends")


def test_a_bare_libxl_stream_is_completed_and_its_owner_is_not_known(tmp_path: Path) -> None:
    built = guest("libxl", iterations=(100, 20), per_batch=1024)
    found = timeline(conversation(built.data, said=[]), tmp_path)
    assert (found["outcome"], found["owner"]) == ("completed", "unknown")
    assert found["downtime"]["lower"] > 0
    assert found["downtime"]["upper"] is None


def test_a_broken_checkpointed_stream_leaves_the_owner_undefined(tmp_path: Path) -> None:
    data = checkpointed(3).data + b"\x01\0\0\0\x10\x10\0\0"
    found = timeline(conversation(data, said=["banner"]), tmp_path)
    assert found["outcome"].startswith("cut off:")
    assert "after 3 complete checkpoints" in found["outcome"]
    assert (found["owner"], found["downtime"]) == ("undefined", None)


def test_the_receivers_side_missing_leaves_the_owner_unknown(tmp_path: Path) -> None:
    talk = Talk().open()
    for at in range(0, len(STREAM), SEGMENT):
        talk.send(talk.client, STREAM[at : at + SEGMENT])
    talk.send(talk.client, PERMISSION)
    talk.close()
    found = timeline(pcap([ethernet(packet) for packet in talk.packets]), tmp_path)
    assert (found["outcome"], found["owner"]) == ("completed", "unknown")


def test_downtime_lies_between_the_last_live_page_and_permission_or_report(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM), tmp_path)
    # Frames: three for the handshake, the banner, the stream, then ready, permission, report and status.
    last_live = BUILT.at(PAGE_DATA, number=1).end
    last_live_frame = 5 + (last_live - 1) // SEGMENT
    ready = 5 + -(-len(STREAM) // SEGMENT)
    assert found["iterations"][1]["last_frame"] == last_live_frame
    assert found["downtime"]["lower"] == pytest.approx((ready + 1 - last_live_frame) * STEP / 1e9)
    assert found["downtime"]["upper"] == pytest.approx((ready + 3 - last_live_frame) * STEP / 1e9)
    assert sum(step["seconds"] for step in found["downtime_steps"]) == pytest.approx(found["downtime"]["upper"])


def test_times_are_absolute_and_relative_to_the_first_byte(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM), tmp_path)
    assert found["began"] == pytest.approx((START + 4 * STEP) / 1e9)
    first = found["iterations"][0]
    assert (first["first"], first["first_frame"]) == (found["began"], 5)
    assert first["start"] == 0
    assert first["last"] - first["first"] == pytest.approx(first["end"], abs=1e-6)


def test_real_failure_stops_after_the_live_passes() -> None:
    path = sample("pvh-4.20-8M-1vcpu-mig-failed-guest-died.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    assert found["outcome"].startswith("failed: the sender closed the connection")
    assert "after 2 live iterations" in found["outcome"]
    assert (found["owner"], found["downtime"], found["complete"]) == ("source", None, False)
    assert {one["kind"] for one in found["iterations"]} == {"precopy"}


def test_real_libvirt_migration_has_one_migration_and_no_owner() -> None:
    path = sample("hvm-4.17-16M-2vcpu-libvirt.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    assert (found["outcome"], found["owner"], found["source"]) == ("completed", "unknown", "127.0.0.1:39208")
    assert found["downtime"]["lower"] > 1


@requires_corpus
@pytest.mark.parametrize("name", ["hvm-4.17-32M-mig-mtu1500", "hvm-4.17-32M-mig-mtu65536", "pv-4.17-128M-mig-mtu65536"])
def test_real_migrations_are_completed(name: str) -> None:
    (found,) = xenmig("timeline", "--json", sample(f"{name}.pcap").unpacked()).json["migrations"]
    assert (found["outcome"], found["owner"], found["complete"]) == ("completed", "destination", True)
    assert 0 < found["downtime"]["lower"] < found["downtime"]["upper"]


def test_a_migration_joined_in_the_middle_is_shown_as_far_as_it_was_seen(tmp_path: Path) -> None:
    built = guest(iterations=(3000, 80, 20), per_batch=1024)
    # Without the handshake, the banner and the first segments of the stream.
    found = timeline(conversation(built.data, lost=range(1, 8)), tmp_path)
    assert (found["outcome"], found["owner"], found["complete"]) == ("completed", "destination", False)
    assert found["layers"] == ["libxl", "libxc"]
    assert [one["pages"] for one in found["iterations"][1:]] == [80, 20]
    assert found["stop_rule"]["name"] == "unknown"
    assert "beginning was not captured" in xenmig("timeline", tmp_path / "input").out


def test_bytes_that_the_capture_lacks_make_it_incomplete(tmp_path: Path) -> None:
    found = timeline(conversation(STREAM, lost=[6]), tmp_path)
    assert (found["outcome"], found["complete"], found["holes"], found["missing"]) == ("completed", False, 1, SEGMENT)


def lossy(lost: range, *, stream: bytes = LONG.data) -> bytes:
    """The conversation without the frames that carry the bytes of ``lost`` of the stream."""
    first, last = lost.start // SEGMENT, (lost.stop - 1) // SEGMENT
    return conversation(stream, lost=range(5 + first, 6 + last))


def test_a_pass_whose_beginning_is_missing_leaves_the_number_of_passes_open(tmp_path: Path) -> None:
    whole = timeline(conversation(LONG.data), tmp_path)
    assert whole["stop_rule"]["name"] == "SPP_TARGET_DIRTY_COUNT"
    header = LONG.at(PAGE_DATA, number=1).offset
    found = timeline(lossy(range(header, header + 16)), tmp_path)
    assert len(found["iterations"]) == len(whole["iterations"]) - 1
    assert found["stop_rule"]["name"] == "unknown"
    assert "missing" in found["stop_rule"]["text"]
    # The last pass of the running guest is there all the same.
    assert found["downtime"] == whole["downtime"]


def test_without_the_last_live_pass_there_is_no_downtime(tmp_path: Path) -> None:
    header = LONG.at(PAGE_DATA, number=3).offset
    found = timeline(lossy(range(header, header + 16)), tmp_path)
    assert (found["outcome"], found["owner"], found["downtime"]) == ("completed", "destination", None)
    assert "missing from the capture" in found["downtime_reason"]
    assert "suspend" not in {one["kind"] for one in found["spans"]}
    assert found["stop_rule"]["name"] == "unknown"


def test_without_the_state_the_reason_is_the_capture_and_not_the_stream(tmp_path: Path) -> None:
    state = LONG.at(HVM_CONTEXT).offset
    found = timeline(lossy(range(state - 32, len(LONG.data))), tmp_path)
    assert (found["outcome"], found["downtime"]) == ("completed", None)
    assert "missing from the capture" in found["downtime_reason"]


def test_without_the_end_of_the_stream_permission_and_report_still_tell_the_downtime(tmp_path: Path) -> None:
    talk = Talk(ports=(40000, 8002)).open()
    talk.send(talk.server, BANNER)
    for at in range(0, len(LONG.data) - 8, SEGMENT):
        talk.send(talk.client, LONG.data[at : min(at + SEGMENT, len(LONG.data) - 8)])
    lost = len(talk.packets)
    talk.send(talk.client, LONG.data[-8:])
    for sender, text in ((talk.server, READY), (talk.client, PERMISSION), (talk.server, REPORT + b"\0")):
        talk.send(sender, text)
    frames = [ethernet(packet) for packet in talk.close().packets]
    whole = timeline(pcap(frames), tmp_path)
    found = timeline(pcap([*frames[:lost], *frames[lost + 1 :]]), tmp_path)
    assert (whole["complete"], found["complete"], found["missing"]) == (True, False, 8)
    assert found["downtime"]["lower"] > 0
    assert [step["name"] for step in found["downtime_steps"]] == [
        step["name"] for step in whole["downtime_steps"] if step["name"] != "end of the stream"
    ]


def test_joined_behind_memory_what_comes_is_the_guests_state_and_no_downtime(tmp_path: Path) -> None:
    state = LONG.at(HVM_CONTEXT).offset - 32
    talk = Talk(ports=(40000, 8002))
    talk.send(talk.client, LONG.data[state:])
    for sender, text in ((talk.server, READY), (talk.client, PERMISSION), (talk.server, REPORT + b"\0")):
        talk.send(sender, text)
    found = timeline(pcap([ethernet(packet) for packet in talk.packets]), tmp_path)
    assert [span["name"] for span in found["spans"] if span["kind"] != "hand-over"] == [
        "guest state", "device model state", "end of the stream",
    ]  # fmt: skip
    assert (found["downtime"], found["iterations"]) == (None, [])
    assert "missing from the capture" in found["downtime_reason"]


def test_a_guest_without_device_model_has_no_state_of_one(tmp_path: Path) -> None:
    found = timeline(conversation(guest(kind="PVH", iterations=(100, 20), per_batch=1024).data), tmp_path)
    assert [span["kind"] for span in found["spans"] if span["iteration"] is None] == [
        "connection", "preamble", "preamble", "static data", "suspend", "guest state", "end",
        "hand-over", "hand-over", "hand-over", "close",
    ]  # fmt: skip
    assert "device model state" not in {step["name"] for step in found["downtime_steps"]}


def test_the_verdict_on_what_is_incomplete_says_so(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(STREAM, lost=[6]))
    assert "sound as far as it goes: 1 warning" in xenmig("timeline", path).out
    path.write_bytes(conversation(STREAM))
    assert "as far as it goes" not in xenmig("timeline", path).out


def test_a_pass_that_the_capture_cuts_ends_with_the_last_frame_there_is(tmp_path: Path) -> None:
    cut = LONG.data[: LONG.at(PAGE_DATA, number=1).end - 100_000]
    found = timeline(conversation(cut, said=["banner"], close=False), tmp_path)
    assert found["iterations"][-1]["last_frame"] == 4 + -(-len(cut) // SEGMENT)
