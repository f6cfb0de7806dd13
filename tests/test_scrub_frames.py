"""What becomes of frames: headers stay, payload goes, and checksums are as right or wrong as they were."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.captures import (
    ACK,
    FIN,
    A,
    B,
    Host,
    Talk,
    block,
    cooked,
    cooked2,
    enhanced,
    ethernet,
    interface,
    ip,
    obsolete,
    pcap,
    section,
    simple,
    tcp,
)
from tests.scrubs import SECRET, copy_of, secrets_in, use_secret_pages
from tests.valid_streams import hvm, in_libxl, in_xl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ETHERNET = ethernet(b"\x45")[:14]


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    use_secret_pages(monkeypatch)


def checked(packet: bytes, change: int = 0) -> bytes:
    """The IP datagram with the checksum of TCP or UDP that it should have, or one that is ``change`` off."""
    wide = packet[0] >> 4 == 6
    start, addresses = (40, packet[8:40]) if wide else (20, packet[12:20])
    protocol = packet[6] if wide else packet[9]
    at = start + (16 if protocol == 6 else 6)
    body = packet[start:at] + b"\0\0" + packet[at + 2 :]
    pseudo = addresses + struct.pack(">HHI", protocol, 0, len(body)) + body + b"\0" * (len(body) & 1)
    total = sum(struct.unpack(f">{len(pseudo) // 2}H", pseudo))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return packet[:at] + struct.pack(">H", (0xFFFF - total + change) & 0xFFFF) + packet[at + 2 :]


def talk_of(stream: bytes, addresses: tuple[str, str] = (A, B), size: int = 1000) -> list[bytes]:
    talk = Talk(*addresses).open()
    for at in range(0, len(stream), size):
        talk.send(talk.client, stream[at : at + size])
    return talk.close().packets


def stream() -> bytes:
    return bytes(in_xl(in_libxl(hvm())))


@pytest.mark.parametrize("addresses", [(A, B), ("fe80::1", "fe80::2")], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("change", [0, 1, 0x1234])
def test_a_checksum_that_was_right_is_right_and_any_other_is_wrong(
    addresses: tuple[str, str], change: int, tmp_path: Path
) -> None:
    packets = [checked(packet, change) for packet in talk_of(stream(), addresses, 1001)]
    original = pcap([ethernet(packet, pad=False) for packet in packets])
    copy = copy_of(original, tmp_path)
    assert not secrets_in(copy)
    at = 24
    changed = 0
    for old in packets:
        new = copy[at + 16 + 14 : at + 16 + 14 + len(old)]
        at += 16 + 14 + len(old)
        changed += old != new
        assert (checked(new) == new) == (change == 0)
    assert changed > 10


@pytest.mark.parametrize("partial", [True, False], ids=["sum of the pseudo-header", "zero"])
def test_a_checksum_that_was_left_to_the_network_card_stays_as_it_is(partial: bool, tmp_path: Path) -> None:
    packets = []
    for packet in talk_of(stream()):
        pseudo = struct.unpack(">4H", packet[12:20])
        total = sum(pseudo) + 6 + len(packet) - 20
        total = (total & 0xFFFF) + (total >> 16)
        packets.append(packet[:36] + struct.pack(">H", total if partial else 0) + packet[38:])
    original = pcap([ethernet(packet, pad=False) for packet in packets])
    copy = copy_of(original, tmp_path)
    at = 24
    for packet in packets:
        assert copy[at + 30 : at + 30 + 40] == packet[:40]
        at += 30 + len(packet)


def test_frames_that_were_not_captured_whole_keep_their_lengths_and_say_nothing_of_what_went(tmp_path: Path) -> None:
    whole = [ethernet(checked(packet), pad=False) for packet in talk_of(stream())]
    other = [ethernet(checked(packet), pad=False) for packet in talk_of(stream().replace(SECRET[700:], SECRET[:-700]))]
    copies = [copy_of(pcap(frames, snaplen=200), tmp_path) for frames in (whole, other)]
    assert copies[0] == copies[1]
    assert len(copies[0]) == len(pcap(whole, snaplen=200))
    assert not secrets_in(copies[0])
    assert copies[0][24:40] == pcap(whole, snaplen=200)[24:40]


@pytest.mark.parametrize(
    ("link_type", "link"),
    [
        (1, ethernet),
        (1, lambda packet: ethernet(packet, 0x8100, 0x88A8)),
        (113, cooked),
        (276, cooked2),
        (101, lambda packet: packet),
        (228, lambda packet: packet),
        (0, lambda packet: b"\x02\0\0\0" + packet),
        (108, lambda packet: b"\0\0\0\x02" + packet),
    ],
    ids=["Ethernet", "VLAN", "cooked", "cooked 2", "raw", "IPv4", "null", "loop"],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_link_type_keeps_its_headers(
    link_type: int, link: Callable[[bytes], bytes], order: str, tmp_path: Path
) -> None:
    frames = [link(packet) for packet in talk_of(stream())]
    original = pcap(frames, link_type=link_type, order=order, nanoseconds=True)
    copy = copy_of(original, tmp_path)
    assert len(copy) == len(original)
    assert not secrets_in(copy)
    # Only zeros are new, checksums apart: none is right in these frames.
    assert all(new in (old, 0) for old, new in zip(original, copy, strict=True))


UDP = struct.pack(">HHHH", 53, 53, 8 + 1000, 0) + SECRET[:1000]
TO = (Host(A, 1), Host(B, 2))


def carrying(protocol: int, payload: bytes, *, fragment: int = 0x4000) -> bytes:
    """An Ethernet frame with an IP datagram of that protocol."""
    packet = ip(*TO, payload, fragment=fragment)
    return ethernet(packet[:9] + bytes([protocol]) + packet[10:])


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        (carrying(17, UDP), 42),
        (carrying(1, b"\x03\x04" + bytes(6) + SECRET[:500]), 42),
        (carrying(47, SECRET[:500]), 34),
        (carrying(6, tcp(*TO, 1, 1, ACK, SECRET[:900]), fragment=0x2000), 34),
        (carrying(6, SECRET[:900], fragment=100), 34),
        (ETHERNET[:12] + b"\x08\x06" + SECRET[:100], 14),
        (ETHERNET[:12] + b"\x81\x00\0\x07\x88\xcc" + SECRET[:100], 18),
        (ETHERNET + b"\x15" + SECRET[:100], 14),
        (carrying(6, tcp(*TO, 1, 1, ACK, b"")[:12] + b"\x20" + SECRET[:100]), 34),
        (carrying(6, tcp(*TO, 1, 1, FIN | ACK, b"")) + SECRET[:300], 54),
        (ETHERNET[:10], 10),
    ],
    ids=[
        "UDP",
        "ICMP",
        "GRE",
        "first fragment",
        "fragment",
        "ARP",
        "LLDP",
        "malformed IP",
        "malformed TCP",
        "trailer",
        "short",
    ],
)
def test_what_is_no_tcp_keeps_headers_only(frame: bytes, kept: int, tmp_path: Path) -> None:
    copy = copy_of(pcap([frame]), tmp_path)
    assert len(copy) == 24 + 16 + len(frame)
    new = copy[40:]
    assert new[:kept] == frame[:kept]
    assert new[kept:] == bytes(len(frame) - kept)


def test_frames_of_an_unknown_link_type_become_zeros(tmp_path: Path) -> None:
    assert copy_of(pcap([SECRET], link_type=147), tmp_path)[40:] == bytes(4096)


@pytest.mark.skipif(
    shutil.which("tshark") is None and os.environ.get("CI") != "true", reason="tshark is not here (make tools)"
)
def test_tshark_finds_the_checksums_of_udp_and_icmp_right(tmp_path: Path) -> None:
    frames = []
    for wide in (False, True):
        ends = (Host("fe80::1", 1), Host("fe80::2", 2)) if wide else TO
        packet = bytearray(ip(*ends, UDP))
        packet[6 if wide else 9] = 17
        frames.append(ethernet(checked(bytes(packet)), pad=False))
    copy_of(pcap(frames), tmp_path)
    shown = ["-T", "fields", "-e", "udp.checksum.status", "-e", "udp.length"]
    done = subprocess.run(
        ["tshark", "-n", "-r", tmp_path / "out", "-o", "udp.check_checksum:TRUE", *shown],
        check=True,
        capture_output=True,
    )
    assert done.stdout.split() == [b"1", b"1008"] * 2


# -- pcapng ---------------------------------------------------------------------------------------------------------


def option(code: int, value: bytes, order: str) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_blocks_of_pcapng_keep_their_places_and_lose_what_may_be_secret(order: str, tmp_path: Path) -> None:
    def with_options(made: bytes, *options: bytes) -> bytes:
        kind, _ = struct.unpack_from(order + "II", made)
        body = made[8:-4]
        # A packet has options of its own.
        return block(kind, (body[:-12] if kind == 6 else body) + b"".join(options), order)

    secret = SECRET[:100]
    frames = [ethernet(packet) for packet in talk_of(stream())]
    comment = option(1, secret, order)
    blocks = [
        with_options(section(order), option(3, b"Linux", order), comment, bytes(4)),
        with_options(interface(1, order), option(2, b"eth0", order), option(2988, secret, order), bytes(4)),
        block(4, struct.pack(order + "HH", 1, 104) + secret + bytes(8), order),
        block(10, struct.pack(order + "II", 0x544C534B, 100) + secret, order),
        block(9, secret, order),
        block(0xBAD, struct.pack(order + "I", 32473) + secret, order),
        block(0x12345, SECRET * 20, order),
        *(enhanced(frame, 1_000_000 + n, 0, order) for n, frame in enumerate(frames[:-3])),
        with_options(enhanced(frames[-3], 9, 0, order), comment, option(3, secret, order)),
        obsolete(frames[-2], 9, 0, order),
        simple(frames[-1], order),
        block(5, struct.pack(order + "III", 0, 0, 9) + option(4, struct.pack(order + "Q", 77), order) + comment, order),
        section("<" if order == ">" else ">"),
        interface(1, "<" if order == ">" else ">"),
    ]
    original = b"".join(blocks)
    copy = copy_of(original, tmp_path)
    assert len(copy) == len(original)
    assert not secrets_in(copy)
    assert b"Linux" in copy
    assert b"eth0" in copy
    assert struct.pack(order + "Q", 77) in copy
    at = 0
    for one in blocks:
        assert copy[at : at + 8] == one[:8]
        assert copy[at + len(one) - 4 : at + len(one)] == one[-4:]
        at += len(one)
    if shutil.which("capinfos") or os.environ.get("CI") == "true":
        shown = [
            subprocess.run(["capinfos", "-Tmrcsuzy", tmp_path / name], check=True, capture_output=True).stdout
            for name in ("in", "out")
        ]
        assert shown[0].partition(b",")[2] == shown[1].partition(b",")[2]


@pytest.mark.parametrize("cut", [1, 3, 9, 15, 17, 40, 500])
def test_what_is_cut_off_stays_so_and_is_zeros(cut: int, tmp_path: Path) -> None:
    for original in (pcap([ethernet(SECRET)]), section() + interface() + enhanced(SECRET, 1)):
        copy = copy_of(original[:-cut], tmp_path)
        assert len(copy) == len(original) - cut
        assert not secrets_in(copy)


def test_reading_stops_at_damage_and_so_does_the_copy(tmp_path: Path) -> None:
    good = pcap([ethernet(b"\x45" * 40)])
    too_large = struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30)
    assert copy_of(good + too_large + SECRET, tmp_path) == copy_of(good, tmp_path)
    blocks = section() + interface() + enhanced(bytes(60), 1)
    for damage in struct.pack("<II", 6, 31), struct.pack("<7I", 6, 64, 0, 0, 0, 999, 999):
        assert len(copy_of(blocks + damage + SECRET, tmp_path)) == len(blocks)
