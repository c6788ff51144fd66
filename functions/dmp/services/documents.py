"""One document as it stands: its entry, its versions."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dmp.domain.audit import Interaction
from dmp.domain.document import DocumentEntry
from dmp.domain.errors import NotFound
from dmp.services.call import Call
from dmp.services.document_access import attempt_on, may_read
from dmp.services.document_admission import Admitted, DocumentAdmission
from dmp.services.document_sight import as_seen
from dmp.services.gate import Gate

if TYPE_CHECKING:
    from dmp.adapters.document_store import DocumentStore


class DocumentsService:
    """Reads of single documents, each traced before anything of it leaves."""

    def __init__(self, gate: Gate, documents: "DocumentStore") -> None:
        self._documents = documents
        self._admission = DocumentAdmission(gate, documents)

    def read(self, call: Call, record_id: str, local: str) -> DocumentEntry:
        """Return the entry if the patient's directives let the caller see it; NotFound, Refused or Gone if not."""
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.READ)
        admitted = self._admission.alive(call, record_id, local, attempt)
        return self._as_seen(call, admitted, [admitted.entry])[0]

    def history(self, call: Call, record_id: str, local: str) -> list[DocumentEntry]:
        """Every version that the caller may see, newest first; of a deleted document too, to whoever could read it."""
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.HISTORY)
        admitted = self._admission.admit(call, record_id, local, attempt)
        former = self._documents.former_documents(record_id, local)
        self._admission.trace(call, admitted)
        return self._as_seen(call, admitted, [admitted.entry, *_visible(call, admitted, reversed(former))])

    def version(self, call: Call, record_id: str, local: str, version: int) -> DocumentEntry:
        """One version of a document; NotFound (`no-version`) where it never was, or was hidden from the caller."""
        attempt = attempt_on("DocumentReference", record_id, local, Interaction.VREAD)
        admitted = self._admission.admit(call, record_id, local, attempt)
        is_current = version == admitted.entry.version
        former = [] if is_current else self._documents.former_documents(record_id, local)
        self._admission.trace(call, admitted)
        seen = [admitted.entry] if is_current else list(_visible(call, admitted, former))
        found = [one for one in seen if one.version == version]
        if not found:
            raise NotFound("no-version")
        return self._as_seen(call, admitted, found)[0]

    def _as_seen(self, call: Call, admitted: Admitted, versions: Iterable[DocumentEntry]) -> list[DocumentEntry]:
        """Versions of a document, by what hides its predecessors now."""
        predecessors = admitted.entry.predecessors
        current = [replace(version, predecessors=predecessors) for version in versions]
        return as_seen(call, admitted.record, current, self._documents)


def _visible(call: Call, admitted: Admitted, versions: Iterable[DocumentEntry]) -> Iterator[DocumentEntry]:
    """The versions that did not hide the document from the caller: that it was hidden is not told either."""
    return (version for version in versions if may_read(call, admitted.record, version))
