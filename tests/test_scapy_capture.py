"""Captures made with Scapy: every segmentation, and everything that networks do, leads back to the same stream."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.utils import rdpcap

from xenmig.scapy_layers.capture import CaptureRecipe, write_capture
from xenmig.scapy_layers.layers import LibxcPageData, LibxcX86TscInfo, XlMessage, XlSave
from xenmig.scapy_layers.reader import MigrationReader
from xenmig.scapy_layers.recipe import Recipe
from xenmig.scapy_layers.segments import Segment, cut
from xenmig.scapy_layers.stream import MigrationStream

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe("HVM", pages=60, iterations=2, batch=16)
BYTES = bytes(RECIPE)

NETWORKS: dict[str, dict[str, Any]] = {
    "orderly": {},
    "small segments": {"segment": 100},
    "segments of all sizes": {"segment": [1, 7, 1448, 65_000, 13]},
    "late": {"late": 0.05},
    "swapped": {"swapped": 0.1},
    "twice": {"twice": 0.2},
    "everything": {"late": 0.02, "swapped": 0.05, "twice": 0.05, "seed": 7},
    "numbers that wrap": {"sequence": (1 << 32) - 5000, "late": {3, 4}},
    "IPv6": {"source": ("2001:db8::1", 1234), "destination": ("2001:db8::2", 5678)},
    "without a handshake": {"handshake": False},
    "without acknowledgments": {"acknowledge_every": 0},
}


def received(path: str) -> bytes:
    """The sender's bytes, from the packets that the reader gives."""
    packets = list(MigrationReader(path))
    number = next(packet.where.stream for packet in packets if isinstance(packet, XlSave))
    return bytes(
        MigrationStream(
            packet for packet in packets if packet.where.stream == number and not isinstance(packet, XlMessage)
        )
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_a_capture_holds_the_stream_whatever_the_network_does(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, RECIPE, **NETWORKS[name])
    assert received(path) == BYTES
    assert list(MigrationReader(path).notices) == []


@pytest.mark.fuzz
@given(
    sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=4),
    late=st.sets(st.integers(0, 60), max_size=4),
    swapped=st.sets(st.integers(0, 60), max_size=4),
    twice=st.sets(st.integers(0, 60), max_size=4),
    sequence=st.integers(0, (1 << 32) - 1),
)
def test_every_segment_arrives_in_any_mixture(
    sizes: list[int], late: set[int], swapped: set[int], twice: set[int], sequence: int
) -> None:
    recipe = CaptureRecipe(segment=sizes, late=late, swapped=swapped, twice=twice, sequence=sequence)
    data = bytes(range(256)) * 200
    segments: list[Segment] = [one for one in recipe.segments(data) if one.forth and one.payload]
    place = {(one.sequence - sequence - 1) & 0xFFFFFFFF: one.payload for one in segments}
    assert b"".join(place[at] for at in sorted(place)) == data
    assert {len(payload) for payload in place.values()} <= {
        *sizes,
        *(len(data) % sum(sizes) - n for n in (0, *sizes)),
    } | {len(place[max(place)])}


def test_a_lost_segment_is_a_hole_of_its_size(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, RECIPE, segment=1000, lost={10, 11})
    reader = MigrationReader(path)
    missing = [packet.where.missing for packet in reader if getattr(packet, "where", None) and packet.where.missing]
    assert missing == [2000]
    assert list(reader.notices) == ["stream 2, offset 9000: 2000 bytes were not captured"]


def test_segments_are_as_large_as_asked_for() -> None:
    assert [len(one) for one in cut([b"a" * 10, b"", b"b" * 11], [3, 5])] == [3, 5, 3, 5, 3, 2]
    assert b"".join(cut([b"abc", b"defgh"], [1])) == b"abcdefgh"
    assert list(cut([], [5])) == []


@pytest.mark.parametrize(
    "wrong",
    [{"segment": 0}, {"segment": 70_000}, {"segment": []}, {"late": 2.0}, {"source": ("2001:db8::1", 1)}],
    ids=str,
)
def test_a_network_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"segments|probability|IPv"):
        write_capture(io.BytesIO(), b"data", **wrong)


@pytest.mark.parametrize("version", [4, 6])
def test_scapy_reads_the_frames_and_finds_the_checksums_right(version: int, tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    hosts = {4: ("192.0.2.7", "192.0.2.9"), 6: ("2001:db8::7", "2001:db8::9")}[version]
    frames = write_capture(
        path, b"x" * 5000, source=(hosts[0], 10), destination=(hosts[1], 20), checksums=True, conversation=False
    )
    packets = rdpcap(path)
    assert len(packets) == frames
    assert [str(packet[TCP].flags) for packet in packets][:3] == ["S", "SA", "A"]
    for packet in packets:
        network = packet[IP if version == 4 else IPv6]
        again = network.copy()
        del again[TCP].chksum
        if version == 4:
            del again.chksum
        assert type(network)(bytes(again)) == network


def test_the_same_recipe_writes_the_same_capture() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    options: dict[str, Any] = {"late": 0.1, "twice": 0.1, "seed": 3}
    write_capture(first, RECIPE, **options)
    write_capture(second, RECIPE, **options)
    assert first.getvalue() == second.getvalue()
    third = io.BytesIO()
    write_capture(third, RECIPE, **{**options, "seed": 4})
    assert third.getvalue() != first.getvalue()


@pytest.mark.parametrize(
    "stream", [RECIPE, RECIPE.stream(), BYTES, list(RECIPE.stream())], ids=lambda s: type(s).__name__
)
def test_a_stream_is_taken_in_every_form(stream: Any) -> None:
    file = io.BytesIO()
    write_capture(file, stream)
    expected = io.BytesIO()
    write_capture(expected, BYTES)
    assert len(file.getvalue()) == len(expected.getvalue())


def test_tshark_reassembles_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    write_capture(str(path), RECIPE, late={5}, swapped={12}, twice={20}, checksums=True)
    try:
        done = subprocess.run(
            ["tshark", "-r", str(path), "-q", "-z", "follow,tcp,raw,0", "--disable-heuristic", "thrift_tcp"],
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("tshark is not here")
    lines = [line for line in done.stdout.splitlines() if line and all(c in "0123456789abcdef" for c in line)]
    assert BYTES.hex() in "".join(lines)


def test_a_single_packet_can_be_sent() -> None:
    frames = list(CaptureRecipe(conversation=False).packets(LibxcX86TscInfo(khz=5)))
    assert bytes(frames[3][TCP].payload) == bytes(LibxcX86TscInfo(khz=5))
    assert float(frames[3].time) > 1_600_000_000


def test_page_data_of_a_capture_is_that_of_the_recipe(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, RECIPE, late=0.05)
    expected = RECIPE.stream().find(LibxcPageData)
    found = list(MigrationReader(path).find(LibxcPageData))
    assert [bytes(one.page_data) for one in found] == [bytes(one.page_data) for one in expected]
