"""What nobody told of, or nobody brought: the job that looks after awaited documents (ITI-105)."""

import zlib
from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, answer_lost, killed, meanwhile, refused
from tests.closed_record import forget_what_is_due, small_record, small_stack
from tests.faults import fsck
from tests.fed_record import AUTHOR, SPECIALIST, FedRecord
from tests.integration.test_uploads import replacing
from tests.integration.test_visibility_release import Remaining
from tests.log_lines import written
from tests.uploads import Upload, announce, announcement, extension, tell

JOB = "UploadSweep"
OTHER_PDF = b"%PDF-1.7\n%other\n%%EOF\n"


@pytest.fixture(scope="module")
def stack() -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        yield environment


@pytest.fixture(scope="module")
def api(stack: dict[str, str]) -> ApiClient:
    assert stack
    return ApiClient()


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    """A record while time stands still and nothing of other tests is due."""
    forget_what_is_due(stack)
    return small_record(api, stack)


def run(record: FedRecord) -> dict[str, Any]:
    """What a run did, without what it did not."""
    answer = record.api.run(JOB)
    assert (answer.pop("failed"), answer.pop("done")) == (0, True)
    return {name: number for name, number in answer.items() if number}


def test_what_nobody_brings_is_given_up_after_a_day_and_an_hour(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)

    seen = []
    for hours in (0, 1, 23, 1, 24):
        clock.shift(timedelta(hours=hours))
        seen.append(run(record))

    assert seen == [{}, {"waiting": 1}, {"waiting": 1}, {"given_up": 1, "settled": 1}, {}]
    assert (upload.error, upload.read(SPECIALIST).status) == ("upload-abandoned", 404)
    assert [e["act"] for e in record.trace() if e["role"] == "service"] == ["upload-failed"]
    assert fsck.problems(record) == []


def test_a_run_follows_each_document_and_then_itself(record: FedRecord, clock: TimeMachineFixture) -> None:
    given = [str(uuid4()) for _ in range(3)]
    uploads = []
    for one in given:
        body, headers = announcement(record.id), {"X-Request-Id": one}
        uploads.append(record.api.post("/fhir/DocumentReference", body, headers=headers, as_=AUTHOR).id)
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": f"D#{uploads[1].partition('.')[2]}"}}
    table = record.stores["RECORDS_TABLE"]
    aws.client("dynamodb").update_item(TableName=table, Key=key, UpdateExpression="REMOVE cid")
    clock.shift(timedelta(hours=25))

    with written() as lines:
        record.api.run(JOB)

    ended = {line["correlation_id"] for line in lines.parsed if line["message"] == "upload_failed"}
    [own] = [line["correlation_id"] for line in lines.parsed if line["message"] == "uploads_swept"]
    assert ended == {given[0], own, given[2]}


def test_what_came_without_a_word_of_it_is_verified_within_the_hour(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    good, bad = announce(record), announce(record, OTHER_PDF)
    good.send()
    bad.send(OTHER_PDF.replace(b"other", b"wrong"))

    clock.shift(timedelta(hours=1))
    run(record)

    assert record.found(AUTHOR) == [good.id]
    assert (bad.error, bad.versions(), len(good.versions())) == ("hash-mismatch", [], 1)
    assert run(record) == {}


def test_what_was_deleted_while_it_was_awaited_leaves_nothing_behind(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    upload = announce(record)
    upload.send()
    assert record.api.delete(f"/fhir/DocumentReference/{upload.id}", as_=AUTHOR).status == 204

    clock.shift(timedelta(hours=1))

    assert run(record) == {"settled": 1}
    assert (upload.versions(), upload.read().status, run(record)) == ([], 410, {})


def test_an_upload_may_be_resumed_between_two_looks(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)
    clock.shift(timedelta(hours=10))
    run(record)

    resumed = Upload(record, upload.read(), bodies.PDF, AUTHOR)
    assert extension(resumed.answer.json)
    assert resumed.complete() == []

    assert record.found(AUTHOR) == [upload.id]


def test_what_is_awaited_in_a_closed_record_is_given_up_too(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)
    upload.send()
    motive = bodies.parameters(motive={"valueCode": "patient-demande"})
    assert record.api.post(f"/fhir/Patient/{record.id}/$close", motive, as_=record.patient).status == 200

    clock.shift(timedelta(hours=25))

    assert run(record) == {"given_up": 1, "settled": 1}
    assert upload.versions() == []


def test_bytes_that_come_during_the_last_look_are_not_lost(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)
    clock.shift(timedelta(hours=25))

    with meanwhile("TransactWriteItems", lambda: Context().run(upload.complete)):  # not by the job, nor in its role
        answer = run(record)

    assert (answer, record.found(AUTHOR)) == ({}, [upload.id])


def test_a_run_stops_in_time_and_the_next_goes_on(record: FedRecord, clock: TimeMachineFixture) -> None:
    for _ in range(3):
        announce(record)
    clock.shift(timedelta(hours=25))

    context = Remaining(1)
    short = type(
        "Short", (), {"aws_request_id": "run-1", "get_remaining_time_in_millis": lambda _: _remaining(context)}
    )
    stopped = import_module("handlers.scheduled").upload_sweep({}, short())
    finished = record.api.run(JOB)

    assert (stopped["given_up"], stopped["done"]) == (1, False)
    assert (finished["given_up"], finished["done"]) == (2, True)


def _remaining(context: Remaining) -> int:
    return 600_000 if context.get_remaining_time_in_millis() > 10_000 else 9_000


def test_one_that_fails_stops_nobody(
    record: FedRecord, clock: TimeMachineFixture, stack: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger="dmp")
    sent = [announce(record) for _ in range(3)]
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": f"D#{sent[0].id.partition('.')[2]}"}}
    aws.client("dynamodb").update_item(TableName=stack["RECORDS_TABLE"], Key=key, UpdateExpression="REMOVE facts")
    clock.shift(timedelta(hours=25))

    answer = record.api.run(JOB)

    logged = [one.__dict__["failure"] for one in caplog.records if one.message == "upload_sweep_failed"]
    assert (answer["given_up"], answer["failed"], answer["done"], logged) == (2, 1, False, ["KeyError"])


def test_what_cannot_be_understood_is_given_up_all_the_same_once_it_is_time(
    record: FedRecord, clock: TimeMachineFixture, stack: dict[str, str]
) -> None:
    upload = announce(record)
    upload.send()
    key = {"pk": {"S": f"R#{record.id}"}, "sk": {"S": f"D#{upload.id.partition('.')[2]}"}}
    body = {":body": {"B": zlib.compress(b'{"resourceType": "DocumentReference"}')}}
    aws.client("dynamodb").update_item(
        TableName=stack["RECORDS_TABLE"], Key=key, UpdateExpression="SET body = :body", ExpressionAttributeValues=body
    )

    clock.shift(timedelta(hours=24))
    early = record.api.run(JOB)
    clock.shift(timedelta(hours=1))
    late = record.api.run(JOB)

    assert (early["failed"], late["failed"], late["given_up"], late["settled"]) == (1, 0, 1, 1)
    assert upload.versions() == []


def test_what_would_write_too_much_ends(
    record: FedRecord, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = record.publish()
    upload = announce(record, OTHER_PDF, **replacing(former))
    upload.send()
    monkeypatch.setattr("dmp.adapters.ledger.LARGEST_TRANSACTION", 4)

    clock.shift(timedelta(hours=1))
    run(record)

    assert (upload.error, upload.versions(), record.found(AUTHOR)) == ("too-many", [], [former])


@pytest.mark.parametrize("call", ["TransactWriteItems", "ListObjectVersions", "DeleteObject"])
@pytest.mark.parametrize("mode", ["before", "after", "answer lost", "refused"])
def test_a_run_that_breaks_converges(record: FedRecord, clock: TimeMachineFixture, mode: str, call: str) -> None:
    upload = announce(record)
    upload.send(bodies.PDF.replace(b"Catalog", b"Nothing"))
    clock.shift(timedelta(hours=25))
    faults = {
        "before": killed(call),
        "after": killed(call, Moment.AFTER),
        "answer lost": answer_lost(call),
        "refused": refused(call),
    }

    try:
        with faults[mode]:
            record.api.run(JOB)
    except Killed:
        pass
    run(record)

    assert (upload.error, upload.versions()) == ("hash-mismatch", [])
    assert [e["act"] for e in record.trace()].count("upload-failed") == 1
    assert fsck.problems(record) == []


def test_an_event_behind_the_end_deletes_what_came(record: FedRecord, clock: TimeMachineFixture) -> None:
    upload = announce(record)
    clock.shift(timedelta(hours=25))
    run(record)

    assert tell(record.api, upload.send()) == []

    assert (upload.error, upload.versions()) == ("upload-abandoned", [])
