"""The civil calendar in Paris: majority, the same day some months later, the end of a day."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.civil_time import PARIS, eighteenth_birthday, end_of_day, same_day_months_later

moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
BIRTHS = st.dates(date(1900, 1, 1), date(2080, 12, 31))


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [
        ("2026-03-02T12:00:00Z", 12, "2027-03-02T12:00:00Z"),
        ("2028-02-29T12:00:00Z", 12, "2029-02-28T12:00:00Z"),
        ("2027-02-28T12:00:00Z", 12, "2028-02-28T12:00:00Z"),
        ("2026-01-31T12:00:00Z", 1, "2026-02-28T12:00:00Z"),
        ("2026-08-31T10:00:00Z", 1, "2026-09-30T10:00:00Z"),
        ("2026-12-15T12:00:00Z", 1, "2027-01-15T12:00:00Z"),
        ("2026-03-15T12:00:00Z", 1, "2026-04-15T11:00:00Z"),
        ("2026-03-01T23:30:00Z", 12, "2027-03-01T23:30:00Z"),
        ("2024-02-28T23:30:00Z", 12, "2025-02-27T23:30:00Z"),
    ],
)
def test_the_same_day_some_months_later(moment: str, months: int, later: str) -> None:
    assert same_day_months_later(datetime.fromisoformat(moment), months) == datetime.fromisoformat(later)


@given(moments, st.integers(1, 60))
def test_the_civil_day_and_time_stay_unless_the_month_is_shorter(moment: datetime, months: int) -> None:
    before, after = moment.astimezone(PARIS), same_day_months_later(moment, months).astimezone(PARIS)

    total = before.year * 12 + before.month - 1 + months
    year, month = divmod(total, 12)
    last_day = monthrange(year, month + 1)[1]
    assert (after.year, after.month, after.day) == (year, month + 1, min(before.day, last_day))
    # a clock time that the night of a change of hour lacks is the one an hour later
    assert abs((after.replace(tzinfo=None) - before.replace(tzinfo=None)).seconds) in (0, 3600)


@given(moments, moments, st.integers(1, 60))
def test_what_was_later_stays_no_earlier(one: datetime, other: datetime, months: int) -> None:
    first, second = sorted((one, other))

    earlier, later = same_day_months_later(first, months), same_day_months_later(second, months)

    assert earlier.astimezone(PARIS).date() <= later.astimezone(PARIS).date()


@given(moments)
def test_a_day_ends_at_the_next_midnight_in_paris(moment: datetime) -> None:
    end = end_of_day(moment)

    local = end.astimezone(PARIS)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert timedelta() < end.astimezone(UTC) - moment <= timedelta(hours=25)
    assert local.date() - timedelta(days=1) == moment.astimezone(PARIS).date()


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-14", 24), ("2026-12-31", 24)]
)
def test_days_of_a_change_of_hour_are_shorter_or_longer(day: str, hours: int) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=PARIS).astimezone(UTC)

    assert end_of_day(begin).astimezone(UTC) - begin == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("birth", "majority"),
    [
        ("2008-03-02", "2026-03-01T23:00:00Z"),
        ("2008-07-14", "2026-07-13T22:00:00Z"),
        ("2008-02-29", "2026-02-28T23:00:00Z"),
    ],
)
def test_majority_begins_with_the_eighteenth_birthday(birth: str, majority: str) -> None:
    assert eighteenth_birthday(birth) == datetime.fromisoformat(majority)


@given(BIRTHS)
def test_a_majority_is_a_midnight_eighteen_years_later(birth: date) -> None:
    majority = eighteenth_birthday(birth.isoformat()).astimezone(PARIS)

    assert (majority.hour, majority.minute) == (0, 0)
    expected = (3, 1) if (birth.month, birth.day) == (2, 29) and majority.year % 4 else (birth.month, birth.day)
    assert (majority.year - 18, (majority.month, majority.day)) == (birth.year, expected)
