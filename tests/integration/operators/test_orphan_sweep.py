"""Objects that nothing names are counted, and deleted only by an order to sweep."""

from datetime import timedelta

import pytest
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies, uploads
from tests.fed_record import FedRecord
from tests.inspected_record import faults, order, pages, stored


@pytest.fixture
def orphans(record: FedRecord) -> list[str]:
    """Keys of objects that nothing names: of a document, of an upload, of an archive."""
    local = "1t3z09gfg0y1ses5fd8f6tmwwv"
    keys = [f"documents/{record.id}/{local}", f"uploads/{record.id}/{local}", f"exports/{record.id}/{local}.zip"]
    for key in keys:
        aws.client("s3").put_object(
            Bucket=record.stores["DOCUMENTS_BUCKET"], Key=key, Body=b"x",
            ServerSideEncryption="aws:kms", SSEKMSKeyId=record.stores["DATA_KEY"],
        )  # fmt: skip
    return keys


def test_orphans_are_counted_and_left_unless_they_are_to_be_swept(
    record: FedRecord, orphans: list[str], clock: TimeMachineFixture
) -> None:
    young = pages(record.api, "objects")
    clock.shift(timedelta(hours=26))

    counted = pages(record.api, "objects")

    [before, after] = [sum(page["orphans"] for page in found) for found in (young, counted)]
    assert sum(page["young"] for page in young) >= 3
    assert after - before >= 3
    assert sum(page["swept"] for page in counted) == 0
    assert set(stored(record.stores["DOCUMENTS_BUCKET"])) >= set(orphans)


def test_a_sweep_deletes_orphans_and_nothing_that_a_document_or_an_archive_is(
    record: FedRecord, orphans: list[str], clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dmp.adapters.object_inspection._VERSIONS_A_PAGE", 3)
    record.api.post(f"/fhir/Patient/{record.id}/$export", as_=record.patient, headers={"Prefer": "respond-async"})
    announced = uploads.announce(record, bodies.PDF + b"e")
    announced.send()
    clock.shift(timedelta(hours=26))
    bucket = record.stores["DOCUMENTS_BUCKET"]
    kept = {key for key in stored(bucket) if record.id in key} - set(orphans)

    pages(record.api, "objects", sweep=True, operator="ana", run="run-9")

    told = [one for one in order(record.api, "acts", limit=5)["acts"] if one["command"] == "sweep"]
    assert {(one["operator"], one["run"], one["stage"]) for one in told} == {("ana", "run-9", "begun")}
    assert {key for key in stored(bucket) if record.id in key} == kept
    assert set(faults(record, bytes=True)) <= {"not-chained"}
    assert uploads.versions(bucket, orphans[0]) == []


def test_what_lies_under_no_key_of_ours_is_never_touched(record: FedRecord, clock: TimeMachineFixture) -> None:
    bucket = record.stores["DOCUMENTS_BUCKET"]
    aws.client("s3").put_object(Bucket=bucket, Key="malware-protection-resource-validation-object", Body=b"")
    clock.shift(timedelta(days=400))

    answer = pages(record.api, "objects", sweep=True)

    assert sum(page["foreign"] for page in answer) >= 1
    assert "malware-protection-resource-validation-object" in stored(bucket)
