"""A stream cut anywhere says what is unfinished, where it begins, and how much of it is missing."""

from __future__ import annotations

import pytest

from tests.decoding import decoded, described, keys, only, others, wanted
from tests.streams import HVM_CONTEXT, PERMISSION, VARIETIES, XTAB, StreamBuilder, checkpointed, guest
from xenmig.core.decode.damage import Trailing, Truncated, Unrecognised
from xenmig.core.decode.events import Complete
from xenmig.core.decode.headers import KEPT_BODY
from xenmig.core.decode.record import PageData, Record
from xenmig.core.decode.records import PFN_PIECE

CUT = ["xl HVM", "xl PVH", "xl PV", "libvirt HVM", "libxl HVM", "libxc HVM", "xl HVM big endian", "COLO"]


def places(built: StreamBuilder) -> list[int]:
    """Every length up to which to cut, but within the pages only some."""
    found = set(range(0, len(built.data) + 1, 509))
    for piece in built.expected:
        found.update(range(piece.offset, min(piece.end, piece.offset + 120) + 1))
        found.update(range(max(piece.offset, piece.end - 20), piece.end + 1))
    return sorted(found)


@pytest.mark.parametrize("name", CUT)
def test_a_stream_cut_at_any_byte_says_exactly_what_is_missing(name: str) -> None:
    built = VARIETIES[name]
    start = built.expected[0].layer
    # What has a whole header and nothing else is not known to be truncated in any other way.
    for length in places(built):
        events = decoded(built.data[:length], start)
        whole = [piece for piece in built.expected if piece.end <= length]
        assert keys(events) == wanted(whole)
        if length == len(built.data) and name != "COLO":
            assert [type(event) for event in others(events)] == [Complete]
            continue
        cut = only(events, Truncated)
        assert others(events) == [cut]
        begin = whole[-1].end if whole else 0
        assert (cut.offset, cut.available) == (begin, length - begin)
        if cut.missing is None:
            assert cut.available == 0
            continue
        piece = built.expected[len(whole)]
        size = piece.end - piece.offset
        if piece.what == "record" and cut.available < 8:
            assert cut.what == "record header"
            size = 8
        assert cut.available + cut.missing == size
        assert (cut.partial is not None) == (piece.what == "record" and cut.available >= 8)
        if cut.partial is not None:
            assert (cut.partial.type, cut.partial.offset, cut.partial.layer) == (piece.type, piece.offset, piece.layer)


@pytest.mark.parametrize("name", CUT)
def test_how_the_bytes_come_does_not_change_what_is_missing(name: str) -> None:
    built = VARIETIES[name]
    for length in places(built)[::7]:
        assert described(decoded(built.data[:length], step=611)) == described(decoded(built.data[:length]))


def test_a_stream_cut_before_it_can_be_told_is_unrecognised() -> None:
    stream = guest().data
    for length in range(32):
        events = decoded(stream[:length])
        assert len(events) == 1
        found = events[0]
        assert isinstance(found, Unrecognised)
        assert (found.kind, found.offset, found.data) == ("start", 0, stream[:length])
    assert type(decoded(stream[:32])[0]) is Truncated


def test_a_cut_configuration_is_named() -> None:
    for wrapper, layer, what in (("xl", "xl", "configuration"), ("libvirt", "libvirt", "domain XML")):
        built = guest(wrapper)
        header, optional = built.expected[:2]
        cut = only(decoded(built.data[: optional.offset + 5]), Truncated)
        assert (cut.layer, cut.what, cut.offset) == (layer, what, header.end)
        assert (cut.available, cut.missing) == (5, len(optional.data) - 5)


@pytest.mark.parametrize("extra", [0, 1, KEPT_BODY - 1, KEPT_BODY, KEPT_BODY + 1, KEPT_BODY + 4999])
def test_a_cut_configuration_too_large_to_keep_is_named_too(extra: int) -> None:
    built = StreamBuilder().libvirt(b"x" * (KEPT_BODY + 5000))
    cut = only(decoded(built.data[: 64 + extra]), Truncated)
    assert (cut.layer, cut.what, cut.offset) == ("libvirt", "domain XML", 64)
    assert (cut.available, cut.missing) == (extra, KEPT_BODY + 5000 - extra)


def test_cut_page_data_shows_the_pfns_that_are_there() -> None:
    built = StreamBuilder().libxc().pages([3, 4, 5])
    offset = built.at(1).offset
    all_three = [3, 4, 5]
    there: list[tuple[int, list[int] | None]] = [(8, None), (15, None), (16, []), (23, []), (24, [3]), (39, [3, 4])]
    for length, pfns in [*there, (40, all_three), (99, all_three)]:
        partial = only(decoded(built.data[: offset + length]), Truncated).partial
        assert isinstance(partial, Record)
        assert (partial.pfns.pfns() if isinstance(partial, PageData) else None) == pfns


def test_a_cut_in_an_array_that_comes_in_pieces_counts_all_of_it() -> None:
    entries = PFN_PIECE // 8 * 2 + 5
    built = StreamBuilder().libxc().pages([number | XTAB for number in range(entries - 1)] + [1 << 40])
    piece = built.at(1)
    piece_end = 16 + PFN_PIECE
    for available in (piece_end - 1, piece_end, piece_end + 1, piece_end + PFN_PIECE, piece_end + PFN_PIECE + 41):
        cut = only(decoded(built.data[: piece.offset + available]), Truncated)
        assert (cut.what, cut.offset) == ("PAGE_DATA", piece.offset)
        assert (cut.available, cut.missing) == (available, len(piece.data) - available)


def test_a_cut_in_a_large_body_or_its_padding_counts_all_of_it() -> None:
    built = StreamBuilder().libxc().record(HVM_CONTEXT, bytes(KEPT_BODY + 3))
    piece = built.at(HVM_CONTEXT)
    for available in (8, 9, KEPT_BODY, 8 + KEPT_BODY + 2, 8 + KEPT_BODY + 3, 8 + KEPT_BODY + 4, 8 + KEPT_BODY + 7):
        cut = only(decoded(built.data[: piece.offset + available]), Truncated)
        assert (cut.what, cut.available, cut.missing) == ("HVM_CONTEXT", available, len(piece.data) - available)


def test_an_unknown_record_is_named_by_its_number() -> None:
    built = StreamBuilder().libxc().record(0x80000042, bytes(100))
    assert only(decoded(built.data[:-1]), Truncated).what == "record of type 0x80000042"


def test_permission_cut_short_trails() -> None:
    stream = guest(permission=True).data
    for there in range(1, len(PERMISSION)):
        trailing = only(decoded(stream[: len(stream) - len(PERMISSION) + there]), Trailing)
        assert (trailing.length, trailing.data) == (there, PERMISSION[:there])


def test_a_stream_joined_in_the_middle_may_be_cut_as_well() -> None:
    built = guest("libxl", "PVH", iterations=(40,), per_batch=20)
    stream = built.data[built.at(1).offset + 100 :]
    assert type(decoded(stream, joined=True)[-1]) is Complete
    for cut in range(1, 8):
        found = only(decoded(stream[:-cut], joined=True), Truncated)
        assert (found.available, found.missing) == (8 - cut, cut)


def test_an_unfinished_checkpoint_is_a_truncation() -> None:
    built = checkpointed(2)
    cut = only(decoded(built.data + b"\1\0\0"), Truncated)
    assert (cut.what, cut.available, cut.missing) == ("record header", 3, 5)
