"""The time stamps of HL7 V3: `YYYYMMDDhhmmss+zzzz`, cut off where the producer knows no more."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

_TIMESTAMP = re.compile(
    r"(?P<year>\d{4})((?P<month>\d\d)((?P<day>\d\d)((?P<hour>\d\d)((?P<minute>\d\d)((?P<second>\d\d)(\.\d+)?)?)?)?)?)?"
    r"(?P<zone>[+-]\d{4}|Z)?",
    re.ASCII,
)
_YEARS = range(1900, 9999)


def instant(text: str) -> datetime | None:
    """Read a time stamp: the first instant it may mean, Paris time where it names no offset; None when it is none."""
    found = _TIMESTAMP.fullmatch(text.strip())
    if not found or int(found["year"]) not in _YEARS:
        return None
    parts = [int(found[name] or least) for name, least in _PARTS]
    year, month, day, hour, minute, second = parts
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(found["zone"]))
    except ValueError:
        return None


def day(text: str) -> str:
    """The day of a time stamp as it is written, as YYYY, YYYY-MM or YYYY-MM-DD; empty where it is no time stamp."""
    if instant(text) is None:
        return ""
    found = _TIMESTAMP.fullmatch(text.strip())
    return "-".join(filter(None, found.group("year", "month", "day"))) if found else ""


_PARTS = (("year", 1900), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _zone(offset: str | None) -> tzinfo:
    if offset is None:
        return _paris()
    if offset == "Z":
        return UTC
    distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return timezone(-distance if offset[0] == "-" else distance)


@cache
def _paris() -> tzinfo:
    return ZoneInfo("Europe/Paris")
