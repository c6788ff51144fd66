"""Finding documents: one query and one trace entry, however many the record holds (ITI-67, TD3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import AccessRequest, Decision, decide
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import DocumentQuery
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.requester import RequesterKind
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate, failure_of

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore

MOST_READ = 400
"""Entries that one page may read: about 1 MB."""
_SLACK = 5
_OWN_ONLY = frozenset({"not-authorised", "authorisation-expired"})


@dataclass(frozen=True, slots=True)
class Found:
    """A page: the documents, where to go on, and the total where it is known."""

    record: str
    documents: tuple[DocumentEntry, ...]
    next: str | None
    total: int | None


@dataclass(slots=True)
class _Chunk:
    """Some entries in order, newest first; `last` is where reading goes on, None at the end."""

    entries: list[DocumentEntry]
    last: str | None


class DocumentSearchService:
    """Searches within one record."""

    def __init__(
        self, gate: Gate, records: "RecordStore", documents: "DocumentStore", indexes: "type[DocumentIndex]"
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._index = indexes

    def find(self, call: Call, query: DocumentQuery, text: str) -> Found:
        """Return the documents that the caller may see; `text` is the query for the trace, without any INS.

        Raises NotFound (`no-record`), Refused where the caller has no right and no own documents.
        """
        record_id = self._resolve(query)
        after = query.after
        if query.accurate_total:
            query = replace(query, after="")  # a total counts from the first document on
        record, first = self._first_chunk(record_id, query)
        if record is None:
            raise NotFound("no-record")
        attempt = Attempt(
            interaction=Interaction.FIND_DOCUMENTS,
            action=AuditAction.EXECUTE,
            resource_type="DocumentReference",
            what=(f"Patient/{record_id}",),
            query=text,
        )
        decision = decide(_asking(call, record, Action.SEARCH))
        if decision.permit:
            chunks = self._chunks(record_id, query, first)
        elif decision.reason in _OWN_ONLY and not decision.hidden:
            chunks = self._own_chunks(call, record_id, query)
        else:
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        found = self._page(call, record, query, after, chunks)
        if not decision.permit:
            decision = self._own_or_nothing(call, record, attempt, decision, found)
        self._gate.trace_access(call, record, attempt, decision)
        return found

    def _resolve(self, query: DocumentQuery) -> str:
        record_id = query.patient.record or (self._records.id_of(query.patient.ins) if query.patient.ins else None)
        if record_id is None:
            raise NotFound("no-record")
        return record_id

    def _own_or_nothing(
        self, call: Call, record: Record, attempt: Attempt, decision: Decision, found: Found
    ) -> Decision:
        if found.documents or found.next:
            return Decision(True, "author")
        self._gate.trace_refusal(call, record, attempt, decision)
        raise failure_of(decision)

    def _page(
        self, call: Call, record: Record, query: DocumentQuery, after: str, chunks: "Iterator[_Chunk]"
    ) -> Found:
        """Fill a page with what is visible, one more to know whether there is a next, within the reading limit."""
        visible: list[DocumentEntry] = []
        read, last = 0, None
        for chunk in chunks:
            read += len(chunk.entries)
            visible += [e for e in chunk.entries if query.matches(e) and _may_see(call, record, e)]
            last = chunk.last
            if not query.accurate_total and (len(visible) > query.count or read >= MOST_READ):
                break
        left = [e for e in visible if not after or e.local < after]
        shown = left[: query.count]
        rest = shown[-1].local if len(left) > query.count else last
        is_whole = last is None and not query.after and (query.accurate_total or rest is None)
        return Found(record.id, tuple(shown), rest, len(visible) if is_whole else None)

    def _first_chunk(self, record_id: str, query: DocumentQuery) -> tuple[Record | None, _Chunk]:
        """The head with what is read first anyway: one call for the usual searches."""
        limit = query.count + _SLACK
        if query.identifiers:
            hits = [hit for i in query.identifiers for hit in self._documents.identified(record_id, i)]
            return self._load(record_id, hits, None)
        if query.types or query.classes:
            hits, last = self._indexed(record_id, query, limit)
            return self._load(record_id, hits, last)
        statuses = [s.value for s in query.statuses]
        if not query.high:
            record, entries, last = self._documents.with_newest(record_id, statuses, limit, query.low)
            return record, _Chunk(entries, last)
        record = self._records.head(record_id)
        return record, self._further(record_id, query, limit)

    def _chunks(self, record_id: str, query: DocumentQuery, first: _Chunk) -> "Iterator[_Chunk]":
        chunk = first
        while True:
            yield chunk
            if chunk.last is None:
                return
            onward = replace(query, after=chunk.last)
            if query.types or query.classes:
                hits, last = self._indexed(record_id, onward, MOST_READ // 4)
                chunk = self._load(record_id, hits, last)[1]
            else:
                chunk = self._further(record_id, onward, MOST_READ // 4)

    def _further(self, record_id: str, query: DocumentQuery, limit: int) -> _Chunk:
        statuses = [s.value for s in query.statuses]
        return _Chunk(*self._documents.page(record_id, statuses, limit, query.low, query.high))

    def _indexed(self, record_id: str, query: DocumentQuery, limit: int) -> tuple[list[str], str | None]:
        """Local ids by the index of types, or of classes where no type is asked; several values are merged."""
        index = self._index.TYPE if query.types else self._index.CLASS
        values = list(dict.fromkeys(c.code for c in query.types or query.classes))
        return self._merged(record_id, [(index, value) for value in values], query, limit)

    def _own_chunks(self, call: Call, record_id: str, query: DocumentQuery) -> "Iterator[_Chunk]":
        """The documents that the caller deposited, by person and by structure."""
        requester = call.requester
        sources = [(self._index.STRUCTURE, requester.structure.value)] if requester.structure else []
        if requester.kind is RequesterKind.PROFESSIONAL:
            sources.append((self._index.PERSON, requester.identifier.value))
        onward = query
        while True:
            hits, last = self._merged(record_id, sources, onward, query.count + _SLACK)
            yield self._load(record_id, hits, last)[1]
            if last is None:
                return
            onward = replace(onward, after=last)

    def _merged(
        self, record_id: str, sources: "list[tuple[DocumentIndex, str]]", query: DocumentQuery, limit: int
    ) -> tuple[list[str], str | None]:
        """The newest hits of several values of indexes; none older than where the shortest of them stops."""
        statuses = [s.value for s in query.statuses]
        hits: list[str] = []
        stops: list[str] = []
        for index, value in sources:
            found, last = self._documents.index_page(
                record_id, index, value, statuses, limit, query.low, query.high
            )
            hits += found
            stops += [last] if last else []
        stop = max(stops, default=None)
        ordered = sorted(set(hits), reverse=True)
        return [hit for hit in ordered if stop is None or hit >= stop], stop

    def _load(self, record_id: str, hits: list[str], last: str | None) -> tuple[Record | None, _Chunk]:
        record, entries = self._documents.with_documents(record_id, hits)
        return record, _Chunk(sorted(entries.values(), key=lambda e: e.local, reverse=True), last)


def _asking(call: Call, record: Record, action: Action, document: DocumentEntry | None = None) -> AccessRequest:
    return AccessRequest(requester=call.requester, action=action, record=record, now=call.now, document=document)


def _may_see(call: Call, record: Record, entry: DocumentEntry) -> bool:
    return decide(_asking(call, record, Action.READ, entry)).permit
