"""Every link layer, IP version and header variant leads to the same TCP bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.captures import (
    ACK,
    RST,
    Everything,
    Talk,
    cooked,
    cooked2,
    ethernet,
    ip,
    pcap,
    pcapng,
    read,
    recorder,
    streams,
    summary,
    tcp,
)

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = [b"first words", b"and more of them", b"the last"]
V6 = ("fd00::1", "fd00::2")


def talk(addresses: tuple[str, str] = ("10.0.0.1", "10.0.0.2"), count: int = 40) -> list[bytes]:
    conversation = Talk(*addresses).open()
    for number in range(count):
        conversation.send(conversation.client, WORDS[number % 3])
        conversation.send(conversation.server, b"")
    return conversation.close().packets


SENT = b"".join(WORDS[number % 3] for number in range(40))


def family(order: str, value: int) -> Callable[[bytes], bytes]:
    return lambda packet: struct.pack(order + "I", value) + packet


LAYERS: list[tuple[str, int, Callable[[bytes], bytes]]] = [
    ("Ethernet", 1, ethernet),
    ("VLAN", 1, lambda packet: ethernet(packet, 0x8100)),
    ("QinQ", 1, lambda packet: ethernet(packet, 0x88A8, 0x8100)),
    ("old QinQ", 1, lambda packet: ethernet(packet, 0x9100, 0x8100)),
    ("Linux cooked", 113, cooked),
    ("Linux cooked v2", 276, cooked2),
    ("raw 101", 101, bytes),
    ("raw 12", 12, bytes),
    ("raw 14", 14, bytes),
]


@pytest.mark.parametrize(("link_type", "wrap"), [layer[1:] for layer in LAYERS], ids=[layer[0] for layer in LAYERS])
@pytest.mark.parametrize("addresses", [("10.0.0.1", "10.0.0.2"), V6], ids=["IPv4", "IPv6"])
def test_link_layers(link_type: int, wrap: Callable[[bytes], bytes], addresses: tuple[str, str]) -> None:
    frames = [wrap(packet) for packet in talk(addresses)]
    for data in (pcap(frames, link_type=link_type), pcapng(frames, link_type)):
        capture = read(data)
        assert streams(capture) == [SENT]
        (connection,) = capture.connections
        client, server = connection.directions
        assert (client.source.address, client.source.port, str(client.destination)) == (
            addresses[0],
            40000,
            str(server.source),
        )
        assert capture.notices == []
        assert summary(read(data, plain=True)) == summary(capture)


@pytest.mark.parametrize(
    ("link_type", "addresses", "wrap"),
    [
        (228, ("10.0.0.1", "10.0.0.2"), bytes),
        (229, V6, bytes),
        (0, ("10.0.0.1", "10.0.0.2"), family("<", 2)),
        (0, ("10.0.0.1", "10.0.0.2"), family(">", 2)),
        (0, V6, family("<", 10)),
        (0, V6, family("<", 24)),
        (0, V6, family(">", 28)),
        (0, V6, family("<", 30)),
        (108, ("10.0.0.1", "10.0.0.2"), family(">", 2)),
        (108, V6, family(">", 24)),
    ],
)
def test_link_types_of_one_ip_version_and_loopback(
    link_type: int, addresses: tuple[str, str], wrap: Callable[[bytes], bytes]
) -> None:
    data = pcap([wrap(packet) for packet in talk(addresses)], link_type=link_type)
    capture = read(data)
    assert streams(capture) == [SENT]
    assert summary(read(data, plain=True)) == summary(capture)


def test_a_capture_that_mixes_vlans_and_ip_versions_loses_nothing() -> None:
    one = [ethernet(packet) for packet in talk()]
    other = [ethernet(packet, 0x8100) for packet in talk(V6)]
    frames = [frame for pair in zip(one, other, strict=True) for frame in pair]
    data = pcap(frames + one[:0])
    capture = read(data)
    assert streams(capture) == [SENT, SENT]
    assert summary(read(data, plain=True)) == summary(capture)


def one_segment(packet: Callable[[Talk, bytes], bytes], addresses: tuple[str, str]) -> list[bytes]:
    """The bytes of a connection whose middle segment is made by ``packet`` out of a TCP segment."""
    conversation = Talk(*addresses).open()
    conversation.send(conversation.client, b"before ")
    client, server = conversation.client, conversation.server
    segment = tcp(client, server, client.sequence, server.sequence, ACK, b"here")
    conversation.packets.append(packet(conversation, segment))
    client.sequence += 4
    conversation.send(client, b" after")
    data = pcap([ethernet(one) for one in conversation.packets])
    capture = read(data)
    assert summary(read(data, plain=True)) == summary(capture)
    assert [notice.kind for notice in capture.notices] == []
    return streams(capture)


def test_ipv4_options_are_passed_over() -> None:
    found = one_segment(lambda t, s: ip(t.client, t.server, s, options=b"\x94\x04\0\0" * 10), ("10.0.0.1", "10.0.0.2"))
    assert found == [b"before here after"]


def test_ipv6_extension_headers_are_passed_over() -> None:
    headers = bytes([60, 0, 1, 4, 0, 0, 0, 0]) + bytes([43, 1]) + bytes(14) + bytes([51, 0, 0, 0, 0, 0, 0, 0])
    authentication = bytes([6, 4]) + bytes(22)
    found = one_segment(lambda t, s: ip(t.client, t.server, s, options=headers + authentication), V6)
    assert found == [b"before here after"]


def test_tcp_options_are_passed_over() -> None:
    def with_options(t: Talk, segment: bytes) -> bytes:
        header = segment[:12] + bytes([0x80]) + segment[13:20]
        return ip(t.client, t.server, header + b"\x01\x01\x08\x0a" + bytes(8) + segment[20:])

    assert one_segment(with_options, ("10.0.0.1", "10.0.0.2")) == [b"before here after"]


@pytest.mark.parametrize("addresses", [("10.0.0.1", "10.0.0.2"), V6])
def test_a_datagram_that_gives_no_length_fills_the_frame(addresses: tuple[str, str]) -> None:
    """Segmentation offload and BIG TCP leave 0 in the length field."""
    big = bytes(range(256)) * 1000
    conversation = Talk(*addresses).open()
    client, server = conversation.client, conversation.server
    segment = tcp(client, server, client.sequence, server.sequence, ACK, big)
    conversation.packets.append(ip(client, server, segment, total=0))
    client.sequence += len(big)
    conversation.send(client, b"after")
    capture = read(pcap([ethernet(packet) for packet in conversation.packets]))
    assert streams(capture) == [big + b"after"]


def test_the_padding_of_short_frames_is_no_payload() -> None:
    conversation = Talk().open()
    conversation.send(conversation.client, b"x")
    conversation.send(conversation.server, b"")
    conversation.send(conversation.client, b"yz")
    frames = [ethernet(packet) for packet in conversation.packets]
    assert {len(frame) for frame in frames} == {60}
    assert streams(read(pcap(frames))) == [b"xyz"]


@pytest.mark.parametrize("fragment", [0x2000, 0x00B9, 0x20B9])
def test_fragments_are_counted_and_named_and_what_they_carry_is_a_hole(fragment: int) -> None:
    conversation = Talk().open()
    client, server = conversation.client, conversation.server
    conversation.send(client, b"before")
    for _ in range(2):
        segment = tcp(client, server, client.sequence, server.sequence, ACK, b"lost")
        conversation.packets.append(ip(client, server, segment, fragment=fragment))
        client.sequence += 4
    conversation.send(client, b"after")
    capture = read(pcap([ethernet(packet) for packet in conversation.packets]))
    (notice,) = capture.notices
    assert (notice.kind, notice.count, notice.frame) == ("fragments", 2, 5)
    kept = recorder(capture.connections[0].directions[0])
    assert kept.holes == [(6, 8)]
    assert bytes(kept.data) == b"before" + bytes(8) + b"after"


def test_ipv6_fragments_are_counted_and_named() -> None:
    conversation = Talk(*V6).open()
    client, server = conversation.client, conversation.server
    segment = tcp(client, server, client.sequence, server.sequence, ACK, b"lost")
    packet = bytearray(ip(client, server, bytes([6, 0, 0, 1]) + bytes(4) + segment))
    packet[6] = 44
    conversation.packets.append(bytes(packet))
    capture = read(pcap([ethernet(packet) for packet in conversation.packets]))
    assert [(notice.kind, notice.count) for notice in capture.notices] == [("fragments", 1)]


def test_what_is_not_tcp_is_counted_and_left_alone() -> None:
    frames = [ethernet(packet) for packet in talk()]
    udp = bytearray(frames[5])
    udp[23] = 17
    arp = bytearray(frames[5])
    arp[12:14] = b"\x08\x06"
    short = frames[5][:10]
    header_cut = frames[5][:14] + bytes([0x4F]) + frames[5][15:]
    tcp_short = frames[5][:46] + b"\x10" + frames[5][47:]
    capture = read(pcap([bytes(udp), bytes(arp), short, header_cut, tcp_short, *frames, bytes(udp)]))
    assert streams(capture) == [SENT]
    found = {notice.kind: (notice.count, notice.frame) for notice in capture.notices}
    assert found == {"not TCP": (2, 1), "not IP": (2, 2), "malformed IP": (1, 4), "malformed TCP": (1, 5)}


@pytest.mark.parametrize("snaplen", [66, 80, 154])
def test_what_the_capture_program_cut_off_is_a_hole(snaplen: int) -> None:
    conversation = Talk().open()
    payloads = [bytes([65 + number]) * (100 + number) for number in range(30)]
    for payload in payloads:
        conversation.send(conversation.client, payload)
    frames = [ethernet(packet) for packet in conversation.close().packets]
    data = pcap(frames, snaplen=snaplen)
    capture = read(data)
    kept = recorder(capture.connections[0].directions[0])
    there = snaplen - 54
    expected = b"".join(payload[:there] + bytes(max(0, len(payload) - there)) for payload in payloads)
    assert bytes(kept.data) == expected
    cut = [payload for payload in payloads if len(payload) > there]
    assert [length for _, length in kept.holes] == [len(payload) - there for payload in cut]
    (notice,) = capture.notices
    assert (notice.kind, notice.count) == ("snaplen", len(cut))
    assert kept.ended
    assert summary(read(data, plain=True)) == summary(capture)


def test_a_snaplen_that_leaves_only_headers_leaves_nothing_to_recognise() -> None:
    conversation = Talk().open()
    conversation.send(conversation.client, b"a" * 100)
    data = pcap([ethernet(packet) for packet in conversation.packets], snaplen=54)
    capture = read(data, Everything())
    assert capture.connections == [], "no byte is there to tell what the connection is"


def test_a_lonely_reset_makes_no_connection() -> None:
    conversation = Talk()
    conversation.send(conversation.client, b"", RST)
    assert read(pcap([ethernet(packet) for packet in conversation.packets])).connection_count == 0
