"""Who owns the guest: xl's conversation in both directions, against what the two xl said themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.captures import RST, Talk, ethernet, pcap
from tests.command import SEGMENT, STEP, conversation, xenmig
from tests.corpus import CORPUS, Sample, pcaps, requires_corpus, sample
from tests.streams import BANNER, PERMISSION, READY, REPORT, checkpointed, guest
from tests.timelines import facts, migrations
from xenmig.core.cli.migrationjson import migration_facts

if TYPE_CHECKING:
    from pathlib import Path

STREAM = guest(iterations=(100, 60, 20), per_batch=1024).data
SAID = ("banner", "ready", "permission", "report", "status")
LOGGED = sorted(
    {path.name.removesuffix(".send.log") for path in (CORPUS / "logs").glob("*.send.log")} if CORPUS.is_dir() else ()
)
"Captures of ``xl migrate`` and ``xl remus`` with the two logs beside them."


def owner_by(log: str) -> str:
    """Who owns the guest by the word of xl_migrate.c on the sending host."""
    if "Migration successful." in log:
        return "destination"
    if "Domain state is now undefined" in log:
        return "undefined"
    # Remus: the primary goes on, and cannot know what the backup does.
    return "undefined" if "Remus: Backup failed?" in log else "source"


# -- the logs beside real captures ------------------------------------------------------------------------------------


@requires_corpus
@pytest.mark.parametrize("name", LOGGED)
def test_owner_and_outcome_are_those_of_the_two_logs(name: str) -> None:
    send, receive = ((CORPUS / "logs" / f"{name}.{side}.log").read_text(errors="replace") for side in ("send", "recv"))
    found = facts(sample(f"{name}.pcap").unpacked())
    assert found["owner"] == owner_by(send)
    assert (found["outcome"] == "completed") == ("Migration successful." in send)
    said = {one["name"] for one in found["messages"]}
    for message, line in (
        ("banner", "migration target: Ready to receive domain."),
        ("ready", "migration target: Transfer complete, requesting permission to start domain."),
        ("permission", "migration target: Got permission, starting domain."),
        ("status", "migration target: Domain started successsfully."),
    ):
        assert (message in said) == (line in receive)
    assert ("permission" in said) == ("migration sender: Giving target permission to start." in send)
    assert found["handover"]["state"] == {
        "destination": "running",
        "undefined": "checkpointing",
        "source": "sending",
    }.get(found["owner"])
    assert f"Found x86 {found['guest']} domain from Xen {found['xen']}" in receive


@requires_corpus
def test_of_libvirts_one_way_connection_nothing_more_is_said_than_shows() -> None:
    log = (CORPUS / "logs" / "hvm-4.17-16M-2vcpu-libvirt.log").read_text(errors="replace")
    assert "virsh migrate rc=0" in log
    found = facts(sample("hvm-4.17-16M-2vcpu-libvirt.pcap").unpacked())
    assert (found["outcome"], found["owner"], found["handover"]["state"]) == ("completed", "unknown", "one-way")
    assert "RPC" in found["owner_reason"]
    assert found["handover"]["received"] == ""
    assert found["downtime"]["upper"] is None


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("sample", [one for one in pcaps("capture") if "mtu1500" not in one.name], ids=repr)
def test_who_closed_first_is_who_tshark_says(sample: Sample) -> None:
    for found in map(migration_facts, migrations(sample.unpacked())):
        sender, receiver = (found[end].rpartition(":")[2] for end in ("source", "destination"))
        wanted = f"tcp.port == {sender} && tcp.port == {receiver} && (tcp.flags.fin == 1 || tcp.flags.reset == 1)"
        done = subprocess.run(
            ["tshark", "-n", "-r", sample.unpacked(), "-Y", wanted, "-T", "fields", "-e", "tcp.srcport"],
            capture_output=True,
            check=True,
            text=True,
        )
        first = done.stdout.split()[:1]
        assert found["handover"]["closed_first"] == {sender: "sender", receiver: "receiver"}.get(*first or [""])


# -- captures cut after every message ---------------------------------------------------------------------------------


CUT = (
    ("status", "destination", "running"),
    ("report", "undefined", "reported"),
    ("permission", "undefined", "permitted"),
    ("ready", "source", "ready"),
    ("banner", "source", "sending"),
)
"A message after which a capture ends -> owner, state."


@requires_corpus
@pytest.mark.parametrize("name", [name for name in LOGGED if "mig" in name and "failed" not in name])
def test_a_real_capture_that_ends_after_a_message(name: str, tmp_path: Path) -> None:
    data = sample(f"{name}.pcap").unpacked().read_bytes()
    path = tmp_path / "cut.pcap"
    whole = facts(path, data)
    frames = {one["name"]: one["frame"] for one in whole["messages"]}
    ends = frame_ends(data)
    for last, owner, state in CUT:
        if last == "report" and frames["report"] == frames["status"]:
            continue
        # A few frames more than the banner, so that the stream has begun.
        with path.open("r+b") as file:
            file.truncate(ends[frames[last] + (30 if last == "banner" else 0)])
        found = facts(path)
        assert (found["owner"], found["handover"]["state"]) == (owner, state)
        assert found["outcome"] == "completed" if last == "status" else found["outcome"].startswith("cut off:")
        assert found["handover"]["closed_first"] is None
        assert found["handover"]["received"] == {"status": "status 0", "permission": "ready"}.get(last, last)
        # What came before the cut is what the whole capture has there.
        kinds = [one["kind"] for one in found["spans"]]
        assert last == "banner" or kinds == [one["kind"] for one in whole["spans"]][: len(kinds)]


def frame_ends(data: bytes) -> list[int]:
    """Where each frame of a pcap file ends, from the first; what comes before it is at 0."""
    ends = [24]
    while ends[-1] < len(data):
        ends.append(ends[-1] + 16 + int.from_bytes(data[ends[-1] + 8 : ends[-1] + 12], "little"))
    return ends


# -- what no real capture shows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize(
    ("said", "status", "given_back", "owner"),
    [
        (("banner",), 0, False, "source"),
        (("banner", "ready"), 0, False, "source"),
        (("banner", "ready", "permission"), 0, False, "undefined"),
        (("banner", "ready", "permission", "report"), 0, False, "undefined"),
        (SAID, 0, False, "destination"),
        (SAID, 3, False, "undefined"),
        (SAID, 3, True, "source"),
        # The sender went away: the receiver reports 255 and destroys its copy.
        (("banner", "ready", "report", "status"), 255, False, "source"),
        (("banner", "ready", "report", "status"), 255, True, "source"),
    ],
)
def test_the_last_word_decides(
    said: tuple[str, ...], status: int, given_back: bool, owner: str, close: bool, tmp_path: Path
) -> None:
    data = conversation(STREAM, said=said, status=status, given_back=given_back, close=close)
    found = facts(tmp_path / "input", data)
    assert found["owner"] == owner
    assert (found["outcome"] == "completed") == (owner == "destination")
    assert (found["handover"]["closed_first"] is None) == (not close)
    assert found["handover"]["sent"] == ("permission" if "permission" in said else "END of the stream")
    assert found["handover"]["disorder"] == []


def test_half_a_permission_starts_no_guest(tmp_path: Path) -> None:
    found = facts(tmp_path / "input", conversation(STREAM + PERMISSION[:20], said=("banner", "ready")))
    assert (found["owner"], found["handover"]["sent"]) == ("source", "END of the stream")


def test_a_report_that_may_be_missing_from_the_capture_is_no_undefined_state(tmp_path: Path) -> None:
    talk = talking()
    for sender, text in ((talk.server, READY), (talk.client, PERMISSION), (talk.server, REPORT + b"\0")):
        talk.send(sender, text)
    del talk.packets[-1]
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.close().packets], step=STEP))
    assert found["owner"] == "unknown"
    assert "missing from the capture" in found["owner_reason"]


def test_a_sender_alone_that_gave_no_permission_kept_its_guest(tmp_path: Path) -> None:
    talk = talking(banner=False)
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.close().packets]))
    assert (found["owner"], found["handover"]["received"]) == ("source", "")


def test_a_reset_is_told_from_a_fin(tmp_path: Path) -> None:
    talk = talking()
    talk.send(talk.server, b"", flags=RST)
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.packets]))
    assert (found["handover"]["closed_first"], found["handover"]["closed_by"]) == ("receiver", "RST")
    assert found["owner"] == "source"


def test_messages_in_an_order_that_xl_never_has_are_told(tmp_path: Path) -> None:
    talk = Talk(ports=(40000, 8002)).open()
    talk.send(talk.server, BANNER + READY)
    for at in range(0, len(STREAM), SEGMENT):
        talk.send(talk.client, STREAM[at : at + SEGMENT])
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.packets]))
    assert found["handover"]["disorder"] == ["ready was captured before the stream's END"]


@pytest.mark.parametrize(
    ("checkpoints", "close", "owner"), [(0, True, "source"), (3, True, "undefined"), (3, False, "source")]
)
def test_a_receiver_goes_on_from_a_complete_checkpoint_only(
    checkpoints: int, close: bool, owner: str, tmp_path: Path
) -> None:
    built = checkpointed(max(1, checkpoints))
    data = built.data if checkpoints else built.data[: built.at(0xE).end]
    found = facts(tmp_path / "input", conversation(data, said=("banner",), close=close))
    assert (found["handover"]["state"], found["owner"]) == ("checkpointing", owner)


def talking(*, banner: bool = True) -> Talk:
    """A connection in which the whole stream was sent."""
    talk = Talk(ports=(40000, 8002)).open()
    if banner:
        talk.send(talk.server, BANNER)
    for at in range(0, len(STREAM), SEGMENT):
        talk.send(talk.client, STREAM[at : at + SEGMENT])
    return talk


def test_text_says_the_same_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(STREAM))
    text = xenmig("timeline", path).out
    assert re.search(
        r"^  last words +sender: permission; receiver: status 0; the sender closed first, by FIN$", text, re.MULTILINE
    )
