"""What is counted of real traffic is what tshark counts, where both mean the same; where not, the relation is exact.

* Ours "captured before" and "late" together are tshark's retransmissions and out-of-order segments together: tshark
  tells the two apart by their times, we by whether the bytes had been there. (tshark also calls a FIN that comes again
  a retransmission; it has no payload and is not counted here.)
* tshark compares with the last acknowledgment in the capture, we with the highest. When acknowledgments overtake one
  another, tshark then sees window updates where the window went back, and fewer retransmissions of acknowledged bytes.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from shutil import which
from typing import TYPE_CHECKING

import pytest

from tests.corpus import Sample, corpus, requires_corpus
from tests.traffic import measure

if TYPE_CHECKING:
    from xenmig.core.sources.traffic.flow import Flow
    from xenmig.core.sources.traffic.traffic import Traffic

pytestmark = [requires_corpus, pytest.mark.skipif(which("tshark") is None, reason="tshark is not installed")]

MARKS = (
    "retransmission", "out_of_order", "spurious_retransmission", "fast_retransmission", "zero_window", "window_full",
    "duplicate_ack", "keep_alive", "lost_segment", "ack_lost_segment", "window_update",
)  # fmt: skip
FIELDS = ("tcp.stream", "tcp.srcport", "tcp.len", "frame.len", "frame.time_epoch")


class Frames:
    """What tshark says of the frames of one direction."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.sizes: list[tuple[int, int, int]] = []
        "Number of each, when it came, in nanoseconds since 1970, and its bytes on the wire."


def tshark(*arguments: str) -> str:
    return subprocess.run(["tshark", "-n", *arguments], check=True, capture_output=True, text=True).stdout


def frames(sample: Sample) -> dict[tuple[int, int], Frames]:
    """By stream and source port."""
    found: dict[tuple[int, int], Frames] = defaultdict(Frames)
    fields = (*FIELDS, *(f"tcp.analysis.{mark}" for mark in MARKS))
    options = [word for field in fields for word in ("-e", field)]
    output = tshark("-r", str(sample.unpacked()), "-Y", "tcp", "-T", "fields", *options)
    for number, line in enumerate(output.splitlines()):
        stream, port, length, wire, time, *marks = line.split("\t")
        one = found[int(stream), int(port)]
        counts = one.counts
        counts["frames"] += 1
        counts["payload"] += int(length)
        counts["wire"] += int(wire)
        for mark, value in zip(MARKS, marks, strict=True):
            if mark not in ("retransmission", "out_of_order") or int(length):
                counts[mark] += bool(value)
        seconds, fraction = time.split(".")
        one.sizes.append((number, int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0")), int(wire)))
    return found


@pytest.mark.parametrize("sample", corpus("capture"), ids=repr)
def test_real_traffic_is_counted_as_tshark_counts_it(sample: Sample) -> None:
    theirs = frames(sample)
    for stream, traffic in enumerate(measure(sample.unpacked().read_bytes())):
        assert traffic is not None
        ports = [int.from_bytes(port, "big") for port in (traffic.key[-4:-2], traffic.key[-2:])]
        ways = [theirs[stream, port] for port in ports]
        for flow, way in zip(traffic.flows, ways, strict=True):
            same_counts(flow, way.counts)
        same_bins(traffic, sorted(one for way in ways for one in way.sizes))


def same_counts(flow: Flow, counts: Counter[str]) -> None:
    back = flow.peer
    assert {
        "frames": flow.frames,
        "payload": flow.payload_bytes,
        "wire": flow.wire_bytes,
        "again": flow.retransmitted + flow.out_of_order,
        "fast_retransmission": flow.fast,
        "zero_window": back.zero_windows,
        "window_full": flow.window_full,
        "duplicate_ack": back.duplicate_acks,
        "keep_alive": flow.keep_alives,
        "lost_segment": flow.jumps,
        "ack_lost_segment": back.unseen_acks,
    } == {
        "again": counts["retransmission"] + counts["out_of_order"],
        **{
            name: counts[name]
            for name in ("frames", "payload", "wire", *MARKS)
            if name not in ("retransmission", "out_of_order", "spurious_retransmission", "window_update")
        },
    }
    assert back.window_updates <= counts["window_update"] <= back.window_updates + back.overtaken_acks
    assert counts["spurious_retransmission"] <= flow.spurious
    if not flow.overtaken_acks:
        assert counts["spurious_retransmission"] == flow.spurious


def same_bins(traffic: Traffic, sizes: list[tuple[int, int, int]]) -> None:
    series = traffic.series
    expected = [0] * len(series.columns[1])
    latest = series.begin
    for _, time, size in sizes:
        # Several processors write frames in another order than that of their times; they count when they are written.
        latest = max(latest, time)
        expected[(latest - series.begin) // series.width] += size
    assert [forth + back for forth, back in zip(series.columns[1], series.columns[3], strict=True)] == expected


def test_bytes_of_both_directions_are_those_of_tshark_conversations_and_io_stat() -> None:
    sample = next(one for one in corpus("capture") if "failed" in one.name)
    (traffic,) = measure(sample.unpacked().read_bytes())
    assert traffic is not None
    forth, back = traffic.flows
    ports = [int.from_bytes(port, "big") for port in (traffic.key[-4:-2], traffic.key[-2:])]
    filters = [f"tcp.srcport=={port}" for port in ports]
    path = str(sample.unpacked())
    output = tshark("-r", path, "-q", "-z", f"io,stat,0,{','.join(filters)}", "-z", "conv,tcp")
    row = next(line for line in output.splitlines() if "<>" in line and "|" in line)
    numbers = [int(cell) for cell in row.split("|")[2:] if cell.strip()]
    assert numbers == [forth.frames, forth.wire_bytes, back.frames, back.wire_bytes]
    conversation = next(line for line in output.splitlines() if "<->" in line).split()
    assert [conversation[3], conversation[6]] == [str(back.frames), str(forth.frames)]
    lasted = (traffic.time - traffic.series.begin) / 1e9
    assert float(conversation[-1]) == pytest.approx(lasted, abs=1e-3)
