"""Traffic is measured the same whether runs of segments are counted at once or each by itself."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.capture import Writer
from tests.benchmarks.capture import segments as full_size
from tests.captures import ACK, FIN, PSH, RST, START, SYN, Talk, enhanced, ethernet, interface, ip, section, tcp
from tests.corpus import corpus, requires_corpus
from tests.traffic import facts, measure
from xenmig.core.sources.traffic.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.corpus import Sample


def timed(packets: Sequence[tuple[int, bytes]], *, nanoseconds: bool = True) -> bytes:
    """A pcap file of IP datagrams, each so many nanoseconds after the one before."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    time = START
    for step, packet in packets:
        time += step
        frame = ethernet(packet)
        seconds, fraction = divmod(time, 1_000_000_000)
        fraction //= 1 if nanoseconds else 1000
        out.append(struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame)
    return b"".join(out)


def bulk(segments: int = 3000) -> bytes:
    """A transfer at full speed whose sequence numbers pass 2**32."""
    file = io.BytesIO()
    writer = Writer(file)
    source, destination = writer.source, writer.destination
    source.sequence = 0xFFFFFFFF - 1448 * segments // 2
    writer.send(source, flags=SYN)
    writer.send(destination, flags=SYN | ACK)
    writer.send(source)
    for number, data in enumerate(full_size([segments * 1448 + 100])):
        writer.send(source, data, ACK | (PSH if number % 7 == 0 else 0))
        if number % 2:
            writer.send(destination)
    return file.getvalue()


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many groups were counted at once, each time."""
    counts: list[int] = []
    original = Run.groups

    def counting(self: Run, *others: Any) -> int:
        counts.append(original(self, *others))
        return counts[-1]

    monkeypatch.setattr(Run, "groups", counting)
    return counts


def test_bulk_data_is_measured_the_same_in_runs_and_segment_by_segment(grouped: list[int]) -> None:
    data = bulk()
    (traffic,) = measure(data)
    assert sum(grouped) > 1400
    assert facts(traffic) == facts(measure(data, plain=True)[0])
    assert traffic is not None
    forth = traffic.flows[0]
    assert (forth.segments, forth.payload_bytes) == (3001, 3000 * 1448 + 100)
    assert forth.sending == forth.transfer_time == 12_000 * (3001 + 1500 - 1)
    assert sum(traffic.series.columns[0]) == forth.payload_bytes
    assert sum(traffic.series.columns[1]) == forth.wire_bytes


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("resolution", "units"), [(None, 10**6), (9, 10**9), (3, 1000), (0x8A, 1 << 10)])
@pytest.mark.parametrize("start", [START, (1 << 62) // 10**9 * 10**9, 4_294_967_295 * 1000])
def test_bulk_data_in_pcapng_is_measured_the_same_in_runs_and_segment_by_segment(
    order: str, resolution: int | None, units: int, start: int, grouped: list[int]
) -> None:
    data = bulk(900)
    blocks = [section(order), interface(order=order, tsresol=resolution)]
    at, number = 24, 0
    while at < len(data):
        _, _, length, _ = struct.unpack_from("<IIII", data, at)
        time = start + number * 12_000 + (150_000 if number > 700 else 0)
        blocks.append(enhanced(data[at + 16 : at + 16 + length], time * units // 10**9, order=order))
        at += 16 + length
        number += 1
    capture = b"".join(blocks)
    (traffic,) = measure(capture)
    # Where a clock ticks in milliseconds, each tick looks like a wait.
    assert sum(grouped) > (400 if units > 1 << 10 else 100)
    assert facts(traffic) == facts(measure(capture, plain=True)[0])
    assert traffic is not None
    assert traffic.flows[0].segments == 901


@pytest.mark.parametrize("piece", [100, 5000, 70_000])
def test_how_a_capture_comes_in_pieces_does_not_matter(piece: int) -> None:
    data = bulk(500)
    assert facts(measure(data, piece=piece)[0]) == facts(measure(data)[0])


@requires_corpus
@pytest.mark.parametrize("sample", corpus("capture"), ids=repr)
def test_real_traffic_is_measured_the_same_in_runs_and_segment_by_segment(sample: Sample) -> None:
    data = sample.unpacked().read_bytes()
    assert [facts(one) for one in measure(data)] == [facts(one) for one in measure(data, plain=True)]


steps = st.sampled_from([0, 1000, 12_000, 99_999, 100_000, 150_000, 3_000_000, 30_000_000, 250_000_000])
actions = st.lists(
    st.tuples(
        st.sampled_from(
            ["send", "send", "send", "ack", "ack", "again", "lose", "late", "window", "answer", "close", "old"]
        ),
        steps,
        st.integers(0, 5),
        st.sampled_from([0, 1, 30, 64, 512]),
    ),
    max_size=60,
)


@given(actions, st.sampled_from([None, (0, 7), (3, 3), (7, None)]), st.integers(0, 0xFFFFFFFF), st.booleans())
def test_any_conversation_is_measured_the_same_and_adds_up(
    done: list[tuple[str, int, int, int]], shifts: tuple[int, int | None] | None, start: int, nanoseconds: bool
) -> None:
    talk = Talk(start=(start, 9000))
    client, server = talk.client, talk.server
    packets: list[tuple[int, bytes]] = []

    def put(
        step: int, sender: object, sequence: int, ack: int, data: bytes, flags: int, window: int, options: bytes = b""
    ) -> None:
        one, other = (client, server) if sender is client else (server, client)
        segment = tcp(one, other, sequence, ack & 0xFFFFFFFF, flags, data, options, window)
        packets.append((step, ip(one, other, segment)))

    if shifts is not None:
        for host, shift, flags in ((client, shifts[0], SYN), (server, shifts[1], SYN | ACK)):
            options = b"\x02\x04\x02\x00" + (b"" if shift is None else bytes((1, 3, 3, shift)))
            put(50_000, host, host.sequence, client.sequence if host is server else 0, b"", flags, 64, options)
            host.sequence += 1
        put(50_000, client, client.sequence, server.sequence, b"", ACK, 64)
    acked = client.sequence
    window = 512
    for what, step, number, size in done:
        data = bytes(100 * number)
        if what in ("send", "lose"):
            if what == "send":
                put(
                    step,
                    client,
                    client.sequence,
                    server.sequence,
                    data or bytes(100),
                    ACK | (PSH if number == 1 else 0),
                    64,
                )
            client.sequence += len(data) or 100
        elif what == "ack":
            acked = client.sequence - 100 * (number // 2)
            put(step, server, server.sequence, acked, b"", ACK, window)
        elif what == "window":
            window = size
            put(step, server, server.sequence, acked, b"", ACK, window)
        elif what in ("again", "late"):
            put(step, client, client.sequence - 100 * (number + 1), server.sequence, bytes(100), ACK, 64)
        elif what == "answer":
            put(step, server, server.sequence, acked, bytes(size or 1), ACK, window)
            server.sequence += size or 1
        elif what == "old":
            put(step, client, client.sequence - 1, server.sequence, bytes(min(number, 1)), ACK, 64)
        else:
            put(step, client, client.sequence, server.sequence, b"", FIN | ACK if number else RST, 64)
    capture = timed(packets, nanoseconds=nanoseconds)
    found = measure(capture)
    assert [facts(one) for one in found if one] == [facts(one) for one in measure(capture, plain=True) if one]
    for one in found:
        assert one is not None
        for flow in one.flows:
            shares = (flow.sending, flow.in_flight, flow.recovery, flow.window, flow.answer, flow.idle)
            assert min(shares) >= 0
            assert 0 <= flow.transfer_time <= one.time - one.series.begin
            assert flow.payload_bytes - flow.retransmitted_bytes == sum(one.series.columns[2 * flow.side])
            assert flow.wire_bytes == sum(one.series.columns[2 * flow.side + 1])
            assert flow.spurious + flow.out_of_order <= flow.retransmitted + flow.out_of_order <= flow.segments
            assert all(duration > 0 for duration, *_ in flow.waits)


CHANGE = st.sampled_from(["wait", "window", "late", "back", "push", "lag", "longer", "say", "alone"])


@given(
    st.integers(1, 3),
    st.lists(st.tuples(CHANGE, st.integers(0, 900), st.integers(0, 6)), max_size=6),
    st.sampled_from([900, 4000, 12_000, 33_000]),
    st.sampled_from([START - START % 10**9 + 999_000_000, START]),
    st.sampled_from([None, 0, 2, 7]),
    st.booleans(),
)
def test_groups_that_repeat_are_measured_the_same_whatever_happens_among_them(
    segments: int,
    changes: list[tuple[str, int, int]],
    step: int,
    start: int,
    shift: int | None,
    nanoseconds: bool,
) -> None:
    talk = Talk(start=(0xFFFFFFFF - 150_000, 9000))
    client, server = talk.client, talk.server
    packets: list[tuple[int, bytes]] = [(start - START, b"")]
    options = b"\x02\x04\x02\x00" + (b"" if shift is None else bytes((1, 3, 3, shift)))
    for host, flags in ((client, SYN), (server, SYN | ACK)):
        other = server if host is client else client
        ack = client.sequence if host is server else 0
        packets.append((step, ip(host, other, tcp(host, other, host.sequence, ack, flags, b"", options, 64))))
        host.sequence = host.sequence + 1 & 0xFFFFFFFF
    packets = [(packets[0][0] + packets[1][0], packets[1][1]), *packets[2:]]
    window, lag, size = 8192, 0, 512
    for group in range(300):
        now = [(what, amount) for what, where, amount in changes if where // 3 == group]
        for number in range(segments + 1):
            time, flags = step, ACK
            for what, amount in now:
                place = amount % (segments + 1) == number
                if what == "wait" and place:
                    time += (50_000, 99_000, 100_000, 2_000_000, 40_000_000, 30, 7_000_000)[amount]
                elif what == "back" and number == 0:
                    # Smaller jumps within a group make no difference to what is counted at once.
                    time = -10 * step * amount
                elif what == "push" and place:
                    flags |= PSH
            if number == segments:
                for what, amount in now:
                    if what == "window":
                        window = (8192, 8000, 65_535, 3000, 600, 0, 9000)[amount]
                    elif what == "lag":
                        lag = amount * 256
                acknowledged = client.sequence - lag & 0xFFFFFFFF
                segment = tcp(server, client, server.sequence, acknowledged, ACK, b"", b"", window)
                packets.append((time, ip(server, client, segment)))
                continue
            length = size
            for what, amount in now:
                if what == "longer" and number == 0:
                    length = size + amount
            if not any(what == "late" and number == 0 for what, _ in now):
                segment = tcp(client, server, client.sequence, server.sequence, flags, bytes(length), b"", 64)
                packets.append((time, ip(client, server, segment)))
            client.sequence = client.sequence + length & 0xFFFFFFFF
        for what, amount in now:
            if what == "late":
                again = client.sequence - segments * size & 0xFFFFFFFF
                segment = tcp(client, server, again, server.sequence, ACK, bytes(size), b"", 64)
                packets.append((step * amount, ip(client, server, segment)))
            elif what == "say":
                segment = tcp(server, client, server.sequence, client.sequence, ACK, bytes(amount + 1), b"", window)
                packets.append((step, ip(server, client, segment)))
                server.sequence += amount + 1
            elif what == "alone":
                segment = tcp(client, server, client.sequence, server.sequence, ACK, b"", b"", 64 + amount)
                packets.append((step, ip(client, server, segment)))
    capture = timed(packets, nanoseconds=nanoseconds)
    assert [facts(one) for one in measure(capture)] == [facts(one) for one in measure(capture, plain=True)]
