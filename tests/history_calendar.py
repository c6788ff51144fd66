"""The civil calendar of Paris in seconds since 1970, reckoned anew: years, ends of days, eighteenth birthdays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_PARIS = ZoneInfo("Europe/Paris")
_ONE_DAY = timedelta(days=1)

type When = int | date
"""An instant in seconds, or a day alone."""


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def day_of(at: int) -> date:
    """The day in Paris that an instant lies in."""
    return instant(at).astimezone(_PARIS).date()


def midnight(day: date) -> int:
    """When a day begins in Paris."""
    return seconds(datetime(day.year, day.month, day.day, tzinfo=_PARIS))


def end_of(day: date) -> int:
    """The first instant that is no longer that day: 23, 24 or 25 hours after it began."""
    return midnight(day + _ONE_DAY)


def a_year_after(at: int) -> int:
    """The same time of the same civil day next year, 28 February for the 29th."""
    local = instant(at).astimezone(_PARIS)
    leap_day = (local.month, local.day) == (2, 29)
    return seconds(local.replace(year=local.year + 1, day=28 if leap_day else local.day))


def majority(birth: date) -> int:
    """When somebody is eighteen; whoever was born on 29 February, where there is none, on 1 March."""
    leap_day = (birth.month, birth.day) == (2, 29)
    is_leap = (birth.year + 18) % 4 == 0
    day = date(birth.year + 18, 3, 1) if leap_day and not is_leap else birth.replace(year=birth.year + 18)
    return midnight(day)
