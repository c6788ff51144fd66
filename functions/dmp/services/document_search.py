"""Finding documents: one query and one trace entry, however many the record holds (ITI-67, TD3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.document_query import FINDABLE, DocumentQuery
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import existing, may_read
from dmp.services.document_chunks import MOST_READ, Chunk, DocumentChunks
from dmp.services.document_sight import as_seen
from dmp.services.gate import Attempt, Gate, asking, failure_of
from dmp.services.included import IncludedPatient, included_documents, included_patient

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore

MOST_TEXTS = 100
"""Texts that one page may read of entries that were read before: about 1 MB, too."""
_OWN_ONLY = frozenset({"not-authorised", "authorisation-expired"})


@dataclass(frozen=True, slots=True)
class Found:
    """A page: the documents, where to go on, the total where it is known, and what comes with them."""

    record: str
    documents: tuple[DocumentEntry, ...]
    next: str | None
    total: int | None
    included: tuple[DocumentEntry, ...] = ()
    patient: IncludedPatient | None = None


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
        found, chunks = self._chunks.read(record_id, read)
        record = existing(found)
        attempt = search_attempt(Interaction.FIND_DOCUMENTS, "DocumentReference", record_id, text)
        decision = decide(asking(call, record, Action.SEARCH))
        page = None
        if decision.permit:
            page = self._page(call, record, query, chunks)
        elif is_for_own_alone(decision):
            page = self._page(call, record, query, self._chunks.own(record_id, read, call.requester))
        if page is None or not (decision.permit or page.documents or page.next or self._owns(call, record, query)):
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        reason = decision if decision.permit else Decision(permit=True, reason="author")
        self._gate.trace_access(call, record, attempt, reason)
        return page

    def _owns(self, call: Call, record: Record, query: DocumentQuery) -> bool:
        """Whether somebody whose search found nothing deposited anything that it left out."""
        everything = DocumentQuery(patient=query.patient, statuses=FINDABLE)
        return query.is_narrow and self._chunks.owns(record.id, everything, call.requester)

    def _page(self, call: Call, record: Record, query: DocumentQuery, chunks: Iterator[Chunk]) -> Found:
        """Fill a page with what is visible, one more to know whether there is a next, within the reading limit."""
        wanted = replace(query, after="") if query.accurate_total else query
        matching: list[DocumentEntry] = []
        looked_at, last, most = 0, None, MOST_TEXTS if query.words else MOST_READ
        for chunk in chunks:
            looked_at += chunk.looked_at
            matching += self._matching(call, record, wanted, chunk)
            last = chunk.last
            if not query.accurate_total and (len(matching) > query.count or looked_at >= most):
                break
        left = [entry for entry in matching if query.is_behind(entry)]
        shown = left[: query.count]
        if not query.conditions:
            shown = as_seen(call, record, shown, self._documents, matching)
        rest = query.position(shown[-1]) if len(left) > query.count else last
        is_whole = query.accurate_total or (rest is None and not query.after)
        return Found(
            record.id,
            tuple(shown),
            rest,
            len(matching) if is_whole else None,
            tuple(included_documents(call, record, query.named, shown, self._documents)),
            included_patient(call, record) if query.with_patient and shown else None,
        )

    def _matching(self, call: Call, record: Record, query: DocumentQuery, chunk: Chunk) -> list[DocumentEntry]:
        """The documents of a chunk that are asked for and visible; conditions hold of what the caller sees of them.

        Of relations, not even the number of reads tells which are named that the caller may not know of.
        """
        found = [e for e in chunk.entries if query.matches(e) and may_read(call, record, e)]
        if query.words and found and not chunk.is_told:
            texts = self._documents.texts(record.id, [entry.local for entry in found])
            found = [entry for entry in found if query.is_told_by(texts.get(entry.local))]
        if not query.conditions:
            return found
        promising = found if query.asks_relations else [entry for entry in found if query.holds(entry)]
        return [entry for entry in as_seen(call, record, promising, self._documents, found) if query.holds(entry)]


def is_for_own_alone(decision: Decision) -> bool:
    """Whether a search is denied in such a way that the caller finds what the caller deposited."""
    return decision.reason in _OWN_ONLY and not decision.hidden


def search_attempt(interaction: Interaction, resource_type: str, record_id: str, text: str) -> Attempt:
    """What the trace tells of a search within a record; `text` is the query, without any INS."""
    what = (f"Patient/{record_id}",)
    return Attempt(
        interaction=interaction, action=AuditAction.EXECUTE, resource_type=resource_type, what=what, query=text
    )
