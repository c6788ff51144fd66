"""Reads of the whole records table, page by page, for the operator's inspection: the only place that scans."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dmp.adapters import inspection_items, keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.keyring import Keyring
from dmp.adapters.table import Range, Table
from dmp.domain.document import DocumentEntry
from dmp.domain.identifiers import Identifier
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
    broken: tuple[str, ...]
    """Items of an INS that lead to no record at all."""
    after: dict[str, Any] | None


class InspectionStore:
    """All records. No index leads to every one of them: a scan does, and no request of anybody waits for it."""

    def __init__(self, client: "Callable[[], DynamoDBClient]", table_name: str, keyring: Keyring) -> None:
        self._client = client
        self._name = table_name
        self._keyring = keyring
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
        led_to = {item["pk"]["S"]: inspection_items.record_led_to(item) for item in page["Items"]}
        return RecordsPage(
            records=tuple(found),
            led_to=tuple(record for record in led_to.values() if record),
            broken=tuple(f"{pk} INS" for pk, record in led_to.items() if record == ""),
            after=page.get("LastEvaluatedKey"),
        )

    def holdings(self, record: str) -> Iterator[tuple[Holding, int]]:
        """What each item of a record is, and its size."""
        after = None
        while True:
            items, after = self._table.query(keys.partition(record), _EVERYTHING, forward=True, after=after)
            for item in items:
                yield inspection_items.holding_of(item, self._keyring.identifier_digest), inspection_items.size_of(item)
            if after is None:
                return

    def existing(self, records: Sequence[str]) -> set[str]:
        """Those of these records that have a head."""
        found = self._table.get_all([keys.item_key(keys.partition(record), keys.HEAD) for record in records])
        return {keys.record_of(item["pk"]["S"]) for item in found}

    def led_to_by(self, ins: Identifier) -> str:
        """The record that an INS leads to; empty where it leads nowhere."""
        found = self._table.get_all([keys.ins(self._keyring.ins_digest(ins))])
        return next((inspection_items.record_led_to(item) or "" for item in found), "")

    def documents(self, places: Sequence[Place]) -> dict[tuple[str, str], DocumentEntry | None]:
        """The entries of the documents that lie there, by record and local id; None for what cannot be read."""
        wanted = {keys.document(one.local): one.local for one in places}
        items = self._table.get_all(
            [keys.item_key(keys.partition(one.record), keys.document(one.local)) for one in places]
        )
        return {
            (keys.record_of(item["pk"]["S"]), wanted[item["sk"]["S"]]): inspection_items.document_of(item)
            for item in items
        }

    def exports(self, ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these exports that are known, by record and local id."""
        found = self._table.get_all(
            [keys.item_key(keys.partition(record), keys.export(local)) for record, local in ids]
        )
        return {(keys.record_of(item["pk"]["S"]), item["sk"]["S"].removeprefix(keys.EXPORTS)) for item in found}

    def overdue(self, kind: keys.Due, month: datetime, now: datetime, most: int) -> int:
        """How many things of a kind and month are due, as far as `most` a shard."""
        number = 0
        for shard in range(keys.EXPIRY_SHARDS):
            value, up_to = keys.due_month(kind, month, shard), ("gx_at", keys.instant(now) + "~")
            number += len(self._table.query_index("by-expiry", "gx_month", value, up_to=up_to, limit=most)[0])
        return number
