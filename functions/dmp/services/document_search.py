"""Finding documents: one query and one trace entry, however many the record holds (ITI-67, TD3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import DocumentQuery
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import existing, may_read
from dmp.services.document_chunks import Chunk, DocumentChunks
from dmp.services.document_sight import as_seen
from dmp.services.gate import Attempt, Gate, asking, failure_of

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore

MOST_READ = 400
"""Entries that one page may read: about 1 MB."""
_OWN_ONLY = frozenset({"not-authorised", "authorisation-expired"})


@dataclass(frozen=True, slots=True)
class Found:
    """A page: the documents, where to go on, and the total where it is known."""

    record: str
    documents: tuple[DocumentEntry, ...]
    next: str | None
    total: int | None


class DocumentSearchService:
    """Searches within one record."""

    def __init__(
        self, gate: Gate, records: "RecordStore", documents: "DocumentStore", indexes: "type[DocumentIndex]"
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._chunks = DocumentChunks(records, documents, indexes)

    def find(self, call: Call, query: DocumentQuery, text: str) -> Found:
        """Return the documents that the caller may see; `text` is the query for the trace, without any INS.

        Raises NotFound (`no-record`), Refused where the caller has no right and no own documents.
        """
        record_id = self._records.named(query.patient)
        # A total counts from the first document on, whichever page is asked.
        read = replace(query, after="") if query.accurate_total else query
        found, first = self._chunks.first(record_id, read)
        record = existing(found)
        attempt = Attempt(
            interaction=Interaction.FIND_DOCUMENTS,
            action=AuditAction.EXECUTE,
            resource_type="DocumentReference",
            what=(f"Patient/{record_id}",),
            query=text,
        )
        decision = decide(asking(call, record, Action.SEARCH))
        page = None
        if decision.permit:
            page = self._page(call, record, query, self._chunks.further(record_id, read, first))
        elif decision.reason in _OWN_ONLY and not decision.hidden:
            page = self._page(call, record, query, self._chunks.own(record_id, read, call.requester))
        if page is None or not (decision.permit or page.documents or page.next):
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        reason = decision if decision.permit else Decision(permit=True, reason="author")
        self._gate.trace_access(call, record, attempt, reason)
        return page

    def _page(self, call: Call, record: Record, query: DocumentQuery, chunks: Iterator[Chunk]) -> Found:
        """Fill a page with what is visible, one more to know whether there is a next, within the reading limit."""
        wanted = replace(query, after="") if query.accurate_total else query
        visible: list[DocumentEntry] = []
        looked_at, last = 0, None
        for chunk in chunks:
            looked_at += chunk.looked_at
            visible += [e for e in chunk.entries if wanted.matches(e) and may_read(call, record, e)]
            last = chunk.last
            if not query.accurate_total and (len(visible) > query.count or looked_at >= MOST_READ):
                break
        left = [e for e in visible if not query.after or e.local < query.after]
        shown = as_seen(call, record, left[: query.count], self._documents, visible)
        rest = shown[-1].local if len(left) > query.count else last
        is_whole = query.accurate_total or (rest is None and not query.after)
        return Found(record.id, tuple(shown), rest, len(visible) if is_whole else None)
