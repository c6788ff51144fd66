"""One document or list as it stands: its entry, its bytes, its versions (ITI-66, ITI-68, TD3.2)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import Gone, NotFound
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing, is_concealed, may_read, of_document, ruled
from dmp.services.document_sight import as_seen
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.object_store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    """A document that the caller may see, and what the trace will tell of it."""

    record: Record
    entry: DocumentEntry
    decision: Decision
    attempt: Attempt


class DocumentsService:
    """Reads of single documents and lists, each traced before anything of it leaves."""

    def __init__(self, gate: Gate, documents: "DocumentStore", objects: "ObjectStore") -> None:
        self._gate = gate
        self._documents = documents
        self._objects = objects

    def read(self, call: Call, record_id: str, local: str) -> DocumentEntry:
        """Return the entry if the patient's directives let the caller see it; NotFound, Refused or Gone if not."""
        return self._alive(call, record_id, local, attempt_on("DocumentReference", record_id, local, Interaction.READ))

    def retrieve(self, call: Call, record_id: str, local: str) -> tuple[DocumentEntry, bytes]:
        """ITI-68: the bytes as they were deposited; Unavailable (`content-damaged`) where they are so no more."""
        attempt = attempt_on("Binary", record_id, local, Interaction.RETRIEVE)
        entry = self._alive(call, record_id, local, attempt)
        return entry, self._objects.get(entry.content)

    def history(self, call: Call, record_id: str, local: str) -> list[DocumentEntry]:
        """Every version that the caller may see, newest first; of a deleted document too, to whoever could read it."""
        admitted = self._admitted(
            call, record_id, local, attempt_on("DocumentReference", record_id, local, Interaction.HISTORY)
        )
        former = self._documents.former_documents(record_id, local)
        self._trace(call, admitted)
        return self._as_seen(call, admitted, [admitted.entry, *_visible(call, admitted, reversed(former))])

    def version(self, call: Call, record_id: str, local: str, version: int) -> DocumentEntry:
        """One version of a document; NotFound (`no-version`) where it never was, or was hidden from the caller."""
        admitted = self._admitted(
            call, record_id, local, attempt_on("DocumentReference", record_id, local, Interaction.VREAD)
        )
        is_current = version == admitted.entry.version
        former = [] if is_current else self._documents.former_documents(record_id, local)
        self._trace(call, admitted)
        seen = [admitted.entry] if is_current else list(_visible(call, admitted, former))
        found = [one for one in seen if one.version == version]
        if not found:
            raise NotFound("no-version")
        return self._as_seen(call, admitted, found)[0]

    def read_list(self, call: Call, record_id: str, local: str) -> ListEntry:
        """A SubmissionSet or Folder with those of its documents that the caller may see; NotFound where none is.

        One that is not there takes as many calls as one that the caller may not know of.
        """
        found, entry = self._documents.with_list(record_id, local)
        record = existing(found)
        documents = self._alive_in(record, entry)
        decisions = {one: decide(of_document(call, record, Action.READ, d)) for one, d in documents.items()}
        permits = {one: decision for one, decision in decisions.items() if decision.permit}
        attempt = attempt_on("List", record_id, local, Interaction.READ)
        concealing = replace(attempt, hides=any(map(is_concealed, documents.values())))
        if entry is None or not permits:
            self._refuse_as_its_documents(call, record, decisions.values(), concealing)
            decision = ruled(of_document(call, record, Action.READ, None))
            is_nowhere = decision.reason == "no-document"
            self._gate.refuse(call, record, attempt, replace(decision, reason="no-list") if is_nowhere else decision)
        self._gate.trace_access(call, record, concealing, next(iter(permits.values())))
        return replace(entry, documents=tuple(one for one in entry.documents if one in permits))

    def _refuse_as_its_documents(
        self, call: Call, record: Record, decisions: Iterable[Decision], attempt: Attempt
    ) -> None:
        """Refuse a list like those of its documents that the caller may know of but not see."""
        known = next((decision for decision in decisions if not decision.hidden), None)
        if known:
            self._gate.refuse(call, record, attempt, known)

    def _alive_in(self, record: Record, entry: ListEntry | None) -> Mapping[str, DocumentEntry]:
        """The documents of a list, by their local ids; deleted ones are seen by none."""
        _, documents = self._documents.with_documents(record.id, entry.documents if entry else ())
        return {one: d for one, d in documents.items() if d.status is not DocumentStatus.ENTERED_IN_ERROR}

    def _alive(self, call: Call, record_id: str, local: str, attempt: Attempt) -> DocumentEntry:
        """The entry, admitted and traced; Gone where it was deleted."""
        admitted = self._admitted(call, record_id, local, attempt)
        self._trace(call, admitted)
        if admitted.entry.status is DocumentStatus.ENTERED_IN_ERROR:
            raise Gone("gone")
        return self._as_seen(call, admitted, [admitted.entry])[0]

    def _admitted(self, call: Call, record_id: str, local: str, attempt: Attempt) -> _Admitted:
        """Load the entry with its record and decide; a missing entry is refused just as a hidden one is."""
        found, entry = self._documents.with_document(record_id, local)
        record = existing(found)
        attempt = replace(attempt, hides=is_concealed(entry))
        decision = ruled(of_document(call, record, Action.READ, entry))
        if entry is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        return _Admitted(record=record, entry=entry, decision=decision, attempt=attempt)

    def _trace(self, call: Call, admitted: _Admitted) -> None:
        self._gate.trace_access(call, admitted.record, admitted.attempt, admitted.decision)

    def _as_seen(self, call: Call, admitted: _Admitted, versions: Iterable[DocumentEntry]) -> list[DocumentEntry]:
        """Versions of a document, by what hides its predecessors now."""
        predecessors = admitted.entry.predecessors
        current = [replace(version, predecessors=predecessors) for version in versions]
        return as_seen(call, admitted.record, current, self._documents)


def _visible(call: Call, admitted: _Admitted, versions: Iterable[DocumentEntry]) -> Iterator[DocumentEntry]:
    """The versions that did not hide the document from the caller: that it was hidden is not told either."""
    return (version for version in versions if may_read(call, admitted.record, version))
