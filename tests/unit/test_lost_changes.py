"""A place in a stream is read whole, or nothing of it is handled: what is gone is told, not passed over."""

from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from dmp.adapters.lost_changes import LostChanges
from dmp.adapters.table import Table
from dmp.domain.errors import DmpError, Gone, Unavailable

ARN = "arn:aws:dynamodb:eu-west-3:123456789012:table/records/stream/2026-03-02T12:00:00.000"
SHARD = "shardId-00000000000000000000-00000000"

type Json = dict[str, Any]


def change(number: int, pk: str = "R#1", name: str = "INSERT") -> Json:
    key = {"pk": {"S": pk}, "sk": {"S": "1"}}
    return {"eventName": name, "dynamodb": {"Keys": key, "SequenceNumber": f"{number:021}"}}


def numbers(*numbers: int) -> list[Json]:
    return [change(number) for number in numbers]


def of(pages: Sequence[list[Json]], *, goes_on: bool, last: int = 5) -> list[Json]:
    """What is read of a stream, for a message about the changes 1 to `last`."""
    streams: Any = boto3.client("dynamodbstreams", "eu-west-3")
    with Stubber(streams) as stubbed:
        stubbed.add_response("get_shard_iterator", {"ShardIterator": "0"})
        for number, page in enumerate(pages, 1):
            is_followed = goes_on or number < len(pages)
            stubbed.add_response(
                "get_records", {"Records": page} | ({"NextShardIterator": str(number)} if is_followed else {})
            )
        lost = LostChanges(
            Table(lambda: boto3.client("dynamodb", "eu-west-3"), "records"), lambda: streams, {"pk": "R#"}
        )
        place = {"streamArn": ARN, "shardId": SHARD, "startSequenceNumber": f"{1:021}"}
        return lost.of({"DDBStreamBatchInfo": {**place, "endSequenceNumber": f"{last:021}"}})


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_place_is_read_to_its_last_change_and_no_further(goes_on: bool) -> None:
    found = of([[], numbers(1, 2), [], numbers(3, 5, 6)], goes_on=goes_on)

    assert [int(one["dynamodb"]["SequenceNumber"]) for one in found] == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("pages", "goes_on", "failure"),
    [
        ([numbers(1, 2)], False, Gone("stream-forgot")),
        ([[]], False, Gone("stream-forgot")),
        ([numbers(1, 2, 6)], True, Gone("stream-forgot")),
        ([numbers(1, 2), *[[]] * 99], True, Unavailable("service-unavailable")),
    ],
    ids=["the shard ends", "the shard is empty", "the last is not there", "more pages than are read"],
)
def test_a_place_that_is_not_read_to_its_last_change_is_not_replayed(
    pages: list[list[Json]], goes_on: bool, failure: DmpError
) -> None:
    with pytest.raises(type(failure), match=failure.code):
        of(pages, goes_on=goes_on)


def test_of_what_is_new_a_consumer_gets_its_own_and_of_what_was_changed_everything() -> None:
    partitions = ("R#1", "K#1", "W#2026-01#1", "SEALS")
    page = [change(1 + place, pk) for place, pk in enumerate(partitions)]
    page += [change(5 + place, pk, "REMOVE") for place, pk in enumerate(partitions)]

    found = of([page], goes_on=False, last=8)

    assert [(one["eventName"], one["dynamodb"]["Keys"]["pk"]["S"]) for one in found] == [
        ("INSERT", "R#1"),
        *(("REMOVE", pk) for pk in partitions),
    ]
