"""Reads of the whole records table, page by page, for the operator's inspection: the only place that scans."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp.adapters import document_items, inspection_items, keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.table import Range, Table
from dmp.domain.document import DocumentEntry
from dmp.domain.inspection import Holding
from dmp.domain.upload import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_EVERYTHING = Range(" ", "\uffff")
_ITEMS_A_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """The records that a page of the table tells of, those to which an INS leads, and where to go on."""

    records: tuple[str, ...]
    led_to: tuple[str, ...]
    after: dict[str, Any] | None


class InspectionStore:
    """All records. No index leads to every one of them: a scan does, and no request of anybody waits for it."""

    def __init__(self, client: "Callable[[], DynamoDBClient]", table_name: str) -> None:
        self._client = client
        self._name = table_name
        self._table = Table(client, table_name)

    def records(self, after: dict[str, Any] | None, segment: int, segments: int) -> RecordsPage:
        """The records of the next page of a segment of the table."""
        going_on = {"ExclusiveStartKey": after} if after else {}
        with unavailable_on_failure():
            page = self._client().scan(
                TableName=self._name,
                ConsistentRead=True,
                ProjectionExpression="pk, sk, #record",
                ExpressionAttributeNames={"#record": "record"},
                Limit=_ITEMS_A_PAGE,
                Segment=segment,
                TotalSegments=segments,
                **going_on,  # type: ignore[arg-type]
            )
        found = dict.fromkeys(
            keys.record_of(item["pk"]["S"]) for item in page["Items"] if inspection_items.is_of_record(item)
        )
        led_to = [record for item in page["Items"] if (record := inspection_items.record_led_to(item))]
        return RecordsPage(tuple(found), tuple(led_to), page.get("LastEvaluatedKey"))

    def holdings(self, record: str) -> Iterator[tuple[Holding, int]]:
        """What each item of a record is, and its size."""
        after = None
        while True:
            items, after = self._table.query(keys.partition(record), _EVERYTHING, forward=True, after=after)
            yield from ((inspection_items.holding_of(item), inspection_items.size_of(item)) for item in items)
            if after is None:
                return

    def existing(self, records: Sequence[str]) -> set[str]:
        """Those of these records that have a head."""
        found = self._table.get_all([keys.item_key(keys.partition(record), keys.HEAD) for record in records])
        return {keys.record_of(item["pk"]["S"]) for item in found}

    def documents(self, places: Sequence[Place]) -> dict[tuple[str, str], DocumentEntry]:
        """The entries of the documents that lie there, by record and local id."""
        wanted = [keys.item_key(keys.partition(one.record), keys.document(one.local)) for one in places]
        entries = map(document_items.read_document, self._table.get_all(wanted))
        return {(entry.record, entry.local): entry for entry in entries}

    def exports(self, ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these exports that are known, by record and local id."""
        found = self._table.get_all(
            [keys.item_key(keys.partition(record), keys.export(local)) for record, local in ids]
        )
        return {(keys.record_of(item["pk"]["S"]), item["local"]["S"]) for item in found}

    def overdue(self, kind: keys.Due, month: datetime, now: datetime, most: int) -> int:
        """How many things of a kind and month are due, as far as `most` a shard."""
        number = 0
        for shard in range(keys.EXPIRY_SHARDS):
            value, up_to = keys.due_month(kind, month, shard), ("gx_at", keys.instant(now) + "~")
            number += len(self._table.query_index("by-expiry", "gx_month", value, up_to=up_to, limit=most)[0])
        return number
