"""A FIN or RST shows that nothing follows, and what is unfinished then, as `xenmig verify` says it."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests import streams
from tests.captures import ACK, FIN, RST, Talk, ethernet, pcap
from tests.command import xenmig
from tests.corpus import sample
from tests.dissected import findings_shown
from tests.migrations import CLOSED, FIN_OF_SENDER, FIN_WITH_DATA, Migrations, cut_at, segments
from tests.sharkd import ask, program, shown
from tests.test_wireshark_passes import KIND
from tests.tshark import every_tshark
from tests.valid_streams import check, checkpointed, hvm, in_libvirt, in_libxl, in_xl, pv
from xenmig.wireshark.rule_facts import END_RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tshark import Tshark

FAILED = "pvh-4.20-8M-1vcpu-mig-failed-guest-died.pcap"
FAILED_AT = "1348"
"Number of the frame with the sender's FIN there."
OUT_OF_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")
TRUNCATED = ("-Y", "xenmig.rule.stream-truncated")
SOUND = bytes(in_xl(in_libxl(hvm())))
CUT = SOUND[: SOUND.index(b"LibxlFmt") + 500]


@cache
def streams_cut(closed: str) -> Migrations:
    """Streams cut at the beginning of all that they hold, and inside it, then closed in that way."""
    capture = Migrations()
    for stream in (in_xl(in_libxl(hvm())), in_libvirt(in_libxl(hvm())), pv(), checkpointed()):
        data = bytes(stream)
        pieces = [stream.offset(name) for name, _ in stream.pieces[1:]]
        for place in {*pieces, *(piece + 5 for piece in pieces), *(piece + 21 for piece in pieces), len(data)}:
            capture.add(segments(data[:place]), closed=closed)
    return capture


@cache
def conversations_cut(closed: str) -> Migrations:
    """What receivers say, cut anywhere, then closed in that way. They are so many that verify still lists them all."""
    capture = Migrations()
    said = [streams.answers(3).data, streams.answers().data]
    said += [streams.back_channel(2, long_header=long).data for long in (False, True)]
    chance = random.Random(5)
    for data in said:
        for place in chance.sample(range(1, len(data)), 25):
            capture.add(segments(CUT), data[:place], closed=closed)
    return capture


def verified(path: Path) -> list[tuple[int, str, tuple[str, str, int | None], str]]:
    """What `xenmig verify --json` says about ends: number of the connection, role, finding and message."""
    connections: dict[object, int] = {}
    found = []
    for stream in xenmig("verify", "--json", path).json["streams"]:
        number = connections.setdefault(frozenset((stream["source"], stream["destination"])), len(connections) + 1)
        for one in stream["findings"]:
            if one["rule"] in END_RULES:
                told = one["rule"], one["severity"], one["record"]
                found.append((number, stream["role"], told, one["message"]))
    return sorted(found, key=str)


def ends(tshark: Tshark, path: Path, *arguments: str) -> list[tuple[int, str, tuple[str, str, int | None], str]]:
    """The same by tshark."""
    found = findings_shown(tshark, path, *arguments)
    return sorted((one for one in found if one[2][0] in END_RULES), key=str)


def tree(tshark: Tshark, path: Path, *arguments: str) -> list[str]:
    """Everything that is shown of a capture, without what only later frames tell."""
    lines = KIND.sub("[Phase: memory]", tshark.run("-r", path, "-O", "xenmig", *arguments)).splitlines()
    return [line for line in lines if "[Completed in frame" not in line]


def frames(tshark: Tshark, path: Path, *arguments: str) -> list[str]:
    """The numbers of the frames that show a stream to be truncated."""
    return [row[0] for row in tshark.fields(path, ["frame.number"], *TRUNCATED, *arguments)]


@every_tshark
@pytest.mark.parametrize("closed", CLOSED)
def test_what_is_unfinished_is_what_verify_says(tshark: Tshark, closed: str, tmp_path: Path) -> None:
    rules = set()
    for capture in (streams_cut(closed), conversations_cut(closed)):
        path = capture.write(tmp_path / "closed.pcap")
        expected = verified(path)
        assert ends(tshark, path) == expected
        rules |= {told[0] for _, _, told, _ in expected}
    assert rules == {"stream-truncated", "checkpointed-stream-ended", "conversation-ended"}


@every_tshark
def test_pages_that_are_cut_off_behind_a_hole_are_told(tshark: Tshark, tmp_path: Path) -> None:
    # While more may come, the place is not believed to be found again.
    capture = Migrations()
    for stream in (hvm(), checkpointed()):
        begin = stream.offset("page data")
        for before in (4, 40):
            for there in (16, 24, 30, 1000):
                first, _, last = cut_at(bytes(stream)[: begin + there], begin - before, begin - 2)
                capture.add(
                    [first, *((last[0] + at, data) for at, data in segments(last[1], 100))], closed=FIN_OF_SENDER
                )
    path = capture.write(tmp_path / "behind.pcap")
    expected = verified(path)
    assert {told[0] for _, _, told, _ in expected} == {"stream-truncated", "capture-ended"}
    assert ends(tshark, path) == expected


@every_tshark
def test_without_a_fin_nothing_is_shown(tshark: Tshark, tmp_path: Path) -> None:
    path = streams_cut("").write(tmp_path / "open.pcap")
    assert not ends(tshark, path)


@every_tshark
def test_a_failed_migration_shows_it_at_the_fin(tshark: Tshark) -> None:
    path = sample(FAILED).unpacked()
    assert ends(tshark, path) == verified(path)
    assert frames(tshark, path) == [FAILED_AT]
    assert "stream ends at offset 18929735 without an END" in tshark.run("-r", path, "-q", "-z", "expert,xenmig")


@every_tshark
@pytest.mark.parametrize("closed", [FIN_OF_SENDER, FIN_WITH_DATA])
def test_every_way_to_look_shows_the_same(tshark: Tshark, closed: str, tmp_path: Path) -> None:
    path = streams_cut(closed).write(tmp_path / "closed.pcap")
    once = tree(tshark, path)
    assert tree(tshark, path, "-2") == once
    assert tree(tshark, path, "-2", "-R", "tcp") == once
    filtered = tree(tshark, path, "-Y", "xenmig")
    assert tree(tshark, path, "-Y", "xenmig", "-2") == filtered
    shown_in = frames(tshark, path)
    assert len(shown_in) > 30
    assert frames(tshark, path, "-2") == shown_in
    # The list of frames is the same whether their findings are shown or not.
    protocols = [row[0] for row in tshark.fields(path, ["frame.protocols"])]
    assert not [one for one in protocols if "end" in one]


def late(closed: int = ACK | FIN) -> tuple[bytes, list[bytes]]:
    """A stream whose segment in the middle comes behind the last, which closes it: its bytes and its frames."""
    talk = Talk(ports=(40001, 49152)).open()
    first = talk.client.sequence
    parts = cut_at(CUT, 200, 400)
    for number, flags in ((0, ACK), (2, closed), (1, ACK)):
        offset, data = parts[number]
        talk.at(talk.client, first + offset, data, flags)
    return CUT, [ethernet(packet) for packet in talk.packets]


@every_tshark
def test_a_fin_waits_for_the_bytes_in_front_of_it(tshark: Tshark, tmp_path: Path) -> None:
    path = tmp_path / "late.pcap"
    path.write_bytes(pcap(late()[1]))
    assert ends(tshark, path, *OUT_OF_ORDER) == verified(path)
    assert frames(tshark, path, *OUT_OF_ORDER) == frames(tshark, path, *OUT_OF_ORDER, "-2") == ["6"]


@every_tshark
def test_a_fin_behind_bytes_that_never_come_shows_nothing(tshark: Tshark, tmp_path: Path) -> None:
    path = tmp_path / "lost.pcap"
    talk = Talk(ports=(40001, 49152)).open()
    talk.send(talk.client, CUT[:300])
    talk.client.sequence += 200
    talk.send(talk.client, b"", ACK | FIN)
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    assert frames(tshark, path) == []


@every_tshark
@pytest.mark.parametrize("flags", [ACK | FIN, RST])
def test_what_closes_a_connection_twice_is_told_once(tshark: Tshark, flags: int, tmp_path: Path) -> None:
    path = tmp_path / "twice.pcap"
    talk = Talk(ports=(40001, 49152)).open()
    talk.send(talk.client, CUT)
    for _ in range(3):
        talk.send(talk.client, b"", flags)
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    assert ends(tshark, path) == verified(path)
    assert frames(tshark, path) == frames(tshark, path, "-2") == ["5"]


@every_tshark
def test_bytes_behind_a_reset_change_nothing_in_front_of_them(tshark: Tshark, tmp_path: Path) -> None:
    # What was on its way when the receiver died. Where the stream stood is told at the first RST, whoever looks when.
    path = tmp_path / "behind.pcap"
    talk = Talk(ports=(40001, 49152)).open()
    talk.send(talk.client, CUT)
    talk.send(talk.server, b"", RST)
    talk.send(talk.client, SOUND[len(CUT) : len(CUT) + 1000])
    talk.send(talk.server, b"", RST)
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    once = ends(tshark, path)
    assert [message for *_, message in once] == [check(CUT).findings[-1].message]
    assert ends(tshark, path, "-2") == once
    assert frames(tshark, path) == frames(tshark, path, "-2") == ["5"]


@every_tshark
def test_a_reset_from_elsewhere_closes_nothing(tshark: Tshark, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.pcap"
    talk = Talk(ports=(40001, 49152)).open()
    first = talk.client.sequence
    talk.send(talk.client, CUT)
    talk.at(talk.client, first + (1 << 30), b"", RST)
    talk.send(talk.client, SOUND[len(CUT) :])
    talk.send(talk.client, b"", ACK | FIN)
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    assert ends(tshark, path) == verified(path) == []


@every_tshark
@pytest.mark.parametrize("closed", CLOSED)
def test_a_whole_stream_may_close(tshark: Tshark, closed: str, tmp_path: Path) -> None:
    path = Migrations().add(segments(SOUND), streams.answers().data, closed=closed).write(tmp_path / "whole.pcap")
    assert ends(tshark, path) == verified(path) == []


@every_tshark
def test_a_frame_that_closes_may_be_looked_at_before_any_other(tshark: Tshark, tmp_path: Path) -> None:
    if not program(tshark):
        pytest.skip(f"there is no sharkd beside {tshark}")
    path = (
        Migrations()
        .add(segments(CUT), closed=FIN_OF_SENDER)
        .add(segments(CUT), closed=FIN_WITH_DATA)
        .write(tmp_path / "any.pcap")
    )
    numbers = [int(number) for number in frames(tshark, path)]
    assert len(numbers) == 2
    look: list[tuple[str, dict[str, Any]]] = [("frame", {"frame": number, "proto": True}) for number in numbers]
    for listed in ({}, {"filter": "xenmig"}):
        _, *answers = ask(tshark, path, ("frames", listed), *reversed(look))
        assert len(answers) == 2
        for answer in answers:
            assert any("the stream ends inside" in label for label in shown(answer["tree"]))
