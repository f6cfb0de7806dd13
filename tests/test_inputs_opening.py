"""What cannot be opened is refused in one clear line; everything else opens as what its bytes are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xenmig.core.sources.errors import UnreadableInput
from xenmig.core.sources.file import FileInput
from xenmig.core.sources.open import open_input
from xenmig.core.sources.pipe import PipeInput

SHOW = (
    "import sys\n"
    "from xenmig.core.sources.errors import UnreadableInput\n"
    "from xenmig.core.sources.open import open_input\n"
    "try:\n"
    "    source = open_input('-')\n"
    "except UnreadableInput as error:\n"
    "    sys.exit(str(error))\n"
    "print(type(source).__name__, source.name, source.size, source.read(5).decode())\n"
)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UnreadableInput) as caught:
        open_input("no/such/file")
    assert str(caught.value) == "no/such/file: there is no such file"
    assert caught.value.path == "no/such/file"
    assert caught.value.reason == "there is no such file"


def test_a_directory_is_refused_and_its_descriptor_given_back(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(UnreadableInput, match="is a directory"):
            open_input(str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    with pytest.raises(UnreadableInput, match="is empty: there is nothing to read"):
        open_input(str(path))


def test_a_file_without_permission_says_whose_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(UnreadableInput, match="permission to read it is denied"):
        open_input("secret")


def test_any_other_failure_gives_the_system_s_reason(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UnreadableInput, match="cannot be opened: Too many levels of symbolic links"):
        open_input(str(loop))


def test_a_file_is_sought_in_and_knows_its_size(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(b"LibxlFmt")
    source = open_input(str(path))
    assert isinstance(source, FileInput)
    assert (source.name, source.offset, source.size) == (str(path), 0, 8)
    assert source.read(100) == b"LibxlFmt"
    source.close()


def test_a_file_that_only_says_it_is_empty_is_read() -> None:
    source = open_input("/proc/self/status")
    assert source.read(5) == b"Name:"
    assert source.size is None
    source.close()


def test_a_fifo_is_read_as_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"LibxlFmt",))
    writer.start()
    source = open_input(str(path))
    assert isinstance(source, PipeInput)
    assert source.skip(5) == 5
    assert source.peek(100) == b"Fmt"
    writer.join()
    source.close()


def test_the_standard_input_as_a_pipe() -> None:
    run = subprocess.run([sys.executable, "-c", SHOW], input=b"LibxlFmt", stdout=subprocess.PIPE, check=True)
    assert run.stdout == b"PipeInput standard input None Libxl\n"


def test_the_standard_input_as_a_file_goes_on_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(b"wrapperLibxlFmt")
    with path.open("rb", buffering=0) as stream:
        stream.seek(7)
        run = subprocess.run([sys.executable, "-c", SHOW], stdin=stream, stdout=subprocess.PIPE, check=True)
    assert run.stdout == b"FileInput standard input 8 Libxl\n"


def test_an_empty_standard_input_is_refused() -> None:
    run = subprocess.run([sys.executable, "-c", SHOW], input=b"", stderr=subprocess.PIPE, check=False)
    assert run.stderr == b"standard input: is empty: there is nothing to read\n"


def test_a_terminal_is_refused() -> None:
    controller, terminal = os.openpty()
    run = subprocess.run([sys.executable, "-c", SHOW], stdin=terminal, stderr=subprocess.PIPE, check=False)
    os.close(controller)
    os.close(terminal)
    assert run.stderr == b"standard input: is a terminal; give a file, or pipe a stream in\n"


def test_opening_a_plain_file_imports_no_decompressor(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(b"LibxlFmt")
    code = (
        "import sys\n"
        "from xenmig.core.sources.open import open_input\n"
        "from xenmig.core.sources.stream import drive\n"
        "open_input(sys.argv[1]).read(8)\n"
        "late = {'zlib', 'lzma', 'bz2', 'enum', 're', 'typing', 'dataclasses', 'argparse', 'collections',\n"
        "        'functools', 'contextlib', 'pathlib', 'logging',\n"
        "        'xenmig.core.sources.compressed', 'xenmig.core.sources.pipe'}\n"
        "print(sorted(late & set(sys.modules)))\n"
    )
    # -S keeps out what the installation itself imports at start.
    paths = os.pathsep.join(path for path in sys.path if path)
    root = Path(__file__).resolve().parent.parent
    run = subprocess.run(
        [sys.executable, "-S", "-c", code, str(path)],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), paths])},
    )
    assert run.stdout == b"[]\n"
