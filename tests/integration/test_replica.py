"""An erasure reaches the copy of the documents in another region, to which S3 replicates no deletion of a version."""

from collections.abc import Iterator
from typing import Any

import pytest

from dmp.adapters import aws
from tests.api_client import ApiClient
from tests.closed_record import JOB, close, erase, full_record, small_stack
from tests.fed_record import FedRecord

REPLICA = "replica-of-documents"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    with small_stack() as environment:
        monkeypatch.setenv("REPLICA_BUCKET", REPLICA)
        yield environment


def make_replica() -> None:
    client: Any = aws.client("s3")
    client.create_bucket(Bucket=REPLICA, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    client.put_bucket_versioning(Bucket=REPLICA, VersioningConfiguration={"Status": "Enabled"})


def replicated(record: FedRecord) -> set[str]:
    """Copy the objects of a record as S3 would, each with a former version and under a delete marker; their keys."""
    client, keys = aws.client("s3"), set(record.objects())
    assert keys
    for key in keys:
        client.put_object(Bucket=REPLICA, Key=key, Body=b"former")
        client.put_object(Bucket=REPLICA, Key=key, Body=b"current")
        client.delete_object(Bucket=REPLICA, Key=key)
    return keys


def left() -> set[str]:
    found: Any = aws.client("s3").list_object_versions(Bucket=REPLICA)
    return {each["Key"] for kind in ("Versions", "DeleteMarkers") for each in found.get(kind, [])}


def test_an_erasure_empties_the_replica_of_that_record_alone(stack: dict[str, str]) -> None:
    make_replica()
    record, other = (full_record(ApiClient(), stack) for _ in range(2))
    replicated(record)
    kept = replicated(other)
    close(record)
    erase(record)

    run = record.api.run(JOB)

    assert run["erased"] == 1
    assert left() == kept
    assert not record.objects()


def test_a_replica_that_cannot_be_emptied_fails_the_record_until_it_can(stack: dict[str, str]) -> None:
    record = full_record(ApiClient(), stack)
    close(record)
    erase(record)

    failed = record.api.run(JOB)
    make_replica()
    run = record.api.run(JOB)

    assert (failed["failed"], failed["erased"]) == (1, 0)
    assert (run["failed"], run["erased"]) == (0, 1)
