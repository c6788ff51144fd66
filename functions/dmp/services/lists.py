"""SubmissionSets and Folders, with those of their documents that the caller may see (ITI-66)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry, DocumentStatus
from dmp.domain.document_list import ListEntry
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing, is_concealed, of_document, ruled
from dmp.services.gate import Attempt, Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


class ListsService:
    """Reads of lists, each traced before anything of it leaves."""

    def __init__(self, gate: Gate, documents: "DocumentStore") -> None:
        self._gate = gate
        self._documents = documents

    def read(self, call: Call, record_id: str, local: str) -> ListEntry:
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
