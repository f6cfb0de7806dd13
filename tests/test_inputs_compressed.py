"""Compressed inputs: members in a row, cut and damaged data, and memory that does not follow what data grows to."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.zstd import compress as zstd_compress
from xenmig.core.quantity import quantity
from xenmig.core.sources import compressed
from xenmig.core.sources.compressed import CompressedInput, decompressor
from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.open import compression, open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd_compress,
}
CONTENT = b"".join(index.to_bytes(4, "little") for index in range(50_000))

BAD_ZSTD_FRAME = b"\x28\xb5\x2f\xfd\x00\x58" + b"\x06\x00\x00" + bytes(50)
"A frame whose first block is of the reserved type; RFC 8878, section 3.1.1.2.2."

each_compression = pytest.mark.parametrize("kind", COMPRESSIONS)


@pytest.fixture(params=["standard", "zstandard"])
def zstd_module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both of the modules that can be behind zstd."""
    module: str = request.param
    if module == "zstandard":
        monkeypatch.setitem(sys.modules, "compression.zstd", None)
        monkeypatch.setitem(sys.modules, "backports.zstd", None)
    return module


def everything(source: CompressedInput, count: int = 1 << 16) -> bytes:
    result = []
    while data := source.read(count):
        assert len(data) <= count
        result.append(data)
    return b"".join(result)


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Callable[[bytes], CompressedInput]]:
    opened: list[CompressedInput] = []

    def save(data: bytes) -> CompressedInput:
        path = tmp_path / "compressed"
        path.write_bytes(data)
        source = open_input(str(path))
        assert isinstance(source, CompressedInput)
        opened.append(source)
        return source

    yield save
    for source in opened:
        source.close()


@each_compression
@pytest.mark.parametrize("count", [1000, 65536, 1 << 20])
def test_contents_come_out_whole(kind: str, count: int, saved: Callable[[bytes], CompressedInput]) -> None:
    source = saved(COMPRESSIONS[kind](CONTENT))
    assert everything(source, count) == CONTENT
    assert source.offset == len(CONTENT)
    assert source.size is None
    assert source.notice is None


@each_compression
def test_peeking_consumes_nothing_and_skipping_drops(kind: str, saved: Callable[[bytes], CompressedInput]) -> None:
    source = saved(COMPRESSIONS[kind](CONTENT))
    assert source.peek(1000) == CONTENT[:1000]
    assert source.read(10) == CONTENT[:10]
    assert source.skip(100_000) == 100_000
    assert source.peek(10) == CONTENT[100_010:100_020]
    assert source.skip(1_000_000) == len(CONTENT) - 100_010
    assert source.skip(1) == 0
    assert source.offset == len(CONTENT)


@each_compression
@pytest.mark.parametrize("padding", [0, 4, 512, 200_000])
def test_members_in_a_row_are_one_run_of_bytes(
    kind: str, padding: int, saved: Callable[[bytes], CompressedInput]
) -> None:
    compress = COMPRESSIONS[kind]
    source = saved(compress(CONTENT) + bytes(padding) + compress(b"") + compress(b"second") + bytes(padding))
    assert everything(source) == CONTENT + b"second"
    assert source.notice is None


@pytest.mark.usefixtures("zstd_module")
def test_both_zstd_modules_read_frames_in_a_row(saved: Callable[[bytes], CompressedInput]) -> None:
    skippable = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"index"
    source = saved(skippable + zstd_compress(CONTENT) + skippable + zstd_compress(CONTENT))
    assert everything(source, 5000) == CONTENT * 2
    assert source.notice is None


@each_compression
def test_a_file_cut_at_any_byte_gives_what_was_there_and_says_so(
    kind: str, saved: Callable[[bytes], CompressedInput]
) -> None:
    first = COMPRESSIONS[kind](CONTENT[:400])
    data = first + COMPRESSIONS[kind](CONTENT[400:1000])
    lengths = []
    for length in range(6, len(data)):
        try:
            source = saved(data[:length])
        except UnreadableInput:
            # Not one byte came out of it; that its reason is given has a test of its own.
            lengths.append(0)
            continue
        found = everything(source)
        assert CONTENT.startswith(found)
        lengths.append(len(found))
        if length == len(first):
            assert source.notice is None
        else:
            assert source.notice is not None
            assert source.notice.startswith(f"after {quantity(len(found), 'decompressed byte')}, ")
        if length not in range(len(first), len(first) + 6):
            assert f"the {kind} data ends before its end" in str(source.notice)
    assert lengths == sorted(lengths)
    assert lengths[-1] >= 400


@pytest.mark.usefixtures("zstd_module")
def test_both_zstd_modules_see_a_cut(saved: Callable[[bytes], CompressedInput]) -> None:
    data = zstd_compress(CONTENT)
    source = saved(data[:-10])
    assert CONTENT.startswith(everything(source))
    assert source.notice is not None
    assert "ends before its end" in source.notice


@each_compression
def test_damaged_data_ends_the_input_and_says_so(kind: str, saved: Callable[[bytes], CompressedInput]) -> None:
    data = bytearray(COMPRESSIONS[kind](os.urandom(1_500_000)))
    data[1_200_000:1_200_020] = bytes(20)
    source = saved(bytes(data) if kind != "zstd" else zstd_compress(CONTENT) + BAD_ZSTD_FRAME)
    assert 0 < len(everything(source)) <= 1_500_000
    assert source.notice is not None
    assert f"the {kind} data is damaged" in source.notice


@pytest.mark.usefixtures("zstd_module")
def test_both_zstd_modules_see_damage(saved: Callable[[bytes], CompressedInput]) -> None:
    source = saved(zstd_compress(CONTENT) + BAD_ZSTD_FRAME)
    assert everything(source) == CONTENT
    assert source.notice is not None
    assert "damaged" in source.notice


@each_compression
def test_something_else_after_the_data_is_left_out_and_mentioned(
    kind: str, saved: Callable[[bytes], CompressedInput]
) -> None:
    source = saved(COMPRESSIONS[kind](CONTENT) + b"something else")
    assert everything(source) == CONTENT
    assert source.notice == (
        f"after {len(CONTENT)} decompressed bytes, what follows the {kind} data is not {kind} data and was left out"
    )


@each_compression
def test_data_that_gives_nothing_at_all_is_refused_with_the_reason(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    path.write_bytes(COMPRESSIONS[kind](b""))
    with pytest.raises(UnreadableInput, match=f"the {kind} data in it holds nothing"):
        open_input(str(path))
    path.write_bytes(COMPRESSIONS[kind](CONTENT)[:7])
    with pytest.raises(UnreadableInput, match=f"the {kind} data ends before its end"):
        open_input(str(path))


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "zstandard"])
def test_memory_does_not_follow_what_the_data_grows_to(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    # Concatenated members keep the compressing side of this test small too.
    member = COMPRESSIONS["zstd" if kind == "zstandard" else kind](bytes(64 << 20))
    path.write_bytes(member * 4)
    code = (
        "import re, sys\n"
        "if sys.argv[2] == 'zstandard': sys.modules['compression.zstd'] = sys.modules['backports.zstd'] = None\n"
        "from xenmig.core.sources.open import open_input\n"
        "print(open_input(sys.argv[1]).skip(1 << 40))\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(path), kind], stdout=subprocess.PIPE, check=True)
    passed, kibibytes = map(int, run.stdout.split())
    assert passed == 256 << 20
    assert kibibytes <= 64 << 10


def test_without_any_zstd_module_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in "compression.zstd", "backports.zstd", "zstandard":
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "stream.zst"
    path.write_bytes(zstd_compress(CONTENT))
    with pytest.raises(UnreadableInput, match=r"pip install xenmig\[zstd\]") as caught:
        open_input(str(path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize("module", ["zlib", "lzma", "bz2"])
def test_a_python_built_without_a_compression_says_so(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    kind = {"zlib": "gzip", "lzma": "xz", "bz2": "bzip2"}[module]
    with pytest.raises(UnreadableInput, match=f"compressed with {kind}, which this Python was built without"):
        decompressor(kind, "name")


def test_an_xz_header_that_wants_gibibytes_of_dictionary_is_refused(
    saved: Callable[[bytes], CompressedInput], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = lzma.compress(CONTENT, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 22}])
    monkeypatch.setattr(compressed, "_XZ_MEMORY", 1 << 20)
    with pytest.raises(UnreadableInput, match="emory"):
        saved(data)


@pytest.mark.parametrize(
    "first",
    [b"", b"\x1f", b"\xfd7zXZ\x01", b"LibxlF", b"Xen sa", b"\xd4\xc3\xb2\xa1\x02\x00", b"P*M", b"\n\r\r\n\x80\x00"],
)
def test_streams_and_captures_are_not_taken_for_compressed(first: bytes) -> None:
    assert compression(first) is None
