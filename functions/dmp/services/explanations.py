"""Who may see what in a record, and why, decided as it would be for them ($explain)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import AccessRequest, Decision
from dmp.domain.audit import AuditAction, Interaction
from dmp.domain.consent import ConsentKind
from dmp.domain.document import INVISIBLE, DocumentEntry, DocumentStatus
from dmp.domain.explanation import (
    Actor,
    OfActor,
    OfDocument,
    Outcome,
    Subject,
    known_actors,
    outcomes,
    person,
    professional_or_structure,
)
from dmp.domain.identifiers import resource_id, split_resource_id
from dmp.domain.record import Record
from dmp.domain.requester import Requester
from dmp.domain.rights import Action
from dmp.domain.search_terms import Order, Stretch
from dmp.services.call import Call
from dmp.services.document_access import may_read
from dmp.services.gate import Attempt, Gate, asking
from dmp.services.record_changes import as_operation

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.record_store import RecordStore

MOST_DOCUMENTS = 500
_CHUNK = 100
_ALIVE = (DocumentStatus.CURRENT.value, DocumentStatus.SUPERSEDED.value)
_NAMING = (
    ConsentKind.ATTENDING_PHYSICIAN,
    ConsentKind.AUTHORISATION,
    ConsentKind.EMERGENCY,
    ConsentKind.BLOCK,
)
_NO_DOCUMENT = Decision(permit=False, reason="no-document", hidden=True)


class ExplanationsService:
    """Explains the decision; it has no rule of its own."""

    def __init__(self, gate: Gate, records: "RecordStore", documents: "DocumentStore") -> None:
        self._gate = gate
        self._records = records
        self._documents = documents

    def explain(self, call: Call, record_id: str, read: Callable[[], Actor | str]) -> OfActor | OfDocument:
        """Explain what an actor may see, or who may see a document (its FHIR id), as far as the caller may know.

        `read` gives the question, or raises Invalid, which only those learn who may ask. Raises NotFound
        (`no-record`, `no-document`), Refused, Conflict (`record-closed`).
        """
        record = self._records.existing(record_id)
        attempt = _attempt(record)
        with as_operation():
            decision = self._gate.admit(call, asking(call, record, Action.EXPLAIN), attempt)
        question, known = read(), _as_known(call, record)
        if isinstance(question, str):
            entry = _as_told(call, record, self._document(call, record, question))
            hides = bool(entry.visibility & INVISIBLE)
            attempt = replace(attempt, what=(f"DocumentReference/{entry.id}",), hides=hides)
            answer: OfActor | OfDocument = self._of_document(call, known, entry)
        else:
            answer = self._of_actor(call, known, question)
        self._gate.trace_access(call, record, attempt, decision)
        return answer

    def _of_actor(self, call: Call, record: Record, actor: Actor) -> OfActor:
        visible = list(islice(self._visible(call, record), MOST_DOCUMENTS + 1))
        decisions = [(e.id, _decided(call, record, actor.requester, e)) for e in visible[:MOST_DOCUMENTS]]
        access = decide(replace(asking(call, record, Action.SEARCH), requester=actor.requester))
        return OfActor(record.id, access, tuple(decisions), len(visible) > MOST_DOCUMENTS)

    def _visible(self, call: Call, record: Record) -> Iterator[DocumentEntry]:
        """The documents that the caller may see, newest first, read as far as they are asked for."""
        before: str | None = ""
        while before is not None:
            entries, before = self._documents.page(record.id, _ALIVE, _CHUNK, Stretch(Order.NEWEST, after=before))
            yield from (_as_told(call, record, entry) for entry in entries if may_read(call, record, entry))

    def _document(self, call: Call, record: Record, document_id: str) -> DocumentEntry:
        """The document, if the caller may see it, be it deleted: then who may read its history is the question.

        The trace does not tell whether it exists where they may not.
        """
        owner, local = split_resource_id(document_id) or ("", "")
        _, entry = self._documents.with_document(record.id, local) if owner == record.id else (None, None)
        if entry is None or not may_read(call, record, entry):
            self._gate.refuse(call, record, _attempt(record), _NO_DOCUMENT)
        return entry

    def _of_document(self, call: Call, record: Record, entry: DocumentEntry) -> OfDocument:
        found: list[Outcome] = []
        for subject in self._subjects(call, record, entry):
            decisions = {
                profession: _decided(call, record, requester, entry)
                for profession, requester in subject.professions.items()
            }
            found += outcomes(subject, decisions)
        return OfDocument(record.id, tuple(found))

    def _subjects(self, call: Call, record: Record, entry: DocumentEntry) -> Iterator[Subject]:
        """Everybody whom the record knows, then anybody else."""
        yield person(record.identity.ins, f"Patient/{record.id}")
        yield from self._delegates(call, record)
        named = [d.actor for kind in _NAMING for d in record.in_force(kind, call.now)]
        authors = [entry.depositor.person, entry.depositor.structure, *sorted(entry.authors)]
        for identifier in known_actors([*authors, *named]):
            yield professional_or_structure(identifier)
        yield professional_or_structure()

    def _delegates(self, call: Call, record: Record) -> Iterator[Subject]:
        held = list(record.in_force(ConsentKind.DELEGATION, call.now))
        _, consents = self._records.with_consents(record.id, [d.consent for d in held]) if held else (None, {})
        for directive in held:
            consent = consents.get(directive.consent)
            if directive.actor and consent and consent.delegate:
                yield person(directive.actor, f"RelatedPerson/{resource_id(record.id, consent.delegate)}")


def _decided(call: Call, record: Record, requester: Requester, entry: DocumentEntry) -> Decision:
    """What the decision would be if this requester asked now for the document."""
    return decide(AccessRequest(requester=requester, action=Action.READ, record=record, now=call.now, document=entry))


def _as_told(call: Call, record: Record, entry: DocumentEntry) -> DocumentEntry:
    """The document, deposited by nobody where the caller may not learn by whom."""
    is_close = decide(replace(asking(call, record, Action.EXPLAIN), is_secret=entry.is_secret)).permit
    return entry if is_close else entry.without_depositor()


def _as_known(call: Call, record: Record) -> Record:
    """The record without the directives that the caller may not learn of."""
    question = asking(call, record, Action.READ_CONSENT)
    known = (d for d in record.directives if decide(replace(question, consent=d, is_secret=d.is_secret)).permit)
    return replace(record, directives=tuple(known))


def _attempt(record: Record) -> Attempt:
    return Attempt(
        interaction=Interaction.EXPLAIN,
        action=AuditAction.READ,
        resource_type="Patient",
        what=(f"Patient/{record.id}/$explain",),
    )
