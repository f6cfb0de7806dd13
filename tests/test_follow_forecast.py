"""What is left of a pass and what will stop the live loop, before either has happened."""

from __future__ import annotations

import pytest

from tests.command import xenmig
from tests.corpus import requires_corpus, sample
from xenmig.core.analysis.forecast import coming_rule, dirty_next
from xenmig.core.definitions.libxc import HVM_SPECIAL_END


def test_a_pass_has_as_many_pages_as_before_or_fewer_in_proportion_to_the_time() -> None:
    assert dirty_next(1000, during=10.0, pause=2.0) == (200, 1000)
    # The longer the guest runs, the more it writes to.
    assert dirty_next(1000, during=2.0, pause=3.0) == (1000, 1500)
    assert dirty_next(1000, during=0.0, pause=3.0) is None


def test_nothing_shows_before_the_dirty_rate_is_known() -> None:
    forecast = coming_rule(0, None, None, None, 1000)
    assert (forecast.name, forecast.earliest, forecast.latest) == ("unknown", None, 4)
    assert "SPP_MAX_ITERATIONS" in forecast.text
    assert "SPP_TARGET_DIRTY_COUNT" in forecast.text


def test_a_guest_that_dirties_pages_as_fast_as_they_are_sent_needs_all_iterations() -> None:
    forecast = coming_rule(2, 5000, dirty=1000.0, sent=1000.0, pages=5000)
    assert (forecast.name, forecast.latest, forecast.is_over) == ("SPP_MAX_ITERATIONS", 4, False)


def test_a_quiet_guest_may_stop_earlier() -> None:
    forecast = coming_rule(1, 5000, dirty=100.0, sent=1000.0, pages=1000)
    # 1000, then 100, then 10.
    assert (forecast.name, forecast.earliest, forecast.latest) == ("unknown", 3, 4)


def test_both_rules_may_come_to_the_same() -> None:
    forecast = coming_rule(3, 5000, dirty=100.0, sent=1000.0, pages=100)
    assert (forecast.name, forecast.earliest, forecast.latest) == ("unknown", 4, 4)
    assert "earliest" not in forecast.text


@pytest.mark.parametrize(("index", "before"), [(2, 49), (5, 3000)])
def test_behind_the_last_live_pass_the_guest_is_paused(index: int, before: int) -> None:
    forecast = coming_rule(index, before, dirty=1.0, sent=1.0, pages=10)
    assert forecast.is_over
    assert forecast.name == ("SPP_TARGET_DIRTY_COUNT" if before < 50 else "SPP_MAX_ITERATIONS")


def test_fifty_pages_are_not_few_enough() -> None:
    assert not coming_rule(2, 50, dirty=None, sent=None, pages=10).is_over


@requires_corpus
@pytest.mark.parametrize("name", ["hvm-4.17-32M-mig-mtu1500.pcap", "pv-4.17-128M-mig-mtu65536.pcap"])
def test_what_was_left_came(name: str) -> None:
    result = xenmig("timeline", "--follow", "--json", "-", input=sample(name).unpacked().read_bytes())
    lines = result.lines
    passes = {line["iteration"]: line for line in lines if line["event"] == "iteration-ended"}
    ticks = [line for line in lines if line["event"] == "tick" and line["left"] and line["iteration"] is not None]
    assert len(ticks) > 5
    for tick in ticks:
        came = passes[tick["iteration"]]
        left, most = tick["left"], tick["left"]["most_pages"]
        pages = came["pages"] - tick["pages"]
        if tick["iteration"] == 0:
            # HVM guests have a few pages more than their memory: those of the firmware and of Xen's own.
            assert pages <= most + 32
            if left["pfns"] is not None:
                assert came["pfns"] - tick["pfns"] == left["pfns"]
        elif left["basis"] == "the last batch of the pass":
            assert left["least_pages"] == most == pages
        else:
            assert left["least_pages"] <= pages
    first = passes[0]["pfns"]
    assert first == (HVM_SPECIAL_END if name.startswith("hvm") else 32_768)
