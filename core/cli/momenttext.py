"""The numbers of a moment in words."""

from __future__ import annotations

from xenmig.core.analysis.network import NETWORK, RECEIVER, SENDER
from xenmig.core.cli.units import amount, count, duration, utc
from xenmig.core.definitions.fields import GUEST_PAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xenmig.core.analysis.forecast import StopForecast
    from xenmig.core.analysis.moment import Left, Moment

_HELD = {
    SENDER: "sender idle",
    RECEIVER: "waiting for the receiver",
    NETWORK: "waiting for the network",
}
_MOSTLY = 0.5
"Share of the time from which on it is worth a word."


def summary(moment: Moment) -> str:
    """All of it on one line."""
    parts = [f"{place(moment)}: {amount(moment.bytes)}"]
    if moment.rate is not None:
        parts.append(speed(moment.rate))
    if moment.stage == "memory" and not moment.between:
        parts.append(sent(moment))
    text = ", ".join(parts)
    if moment.paused is not None:
        text += f"; the guest is paused for {duration(moment.paused)}"
    if moment.dirty_rate is not None:
        text += f"; dirty {dirty(moment.dirty_rate)}"
    if moment.left is not None:
        text += f"; left {left(moment.left)}"
    if moment.stop is not None and not moment.stop.is_over:
        text += f"; stops {stop_shortly(moment.stop)}"
    if moment.stage == "memory" and moment.limits is not None:
        largest = moment.limits.largest
        if largest in _HELD and moment.limits.share(largest) >= _MOSTLY:
            text += f"; {_HELD[largest]} {percent(moment.limits.share(largest))}"
    return text


def network(moment: Moment) -> str:
    """Where the time of the last seconds went; empty where that is not known."""
    limits = moment.limits
    if limits is None or not limits.total:
        return ""
    sender, receiver, between = (percent(limits.share(name)) for name in (SENDER, RECEIVER, NETWORK))
    again = f"; {count(moment.retransmitted, 'segment')} sent again" if moment.retransmitted else ""
    return f"by sender {sender}, receiver {receiver}, network {between}{again}"


def stop_shortly(stop: StopForecast) -> str:
    """When the live loop will stop, and why."""
    if stop.name != "unknown":
        return f"after iteration {stop.latest}, {stop.name}"
    if stop.earliest is None or stop.earliest == stop.latest:
        return f"after iteration {stop.latest} at the latest"
    return f"after iteration {stop.earliest} to {stop.latest}"


def place(moment: Moment) -> str:
    """Where in the migration it is."""
    if moment.stage in ("memory", "checkpoint") and moment.iteration is not None:
        if moment.between:
            return f"after iteration {moment.iteration}"
        kind = f": {moment.kind}" if moment.kind else ""
        return f"iteration {moment.iteration}{kind}"
    return moment.stage


def passing(moment: Moment) -> str:
    """The record that is passing by; empty when there is none."""
    record = moment.passing
    return "" if record is None else f"{record.name}, {amount(record.done)} of {amount(record.length)}"


def sent(moment: Moment) -> str:
    """What was sent."""
    again = f" ({moment.again:,} again)" if moment.iteration else ""
    return f"{count(moment.pages, 'page')}{again} of {count(moment.pfns, 'pfn')}"


def speed(value: float) -> str:
    """Bytes per second."""
    return f"{amount(value)}/s"


def dirty(pages: float) -> str:
    """A dirty rate."""
    return f"{count(round(pages), 'page')}/s ({amount(pages * GUEST_PAGE_SIZE)}/s)"


def left(value: Left) -> str:
    """What is left of a pass."""
    if value.most is None:
        return f"at least {count(value.least, 'page') if value.pfns is None else count(value.pfns, 'pfn')}"
    pages = count(value.most, "page")
    if value.least and value.least < value.most:
        pages = f"{value.least:,} to {pages}"
    if value.estimated:
        pages = f"about {pages}"
    elif value.least < value.most:
        pages = f"at most {pages}"
    if value.pfns is not None and value.pfns > value.most:
        pages += f" among {count(value.pfns, 'pfn')}"
    took = f", {about(value.seconds)}" if value.seconds is not None else ""
    return f"{pages}, {amount(value.bytes or 0)}{took}"


def about(seconds: float) -> str:
    """A time span that is an estimate."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min"


def percent(share: float) -> str:
    """A part of a whole, from 0 to 1."""
    return f"{100 * share:.0f} %"


def clock(nanoseconds: int) -> tuple[str, str]:
    """A point in time, given in nanoseconds since 1970: day and time of day in UTC, the latter with milliseconds."""
    text = utc(nanoseconds)
    day, _, rest = text.partition(" ")
    return (day, rest[:12]) if rest.endswith(" UTC") else ("", text)
