"""What is measured: the work, who does it, and the mark to beat."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests import sound
from tests.benchmarks import capture, streams
from tests.benchmarks.measuring import Case, MeasurementFailed, Sample, Series, interleaved, last_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.installation import Installation
    from tests.benchmarks.streams import Chunk

VERIFY = "xenmig verify"
TIMELINE = "xenmig timeline"
FOLLOW = "xenmig timeline --follow"
BOTH = "xenmig verify, then timeline"
PEER = "verify-stream-v2"
BUFFERED = "verify-stream-v2, buffered"
TCPFLOW = "tcpflow, then verify-stream-v2"
TSHARK = "tshark -r"
PYTHON = "python -c pass"

# Programs of their own: they import the peer's packages, which this process does not have.
BUFFERED_PEER = Path(__file__).with_name("buffered_peer.py")
INSIDE = Path(__file__).with_name("inside.py")

PEAK = 32 << 10
"KiB of memory that xenmig may take, whatever the input."
GIB = 1 << 18
"Pages."


class Mark(NamedTuple):
    """``other`` is to take at least ``ratio`` times as long as ``ours``."""

    ours: str
    other: str
    ratio: float


class Item(NamedTuple):
    """One piece of work and all who did it."""

    name: str
    "What ``--only`` calls it."
    work: str
    marks: tuple[Mark, ...]
    series: list[Series]


class Bench:
    """Makes the inputs where they are missing, and measures."""

    def __init__(self, folder: Path, installation: Installation, *, quick: bool, repeats: int) -> None:
        """Inputs are kept in ``folder`` for the next time: about 4 GB, or 100 MB with ``quick``."""
        self._folder = folder
        self._installation = installation
        self._quick = quick
        self._repeats = repeats
        self._forget_others()

    def items(self, only: list[str]) -> Iterator[Item]:
        """Measure each item, or those in ``only``."""
        for name, measure in ITEMS.items():
            if not only or name in only:
                yield from measure(self, name)

    # -- streams in files -----------------------------------------------------------------------------------------

    def file(self, name: str) -> Iterator[Item]:
        """Whole processes on a large stream."""
        for guest, path in self._large():
            marks = (Mark(VERIFY, PEER, 10),)
            floor = Case(PYTHON, (((self._installation.python, "-c", "pass"),),))
            cases = [*self._in_files(path), floor]
            # These are short: more of them cost little and settle the median.
            yield Item(name, f"{guest}, file, whole process", marks, interleaved(cases, 3 * self._repeats))

    def inside(self, name: str) -> Iterator[Item]:
        """The same without starting Python."""
        for guest, path in self._large():
            yield Item(
                name, f"{guest}, file, inside the process", (Mark(VERIFY, PEER, 80),), self._in_one_process(path)
            )

    def tiny(self, name: str) -> Iterator[Item]:
        """Many records of 24 bytes."""
        path, count = self._tiny()
        cases = self._in_files(path)
        yield Item(name, f"{count} tiny records, file", (Mark(VERIFY, PEER, 5),), interleaved(cases, self._repeats))

    def one_page(self, name: str) -> Iterator[Item]:
        """Many small PAGE_DATA."""
        path, count = self._one_page()
        cases = self._in_files(path)
        yield Item(name, f"{count} one-page records, file", (Mark(VERIFY, PEER, 2),), interleaved(cases, self._repeats))

    def sparse(self, name: str) -> Iterator[Item]:
        """A file with holes where the memory is."""
        pages = GIB * (1 if self._quick else 4)
        path = self._made(f"sparse-{pages}", lambda: streams.hvm(pages, sparse=True))
        work = f"{size(pages)} HVM stream, sparse file"
        yield Item(name, work, (), interleaved(self._in_files(path), self._repeats))

    # -- streams in pipes -----------------------------------------------------------------------------------------

    def pipe(self, name: str) -> Iterator[Item]:
        """The same streams through a pipe."""
        inputs = list(self._large())[:1]
        tiny, tiny_count = self._tiny()
        single, single_count = self._one_page()
        inputs += [(f"{single_count} one-page records", single), (f"{tiny_count} tiny records", tiny)]
        python = self._installation.python
        for what, path in inputs:
            writer = ("cat", str(path))
            cases = [
                Case(VERIFY, ((writer, self._installation.verify("-")),)),
                Case(BUFFERED, ((writer, (python, str(BUFFERED_PEER))),), self._installation.peer),
            ]
            yield Item(name, f"{what}, pipe", (Mark(VERIFY, BUFFERED, 1.5),), interleaved(cases, self._repeats))

    # -- captures -------------------------------------------------------------------------------------------------

    def capture(self, name: str) -> Iterator[Item]:
        """From a capture to a verdict and iterations."""
        path = self._capture()
        flows = self._folder / "flows"
        verify, timeline = self._installation.verify(path), self._installation.timeline(path)
        tcpflow = ("tcpflow", "-q", "-X", os.devnull, "-r", str(path), "-o", str(flows))
        peer = self._installation.peer_verify(flows / capture.FLOW, "xl")
        tshark = ("tshark", "-r", str(path), "--disable-protocol", "thrift")
        cases = [
            Case(VERIFY, ((verify,),)),
            Case(TIMELINE, ((timeline,),)),
            Case(BOTH, ((verify,), (timeline,))),
        ]
        # A timeline takes at most 1.5 times as long as a verification.
        marks: tuple[Mark, ...] = (Mark(TIMELINE, VERIFY, 2 / 3),)
        # Where a tool is not here, the line on tools says so.
        if shutil.which("tcpflow"):
            cases.append(Case(TCPFLOW, ((tcpflow,), (peer,)), self._installation.peer, flows))
            marks += tuple(Mark(ours, TCPFLOW, 2.5) for ours in (VERIFY, TIMELINE, BOTH))
        if shutil.which("tshark"):
            cases.append(Case(TSHARK, ((tshark,),)))
            marks += tuple(Mark(ours, TSHARK, 10) for ours in (VERIFY, TIMELINE, BOTH))
        work = f"{path.stat().st_size / 1e6:.0f} MB capture at {capture.SEGMENT}-byte segments"
        yield Item(name, work, marks, interleaved(cases, self._repeats))

    def follow(self, name: str) -> Iterator[Item]:
        """A capture replayed through a pipe, told second by second or in the end."""
        path = self._capture()
        writer = ("cat", str(path))
        # That it takes no more than 1.2 times as long: the other takes that part of it at least.
        marks = (Mark(FOLLOW, TIMELINE, 1 / 1.2),)
        cases = [
            Case(FOLLOW, ((writer, self._installation.timeline("-", "--follow")),)),
            Case(TIMELINE, ((writer, self._installation.timeline("-")),)),
        ]
        work = f"{path.stat().st_size / 1e6:.0f} MB capture in a pipe"
        yield Item(name, work, marks, interleaved(cases, self._repeats))

    # -- inputs ---------------------------------------------------------------------------------------------------

    def _large(self) -> Iterator[tuple[str, Path]]:
        pages = GIB // 16 if self._quick else GIB
        for guest, make in (("HVM", streams.hvm), ("PV", streams.pv)):
            path = self._made(f"{guest.lower()}-{pages}", lambda make=make: make(pages))  # type: ignore[misc]
            yield f"{size(pages)} {guest} stream", path

    def _capture(self) -> Path:
        pages = 2_048 if self._quick else 66_000
        path = self._folder / f"capture-{pages}.pcap"
        if not path.exists():
            capture.write(self._new(path), streams.live(pages))
            self._done(path)
        return path

    def _tiny(self) -> tuple[Path, int]:
        count = 50_000 if self._quick else 1_000_000
        return self._made(f"tiny-{count}", lambda: streams.tiny(count)), count

    def _one_page(self) -> tuple[Path, int]:
        count = 10_000 if self._quick else 250_000
        return self._made(f"one-page-{count}", lambda: streams.one_page(count)), count

    def _made(self, name: str, make: Callable[[], Iterator[Chunk]]) -> Path:
        path = self._folder / f"{name}.libxc"
        if not path.exists():
            streams.write(self._new(path), make())
            self._done(path)
        return path

    def _forget_others(self) -> None:
        """Remove inputs that were made otherwise than they would be now."""
        makers = b"".join(Path(str(module.__file__)).read_bytes() for module in (capture, sound, streams))
        digest = hashlib.sha256(makers).hexdigest()
        stamp = self._folder / "made-by"
        if not stamp.exists() or stamp.read_text() != digest:
            for path in (*self._folder.glob("*.libxc"), *self._folder.glob("*.pcap")):
                path.unlink()
            stamp.write_text(digest)

    @staticmethod
    def _new(path: Path) -> Path:
        # The name appears when the contents are whole.
        return path.with_name(path.name + ".part")

    def _done(self, path: Path) -> None:
        self._new(path).rename(path)

    # -- ways to measure ------------------------------------------------------------------------------------------

    def _in_files(self, path: Path) -> list[Case]:
        return [
            Case(VERIFY, ((self._installation.verify(path),),)),
            Case(PEER, ((self._installation.peer_verify(path),),), self._installation.peer),
        ]

    def _in_one_process(self, path: Path) -> list[Series]:
        done = subprocess.run(
            [self._installation.python, str(INSIDE), str(path), str(self._repeats)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self._installation.peer)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MeasurementFailed(f"inside one process: {last_line(done.stderr)}")
        found = json.loads(done.stdout)
        ours, theirs = Series(VERIFY), Series(PEER)
        for series, key in ((ours, "ours"), (theirs, "theirs")):
            series.samples = [Sample(seconds, seconds, 0) for seconds in found[key]]
        return [ours, theirs]


def size(pages: int) -> str:
    """Guest memory for people."""
    return f"{pages >> 18} GiB" if pages >= GIB else f"{pages >> 8} MiB"


ITEMS: dict[str, Callable[[Bench, str], Iterator[Item]]] = {
    "file": Bench.file,
    "inside": Bench.inside,
    "tiny": Bench.tiny,
    "one-page": Bench.one_page,
    "pipe": Bench.pipe,
    "capture": Bench.capture,
    "follow": Bench.follow,
    "sparse": Bench.sparse,
}
"By the name that ``--only`` takes."
