"""Who did what in a record, for its patient, a representative or the médecin traitant; reading it is traced too."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, AuditEntry, Interaction
from dmp.domain.consent import PatientRef
from dmp.domain.errors import NotFound
from dmp.domain.identifiers import resource_id
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.gate import Attempt, Gate
from dmp.services.trace_view import TraceView

if TYPE_CHECKING:
    from dmp.adapters.audit_store import AuditStore, Position
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.record_store import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """A page of the trace: the window of time, what to leave out of it, and where to go on.

    `narrows` tells that `wanted` leaves entries out of the window, so that a page is filled from all that one read
    brings. `described` gives the query of a record as the trace keeps it, without any INS.
    """

    patient: PatientRef
    start: datetime | None
    end: datetime | None
    wanted: Callable[[AuditEntry], bool]
    narrows: bool
    count: int
    after: str
    accurate_total: bool
    described: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class TracePage:
    """Entries, newest first; `total` where it is known, `next` where there are more."""

    record: str
    entries: tuple[AuditEntry, ...]
    total: int | None
    next: str | None


class AuditTrailService:
    """Reads of the trace."""

    def __init__(
        self,
        gate: Gate,
        records: "RecordStore",
        documents: "DocumentStore",
        store: "AuditStore",
        position: "Callable[..., Position]",
    ) -> None:
        self._gate = gate
        self._records = records
        self._documents = documents
        self._store = store
        self._position = position

    def read(self, call: Call, record_id: str, local: str) -> AuditEntry:
        """One entry; Refused, or NotFound `no-record` or `no-resource`."""
        record = self._existing(PatientRef(record=record_id))
        attempt = Attempt(
            interaction=Interaction.READ,
            action=AuditAction.READ,
            resource_type="AuditEvent",
            what=(f"AuditEvent/{resource_id(record_id, local)}",),
        )
        decision = self._admit(call, record, attempt)
        found = self._store.get(record_id, local)
        seen = TraceView(call, record, self._documents).of([found] if found else [])
        if found is None or not seen:
            self._gate.trace_access(call, record, attempt, decision)
            raise NotFound("not-found")
        documents = found.what if found.hides else ()
        attempt = replace(attempt, what=(*attempt.what, *documents), hides=found.hides, is_secret=found.is_secret)
        self._gate.trace_access(call, record, attempt, decision)
        return seen[0]

    def search(self, call: Call, query: TraceQuery) -> TracePage:
        """A page of the trace; one read and one entry of its own, unless documents of it were hidden."""
        record = self._existing(query.patient)
        attempt = Attempt(
            interaction=Interaction.SEARCH,
            action=AuditAction.EXECUTE,
            resource_type="AuditEvent",
            query=query.described(record.id),
        )
        decision = self._admit(call, record, attempt)
        view = TraceView(call, record, self._documents)
        page = self._page(record.id, query, view)
        if query.accurate_total and page.total is None:
            page = replace(page, total=self._count(record.id, query, view))
        self._gate.trace_access(call, record, replace(attempt, what=(f"Patient/{record.id}",)), decision)
        return page

    def _page(self, record: str, query: TraceQuery, view: TraceView) -> TracePage:
        """A page, and whether there is a next: by what the caller sees alone."""
        found: list[AuditEntry] = []
        after: str | None = query.after
        limit = None if query.narrows else query.count + 1
        while after is not None and len(found) <= query.count:
            entries, after = self._store.page(record, self._at(query, after), limit)
            found += _wanted(query, view, entries)
            if query.narrows:
                break
            limit = None
        shown = found[: query.count]
        following = shown[-1].local if len(found) > len(shown) else after
        is_whole = not query.after and following is None
        return TracePage(record, tuple(shown), len(shown) if is_whole else None, following)

    def _count(self, record: str, query: TraceQuery, view: TraceView) -> int:
        total, after = 0, ""
        while True:
            entries, more = self._store.page(record, self._at(query, after), None)
            total += len(_wanted(query, view, entries))
            if more is None:
                return total
            after = more

    def _at(self, query: TraceQuery, before: str) -> "Position":
        return self._position(start=query.start, end=query.end, before=before)

    def _admit(self, call: Call, record: Record, attempt: Attempt) -> Decision:
        question = AccessRequest(requester=call.requester, action=Action.READ_TRACE, record=record, now=call.now)
        return self._gate.admit(call, question, attempt)

    def _existing(self, patient: PatientRef) -> Record:
        record_id = patient.record or (self._records.id_of(patient.ins) if patient.ins else None)
        record = self._records.head(record_id) if record_id else None
        if record is None:
            raise NotFound("no-record")
        return record


def _wanted(query: TraceQuery, view: TraceView, entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """What the caller sees of the entries that are asked for; what is hidden is not found by any parameter."""
    seen = view.of(entry for entry in entries if query.wanted(entry))
    return [entry for entry in seen if query.wanted(entry)]
