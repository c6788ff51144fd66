"""Whatever deletes a version reaches the copy in another region too, to which S3 replicates no such deletion."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from moto.s3.models import s3_backends
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from infra.local.resources import ACCOUNT
from tests import bodies, texts, uploads
from tests.api_client import ApiClient
from tests.aws_calls import Killed, killed, refused
from tests.closed_record import JOB, close, erase, full_record, small_record, small_stack
from tests.fed_record import AUTHOR, FedRecord


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        replica = f"replica-{uuid4().hex}"
        monkeypatch.setenv("REPLICA_BUCKET", replica)
        yield {**environment, "REPLICA_BUCKET": replica}


def make_replica(stack: dict[str, str]) -> None:
    client: Any = aws.client("s3")
    client.create_bucket(Bucket=stack["REPLICA_BUCKET"], CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    client.put_bucket_versioning(Bucket=stack["REPLICA_BUCKET"], VersioningConfiguration={"Status": "Enabled"})


def replicated(record: FedRecord) -> set[str]:
    """Copy the objects of a record as S3 would, each with a former version and under a delete marker; their keys."""
    client, bucket, keys = aws.client("s3"), record.stores["REPLICA_BUCKET"], set(record.objects())
    assert keys
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"former")
        client.put_object(Bucket=bucket, Key=key, Body=b"current")
        client.delete_object(Bucket=bucket, Key=key)
    return keys


def replicate(stack: dict[str, str]) -> None:
    """Copy all that is in the bucket of documents as S3 does: under the same ids of versions, and without archives."""
    held: Any = s3_backends[ACCOUNT]["aws"].buckets
    there, copies = (held[stack[name]].keys for name in ("DOCUMENTS_BUCKET", "REPLICA_BUCKET"))
    for key in there:
        if not key.startswith("exports/"):
            copies.setlist(key, list(there.getlist(key)))


def broken_off(record: FedRecord) -> str:
    """The key of bytes whose deposit ended before its entry."""
    with pytest.raises(Killed), killed("TransactWriteItems"):
        record.api.post("/fhir/DocumentReference", bodies.document(record.id), as_=record.patient)
    [key] = record.objects()
    return key


def left(stack: dict[str, str]) -> set[str]:
    found: Any = aws.client("s3").list_object_versions(Bucket=stack["REPLICA_BUCKET"])
    return {each["Key"] for kind in ("Versions", "DeleteMarkers") for each in found.get(kind, [])}


def test_an_erasure_empties_the_replica_of_that_record_alone(stack: dict[str, str]) -> None:
    make_replica(stack)
    record, other = (full_record(ApiClient(), stack) for _ in range(2))
    replicated(record)
    kept = replicated(other)
    close(record)
    erase(record)

    run = record.api.run(JOB)

    assert run["erased"] == 1
    assert left(stack) == kept
    assert not record.objects()


def test_a_replica_that_cannot_be_emptied_fails_the_record_until_it_can(stack: dict[str, str]) -> None:
    record = full_record(ApiClient(), stack)
    close(record)
    erase(record)

    failed = record.api.run(JOB)
    make_replica(stack)
    run = record.api.run(JOB)

    assert (failed["failed"], failed["erased"]) == (1, 0)
    assert (run["failed"], run["erased"]) == (0, 1)


def test_an_orphan_is_swept_in_both(stack: dict[str, str], clock: TimeMachineFixture) -> None:
    make_replica(stack)
    record = small_record(ApiClient(), stack)
    key = broken_off(record)
    replicate(stack)
    clock.shift(timedelta(hours=1))

    assert texts.read(record.api, uploads.arrival(stack["DOCUMENTS_BUCKET"], key, "1")) == []

    assert (key in left(stack), list(record.objects())) == (False, [])


def test_an_orphan_that_the_replica_keeps_is_kept_until_it_can_be_swept_in_both(
    stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    make_replica(stack)
    record = small_record(ApiClient(), stack)
    key = broken_off(record)
    replicate(stack)
    clock.shift(timedelta(hours=1))

    with refused("DeleteObject", "AccessDenied", 403):
        again = texts.read(record.api, uploads.arrival(stack["DOCUMENTS_BUCKET"], key, "1"))

    assert (again, list(record.objects())) == (["0"], [key])


@pytest.mark.parametrize("nth", [1, 2])
def test_a_sweep_that_dies_between_the_two_is_done_by_the_next_one(
    stack: dict[str, str], clock: TimeMachineFixture, nth: int
) -> None:
    make_replica(stack)
    record = small_record(ApiClient(), stack)
    key = broken_off(record)
    replicate(stack)
    clock.shift(timedelta(hours=1))
    told = uploads.arrival(stack["DOCUMENTS_BUCKET"], key, "1")
    with pytest.raises(Killed), killed("DeleteObject", nth=nth):
        texts.read(record.api, told)

    assert texts.read(record.api, told) == []

    assert (key in left(stack), list(record.objects())) == (False, [])


def test_what_an_operator_sweeps_is_swept_in_both(stack: dict[str, str], clock: TimeMachineFixture) -> None:
    make_replica(stack)
    record = full_record(ApiClient(), stack)
    archive = f"exports/{record.id}/{'0' * 26}.zip"
    orphan = f"documents/{record.id}/{'0' * 26}"
    for key in (archive, orphan):
        aws.client("s3").put_object(Bucket=stack["DOCUMENTS_BUCKET"], Key=key, Body=b"unnamed")
    replicate(stack)
    before = left(stack)
    clock.shift(timedelta(days=2))

    page = record.api.run("Operations", {"order": "objects", "sweep": True})

    assert (page["swept"], before - left(stack)) == (2, {orphan})
    assert not {archive, orphan} & set(record.objects())


def test_an_upload_that_breaks_a_rule_leaves_nothing_in_the_replica(stack: dict[str, str]) -> None:
    make_replica(stack)
    upload = uploads.announce(small_record(ApiClient(), stack))
    event = upload.send(b"something else")
    replicate(stack)

    assert uploads.tell(upload.record.api, event) == []

    assert (upload.error, upload.versions(), upload.key in left(stack)) == ("size-mismatch", [], False)


def test_an_upload_that_never_becomes_available_leaves_nothing_in_the_replica(
    stack: dict[str, str], clock: TimeMachineFixture
) -> None:
    make_replica(stack)
    upload = uploads.announce(small_record(ApiClient(), stack))
    upload.send()
    replicate(stack)
    assert upload.record.api.delete(f"/fhir/DocumentReference/{upload.id}", as_=AUTHOR).status == 204
    clock.shift(timedelta(hours=1))

    assert upload.record.api.run("UploadSweep")["settled"] == 1

    assert (upload.versions(), upload.key in left(stack)) == ([], False)
