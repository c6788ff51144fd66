"""The rules of a line of reimbursement: how long it is shown, by what it is known again, what it must not tell."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmp.domain.civil_time import PARIS
from dmp.domain.errors import Conflict
from dmp.domain.identifiers import Identifier, local_id
from dmp.domain.reimbursement import BrokenLine, Known, LineRequest, Window
from dmp.domain.reimbursement_query import midnight
from dmp.fhir.batch import entry_said
from dmp.fhir.explanation_of_benefit_reading import line_said, read_line
from tests.reimbursements import line

BASE = "https://dmp.example/fhir"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
days = st.dates(date(2000, 1, 1), date(2050, 12, 31))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2050, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - of UTC
months = st.integers(1, 120)


def said(**elements: Any) -> LineRequest:
    return read_line(line("1" * 26, identifier="one", **elements), BASE)


@given(months, days, moments)
def test_a_line_is_shown_as_long_as_the_calendar_of_paris_says(span: int, care: date, now: datetime) -> None:
    """Months are counted on the calendar; a day that a month lacks is its last."""
    window, today = Window(span), now.astimezone(PARIS).date()
    year, month = divmod(care.year * 12 + care.month - 1 + span, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = min(following - timedelta(days=1), date(year, month + 1, 1) + timedelta(days=care.day - 1))

    assert window.shows(care, now) == (today <= last)


@given(months, moments, st.integers(-3, 3))
def test_a_search_begins_before_all_that_is_shown(span: int, now: datetime, days_beside: int) -> None:
    window = Window(span)

    begin = window.begin(now)

    care = begin + timedelta(days=days_beside)
    assert not window.shows(care, now) or care >= begin
    assert not window.shows(begin - timedelta(days=1), now)


def test_a_line_is_known_by_what_it_says_however_it_is_written() -> None:
    body = line("1" * 26, identifier="one")
    turned = dict(reversed(body.items())) | {"patient": {"reference": f"{BASE}/Patient/{'1' * 26}"}}

    same = {read_line(one, BASE).digest for one in (body, {**body, "id": "x", "meta": {"versionId": "3"}}, turned)}
    others = {said(act="CS").digest, said(care="2026-02-15").digest, said(status="cancelled").digest}

    assert len(same) == 1
    assert len(same | others) == 4


def test_the_same_name_is_the_same_line_or_a_clash() -> None:
    request = said()
    known, name = Known("a" * 26, request.digest, NOON), request.names[0]

    assert request.known_in({}) is None
    assert request.known_in({Identifier("other", "one"): known}) is None
    assert request.known_in({name: known}) == known
    with pytest.raises(Conflict, match="duplicate-unique-id"):
        request.known_in({name: Known("a" * 26, "other", NOON)})


def test_the_day_of_care_is_the_last_and_the_first_decides_who_was_a_minor() -> None:
    concept = {"text": "x"}
    items = [
        {"sequence": 1, "productOrService": concept, "servicedDate": "2026-02-10"},
        {"sequence": 2, "productOrService": concept, "servicedPeriod": {"start": "2026-01-05", "end": "2026-02-12"}},
    ]

    request = said(item=items, billablePeriod={"start": "2025-01-01", "end": "2026-03-01"})

    assert (request.first, request.care) == (date(2026, 1, 5), date(2026, 2, 12))


def test_a_procedure_done_before_the_first_item_is_a_day_of_care_for_a_minor() -> None:
    done = {"sequence": 1, "procedureCodeableConcept": {"text": "x"}, "date": "2026-01-31T23:30:00Z"}

    request = said(care="2026-02-10", procedure=[done])

    assert (request.first, request.care) == (date(2026, 2, 1), date(2026, 2, 10))


@given(days)
def test_the_name_of_a_line_tells_its_day_of_care(care: date) -> None:
    assert Known(local_id(midnight(care), bytes(10)), "", NOON).care == care


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from(sorted(line("x"))))
def test_whatever_stands_in_a_line_it_is_read_or_refused(value: object, name: str) -> None:
    found = line_said({**line("1" * 26), name: value}, BASE)

    assert isinstance(found, LineRequest | BrokenLine)


@given(json_values)
def test_whatever_stands_in_a_batch_it_is_read_or_refused(value: object) -> None:
    request = {"method": "POST", "url": "ExplanationOfBenefit", "ifNoneExist": value}

    for entry in (value, {"resource": line("1" * 26), "request": request}, {"request": value, "resource": value}):
        assert isinstance(entry_said(entry, "Bundle.entry[0]", BASE), LineRequest | BrokenLine)
