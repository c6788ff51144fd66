"""FHIR's dates and instants, read and written; what has no time zone is meant in Europe/Paris."""

import re
from datetime import UTC, date, datetime, time, timedelta

from dmp.domain.civil_time import PARIS

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}):(\d{2})(\.\d+)?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)", re.ASCII
)


def instant_text(moment: datetime) -> str:
    """Write an aware datetime as a FHIR instant in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_instant(text: str) -> datetime | None:
    """Read a FHIR instant (to the second or finer, with an offset) in UTC, or None when it is not one."""
    match = _MOMENT.fullmatch(text)
    if not match:
        return None
    minutes, seconds, fraction, offset = match.groups()
    leap = seconds == "60"
    try:
        moment = datetime.fromisoformat(f"{minutes}:{'59' if leap else seconds}{(fraction or '')[:7]}{offset}")
        return (moment + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(text: str) -> tuple[date, date] | None:
    """Read a FHIR date of any precision as its first day and the day after its last, or None when it is not one."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        if day:
            return first, first + timedelta(days=1)
        if month:
            return first, (first + timedelta(days=31)).replace(day=1)
        return first, first.replace(year=first.year + 1)
    except (ValueError, OverflowError):
        return None


def parse_datetime(text: str) -> tuple[datetime, datetime] | None:
    """Read a FHIR dateTime as the half-open range of instants it stands for, or None when it is not one.

    An instant stands for its last written unit: a second, or less where a fraction is given.
    """
    moment, days = parse_instant(text), parse_date(text)
    try:
        if moment:
            return moment, moment + _precision(text)
        return (midnight_in_paris(days[0]), midnight_in_paris(days[1])) if days else None
    except OverflowError:
        return None


def midnight_in_paris(day: date) -> datetime:
    """The instant at which a civil day begins in France."""
    return datetime.combine(day, time.min, PARIS).astimezone(UTC)


def _precision(text: str) -> timedelta:
    match = _MOMENT.fullmatch(text)
    fraction = match[3] if match else None
    return timedelta(microseconds=max(1, 10 ** (7 - len(fraction)))) if fraction else timedelta(seconds=1)
