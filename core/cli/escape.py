"""Text from a stream or from a path, made safe to print on a terminal."""

from __future__ import annotations


def escaped(text: str | bytes) -> str:
    r"""``text`` on one line and without anything that a terminal would act on or hide.

    Control characters (C0, DEL, C1), line and paragraph separators, bidirectional overrides and other format
    characters, unassigned and private code points and lone surrogates become ``\n``, ``\x1b``, ``\u202e`` and the like;
    bytes that are no UTF-8 become ``\xff``. A backslash is doubled, so that the result is unambiguous.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return visible(text.replace("\\", "\\\\"))


def visible(text: str) -> str:
    """The same for text whose backslashes mean nothing: they stay as they are."""
    return text if text.isprintable() else "".join(_one(character) for character in text)


def shortened(text: str, most: int = 120) -> str:
    """``text`` escaped, and cut where it is longer than ``most`` characters."""
    if len(text) <= most:
        return escaped(text)
    return f"{escaped(text[:most])}... ({len(text):,} characters)"


def _one(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
