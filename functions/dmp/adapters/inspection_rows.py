"""The rows of the trace, its chains and its seals as an inspection reads them: one that is damaged hides no other."""

from collections.abc import Callable, Iterator
from datetime import datetime

from dmp.adapters import keys
from dmp.adapters.chain_store import grown_of, link_of, months_between, seal_of
from dmp.adapters.inspection_items import UNREADABLE
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.identifiers import is_local_id
from dmp.domain.inspection import Broken
from dmp.domain.seal import Link, Seal

_ALL = Range("0", "~")
_NEWEST = 10


class TraceRows:
    """The audit table; whatever cannot be read is told by its sort key."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def entries(self, record: str) -> Iterator[tuple[str, str]]:
        """Local id and stored text of every entry of a record, oldest first; an empty text where there is none."""
        for item in self._items(keys.partition(record), _ALL):
            yield item["sk"]["S"], str(item.get("entry", {}).get("S", ""))

    def newest(self, record: str, before: str, limit: int) -> tuple[list[tuple[str, str]], str | None]:
        """The newest of these, older than `before`, and the id behind which there are more."""
        span = Range(_ALL.low, before or _ALL.high)
        items, more = self._table.query(keys.partition(record), span, limit=limit + bool(before))
        found = [(item["sk"]["S"], str(item.get("entry", {}).get("S", ""))) for item in items]
        left = [one for one in found if one[0] != before][:limit]
        return left, left[-1][0] if more and left else None

    def links(self, record: str) -> Iterator[Link | Broken]:
        """The links of a record's chain, oldest first."""
        for item in self._items(keys.chain(record), _ALL):
            yield _read(item, lambda item: _link(record, item))

    def head_at(self, record: str, number: int) -> str:
        """The head of the chain behind this many entries; empty where no link that can be read ends there."""
        sk = keys.chain_link(number)
        items, _ = self._table.query(keys.chain(record), Range(sk, sk))
        return next((str(item.get("head", {}).get("S", "")) for item in items), "")

    def grown(self, since: datetime, until: datetime) -> Iterator[tuple[str, int, str] | Broken]:
        """Record, number and head of the chains that grew between two moments."""
        span = Range(keys.instant(since), keys.instant(until) + _ALL.high)
        for month in months_between(since, until):
            for shard in range(keys.CHAIN_SHARDS):
                for item in self._items(keys.grown_chains(month, shard), span):
                    yield _read(item, lambda item: grown_of(item)[:3])

    def seals(self, behind: str, limit: int) -> tuple[list[Seal | Broken], str]:
        """The next seals behind a sort key, and behind which to go on; empty where there are no more."""
        items, more = self._table.query(keys.SEALS, Range(behind or _ALL.low, _ALL.high), limit=limit + 1, forward=True)
        items = [item for item in items if item["sk"]["S"] != behind][:limit]
        return [_read(item, seal_of) for item in items], items[-1]["sk"]["S"] if items and more else ""

    def last_seal(self) -> Seal | None:
        """The newest seal that can be read; None where there is none among the last few."""
        items, _ = self._table.query(keys.SEALS, _ALL, limit=_NEWEST)
        return next((one for item in items if not isinstance(one := _read(item, seal_of), Broken)), None)

    def seals_from(self, moment: datetime, limit: int) -> list[Seal | Broken]:
        """The first seals that cover what was chained at a moment."""
        items, _ = self._table.query(keys.SEALS, Range(keys.instant(moment), _ALL.high), limit=limit, forward=True)
        return [_read(item, seal_of) for item in items]

    def _items(self, pk: str, span: Range) -> Iterator[Item]:
        after = None
        while True:
            items, after = self._table.query(pk, span, forward=True, after=after)
            yield from items
            if after is None:
                return


def _link(record: str, item: Item) -> Link:
    link = link_of(record, item)
    bytes.fromhex(link.head)
    if not all(map(is_local_id, link.entries)):
        raise ValueError("a link holds something else than entries")
    return link


def _read[Value](item: Item, read: Callable[[Item], Value]) -> Value | Broken:
    try:
        return read(item)
    except UNREADABLE:
        return Broken(f"{item['pk']['S']} {item['sk']['S']}")
