"""The documents of a record as a search reads them: chunk by chunk, newest first, by the index that serves it best."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import DocumentQuery
from dmp.domain.record import Record
from dmp.domain.requester import Requester, RequesterKind

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore

    type Source = tuple[DocumentIndex, str]

_SLACK = 5
"""Entries read beyond a page, so that a few that are not visible cost no second query."""
_LARGE = 100


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some entries, newest first; `last` is the local id behind which reading goes on, None at the end.

    `looked_at` counts the entries that were read for it, filtered out or not.
    """

    entries: Sequence[DocumentEntry]
    last: str | None
    looked_at: int


class DocumentChunks:
    """Reads what a query asks, and sometimes more: the query itself decides what matches."""

    def __init__(self, records: "RecordStore", documents: "DocumentStore", indexes: "type[DocumentIndex]") -> None:
        self._records = records
        self._documents = documents
        self._index = indexes

    def first(self, record_id: str, query: DocumentQuery) -> tuple[Record | None, Chunk]:
        """The head with what is read first anyway: one query, and a batch get where an index served it."""
        limit = query.count + _SLACK
        if not query.statuses:
            return self._records.head(record_id), Chunk((), None, 0)
        if query.identifiers:
            hits = [hit for one in query.identifiers for hit in self._documents.identified(record_id, one)]
            return self._loaded(record_id, hits, None, 0)
        if sources := self._sources(query):
            return self._merged(record_id, sources, query, limit)
        if query.high:
            record = self._records.head(record_id)
            return record, self._plain(record_id, query, limit) if record else Chunk((), None, 0)
        statuses = [status.value for status in query.statuses]
        record, entries, last = self._documents.with_newest(record_id, statuses, limit, query.low)
        return record, Chunk(entries, last, limit if last else len(entries))

    def further(self, record_id: str, query: DocumentQuery, first: Chunk) -> Iterator[Chunk]:
        """The first chunk, then those behind it."""
        chunk, sources = first, self._sources(query)
        while True:
            yield chunk
            if chunk.last is None:
                return
            onward = replace(query, after=chunk.last)
            if sources:
                chunk = self._merged(record_id, sources, onward, _LARGE)[1]
            else:
                chunk = self._plain(record_id, onward, _LARGE)

    def own(self, record_id: str, query: DocumentQuery, requester: Requester) -> Iterator[Chunk]:
        """The documents that the caller deposited, by person and by structure."""
        sources = [(self._index.STRUCTURE, requester.structure.value)] if requester.structure else []
        if requester.kind is RequesterKind.PROFESSIONAL:
            sources.append((self._index.PERSON, requester.identifier.value))
        last: str | None = query.after
        while query.statuses and last is not None:
            chunk = self._merged(record_id, sources, replace(query, after=last), query.count + _SLACK)[1]
            yield chunk
            last = chunk.last

    def _plain(self, record_id: str, query: DocumentQuery, limit: int) -> Chunk:
        statuses = [status.value for status in query.statuses]
        entries, last = self._documents.page(record_id, statuses, limit, query.low, query.high)
        return Chunk(entries, last, limit if last else len(entries))

    def _sources(self, query: DocumentQuery) -> "list[Source]":
        """The values of an index that together find all that can match: of types, else of classes."""
        if query.indexed_types:
            return [(self._index.TYPE, code) for code in query.indexed_types]
        return [(self._index.CLASS, code) for code in query.indexed_classes]

    def _merged(
        self, record_id: str, sources: "Sequence[Source]", query: DocumentQuery, limit: int
    ) -> tuple[Record | None, Chunk]:
        """The newest hits of several values of indexes; none older than where the shortest of them stops."""
        statuses = [status.value for status in query.statuses]
        hits: list[str] = []
        stops: list[str] = []
        for index, value in sources:
            found, last = self._documents.index_page(
                record_id, index, value, statuses=statuses, limit=limit, low=query.low, high=query.high
            )
            hits += found
            stops += [last] if last else []
        stop = max(stops, default=None)
        wanted = [hit for hit in dict.fromkeys(hits) if stop is None or hit >= stop]
        return self._loaded(record_id, wanted, stop, limit * len(stops))

    def _loaded(self, record_id: str, hits: list[str], last: str | None, looked_at: int) -> tuple[Record | None, Chunk]:
        record, entries = self._documents.with_documents(record_id, hits)
        ordered = sorted(entries.values(), key=lambda entry: entry.local, reverse=True)
        return record, Chunk(ordered, last, looked_at)
