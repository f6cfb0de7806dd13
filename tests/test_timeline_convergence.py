"""Why memory converged or not: dirty rates, pages sent again, and the last pass at another bandwidth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.captures import Talk, ethernet, pcap
from tests.command import SEGMENT, STEP, conversation, xenmig
from tests.corpus import CORPUS, requires_corpus, sample
from tests.streams import BANNER, PAGE_DATA, guest
from tests.timelines import facts, migration
from xenmig.core.analysis.prediction import Model
from xenmig.core.cli.table import named
from xenmig.core.cli.units import bandwidth
from xenmig.core.definitions.libxc import SPP_MAX_ITERATIONS, SPP_TARGET_DIRTY_COUNT

if TYPE_CHECKING:
    from pathlib import Path

    from xenmig.core.analysis.migration import Migration

PASSES = (4000, 800, 400, 200, 100, 60)
BUILT = guest(iterations=PASSES, per_batch=1024)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """A migration whose frames come at a steady rate."""
    return migration(tmp_path_factory.mktemp("live") / "input", conversation(BUILT.data))


# -- rates ------------------------------------------------------------------------------------------------------------


def test_pages_were_dirtied_between_the_beginnings_of_two_passes(live: Migration) -> None:
    found = live.iterations.found
    assert [one.pages for one in found] == list(PASSES)
    assert (found[0].dirtying, found[0].dirty_rate) == (None, None)
    for before, one in zip(found, found[1:], strict=False):
        assert before.first is not None
        assert one.first is not None
        assert one.dirtying == (one.first.time - before.first.time) / 1e9
        assert one.dirty_rate == one.pfns / one.dirtying
        assert one.seconds is not None
        assert one.sending_rate == one.pages / one.seconds
        # A steady rate: each pass is as long as its pages are many.
        assert one.dirty_rate == pytest.approx(one.pages / before.pages * SEGMENT / 4100 / STEP * 1e9, rel=0.1)


def test_first_sent_and_sent_again_are_all_pages(live: Migration) -> None:
    found = live.iterations.found
    assert [one.first_sent for one in found] == [4000, 0, 0, 0, 0, 0]
    assert [one.again for one in found] == [0, *PASSES[1:]]


def test_a_file_has_no_rates(tmp_path: Path) -> None:
    for one in facts(tmp_path / "input", BUILT.data)["iterations"]:
        assert {one[key] for key in ("dirtied_in", "dirty_rate", "sending_rate", "duration")} == {None}
        assert one["first_sent"] + one["sent_again"] == one["pages"]


@requires_corpus
def test_of_a_real_sender_the_iterations_are_those_of_its_progress_lines() -> None:
    log = (CORPUS / "logs" / "hvm-4.17-32M-mig-vvv-progress.send.log").read_bytes().decode(errors="replace")
    reported = [int(total) for done, total in re.findall(r"Frames iteration \d+: (\d+)/(\d+)", log) if done == total]
    found = facts(sample("hvm-4.17-32M-mig-vvv-progress.pcap").unpacked())
    assert [one["pfns"] for one in found["iterations"]] == reported == [1044480, 1540, 292, 100, 36, 68]
    # All that came later had come in the first pass.
    assert [one["first_sent"] for one in found["iterations"]][1:] == [0] * 5
    assert found["memory"]["distinct"] == found["iterations"][0]["pages"]


@requires_corpus
def test_the_hottest_range_of_a_real_guest_is_what_its_boot_sector_writes_to() -> None:
    # MANIFEST: it dirties pages between 1 and 7 MiB.
    found = facts(sample("hvm-4.17-32M-mig-mtu1500.pcap").unpacked())["memory"]
    hot = found["hot_ranges"][0]
    assert (hot["address"], hot["last_pfn"]) == (1 << 20, (7 << 20) // 4096 - 1)
    assert (found["sent"], found["distinct"]) == (8204 + 1540 + 1252 + 1156 + 996 + 260, 8204)


# -- another bandwidth ------------------------------------------------------------------------------------------------


def test_pages_after_a_measured_time_are_those_that_were_measured(live: Migration) -> None:
    model = Model(live)
    for one in live.iterations.found[1:]:
        assert model.dirty(one.dirtying or 0) == one.pfns
    assert model.dirty(0) == 0
    assert model.dirty(1e9) == PASSES[1]
    half = (live.iterations.found[-1].dirtying or 0) / 2
    assert model.dirty(half) == pytest.approx(PASSES[-1] / 2)


@given(st.floats(1e3, 1e12))
def test_a_prediction_keeps_to_the_rules_of_xens_live_loop(wanted: float) -> None:
    model = Model.__new__(Model)
    model.points = [(0.0, 0.0), (0.1, 60.0), (1.0, 400.0), (9.0, 900.0)]
    model.first_pages, model.first_bytes, model.bytes_per_page = 5000, 5000 * 4104 + 8_000_000, 4104.0
    model.overhead, model.suspend, model.bandwidth = 1.05, 0.2, 0.0
    found = model.at(wanted)
    assert found.bytes == round(found.pages * 4104)
    assert found.seconds == pytest.approx(found.bytes * 1.05 / wanted)
    assert found.live_seconds >= 0.999 * model.first_bytes * 1.05 / wanted
    # Only the last pass while the guest runs may have fewer pages than make the sender go on.
    assert all(pages >= SPP_TARGET_DIRTY_COUNT for pages in found.passes[:-1])
    assert len(found.passes) <= SPP_MAX_ITERATIONS
    assert found.rule == "SPP_TARGET_DIRTY_COUNT" or len(found.passes) == SPP_MAX_ITERATIONS
    # The suspend takes as long as it did, and pages become dirty in it.
    assert round(model.dirty(0.2)) <= found.pages <= 900


def test_at_the_bandwidth_that_was_measured_comes_what_was_measured(live: Migration) -> None:
    model = Model(live)
    found = model.at(model.bandwidth)
    assert found.passes == pytest.approx(PASSES[:5], rel=0.1)
    assert found.pages == pytest.approx(PASSES[5], rel=0.1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BUILT.data, "a stream file has no times"),
        (conversation(guest(iterations=(90,), per_batch=1024).data), "two passes"),
        (conversation(BUILT.data[: BUILT.at(PAGE_DATA).offset], said=("banner",)), "no pass over memory"),
    ],
    ids=["file", "one pass", "cut"],
)
def test_where_it_cannot_be_known_the_reason_is_given(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    shown = xenmig("timeline", "--bandwidth", "1Gbit", path)
    assert shown.code == 0
    assert re.search(rf"at 125.0 MB/s: not known: .*{reason}", shown.out)
    (found,) = xenmig("timeline", "--json", "--bandwidth", "1Gbit", path).json["migrations"]
    assert reason in found["prediction"]["reason"]


def test_the_model_says_what_it_supposes(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(BUILT.data))
    shown = " ".join(xenmig("timeline", "--bandwidth", "10Gbit", path).out.split())
    assert "This supposes that the sender keeps the link full" in shown
    (found,) = xenmig("timeline", "--json", "--bandwidth", "10Gbit", path).json["migrations"]
    assert found["prediction"]["bandwidth"] == 1.25e9
    assert found["prediction"]["assumption"] in shown
    assert xenmig("timeline", "--json", path).json["migrations"][0]["prediction"] is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1Gbit", 125e6), ("100 Mbit/s", 12.5e6), ("110MB/s", 110e6), ("2.5Gbit", 312.5e6), ("64kbit", 8000.0),
        ("8bit", 1.0), ("1TB", 1e12), ("3KB/s", 3000.0),
    ],
)  # fmt: skip
def test_bandwidths_are_read_as_people_write_them(text: str, value: float) -> None:
    assert bandwidth(text) == value


@pytest.mark.parametrize(
    "text", ["", "1", "fast", "Gbit", "0Gbit", "-1Gbit", "1Xbit", "nanMB", "infMB", "1 GiB/s", "1e999B"]
)
def test_what_is_no_bandwidth_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no bandwidth"):
        bandwidth(text)
    refused = xenmig("timeline", f"--bandwidth={text}", "nothing")
    assert (refused.code, "is no bandwidth: 1Gbit, 100Mbit/s or 110MB/s are" in refused.err) == (2, True)


# -- text -------------------------------------------------------------------------------------------------------------


def test_convergence_lists_iterations_and_hot_pages(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(conversation(BUILT.data))
    plain, more = xenmig("timeline", path).out, xenmig("timeline", "--convergence", path).out
    assert more.startswith(plain)
    added = more[len(plain) :]
    assert re.search(r"^ +1: precopy +800 +0 +800 ", added, re.MULTILINE)
    assert "hot ranges  pfns 0x0-0x31f (0x0-0x31ffff): 800 pages came more than once, 1,560 in vain" in added
    assert re.search(r"hot pages +pfn 0x0 \(0x0\): sent 6 times\n +pfn 0x1 \(0x1000\): sent 6 times", added)


def test_no_line_of_a_table_is_wider_than_a_terminal() -> None:
    for name in ("pvh-4.17-8M-1vcpu-mig-mtu65536.pcap", "hvm-4.17-32M-remus-mtu65536.pcap"):
        lines = xenmig("timeline", "--convergence", sample(name).unpacked()).out.splitlines()
        tables = "\n".join(lines).split("\n\n")[1:]
        assert max(len(line) for table in tables for line in table.splitlines()) <= 120


def test_on_a_terminal_long_rows_go_on_below_themselves() -> None:
    rows = [("outcome", "failed: the sender closed the connection between two records"), ("owner", "source")]
    assert [*named(rows, 40)] == [
        "  outcome  failed: the sender closed the",
        "           connection between two",
        "           records",
        "  owner    source",
    ]
    assert [*named(rows)] == [f"  outcome  {rows[0][1]}", "  owner    source"]
    # Where there is no room for anything, nothing is cut.
    assert [*named(rows, 12)] == [*named(rows)]


def test_no_time_between_two_passes_is_no_rate(tmp_path: Path) -> None:
    talk = Talk(ports=(40000, 8002)).open()
    talk.send(talk.server, BANNER)
    talk.send(talk.client, guest(iterations=(3, 2, 1), per_batch=1024).data)
    found = facts(tmp_path / "input", pcap([ethernet(packet) for packet in talk.close().packets]))
    assert [one["dirty_rate"] for one in found["iterations"]] == [None] * 3
    assert xenmig("timeline", "--convergence", "--bandwidth", "1Gbit", tmp_path / "input").code == 0
