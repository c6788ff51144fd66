"""The documents of a record as a search reads them: chunk by chunk, in order, by the index that serves it best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import DocumentQuery
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind
from dmp.domain.search_terms import is_beyond

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore

    type Source = tuple[DocumentIndex, str]

SLACK = 5
"""Entries read beyond a page, so that a few that are not visible cost no second query."""
LARGE = 99
"""Entries that are read at once behind the first page: with the head, what one batch get brings."""
MOST_READ = 400
"""Entries that one page may read: about 1 MB."""
_MOST_CHANGED = 400
"""Changes that are looked through by their keys, before the whole record is."""
_MOST_LOOKED_UP = 10
"""Identifiers, types or classes that are each looked up in an index; for more, the record is looked through."""
_ALL = 10_000
"""Keys that one query of an index may bring: about 1 MB."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some entries in order; `last` is the position behind which reading goes on, None at the end.

    `looked_at` counts the entries that were read for it, filtered out or not. `is_told`: the words that are asked for
    are in what they say.
    """

    entries: Sequence[DocumentEntry]
    last: str | None
    looked_at: int
    is_told: bool = False


type _Read = tuple[Record | None, Chunk]


class DocumentChunks:
    """Reads what a query asks, and sometimes more: the query itself decides what matches."""

    def __init__(self, records: "RecordStore", documents: "DocumentStore", indexes: "type[DocumentIndex]") -> None:
        self._records = records
        self._documents = documents
        self._index = indexes

    def read(self, record_id: str, query: DocumentQuery) -> tuple[Record | None, Iterator[Chunk]]:
        """The head with what is read first anyway, and the chunks, which are read as they are asked for."""
        chunks = self._chunks(record_id, query)
        record, first = next(chunks)
        return record, chain([first], (chunk for _, chunk in chunks))

    def own(self, record_id: str, query: DocumentQuery, requester: Requester) -> Iterator[Chunk]:
        """The documents that the caller deposited, by person and by structure."""
        sources = self._deposits(requester)
        if not query.statuses or not sources:
            return
        chunks = self._own_by_change if query.order.is_by_change else self._merged
        yield from (chunk for _, chunk in chunks(record_id, sources, query))

    def owns(self, record_id: str, query: DocumentQuery, requester: Requester) -> bool:
        """Whether the caller deposited anything that such a search may find."""
        return any(True for source in self._deposits(requester) for _ in self._all_of(record_id, source, query, LARGE))

    def _chunks(self, record_id: str, query: DocumentQuery) -> Iterator[_Read]:
        if not query.statuses:
            return iter([(self._records.head(record_id), Chunk((), None, 0))])
        if query.ids or 0 < len(query.indexed_identifiers) <= _MOST_LOOKED_UP:
            return iter([self._loaded(record_id, self._named(record_id, query), query, None, 0)])
        if query.order.is_by_change:
            return self._by_change(record_id, query)
        changed = self._changed(record_id, query)
        if changed is not None:
            return self._listed(record_id, [(local, local) for local in changed], query)
        if query.words:
            return self._told(record_id, query)
        sources = self._sources(query)
        return self._merged(record_id, sources, query) if sources else self._plain(record_id, query)

    def _named(self, record_id: str, query: DocumentQuery) -> list[str]:
        """Local ids of all that can be meant by ids, else by identifiers."""
        if query.ids:
            ids = (one.partition(".") for one in query.ids[0])
            return [local for held, _, local in ids if held == record_id and local]
        return [hit for one in query.indexed_identifiers for hit in self._documents.identified(record_id, one)]

    def _plain(self, record_id: str, query: DocumentQuery) -> Iterator[_Read]:
        """In the order of dates; the head lies beside the newest."""
        stretch, statuses = query.stretch, _statuses(query)
        limit = query.count + SLACK
        if stretch.order.descends and not stretch.end:
            record, entries, last = self._documents.with_newest(record_id, statuses, limit, stretch.begin)
        else:
            record = self._records.head(record_id)
            entries, last = self._documents.page(record_id, statuses, limit, stretch) if record else ([], None)
        yield record, Chunk(entries, last, limit if last else len(entries))
        while last is not None:
            entries, last = self._documents.page(record_id, statuses, LARGE, stretch.behind(last))
            yield record, Chunk(entries, last, LARGE if last else len(entries))

    def _told(self, record_id: str, query: DocumentQuery) -> Iterator[_Read]:
        """In the order of dates, the documents that hold the words: their texts first, 1 MB; of entries those alone."""
        last: str | None = query.after
        while last is not None:
            texts, last = self._documents.texts_page(record_id, query.stretch.behind(last))
            hits = [(text.local, text.local) for text in texts if query.is_told_by(text)]
            for record, chunk in self._listed(record_id, hits, query):
                looked_at = chunk.looked_at if chunk.last else MOST_READ
                yield record, replace(chunk, last=chunk.last or last, looked_at=looked_at, is_told=True)

    def _changed(self, record_id: str, query: DocumentQuery) -> list[str] | None:
        """Local ids of what has changed since the query says, in its order; None where it does not, or too much has."""
        if query.changed_since is None:
            return None
        since = replace(query, order=query.order.by_change, after="").stretch
        found, more = self._documents.changed(record_id, statuses=_statuses(query), limit=_MOST_CHANGED, stretch=since)
        stretch = query.stretch
        within = [one for one in map(_local, found) if one >= stretch.begin and one < (stretch.end or "~")]
        wanted = [one for one in within if one != stretch.after]
        return None if more else sorted(wanted, reverse=query.order.descends)

    def _by_change(self, record_id: str, query: DocumentQuery) -> Iterator[_Read]:
        """In the order of changes."""
        last: str | None = query.after
        limit = query.count + SLACK
        while last is not None:
            stretch = query.stretch.behind(last)
            found, last = self._documents.changed(record_id, statuses=_statuses(query), limit=limit, stretch=stretch)
            yield self._loaded(record_id, list(map(_local, found)), query, last, limit if last else 0)
            limit = LARGE

    def _own_by_change(self, record_id: str, sources: "Sequence[Source]", query: DocumentQuery) -> Iterator[_Read]:
        """Own documents in the order of changes: found by their keys, so that nothing is told of all the others."""
        in_dates = replace(query, order=query.order.by_date, after="")
        own = {one for source in sources for one in self._all_of(record_id, source, in_dates, _ALL)}
        found: list[tuple[str, str]] = []
        last: str | None = query.after
        while last is not None:
            stretch = query.stretch.behind(last)
            page, last = self._documents.changed(record_id, statuses=_statuses(query), limit=_ALL, stretch=stretch)
            found += [(one, _local(one)) for one in page if _local(one) in own]
        return self._listed(record_id, found, query)

    def _all_of(self, record_id: str, source: "Source", query: DocumentQuery, limit: int) -> Iterator[str]:
        """Local ids, page by page as long as they are asked for; of a page, none may be of the wanted status."""
        last: str | None = ""
        while last is not None:
            found, last = self._page_of(record_id, source, replace(query, after=last), limit)
            yield from found

    def _listed(self, record_id: str, found: Sequence[tuple[str, str]], query: DocumentQuery) -> Iterator[_Read]:
        """What is known by position and local id, as far as it is asked for."""
        begin, size = 0, min(query.count + SLACK, LARGE)
        while begin == 0 or begin < len(found):
            part = found[begin : begin + size]
            begin, size = begin + size, LARGE
            last = part[-1][0] if begin < len(found) else None
            yield self._loaded(record_id, [local for _, local in part], query, last, len(part))

    def _sources(self, query: DocumentQuery) -> "list[Source]":
        """The values of an index that together find all that can match: of types, else of classes; few, or none."""
        if 0 < len(query.indexed_types) <= _MOST_LOOKED_UP:
            return [(self._index.TYPE, code) for code in query.indexed_types]
        classes = query.indexed_classes
        return [(self._index.CLASS, code) for code in classes] if len(classes) <= _MOST_LOOKED_UP else []

    def _deposits(self, requester: Requester) -> "list[Source]":
        """The values of indexes that find what the caller deposited."""
        sources = [(self._index.STRUCTURE, requester.structure.value)] if requester.structure else []
        if requester.kind is RequesterKind.PROFESSIONAL:
            sources.append((self._index.PERSON, requester.identifier.value))
        return sources

    def _merged(self, record_id: str, sources: "Sequence[Source]", query: DocumentQuery) -> Iterator[_Read]:
        """The hits of several values of indexes, in the order of dates; none beyond where the first of them stops."""
        after: str | None = query.after
        limit = query.count + SLACK
        while after is not None:
            onward = replace(query, after=after)
            pages = [self._page_of(record_id, source, onward, limit) for source in sources]
            stops = [last for _, last in pages if last]
            stop = (max if query.order.descends else min)(stops, default=None)
            hits = dict.fromkeys(hit for found, _ in pages for hit in found)
            wanted = [hit for hit in hits if stop is None or not is_beyond(query.order, hit, stop)]
            yield self._loaded(record_id, wanted, query, stop, limit * len(stops))
            after, limit = stop, LARGE

    def _page_of(
        self, record_id: str, source: "Source", query: DocumentQuery, limit: int
    ) -> tuple[list[str], str | None]:
        index, value = source
        return self._documents.index_page(
            record_id, index, value, statuses=_statuses(query), limit=limit, stretch=query.stretch
        )

    def _loaded(
        self, record_id: str, hits: Sequence[str], query: DocumentQuery, last: str | None, looked_at: int
    ) -> _Read:
        record, entries = self._documents.with_documents(record_id, hits)
        ordered = sorted(entries.values(), key=query.position, reverse=query.order.descends)
        return record, Chunk(ordered, last, looked_at)


def _statuses(query: DocumentQuery) -> list[str]:
    return [status.value for status in query.statuses]


def _local(position: str) -> str:
    return position.rpartition("#")[2]
