"""What each change of what an INS leads to writes: the conditional writes of one DynamoDB transaction."""

from collections.abc import Iterator
from typing import Any

from dmp.adapters import keys, record_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item
from dmp.domain.changes import InsChange, LiftOpposition, LinkIns, NotOpposed, Oppose, UnlinkIns

type Write = dict[str, Any]


def writes_of(table: str, keyring: Keyring, change: InsChange) -> Iterator[Write]:
    """The writes of one change, each with its condition."""
    digest = keyring.ins_digest(change.ins)
    match change:
        case LinkIns(record=record):
            item = keys.ins(digest) | {"record": {"S": record}}
            yield {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
        case Oppose(by=by, previous=previous):
            item = keys.opposition(digest) | {"opposed_by": {"S": by.value}}
            yield {"Put": {"TableName": table, "Item": item} | record_items.still_opposed_by(previous)}
            yield _absent(table, keys.ins(digest))
        case LiftOpposition(previous=previous):
            delete = {"TableName": table, "Key": keys.opposition(digest)}
            yield {"Delete": delete | record_items.still_opposed_by(previous)}
        case NotOpposed():
            yield _absent(table, keys.opposition(digest))
        case UnlinkIns(record=record):
            yield _unlinked(table, keys.ins(digest), record)


def _unlinked(table: str, key: Item, record: str) -> Write:
    return {
        "Delete": {
            "TableName": table,
            "Key": key,
            "ConditionExpression": "attribute_not_exists(pk) OR #record = :record",
            "ExpressionAttributeNames": {"#record": "record"},
            "ExpressionAttributeValues": {":record": {"S": record}},
        }
    }


def _absent(table: str, key: Item) -> Write:
    return {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(pk)"}}
