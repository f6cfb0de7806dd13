"""Numbers with their units, as people read them."""

from __future__ import annotations

from xenmig.core.quantity import quantity

_PREFIXES = ("", "k", "M", "G", "T", "P")


def rate(count: int, seconds: float | None) -> str:
    """Bytes per second, in decimal units as networks have them; empty when no time has passed."""
    return amount(count / seconds) + "/s" if seconds and seconds > 0 else ""


def amount(count: float) -> str:
    """Bytes with a decimal prefix."""
    for prefix in _PREFIXES:
        if count < 1000 or prefix == _PREFIXES[-1]:
            return f"{count:.1f} {prefix}B" if prefix else f"{count:.0f} B"
        count /= 1000
    raise AssertionError("the last prefix takes every number")


def bandwidth(text: str) -> float:
    """Bytes per second out of ``1Gbit``, ``100Mbit/s`` or ``110MB/s``, with decimal prefixes.

    Raises ValueError with the reason for anything else.
    """
    number = text.removesuffix("/s").rstrip()
    for unit, divisor in (("bit", 8), ("B", 1)):
        if number.endswith(unit):
            number = number.removesuffix(unit).rstrip()
            prefix = number[-1:].replace("K", "k") if number[-1:].isalpha() else ""
            digits = number[: len(number) - len(prefix)].rstrip()
            if prefix in _PREFIXES and digits.replace(".", "", 1).isdecimal() and len(digits) < 20:
                value = float(digits) * float(1000 ** _PREFIXES.index(prefix)) / divisor
                if value > 0:
                    return value
    raise ValueError(f"{text!r} is no bandwidth: 1Gbit, 100Mbit/s or 110MB/s are")


def kibibytes(count: int) -> str:
    """An amount of guest memory, given in KiB."""
    if count % 1024 == 0:
        return f"{count // 1024:,} MiB"
    return f"{count / 1024:,.1f} MiB" if count >= 10240 else f"{count:,} KiB"


def duration(seconds: float) -> str:
    """A time span with as many digits as matter."""
    if not seconds:
        return "0 s"
    if abs(seconds) < 0.001:
        return f"{seconds * 1e6:.0f} us"
    if abs(seconds) < 1:
        return f"{seconds * 1e3:.1f} ms"
    if abs(seconds) < 120:
        return f"{seconds:.3f} s"
    return f"{int(seconds // 60):,} min {seconds % 60:.1f} s"


def utc(nanoseconds: int) -> str:
    """A point in time, given in nanoseconds since 1970."""
    import time

    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    try:
        whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return f"{seconds:,} s after 1970"
    return f"{whole}.{fraction // 1000:06d} UTC"


def count(number: int, noun: str) -> str:
    """``1 page``, ``1,540 pages``."""
    return quantity(number, noun, ",")
