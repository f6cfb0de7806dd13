"""Decoding what comes before records: the wrappers of xl and libvirt, the headers of libxl and libxc."""

from __future__ import annotations

from xenmig.core.decode.events import Header
from xenmig.core.decode.push import PushDecoder
from xenmig.core.decode.recognise import LONGEST, STREAMS, recognise
from xenmig.core.definitions import libxc, libxl, xl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from xenmig.core.decode.push import State
    from xenmig.core.definitions.structs import Struct

KEPT_BODY = 4 << 20
"Bodies and configurations up to this many bytes are handed over; of larger ones only offset and length are."


class HeaderDecoder(PushDecoder):
    """Finds out what the outermost layer is and reads every header down to the first record."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = ""
        "The layer that is being read."
        self.need = LONGEST
        # "libxl" when a libxl stream is around the libxc stream, "" when none is, "?" when nobody can know.
        self._outer = ""
        self._order = {"libxl": "<", "libxc": "<", "xl": "<", "libvirt": "<"}
        # The guest's configuration in a wrapper.
        self._wrapped = 0
        # Why what follows the wrapper is not decoded, if it is not.
        self._behind_wrapper = ""
        # What is passed over when it is no record: its layer, its name and where it begins and ends.
        self._passing: tuple[str, str, int, int] | None = None
        self._state = self._start

    def _enter(self, layer: str) -> None:
        self.layer = layer
        if layer == "xl":
            self._state, self.need = self._xl_header, xl.Header.size or 0
        elif layer == "libvirt":
            from xenmig.core.definitions import libvirt

            self._state, self.need = self._libvirt_header, libvirt.Header.size or 0
        elif layer == "libxl":
            self._outer = "libxl"
            self._state, self.need = self._libxl_header, libxl.Header.size or 0
        else:
            self._state, self.need = self._image_header, libxc.ImageHeader.size or 0

    def _start(self, buffer: bytes, at: int, end: int) -> int:
        kind = recognise(bytes(buffer[at : min(end, at + LONGEST)]))
        if kind is None and not self._final:
            self.need = end - at + 1
            return at
        if kind is None or kind not in STREAMS:
            self._show("start", "", self._ignore)
        else:
            self._enter(kind)
        return at

    def _header(self, definition: type[Struct], order: str, buffer: bytes, at: int, size: int) -> Any:
        """Decode one header and report it."""
        value = definition.decode(bytes(buffer[at : at + size]), order)
        offset = self._base + at
        first, last = self._packet_at(offset), self._packet_at(offset + size - 1)
        self.events.append(Header(definition.layer, offset, size, value, order, first, last))
        return value

    # -- wrappers -------------------------------------------------------------------------------------------------

    def _xl_header(self, buffer: bytes, at: int, end: int) -> int:
        size = xl.Header.size or 0
        if end - at < size:
            self.need = size
            return at
        if not buffer.startswith(xl.MAGIC, at):
            self._show("header", "xl", self._ignore)
            return at
        mark = at + (xl.Header.field("byteorder").offset or 0)
        order = ">" if buffer[mark : mark + 4] == xl.BYTEORDER.to_bytes(4, "big") else "<"
        header = self._header(xl.Header, order, buffer, at, size)
        legacy = not header.mandatory_flags & xl.MandatoryFlags.STREAMv2
        self._wrapper("xl", order, header.optional_data_len, "legacy" if legacy else "")
        return at + size

    def _libvirt_header(self, buffer: bytes, at: int, end: int) -> int:
        from xenmig.core.definitions import libvirt

        size = libvirt.Header.size or 0
        if end - at < size:
            self.need = size
            return at
        if not buffer.startswith(libvirt.MAGIC, at):
            self._show("header", "libvirt", self._ignore)
            return at
        # The header has no mark of its byte order; a version that is small when read one way settles it.
        mark = at + (libvirt.Header.field("version").offset or 0)
        order = "<" if buffer[mark] else ">"
        header = self._header(libvirt.Header, order, buffer, at, size)
        if header.version in (libvirt.Version.STREAMv2, libvirt.Version.LEGACY):
            legacy = header.version == libvirt.Version.LEGACY
            self._wrapper("libvirt", order, header.xmlLen, "legacy" if legacy else "")
        else:
            self._show("version", "libvirt", self._ignore)
        return at + size

    def _wrapper(self, layer: str, order: str, length: int, unknown: str) -> None:
        """Go on behind a wrapper's header with a configuration of ``length`` bytes and then what is said to follow."""
        self._order[layer] = order
        self._wrapped = length
        self._behind_wrapper = unknown
        if length > libxc.REC_LENGTH_MAX:
            self._show("length", layer, self._ignore)
        elif length:
            self._state, self.need = self._configuration, min(length, KEPT_BODY)
        else:
            self._unwrap()

    def _configuration(self, buffer: bytes, at: int, end: int) -> int:
        """The guest's configuration; of one that is too large to keep, the first ``KEPT_BODY`` bytes."""
        kept = min(self._wrapped, KEPT_BODY)
        if end - at < kept:
            self.need = kept
            return at
        definition: type[Struct] = xl.OptionalData
        if self.layer == "libvirt":
            from xenmig.core.definitions import libvirt

            definition = libvirt.DomainXml
        self._header(definition, self._order[self.layer], buffer, at, kept)
        start = self._base + at
        self._pass_over(self._configuration_name(), start, start + self._wrapped, self._wrapped - kept)
        self._unwrap()
        return at + kept

    def _configuration_name(self) -> str:
        return "domain XML" if self.layer == "libvirt" else "configuration"

    def _pass_over(self, what: str, start: int, end: int, count: int) -> None:
        """Skip the last ``count`` bytes of what lies between two offsets and is no record."""
        self._passing = (self.layer, what, start, end) if count else None
        self.skip = count

    def _unwrap(self) -> None:
        if self._behind_wrapper:
            self._show(self._behind_wrapper, self.layer, self._ignore)
        else:
            self._enter("libxl")

    # -- libxl and libxc ------------------------------------------------------------------------------------------

    def _libxl_header(self, buffer: bytes, at: int, end: int) -> int:
        size = libxl.Header.size or 0
        if end - at < size:
            self.need = size
            return at
        if not buffer.startswith(libxl.IDENT.to_bytes(8, "big"), at):
            self._show("header", "libxl", self._search_from_here)
            return at
        header = self._header(libxl.Header, ">", buffer, at, size)
        self._order["libxl"] = ">" if header.options & libxl.Options.BIG_ENDIAN else "<"
        self._to_libxl()
        return at + size

    def _image_header(self, buffer: bytes, at: int, end: int) -> int:
        size = libxc.ImageHeader.size or 0
        if end - at < size:
            self.need = size
            return at
        if not buffer.startswith(libxc.MARKER.to_bytes(8, "big") + libxc.ID.to_bytes(4, "big"), at):
            self._show("header", "libxc", self._search_from_here)
            return at
        header = self._header(libxc.ImageHeader, ">", buffer, at, size)
        self._order["libxc"] = ">" if header.options & libxc.ImageOptions.BIG_ENDIAN else "<"
        self._state, self.need = self._domain_header, libxc.DomainHeader.size or 0
        return at + size

    def _domain_header(self, buffer: bytes, at: int, end: int) -> int:
        size = libxc.DomainHeader.size or 0
        if end - at < size:
            self.need = size
            return at
        self._header(libxc.DomainHeader, self._order["libxc"], buffer, at, size)
        self._to_libxc()
        return at + size

    def _header_names(self) -> list[tuple[State, str]]:
        """What each state of this class reads, in words for people."""
        return [
            (self._xl_header, "save header"),
            (self._libvirt_header, "save header"),
            (self._configuration, self._configuration_name()),
            (self._libxl_header, "header"),
            (self._image_header, "image header"),
            (self._domain_header, "domain header"),
        ]

    # -- what comes behind ----------------------------------------------------------------------------------------

    def _to_libxl(self) -> None:
        raise NotImplementedError

    def _to_libxc(self) -> None:
        raise NotImplementedError

    def _search_from_here(self, _buffer: bytes, at: int, _end: int) -> int:
        """A state: the place is lost, so look for the next plausible record."""
        raise NotImplementedError
