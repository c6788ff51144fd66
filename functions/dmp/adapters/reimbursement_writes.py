"""What the creation of a line of reimbursement writes: the conditional writes of one DynamoDB transaction."""

from collections.abc import Iterator
from typing import Any

from dmp.adapters import reimbursement_items
from dmp.adapters.keyring import Keyring
from dmp.domain.reimbursement import SaveReimbursement

_ABSENT = "attribute_not_exists(pk)"


def writes_of(table: str, keyring: Keyring, change: SaveReimbursement) -> Iterator[dict[str, Any]]:
    """The line and its names: none may be there but of a line shown no more, so that a name is never that of two."""
    line = change.line
    yield _put(table, reimbursement_items.write_line(line))
    for name, item in zip(line.names, reimbursement_items.write_names(keyring, line), strict=True):
        yield _put(table, item, change.previous.get(name, ""))


def _put(table: str, item: dict[str, Any], previous: str = "") -> dict[str, Any]:
    """An item that is not there, or leads to the line of that local id."""
    if not previous:
        return {"Put": {"TableName": table, "Item": item, "ConditionExpression": _ABSENT}}
    taken = {
        "ConditionExpression": f"{_ABSENT} OR #local = :previous",
        "ExpressionAttributeNames": {"#local": "local"},
        "ExpressionAttributeValues": {":previous": {"S": previous}},
    }
    return {"Put": {"TableName": table, "Item": item, **taken}}
