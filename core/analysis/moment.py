"""The numbers of a migration at one point in time, while its bytes still come."""

from __future__ import annotations

from xenmig.core.definitions import libxc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.forecast import StopForecast
    from xenmig.core.analysis.network import Limits

PFN_WORD = libxc.PFN_WORD.size or 8
"Bytes of an entry in a pfn array."


class Passing:
    """The record whose header has come and whose end has not."""

    __slots__ = ("name", "done", "length")

    name: str
    done: int
    "How many of its bytes have come."
    length: int
    "How many it has, header and padding included."

    def __init__(self, name: str, done: int, length: int) -> None:
        self.name = name
        self.done = done
        self.length = length


class Left:
    """What is still to come of the pass over memory that is being made."""

    __slots__ = ("least", "most", "pfns", "bytes", "seconds", "basis", "estimated")

    least: int
    "Pages with data: between this many"
    most: int | None
    "and this many; None where that is not known."
    pfns: int | None
    "pfns to announce, with data or without; None where these are the pages."
    bytes: int | None
    "Most bytes that they take."
    seconds: float | None
    "How long these take at the rate of the moment."
    basis: str
    "What says so, as a phrase."
    estimated: bool
    "Whether the bounds are only about right."

    def __init__(
        self, least: int, most: int | None, pfns: int | None, rate: float | None, basis: str, *, estimated: bool = False
    ) -> None:
        self.least = least
        self.most = most
        self.pfns = pfns
        self.bytes = None if most is None else pass_bytes(most, most if pfns is None else pfns)
        self.seconds = self.bytes / rate if rate and self.bytes is not None else None
        self.basis = basis
        self.estimated = estimated


def pass_bytes(pages: int, pfns: int) -> int:
    """How many bytes a pass takes that announces ``pfns``, of which ``pages`` carry data, without record headers."""
    return pages * GUEST_PAGE_SIZE + pfns * PFN_WORD


class Moment:
    """The numbers at one point in time."""

    # fmt: off
    __slots__ = (
        "time", "bytes", "stage", "iteration", "kind", "pfns", "pages", "again", "unsent", "all_pages", "all_again",
        "between", "passing", "rate", "average", "dirty_rate", "left", "stop", "paused", "limits", "retransmitted",
    )
    # fmt: on

    time: int
    "Nanoseconds since 1970: of the capture's packets, else of the clock on the wall."
    bytes: int
    "Bytes of the stream that have come."
    stage: str
    """"headers", "memory", "guest state", "checkpoint", "hand-over" or "over"."""
    iteration: int | None
    "Number of the pass over memory that is being made, from 0."
    kind: str
    "Its kind, as far as it is known while it is being made: empty where it may be the last."
    pfns: int
    "pfns announced in it."
    pages: int
    "Pages with data sent in it, those of the record that is passing by included."
    again: int
    "How many of them had been sent before."
    unsent: int
    "Pages with data that are announced and still to come."
    all_pages: int
    "Pages with data sent in all passes."
    all_again: int
    "How many of them had been sent before."
    between: bool
    "Whether that pass has ended and no other has begun."
    passing: Passing | None
    rate: float | None
    "Bytes per second over the last seconds."
    average: float | None
    "Bytes per second since the first byte."
    dirty_rate: float | None
    "Pages that the guest made dirty per second, while the pass before the last complete one was sent."
    left: Left | None
    stop: StopForecast | None
    paused: float | None
    "Seconds since the last byte that was sent while the guest was running, once it is known to be paused."
    limits: Limits | None
    "Where the time of the last seconds went; None in a file."
    retransmitted: int
    "Segments sent again so far, those of which only the second copy was captured included."

    def __init__(self, time: int, bytes: int, stage: str) -> None:
        self.time = time
        self.bytes = bytes
        self.stage = stage
        self.iteration = None
        self.kind = ""
        self.pfns = 0
        self.pages = 0
        self.again = 0
        self.unsent = 0
        self.all_pages = 0
        self.all_again = 0
        self.between = False
        self.passing = None
        self.rate = None
        self.average = None
        self.dirty_rate = None
        self.left = None
        self.stop = None
        self.paused = None
        self.limits = None
        self.retransmitted = 0
