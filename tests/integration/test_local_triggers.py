"""Stream consumers of the local stack: filters, order, retries of what failed alone, and the queue of the lost."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import chain
from time import monotonic, sleep
from typing import Any, cast
from unittest.mock import patch

import boto3
import pytest

from infra.local.event_sources import StreamMapping
from infra.local.runtime import FunctionFailed, Runtime
from infra.local.triggers import StreamConsumer, matches
from tests.aws_stack import NOWHERE

PATTERN = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"sk": {"S": [{"prefix": "M#"}]}}}}

type Handler = Callable[[list[str]], list[int]]


class Recorder(Runtime):
    """Calls a plain function instead of a Lambda: with sort keys, for the indexes of those that failed."""

    def __init__(self, handle: Handler) -> None:
        self.calls: list[list[str]] = []
        self._handle = handle

    def invoke(self, name: str, event: Any) -> Any:
        """Note the batch, and report failures as Lambda does."""
        keys = [record["dynamodb"]["NewImage"]["sk"]["S"] for record in event["Records"]]
        self.calls.append(keys)
        numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
        return {"batchItemFailures": [{"itemIdentifier": numbers[index]} for index in self._handle(keys)]}


@pytest.fixture
def table() -> Iterator[dict[str, str]]:
    with patch.dict(os.environ, NOWHERE):
        from infra.local import moto_repairs

        moto_repairs.apply()
        from moto import mock_aws

        with mock_aws():
            made = boto3.client("dynamodb").create_table(
                TableName="table",
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "sk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "sk", "KeyType": "HASH"}],
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            )["TableDescription"]
            queue = boto3.client("sqs").create_queue(QueueName="lost")["QueueUrl"]
            yield {"stream": made["LatestStreamArn"], "queue": queue}
            boto3.client("sqs").delete_queue(QueueUrl=queue)
            boto3.client("dynamodb").delete_table(TableName="table")


def consumer(table: dict[str, str], runtime: Runtime) -> StreamConsumer:
    mapping = StreamMapping(
        function="Consume",
        stream=None,
        batch_size=10,
        patterns=(json.dumps(PATTERN),),
        bisects=True,
        reports_failures=True,
        attempts=2,
        lost_records=None,
    )
    return StreamConsumer(mapping, table["stream"], "arn:aws:sqs:eu-west-3:123456789012:lost", runtime)


def put(*keys: str) -> None:
    for key in keys:
        boto3.client("dynamodb").put_item(TableName="table", Item={"sk": {"S": key}, "raw": {"B": b"\x00"}})


def lost(table: dict[str, str]) -> list[dict[str, Any]]:
    messages = boto3.client("sqs").receive_message(QueueUrl=table["queue"], MaxNumberOfMessages=10).get("Messages", [])
    return [cast("dict[str, Any]", json.loads(message["Body"])) for message in messages]


def wait_for(condition: Callable[[], object]) -> None:
    end = monotonic() + 5
    while not condition() and monotonic() < end:
        sleep(0.01)


def test_only_what_the_filter_wants_arrives_in_order_within_a_second(table: dict[str, str]) -> None:
    runtime = Recorder(lambda _: [])
    started = monotonic()
    consuming = consumer(table, runtime)
    consuming.start()

    put("M#1", "D#2", "M#3", "M#1")
    wait_for(lambda: list(chain(*runtime.calls)) == ["M#1", "M#3"])
    consuming.stop()

    assert list(chain(*runtime.calls)) == ["M#1", "M#3"]
    assert monotonic() - started < 2


def test_from_the_first_reported_failure_on_a_batch_comes_again_whole_and_is_put_aside_whole(
    table: dict[str, str],
) -> None:
    runtime = Recorder(lambda keys: [keys.index(bad) for bad in ("M#worse", "M#bad") if bad in keys])
    put("M#1", "M#bad", "M#3", "M#worse", "M#5")
    consuming = consumer(table, runtime)

    consuming.start()
    wait_for(lambda: len(runtime.calls) == 2)
    consuming.stop()

    [message] = lost(table)
    rest = ["M#bad", "M#3", "M#worse", "M#5"]
    assert runtime.calls == [["M#1", *rest], rest]
    assert message["DDBStreamBatchInfo"]["batchSize"] == 4


def test_a_function_that_raises_gets_the_batch_in_halves(table: dict[str, str]) -> None:
    def fail_on_more_than_one(keys: list[str]) -> list[int]:
        if len(keys) > 1:
            raise FunctionFailed("Error", "too many")
        return []

    runtime = Recorder(fail_on_more_than_one)
    put("M#1", "M#2")
    consuming = consumer(table, runtime)

    consuming.start()
    wait_for(lambda: runtime.calls[-1:] == [["M#2"]])
    consuming.stop()

    assert runtime.calls == [["M#1", "M#2"], ["M#1"], ["M#2"]]
    assert lost(table) == []


@pytest.mark.parametrize(
    ("condition", "value", "passes"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ({"prefix": "a"}, "ab", True),
        ({"suffix": "b"}, "ab", True),
        ({"anything-but": ["a"]}, "a", False),
        ({"exists": True}, None, True),
        ({"exists": False}, "a", False),
    ],
)
def test_a_filter_knows_its_conditions(condition: Any, value: Any, passes: bool) -> None:
    assert matches({"key": [condition]}, {"key": value}) is passes


def test_a_filter_refuses_a_condition_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="filter condition"):
        matches({"key": [{"numeric": [">", 1]}]}, {"key": 2})
