"""Which definition says what the bytes of a record are that its layer calls opaque.

The layers' own modules (:mod:`libxc`, :mod:`libxl`) are all that following a stream needs, so they stay small and keep
such fields as octets. Where more is known, a :class:`Body` here names one or more *complete* bodies to be used instead
of the layer's, and by what to choose among them. Nothing is imported before it is asked for.

A generator takes ``BODIES``; a reader of streams keeps a :class:`~guest.Guest` and asks :func:`decode`.
"""

from __future__ import annotations

from xenmig.core.definitions.structs import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from xenmig.core.definitions.guest import Guest

HERE = "xenmig.core.definitions."
HVM_CONTEXT = 0x09


class Body:
    """The definitions that take the place of the layer's own for one type of record."""

    __slots__ = ("layer", "record", "module", "by", "names")

    layer: str
    record: int
    "The type of the record."
    module: str
    "The module in this package that defines them."
    by: str
    """By what to choose among them:

    ""              there is only one, under 0
    "guest_width"   guest_width of X86_PV_INFO; where that is not known, by the length of the body
    """
    names: Mapping[int, str]
    "The names of the classes."

    def __init__(self, layer: str, record: int, module: str, names: Mapping[int, str], by: str = "") -> None:
        self.layer = layer
        self.record = record
        self.module = module
        self.names = names
        self.by = by

    @property
    def choices(self) -> dict[int, type[Struct]]:
        """The definitions, by what ``by`` says."""
        module = __import__(HERE + self.module, fromlist=["*"])
        return {key: getattr(module, name) for key, name in self.names.items()}

    def choose(self, guest_width: int | None, length: int) -> type[Struct] | None:
        """The definition for a body of ``length`` bytes; None when nothing says which."""
        choices = self.choices
        if not self.by:
            return choices[0]
        if guest_width in choices:
            return choices[guest_width]
        fitting = [one for one in choices.values() if one.accepts(length)]
        return fitting[0] if len(fitting) == 1 else None


_ALL = (
    Body("libxc", 0x04, "vcpu", {8: "X86PvVcpuBasic64", 4: "X86PvVcpuBasic32"}, "guest_width"),
    Body("libxc", 0x05, "vcpu", {0: "X86PvVcpuExtended"}),
    Body("libxc", 0x06, "vcpu", {0: "X86PvVcpuXsave"}),
    Body("libxc", 0x07, "shared_info", {8: "SharedInfo64", 4: "SharedInfo32"}, "guest_width"),
    Body("libxc", HVM_CONTEXT, "hvm_context", {0: "HvmContext"}),
    Body("libxc", 0x0A, "hvm_params", {0: "HvmParams"}),
    Body("libxc", 0x0C, "msrs", {0: "X86PvVcpuMsrs"}),
    Body("libxc", 0x12, "msrs", {0: "X86MsrPolicy"}),
    Body("libxl", 0x03, "qemu", {0: "EmulatorContext"}),
)
BODIES = {(body.layer, body.record): body for body in _ALL}
"Every body that says more than the layer's, by layer and type of record."


def definition_of(layer: str, record: int, length: int, guest: Guest) -> type[Struct] | None:
    """The closest definition of the body of a record; None for a record that nobody defines."""
    body = BODIES.get((layer, record))
    if body is not None:
        found = body.choose(guest.guest_width, length)
        if found is not None:
            return found
    return Struct.records.get(layer, {}).get(record)


def order_of(layer: str, record: int, data: bytes, byteorder: str) -> str:
    """The byte order of the body of a record in a stream whose byte order is ``byteorder``.

    It is that of the stream, since a sender writes both as they lie in its memory. Only HVM_CONTEXT says itself what it
    is, by its magic number, and one in little endian, as every Xen writes it, is read as such in any stream.
    """
    if byteorder != "<" and layer == "libxc" and record == HVM_CONTEXT:
        from xenmig.core.definitions.shapes import CONTEXT_BEGINS

        return "<" if data.startswith(CONTEXT_BEGINS["<"]) else byteorder
    return byteorder


def decode(layer: str, record: int, data: bytes, guest: Guest, byteorder: str = "<") -> Struct | None:
    """Decode the body of a record as closely as is known, and let ``guest`` learn from it.

    ``byteorder`` is that of the stream: see :func:`order_of`. None for a record that nobody defines. Offsets of
    problems are from the beginning of the body.
    """
    definition = definition_of(layer, record, len(data), guest)
    if definition is None:
        return None
    value: Struct = definition.decode(data, order_of(layer, record, data, byteorder))
    guest.take(value)
    return value
