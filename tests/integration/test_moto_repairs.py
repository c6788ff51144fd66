"""moto, mended: parallel writers lose nothing, and a transaction that fails leaves nothing behind."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.aws_stack import NOWHERE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@pytest.fixture
def dynamodb() -> "Iterator[DynamoDBClient]":
    with patch.dict(os.environ, NOWHERE):
        from infra.local import moto_repairs

        moto_repairs.apply()
        from moto import mock_aws

        with mock_aws():
            client = boto3.client("dynamodb")
            client.create_table(
                TableName="table",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            )
            yield client
            client.delete_table(TableName="table")


def item(sk: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": sk}, **more}


def stream_length() -> int:
    streams: Any = boto3.client("dynamodbstreams")
    arn = streams.list_streams(TableName="table")["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return len(streams.get_records(ShardIterator=start["ShardIterator"])["Records"])


def increment(dynamodb: "DynamoDBClient") -> int:
    """Add one on the condition that nobody else did; count how often somebody had."""
    for conflicts in range(1_000):
        counter = dynamodb.get_item(TableName="table", Key=item("counter"), ConsistentRead=True)["Item"]["n"]["N"]
        try:
            dynamodb.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": "table",
                            "Item": item("counter", n={"N": str(int(counter) + 1)}),
                            "ConditionExpression": "n = :n",
                            "ExpressionAttributeValues": {":n": {"N": counter}},
                        }
                    },
                    {"Put": {"TableName": "table", "Item": item(f"row-{int(counter) + 1}")}},
                ]
            )
        except dynamodb.exceptions.TransactionCanceledException:
            continue
        return conflicts
    raise AssertionError("never succeeded")


def test_parallel_transactions_lose_no_update(dynamodb: "DynamoDBClient") -> None:
    dynamodb.put_item(TableName="table", Item=item("counter", n={"N": "0"}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: increment(dynamodb), range(80)))

    rows = dynamodb.query(
        TableName="table", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "p"}}
    )["Items"]
    assert next(row["n"]["N"] for row in rows if row["sk"]["S"] == "counter") == "80"
    assert len(rows) == 81


def test_a_transaction_that_fails_leaves_items_and_stream_as_they_were(dynamodb: "DynamoDBClient") -> None:
    dynamodb.put_item(TableName="table", Item=item("old", v={"N": "1"}))
    before = stream_length()

    with pytest.raises(ClientError) as failure:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "table", "Item": item("new")}},
                {
                    "Update": {
                        "TableName": "table",
                        "Key": item("old"),
                        "UpdateExpression": "SET v = :v",
                        "ExpressionAttributeValues": {":v": {"N": "2"}},
                    }
                },
                {
                    "ConditionCheck": {
                        "TableName": "table",
                        "Key": item("absent"),
                        "ConditionExpression": "attribute_exists(pk)",
                    }
                },
            ]
        )

    reasons = [reason["Code"] for reason in failure.value.response["CancellationReasons"]]
    rows = dynamodb.scan(TableName="table")["Items"]
    assert reasons == ["None", "None", "ConditionalCheckFailed"]
    assert rows == [item("old", v={"N": "1"})]
    assert stream_length() == before == 1


def test_a_key_of_a_template_signs_where_it_says_so(stack: Mapping[str, str]) -> None:
    kms = boto3.client("kms")

    signed = kms.sign(KeyId=stack["SEAL_KEY"], Message=b"text", MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256")[
        "Signature"
    ]

    public = load_der_public_key(kms.get_public_key(KeyId=stack["SEAL_KEY"])["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signed, b"text", ec.ECDSA(SHA256()))


def test_what_is_too_old_in_a_queue_holds_up_nothing(stack: Mapping[str, str]) -> None:
    sqs, url = boto3.client("sqs"), stack["LOST_ENTRIES"]
    with time_machine.travel(datetime.now(UTC) - timedelta(days=40), tick=False):
        sqs.send_message(QueueUrl=url, MessageBody="old")
    sqs.send_message(QueueUrl=url, MessageBody="new")

    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]

    assert [one["Body"] for one in received] == ["new"]


def test_a_bucket_tells_each_of_its_queues_of_its_own_folder(stack: Mapping[str, str]) -> None:
    told = boto3.client("s3").get_bucket_notification_configuration(Bucket=stack["DOCUMENTS_BUCKET"])

    folders = [one["Filter"]["Key"]["FilterRules"][0]["Value"] for one in told["QueueConfigurations"]]
    assert sorted(folders) == ["documents/", "uploads/"]
