"""Reads of Subscriptions, and the changes of documents that they are about, out of the stream of the records table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmp.adapters import keys, message_items, record_items
from dmp.adapters.table import Range, Table
from dmp.domain.record import Record
from dmp.domain.subscription import Subscription

_LAST = "\uffff"


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document entry came to be in a version; `name` is the stream's for this change."""

    record: str
    local: str
    version: int
    name: str


def document_change(change: Mapping[str, Any]) -> DocumentChange | None:
    """The new version of a document entry that a change of the stream brought; None for any other change."""
    image, former = change["dynamodb"].get("NewImage", {}), change["dynamodb"].get("OldImage", {})
    sk = image.get("sk", {}).get("S", "")
    if not sk.startswith(keys.DOCUMENTS) or image["v"] == former.get("v"):
        return None
    record = keys.record_of(image["pk"]["S"])
    return DocumentChange(record, sk.removeprefix(keys.DOCUMENTS), int(image["v"]["N"]), change["eventID"])


class SubscriptionStore:
    """Subscriptions of the records table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def with_subscription(self, record: str, local: str) -> tuple[Record | None, Subscription | None]:
        """The record and one Subscription of it: one call."""
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, keys.subscription(local)])
        head, item = found.get(keys.HEAD), found.get(keys.subscription(local))
        return (
            record_items.read_record(head) if head else None,
            message_items.read_subscription(item) if item else None,
        )

    def of_record(self, record: str) -> list[Subscription]:
        """Every Subscription of a record, oldest first, whatever its status: one query."""
        span = Range(keys.SUBSCRIPTIONS, keys.subscription(_LAST))
        items, _ = self._table.query(keys.partition(record), span, forward=True)
        return [message_items.read_subscription(item) for item in items]
