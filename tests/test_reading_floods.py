"""Captures of very many connections: what is kept of them does not grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, noise, pcap
from tests.streams import guest
from xenmig.core.decode.reading import MOST_OPAQUE, MOST_SEARCHED, MOST_STREAMS, Reading

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1500


def opened(first: bytes, number: int) -> list[bytes]:
    talk = Talk(client=f"10.1.{number >> 8}.{number & 255}").open()
    talk.send(talk.client, first)
    return talk.packets


def joined(data: bytes, number: int) -> list[bytes]:
    talk = Talk(client=f"10.2.{number >> 8}.{number & 255}")
    talk.send(talk.client, data)
    return talk.packets


def run(packets: list[bytes], folder: Path) -> Reading:
    path = folder / "flood"
    path.write_bytes(pcap([ethernet(packet) for packet in packets]))
    reading = Reading(str(path))
    for _ in reading:
        pass
    reading.close()
    return reading


def test_of_very_many_streams_the_first_are_decoded_and_the_others_counted(tmp_path: Path) -> None:
    header = guest("libxl").data[:16]
    reading = run([packet for number in range(MANY) for packet in opened(header, number)], tmp_path)
    assert len(reading.streams) == MOST_STREAMS
    assert any(f"{MANY - MOST_STREAMS:,} directions" in notice for notice in reading.notices)


def test_of_very_many_opaque_connections_the_first_are_named_and_all_counted(tmp_path: Path) -> None:
    packets = []
    for number in range(MANY):
        talk = Talk(client=f"10.1.{number >> 8}.{number & 255}").open()
        talk.send(talk.server, b"SSH-2.0-server\r\n")
        talk.send(talk.client, b"SSH-2.0-client\r\n")
        packets += talk.packets
    reading = run(packets, tmp_path)
    assert len(reading.opaque) == MOST_OPAQUE
    assert reading.opaque_counts == {"ssh": MANY}


@pytest.mark.parametrize("before", [0, MANY])
def test_a_migration_joined_among_very_many_connections_is_found(before: int, tmp_path: Path) -> None:
    built = guest(iterations=(3000, 100), per_batch=1024)
    packets = [packet for number in range(before) for packet in joined(noise(700, number), number)]
    talk = Talk()
    for at in range(100_000, len(built.data), 60_000):
        talk.send(talk.client, built.data[at : at + 60_000])
        packets += joined(noise(700, at), 10_000 + at // 60_000)
    reading = run(packets + talk.packets, tmp_path)
    assert [(stream.kind, stream.role) for stream in reading.streams] == [("joined", "sender")]
    assert len(reading._searched) <= MOST_SEARCHED
