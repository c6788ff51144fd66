"""The end of the wait for an announcement: told after two weeks, shown after a month (R.1111-53)."""

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, meanwhile, refused
from tests.faults import fsck
from tests.fed_record import AUTHOR, HOSPITAL, SPECIALIST, FedRecord, open_record
from tests.integration.test_visibility import (
    DELETE,
    SUPERSEDE,
    Told,
    about,
    codes,
    hidden,
    label,
    lifting,
    patch,
    replacing,
    told,
)
from tests.minor_record import open_minor_record

JOB = "VisibilityRelease"
OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"
HIDE = [{"op": "add", "path": "/securityLabel/-", "value": label("INVISIBLE_PATIENT")}]
LIFT = lifting("INVISIBLE_PATIENT")
CONSULTATION = Told("consultation", frozenset(), is_secret=False)
NOTICE, RELEASE = "2026-03-16T12:00:00Z", "2026-04-02T11:00:00Z"
"""Of what was hidden on 2 March at noon: a month later it is summer time in Paris."""


@pytest.fixture
def record(api: ApiClient, clock: TimeMachineFixture, stack: dict[str, str]) -> FedRecord:
    """A record while time stands still and nothing of other tests is due."""
    client, table = aws.client("dynamodb"), stack["RECORDS_TABLE"]
    for page in client.get_paginator("scan").paginate(TableName=table, IndexName="by-expiry"):
        for item in page["Items"]:
            key = {"pk": item["pk"], "sk": item["sk"]}
            client.update_item(TableName=table, Key=key, UpdateExpression="REMOVE gx_month, gx_at")
    return open_record(api, stack)


@dataclass
class Remaining:
    """A Lambda context whose time runs out after a number of looks at it."""

    looks: int
    aws_request_id: str = field(default="run-1")

    def get_remaining_time_in_millis(self) -> int:
        self.looks -= 1
        return 60_000 if self.looks >= 0 else 9_000


def run(record: FedRecord) -> tuple[int, int]:
    """Let the job run; how many documents it announced and released."""
    answer = record.api.run(JOB)
    assert answer["failed"] == 0
    return answer["announced"], answer["released"]


def at(clock: TimeMachineFixture, moment: str) -> None:
    clock.move_to(moment, tick=False)


def events(record: FedRecord) -> list[tuple[str, str]]:
    """What the job left in the trace."""
    return [(entry["act"], entry["reason"]) for entry in record.trace() if entry["role"] == "service"]


def test_the_patient_is_told_of_something_after_two_weeks_and_sees_it_after_a_month(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    seen = []

    for moment in ("2026-03-16T11:59:59Z", NOTICE, "2026-04-02T10:59:59Z", RELEASE, "2026-05-02T12:00:00Z"):
        at(clock, moment)
        seen.append((run(record), record.found(record.patient), len(told(record))))

    assert seen == [
        ((0, 0), [], 0),
        ((1, 0), [], 1),
        ((0, 0), [], 1),
        ((0, 1), [document], 2),
        ((0, 0), [document], 2),
    ]
    assert told(record) == [CONSULTATION, Told("document-added", about(document), is_secret=False)]
    assert events(record) == [("warn", "release"), ("release", "release")]


def test_a_release_is_a_version_and_a_notice_is_none(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT", "MASQUE_PS"))

    at(clock, NOTICE)
    run(record)
    announced = record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR)
    at(clock, RELEASE)
    run(record)
    released = record.api.get(f"/fhir/DocumentReference/{document}", as_=AUTHOR)

    assert (announced.headers["etag"], codes(announced.json)) == ('W/"1"', ["N", "INVISIBLE_PATIENT", "MASQUE_PS"])
    assert (released.headers["etag"], codes(released.json)) == ('W/"2"', ["N", "MASQUE_PS"])
    assert released.json["meta"]["lastUpdated"].startswith("2026-04-02T")
    assert fsck.problems(record) == []


def test_documents_hidden_at_once_are_told_of_once(record: FedRecord, clock: TimeMachineFixture) -> None:
    contents = [b"%PDF-1.4 " + bytes([48 + n]) for n in range(12)]
    record.api.post("/fhir", bodies.submission(record.id, *contents, **hidden("INVISIBLE_PATIENT")), as_=HOSPITAL)

    at(clock, NOTICE)

    assert (run(record), run(record)) == ((12, 0), (0, 0))
    assert told(record) == [CONSULTATION]


def test_what_is_hidden_anew_does_not_wait_anew(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish()
    patch(record, document, HIDE, AUTHOR)
    at(clock, "2026-03-20T12:00:00Z")
    lifted = patch(record, document, LIFT, AUTHOR)
    at(clock, "2026-03-25T12:00:00Z")
    patch(record, document, HIDE, AUTHOR)

    at(clock, RELEASE)

    assert lifted.status == 200
    assert run(record) == (0, 1)
    assert record.found(record.patient) == [document]


def test_what_replaces_a_hidden_document_goes_on_waiting(record: FedRecord, clock: TimeMachineFixture) -> None:
    former = record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, "2026-03-10T12:00:00Z")
    document = record.publish(content=OTHER_PDF, **replacing(former))

    at(clock, NOTICE)
    announced = run(record)
    at(clock, RELEASE)
    released = run(record)

    assert (announced, released) == ((2, 0), (0, 2))
    assert told(record) == [CONSULTATION, Told("document-added", about(document), is_secret=False)]
    assert set(record.found(record.patient, "status=current,superseded")) == {former, document}


def test_the_author_releases_early_and_it_is_told_once(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, NOTICE)
    run(record)
    at(clock, "2026-03-17T12:00:00Z")
    patch(record, document, LIFT, AUTHOR)

    at(clock, RELEASE)

    assert run(record) == (0, 0)
    assert told(record) == [CONSULTATION, Told("document-added", about(document), is_secret=False)]


@pytest.mark.parametrize(("change", "released"), [(DELETE, 0), (SUPERSEDE, 1)], ids=["deleted", "superseded"])
def test_nothing_is_told_of_what_is_no_longer_current(
    record: FedRecord, clock: TimeMachineFixture, change: list[dict[str, Any]], released: int
) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    patch(record, document, change, AUTHOR)

    done = []
    for moment in (NOTICE, RELEASE):
        at(clock, moment)
        done.append(run(record)[1])

    assert done == [0, released]
    assert told(record) == []


def test_a_late_job_shows_at_once(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))

    at(clock, "2027-01-01T00:00:00Z")

    assert run(record) == (0, 1)
    assert told(record) == [Told("document-added", about(document), is_secret=False)]


def test_a_closed_record_waits_until_it_is_open_again(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    close(record)

    seen = []
    for moment in (NOTICE, "2026-04-02T10:00:00Z", RELEASE, "2026-04-03T10:00:00Z"):
        at(clock, moment)
        answer = record.api.run(JOB)
        seen.append((answer["waiting"], answer["announced"], answer["released"]))
    reopen = bodies.parameters(method={"valueCode": "electronic"}, date={"valueDateTime": "2026-04-02"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$reopen", reopen, as_=record.patient).status == 200
    at(clock, "2026-04-04T10:00:00Z")

    assert seen == [(1, 0, 0), (1, 0, 0), (0, 0, 0), (1, 0, 0)]
    assert run(record) == (0, 1)
    assert record.found(record.patient) == [document]


def test_what_waits_in_a_closed_record_stays_as_it_is(record: FedRecord, clock: TimeMachineFixture) -> None:
    record.publish(**hidden("INVISIBLE_PATIENT"))
    close(record)
    before = len(record.trace()), told(record)

    at(clock, RELEASE)
    waiting = record.api.run(JOB)["waiting"]

    assert (waiting, len(record.trace()), told(record)) == (1, *before)
    [entry] = [item for item in record.items() if item["sk"]["S"].startswith("D#")]
    assert (entry["v"]["N"], entry["upd"]["S"][:10]) == ("1", "2026-03-02")
    assert fsck.problems(record) == []


def test_closed_records_keep_nobody_else_waiting(
    record: FedRecord, api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    for _ in range(3):
        closed = open_record(api, stack)
        closed.publish(**hidden("INVISIBLE_PATIENT"))
        close(closed)
    at(clock, "2026-03-20T12:00:00Z")
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, "2026-05-01T12:00:00Z")

    runs = [import_module("handlers.scheduled").visibility_release({}, Remaining(2)) for _ in range(2)]

    assert [(one["waiting"], one["released"], one["done"]) for one in runs] == [(2, 0, False), (1, 1, True)]
    assert record.found(record.patient) == [document]


def close(record: FedRecord) -> None:
    body = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", body, as_=record.patient).status == 200


def test_what_representatives_must_not_see_is_told_in_secret(
    record: FedRecord, api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    minor = open_minor_record(api, stack)
    document = minor.publish(**hidden("INVISIBLE_PATIENT", "INVISIBLE_REPRESENTANTS_LEGAUX"))

    for moment in (NOTICE, RELEASE):
        at(clock, moment)
        run(record)

    assert [(one.kind, one.is_secret) for one in told(minor)] == [("consultation", True), ("document-added", True)]
    assert (minor.found(minor.patient), minor.found(minor.guardian)) == ([document], [])


def test_a_change_by_the_author_meanwhile_wins(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, NOTICE)

    with meanwhile("TransactWriteItems", lambda: patch(record, document, LIFT, AUTHOR)):
        announced = run(record)

    assert announced == (0, 0)
    assert [one.kind for one in told(record)] == ["document-added"]


def test_a_notice_meanwhile_is_not_forgotten_by_a_change(record: FedRecord, clock: TimeMachineFixture) -> None:
    document = record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, NOTICE)

    with meanwhile("TransactWriteItems", lambda: run(record)):
        answer = patch(record, document, bodies.MASK, AUTHOR)

    assert answer.status == 200
    assert run(record) == (0, 0)
    assert told(record) == [CONSULTATION]


def test_a_run_stops_in_time_and_the_next_goes_on(record: FedRecord, clock: TimeMachineFixture) -> None:
    documents = {record.publish(content=b"%PDF-1.4 " + bytes([n]), **hidden("INVISIBLE_PATIENT")) for n in range(4)}
    at(clock, RELEASE)

    stopped = import_module("handlers.scheduled").visibility_release({}, Remaining(1))
    finished = record.api.run(JOB)

    assert (stopped["released"], stopped["done"]) == (1, False)
    assert (finished["released"], finished["done"]) == (3, True)
    assert set(record.found(record.patient)) == documents


def test_one_that_fails_stops_nobody(
    record: FedRecord, clock: TimeMachineFixture, stack: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger="dmp")
    documents = [record.publish(content=b"%PDF-1.4 " + bytes([n]), **hidden("INVISIBLE_PATIENT")) for n in range(3)]
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": f"D#{documents[0].partition('.')[2]}"}}
    aws.client("dynamodb").update_item(TableName=stack["RECORDS_TABLE"], Key=key, UpdateExpression="REMOVE facts")
    at(clock, RELEASE)

    answer = record.api.run(JOB)

    logged = [one.__dict__["failure"] for one in caplog.records if one.message == "visibility_release_failed"]
    assert (answer["released"], answer["failed"], answer["done"], logged) == (2, 1, False, ["KeyError"])


@pytest.mark.parametrize("moment", [NOTICE, RELEASE])
@pytest.mark.parametrize("mode", ["before", "after", "answer lost", "refused"])
def test_a_run_that_breaks_tells_once(record: FedRecord, clock: TimeMachineFixture, mode: str, moment: str) -> None:
    record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, moment)
    faults = {
        "before": killed("TransactWriteItems"),
        "after": killed("TransactWriteItems", Moment.AFTER),
        "answer lost": answer_lost("TransactWriteItems"),
        "refused": refused("TransactWriteItems"),
    }

    try:
        with faults[mode]:
            record.api.run(JOB)
    except Killed:
        pass
    record.api.run(JOB)

    assert len(told(record)) == 1
    assert len(events(record)) == 1
    assert fsck.problems(record) == []


def test_a_step_is_one_read_and_one_transaction(record: FedRecord, clock: TimeMachineFixture) -> None:
    record.publish(**hidden("INVISIBLE_PATIENT"))
    at(clock, RELEASE)

    with counted() as calls:
        record.api.run(JOB)

    assert [call for call in calls if call != "Query"] == ["BatchGetItem", "TransactWriteItems"]


def test_only_what_waits_lies_in_the_index(record: FedRecord) -> None:
    record.publish(**hidden("INVISIBLE_PATIENT"))
    visible = record.publish(content=OTHER_PDF)

    due = [item for item in record.items() if item["sk"]["S"].startswith("D#") and "gx_month" in item]

    assert [item["gx_month"]["S"][:8] for item in due] == ["V2026-03"]
    assert visible.partition(".")[2] not in json.dumps([item["gx_at"] for item in due])


def test_professionals_see_what_awaits_all_along(record: FedRecord, clock: TimeMachineFixture) -> None:
    record.authorise(SPECIALIST)
    document = record.publish(**hidden("INVISIBLE_PATIENT"))

    before = record.found(SPECIALIST)
    at(clock, RELEASE)
    run(record)

    assert before == record.found(SPECIALIST) == [document]
