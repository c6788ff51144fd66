"""Reads of the trace of one record, newest first: one query a page."""

from dataclasses import dataclass
from datetime import datetime

from dmp.adapters import audit_items, keys
from dmp.adapters.table import Range, Table
from dmp.domain.audit import AuditEntry
from dmp.domain.identifiers import time_prefix

_FIRST, _LAST = "0", "~"
"""Before and after every local id."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins and ends: entries from `start` on (None: the oldest), before `end`, and older than `before`.

    `before` is the local id of the last entry looked at.
    """

    start: datetime | None = None
    end: datetime | None = None
    before: str = ""


class AuditStore:
    """The audit table, which nobody but the ledger writes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, record: str, local: str) -> AuditEntry | None:
        """One entry."""
        item = self._table.get(keys.item_key(keys.partition(record), local))
        return audit_items.read_entry(item) if item else None

    def page(self, record: str, position: Position, limit: int | None) -> tuple[list[AuditEntry], str | None]:
        """At most `limit` entries (None: as many as 1 MB holds), and the id after which there are more."""
        span = Range(_low(position), _high(position))
        if span.low > span.high:
            return [], None
        # one more for `before`, which the range includes, and one to know whether there is a next page
        wanted = None if limit is None else limit + 1 + bool(position.before)
        items, more = self._table.query(keys.partition(record), span, limit=wanted)
        entries = [audit_items.read_entry(item) for item in items if item["sk"]["S"] != position.before]
        if limit is not None and len(entries) > limit:
            return entries[:limit], entries[limit - 1].local
        return entries, entries[-1].local if more and entries else None

    def newest(self, record: str, before: str, limit: int) -> tuple[list[AuditEntry], str | None]:
        """At most `limit` of the newest entries older than `before`, and the id after which there are more."""
        return self.page(record, Position(before=before), limit)


def _low(position: Position) -> str:
    return time_prefix(position.start) if position.start else _FIRST


def _high(position: Position) -> str:
    """A bare prefix lies before every id of its millisecond, which a window ending within it still includes."""
    end = _LAST
    if position.end:
        end = time_prefix(position.end) + (_LAST if position.end.microsecond % 1000 else "")
    return min(end, position.before or _LAST)
