"""Reads of the index of things due: what a job finds to do."""

from collections.abc import Iterator
from datetime import datetime

from dmp.adapters import keys
from dmp.adapters.table import Table

_PAGE = 100
"""Keys that one read brings: memory stays bounded, whatever there is."""


def due(table: Table, kind: keys.Due, month: datetime, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
    """Record and sort key of what is due in a month and shard, the longest due first; hints only."""
    value, after = keys.due_month(kind, month, shard), None
    while True:
        items, after = table.query_index(
            "by-expiry", "gx_month", value, up_to=("gx_at", keys.instant(now) + "~"), after=after, limit=_PAGE
        )
        for item in items:
            yield keys.record_of(item["pk"]["S"]), item["sk"]["S"]
        if after is None:
            return
