"""Finding SubmissionSets and Folders: a query for the lists, a read of their documents, a trace (ITI-66)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry, ListKind
from dmp.domain.document_query import FINDABLE, DocumentQuery
from dmp.domain.list_query import ListQuery
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.domain.search_terms import Stretch
from dmp.services.call import Call
from dmp.services.document_access import existing
from dmp.services.document_chunks import LARGE, MOST_READ, SLACK, DocumentChunks
from dmp.services.document_search import is_for_own_alone, search_attempt
from dmp.services.gate import Gate, asking, failure_of
from dmp.services.included import IncludedPatient, included_patient, visible_among
from dmp.services.list_sight import list_as_seen, with_visible_lists

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentIndex, DocumentStore
    from dmp.adapters.record_store import RecordStore


@dataclass(frozen=True, slots=True)
class FoundLists:
    """A page: the lists, where to go on, the total where it is known, and what comes with them."""

    record: str
    lists: tuple[ListEntry, ...]
    next: str | None
    total: int | None
    included: tuple[DocumentEntry, ...] = ()
    patient: IncludedPatient | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some lists with their documents; `last` is where reading goes on, None at the end."""

    record: Record | None
    lists: Sequence[ListEntry]
    documents: Mapping[str, DocumentEntry]
    last: str | None
    looked_at: int


class ListSearchService:
    """Searches for lists within one record."""

    def __init__(
        self, gate: Gate, records: "RecordStore", documents: "DocumentStore", indexes: "type[DocumentIndex]"
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._indexes = indexes
        self._chunks = DocumentChunks(records, documents, indexes)

    def find(self, call: Call, query: ListQuery, text: str) -> FoundLists:
        """Return the lists that hold something for the caller; `text` is the query for the trace, without any INS.

        Raises NotFound (`no-record`), Refused where the caller has no right and no list with own documents.
        """
        record_id = self._records.named(query.patient)
        chunks = self._read(record_id, replace(query, after="") if query.accurate_total else query)
        first = next(chunks)
        record = existing(first.record)
        attempt = search_attempt(Interaction.FIND_LISTS, "List", record_id, text)
        decision = decide(asking(call, record, Action.SEARCH))
        page = None
        if decision.permit or (is_for_own_alone(decision) and self._owns(call, query, record_id)):
            page = self._page(call, record, query, first, chunks)
        # Behind a first page, the caller has been told of that one: the last may be empty.
        if page is None or not (decision.permit or page.lists or page.next or query.after):
            self._gate.trace_refusal(call, record, attempt, decision)
            raise failure_of(decision)
        reason = decision if decision.permit else Decision(permit=True, reason="author")
        self._gate.trace_access(call, record, attempt, reason)
        return page

    def _owns(self, call: Call, query: ListQuery, record_id: str) -> bool:
        """Whether the caller deposited anything: to others, not even how long the search takes tells of lists."""
        documents = DocumentQuery(patient=query.patient, statuses=FINDABLE)
        return self._chunks.owns(record_id, documents, call.requester)

    def _page(
        self, call: Call, record: Record, query: ListQuery, first: _Chunk, chunks: Iterator[_Chunk]
    ) -> FoundLists:
        """Fill a page, one more to know whether there is a next, within the reading limit."""
        visible: list[ListEntry] = []
        documents: dict[str, DocumentEntry] = {}
        looked_at, chunk = 0, first
        while True:
            documents |= chunk.documents
            visible += [seen for one in chunk.lists if (seen := list_as_seen(call, record, one, chunk.documents))]
            looked_at += chunk.looked_at
            is_enough = len(visible) > query.count or looked_at >= MOST_READ
            if chunk.last is None or (is_enough and not query.accurate_total):
                break
            chunk = next(chunks)
        left = [entry for entry in visible if query.is_behind(entry.local)]
        shown = with_visible_lists(call, record, left[: query.count], self._documents)
        rest = shown[-1].local if len(left) > query.count else chunk.last
        is_whole = query.accurate_total or (rest is None and not query.after)
        held = {one: documents[one] for entry in shown for one in entry.documents} if query.with_documents else {}
        return FoundLists(
            record.id,
            tuple(shown),
            rest,
            len(visible) if is_whole else None,
            tuple(visible_among(call, record, held.values(), self._documents)),
            included_patient(call, record) if query.with_patient and shown else None,
        )

    def _read(self, record_id: str, query: ListQuery) -> Iterator[_Chunk]:
        """The lists that match, with the head and their documents: one query, and one read for each 99 documents."""
        record: Record | None = None
        for lists, last in self._stretches(record_id, query):
            parts = list(_parts([entry for entry in lists if query.matches(entry)])) or [[]]
            for number, part in enumerate(parts, 1):
                documents: dict[str, DocumentEntry] = {}
                if part or record is None:
                    wanted = dict.fromkeys(one for entry in part for one in entry.documents)
                    record, documents = self._documents.with_documents(record_id, list(wanted))
                stop = last if number == len(parts) else part[-1].local
                yield _Chunk(record, part, documents, stop, len(documents) + (len(lists) if number == 1 else 0))

    def _stretches(self, record_id: str, query: ListQuery) -> Iterator[tuple[list[ListEntry], str | None]]:
        """The lists that can match, in order, and where to go on."""
        named = self._named(record_id, query) if query.kinds and query.statuses else []
        if named is not None:
            found = self._documents.lists(record_id, named).values() if named else ()
            yield sorted(found, key=lambda entry: entry.local, reverse=query.order.descends), None
            return
        limit, after = query.count + SLACK, query.after
        while True:
            lists, last = self._stretch(record_id, query, query.stretch.behind(after), limit)
            yield lists, last
            if last is None:
                return
            limit, after = LARGE, last

    def _stretch(
        self, record_id: str, query: ListQuery, stretch: Stretch, limit: int
    ) -> tuple[list[ListEntry], str | None]:
        statuses = sorted(query.statuses)
        if not query.wants_folders_alone:
            return self._documents.lists_page(record_id, limit, stretch, statuses)
        index, value = self._indexes.CLASS, ListKind.FOLDER.value
        found, last = self._documents.index_page(
            record_id, index, value, statuses=statuses, limit=limit, stretch=stretch
        )
        lists = self._documents.lists(record_id, found) if found else {}
        return [lists[local] for local in found if local in lists], last

    def _named(self, record_id: str, query: ListQuery) -> list[str] | None:
        """Local ids of all that can be meant, where ids or unique ids tell; None where they do not."""
        if query.ids:
            ids = (one.partition(".") for one in query.ids[0])
            return [local for held, _, local in ids if held == record_id and local]
        if not query.identifiers:
            return None
        _, claims, _ = self._records.with_claims(record_id, query.identifiers)
        return [claim.local for claim in claims.values()] if len(claims) == len(query.identifiers) else None


def _parts(lists: Sequence[ListEntry]) -> Iterator[list[ListEntry]]:
    """The lists in order, as many at once as one read brings the documents of; one alone may have more."""
    part: list[ListEntry] = []
    size = 0
    for entry in lists:
        if part and size + len(entry.documents) > LARGE:
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry.documents)
    if part:
        yield part
