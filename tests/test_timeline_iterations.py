"""Iterations read from the bytes: where they begin, what kind they are, which rule ended the live loop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.command import xenmig
from tests.corpus import CORPUS, requires_corpus, sample
from tests.decoding import decoded
from tests.streams import CHECKPOINT, VERIFY, StreamBuilder, checkpointed, guest
from xenmig.core.analysis.iterations import KEPT_BYTES, MOST_KEPT, Iterations
from xenmig.core.analysis.memory import Memory
from xenmig.core.analysis.pfn_counts import Room
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence


def iterations(data: bytes, *, live: bool = False) -> Iterations:
    """The iterations of a stream."""
    decoder = StreamDecoder()
    decoder.feed(data, 0, len(data))
    decoder.end()
    found = Iterations()
    found.take(decoder.events)
    found.settle(live)
    return found


def kinds(found: Iterations) -> list[str]:
    return [iteration.kind for iteration in found.found]


def pages(found: Iterations) -> list[int]:
    return [iteration.pages for iteration in found.found]


def stream(*batches: Sequence[int]) -> StreamBuilder:
    """A libxc stream with these batches of pfns, without what follows memory."""
    built = StreamBuilder().libxc().static_data(3)
    for pfns in batches:
        built.pages(pfns)
    return built


def test_a_drop_in_pfns_begins_an_iteration() -> None:
    found = iterations(stream(range(1024), range(1024, 2048), range(1024), range(1024, 2048)).data)
    assert pages(found) == [2048, 2048]


def test_pfns_and_pages_are_counted_though_a_capture_lacks_most_of_the_array() -> None:
    built = stream(range(1024), range(600))
    holes = [(piece.offset + 40, piece.end) for piece in built.records[-2:]]
    found = Iterations()
    found.take(decoded(built.data, holes=holes))
    found.settle(live=True)
    assert [(one.pfns, one.pages) for one in found.found] == [(1024, 1024), (600, 600)]
    assert [one.missing for one in found.found] == [end - at for at, end in holes]


def test_a_batch_that_is_not_full_ends_an_iteration() -> None:
    found = iterations(stream(range(1024), range(1024, 1030), range(5000, 6024), range(7000, 7001)).data)
    assert pages(found) == [1030, 1025]


def test_the_same_pfn_again_begins_an_iteration() -> None:
    found = iterations(stream(range(1024), range(1023, 2047)).data)
    assert pages(found) == [1024, 1024]


def test_pfns_without_pages_count_as_pfns_only() -> None:
    (only,) = iterations(stream([0xF << 60 | pfn if pfn % 3 else pfn for pfn in range(9)]).data).found
    assert (only.pfns, only.pages) == (9, 3)
    assert only.bytes == 16 + 9 * 8 + 3 * 4096


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        ((3,), ["non-live"]),
        ((9, 2), ["precopy", "stop-and-copy"]),
        ((9, 4, 2), ["precopy", "precopy", "stop-and-copy"]),
    ],
)
def test_the_last_pass_of_a_live_migration_is_stop_and_copy(passes: tuple[int, ...], expected: list[str]) -> None:
    assert kinds(iterations(guest(iterations=passes, per_batch=1024).data)) == expected


def test_a_single_pass_of_a_migration_known_to_be_live_is_precopy() -> None:
    assert kinds(iterations(guest(iterations=(3,), per_batch=1024).data, live=True)) == ["precopy"]


def test_passes_before_a_cut_are_precopy() -> None:
    assert kinds(iterations(stream(range(9), range(4), range(2)).data)) == ["precopy"] * 3


def test_pages_after_verify_are_verified() -> None:
    found = iterations(guest(iterations=(9, 4), per_batch=1024, verify=True).data)
    assert kinds(found) == ["precopy", "stop-and-copy", "verify"]
    assert VERIFY == 13


def test_pages_after_a_checkpoint_are_of_checkpoints() -> None:
    found = iterations(checkpointed(4).data)
    assert found.checkpoints == 4
    assert set(kinds(found)[2:]) == {"checkpoint"}
    assert kinds(found)[0] == "precopy"
    assert CHECKPOINT == 14


@pytest.mark.parametrize(
    ("passes", "rule"),
    [
        ((90, 60, 49, 7), "SPP_TARGET_DIRTY_COUNT"),
        ((90, 80, 70, 60, 50, 7), "SPP_MAX_ITERATIONS"),
        ((90, 80, 70, 60, 49, 7), "SPP_TARGET_DIRTY_COUNT"),
        ((90, 80, 7), "SPP_TARGET_DIRTY_COUNT"),
        ((90, 80, 70, 60, 55, 54, 7), "unknown"),
    ],
)
def test_the_rule_that_ended_the_live_loop_is_named(passes: tuple[int, ...], rule: str) -> None:
    found = iterations(guest(iterations=passes, per_batch=1024).data)
    assert found.stop_rule is not None
    assert found.stop_rule.name == rule


def test_no_rule_is_named_for_what_was_not_live_or_has_not_ended() -> None:
    assert iterations(guest(iterations=(9,), per_batch=1024).data).stop_rule is None
    assert iterations(stream(range(9), range(4)).data).stop_rule is None


def test_a_cut_record_counts_as_far_as_it_goes() -> None:
    data = stream(range(1024)).data
    start = data.index(b"\x01\0\0\0\x08\x20\x40\0")
    cut = start + 16 + 1024 * 8 + 3 * 4096 + 100
    (only,) = iterations(data[:cut]).found
    assert (only.pfns, only.pages, only.bytes) == (1024, 3, cut - start)


def test_memory_is_bounded_however_many_iterations_there_are() -> None:
    record = StreamBuilder().pages([0xF << 60]).data
    found = iterations(StreamBuilder().libxc().static_data(3).data + record * (MOST_KEPT + 500))
    assert len(found.found) == MOST_KEPT
    assert found.omitted == 500
    assert found.found[0].index == 0
    assert found.found[-1].index == MOST_KEPT + 499


def test_many_streams_share_the_room_for_many_iterations() -> None:
    record = StreamBuilder().pages([0xF << 60]).data
    decoder = StreamDecoder()
    data = StreamBuilder().libxc().static_data(3).data + record * 300
    decoder.feed(data, 0, len(data))
    room = Room(30 * KEPT_BYTES)
    streams = [Iterations(Memory(room)) for _ in range(10)]
    for one in streams:
        one.take(decoder.events)
    assert [len(one.found) for one in streams] == [130, *[100] * 9]
    for one in streams:
        assert len(one.found) + one.omitted == 300
        assert (one.found[0].index, one.found[-1].index) == (0, 299)


# -- real migrations --------------------------------------------------------------------------------------------------


@requires_corpus
def test_iterations_of_a_capture_with_retransmissions_are_as_known() -> None:
    (found,) = xenmig("timeline", "--json", sample("hvm-4.17-32M-mig-mtu1500.pcap").unpacked()).json["migrations"]
    assert [one["pages"] for one in found["iterations"]] == [8204, 1540, 1252, 1156, 996, 260]
    assert [one["kind"] for one in found["iterations"]] == ["precopy"] * 5 + ["stop-and-copy"]
    assert found["stop_rule"]["name"] == "SPP_MAX_ITERATIONS"


@requires_corpus
def test_iterations_are_those_that_the_sender_reported() -> None:
    log = (CORPUS / "logs" / "hvm-4.17-32M-mig-vvv-progress.send.log").read_bytes().decode(errors="replace")
    reported = [int(total) for done, total in re.findall(r"Frames iteration \d+: (\d+)/(\d+)", log) if done == total]
    path = sample("hvm-4.17-32M-mig-vvv-progress.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    assert [one["pfns"] for one in found["iterations"]] == reported
    assert len(reported) == 6


@requires_corpus
def test_checkpoints_are_those_that_the_sender_reported() -> None:
    log = (CORPUS / "logs" / "hvm-4.17-32M-remus-mtu65536.send.log").read_bytes().decode(errors="replace")
    reported = [int(total) for total in re.findall(r"Checkpointed save: \d+/(\d+)", log)]
    path = sample("hvm-4.17-32M-remus-mtu65536.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    checkpoints = [one["pfns"] for one in found["iterations"] if one["kind"] == "checkpoint"]
    assert checkpoints[: len(reported)] == reported[: len(checkpoints)]
    assert found["checkpoints"] == 38


def test_a_real_live_migration_of_a_small_guest() -> None:
    path = sample("pvh-4.17-8M-1vcpu-mig-mtu65536.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    assert found["iterations"][0]["pfns"] == 1_044_480
    assert found["iterations"][-1]["kind"] == "stop-and-copy"
    assert found["outcome"] == "completed"


def test_a_real_save_is_one_pass_that_was_not_live() -> None:
    path = sample("pvh-4.17-8M-1vcpu-savec.xlsave").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    (only,) = found["iterations"]
    assert (only["kind"], only["pfns"], only["pages"]) == ("non-live", 1_044_480, 2064)
    assert (only["first"], only["last"]) == (None, None)
