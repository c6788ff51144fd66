"""What a professional keeps from the patient until an announcement shows by itself in the end (R.1111-53)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.domain.clinical_profile import ProfileKind
from tests import profile_bodies as made
from tests.api_client import ApiClient, Caller, Response
from tests.open_record import OpenRecord, open_record
from tests.requester_factories import requester_professional

type Json = dict[str, Any]

DOCTOR = requester_professional()
HIDDEN: Json = {"meta": {"security": [made.NORMAL, made.INVISIBLE]}}
BOTH: Json = {"meta": {"security": [made.NORMAL, made.INVISIBLE, made.MASK]}}
SHOWN: Json = {"meta": {"security": [made.NORMAL]}}
HIDDEN_AT = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)
BEFORE = datetime(2026, 4, 30, 9, 59, 59, tzinfo=UTC)
AFTER = datetime(2026, 4, 30, 10, 0, tzinfo=UTC)
"""The same time on the same day a month later; April has no 31st."""


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture) -> OpenRecord:
    """A record on the last day of March."""
    clock.move_to(HIDDEN_AT, tick=False)
    return open_record(api)


def entered(record: OpenRecord, **elements: Any) -> Json:
    response = record.api.post("/fhir/Condition", made.condition(record.id, **elements), as_=DOCTOR)
    assert response.status == 201, response.body
    return response.json


def get(record: OpenRecord, entry: Json, as_: Caller = None) -> Response:
    return record.api.get(f"/fhir/Condition/{entry['id']}", as_=as_ or record.patient)


def put(record: OpenRecord, entry: Json, as_: Caller = None, **elements: Any) -> Response:
    return record.api.put(f"/fhir/Condition/{entry['id']}", {**entry, **elements}, as_=as_ or DOCTOR)


def labels(resource: Json) -> list[str]:
    return [coding["code"] for coding in resource["meta"]["security"]]


def found(record: OpenRecord, url: str) -> list[Json]:
    answer = record.api.get(f"/fhir/{url}", as_=record.patient)
    assert answer.status == 200, answer.body
    return [one for one in answer.resources if one["resourceType"] == ProfileKind.CONDITION and "J45" in str(one)]


def test_what_is_hidden_shows_on_the_same_day_a_month_later(record: OpenRecord, clock: TimeMachineFixture) -> None:
    entry = entered(record, **BOTH)

    clock.move_to(BEFORE, tick=False)
    before = get(record, entry).status
    clock.move_to(AFTER, tick=False)
    after = get(record, entry)

    assert (before, after.status, labels(after.json)) == (404, 200, ["N", "MASQUE_PS"])
    assert labels(get(record, entry, DOCTOR).json) == ["N", "MASQUE_PS"]
    assert after.headers["etag"] == 'W/"1"'


def test_it_shows_wherever_the_profile_is_told(record: OpenRecord, clock: TimeMachineFixture) -> None:
    entry = entered(record, **HIDDEN)
    places = (
        *(f"Condition?patient={record.id}", f"Patient/{record.id}/$everything?_type=Condition"),
        *(f"Condition/{entry['id']}/_history", f"Patient/{record.id}/$summary"),
    )

    clock.move_to(BEFORE, tick=False)
    assert [found(record, place) for place in (places[0], places[1], places[3])] == [[], [], []]
    clock.move_to(AFTER, tick=False)
    told = [found(record, place) for place in places]

    assert [len(one) for one in told] == [1, 1, 1, 1]
    assert "INVISIBLE_PATIENT" not in str(told)
    version = record.api.get(f"/fhir/Condition/{entry['id']}/_history/1", as_=record.patient)
    assert (version.status, labels(version.json)) == (200, ["N"])


def test_hiding_it_anew_or_saying_something_else_begins_nothing_anew(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    entry = entered(record, **HIDDEN)
    clock.move_to(datetime(2026, 4, 10, tzinfo=UTC), tick=False)
    put(record, entry, **SHOWN)
    clock.move_to(datetime(2026, 4, 20, tzinfo=UTC), tick=False)
    again = put(record, entry, **HIDDEN, note=[{"text": "Revu"}])
    hidden = get(record, entry).status

    clock.move_to(AFTER, tick=False)

    assert (again.status, hidden, get(record, entry).status) == (200, 404, 200)


def test_what_is_hidden_later_waits_from_then_on(record: OpenRecord, clock: TimeMachineFixture) -> None:
    entry = entered(record)
    clock.move_to(datetime(2026, 4, 20, tzinfo=UTC), tick=False)
    put(record, entry, **HIDDEN)

    clock.move_to(AFTER, tick=False)
    waiting = get(record, entry).status
    clock.move_to(datetime(2026, 5, 20, tzinfo=UTC), tick=False)
    versions = [record.api.get(f"/fhir/Condition/{entry['id']}/_history/{n}", as_=record.patient) for n in (1, 2)]

    assert (waiting, get(record, entry).status, [v.status for v in versions]) == (404, 200, [200, 200])


def test_once_it_shows_nobody_hides_it_again_and_all_else_goes_on(
    record: OpenRecord, clock: TimeMachineFixture
) -> None:
    entry = entered(record, **HIDDEN)
    clock.move_to(AFTER, tick=False)

    same = put(record, entry, **HIDDEN)
    changed = put(record, entry, **HIDDEN, note=[{"text": "Revu"}])
    masked = put(record, changed.json, record.patient, meta={"security": [made.NORMAL, made.MASK]})
    deleted = record.api.delete(f"/fhir/Condition/{entry['id']}", as_=DOCTOR)

    assert (same.headers["etag"], labels(same.json)) == ('W/"1"', ["N"])
    assert (changed.headers["etag"], labels(changed.json)) == ('W/"2"', ["N"])
    assert (masked.status, labels(masked.json), deleted.status) == (200, ["N", "MASQUE_PS"], 204)


def test_the_trace_then_tells_of_it_too(record: OpenRecord, clock: TimeMachineFixture) -> None:
    entry = entered(record, **HIDDEN)

    def told() -> int:
        return sum(entry["id"] in str(event) for event in record.trace())

    before = told()
    clock.move_to(AFTER, tick=False)

    assert (before, told()) == (0, 1)


def test_what_is_kept_from_representatives_stays_so(record: OpenRecord, clock: TimeMachineFixture) -> None:
    kept = {"system": made.VISIBILITY, "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}
    entry = entered(record, meta={"security": [made.INVISIBLE, kept]})
    clock.move_to(AFTER, tick=False)

    assert labels(get(record, entry).json) == ["N", "INVISIBLE_REPRESENTANTS_LEGAUX"]
