"""Times of clinical statements as FHIR dateTimes, as precise as they are written, and periods (HL7 V3 TS, IVL)."""

from datetime import UTC, datetime, timedelta

from dmp.cda.markup import Node
from dmp.cda.timestamp import day, instant

_FURTHEST = timedelta(hours=14)
_MINUTE = timedelta(minutes=1)
_TO_THE_MINUTE = len("YYYYMMDDhhmm")


def moment(text: str) -> str:
    """A time stamp as a dateTime, YYYY to the second with its offset; an empty text where it is none."""
    date = day(text)
    at = instant(text)
    return _dated(at) if at and _is_to_the_minute(text) else date


def start_of(node: Node | None) -> str:
    """The beginning of an interval, or the time that stands for it; an empty text where neither is told."""
    return next((found for name in ("low", "", "center") if (found := _part(node, name))), "")


def end_of(node: Node | None) -> str:
    """The end of an interval, or an empty text."""
    return _part(node, "high")


def period(node: Node | None) -> dict[str, str]:
    """The Period of an interval; empty where it has neither beginning nor end. An end before the beginning is left out.

    Where one is less precise than the other, and may be the same, both are told as precisely as that one.
    """
    start, end = _part(node, "low") or _part(node, ""), _part(node, "high")
    if start and end:
        start = end if start.startswith(end) else start
        end = end if _is_in_order(start, end) else ""
    return {name: value for name, value in (("start", start), ("end", end)) if value}


def _part(node: Node | None, name: str) -> str:
    part = node.first(name) if node and name else node
    return moment(part.get("value")) if part else ""


def _is_to_the_minute(text: str) -> bool:
    """Whether the hour stands there with its minutes: FHIR knows no hour without them."""
    digits = text.strip().split("+")[0].split("-")[0].rstrip("Z")
    return len(digits) >= _TO_THE_MINUTE


def _dated(at: datetime) -> str:
    """The instant with its offset; in UTC where FHIR could not write the offset, as that of Paris before 1911."""
    offset = at.utcoffset() or timedelta()
    writable = abs(offset) <= _FURTHEST and not offset % _MINUTE
    return (at if writable else at.astimezone(UTC)).isoformat()


def _is_in_order(start: str, end: str) -> bool:
    if "T" in start and "T" in end:
        return datetime.fromisoformat(start) <= datetime.fromisoformat(end)
    return start[: len(end)] <= end
