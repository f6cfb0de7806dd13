"""``xenmig timeline`` says whether network, sender or receiver held a migration up, and what it cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.command import xenmig
from tests.corpus import corpus, requires_corpus, sample
from tests.streams import BANNER, PERMISSION, READY, REPORT, guest
from tests.traffic import TimedTalk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus import Sample

MS = 1_000_000
STREAM = guest(iterations=(100, 60), per_batch=1024).data
CUT = 900


def migration(talk: TimedTalk, *, wait: int = 50_000, answer: int = 20_000, every: int = 1) -> bytes:
    """A migration in segments each of which comes ``wait`` nanoseconds after the acknowledgment before, and every so
    many of which are acknowledged after ``answer``.
    """
    talk.say(10_000, BANNER)
    for number, at in enumerate(range(0, len(STREAM), CUT)):
        talk.send(wait, data=STREAM[at : at + CUT])
        if number % every == 0:
            talk.ack(answer)
    talk.ack(answer).say(3000 * MS, READY).send(20 * MS, data=PERMISSION).ack(answer)
    talk.say(10 * MS, REPORT).say(10 * MS, b"\0").close(10_000)
    return talk.capture()


def network(data: bytes, folder: Path) -> tuple[Any, str]:
    """What is said of the network, as JSON and as text."""
    path = folder / "input"
    path.write_bytes(data)
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    return found["network"], xenmig("timeline", path).out


def test_a_slow_sender_is_named_and_waiting_for_the_receivers_answer_does_not_count(tmp_path: Path) -> None:
    found, text = network(migration(TimedTalk(far=900_000), wait=2 * MS, answer=900_000), tmp_path)
    assert (found["verdict"], found["place"]) == ("sender", "sender")
    assert "the sender: for" in text
    assert "captured    at the sender's end, by the times of the handshake\n" in text
    limits, whole = found["limits"], found["whole"]
    assert whole["seconds"] - limits["seconds"] == pytest.approx(3.02, abs=0.001)
    assert whole["times"]["answer"] == pytest.approx(3.0, abs=0.001)
    assert limits["times"]["answer"] == 0
    assert limits["sender"] + limits["receiver"] + limits["network"] + limits["none"] == pytest.approx(1)
    longest = found["waits"][0]
    assert (longest["kind"], longest["phase"]) == ("answer", "receiver gets ready")


def test_a_window_that_is_always_full_is_the_receivers(tmp_path: Path) -> None:
    talk = TimedTalk(window=1500)
    found, text = network(migration(talk, wait=10_000, answer=5 * MS), tmp_path)
    assert found["verdict"] == "receiver"
    assert "the receiver: for" in text
    assert "its window had no room for a full segment" in text


def test_waiting_for_acknowledgments_is_the_networks_and_says_how_much_was_in_flight(tmp_path: Path) -> None:
    found, text = network(migration(TimedTalk(far=30 * MS), wait=10_000, answer=30 * MS, every=4), tmp_path)
    assert found["verdict"] == "network"
    assert found["forward"]["in_flight_most"] == 4 * CUT
    assert "the network: for" in text
    assert "window      up to 64,000 bytes, of which up to 3,600 in flight\n" in text


def test_at_the_receivers_end_a_slow_path_looks_like_an_idle_sender_and_that_is_said(tmp_path: Path) -> None:
    found, text = network(migration(TimedTalk(near=8 * MS), wait=20 * MS, answer=20_000), tmp_path)
    assert (found["verdict"], found["place"]) == ("sender", "receiver")
    assert "a slow path looks like an idle sender" in text
    # What the sender cannot have known yet is not held against it.
    times = found["limits"]["times"]
    assert times["in_flight"] / times["idle"] == pytest.approx(8 / 12, rel=0.01)


def test_on_one_host_there_is_no_network_to_blame(tmp_path: Path) -> None:
    talk = TimedTalk(client="127.0.0.1", server="127.0.0.1")
    found, text = network(migration(talk, wait=10_000, answer=30 * MS), tmp_path)
    assert found["place"] == "one host"
    assert "the host that both ends are on: for" in text


def test_what_the_capture_lost_is_told_from_what_the_network_lost(tmp_path: Path) -> None:
    talk = TimedTalk()
    data = migration(talk)
    missing = [place for place, (_, packet) in enumerate(talk.packets) if len(packet) > CUT][40]
    del talk.packets[missing]
    found, text = network(talk.capture(), tmp_path)
    assert len(data) > len(talk.capture())
    assert found["forward"]["lost_by_capture"] == CUT
    assert f"lost        {CUT} bytes by the capture, not by the network: the receiver acknowledged them\n" in text


@requires_corpus
@pytest.mark.parametrize("one", corpus("capture"), ids=repr)
def test_rows_fit_into_a_file_that_nobody_wraps(one: Sample) -> None:
    rows = xenmig("timeline", one.unpacked()).out.partition("  held up ")[2].partition("\n\n")[0]
    assert max(map(len, rows.splitlines())) <= 125


def test_without_the_receivers_segments_no_verdict_is_given(tmp_path: Path) -> None:
    talk = TimedTalk()
    migration(talk)
    talk.packets = [(time, packet) for time, packet in talk.packets if packet[12:16] == bytes((10, 0, 0, 1))]
    found, text = network(talk.capture(), tmp_path)
    assert found["verdict"] == "unknown"
    assert found["forward"]["in_flight_most"] is None
    assert "not known: acknowledgments were not captured" in text


def test_a_stream_file_has_no_network(tmp_path: Path) -> None:
    found, text = network(STREAM, tmp_path)
    assert found is None
    assert "held up" not in text


@pytest.mark.parametrize(("first", "name"), [(b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"), (b"\x16\x03\x01\x02\x00\x01", "TLS")])
def test_an_encrypted_connection_that_looks_like_a_bulk_transfer_is_measured_as_a_guess(
    first: bytes, name: str, tmp_path: Path
) -> None:
    talk = TimedTalk().send(10_000, data=first).ack(10_000)
    for _ in range(1200):
        talk.send(2 * MS).ack(30_000)
    path = tmp_path / "input"
    path.write_bytes(talk.capture())
    result = xenmig("timeline", path)
    assert result.code == 2
    assert name in result.out
    assert "1.2 MB in 2.436 s look like a bulk transfer, which is a guess" in result.out
    assert "the sender: for 2." in result.out


def test_a_short_encrypted_connection_is_no_bulk_transfer(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(TimedTalk().send(10_000, data=b"SSH-2.0-OpenSSH_9.2\r\n").ack(10_000).send(10_000).capture())
    assert "bulk" not in xenmig("timeline", path).out


@requires_corpus
@pytest.mark.parametrize("one", corpus("capture"), ids=repr)
def test_shares_of_real_migrations_are_whole_and_their_bytes_those_of_the_connection(one: Sample) -> None:
    for found in xenmig("timeline", "--json", one.unpacked()).json["migrations"]:
        facts = found["network"]
        for limits in (facts["limits"], facts["whole"]):
            shares = [limits[name] for name in ("sender", "receiver", "network", "none")]
            assert min(shares) >= 0
            assert sum(shares) == pytest.approx(1)
            assert sum(limits["times"].values()) == pytest.approx(limits["seconds"])
        assert facts["place"] == "one host"
        assert facts["forward"]["segments"] == found["tcp"]["segments"]
        series = facts["throughput"]
        assert sum(series["forward"]["wire"]) == facts["forward"]["wire_bytes"]
        assert sum(series["forward"]["payload"]) == found["bytes"]


@requires_corpus
def test_most_of_a_real_downtime_is_neither_the_networks_nor_the_senders(tmp_path: Path) -> None:
    path = sample("hvm-4.17-32M-mig-mtu1500.pcap").unpacked()
    (found,) = xenmig("timeline", "--json", path).json["migrations"]
    (ready,) = [wait for wait in found["network"]["waits"] if wait["phase"] == "receiver gets ready"]
    assert ready["kind"] == "answer"
    assert ready["duration"] == pytest.approx(10.56, abs=0.01)
