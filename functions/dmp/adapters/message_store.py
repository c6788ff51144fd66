"""Messages as their readers find them: those of a record, and those addressed to one professional or structure."""

import heapq
from collections.abc import Iterable, Iterator

from dmp.adapters import keys, message_items, record_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.table import Range, Table
from dmp.domain.identifiers import Identifier
from dmp.domain.notification import Message
from dmp.domain.record import Record

_LAST = "\uffff"


class MessageStore:
    """Messages of the records table, newest first."""

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self._table = table
        self._keyring = keyring

    def with_message(self, record: str, local: str) -> tuple[Record | None, Message | None]:
        """The record and one message of it: one call."""
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, keys.message(local)])
        head, item = found.get(keys.HEAD), found.get(keys.message(local))
        return (
            record_items.read_record(head) if head else None,
            message_items.read_message(item) if item else None,
        )

    def page(self, record: str, before: str, limit: int) -> tuple[list[Message], str | None]:
        """At most `limit` messages of a record, older than `before`, and the id after which there are more."""
        span = Range(keys.MESSAGES, keys.message(before or _LAST))
        # one more for `before`, which the range includes
        items, more = self._table.query(keys.partition(record), span, limit=limit + bool(before))
        messages = [m for m in map(message_items.read_message, items) if m.local != before]
        return messages, more["sk"]["S"].removeprefix(keys.MESSAGES) if more else None

    def addressed_to(self, actors: Iterable[Identifier], before: str, page: int) -> Iterator[tuple[str, str, str]]:
        """Place, record and local id of what is addressed to any of these actors; hints only, `page` at a time.

        They begin behind the place `before`; an empty one stands for the newest.
        """
        for place in heapq.merge(*(self._inbox(actor, before, page) for actor in actors), reverse=True):
            local, _, record = place.partition("#")
            yield place, record, local

    def _inbox(self, actor: Identifier, before: str, page: int) -> Iterator[str]:
        inbox, after = keys.inbox(self._keyring.identifier_digest(actor)), None
        while True:
            items, after = self._table.query_index(
                "by-actor", "ga_actor", inbox, up_to=("ga_at", before or _LAST), after=after, limit=page, forward=False
            )
            yield from (place for item in items if (place := item["ga_at"]["S"]) != before)
            if after is None:
                return
