"""Reads of RelatedPersons, each with the head of its record where a decision is to be made."""

from collections.abc import Iterator

from dmp.adapters import keys, message_items, record_items
from dmp.adapters.table import Range, Table
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.related_person import RelatedPerson

_LAST = "\uffff"
_PAGE = 100


class PersonStore:
    """RelatedPersons of the records table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def person(self, record: str, local: str) -> RelatedPerson | None:
        """One person of a record, deleted ones too."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.related_person(local)))
        return message_items.read_person(item) if item else None

    def with_person(self, record: str, local: str) -> tuple[Record, RelatedPerson | None]:
        """The record and one person of it; NotFound `no-record`."""
        sk = keys.related_person(local)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        if keys.HEAD not in found:
            raise NotFound("no-record")
        person = message_items.read_person(found[sk]) if sk in found else None
        return record_items.read_record(found[keys.HEAD]), person

    def persons(self, record: str, before: str = "") -> Iterator[RelatedPerson]:
        """The persons of a record, newest first, older than `before`; read as far as they are asked for."""
        span, after = Range(keys.PERSONS, keys.related_person(before or _LAST)), None
        while True:
            items, after = self._table.query(keys.partition(record), span, limit=_PAGE, after=after)
            yield from (p for p in map(message_items.read_person, items) if p.local != before)
            if after is None:
                return

    def former(self, record: str, local: str, version: int) -> RelatedPerson | None:
        """A former version of a person."""
        sk = keys.former("RelatedPerson", local, version)
        item = self._table.get(keys.item_key(keys.partition(record), sk))
        return message_items.read_person(item) if item else None
