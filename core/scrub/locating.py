"""Which position of which direction the payload of each segment of a capture has, however often it was sent."""

from __future__ import annotations

from xenmig.core.sources.capture import Capture
from xenmig.core.sources.reassembly import Reassembler, sequence_distance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.sources.connection import Direction
    from xenmig.core.sources.frames import Frames, Head
    from xenmig.core.sources.input import Input
    from xenmig.core.sources.interest import ConsumerFactory
    from xenmig.core.sources.notice import Notices
    from xenmig.core.sources.segment import Segment


class LocatingReassembler(Reassembler):
    """Notes of the segment that it was given last where it belongs."""

    __slots__ = ("direction", "position")

    direction: Direction | None
    "The segment's direction; None when it has none, or no payload."
    position: int
    "Position of the first byte of its payload; negative before the first byte known."

    def __init__(self, factory: ConsumerFactory, scale: int, notices: Notices) -> None:
        super().__init__(factory, scale, notices)
        self.direction = None
        self.position = 0

    def _payload(self, direction: Direction, segment: Segment) -> None:
        self.direction = direction
        self.position = 0
        if direction.start >= 0:
            # Holds after the end of the direction, too.
            reached = direction.consumer.position
            self.position = reached + sequence_distance(segment.sequence, (direction.start + reached) & 0xFFFFFFFF)
        super()._payload(direction, segment)


class LocatingCapture(Capture):
    """Shows every frame with its segment: the general way is taken for all of them."""

    __slots__ = ("_locating",)

    def __init__(self, input: Input, factory: ConsumerFactory) -> None:
        super().__init__(input, factory, plain=True)
        self._locating = self._reassembler = LocatingReassembler(factory, self._scale, self._notices)

    def _frame(self, frames: Frames, start: int, head: Head, frame: int) -> None:
        """Take a frame, and call :meth:`shown`."""
        self._locating.direction = None
        segment = super()._frame(frames, start, head, frame)
        self.shown(frames, start, head, segment, self._locating.direction, self._locating.position)

    def _unknown(self, frames: Frames) -> None:
        super()._unknown(frames)
        for start, head in zip(frames.starts, frames.heads, strict=True):
            self.shown(frames, start, head, None, None, 0)

    def shown(
        self,
        frames: Frames,
        start: int,
        head: Head,
        segment: Segment | None,
        direction: Direction | None,
        position: int,
    ) -> None:
        """A frame: where it is in the window, and what it carries."""
        raise NotImplementedError
