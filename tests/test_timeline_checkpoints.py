"""Remus and COLO: epochs, the last consistent checkpoint, and what the receiver answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.command import STEP, conversation, xenmig
from tests.corpus import CORPUS, requires_corpus, sample
from tests.streams import (
    BANNER,
    CHECKPOINT,
    CHECKPOINT_END,
    CHECKPOINT_STATE,
    StreamBuilder,
    back_channel,
    checkpointed,
)
from tests.timelines import facts, migration
from xenmig.core.analysis import epochs
from xenmig.core.analysis.epochs import Epochs
from xenmig.core.decode.stream import StreamDecoder

if TYPE_CHECKING:
    from pathlib import Path

STATES = ["NEW", "SVM_SUSPENDED", "SVM_READY", "SVM_RESUMED"]


def colo(cycles: int = 4, *, long_header: bool = False, lost: tuple[int, ...] = (), list_of: int = 4) -> bytes:
    """A capture of COLO: each side says what comes next when the other has said what it waits for.

    ``lost`` are answers, counted from 0, that the receiver does not give.
    """
    forward, back = checkpointed(cycles, colo=True), back_channel(cycles, dirty=list_of, long_header=long_header)
    sent, said = forward.data, back.data
    talk = Talk(ports=(40000, 8002)).open()
    talk.send(talk.server, BANNER)
    answers = [said[piece.offset : piece.end] for piece in back.records]
    at = told = 0
    for piece in forward.records:
        asks = {(CHECKPOINT_END, "libxl"): 2, (CHECKPOINT_STATE, "libxl"): 2}.get((piece.type, piece.layer), 0)
        if not asks:
            continue
        talk.send(talk.client, sent[at : piece.end])
        at = piece.end
        for answer in answers[told : told + asks]:
            if told not in lost:
                talk.send(talk.server, answer)
            told += 1
    return pcap([ethernet(packet) for packet in talk.close().packets], step=STEP)


# -- Remus ------------------------------------------------------------------------------------------------------------


@requires_corpus
def test_epochs_of_a_real_remus_are_those_that_both_logs_report() -> None:
    send, receive = (
        (CORPUS / "logs" / f"hvm-4.17-32M-remus-mtu65536.{side}.log").read_text(errors="replace")
        for side in ("send", "recv")
    )
    found = facts(sample("hvm-4.17-32M-remus-mtu65536.pcap").unpacked())
    complete = [one for one in found["epochs"] if one["complete"]]
    reported = [int(total) for done, total in re.findall(r"Checkpointed save: (\d+)/(\d+)", send) if done == total]
    # The sender was told of no more checkpoints than it has sent, and the first epoch is no checkpointed save.
    assert [one["pages"] for one in complete[1:]] == reported[: len(complete) - 1]
    # The receiver takes a checkpoint when all of it has come; the first one it takes as it comes.
    taken = receive.count("All records processed")
    assert taken <= len(complete) <= taken + 2
    assert (len(complete), len(found["epochs"])) == (38, 39)
    assert found["last_checkpoint"]["index"] == 37
    assert found["last_checkpoint"]["offset"] == complete[-1]["end_offset"] == 146_198_266
    assert found["handover"]["state"] == "checkpointing"


@requires_corpus
def test_intervals_of_a_real_remus_are_from_end_to_end() -> None:
    found = facts(sample("hvm-4.17-32M-remus-mtu65536.pcap").unpacked())["epochs"]
    for before, one in zip(found, found[1:-1], strict=False):
        assert one["interval"] == pytest.approx(one["last"] - before["last"], abs=1e-6)
        # -i 1000: a second between checkpoints, besides the time that one takes.
        assert 1 < one["interval"] < 2
        assert 0 < one["duration"] < one["interval"]
    assert found[0]["interval"] is None


def test_an_epoch_has_its_memory_and_its_state(tmp_path: Path) -> None:
    built = checkpointed(3)
    found = facts(tmp_path / "input", built.data)["epochs"]
    ends = [built.at(CHECKPOINT_END, layer="libxl", number=number).end for number in range(3)]
    assert [one["end_offset"] for one in found] == ends
    assert [(one["pages"], one["complete"]) for one in found] == [(3, True)] * 3
    assert [one["bytes"] for one in found[1:]] == [end - start for start, end in zip(ends, ends[1:], strict=False)]


@pytest.mark.parametrize("part", ["memory", "state", "device model"])
def test_what_no_checkpoint_end_follows_is_not_consistent(part: str, tmp_path: Path) -> None:
    built = checkpointed(3)
    last = built.at(CHECKPOINT, number=2)
    cut = {"memory": built.at(1, number=5).end, "state": last.offset, "device model": last.end}[part]
    found = facts(tmp_path / "input", built.data[:cut])
    assert [one["complete"] for one in found["epochs"]] == [True, True, False]
    assert found["last_checkpoint"]["index"] == 1
    assert found["last_checkpoint"]["offset"] == built.at(CHECKPOINT_END, layer="libxl", number=1).end
    assert found["outcome"].endswith("after 2 complete checkpoints")


def test_an_epoch_in_which_no_page_was_dirty_is_one_all_the_same(tmp_path: Path) -> None:
    built = checkpointed(1)
    for _ in range(2):
        built.on_with_libxc().hvm_state().record(CHECKPOINT)
        built.back_to_libxl().emulator().record(CHECKPOINT_END)
    found = facts(tmp_path / "input", built.data)["epochs"]
    assert [(one["pages"], one["complete"]) for one in found] == [(3, True), (0, True), (0, True)]


def test_a_bare_libxc_stream_has_epochs_too() -> None:
    built = StreamBuilder().libxc().static_data(3)
    for first in (0, 10, 20):
        built.pages(range(first, first + 3)).hvm_state().record(CHECKPOINT)
    built.pages([7])
    found = Epochs()
    decoder = StreamDecoder()
    decoder.feed(built.data, 0, len(built.data))
    found.take(decoder.events)
    assert [(one.pages, one.complete) for one in found.found] == [(3, True), (3, True), (3, True), (1, False)]


def test_a_stream_without_checkpoints_has_no_epochs(tmp_path: Path) -> None:
    built = checkpointed(1)
    found = facts(tmp_path / "input", built.data[: built.at(CHECKPOINT).offset])
    assert (found["epochs"], found["last_checkpoint"]) == ([], None)


def test_epochs_take_bounded_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(epochs, "MOST_KEPT", 20)
    found = migration(tmp_path / "input", checkpointed(100).data).epochs
    assert (len(found.found), found.omitted, found.complete) == (20, 80, 100)
    assert (found.found[0].index, found.found[-1].index) == (0, 99)


# -- COLO -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("long_header", [False, True])
def test_each_checkpoint_of_colo_has_its_answers(long_header: bool, tmp_path: Path) -> None:
    found = facts(tmp_path / "input", colo(long_header=long_header))["epochs"]
    # The last epoch has begun: NEW was answered by nobody.
    assert [sorted(one["states"]) for one in found] == [
        sorted(STATES[2:]), sorted(STATES), sorted(STATES), sorted(STATES), ["NEW"],
    ]  # fmt: skip
    assert [one["dirty_pfns"] for one in found] == [None, 4, 4, 4, None]
    assert [one["dirty_list_long_header"] for one in found] == [None, *[long_header] * 3, None]
    for one in found[1:4]:
        times = [one["states"][state] for state in STATES]
        assert times == sorted(times)


def test_an_empty_list_of_dirty_pfns_is_one(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", colo(list_of=0))["epochs"]
    assert [one["dirty_pfns"] for one in found] == [None, 0, 0, 0, None]


def test_an_answer_that_does_not_come_leaves_the_others_where_they_belong(tmp_path: Path) -> None:
    # SVM_READY of the second checkpoint.
    found = facts(tmp_path / "input", colo(lost=(4,)))["epochs"]
    assert [sorted(one["states"]) for one in found[1:4]] == [
        sorted(STATES[:2] + STATES[3:]), sorted(STATES), sorted(STATES),
    ]  # fmt: skip


def test_answers_out_of_the_loop_are_findings(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(colo())
    assert "colo-order" not in xenmig("verify", path).out
    path.write_bytes(colo(lost=(4,)))
    assert "colo-order" in xenmig("verify", path).out
    path.write_bytes(colo(long_header=True))
    assert "colo-dirty-list-header" in xenmig("verify", path).out


def test_text_names_the_last_consistent_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(checkpointed(3).data, said=("banner",)))
    assert re.search(
        r"checkpoints +Remus, 3 complete, one every .*; the last consistent one is 2, up to offset",
        xenmig("timeline", path).out,
    )
    path.write_bytes(colo())
    assert re.search(r"checkpoints +COLO, 4 complete", xenmig("timeline", path).out)
