"""The chains of the trace, beside it in the audit table: links, the heads that changed, and where the seals lie.

Nothing of it is ever changed: a link, a head and a seal are put where nothing is.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dmp.adapters import keys
from dmp.adapters.aws import unavailable_on_failure
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.seal import Link, Seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.client import DynamoDBClient


class ChainStore:
    """Links, heads and seals."""

    def __init__(self, table: Table, client: "Callable[[], DynamoDBClient]", name: str) -> None:
        self._table = table
        self._client = client
        self._name = name

    def newest_entries(self, record: str, most: int) -> tuple[dict[str, str], bool]:
        """The stored texts of the newest entries by their local ids, about `most` characters; whether these are all."""
        found: dict[str, str] = {}
        after = None
        while True:
            items, after = self._table.query(keys.partition(record), Range("0", "~"), after=after)
            for item in items:
                found[item["sk"]["S"]] = item["entry"]["S"]
                most -= len(item["entry"]["S"])
                if most < 0:
                    return found, False
            if after is None:
                return found, True

    def all_entries(self, record: str) -> Iterator[tuple[str, str]]:
        """Local id and stored text of every entry of a record, oldest first."""
        after = None
        while True:
            items, after = self._table.query(keys.partition(record), Range("0", "~"), forward=True, after=after)
            yield from ((item["sk"]["S"], item["entry"]["S"]) for item in items)
            if after is None:
                return

    def links(self, record: str, *, newest_first: bool = False) -> Iterator[Link]:
        """The links of a record's chain."""
        after = None
        while True:
            span = Range("0", "~")
            items, after = self._table.query(keys.chain(record), span, forward=not newest_first, after=after)
            yield from (link_of(record, item) for item in items)
            if after is None:
                return

    def head_at(self, record: str, number: int) -> str | None:
        """The head of the chain behind this many entries, where a link ends there."""
        item = self._table.get(keys.item_key(keys.chain(record), keys.chain_link(number)))
        return str(item["head"]["S"]) if item else None

    def is_linked(self, link: Link) -> bool:
        """Put a link behind the others, and its head among those to be sealed; False where another was quicker."""
        item = keys.item_key(keys.chain(link.record), keys.chain_link(link.number)) | {
            "entries": {"S": json.dumps(link.entries)},
            "head": {"S": link.head},
            "at": {"S": keys.instant(link.at)},
        }
        changed = keys.item_key(_changed(link.at, link.record), f"{keys.instant(link.at)}#{link.record}#{link.number}")
        changed |= {"record": {"S": link.record}, "number": {"N": str(link.number)}, "head": {"S": link.head}}
        return self._are_put(item, changed)

    def changed(self, since: datetime, until: datetime) -> Iterator[tuple[str, int, str, datetime]]:
        """Record, number and head of the chains that grew between two moments, and when they did."""
        for month in months_between(since, until):
            for shard in range(keys.CHAIN_SHARDS):
                yield from self._changed(keys.grown_chains(month, shard), since, until)

    def _changed(self, pk: str, since: datetime, until: datetime) -> Iterator[tuple[str, int, str, datetime]]:
        after = None
        while True:
            span = Range(keys.instant(since), keys.instant(until))
            items, after = self._table.query(pk, span, forward=True, after=after)
            yield from map(grown_of, items)
            if after is None:
                return

    def last_seal(self) -> Seal | None:
        """The newest seal."""
        items, _ = self._table.query(keys.SEALS, Range("0", "~"), limit=1)
        return seal_of(items[0]) if items else None

    def seals_from(self, moment: datetime, limit: int) -> list[Seal]:
        """The first seals that cover what was chained at a moment."""
        items, _ = self._table.query(keys.SEALS, Range(keys.instant(moment), "~"), limit=limit, forward=True)
        return list(map(seal_of, items))

    def keep_seal(self, seal: Seal) -> None:
        """Say where a seal lies."""
        item = keys.item_key(keys.SEALS, keys.instant(seal.until))
        told = {"number": {"N": str(seal.number)}, "text": {"S": seal.text}, "signature": {"S": seal.signature}}
        self._are_put(item | told)

    def _are_put(self, *items: Item) -> bool:
        """Put all these items where nothing is, or none of them."""
        never = "attribute_not_exists(pk)"
        puts = [{"Put": {"TableName": self._name, "Item": one, "ConditionExpression": never}} for one in items]
        with unavailable_on_failure():
            try:
                self._client().transact_write_items(TransactItems=puts)  # type: ignore[arg-type]
            except ClientError as failure:
                reasons = failure.response.get("CancellationReasons", [])
                if not any(one.get("Code") == "ConditionalCheckFailed" for one in reasons):
                    raise
                return False
        return True


def _changed(at: datetime, record: str) -> str:
    return keys.grown_chains(keys.instant(at)[:7], keys.shard(record, keys.CHAIN_SHARDS))


def months_between(since: datetime, until: datetime) -> list[str]:
    """The months (`YYYY-MM`) from one moment to another."""
    year, month = since.year, since.month
    found = []
    while (year, month) <= (until.year, until.month):
        found.append(f"{year:04d}-{month:02d}")
        year, month = (year + month // 12, month % 12 + 1)
    return found


def grown_of(item: Mapping[str, Any]) -> tuple[str, int, str, datetime]:
    """Record, number, head and moment of growth of a chain that is to be sealed, from its item."""
    at = datetime.fromisoformat(item["sk"]["S"].partition("#")[0])
    return item["record"]["S"], int(item["number"]["N"]), item["head"]["S"], at


def link_of(record: str, item: Mapping[str, Any]) -> Link:
    """A link from its item."""
    return Link(
        record=record,
        number=int(item["sk"]["S"]),
        entries=tuple(json.loads(item["entries"]["S"])),
        head=item["head"]["S"],
        at=datetime.fromisoformat(item["at"]["S"]),
    )


def seal_of(item: Mapping[str, Any]) -> Seal:
    """A seal from its item."""
    return Seal(
        number=int(item["number"]["N"]),
        until=datetime.fromisoformat(item["sk"]["S"]),
        text=item["text"]["S"],
        signature=item["signature"]["S"],
    )
