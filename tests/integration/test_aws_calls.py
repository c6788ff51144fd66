"""The means by which tests count and break AWS calls do what they say."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from dmp.adapters import aws
from tests.aws_calls import Killed, Moment, answer_lost, counted, killed, meanwhile, refused
from tests.aws_stack import NOWHERE, forget_handlers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@pytest.fixture
def table() -> Iterator["Shelf"]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name, value in NOWHERE.items():
            environment.setenv(name, value)
        forget_handlers()
        yield Shelf(aws.client("dynamodb"))
        forget_handlers()


def test_calls_are_counted_while_asked_for(table: "Shelf") -> None:
    with counted() as calls:
        table.put("a")
        table.has("a")

    table.put("b")
    assert calls == ["PutItem", "GetItem"]


def test_a_refused_call_changes_nothing(table: "Shelf") -> None:
    with refused("PutItem", "ThrottlingException", 400, nth=2):
        table.put("first")
        with pytest.raises(ClientError, match="ThrottlingException"):
            table.put("second")

    assert (table.has("first"), table.has("second")) == (True, False)


def test_a_lost_answer_leaves_the_change(table: "Shelf") -> None:
    with answer_lost("PutItem"), pytest.raises(ReadTimeoutError):
        table.put("a")

    assert table.has("a")


@pytest.mark.parametrize(("moment", "written"), [(Moment.BEFORE, False), (Moment.AFTER, True)])
def test_a_killed_process_is_stopped_at_that_moment(table: "Shelf", moment: Moment, written: bool) -> None:
    with pytest.raises(Killed), killed("PutItem", moment):
        table.put("a")

    assert table.has("a") is written


def test_something_happens_meanwhile_once(table: "Shelf") -> None:
    with meanwhile("PutItem", lambda: table.put("competitor")):
        table.put("a")

    assert table.has("competitor")


def test_a_fault_that_never_struck_fails_the_test(table: "Shelf") -> None:
    with pytest.raises(AssertionError, match="not called often enough"), refused("PutItem", nth=2):
        table.put("a")


class Shelf:
    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self._name = f"shelf-{uuid4()}"
        client.create_table(
            TableName=self._name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, name: str) -> None:
        self._client.put_item(TableName=self._name, Item={"pk": {"S": name}})

    def has(self, name: str) -> bool:
        return "Item" in self._client.get_item(TableName=self._name, Key={"pk": {"S": name}})
