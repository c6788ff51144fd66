"""Reads of document entries and lists, with the head of their record in the same call (ITI-66, ITI-67, ITI-68)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from dmp.adapters import document_items, identifier_items, keys, profile_items, record_items
from dmp.adapters.keyring import Keyring
from dmp.adapters.record_items import Item
from dmp.adapters.table import Range, Table
from dmp.domain.clinical_profile import DocumentText, ProfileEntry, ProfileKind
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.edition_set import EditionSet
from dmp.domain.identifiers import Identifier
from dmp.domain.record import Record
from dmp.domain.search_terms import Stretch

_FIRST, _LAST = "0", "\uffff"


class DocumentIndex(StrEnum):
    """The local indexes, by the attribute that sorts them."""

    TYPE = "ls_type"
    CLASS = "ls_class"
    UPDATED = "ls_updated"
    STRUCTURE = "ls_structure"
    PERSON = "ls_person"

    @property
    def index_name(self) -> str:
        """The name in the template."""
        return "by-" + self.value.removeprefix("ls_")


def _head(items: Iterable[Item]) -> Record | None:
    return next((record_items.read_record(i) for i in items if i["sk"]["S"] == keys.HEAD), None)


class DocumentStore:
    """Entries and lists of records."""

    def __init__(self, table: Table, keyring: Keyring) -> None:
        self._table = table
        self._keyring = keyring

    def with_document(self, record: str, local: str) -> tuple[Record | None, DocumentEntry | None]:
        """The record and one entry: one call."""
        head, entries = self.with_documents(record, [local])
        return head, entries.get(local)

    def with_documents(self, record: str, locals_: Sequence[str]) -> tuple[Record | None, dict[str, DocumentEntry]]:
        """The record and some of its entries: one call per 100."""
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, *map(keys.document, locals_)])
        head = _head(found.values())
        found.pop(keys.HEAD, None)
        entries = (document_items.read_document(item) for item in found.values())
        return head, {entry.local: entry for entry in entries}

    def with_newest(
        self, record: str, statuses: Sequence[str], limit: int, low: str = ""
    ) -> tuple[Record | None, list[DocumentEntry], str | None]:
        """The record and its newest entries: one query. The third value is where to go on, if there is more."""
        span = Range(keys.document(low), keys.HEAD)
        pk = keys.partition(record)
        items, more = self._table.query(pk, span, limit=limit + 1, statuses=statuses, always="record")
        entries = [document_items.read_document(i) for i in items if i["sk"]["S"] != keys.HEAD]
        return _head(items), entries, _local(more)

    def page(
        self, record: str, statuses: Sequence[str], limit: int, stretch: Stretch
    ) -> tuple[list[DocumentEntry], str | None]:
        """The entries of a stretch of the order of dates: one query. The second value is where to go on."""
        span = Range(keys.document(stretch.begin), keys.document(stretch.end or _LAST))
        items, more = self._query(record, span, stretch, statuses, limit)
        entries = map(document_items.read_document, items)
        return [e for e in entries if e.local != stretch.after], _local(more)

    def index_page(
        self,
        record: str,
        index: DocumentIndex,
        value: str,
        *,
        statuses: Sequence[str],
        limit: int,
        stretch: Stretch,
    ) -> tuple[list[str], str | None]:
        """Local ids with a value in an index, in a stretch of the order of dates: one query, keys alone."""
        low, high = f"{value}#{stretch.begin}", f"{value}#{stretch.end or _LAST}"
        items, more = self._query(record, Range(low, high, index.index_name, index.value), stretch, statuses, limit)
        return [one for one in map(_local, items) if one and one != stretch.after], _local(more)

    def changed(
        self, record: str, *, statuses: Sequence[str], limit: int, stretch: Stretch
    ) -> tuple[list[str], str | None]:
        """Positions in a stretch of the order of changes, each with a local id behind a `#`: one query, keys alone."""
        index = DocumentIndex.UPDATED
        span = Range(stretch.begin or _FIRST, stretch.end or _LAST, index.index_name, index.value)
        items, more = self._query(record, span, stretch, statuses, limit)
        found = [item[index.value]["S"] for item in items]
        return [one for one in found if one != stretch.after], more[index.value]["S"] if more else None

    def _query(
        self, record: str, span: Range, stretch: Stretch, statuses: Sequence[str], limit: int
    ) -> tuple[list[Item], Item | None]:
        pk, forward = keys.partition(record), not stretch.order.descends
        return self._table.query(pk, span, limit=limit + 1, statuses=statuses, forward=forward)

    def identified(self, record: str, identifier: Identifier) -> list[str]:
        """Local ids of the entries that carry an identifier, as unique id or otherwise."""
        pk = keys.partition(record)
        claim = self._table.get(keys.item_key(pk, keys.unique_id(self._keyring.unique_id_digest(identifier))))
        prefix = f"{keys.IDENTIFIERS}{self._keyring.identifier_digest(identifier)}#"
        items, _ = self._table.query(pk, Range(prefix, prefix + _LAST))
        found = [local for item in ([claim] if claim else []) + items for local in identifier_items.locals_of(item)]
        return list(dict.fromkeys(found))

    def editions(self, record: str, keeper: Identifier, sets: Sequence[Identifier]) -> dict[Identifier, EditionSet]:
        """What one keeper fed of each of these sets, of those too of which nothing is there: one call per 100."""
        sks = {one: identifier_items.edition_key(self._keyring, record, one, keeper)["sk"]["S"] for one in sets}
        found = self._table.batch_get(keys.partition(record), list(sks.values()))
        return {
            one: identifier_items.read_editions(found.get(sk), EditionSet(record=record, set=one, keeper=keeper))
            for one, sk in sks.items()
        }

    def with_text(self, record: str, local: str) -> tuple[Record | None, DocumentEntry | None, DocumentText | None]:
        """The record, one entry and the words of its document: one call."""
        document, text = keys.document(local), keys.document_text(local)
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, document, text])
        entry = document_items.read_document(found[document]) if document in found else None
        return _head(found.values()), entry, profile_items.read_text(found[text]) if text in found else None

    def texts(self, record: str, locals_: Sequence[str]) -> dict[str, DocumentText]:
        """The words of some documents, by their local ids: one call per 100."""
        found = self._table.batch_get(keys.partition(record), list(map(keys.document_text, locals_)))
        return {text.local: text for text in map(profile_items.read_text, found.values())}

    def texts_page(self, record: str, stretch: Stretch) -> tuple[list[DocumentText], str | None]:
        """The words of the documents of a stretch of the order of dates: one query, 1 MB. It goes on as `page`."""
        span = Range(keys.document_text(stretch.begin), keys.document_text(stretch.end or _LAST))
        pk, forward = keys.partition(record), not stretch.order.descends
        items, more = self._table.query(pk, span, forward=forward)
        return [one for one in map(profile_items.read_text, items) if one.local != stretch.after], _local(more)

    def profile_entries(self, record: str, names: Iterable[tuple[ProfileKind, str]]) -> dict[str, ProfileEntry]:
        """Some entries of the structured profile, by their local ids: one call per 100."""
        found = self._table.batch_get(keys.partition(record), [keys.profile_entry(*name) for name in names])
        return {entry.local: entry for entry in map(profile_items.read_entry, found.values())}

    def candidates(self, identifier: Identifier, limit: int) -> list[tuple[str, str]]:
        """Record and local id of whatever carries an identifier, in any record; hints only."""
        digests = {self._keyring.unique_id_digest(identifier), self._keyring.identifier_digest(identifier)}
        found = [
            (keys.record_of(item["pk"]["S"]), local)
            for digest in sorted(digests)
            for item in self._table.query_index("by-identifier", "gi_ident", digest, limit=limit)[0]
            for local in identifier_items.locals_of(item)
        ]
        return list(dict.fromkeys(found))

    def former_documents(self, record: str, local: str) -> list[DocumentEntry]:
        """The former versions of an entry, oldest first."""
        prefix = keys.formers("DocumentReference", local)
        items, _ = self._table.query(keys.partition(record), Range(prefix, prefix + _LAST), forward=True)
        return [document_items.read_document(item) for item in items]

    def with_list(self, record: str, local: str) -> tuple[Record | None, ListEntry | None]:
        """The record and one list of it."""
        found = self._table.batch_get(keys.partition(record), [keys.HEAD, keys.document_list(local)])
        item = found.get(keys.document_list(local))
        return _head(found.values()), document_items.read_list(item) if item else None

    def lists_page(
        self, record: str, limit: int, stretch: Stretch, statuses: Sequence[str] = ()
    ) -> tuple[list[ListEntry], str | None]:
        """The lists of a stretch of the order of dates: one query. The second value is where to go on."""
        span = Range(keys.document_list(stretch.begin), keys.document_list(stretch.end or _LAST))
        items, more = self._query(record, span, stretch, statuses, limit)
        return [e for e in map(document_items.read_list, items) if e.local != stretch.after], _local(more)

    def former_lists(self, record: str, local: str) -> list[ListEntry]:
        """The former versions of a list, oldest first."""
        prefix = keys.formers("List", local)
        items, _ = self._table.query(keys.partition(record), Range(prefix, prefix + _LAST), forward=True)
        return list(map(document_items.read_list, items))

    def lists(self, record: str, locals_: Sequence[str]) -> dict[str, ListEntry]:
        """Some lists of a record, by their local ids: one call per 100."""
        found = self._table.batch_get(keys.partition(record), [keys.document_list(local) for local in locals_])
        return {entry.local: entry for entry in map(document_items.read_list, found.values())}


def _local(key: Item | None) -> str | None:
    return key["sk"]["S"].partition("#")[2] if key else None
