"""Sniffing: our session and Scapy's own TCPSession give what the reader gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw
from scapy.sendrecv import sniff
from scapy.sessions import TCPSession

from xenmig.scapy_layers.capture import CaptureRecipe, write_capture
from xenmig.scapy_layers.layers import LibxcPageData, LibxlHeader, XlMessage, XlSave
from xenmig.scapy_layers.packets import MigrationPacket
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe, page_pattern
from xenmig.scapy_layers.session import Migration, MigrationSession, bind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECIPE = Recipe("HVM", pages=40, iterations=2)
PORT = 8002

NETWORKS: dict[str, dict[str, Any]] = {
    "orderly": {},
    "dirty": {"late": 0.03, "swapped": 0.05, "twice": 0.05, "seed": 5},
    "large segments": {"segment": 60_000},
    "numbers that wrap": {"sequence": (1 << 32) - 5000},
    "IPv6": {"source": ("2001:db8::1", 49152), "destination": ("2001:db8::2", PORT)},
}


@pytest.fixture
def bound() -> Iterator[None]:
    """The port bound for one test."""
    before = list(TCP.payload_guess)
    bind(PORT)
    yield
    TCP.payload_guess[:] = before


def described(packets: Any) -> list[tuple[Any, ...]]:
    """What must be the same however packets are read."""
    return [(type(one), one.where.offset, one.where.frame, bytes(one)) for one in packets]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_session_gives_the_packets_of_the_reader(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, RECIPE, **NETWORKS[name])
    sniffed = list(sniff(offline=path, session=MigrationSession))
    read = list(MigrationReader(path))
    assert len(read) > 20
    assert [type(one) for one in sniffed] == [type(one) for one in read]
    for one, other in zip(sniffed, read, strict=True):
        assert (one.where.offset, one.where.frame, one.where.last_frame) == (
            other.where.offset,
            other.where.frame,
            other.where.last_frame,
        )
        assert abs(float(one.time) - float(other.time)) < 1e-6
        if not isinstance(one, LibxcPageData):
            assert bytes(one) == bytes(other)


def test_a_session_may_give_other_packets_too(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    frames = write_capture(path, RECIPE)
    alone = len(sniff(offline=path, session=MigrationSession()))
    together = sniff(offline=path, session=MigrationSession(others=True))
    bare = [packet for packet in together if TCP in packet]
    assert len(together) == alone + len(bare)
    assert 0 < len(bare) < frames


def layers(sniffed: Any) -> list[Any]:
    """The packets of the migration in what TCPSession gives: several that one segment completes lie in a stack."""
    found = []
    for frame in sniffed:
        packet = frame[TCP].payload
        while isinstance(packet, MigrationPacket):
            found.append(packet)
            packet = packet.payload
    return found


@pytest.mark.parametrize("segment", [1448, 60_000, [100, 3000]])
@pytest.mark.usefixtures("bound")
def test_scapys_own_session_gives_the_packets_of_the_reader(segment: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, RECIPE, segment=segment)
    sniffed = layers(sniff(offline=path, session=TCPSession))
    read = list(MigrationReader(path))
    assert [type(one) for one in sniffed] == [type(one) for one in read]
    for one, other in zip(sniffed, read, strict=True):
        one.remove_payload()
        assert bytes(one) == bytes(other)
    page_data = [one for one in sniffed if isinstance(one, LibxcPageData)]
    assert page_data[0].page(5) == page_pattern(5, 0)


@pytest.mark.usefixtures("bound")
def test_without_a_session_the_first_segment_is_recognised_and_others_are_raw() -> None:
    frames = list(CaptureRecipe(segment=1000, destination=("192.0.2.2", PORT)).packets(RECIPE))
    payloads = [frame[TCP].payload for frame in frames if frame[TCP].payload]
    assert isinstance(payloads[0], XlMessage)
    assert isinstance(payloads[1], XlSave)
    assert isinstance(payloads[3], Raw)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (XlSave(), XlSave),
        (LibxlHeader(), LibxlHeader),
        (XlMessage(), XlMessage),
        (Raw(b"GET / HTTP/1.1\r\n" + bytes(64)), Raw),
    ],
)
def test_a_migration_is_of_the_class_that_its_first_bytes_say(packet: Packet, expected: type[Packet]) -> None:
    assert type(Migration(bytes(packet))) is expected


def test_other_connections_are_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(5000), conversation=False)
    assert len(sniff(offline=path, session=MigrationSession)) == 0
