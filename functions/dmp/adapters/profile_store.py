"""Reads of the structured profile, each with the head of its record where a decision is to be made."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dmp.adapters import document_items, keys, message_items, profile_items, record_items
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.clinical_profile import Extraction, ProfileEntry, ProfileKind
from dmp.domain.document import DocumentEntry
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.related_person import RelatedPerson

_LAST = "\uffff"
_MOST_READS = 12
"""Further reads of a profile that one did not bring: each stretch that is left gets one of them at least."""
_STRETCHES = (
    *map(keys.profile_entries, (ProfileKind.ALLERGY, ProfileKind.MEDICATION, ProfileKind.CONDITION)),
    keys.EXTRACTIONS,
    *map(keys.profile_entries, (ProfileKind.IMMUNIZATION, ProfileKind.PROCEDURE, ProfileKind.FAMILY_HISTORY)),
    keys.PERSONS,
    keys.profile_entries(ProfileKind.OBSERVATION),
)
"""What a profile consists of, that which matters most first; one read alone brings it in the order of its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one query from the head on brings: 1 MB at most.

    Entries and persons come oldest first, deleted ones too; extractions that of the newest document first. `end` is
    where the read ended, by its sort key, while there is more.
    """

    record: Record
    entries: tuple[ProfileEntry, ...]
    persons: tuple[RelatedPerson, ...]
    extractions: tuple[Extraction, ...]
    end: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether there is no more."""
        return not self.end


class ProfileStore:
    """Entries of the profile, and what documents offer it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def profile(self, record: str) -> Profile:
        """The head and the whole profile: one query; NotFound `no-record`."""
        span = Range(keys.HEAD, keys.PROFILE_END)
        items, more = self._table.query(keys.partition(record), span, forward=True)
        head = next((item for item in items if item["sk"]["S"] == keys.HEAD), None)
        return _profile(_head(head), items, more)

    def fuller(self, profile: Profile) -> Profile:
        """A profile with what its read did not bring: no query where it is whole, else 12 at most.

        They go round all kinds of things in turn, so that many of one kind crowd out none of another.
        """
        if profile.is_whole:
            return profile
        pk = keys.partition(profile.record.id)
        waiting = deque(_left(pk, profile.end))
        found: list[Item] = []
        for _ in range(_MOST_READS):
            if not waiting:
                break
            span, after = waiting.popleft()
            items, more = self._table.query(pk, span, forward=True, after=after)
            found += items
            waiting += [(span, more)] if more else []
        rest = _profile(profile.record, found, None)
        return _joined(profile, replace(rest, end=profile.end if waiting else ""))

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
        """The former versions of an entry, oldest first: one query per MB."""
        prefix = keys.formers(kind, local)
        pk, span = keys.partition(record), Range(prefix, prefix + _LAST)
        found, more = self._table.query(pk, span, forward=True)
        while more:
            items, more = self._table.query(pk, span, forward=True, after=more)
            found += items
        return list(map(profile_items.read_entry, found))

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


def _profile(record: Record, items: Sequence[Item], more: Item | None) -> Profile:
    return Profile(
        record=record,
        entries=tuple(profile_items.read_entry(i) for i in items if _lies(i, keys.PROFILE)),
        persons=tuple(message_items.read_person(i) for i in items if _lies(i, keys.PERSONS)),
        extractions=tuple(profile_items.read_extraction(i) for i in items if _lies(i, keys.EXTRACTIONS)),
        end=more["sk"]["S"] if more else "",
    )


def _left(pk: str, end: str) -> Iterator[tuple[Range, Item | None]]:
    """The stretches behind where a read ended, and where to go on in that in which it did."""
    for prefix in _STRETCHES:
        span = Range(prefix, prefix + _LAST)
        if end < span.high:
            yield span, keys.item_key(pk, end) if end > span.low else None


def _joined(first: Profile, rest: Profile) -> Profile:
    entries = sorted((*first.entries, *rest.entries), key=lambda one: (one.kind, one.local))
    persons = sorted((*first.persons, *rest.persons), key=lambda one: one.local)
    extractions = sorted((*first.extractions, *rest.extractions), key=lambda one: one.local, reverse=True)
    return replace(rest, entries=tuple(entries), persons=tuple(persons), extractions=tuple(extractions))


def _head(item: Item | None) -> Record:
    if item is None:
        raise NotFound("no-record")
    return record_items.read_record(item)


def _lies(item: Item, prefix: str) -> bool:
    return str(item["sk"]["S"]).startswith(prefix)
