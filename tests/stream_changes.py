"""Changes to small streams, drawn by Hypothesis: damage, lost and repeated records, and what nobody would write."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.valid_streams import VALID, Pieces, page_data, record

PARTS = [data for make in VALID.values() for name, data in make().pieces if not name.endswith(("header", "data"))]
"Records that may be put where they do not belong."
EDGES = st.sampled_from([0, 1, 4, 7, 8, 9, 15, 16, 17, 24, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
TYPES = st.one_of(st.integers(0, 0x14), st.sampled_from([0x80000001, 0x80000008, 0xFFFFFFFF]))


@st.composite
def changed(draw: st.DrawFn, base: Pieces) -> bytes:
    """A stream with one to three changes, one in ten of them cut off somewhere."""
    stream = base
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        stream = draw(st.sampled_from(CHANGES))(draw, stream)
    data = bytes(stream)
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    return data


def _piece(draw: st.DrawFn, stream: Pieces) -> str:
    return draw(st.sampled_from([name for name, _ in stream.pieces]))


def flip_a_byte(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """Another value of one byte, most often one near the beginning of a record."""
    name = _piece(draw, stream)
    data = stream.data(name)
    if not data:
        return stream
    at = draw(st.integers(0, min(len(data), draw(st.sampled_from([8, 24, 48, 10_000]))) - 1))
    return stream.patched(name, at, bytes([data[at] ^ draw(st.integers(1, 255))]))


def set_a_word(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A value that is at the edge of something in one of a record's first words."""
    name = _piece(draw, stream)
    words = len(stream.data(name)) // 4
    if not words:
        return stream
    at = 4 * draw(st.integers(0, min(words, 12) - 1))
    return stream.patched(name, at, struct.pack("<I", draw(EDGES)))


def set_a_type(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """Another type of record."""
    name = _piece(draw, stream)
    return stream.patched(name, 0, struct.pack("<I", draw(TYPES))) if len(stream.data(name)) >= 8 else stream


def change_a_length(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """Another body length, with the bytes to go with it, so that the place in the stream is kept."""
    name = _piece(draw, stream)
    data = stream.data(name)
    if len(data) < 8 or name.endswith(("header", "data", "xml")):
        return stream
    kind, length = struct.unpack_from("<II", data)
    body = (data[8 : 8 + length] + bytes(64))[: max(0, min(length, len(data)) + draw(st.integers(-24, 24)))]
    return stream.replaced(name, record(kind, body))


def remove(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A piece less."""
    return stream.without(_piece(draw, stream)) if len(stream.pieces) > 1 else stream


def repeat(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A piece twice."""
    return stream.repeated(_piece(draw, stream))


def move(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A piece elsewhere."""
    one, other = _piece(draw, stream), _piece(draw, stream)
    return stream if one == other else stream.moved(one, before=other)


def insert_a_part(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A right record of some stream."""
    return stream.inserted(draw(st.sampled_from(PARTS)), before=_piece(draw, stream))


def insert_a_record(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """A record that holds anything, or zeros."""
    body = draw(st.one_of(st.binary(max_size=32), st.integers(0, 40).map(bytes)))
    return stream.inserted(record(draw(TYPES), body), before=_piece(draw, stream))


def insert_pages(draw: st.DrawFn, stream: Pieces) -> Pieces:
    """Memory with page types of every kind, and now and then a reserved bit."""
    words = [
        draw(st.integers(0, 15)) << 60 | draw(st.sampled_from([0, 0, 0, 1])) << draw(st.integers(50, 59)) | number
        for number in range(draw(st.integers(0, 3)))
    ]
    return stream.inserted(page_data(*words), before=_piece(draw, stream))


CHANGES = (
    flip_a_byte,
    set_a_word,
    set_a_type,
    change_a_length,
    remove,
    repeat,
    move,
    insert_a_part,
    insert_a_record,
    insert_pages,
)
