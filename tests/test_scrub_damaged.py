"""Whatever is wrong with a stream or a capture, no byte of guest memory gets into the copy."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import valid_streams
from tests.captures import SYN, Talk, ethernet, pcap, pcapng
from tests.scrubs import SECRET, copy_of, secrets_in, use_secret_pages
from tests.stream_changes import changed
from tests.valid_streams import VALID, XENSTORE, Pieces, checkpointed, hvm, in_libvirt, in_libxl, in_xl, pv, record
from xenmig.core.decode.damage import Hole, Unrecognised
from xenmig.core.decode.record import PageData
from xenmig.core.decode.stream import StreamDecoder
from xenmig.core.scrub.keeping import Choice, Keeping
from xenmig.core.scrub.kept import Kept
from xenmig.core.sources.errors import UnreadableInput

STREAMS = {
    "HVM": lambda: in_xl(in_libxl(hvm(), xenstore=XENSTORE)),
    "PV": lambda: in_xl(in_libxl(pv(), emulator=False)),
    "libvirt": lambda: in_libvirt(in_libxl(hvm())),
    "libxl": lambda: in_libxl(hvm()),
    "Remus": lambda: in_xl(checkpointed(rounds=3)),
}


@pytest.fixture(autouse=True, scope="module")
def _secret() -> None:
    use_secret_pages(pytest.MonkeyPatch())


def copy(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="xenmig-scrub-") as folder:
        try:
            return copy_of(data, Path(folder))
        except UnreadableInput:
            return b""


@given(data=st.data())
def test_no_page_survives_in_the_copy_of_a_changed_stream(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*VALID, "Remus"]))
    base = checkpointed(rounds=3) if name == "Remus" else VALID[name]()
    stream = data.draw(changed(base))
    left = copy(stream)
    assert len(left) in (0, len(stream))
    assert not secrets_in(left)


@st.composite
def captures(draw: st.DrawFn, stream: bytes) -> bytes:
    """A capture of a stream with losses, repetitions, detours and cut frames."""
    talk = Talk(start=(draw(st.sampled_from([1000, (1 << 32) - 9000])), 9000))
    if draw(st.booleans()):
        talk.open()
    first = talk.client.sequence
    size = draw(st.sampled_from([64, 536, 1448, 9000]))
    places = list(range(0, len(stream), size))
    if draw(st.booleans()):
        places = places[draw(st.integers(0, len(places) - 1)) :]
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(places) - 1))
        what = draw(st.sampled_from(["lose", "repeat", "delay", "overlap", "early"]))
        if what == "lose" and len(places) > 1:
            del places[at]
        elif what == "repeat":
            places.insert(draw(st.integers(at, len(places))), places[at])
        elif what == "delay":
            places.insert(min(at + draw(st.integers(1, 5)), len(places)), places.pop(at))
        elif what == "overlap":
            places.insert(at + 1, max(0, places[at] - draw(st.integers(1, size))))
        else:
            places.insert(0, places[at])
    for place in places:
        talk.at(talk.client, first + place, stream[place : place + size])
        if draw(st.integers(0, 3)) == 0:
            talk.at(talk.server, 9001, b"", ack=(first + place + size) & 0xFFFFFFFF)
    frames = [ethernet(packet) for packet in talk.packets]
    if draw(st.booleans()):
        return pcapng(frames)
    return pcap(frames, snaplen=draw(st.sampled_from([262144, 262144, 68, 60, 200])), order=draw(st.sampled_from("<>")))


@given(data=st.data())
def test_no_page_survives_in_the_copy_of_a_capture_with_accidents(data: st.DataObject) -> None:
    stream = bytes(STREAMS[data.draw(st.sampled_from([*STREAMS]))]())
    capture = data.draw(captures(stream))
    left = copy(capture)
    assert len(left) == len(capture)
    assert not secrets_in(left)


@given(data=st.data())
def test_no_page_survives_in_the_copy_of_a_file_that_is_cut(data: st.DataObject) -> None:
    stream = bytes(STREAMS[data.draw(st.sampled_from([*STREAMS]))]())
    whole = stream if data.draw(st.booleans()) else data.draw(captures(stream))
    assert not secrets_in(copy(whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize("change", [-4096, -8, 24, 8192])
@pytest.mark.parametrize("name", [name for name, data in checkpointed(rounds=2).pieces if len(data) >= 8])
def test_no_page_survives_a_wrong_length(name: str, change: int) -> None:
    stream = checkpointed(rounds=3)
    head = stream.data(name)[:8]
    if name.endswith("header"):
        return
    kind, length = struct.unpack("<II", head)
    broken = stream.patched(name, 0, struct.pack("<II", kind, max(0, length + change)))
    assert not secrets_in(copy(bytes(in_xl(broken))))


@pytest.mark.parametrize("kind", [*range(0x15), 0x80000001, 0x80000008])
def test_no_page_survives_a_wrong_type(kind: int) -> None:
    for name in "HVM", "PV":
        stream = STREAMS[name]().patched("page data", 0, struct.pack("<I", kind))
        assert not secrets_in(copy(bytes(stream)))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 515, 1027, 0xFFFFFFFF])
def test_no_page_survives_a_wrong_count(count: int) -> None:
    stream = hvm().patched("page data", 8, struct.pack("<I", count))
    assert not secrets_in(copy(bytes(in_xl(in_libxl(stream)))))


def test_a_segment_that_comes_again_much_later_is_cleaned_as_well() -> None:
    stream = bytes(in_xl(in_libxl(hvm())))
    talk = Talk().open()
    first = talk.client.sequence
    for at in range(0, len(stream), 1000):
        talk.send(talk.client, stream[at : at + 1000])
    talk.close()
    for at in range(0, len(stream), 700):
        talk.at(talk.client, first + at, stream[at : at + 700])
    # Beyond the end, before the beginning, and in front of everything.
    talk.at(talk.client, first + len(stream) + 1, SECRET[:1000])
    talk.at(talk.client, first - 500, SECRET[:500])
    talk.at(talk.client, first, SECRET[:500], SYN)
    assert not secrets_in(copy(pcap([ethernet(packet) for packet in talk.packets])))


def test_what_comes_before_the_connection_is_known_is_no_part_of_it() -> None:
    talk = Talk()
    talk.at(talk.client, 900, SECRET[:600])
    talk.open()
    talk.send(talk.client, bytes(in_xl(in_libxl(hvm())))[:3000])
    talk.at(talk.client, 300, SECRET)
    assert not secrets_in(copy(pcap([ethernet(packet) for packet in talk.packets])))


def test_the_configuration_is_kept_only_where_a_stream_follows() -> None:
    stream = in_xl(in_libxl(hvm()))
    broken = stream.patched("xl header", 44, struct.pack("<I", len(stream.data("optional data")) + 12_000))
    left = copy(bytes(broken.patched("optional data", 0, struct.pack("<I", 12_015))))
    assert not secrets_in(left)


def test_a_record_that_nobody_knows_keeps_its_header_and_not_its_body() -> None:
    unknown = record(0x80000055, SECRET[:100])
    stream = Pieces(*hvm().inserted(unknown, before="page data").pieces)
    left = copy(bytes(in_libxl(stream)))
    assert unknown[:8] in left
    assert not secrets_in(left)


def test_a_reader_of_the_copy_loses_its_place_where_the_original_lost_it() -> None:
    stream = hvm().inserted(struct.pack("<II", 0x12345678, 0xFFFFFFF0) + SECRET, before="page data")
    left = copy(bytes(in_libxl(stream)))
    at = in_libxl(stream).offset("inserted")
    assert left[at : at + 8] == b"\xff" * 8
    assert not secrets_in(left)
    assert valid_streams.rules_broken(left) == valid_streams.rules_broken(bytes(in_libxl(stream)))


def test_a_hole_bears_out_nothing_of_the_record_that_it_cuts() -> None:
    # A wrong length may have led into guest memory that reads as a PAGE_DATA of 100 pfns.
    begin = bytes(hvm())[: hvm().offset("page data")]
    data = begin + struct.pack("<IIII8Q", 1, 0x1000, 100, 0, *range(1, 9))
    decoder = StreamDecoder("libxc")
    decoder.feed(data, 0, len(data))
    decoder.hole(0x3000)
    assert [type(event) for event in decoder.events[-2:]] == [PageData, Hole]
    kept = Kept()
    keeping = Keeping(kept, Choice())
    keeping.take([*decoder.events, Unrecognised("length", "libxc", decoder.position, b"")])
    keeping.finish()
    assert kept.part(data, 0, len(data), 0) == begin + bytes(len(data) - len(begin))
