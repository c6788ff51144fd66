"""One document or list as it stands: its entry, its bytes, its versions (ITI-66, ITI-68, TD3.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from dmp.services.document_access import attempt_on, existing, of_document
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore
    from dmp.adapters.object_store import ObjectStore

_NO_DOCUMENT = Decision(permit=False, reason="no-document")


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
        """Every version, newest first; of a deleted document too, to whoever could read it."""
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.HISTORY)
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        former = self._documents.former_documents(record_id, local)
        self._gate.trace_access(call, record, attempt, decision)
        return [entry, *reversed(former)]

    def version(self, call: Call, record_id: str, local: str, version: int) -> DocumentEntry:
        """One version of a document; NotFound (`no-version`) where it never had it."""
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.VREAD)
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        former = [] if version == entry.version else self._documents.former_documents(record_id, local)
        self._gate.trace_access(call, record, attempt, decision)
        found = next((one for one in (entry, *former) if one.version == version), None)
        if found is None:
            raise NotFound("no-version")
        return found

    def read_list(self, call: Call, record_id: str, local: str) -> ListEntry:
        """A SubmissionSet or Folder with those of its documents that the caller may see; NotFound where none is."""
        found, entry = self._documents.with_list(record_id, local)
        record = existing(found)
        attempt = attempt_on("List", record_id, local, Interaction.READ)
        decisions = self._decisions(call, record, entry) if entry else {}
        permits = {one: decision for one, decision in decisions.items() if decision.permit}
        if entry is None or not permits:
            self._refuse_as_its_documents(call, record, decisions.values(), attempt)
            self._gate.admit(call, of_document(call, record, Action.READ, None), attempt)
            self._gate.trace_refusal(call, record, attempt, replace(_NO_DOCUMENT, reason="no-list"))
            raise NotFound("no-list")
        self._gate.trace_access(call, record, attempt, next(iter(permits.values())))
        return replace(entry, documents=tuple(one for one in entry.documents if one in permits))

    def _refuse_as_its_documents(
        self, call: Call, record: Record, decisions: Iterable[Decision], attempt: Attempt
    ) -> None:
        """Refuse a list like those of its documents that the caller may know of but not see."""
        known = next((decision for decision in decisions if not decision.hidden), None)
        if known:
            self._gate.refuse(call, record, attempt, known)

    def _decisions(self, call: Call, record: Record, entry: ListEntry) -> Mapping[str, Decision]:
        """What is decided of each document of a list; deleted ones are seen by none."""
        _, documents = self._documents.with_documents(record.id, entry.documents)
        alive = [d for d in documents.values() if d.status is not DocumentStatus.ENTERED_IN_ERROR]
        return {d.local: decide(of_document(call, record, Action.READ, d)) for d in alive}

    def _alive(self, call: Call, record_id: str, local: str, attempt: Attempt) -> DocumentEntry:
        """The entry, admitted and traced; Gone where it was deleted."""
        record, entry, decision = self._admitted(call, record_id, local, attempt)
        self._gate.trace_access(call, record, attempt, decision)
        if entry.status is DocumentStatus.ENTERED_IN_ERROR:
            raise Gone("gone")
        return entry

    def _admitted(
        self, call: Call, record_id: str, local: str, attempt: Attempt
    ) -> tuple[Record, DocumentEntry, Decision]:
        """Load the entry with its record and decide; a missing entry is refused just as a hidden one is."""
        found, entry = self._documents.with_document(record_id, local)
        record = existing(found)
        decision = self._gate.admit(call, of_document(call, record, Action.READ, entry), attempt)
        if entry is None:
            self._gate.trace_refusal(call, record, attempt, _NO_DOCUMENT)
            raise NotFound("no-document")
        return record, entry, decision
