"""The command ``info``: what an input is."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.captures import Talk, ethernet, pcap
from tests.command import conversation, xenmig
from tests.corpus import sample
from tests.streams import StreamBuilder, guest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PCAP_HEADER = 24


def test_a_save_file_is_described_with_its_guest() -> None:
    path = sample("pvh-4.17-8M-1vcpu-savec.xlsave").unpacked()
    result = xenmig("info", path)
    assert (result.code, result.err) == (0, "")
    for words in (
        f"{path}: xl save file, 16,831,151 bytes",
        "xl > libxl (version 2) > libxc (version 3)",
        "PVH pvht1, 1 vcpu, 8 MiB, uuid 3ff7899a-5617-484d-82dc-26c0a15db23c",
        "Xen 4.17",
        "1,029 records, complete",
    ):
        assert words in result.out


def test_json_has_the_same_facts() -> None:
    path = sample("pvh-4.17-8M-1vcpu-savec.xlsave").unpacked()
    found = xenmig("info", "--json", path).json
    assert (found["kind"], found["size"]) == ("stream", 16_831_151)
    (migration,) = found["migrations"]
    assert migration["layers"] == ["xl", "libxl", "libxc"]
    assert (migration["guest"], migration["guest_type"], migration["name"]) == ("HVM", "pvh", "pvht1")
    assert (migration["xen"], migration["records"], migration["complete"]) == ("4.17", 1029, True)
    assert (migration["source"], migration["destination"]) == (None, None)


def test_a_capture_is_described_with_what_is_not_decoded_in_it() -> None:
    path = sample("hvm-4.17-16M-2vcpu-libvirt.pcap").unpacked()
    result = xenmig("info", path)
    assert result.code == 0
    assert "2,474" in result.out
    assert "migration 1: 127.0.0.1:39208 -> 127.0.0.1:49180" in result.out
    assert result.out.count("libvirt RPC") == 2
    found = xenmig("info", "--json", path).json
    assert [one["kind"] for one in found["not_decoded"]] == ["libvirt rpc", "libvirt rpc"]
    assert found["connections"] == 3


def test_memory_and_name_come_from_libvirts_xml(tmp_path: Path) -> None:
    xml = (
        b"<domain type='xen'><!-- by hand --><name>lv &amp; co</name><uuid>0-1</uuid><memory unit='MiB'>2</memory>"
        b"<currentMemory unit='KiB'>1024</currentMemory><vcpu placement='static'>3</vcpu>"
        b"<devices><disk><name>not this</name></disk></devices></domain>\0"
    )
    path = tmp_path / "saved"
    path.write_bytes(StreamBuilder().libvirt(xml).libxl().record(1).libxc().data)
    (found,) = xenmig("info", "--json", path).json["migrations"]
    assert (found["name"], found["uuid"], found["vcpus"]) == ("lv & co", "0-1", 3)
    assert (found["memory_kib"], found["maximum_memory_kib"]) == (1024, 2048)
    assert "libvirt (version 2)" in xenmig("info", path).out


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_byte_order_of_the_records_is_told(order: str, tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest(order=order).data)
    (found,) = xenmig("info", "--json", path).json["migrations"]
    expected = "little" if order == "<" else "big"
    assert found["byteorders"] == {"xl": expected, "libxl": expected, "libxc": expected}


def test_an_incomplete_stream_says_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(guest().data[:-30])
    result = xenmig("info", path)
    assert result.code == 0
    assert "incomplete" in result.out
    assert "cut off: the file ends inside record" in result.out
    (found,) = xenmig("info", "--json", path).json["migrations"]
    assert found["truncated"]["missing"] > 0


def test_a_receivers_side_alone_is_named(tmp_path: Path) -> None:
    talk = Talk().open()
    talk.send(talk.server, b"xl migration receiver ready, send binary domain data.\n")
    path = tmp_path / "capture"
    path.write_bytes(pcap([ethernet(packet) for packet in talk.packets]))
    result = xenmig("info", path)
    assert "only what the receiver says on connection 1" in result.out
    assert xenmig("timeline", path).code == 2


def test_two_migrations_of_one_capture_are_both_there(tmp_path: Path) -> None:
    first, second = conversation(guest().data), conversation(guest(kind="PV").data, port=40001)
    path = tmp_path / "capture"
    path.write_bytes(first + second[PCAP_HEADER:])
    result = xenmig("info", "--json", path)
    assert [one["guest"] for one in result.json["migrations"]] == ["HVM", "PV"]
    assert [one["connection"] for one in result.json["migrations"]] == [1, 2]


def test_a_name_of_any_length_takes_little_room_on_a_terminal(tmp_path: Path) -> None:
    config = b'{"c_info": {"type": "hvm", "name": "' + b"n" * 200_000 + b'"}}\0'
    path = tmp_path / "long"
    path.write_bytes(StreamBuilder().xl(config).libxl().data)
    result = xenmig("info", path)
    assert max(map(len, result.out.splitlines())) < 400
    assert "(200,000 characters)" in result.out
    assert xenmig("info", "--json", path).json["migrations"][0]["name"] == "n" * 200_000


def test_a_configuration_too_large_to_be_one_is_not_parsed(tmp_path: Path) -> None:
    config = b'{"c_info": {"name": "big"}, "x": [' + b"[]," * 200_000 + b"0]}\0"
    path = tmp_path / "large"
    path.write_bytes(StreamBuilder().xl(config).libxl().data)
    result = xenmig("info", path)
    assert "is not read" in result.out
    assert "big" not in result.out


def test_a_capture_without_payload_is_said_to_be_cut_by_its_snaplen(tmp_path: Path) -> None:
    path = tmp_path / "short"
    frames = conversation(guest().data)
    path.write_bytes(frames[:PCAP_HEADER] + b"".join(_snapped(frames, 54)))
    result = xenmig("info", path)
    assert result.code == 2
    assert "payload is missing" in result.out
    assert "in the clear" not in result.out


def _snapped(capture: bytes, size: int) -> Iterator[bytes]:
    """The frames of a pcap file, of which no more than ``size`` bytes each are kept."""
    at = PCAP_HEADER
    while at < len(capture):
        length = int.from_bytes(capture[at + 8 : at + 12], "little")
        kept = min(size, length)
        yield capture[at : at + 8] + kept.to_bytes(4, "little") + capture[at + 12 : at + 16 + kept]
        at += 16 + length


@pytest.mark.parametrize("first", [b"\xa1\xb2\xcd\x34\0\2\0\4", b"\x34\xcd\xb2\xa1\2\0\4\0", b"snoop\0\0\0"])
def test_a_capture_in_another_format_is_named_with_what_converts_it(first: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(first + bytes(64))
    result = xenmig("info", path)
    assert result.code == 2
    assert "editcap -F pcapng" in result.err


def test_a_legacy_stream_of_a_32_bit_toolstack_is_named(tmp_path: Path) -> None:
    path = tmp_path / "legacy"
    path.write_bytes(struct.pack("<Ii", 0x80000, 1024) + bytes(4096))
    result = xenmig("info", path)
    assert result.code == 2
    assert "legacy (version 1) libxc stream" in result.err
