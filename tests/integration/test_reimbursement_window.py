"""How long lines of reimbursement are shown, and which never are: 24 months, and what minors keep secret."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from time_machine import TimeMachineFixture

from dmp.domain.requester import Requester
from tests import bodies
from tests.api_client import ApiClient, Response
from tests.aws_calls import meanwhile
from tests.aws_stack import forget_handlers
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord, open_record
from tests.minor_record import MinorRecord, open_minor_record
from tests.reimbursements import SYSTEM, URL, batch, fed, feed, feed_batch, line, secret, statuses
from tests.requester_factories import requester_patient

type Json = dict[str, Any]


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record while time stands still, at noon of 2 March 2026."""
    return open_record(api, stack)


def search(record: FedRecord, query: str = "") -> Response:
    return record.api.get(f"{URL}?patient={record.id}{query}", as_=record.patient)


# --- twenty-four months


def test_a_line_is_shown_until_the_end_of_the_same_day_24_months_later(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    made = fed(record.api, line(record.id, care="2024-03-02"))
    clock.move_to(datetime(2026, 3, 2, 22, 59, 59, tzinfo=UTC), tick=False)
    before = [search(record).json["total"], record.api.get(f"{URL}/{made.id}", as_=record.patient).status]

    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC), tick=False)

    assert before == [1, 200]
    assert search(record).json["total"] == 0
    answers = {path: record.api.get(f"{URL}/{made.id}{path}", as_=record.patient) for path in ("", "/_history/1")}
    assert {path: (r.status, r.code) for path, r in answers.items()} == {
        "": (404, "not-found"), "/_history/1": (404, "not-found")
    }  # fmt: skip
    assert [item["sk"]["S"][:2] for item in record.items() if item["sk"]["S"].startswith("B")] == ["B#", "BI"]


def test_dynamodb_deletes_a_line_and_its_names_at_the_same_moment(record: FedRecord) -> None:
    fed(record.api, line(record.id, care="2026-02-16"))

    ends = {item["expires"]["N"] for item in record.items() if item["sk"]["S"].startswith("B")}

    assert ends == {str(int(datetime(2028, 2, 16, 23, tzinfo=UTC).timestamp()))}


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"care": "2024-03-02"}, "201"),
        ({"care": "2024-03-01"}, "422 care-too-old"),
        ({"care": "2024-03"}, "422 care-too-old"),
        ({"care": "2024-04"}, "201"),
        ({"care": "0001-01-01"}, "422 care-too-old"),
        ({"care": "2026-03-02"}, "201"),
        ({"care": "2026-03-03"}, "422 care-in-future"),
        ({"care": "9999-12-30"}, "422 care-in-future"),
        ({"item": None, "billablePeriod": {"start": "2024-02-20", "end": "2024-03-05"}}, "201"),
        ({"item": None, "billablePeriod": {"start": "2024-02-20", "end": "2024-02-21"}}, "422 care-too-old"),
        ({"item": None, "billablePeriod": {"end": "2024-03-01T23:30:00Z"}}, "201"),
        ({"item": None, "created": "2024-03-01"}, "422 care-too-old"),
        ({"item": None, "created": "2026-02-20T06:30:00+01:00"}, "201"),
        ({"created": "2020-01-01"}, "201"),
    ],
)
def test_the_day_of_care_is_the_last_of_the_items_else_of_the_period_else_of_the_creation(
    record: FedRecord, elements: dict[str, Any], status: str
) -> None:
    answer = feed_batch(record.api, batch(line(record.id, **elements)))

    assert statuses(answer) == [status]


@pytest.fixture
def six_months(record: FedRecord, monkeypatch: pytest.MonkeyPatch) -> Iterator[FedRecord]:
    """The record where lines were shown for 24 months, and are for six now."""
    fed(record.api, line(record.id, care="2025-09-01"))
    fed(record.api, line(record.id, care="2025-09-02"))
    monkeypatch.setenv("REIMBURSEMENT_MONTHS", "6")
    forget_handlers()
    yield record
    forget_handlers()


def test_the_months_are_a_parameter_of_today(six_months: FedRecord) -> None:
    shown = [one["item"][0]["servicedDate"] for one in search(six_months).resources]
    late = feed(six_months.api, line(six_months.id, care="2025-09-01"))

    assert shown == ["2025-09-02"]
    assert (late.status, late.code) == (422, "care-too-old")


# --- identifiers of lines that are over


@pytest.mark.parametrize("is_deleted", [False, True])
def test_the_identifier_of_a_line_that_is_over_names_another(
    record: FedRecord, clock: TimeMachineFixture, is_deleted: bool
) -> None:
    """DynamoDB deletes what is over within days, a line or its name first."""
    former = fed(record.api, line(record.id, identifier="one", care="2026-02-16"))
    clock.move_to(datetime(2028, 2, 16, 12, tzinfo=UTC), tick=False)
    other = line(record.id, identifier="one", care="2028-02-01")
    clash = feed(record.api, other)
    clock.move_to(datetime(2028, 2, 17, 12, tzinfo=UTC), tick=False)
    if is_deleted:
        delete(record, former)

    made, again = feed(record.api, other), feed(record.api, other)
    third = feed(record.api, line(record.id, identifier="one", care="2028-02-02"))
    late = feed(record.api, line(record.id, identifier="one", care="2026-02-16"))

    assert (clash.status, clash.code) == (409, "duplicate-unique-id")
    assert (made.status, again.status, again.id) == (201, 200, made.id)
    assert (third.status, third.code) == (409, "duplicate-unique-id")
    assert (late.status, late.code) == (422, "care-too-old")
    assert made.id != former.id
    assert [one["id"] for one in search(record).resources] == [made.id]
    assert record.api.get(f"{URL}/{former.id}", as_=record.patient).status == 404


def test_a_condition_that_only_a_line_that_is_over_meets_is_met_by_none(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    condition = {"If-None-Exist": f"identifier={SYSTEM}|one"}
    fed(record.api, line(record.id, identifier="one", care="2026-02-16"))
    clock.move_to(datetime(2028, 2, 17, 12, tzinfo=UTC), tick=False)
    other = line(record.id, identifier="two", care="2028-02-01")

    made, again = (feed(record.api, other, headers=condition) for _ in range(2))

    assert (made.status, again.status, again.id) == (201, 200, made.id)


def test_of_two_that_race_for_the_identifier_of_a_line_that_is_over_one_is_new(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    fed(record.api, line(record.id, identifier="one", care="2026-02-16"))
    clock.move_to(datetime(2028, 2, 17, 12, tzinfo=UTC), tick=False)
    other, first = line(record.id, identifier="one", care="2028-02-01"), []

    with meanwhile("TransactWriteItems", lambda: first.append(feed_batch(record.api, batch(other)))):
        second = feed_batch(record.api, batch(other, line(record.id, identifier="one", care="2028-02-02")))

    assert statuses(first[0]) == ["201"]
    assert statuses(second) == ["200", "409 duplicate-unique-id"]
    assert search(record).json["total"] == 1


def delete(record: FedRecord, former: Response) -> None:
    """The line goes, its name does not yet."""
    key = next(item for item in record.items() if item["sk"]["S"] == f"B#{former.id.partition('.')[2]}")
    boto3.client("dynamodb").delete_item(
        TableName=record.stores["RECORDS_TABLE"], Key={k: key[k] for k in ("pk", "sk")}
    )


# --- what minors keep secret


@pytest.fixture
def minor(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> MinorRecord:
    """The record of somebody of fourteen."""
    return open_minor_record(api, stack)


def acts(*codes: str) -> list[Json]:
    return [
        {"sequence": 1, "productOrService": {"coding": [{"code": one} for one in codes]}, "servicedDate": "2026-02-16"}
    ]


@pytest.mark.parametrize("code", ["JNJD002", "jnjp001", "IC", "FHV", "IVE", "CCP", "G03XB01", "G03AD02"])
def test_an_act_that_a_minor_may_keep_secret_is_not_fed(minor: MinorRecord, code: str) -> None:
    before = minor.items(), len(minor.trace())

    by_item = feed(minor.api, line(minor.id, item=acts("X", code)))
    by_procedure = feed(
        minor.api,
        line(minor.id, procedure=[{"sequence": 1, "procedureCodeableConcept": {"coding": [{"code": code}]}}]),
    )

    assert {(r.status, r.code) for r in (by_item, by_procedure)} == {(422, "secret-act")}
    assert (minor.items(), len(minor.trace())) == before


def test_an_act_that_is_marked_as_secret_is_not_fed_for_a_minor(minor: MinorRecord) -> None:
    answer = feed_batch(minor.api, batch(line(minor.id), secret(line(minor.id)), line(minor.id, act="CS")))

    assert statuses(answer) == ["201", "422 secret-act", "201"]
    assert len(minor.api.get(f"{URL}?patient={minor.id}", as_=minor.guardian).resources) == 2


def test_the_secret_is_that_of_the_age_at_the_care(minor: MinorRecord, clock: TimeMachineFixture) -> None:
    """Born on 1 June 2011: of age on 1 June 2029."""
    clock.move_to(datetime(2029, 7, 1, 12, tzinfo=UTC), tick=False)
    period = {"servicedPeriod": {"start": "2029-05-31", "end": "2029-06-02"}}
    across = {name: value for name, value in acts("IC")[0].items() if name != "servicedDate"} | period

    answer = feed_batch(
        minor.api,
        batch(
            line(minor.id, act="IC", care="2029-05-31"),
            line(minor.id, act="IC", care="2029-06-01"),
            line(minor.id, item=[across]),
            secret(line(minor.id, care="2029-06-01")),
        ),
    )

    assert statuses(answer) == ["422 secret-act", "201", "422 secret-act", "201"]


def test_an_adult_has_the_line_and_those_who_represent_her_do_not(record: FedRecord) -> None:
    ins = bodies.new_ins()
    guardian = requester_patient(bodies.qualified(ins))
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "GUARD"}
    person = bodies.guardian(ins, patient={"reference": f"Patient/{record.id}"}, relationship=[{"coding": [role]}])
    made = record.api.post("/fhir/RelatedPerson", person, as_=record.patient)
    delegation = bodies.consent(record.id, "delegation", "permit", None, "")
    delegation["provision"]["actor"] = [{"reference": {"reference": f"RelatedPerson/{made.id}"}}]
    assert record.api.post("/fhir/Consent", delegation, as_=record.patient).status == 201

    hidden, shown = fed(record.api, secret(line(record.id))), fed(record.api, line(record.id))

    def seen(by: Requester) -> set[str]:
        found = record.api.get(f"{URL}?patient={record.id}", as_=by).resources
        read = [one for one in (hidden.id, shown.id) if record.api.get(f"{URL}/{one}", as_=by).status == 200]
        assert {one["id"] for one in found} == set(read)
        return set(read)

    def told(by: Requester) -> str:
        return record.api.get(f"/fhir/AuditEvent?patient={record.id}&_count=100", as_=by).body.decode()

    assert seen(record.patient) == {hidden.id, shown.id}
    assert hidden.id in told(record.patient)
    assert hidden.id not in told(guardian)
    assert shown.id in told(guardian)
    assert seen(guardian) == {shown.id}


def test_nothing_that_is_fed_is_hidden_from_the_patient(record: FedRecord) -> None:
    body = secret(line(record.id))
    body["meta"]["security"][0]["code"] = "INVISIBLE_PATIENT"

    answer = feed(record.api, body)

    assert (answer.status, answer.code) == (422, "label-not-permitted")


def test_a_masked_line_is_for_the_patient_and_the_attending_physician(record: FedRecord) -> None:
    body = secret(line(record.id))
    body["meta"]["security"][0]["code"] = "MASQUE_PS"
    made = fed(record.api, body)
    record.authorise(SPECIALIST)
    record.name_attending_physician(AUTHOR)

    answers = [record.api.get(f"{URL}/{made.id}", as_=who) for who in (record.patient, AUTHOR, SPECIALIST)]

    assert [r.status for r in answers] == [200, 200, 404]
    assert answers[2].code == "not-found"
    assert record.api.get(f"{URL}?patient={record.id}", as_=SPECIALIST).resources == []
