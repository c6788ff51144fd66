"""Strongly consistent reads of one DynamoDB table, each a single call unless DynamoDB leaves something over."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.record_items import Item
from dmp.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_BATCH = 100
_LEFTOVER_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Range:
    """Sort keys from `low` to `high`, both included; of a local index where one is named, by its `sort` attribute."""

    low: str
    high: str
    index: str = ""
    sort: str = "sk"


class Table:
    """One table; names nothing of the domain."""

    def __init__(self, client: "Callable[[], DynamoDBClient]", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Item) -> Item | None:
        """Read one item."""
        with unavailable_on_failure():
            return self._client().get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")

    def batch_get(self, pk: str, sks: Sequence[str]) -> dict[str, Item]:
        """Read items of one partition by their sort keys; those that do not exist are left out."""
        found: dict[str, Item] = {}
        unique = list(dict.fromkeys(sks))
        for start in range(0, len(unique), _BATCH):
            wanted = [keys.item_key(pk, sk) for sk in unique[start : start + _BATCH]]
            for item in self._batch(wanted):
                found[item["sk"]["S"]] = item
        return found

    def get_all(self, wanted: Sequence[Item]) -> list[Item]:
        """Read items of any partitions by their keys; those that do not exist are left out."""
        unique = list({(key["pk"]["S"], key["sk"]["S"]): key for key in wanted}.values())
        parts = (unique[start : start + _BATCH] for start in range(0, len(unique), _BATCH))
        return [item for part in parts for item in self._batch(part)]

    def _batch(self, wanted: list[Item]) -> list[Item]:
        items: list[Item] = []
        for attempt in range(_LEFTOVER_ATTEMPTS):
            with unavailable_on_failure():
                answer = self._client().batch_get_item(
                    RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}}
                )
            items += answer["Responses"].get(self._name, [])
            left = answer.get("UnprocessedKeys", {}).get(self._name)
            if not left:
                return items
            wanted = list(left["Keys"])
            time.sleep(_PAUSE_SECONDS * 2**attempt)
        raise Unavailable("service-unavailable")

    def query(
        self,
        pk: str,
        span: Range,
        *,
        limit: int | None = None,
        forward: bool = False,
        after: Item | None = None,
        statuses: Sequence[str] = (),
        always: str = "",
    ) -> tuple[list[Item], Item | None]:
        """Read one page (at most 1 MB, at most `limit` items looked at) of a partition, newest first by default.

        `statuses` keeps the items whose `st` is among them, and those of kind `always`. The second value continues.
        """
        if span.low > span.high:
            return [], None
        request: dict[str, Any] = {
            "ConsistentRead": True,
            "ScanIndexForward": forward,
            "KeyConditionExpression": "pk = :pk AND #sort BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#sort": span.sort},
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":low": {"S": span.low}, ":high": {"S": span.high}},
        }
        if statuses:
            _keep(request, statuses, always)
        return self._page(request, Limit=limit, IndexName=span.index or None, ExclusiveStartKey=after)

    def query_index(
        self,
        index: str,
        name: str,
        value: str,
        *,
        up_to: tuple[str, str] | None = None,
        after: Item | None = None,
        limit: int | None = None,
        forward: bool = True,
    ) -> tuple[list[Item], Item | None]:
        """Read one page of a global index: keys alone, eventually consistent, never enough for a decision."""
        condition, values, names = "#hash = :value", {":value": {"S": value}}, {"#hash": name}
        if up_to:
            condition += " AND #range <= :high"
            names["#range"] = up_to[0]
            values[":high"] = {"S": up_to[1]}
        request: dict[str, Any] = {
            "IndexName": index,
            "ScanIndexForward": forward,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return self._page(request, Limit=limit, ExclusiveStartKey=after)

    def _page(self, request: dict[str, Any], **optional: Any) -> tuple[list[Item], Item | None]:
        given = {name: value for name, value in optional.items() if value is not None}
        with unavailable_on_failure():
            answer = self._client().query(TableName=self._name, **request, **given)
        return answer["Items"], answer.get("LastEvaluatedKey")


def _keep(request: dict[str, Any], statuses: Sequence[str], always: str) -> None:
    """Filter by status, all of one kind aside."""
    names = {f":s{n}": {"S": status} for n, status in enumerate(statuses)}
    request["FilterExpression"] = f"st IN ({', '.join(names)})"
    request["ExpressionAttributeValues"] |= names
    if always:
        request["FilterExpression"] += " OR #kind = :always"
        request["ExpressionAttributeNames"]["#kind"] = "kind"
        request["ExpressionAttributeValues"][":always"] = {"S": always}
