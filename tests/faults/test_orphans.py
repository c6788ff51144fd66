"""Bytes whose deposit broke off are swept by whoever reads new documents; those that a document names never are."""

import json
from contextvars import Context
from datetime import timedelta

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies, texts, uploads
from tests.api_client import ApiClient
from tests.aws_calls import Killed, Moment, counted, killed, meanwhile, refused
from tests.closed_record import close, erase
from tests.faults import fsck
from tests.faults.operations import OPERATIONS
from tests.fed_record import FedRecord, open_record

DEPOSITS = ("publish", "publish a CDA", "submit", "create once", "replace")
BEFORE_THE_ENTRY = [
    (name, call, operation.calls[: place + 1].count(call))
    for name, operation in OPERATIONS.items()
    if name in DEPOSITS
    for place, call in enumerate(operation.calls)
    if "PutObject" in operation.calls[: place + 1]
]
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def record(api: ApiClient, stack: dict[str, str], clock: TimeMachineFixture) -> FedRecord:
    return open_record(api, stack)


def broken_off(record: FedRecord) -> str:
    """The key of bytes whose deposit ended before its entry."""
    before = set(record.objects())
    body = bodies.document(record.id)
    with pytest.raises(Killed), killed("TransactWriteItems"):
        record.api.post("/fhir/DocumentReference", body, as_=record.patient)
    [key] = set(record.objects()) - before
    return key


def told(record: FedRecord, *keys: str) -> list[str]:
    """Tell of objects as the bucket does; the messages that are to come again."""
    bucket = record.stores["DOCUMENTS_BUCKET"]
    return texts.read(record.api, *(uploads.arrival(bucket, key, "1") for key in keys))


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("name", "call", "nth"), BEFORE_THE_ENTRY)
def test_whatever_a_deposit_that_dies_leaves_behind_is_gone_in_the_end(
    record: FedRecord, clock: TimeMachineFixture, name: str, call: str, nth: int, moment: Moment
) -> None:
    request = OPERATIONS[name].prepare(record)
    with pytest.raises(Killed), killed(call, moment, nth=nth):
        request()
    named = set(record.objects()) - fsck.orphans(record)

    told(record, *record.objects())
    clock.shift(AN_HOUR)
    again = told(record, *record.objects())

    assert (again, fsck.orphans(record), fsck.problems(record)) == ([], set(), [])
    assert set(record.objects()) == named
    assert request().status in {200, 201}
    assert fsck.problems(record) == []


def test_what_may_still_be_named_comes_again_and_is_left(record: FedRecord, clock: TimeMachineFixture) -> None:
    key = broken_off(record)
    clock.shift(AN_HOUR - timedelta(seconds=1))

    assert told(record, key) == ["0"]

    assert key in record.objects()


def test_an_orphan_costs_two_reads_and_leaves_nothing_to_bring_back(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    key = broken_off(record)
    clock.shift(AN_HOUR)

    with counted() as calls:
        assert told(record, key) == []

    assert calls == ["BatchGetItem", "HeadObject", "DeleteObject"]
    assert fsck.versions(record) == []
    assert told(record, key) == []


def test_a_sweep_is_counted(record: FedRecord, clock: TimeMachineFixture, capsys: pytest.CaptureFixture[str]) -> None:
    key = broken_off(record)
    clock.shift(AN_HOUR)

    told(record, key)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "OrphansSwept" in line]
    assert [line["OrphansSwept"] for line in lines] == [1]


@pytest.mark.parametrize("call", ["BatchGetItem", "HeadObject", "DeleteObject"])
@pytest.mark.parametrize("moment", Moment)
def test_a_sweep_that_dies_is_done_by_the_next_one(
    record: FedRecord, clock: TimeMachineFixture, call: str, moment: Moment
) -> None:
    document, key = record.publish(), broken_off(record)
    clock.shift(AN_HOUR)

    with pytest.raises(Killed), killed(call, moment):
        told(record, key)

    assert told(record, key) == []
    assert list(record.objects()) == [f"documents/{document.replace('.', '/')}"]


def test_what_cannot_be_deleted_now_comes_again(record: FedRecord, clock: TimeMachineFixture) -> None:
    key = broken_off(record)
    clock.shift(AN_HOUR)

    with refused("DeleteObject", "SlowDown", 503):
        assert told(record, key) == ["0"]

    assert key in record.objects()


def test_a_deposit_that_is_slow_loses_nothing_to_the_sweep(record: FedRecord) -> None:
    body = bodies.document(record.id)
    again: list[str] = []

    def sweep_between_bytes_and_entry() -> None:
        again.extend(Context().run(lambda: told(record, *record.objects())))

    with meanwhile("TransactWriteItems", sweep_between_bytes_and_entry):
        answer = record.api.post("/fhir/DocumentReference", body, as_=record.patient)

    assert (answer.status, again, fsck.problems(record)) == (201, ["0"], [])


@pytest.mark.parametrize("call", ["BatchGetItem", "HeadObject", "DeleteObject"])
def test_the_repetition_of_a_deposit_brings_bytes_of_its_own(
    record: FedRecord, clock: TimeMachineFixture, call: str
) -> None:
    body = bodies.document(record.id)
    with pytest.raises(Killed), killed("TransactWriteItems"):
        record.api.post("/fhir/DocumentReference", body, as_=record.patient)
    [orphan] = record.objects()
    clock.shift(AN_HOUR)

    with meanwhile(call, lambda: record.api.post("/fhir/DocumentReference", body, as_=record.patient)):
        told(record, orphan)

    assert (fsck.orphans(record), fsck.problems(record)) == (set(), [])
    assert len(record.found(record.patient)) == 1


def test_of_documents_that_are_there_nothing_is_swept_however_old_they_are(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    documents = [record.publish(), record.publish()]
    record.api.delete(f"/fhir/DocumentReference/{documents[1]}", as_=record.patient)
    clock.shift(400 * 24 * AN_HOUR)
    before = record.objects()

    assert told(record, *before) == []

    assert record.objects() == before


def test_bytes_that_came_to_a_record_while_it_was_erased_are_gone_too(
    record: FedRecord, clock: TimeMachineFixture
) -> None:
    key = broken_off(record)
    content = aws.client("s3").get_object(Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key)["Body"].read()
    close(record)
    assert erase(record).status == 202
    record.api.run("Retention")
    aws.client("s3").put_object(
        Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=content,
        ServerSideEncryption="aws:kms", SSEKMSKeyId=record.stores["DATA_KEY"],
    )  # fmt: skip
    early = told(record, key)
    clock.shift(AN_HOUR)

    assert (early, told(record, key)) == (["0"], [])

    assert fsck.versions(record) == []
