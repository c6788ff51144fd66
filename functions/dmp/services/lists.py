"""SubmissionSets and Folders, with those of their documents that the caller may see (ITI-66)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmp.domain.access import decide
from dmp.domain.access_request import Decision
from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.document_list import ListEntry
from dmp.domain.errors import NotFound
from dmp.domain.record import Record
from dmp.domain.rights import Action
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, existing, is_concealed, is_listed, of_document, ruled
from dmp.services.gate import Attempt, Gate
from dmp.services.list_sight import list_as_seen, with_visible_lists

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


@dataclass(frozen=True, slots=True)
class _Admitted:
    record: Record
    entry: ListEntry
    documents: Mapping[str, DocumentEntry]
    attempt: Attempt
    decision: Decision


class ListsService:
    """Reads of lists, each traced before anything of it leaves."""

    def __init__(self, gate: Gate, documents: "DocumentStore") -> None:
        self._gate = gate
        self._documents = documents

    def read(self, call: Call, record_id: str, local: str) -> ListEntry:
        """A SubmissionSet or Folder with those of its documents that the caller may see; NotFound where none is.

        One that is not there takes as many calls as one that the caller may not know of.
        """
        admitted = self._admitted(call, record_id, local, Interaction.READ)
        self._gate.trace_access(call, admitted.record, admitted.attempt, admitted.decision)
        return self._shown(call, admitted, [admitted.entry], admitted.documents)[0]

    def history(self, call: Call, record_id: str, local: str) -> list[ListEntry]:
        """Every version that holds a document which the caller may see, newest first."""
        return self._versions(call, record_id, local, Interaction.HISTORY)

    def version(self, call: Call, record_id: str, local: str, version: int) -> ListEntry:
        """One version of a list, as its history has it; NotFound (`no-version`) where that has none.

        Whichever it is, and whether there is one, it takes as many calls.
        """
        versions = self._versions(call, record_id, local, Interaction.VREAD)
        found = next((one for one in versions if one.version == version), None)
        if found is None:
            raise NotFound("no-version")
        return found

    def _versions(self, call: Call, record_id: str, local: str, interaction: Interaction) -> list[ListEntry]:
        admitted = self._admitted(call, record_id, local, interaction)
        former = self._documents.former_lists(record_id, local)
        self._gate.trace_access(call, admitted.record, admitted.attempt, admitted.decision)
        further = {one for version in former for one in version.documents} - admitted.documents.keys()
        known = {**admitted.documents, **self._alive(admitted.record, further)}
        return self._shown(call, admitted, [admitted.entry, *reversed(former)], known)

    def _admitted(self, call: Call, record_id: str, local: str, interaction: Interaction) -> _Admitted:
        found, entry = self._documents.with_list(record_id, local)
        record = existing(found)
        documents = self._alive(record, entry.documents if entry else ())
        decisions = {one: decide(of_document(call, record, Action.READ, d)) for one, d in documents.items()}
        permit = next((decision for decision in decisions.values() if decision.permit), None)
        attempt = attempt_on("List", record_id, local, interaction)
        concealing = replace(attempt, hides=any(map(is_concealed, documents.values())))
        if entry is None or permit is None:
            self._refuse_as_its_documents(call, record, decisions.values(), concealing)
            decision = ruled(of_document(call, record, Action.READ, None))
            is_nowhere = decision.reason == "no-document"
            self._gate.refuse(call, record, attempt, replace(decision, reason="no-list") if is_nowhere else decision)
        return _Admitted(record, entry, documents, concealing, permit)

    def _refuse_as_its_documents(
        self, call: Call, record: Record, decisions: Iterable[Decision], attempt: Attempt
    ) -> None:
        """Refuse a list like those of its documents that the caller may know of but not see."""
        known = next((decision for decision in decisions if not decision.hidden), None)
        if known:
            self._gate.refuse(call, record, attempt, known)

    def _shown(
        self, call: Call, admitted: _Admitted, versions: list[ListEntry], documents: Mapping[str, DocumentEntry]
    ) -> list[ListEntry]:
        """Versions of a list as the caller sees them; those that hold nothing for the caller are left out."""
        record = admitted.record
        seen = [one for version in versions if (one := list_as_seen(call, record, version, documents))]
        return with_visible_lists(call, record, seen, self._documents)

    def _alive(self, record: Record, locals_: Iterable[str]) -> dict[str, DocumentEntry]:
        """Documents by their local ids; deleted ones are seen by none."""
        _, documents = self._documents.with_documents(record.id, sorted(locals_))
        return {one: document for one, document in documents.items() if is_listed(document)}
