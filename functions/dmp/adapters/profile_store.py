"""Reads of the structured profile, each with the head of its record where a decision is to be made."""

from dataclasses import dataclass

from dmp.adapters import document_items, keys, message_items, profile_items, record_items
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.clinical_profile import Extraction, ProfileEntry, ProfileKind
from dmp.domain.document import DocumentEntry
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.related_person import RelatedPerson

_LAST = "\uffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one query from the head on brings: 1 MB at most. `is_whole`: there is no more.

    Entries and persons come oldest first, deleted ones too; extractions that of the newest document first.
    """

    record: Record
    entries: tuple[ProfileEntry, ...]
    persons: tuple[RelatedPerson, ...]
    extractions: tuple[Extraction, ...]
    is_whole: bool


class ProfileStore:
    """Entries of the profile, and what documents offer it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def profile(self, record: str) -> Profile:
        """The head and the whole profile: one query; NotFound `no-record`."""
        span = Range(keys.HEAD, keys.PROFILE_END)
        items, more = self._table.query(keys.partition(record), span, forward=True)
        head = next((item for item in items if item["sk"]["S"] == keys.HEAD), None)
        return Profile(
            record=_head(head),
            entries=tuple(profile_items.read_entry(i) for i in items if _lies(i, keys.PROFILE)),
            persons=tuple(message_items.read_person(i) for i in items if _lies(i, keys.PERSONS)),
            extractions=tuple(profile_items.read_extraction(i) for i in items if _lies(i, keys.EXTRACTIONS)),
            is_whole=more is None,
        )

    def with_entry(self, record: str, kind: ProfileKind, local: str) -> tuple[Record, ProfileEntry | None]:
        """The record and one entry of it; NotFound `no-record`."""
        sk = keys.profile_entry(kind, local)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        return _head(found.get(keys.HEAD)), profile_items.read_entry(found[sk]) if sk in found else None

    def with_claim(self, record: str, criterion: str) -> tuple[Record, str]:
        """The record, and the local id of what a conditional create made before; NotFound `no-record`."""
        sk = keys.criterion(criterion)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, sk])
        return _head(found.get(keys.HEAD)), found[sk]["local"]["S"] if sk in found else ""

    def with_extraction(self, record: str, document: str) -> tuple[Record, DocumentEntry | None, Extraction | None]:
        """The record, a document and what it offers; NotFound `no-record`."""
        sks = keys.document(document), keys.extraction(document)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, *sks])
        entry, offered = (found.get(sk) for sk in sks)
        return (
            _head(found.get(keys.HEAD)),
            document_items.read_document(entry) if entry else None,
            profile_items.read_extraction(offered) if offered else None,
        )

    def former(self, record: str, kind: ProfileKind, local: str, version: int) -> ProfileEntry | None:
        """A former version of an entry."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.former(kind, local, version)))
        return profile_items.read_entry(item) if item else None

    def formers(self, record: str, kind: ProfileKind, local: str) -> list[ProfileEntry]:
        """The former versions of an entry, oldest first."""
        prefix = keys.formers(kind, local)
        items, _ = self._table.query(keys.partition(record), Range(prefix, prefix + _LAST), forward=True)
        return list(map(profile_items.read_entry, items))

    def entries(
        self, record: str, kind: ProfileKind, limit: int, before: str = ""
    ) -> tuple[list[ProfileEntry], str | None]:
        """Entries of one kind, newest first, older than `before`: one query. The second value is where to go on."""
        span = Range(keys.profile_entries(kind), keys.profile_entry(kind, before or _LAST))
        items, more = self._table.query(keys.partition(record), span, limit=limit + 1)
        found = map(profile_items.read_entry, items)
        return [one for one in found if one.local != before], more["sk"]["S"].rpartition("#")[2] if more else None

    def all_entries(self, record: str, limit: int, after: str = "") -> tuple[list[ProfileEntry], str | None]:
        """Entries of all kinds, by kind and then the oldest first, behind `after`: one query.

        The second value is where to go on: kind and local id, with a `#` between.
        """
        span = Range(keys.PROFILE + after, keys.PERSONS)
        items, more = self._table.query(keys.partition(record), span, limit=limit + 1, forward=True)
        found = [item for item in items if item["sk"]["S"] != keys.PROFILE + after]
        onward = more["sk"]["S"].removeprefix(keys.PROFILE) if more else None
        return list(map(profile_items.read_entry, found)), onward

    def extractions(self, record: str, limit: int, after: str = "") -> tuple[list[Extraction], str | None]:
        """What documents offer, the newest first, behind that of `after`: one query. The second value goes on."""
        span = Range(keys.extraction(after) if after else keys.EXTRACTIONS, keys.PROFILE_END)
        items, more = self._table.query(keys.partition(record), span, limit=limit + 1, forward=True)
        found = map(profile_items.read_extraction, items)
        following = keys.reversed_order(more["sk"]["S"].rpartition("#")[2]) if more else None
        return [one for one in found if one.local != after], following

    def extraction(self, record: str, document: str) -> Extraction | None:
        """What one document offers."""
        item = self._table.get(keys.item_key(keys.partition(record), keys.extraction(document)))
        return profile_items.read_extraction(item) if item else None


def _head(item: Item | None) -> Record:
    if item is None:
        raise NotFound("no-record")
    return record_items.read_record(item)


def _lies(item: Item, prefix: str) -> bool:
    return str(item["sk"]["S"]).startswith(prefix)
