"""What the creation of a line of reimbursement writes: the conditional writes of one DynamoDB transaction."""

from collections.abc import Iterator
from typing import Any

from dmp.adapters import reimbursement_items
from dmp.adapters.keyring import Keyring
from dmp.domain.reimbursement import SaveReimbursement


def writes_of(table: str, keyring: Keyring, change: SaveReimbursement) -> Iterator[dict[str, Any]]:
    """The line and its names: none of them may be there, so that no identifier is ever that of two lines."""
    line = change.line
    for item in (reimbursement_items.write_line(line), *reimbursement_items.write_names(keyring, line)):
        yield {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
