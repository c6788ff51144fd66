"""The way to one document: loaded with its record, decided, traced before anything of it leaves."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access_request import Decision
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.errors import Gone
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import existing, is_concealed, of_document, ruled
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A document that the caller may see, and what the trace will tell of it."""

    record: Record
    entry: DocumentEntry
    decision: Decision
    attempt: Attempt


class DocumentAdmission:
    """Lets callers through to single documents."""

    def __init__(self, gate: Gate, documents: "DocumentStore") -> None:
        self._gate = gate
        self._documents = documents

    def admit(self, call: Call, record_id: str, local: str, attempt: Attempt) -> Admitted:
        """Load the entry with its record and decide; a missing entry is refused just as a hidden one is.

        Raises NotFound or Refused, traced.
        """
        found, entry = self._documents.with_document(record_id, local)
        record = existing(found)
        attempt = replace(attempt, hides=is_concealed(entry))
        decision = ruled(of_document(call, record, Action.READ, entry))
        if entry is None or not decision.permit:
            self._gate.refuse(call, record, attempt, decision)
        return Admitted(record=record, entry=entry, decision=decision, attempt=attempt)

    def alive(self, call: Call, record_id: str, local: str, attempt: Attempt) -> Admitted:
        """The entry, admitted and traced; Gone where it was deleted, not where it never became available."""
        admitted = self.admit(call, record_id, local, attempt)
        self.trace(call, admitted)
        entry = admitted.entry
        if entry.status is DocumentStatus.ENTERED_IN_ERROR and not entry.upload_error:
            raise Gone("gone")
        return admitted

    def trace(self, call: Call, admitted: Admitted) -> None:
        """Append the access to the trace."""
        self._gate.trace_access(call, admitted.record, admitted.attempt, admitted.decision)
