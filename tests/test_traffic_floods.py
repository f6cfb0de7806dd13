"""Of very many connections a few are measured, and migrations are among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.streams import guest
from xenmig.core.decode.reading import Reading
from xenmig.core.sources.frames import WINDOW
from xenmig.core.sources.traffic import meters

if TYPE_CHECKING:
    from pathlib import Path


def test_a_migration_is_measured_among_very_many_other_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "MOST_METERED", 8)
    monkeypatch.setattr(meters, "MOST_KNOWN", 16)
    most = known = 0
    opened = meters.Meters._open

    def watched(self: meters.Meters, key: bytes, flags: int, number: int, time: int) -> object:
        nonlocal most, known
        most, known = max(most, len(self._connections)), max(known, len(self._flows))
        return opened(self, key, flags, number, time)

    monkeypatch.setattr(meters.Meters, "_open", watched)
    built = guest(iterations=(300, 100), per_batch=1024).data
    talk = Talk().open()
    packets: list[bytes] = []
    for number, at in enumerate(range(0, len(built), 5000)):
        talk.send(talk.client, built[at : at + 5000])
        other = Talk(client=f"10.9.{number >> 8}.{number & 255}").open()
        other.send(other.server, b"SSH-2.0-server\r\n" if number % 2 else b"HTTP/1.1 200 OK\r\n")
        other.send(other.client, b"SSH-2.0-client\r\n" if number % 2 else b"GET / HTTP/1.1\r\n")
        packets += [*talk.packets, *other.packets]
        talk.packets.clear()
    path = tmp_path / "flood"
    path.write_bytes(pcap([ethernet(packet) for packet in packets]))
    reading = Reading(str(path), metered=True)
    for _ in reading:
        pass
    reading.close()
    (stream,) = reading.streams
    assert stream.connection is not None
    assert stream.connection.traffic is not None
    assert stream.connection.traffic.flows[0].payload_bytes == len(built)
    assert 4 < most <= 8
    # What one window brings is on top of what is remembered.
    assert known < len(packets) // 4


@pytest.mark.parametrize("between", [0, 7, WINDOW // 60])
def test_the_same_ports_used_again_are_another_connection(between: int, tmp_path: Path) -> None:
    built = guest(iterations=(60,), per_batch=1024).data
    packets: list[bytes] = []
    for start in (1000, 500_000_000, 1_000_000_000):
        talk = Talk(start=(start, 9000)).open()
        for at in range(0, len(built), 50_000):
            talk.send(talk.client, built[at : at + 50_000])
        # The connections are in the same window, or not.
        packets += [*talk.close().packets] + [ethernet(bytes(20))[14:]] * between
    path = tmp_path / "twice"
    path.write_bytes(pcap([ethernet(packet) for packet in packets]))
    reading = Reading(str(path), metered=True)
    for _ in reading:
        pass
    reading.close()
    measured = [stream.connection.traffic for stream in reading.streams if stream.connection is not None]
    assert [one.flows[0].payload_bytes for one in measured if one is not None] == [len(built)] * 3
