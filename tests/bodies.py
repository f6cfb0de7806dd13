"""Bodies of records from real streams, and parts to build others from."""

from __future__ import annotations

import functools
from struct import pack
from typing import TYPE_CHECKING, Any

from tests.corpus import Sample, sample, samples
from xenmig.core.decode.events import Header
from xenmig.core.decode.reading import Reading
from xenmig.core.decode.record import Record
from xenmig.core.definitions import libxl
from xenmig.core.definitions.bodies import decode
from xenmig.core.definitions.guest import Guest

if TYPE_CHECKING:
    from xenmig.core.definitions.structs import Struct

HVM = "hvm-4.20-32M-1vcpu-savec.xlsave"
HVM_VIRIDIAN = "hvm-4.17-16M-2vcpu-viridian-save.xlsave"
PV = "pv-4.17-128M-1vcpu-savec.xlsave"
PVH = "pvh-4.17-8M-1vcpu-savec.xlsave"


class RealBody:
    """The body of one record of a real stream, decoded as closely as is known."""

    def __init__(self, event: Record, guest: Guest) -> None:
        assert event.body is not None
        self.layer = event.layer
        self.type = event.type
        self.data = event.body
        decoded = decode(event.layer, event.type, event.body, guest, event.byteorder)
        assert decoded is not None
        self.value: Any = decoded


class RealStream:
    """The headers of a real stream, and the bodies of those of its records that are no guest memory."""

    def __init__(self) -> None:
        self.headers: list[Struct] = []
        self.bodies: list[RealBody] = []
        self.events: list[Header | Record] = []
        "The headers and records, those with guest memory left out."
        self.guest = Guest()

    def body(self, type: int, layer: str = "libxc") -> RealBody:
        """The last record of that type."""
        return [one for one in self.bodies if (one.layer, one.type) == (layer, type)][-1]

    @property
    def config(self) -> bytes:
        """The guest's configuration in front of an xl stream."""
        config: bytes = next(one.__dict__["config"] for one in self.headers if "config" in one.__dict__)
        return config


@functools.cache
def real_streams(one: str | Sample) -> list[RealStream]:
    """The senders' streams of a sample."""
    streams: dict[int, RealStream] = {}
    chosen = sample(one) if isinstance(one, str) else one
    for stream, events in Reading(str(chosen.unpacked())):
        if stream.role != "sender":
            continue
        found = streams.setdefault(stream.number, RealStream())
        for event in events:
            if isinstance(event, Header):
                found.events.append(event)
                found.headers.append(event.value)
                found.guest.take(event.value)
            elif type(event) is Record and event.body is not None:
                found.events.append(event)
                found.bodies.append(RealBody(event, found.guest))
    return list(streams.values())


def real_stream(name: str) -> RealStream:
    """The only stream of a save file."""
    (stream,) = real_streams(name)
    return stream


def every_sample() -> list[Sample]:
    """The samples in the repository and, where it is there, in the corpus, the largest left out."""
    return [one for one in samples() if "768M" not in one.name]


def entry(typecode: int, instance: int, data: bytes, length: int | None = None) -> bytes:
    """One entry of an HVM context; ``length`` is what its descriptor announces."""
    return pack("<HHI", typecode, instance, len(data) if length is None else length) + data


END = entry(0, 0, b"")
HEADER = entry(1, 0, pack("<IIQIIQ", 0x54381286, 1, 0, 0x800F12, 2_596_130, 0)[:24])


def emulator(context: bytes) -> bytes:
    """The body of an EMULATOR_CONTEXT of upstream QEMU."""
    return pack("<II", libxl.EmulatorId.QEMU_UPSTREAM, 0) + context
