"""Whatever a test does to the stack of the operators' tests, the next finds it as if it were the first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from time_machine import TimeMachineFixture

from dmp.adapters import aws
from tests import bodies, texts, uploads
from tests.fed_record import AUTHOR, FedRecord, partition
from tests.inspected_record import items, put_seal, scanned, settle, stored
from tests.kept_stack import KeptStack


def test_whatever_was_done_to_a_stack_it_goes_back_to_what_it_held(
    record: FedRecord, kept: KeptStack, clock: TimeMachineFixture
) -> None:
    moment, before, bucket = kept.moment(), held(record), record.stores["DOCUMENTS_BUCKET"]
    queue = record.stores["HOOK_QUEUE"]

    document = record.publish()
    record.mask(document)
    assert record.api.delete(f"/fhir/DocumentReference/{record.publish()}", as_=AUTHOR).status == 204
    uploads.announce(record, bodies.PDF + b"e").send()
    settle(record, clock)
    aws.client("dynamodb").update_item(
        TableName=record.stores["RECORDS_TABLE"], Key={name: items(record, "D#")[0][name] for name in ("pk", "sk")},
        UpdateExpression="SET facts = :none", ExpressionAttributeValues={":none": {"S": "{}"}},
    )  # fmt: skip
    for version in aws.client("s3").list_object_versions(Bucket=bucket)["Versions"]:
        aws.client("s3").delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    put_seal(record, stored(record.stores["SEALS_BUCKET"])[0], b"xx")
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    clock.shift(timedelta(days=400))
    changed = held(record)
    kept.put_back(moment, clock)

    assert all(changed[what] != before[what] for what in before)
    assert held(record) == before
    assert texts.queued(queue) == []


def held(record: FedRecord) -> dict[str, Any]:
    """All that is held, by kind."""
    streams, database = boto3.client("dynamodbstreams"), boto3.client("dynamodb")
    arn = database.describe_table(TableName=record.stores["RECORDS_TABLE"])["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(**place)["ShardIterator"]
    return {
        "items": scanned(record.stores),
        "trace": partition(record.stores["AUDIT_TABLE"], f"R#{record.id}"),
        "stream": len(streams.get_records(ShardIterator=iterator)["Records"]),
        "documents": objects(record.stores["DOCUMENTS_BUCKET"]),
        "seals": objects(record.stores["SEALS_BUCKET"]),
        "time": datetime.now(UTC),
    }


def objects(bucket: str) -> list[tuple[str, str, bytes]]:
    """Every version in a bucket, with its bytes; delete markers have none."""
    client, told = aws.client("s3"), aws.client("s3").list_object_versions(Bucket=bucket)
    named = [(one["Key"], one["VersionId"]) for one in told.get("Versions", [])]
    found = [
        (key, version, client.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read())
        for key, version in named
    ]
    return found + [(one["Key"], one["VersionId"], b"") for one in told.get("DeleteMarkers", [])]
