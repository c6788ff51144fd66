"""Spans of the civil calendar in Paris: majority, and the same day some months later."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
_MAJORITY_YEARS = 18


def eighteenth_birthday(birth_date: str) -> datetime:
    """Midnight in Paris at which the 18th birthday begins; of those born on 29 February, on 1 March (C. civ. 414)."""
    year, month, day = (int(part) for part in birth_date.split("-"))
    try:
        return datetime(year + _MAJORITY_YEARS, month, day, tzinfo=PARIS)
    except ValueError:
        return datetime(year + _MAJORITY_YEARS, 3, 1, tzinfo=PARIS)


def same_day_months_later(moment: datetime, months: int) -> datetime:
    """The same civil time in Paris some months later; a day that the month lacks becomes its last."""
    local = moment.astimezone(PARIS)
    total = local.year * 12 + local.month - 1 + months
    year, month = divmod(total, 12)
    for day in range(local.day, 27, -1):
        try:
            return local.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return local.replace(year=year, month=month + 1)


def end_of_day(moment: datetime) -> datetime:
    """The midnight in Paris that ends the day of a moment."""
    local = moment.astimezone(PARIS)
    return datetime(local.year, local.month, local.day, tzinfo=PARIS) + timedelta(days=1)
