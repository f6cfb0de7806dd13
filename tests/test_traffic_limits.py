"""Conversations of which it is known who held them up, and what of them was lost, are measured as they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.traffic import SIZE, TimedTalk
from xenmig.core.sources.traffic.flow import PAUSE

if TYPE_CHECKING:
    from xenmig.core.sources.traffic.flow import Flow

MS = 1_000_000


def times(flow: Flow) -> dict[str, float]:
    """Milliseconds by what they count as, without those that are 0."""
    names = ("sending", "in_flight", "recovery", "window", "answer", "idle")
    return {name: getattr(flow, name) / MS for name in names if getattr(flow, name)}


def test_a_sender_that_has_nothing_to_send_is_idle_but_for_the_time_in_which_it_cannot_know() -> None:
    talk = TimedTalk(near=1 * MS)
    for _ in range(10):
        talk.send(20 * MS).ack(50_000)
    assert times(talk.flow()) == {"sending": 0.5, "in_flight": 9.0, "idle": 171.0}


def test_waiting_for_acknowledgments_is_the_networks() -> None:
    talk = TimedTalk()
    for _ in range(10):
        talk.send(10_000).send(10_000).ack(30 * MS)
    flow = talk.flow()
    assert times(flow) == {"sending": 0.19, "in_flight": 300.0}
    assert (flow.round_trip_least, flow.peak) == (30 * MS + 10_000, 2 * SIZE)


def test_a_window_without_room_for_a_full_segment_is_the_receivers() -> None:
    talk = TimedTalk(shift=1, window=2000)
    talk.window = 1000
    for _ in range(10):
        talk.send(10_000).send(10_000).ack(7 * MS)
    flow = talk.flow()
    assert flow.window_full == 10
    assert times(flow) == {"sending": 0.19, "window": 70.0}


def test_a_window_of_zero_is_counted_with_its_time_even_when_it_never_opens_again() -> None:
    talk = TimedTalk().send(10_000)
    talk.window = 0
    talk.ack(10_000).ack(40 * MS)
    talk.window = 64_000
    talk.ack(60 * MS).send(10_000)
    talk.window = 0
    talk.ack(10_000).send(5 * MS, at=2 * SIZE - 1, size=1).ack(95 * MS)
    flow = talk.flow()
    assert (flow.zero_windows, flow.zero_window_time, flow.window_probes) == (4, 200 * MS, 1)
    assert times(flow)["window"] == 200.0


def test_what_the_other_side_is_waited_for_is_an_answer() -> None:
    talk = TimedTalk().send(0).ack(10_000).say(500 * MS).send(30 * MS).ack(10_000)
    flow = talk.flow()
    assert times(flow) == {"sending": 0.02, "in_flight": 0.01, "answer": 500.0, "idle": 29.99}
    assert [(duration, kind) for duration, _, _, kind in flow.waits if duration > MS] == [
        (29_990_000, "idle"),
        (500 * MS, "answer"),
    ]


def test_what_comes_after_the_last_byte_is_nobodys() -> None:
    talk = TimedTalk().send(0).send(10_000).ack(10_000).close(900 * MS)
    flow = talk.flow()
    assert times(flow) == {"sending": 0.02}
    assert flow.silence == 900 * MS + 10_000


def test_bytes_that_were_acknowledged_and_never_captured_are_the_captures_loss() -> None:
    talk = TimedTalk().send(0)
    talk.send(10_000, captured=False).send(10_000).ack(10_000).send(10_000, captured=False).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.jumps, flow.unseen_acks) == (1, 1)
    assert (flow.unseen.acknowledged, flow.unseen.unanswered) == (2 * SIZE, 0)
    assert (flow.retransmitted, flow.out_of_order, flow.recovery) == (0, 0, 0)


def test_bytes_sent_again_since_the_first_copy_was_lost_behind_the_capture_are_the_networks_loss() -> None:
    talk = (
        TimedTalk()
        .send(0)
        .send(10_000)
        .send(10_000)
        .ack(10_000, upto=SIZE)
        .ack(10_000, upto=SIZE)
        .ack(10_000, upto=SIZE)
    )
    talk.send(1 * MS, at=SIZE).ack(2 * MS).send(10_000).ack(10_000)
    flow = talk.flow()
    assert (flow.retransmitted, flow.retransmitted_bytes, flow.spurious, flow.fast) == (1, SIZE, 0, 1)
    assert (flow.duplicate_acks, flow.unseen.acknowledged) == (2, 0)
    assert times(flow)["recovery"] == 3.0


def test_bytes_lost_before_the_capture_are_late_and_were_sent_again() -> None:
    talk = TimedTalk().send(0).send(10_000, captured=False).send(10_000)
    for _ in range(3):
        talk.ack(10_000, upto=SIZE)
    talk.send(40 * MS, at=SIZE).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.jumps, flow.out_of_order, flow.resent_unseen, flow.resent_unseen_bytes) == (1, 1, 1, SIZE)
    assert (flow.late_bytes, flow.retransmitted, flow.unseen.acknowledged) == (SIZE, 0, 0)
    assert times(flow)["recovery"] == 40.04


def test_segments_that_overtake_one_another_are_no_loss() -> None:
    talk = TimedTalk().send(0).send(10_000, captured=False).send(10_000).send(10_000, at=SIZE).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.out_of_order, flow.resent_unseen, flow.late_bytes, flow.unseen.acknowledged) == (1, 0, SIZE, 0)


def test_a_retransmission_after_silence_is_the_timers_and_the_silence_is_recovery() -> None:
    talk = TimedTalk().send(0).send(300 * MS, at=0).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.timeouts, flow.fast, flow.retransmitted) == (1, 0, 1)
    assert times(flow) == {"recovery": 300.01}


def test_a_retransmission_of_acknowledged_bytes_is_spurious() -> None:
    talk = TimedTalk().send(0).ack(10_000).send(10_000, at=0).send(10_000).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.retransmitted, flow.spurious, flow.spurious_bytes) == (1, 1, SIZE)


def test_without_the_handshake_the_window_is_not_known_but_zero_is() -> None:
    talk = TimedTalk(handshake=False).send(0).ack(10_000).send(5 * MS)
    talk.window = 0
    talk.ack(10_000)
    talk.window = 100
    talk.ack(80 * MS).send(10_000).ack(10_000)
    traffic = talk.measured()
    flow = traffic.flows[0]
    assert (traffic.split, flow.shift) == (None, -1)
    assert times(flow)["window"] == 80.0


def test_a_sender_that_goes_beyond_the_window_shows_that_its_scale_is_another() -> None:
    talk = TimedTalk(shift=None, window=1500)
    talk.send(10_000).ack(10_000).send(10_000).send(40 * MS).send(10_000).ack(10_000).close(10_000)
    flow = talk.flow()
    assert (flow.shift, flow.window) == (-1, 0)


def test_a_side_that_offers_no_scale_switches_it_off_for_both() -> None:
    talk = TimedTalk(shift=None).send(0).ack(10_000)
    assert [flow.shift for flow in talk.measured().flows] == [0, 0]


def test_with_one_direction_captured_nothing_is_said_about_waiting() -> None:
    talk = TimedTalk(handshake=False)
    for _ in range(10):
        talk.send(10 * MS)
    flow = talk.flow()
    assert not flow.acknowledged
    assert (flow.idle, flow.window, flow.recovery) == (0, 0, 0)


@pytest.mark.parametrize(("near", "far"), [(20_000, 5 * MS), (5 * MS, 20_000), (2 * MS, 2 * MS)])
def test_the_handshake_tells_how_far_the_two_ends_are(near: int, far: int) -> None:
    traffic = TimedTalk(near=near, far=far).send(0).measured()
    assert traffic.split == (far, near)
    assert [flow.near for flow in traffic.flows] == [near, far]


def test_short_distances_between_segments_are_part_of_sending() -> None:
    talk = TimedTalk()
    for _ in range(50):
        talk.send(PAUSE - 1).ack(PAUSE - 1)
    assert set(times(talk.flow())) == {"sending"}
