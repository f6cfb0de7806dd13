"""The streams taken out of real captures are the ones that tcpflow takes out, byte for byte.

Where both have all bytes there is nothing to interpret. Differences that this test allows for: tcpflow leaves holes as
holes in its files, which read as zeros, as the consumer here writes them; it makes no file for a direction without
payload; and a second connection on the same ports gets a suffix, of which these captures have none.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.captures import Recorder
from tests.corpus import Sample, corpus, requires_corpus
from xenmig.core.sources.capture import Capture
from xenmig.core.sources.open import open_input

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from xenmig.core.sources.connection import Connection, Direction, Endpoint


class Digest(Recorder):
    """Keeps a digest and not the bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.sha256 = hashlib.sha256()

    def feed(self, data: bytes, start: int, end: int) -> None:
        self.sha256.update(memoryview(data)[start:end])
        self.position += end - start

    def hole(self, count: int) -> None:
        self.position += count
        while count:
            self.sha256.update(bytes(min(count, 1 << 20)))
            count -= min(count, 1 << 20)


def everything(connection: Connection, direction: Direction, prefix: bytes, from_start: bool) -> Digest:
    return Digest()


def digest(file: BinaryIO) -> str:
    sha256 = hashlib.sha256()
    while data := file.read(1 << 20):
        sha256.update(data)
    return sha256.hexdigest()


def flow_name(end: Endpoint) -> str:
    return ".".join(f"{int(part):03}" for part in end.address.split(".")) + f".{end.port:05}"


@requires_corpus
@pytest.mark.skipif(shutil.which("tcpflow") is None, reason="tcpflow is not installed")
@pytest.mark.parametrize("sample", corpus("capture"), ids=str)
@pytest.mark.parametrize("plain", [False, True], ids=["fast loop", "general way"])
def test_the_streams_of_a_capture_are_those_of_tcpflow(sample: Sample, plain: bool, tmp_path: Path) -> None:
    path = sample.unpacked()
    flows = tmp_path / "flows"
    subprocess.run(["tcpflow", "-r", path, "-o", flows, "-X", tmp_path / "report.xml"], check=True, capture_output=True)
    expected = {}
    for flow in flows.iterdir():
        if flow.suffix != ".xml":
            with flow.open("rb") as file:
                expected[flow.name] = digest(file)

    input = open_input(str(path))
    capture = Capture(input, everything, plain=plain)
    assert list(capture) == []
    input.close()

    found = {}
    for connection in capture.connections:
        for direction in connection.directions:
            if direction.of_interest:
                assert isinstance(direction.consumer, Digest)
                name = f"{flow_name(direction.source)}-{flow_name(direction.destination)}"
                found[name] = direction.consumer.sha256.hexdigest()
                assert direction.holes == 0
    assert len(found) >= 2
    assert found == expected
    assert capture.notices == []
