"""Times of clinical statements as FHIR dateTimes, as precise as they are written, and periods (HL7 V3 TS, IVL)."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from dmp.cda.markup import Node
from dmp.cda.timestamp import day, instant

_FURTHEST = timedelta(hours=14)
_MINUTE = timedelta(minutes=1)
_TO_THE_MINUTE = len("YYYYMMDDhhmm")
_TO_THE_DAY = len("YYYY-MM-DD")
_COUNT = re.compile(r"\d{1,4}", re.ASCII)
_LENGTHS = {"min": _MINUTE, "h": timedelta(hours=1), "d": timedelta(days=1), "wk": timedelta(weeks=1)}
_MONTHS = {"mo": 1, "a": 12}


def moment(text: str) -> str:
    """A time stamp as a dateTime, YYYY to the second with its offset; an empty text where it is none."""
    date = day(text)
    at = instant(text)
    return _dated(at) if at and _is_to_the_minute(text) else date


def start_of(node: Node | None) -> str:
    """The beginning of an interval, or the time that stands for it; an empty text where neither is told."""
    return next((found for name in ("low", "", "center") if (found := _part(node, name))), "")


def end_of(node: Node | None) -> str:
    """The end of an interval: as it is written, or its beginning and its width; an empty text where neither is told."""
    return _part(node, "high") or _after_width(node)


def is_after(told: str, written: datetime | None) -> bool:
    """Whether a dateTime is later than the day on which a document was written, as far as both are told."""
    day_written = written.date().isoformat() if written else ""
    return bool(written) and told[: len(day_written)] > day_written[: len(told)]


def period(node: Node | None) -> dict[str, str]:
    """The Period of an interval; empty where it has neither beginning nor end. An end before the beginning is left out.

    Where one is less precise than the other, and may be the same, both are told as precisely as that one.
    """
    start, end = _part(node, "low") or _part(node, ""), end_of(node)
    if start and end:
        start = end if start.startswith(end) else start
        end = end if _is_in_order(start, end) else ""
    return {name: value for name, value in (("start", start), ("end", end)) if value}


def _part(node: Node | None, name: str) -> str:
    part = node.first(name) if node and name else node
    return moment(part.get("value")) if part else ""


def _after_width(node: Node | None) -> str:
    """The end by a width in whole minutes, hours, days, weeks, months or years, of a beginning told to the day."""
    low, width = (node.first("low"), node.first("width")) if node else (None, None)
    start, count = moment(low.get("value")) if low else "", width.get("value") if width else ""
    if width is None or len(start) < _TO_THE_DAY or not _COUNT.fullmatch(count):
        return ""
    try:
        end = _later(datetime.fromisoformat(start), int(count), width.get("unit"))
    except (ValueError, OverflowError):
        return ""
    return (end.isoformat() if "T" in start else end.date().isoformat()) if end else ""


def _later(start: datetime, count: int, unit: str) -> datetime | None:
    """The time so many units later, the last day of a month for one that it lacks; None for an unknown unit."""
    if unit in _LENGTHS:
        return start + count * _LENGTHS[unit]
    if unit not in _MONTHS:
        return None
    years, month = divmod(start.month - 1 + count * _MONTHS[unit], 12)
    year = start.year + years
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


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
